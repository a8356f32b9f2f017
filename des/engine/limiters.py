"""Limits as state, by algorithm: shared by every endpoint (a provider's) or leg (a client's budget) that names them.

What a call's end will change is known at its start. It waits, in order of time, until the limiter is next looked at.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from heapq import heappop, heappush
from math import inf
from typing import Final

from des.rules import limits as rules
from des.scenario import plan
from des.scenario.schema.own_classes import called, number_from, started


class Limiter(ABC):
    """What every algorithm has in common: amounts are calls or tokens."""

    __slots__ = ("_numbered", "_pending", "plan")

    def __init__(self, limit: plan.Limit) -> None:
        self.plan = limit
        self._pending: list[tuple[float, int, float, float, int]] = []  # at, number, estimated, actual, entry
        self._numbered = 0

    def admits(self, amount: float, now_s: float) -> bool:
        """Whether there is room now; everything that has ended by now is counted before."""
        pending = self._pending
        while pending and pending[0][0] <= now_s:
            at_s, _, estimated, actual, entry = heappop(pending)
            self._correct(at_s, estimated, actual, entry)
        return self._has_room(amount, now_s)

    @abstractmethod
    def take(self, amount: float, now_s: float, end_s: float) -> int:
        """Take what `admits` has just been asked for, room or not; the entry, for `correct_at`.

        `end_s` is when the provider will be done with the call.
        """

    def correct_at(self, at_s: float, estimated: float, actual: float, entry: int = -1) -> None:
        """Count `actual` instead of the `estimated` that was taken, once the clock has come to `at_s`."""
        self._numbered += 1
        heappush(self._pending, (at_s, self._numbered, estimated, actual, entry))

    @abstractmethod
    def retry_after_s(self, amount: float, now_s: float) -> float:
        """Time until a call refused now would be admitted if no other came; infinite if never."""

    @abstractmethod
    def _has_room(self, amount: float, now_s: float) -> bool: ...

    @abstractmethod
    def _correct(self, at_s: float, estimated: float, actual: float, entry: int) -> None: ...


class _RequestBucket(Limiter):
    """A token bucket of requests that starts full, a token a call."""

    __slots__ = ("_burst", "_rate_per_s", "_refilled_at_s", "_tokens")

    def __init__(self, limit: plan.Limit) -> None:
        super().__init__(limit)
        self._rate_per_s = limit.rate_per_s
        self._burst = limit.burst
        self._tokens = limit.burst
        self._refilled_at_s = 0.0

    def take(self, amount: float, now_s: float, end_s: float) -> int:
        if self._tokens > 0.0:
            self._tokens = rules.bucket_without_one(self._tokens)
        return -1

    def retry_after_s(self, amount: float, now_s: float) -> float:
        return rules.token_after_s(self._tokens, self._rate_per_s)

    def admits(self, amount: float, now_s: float) -> bool:
        """As every limiter's; written out, since a chain under stress asks this most of all."""
        if self._pending:
            return super().admits(amount, now_s)
        self._tokens = rules.bucket_refilled(self._tokens, self._refilled_at_s, now_s, self._rate_per_s, self._burst)
        self._refilled_at_s = now_s
        return self._tokens >= rules.WHOLE

    def _has_room(self, amount: float, now_s: float) -> bool:
        self._refill(now_s)
        return self._tokens >= rules.WHOLE

    def _correct(self, at_s: float, estimated: float, actual: float, entry: int) -> None:
        self._refill(at_s)
        self._tokens = rules.bucket_corrected(self._tokens, estimated, actual, self._burst)

    def _refill(self, now_s: float) -> None:
        self._tokens = rules.bucket_refilled(self._tokens, self._refilled_at_s, now_s, self._rate_per_s, self._burst)
        self._refilled_at_s = now_s


class _TokenBucket(Limiter):
    """Refilled continuously, full at the start; a correction or a call counted late may leave it in debt."""

    __slots__ = ("_refilled_at_s", "_tokens")

    def __init__(self, limit: plan.Limit) -> None:
        super().__init__(limit)
        self._tokens = limit.burst
        self._refilled_at_s = 0.0

    def take(self, amount: float, now_s: float, end_s: float) -> int:
        if self._tokens > 0.0:
            self._tokens = rules.bucket_without(self._tokens, amount)
        return -1

    def retry_after_s(self, amount: float, now_s: float) -> float:
        return rules.bucket_holds_again_after_s(self._tokens, amount, self.plan.rate_per_s, self.plan.burst)

    def _has_room(self, amount: float, now_s: float) -> bool:
        self._refill(now_s)
        return rules.bucket_holds(self._tokens, amount, self.plan.rate_per_s)

    def _correct(self, at_s: float, estimated: float, actual: float, entry: int) -> None:
        self._refill(at_s)
        self._tokens = rules.bucket_corrected(self._tokens, estimated, actual, self.plan.burst)

    def _refill(self, now_s: float) -> None:
        rate_per_s, burst = self.plan.rate_per_s, self.plan.burst
        self._tokens = rules.bucket_refilled(self._tokens, self._refilled_at_s, now_s, rate_per_s, burst)
        self._refilled_at_s = now_s


class _Windows(Limiter):
    """Clock windows from the start of the run. The entry of a call is the number of its window.

    At a call's end, what it used beyond its estimate counts in the window of then; what it used less is given back to
    its own window, if that is still open.
    """

    __slots__ = ("_used", "_window", "_window_s")

    def __init__(self, limit: plan.Limit) -> None:
        super().__init__(limit)
        assert limit.window_s is not None
        self._window_s = limit.window_s
        self._window = 0
        self._used = 0.0

    def take(self, amount: float, now_s: float, end_s: float) -> int:
        self._used += amount
        return self._window

    def _move_on(self, now_s: float) -> None:
        window = rules.window_of(now_s, self._window_s)
        if window != self._window:
            self._close(is_next=window == self._window + 1)
            self._window, self._used = window, 0.0

    def _close(self, *, is_next: bool) -> None:
        """The window ends, and the next one starts or a later one."""

    def _correct(self, at_s: float, estimated: float, actual: float, entry: int) -> None:
        self._move_on(at_s)
        if actual > estimated or entry == self._window:
            self._used += actual - estimated


class _FixedWindow(_Windows):
    """At most the burst in each window."""

    __slots__ = ()

    def _has_room(self, amount: float, now_s: float) -> bool:
        self._move_on(now_s)
        return rules.window_admits(self._used, amount, self.plan.burst)

    def retry_after_s(self, amount: float, now_s: float) -> float:
        if not rules.window_admits(0.0, amount, self.plan.burst):
            return inf
        return rules.next_window_after_s(now_s, self._window_s)


class _Acceleration(_Windows):
    """In each window at most a multiple of what was admitted in the one before, and never less than the floor."""

    __slots__ = ("_before", "_growth")

    def __init__(self, limit: plan.Limit) -> None:
        super().__init__(limit)
        assert limit.growth is not None
        self._growth = limit.growth
        self._before = 0.0

    def _close(self, *, is_next: bool) -> None:
        self._before = self._used if is_next else 0.0

    def _has_room(self, amount: float, now_s: float) -> bool:
        self._move_on(now_s)
        allowed = rules.acceleration_allowance(self._before, self._growth, self.plan.burst)
        return rules.window_admits(self._used, amount, allowed)

    def retry_after_s(self, amount: float, now_s: float) -> float:
        allowed_next = rules.acceleration_allowance(self._used, self._growth, self.plan.burst)
        if not rules.window_admits(0.0, amount, allowed_next):
            return inf
        return rules.next_window_after_s(now_s, self._window_s)


class _SlidingLog(Limiter):
    """At most the burst in any window that ends now. The entry of a call is its number in the log.

    At a call's end, what it used beyond its estimate is an entry of then; what it used less is taken off its own.
    """

    __slots__ = ("_amounts", "_gone", "_times_s", "_used", "_window_s")

    def __init__(self, limit: plan.Limit) -> None:
        super().__init__(limit)
        assert limit.window_s is not None
        self._window_s = limit.window_s
        self._times_s: list[float] = []
        self._amounts: list[float] = []
        self._gone = 0
        self._used = 0.0

    def take(self, amount: float, now_s: float, end_s: float) -> int:
        self._times_s.append(now_s)
        self._amounts.append(amount)
        self._used += amount
        return self._gone + len(self._times_s) - 1

    def retry_after_s(self, amount: float, now_s: float) -> float:
        if not rules.window_admits(0.0, amount, self.plan.burst):
            return inf
        too_much = self._used + amount - self.plan.burst
        return rules.log_retry_after_s(self._times_s, self._amounts, too_much, now_s, self._window_s)

    def _has_room(self, amount: float, now_s: float) -> bool:
        self._forget(now_s)
        return rules.window_admits(self._used, amount, self.plan.burst)

    def _correct(self, at_s: float, estimated: float, actual: float, entry: int) -> None:
        self._forget(at_s)
        if actual > estimated:
            self.take(actual - estimated, at_s, at_s)
        elif entry >= self._gone:
            self._amounts[entry - self._gone] += actual - estimated
            self._used += actual - estimated

    def _forget(self, now_s: float) -> None:
        left = rules.left_log(self._times_s, now_s, self._window_s)
        if left:
            self._used = self._used - sum(self._amounts[:left]) if left < len(self._times_s) else 0.0
            del self._times_s[:left], self._amounts[:left]
            self._gone += left


class _Concurrency(Limiter):
    """A number of calls at once, each in its place until the provider is done with it."""

    __slots__ = ("_ends_s",)

    def __init__(self, limit: plan.Limit) -> None:
        super().__init__(limit)
        self._ends_s: list[float] = []

    def take(self, amount: float, now_s: float, end_s: float) -> int:
        heappush(self._ends_s, end_s)
        return -1

    def retry_after_s(self, amount: float, now_s: float) -> float:
        return rules.place_after_s(self._ends_s[:1], now_s)

    def _has_room(self, amount: float, now_s: float) -> bool:
        while self._ends_s and self._ends_s[0] <= now_s:
            heappop(self._ends_s)
        return rules.place_is_free(len(self._ends_s), self.plan.burst)

    def _correct(self, at_s: float, estimated: float, actual: float, entry: int) -> None:
        """A place is a place: what a call uses does not change it."""


class _OwnLimiter(Limiter):
    """The state that a class of a user keeps. What a call uses is known as it is sent, and never corrected."""

    __slots__ = ("_of", "_state")

    def __init__(self, limit: plan.Limit) -> None:
        super().__init__(limit)
        assert limit.own is not None
        self._of = limit.own
        self._state = started(limit.own, ("admits", "take", "retry_after_s"), limit.rate_per_s, limit.burst)

    def take(self, amount: float, now_s: float, end_s: float) -> int:
        called(self._of, self._state.take, amount, now_s)
        return -1

    def retry_after_s(self, amount: float, now_s: float) -> float:
        after_s = called(self._of, self._state.retry_after_s, amount, now_s)
        return number_from(self._of, "retry_after_s", after_s, finite=False)

    def _has_room(self, amount: float, now_s: float) -> bool:
        return bool(called(self._of, self._state.admits, amount, now_s))

    def _correct(self, at_s: float, estimated: float, actual: float, entry: int) -> None:
        """Nothing is counted late."""


LIMITERS: Final[Mapping[str, Callable[[plan.Limit], Limiter]]] = {
    "token_bucket": _TokenBucket,
    "fixed_window": _FixedWindow,
    "sliding_log": _SlidingLog,
    "acceleration": _Acceleration,
    "concurrency": _Concurrency,
}


def make_limiter(limit: plan.Limit) -> Limiter:
    """The state of a limit at the start of a run."""
    if limit.own is not None:
        return _OwnLimiter(limit)
    if limit.metric == "requests" and limit.algorithm == "token_bucket":
        return _RequestBucket(limit)
    return LIMITERS[limit.algorithm](limit)
