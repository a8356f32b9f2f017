"""The client's own limits: a shaper that spaces calls, a bulkhead that bounds them, throttling, and a ramp."""

from collections import deque
from heapq import heappop, heappush
from math import inf

from simpy.events import Event

from des.engine.clock import Clock
from des.rules.guards import admitted_share, begins_anew, rejection_probability
from des.rules.limits import after_release, release_s
from des.scenario import plan


class Shaper:
    """A token bucket with a first-come-first-served queue before it. The wait is known on arrival."""

    def __init__(self, settings: plan.Shaping) -> None:
        self._settings = settings
        self._tat_s = 0.0
        self._leave_s: list[float] = []  # when queued calls leave, a heap

    def join(self, now_s: float, until_s: float) -> float | None:
        """When a call that comes now may go; None where it is refused.

        A call that would go after `until_s`, when its client abandons it, leaves the queue then and takes no token.
        """
        settings = self._settings
        go_s = release_s(self._tat_s, now_s, settings.rate_per_s, settings.burst)
        if go_s > now_s:
            while self._leave_s and self._leave_s[0] <= now_s:
                heappop(self._leave_s)
            if settings.queue is not None and len(self._leave_s) >= settings.queue:
                return None
            if settings.max_wait_s is not None and go_s - now_s > settings.max_wait_s:
                return None
            heappush(self._leave_s, min(go_s, until_s))
        if go_s < until_s:
            self._tat_s = after_release(self._tat_s, go_s, settings.rate_per_s)
        return go_s

    def take(self, now_s: float) -> bool:
        """Take a token without waiting, if there is one."""
        if release_s(self._tat_s, now_s, self._settings.rate_per_s, self._settings.burst) > now_s:
            return False
        self._tat_s = after_release(self._tat_s, now_s, self._settings.rate_per_s)
        return True


class Waiter:
    """A call in the queue of a bulkhead, until it is admitted or gives up."""

    __slots__ = ("came", "give_up_s", "let_in", "over", "strands")

    def __init__(self, clock: Clock, give_up_s: float) -> None:
        self.came = Event(clock)  # triggered when the wait is over
        self.give_up_s = give_up_s
        self.let_in = False
        self.over = False
        self.strands = False  # it will never be admitted, and does not give up


class Bulkhead:
    """A number of simultaneous calls, and a bounded first-come-first-served queue before them."""

    def __init__(self, settings: plan.Bulkhead, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._free = settings.concurrent
        self._lost = 0  # places held by calls that never end
        self._queue: deque[Waiter] = deque()
        self._queued = 0

    def take(self) -> bool:
        """Take a place, if one is free."""
        if self._free == 0:
            return False
        self._free -= 1
        return True

    def join(self, until_s: float) -> Waiter | None:
        """Wait for a place until the longest wait or `until_s`; None where the queue is full."""
        settings = self._settings
        if self._queued >= settings.queue:
            return None
        longest_s = inf if settings.max_wait_s is None else self._clock.now + settings.max_wait_s
        waiter = Waiter(self._clock, min(until_s, longest_s))
        self._queue.append(waiter)
        self._queued += 1
        if waiter.give_up_s < inf:
            self._clock.at(waiter.give_up_s, lambda: self._give_up(waiter))
        elif self._lost == settings.concurrent:
            waiter.strands = True
            self._end(waiter)
        return waiter

    def leave(self) -> None:
        """A call has ended: the first in the queue takes its place."""
        while self._queue:
            waiter = self._queue.popleft()
            if not waiter.over:
                self._queued -= 1
                waiter.let_in = waiter.over = True
                waiter.came.succeed()
                return
        self._free += 1

    def lose(self) -> None:
        """A call in a place never ends. Once all places are lost, calls that wait without a bound wait for ever."""
        self._lost += 1
        if self._lost == self._settings.concurrent:
            for waiter in self._queue:
                if waiter.give_up_s == inf and not waiter.over:
                    waiter.strands = True
                    self._end(waiter)

    def _give_up(self, waiter: Waiter) -> None:
        if not waiter.over:
            self._queued -= 1
            self._end(waiter)

    def _end(self, waiter: Waiter) -> None:
        waiter.over = True
        waiter.came.succeed()


class Throttling:
    """Adaptive throttling: requests and accepts of a leg over the window."""

    __slots__ = ("_accepts_s", "_requests_s", "_settings")

    def __init__(self, settings: plan.AdaptiveThrottling) -> None:
        self._settings = settings
        self._requests_s: deque[float] = deque()
        self._accepts_s: deque[float] = deque()

    def admits(self, now_s: float, u: float) -> bool:
        """Whether a call that comes now is sent. It counts as a request either way."""
        for times_s in (self._requests_s, self._accepts_s):
            while times_s and times_s[0] <= now_s - self._settings.window_s:
                times_s.popleft()
        refused = rejection_probability(len(self._requests_s), len(self._accepts_s), self._settings.k)
        self._requests_s.append(now_s)
        return u >= refused

    def accepted(self, now_s: float) -> None:
        """The leg has accepted a call: it answered, possibly with an error of the caller's."""
        self._accepts_s.append(now_s)


class Ramp:
    """A failover that grows. It begins with the first call, admitted or not, after a while without one."""

    __slots__ = ("_asked_s", "_begun_s", "_settings")

    def __init__(self, settings: plan.Ramp) -> None:
        self._settings = settings
        self._asked_s = -inf
        self._begun_s = 0.0

    def admits(self, now_s: float, u: float) -> bool:
        """Whether a call that comes now is within the admitted share."""
        settings = self._settings
        if begins_anew(self._asked_s, now_s, settings.reset_after_s):
            self._begun_s = now_s
        self._asked_s = now_s
        return u < admitted_share(self._begun_s, now_s, settings.start, settings.over_s)
