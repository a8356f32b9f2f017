"""The client's own queues: a shaper that spaces calls, and a bulkhead that bounds how many are under way."""

from collections import deque
from heapq import heappop, heappush
from math import inf
from typing import TYPE_CHECKING

from simpy.events import Event

from des.engine.client.guards import Timer
from des.rules.gcra import after_release, release_s
from des.scenario import plan

if TYPE_CHECKING:
    from des.engine.clock import Clock


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

    __slots__ = ("came", "give_up_s", "let_in", "over", "strands")

    def __init__(self, clock: "Clock", give_up_s: float) -> None:
        self.came = Event(clock)  # triggered when it is over, whichever way
        self.give_up_s = give_up_s
        self.let_in = False
        self.over = False
        self.strands = False  # nothing will ever let it in, and it does not give up


class Bulkhead:
    """So many calls at once, and a bounded queue before them, first come, first served."""

    def __init__(self, law: plan.Bulkhead, clock: "Clock", timer: Timer) -> None:
        self._law = law
        self._clock = clock
        self._timer = timer
        self._free = law.concurrent
        self._lost = 0  # places held by calls that never end
        self._queue: deque[Waiter] = deque()
        self.queued = 0

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
        longest_s = inf if self._law.max_wait_s is None else self._clock.now + self._law.max_wait_s
        waiter = Waiter(self._clock, min(until_s, longest_s))
        self._queue.append(waiter)
        self.queued += 1
        if waiter.give_up_s < inf:
            self._timer(waiter.give_up_s, lambda: self._give_up(waiter))
        elif self._lost == self._law.concurrent:
            waiter.strands = True
            self._end(waiter)
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

    def lose(self) -> None:
        """A call that holds a place never ends; where all do, who waits without giving up waits for ever."""
        self._lost += 1
        if self._lost == self._law.concurrent:
            for waiter in self._queue:
                if waiter.give_up_s == inf and not waiter.over:
                    waiter.strands = True
                    self._end(waiter)

    def _give_up(self, waiter: Waiter) -> None:
        if not waiter.over:
            self.queued -= 1
            self._end(waiter)

    def _end(self, waiter: Waiter) -> None:
        waiter.over = True
        waiter.came.succeed()
