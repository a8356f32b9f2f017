"""The client's own queues: a shaper that spaces calls, and a bulkhead that bounds how many are under way."""

from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from math import inf
from typing import TYPE_CHECKING

from simpy.events import Event

from des.rules.gcra import after_release, release_s
from des.scenario import plan

if TYPE_CHECKING:
    from des.model.clock import Clock

Timer = Callable[[float, Callable[[], None]], None]


class Shaper:
    """A token bucket with a queue before it, first come, first served: the wait is known on arrival."""

    def __init__(self, law: plan.Shaping) -> None:
        self._law = law
        self._tat_s = 0.0
        self._leave_s: list[float] = []  # when those in the queue leave it, a heap

    def join(self, now_s: float, until_s: float) -> float | None:
        """When a call that comes now may go; None where it is refused.

        A call whose turn comes after `until_s`, when its client gives it up, leaves the queue then and takes no token.
        """
        law = self._law
        go_s = release_s(self._tat_s, now_s, law.rate_per_s, law.burst)
        if go_s > now_s:
            while self._leave_s and self._leave_s[0] <= now_s:
                heappop(self._leave_s)
            if law.queue is not None and len(self._leave_s) >= law.queue:
                return None
            if law.max_wait_s is not None and go_s - now_s > law.max_wait_s:
                return None
            heappush(self._leave_s, min(go_s, until_s))
        if go_s < until_s:
            self._tat_s = after_release(self._tat_s, go_s, law.rate_per_s)
        return go_s

    def take(self, now_s: float) -> bool:
        """Take a token that is there, without waiting."""
        if release_s(self._tat_s, now_s, self._law.rate_per_s, self._law.burst) > now_s:
            return False
        self._tat_s = after_release(self._tat_s, now_s, self._law.rate_per_s)
        return True


class Waiter:
    """A call in the queue of a bulkhead, until it is let in or gives up."""

    __slots__ = ("came", "let_in", "over")

    def __init__(self, clock: "Clock") -> None:
        self.came = Event(clock)  # triggered by either
        self.let_in = False
        self.over = False


class Bulkhead:
    """So many calls at once, and a bounded queue before them, first come, first served."""

    def __init__(self, law: plan.Bulkhead, clock: "Clock", timer: Timer) -> None:
        self._law = law
        self._clock = clock
        self._timer = timer
        self._free = law.concurrent
        self._queue: deque[Waiter] = deque()
        self.queued = 0

    @property
    def under_way(self) -> int:
        return self._law.concurrent - self._free

    def take(self) -> bool:
        """Take a place that is free."""
        if self._free == 0:
            return False
        self._free -= 1
        return True

    def join(self, until_s: float) -> Waiter | None:
        """Wait for a place until the longest wait or `until_s`; None where the queue is full."""
        if self.queued >= self._law.queue:
            return None
        waiter = Waiter(self._clock)
        self._queue.append(waiter)
        self.queued += 1
        longest_s = inf if self._law.max_wait_s is None else self._clock.now + self._law.max_wait_s
        give_up_s = min(until_s, longest_s)
        if give_up_s < inf:
            self._timer(give_up_s, lambda: self._give_up(waiter))
        return waiter

    def leave(self) -> None:
        """A call has ended: the first in the queue takes its place."""
        while self._queue:
            waiter = self._queue.popleft()
            if not waiter.over:
                self.queued -= 1
                waiter.let_in = waiter.over = True
                waiter.came.succeed()
                return
        self._free += 1

    def _give_up(self, waiter: Waiter) -> None:
        if not waiter.over:
            self.queued -= 1
            waiter.over = True
            waiter.came.succeed()
