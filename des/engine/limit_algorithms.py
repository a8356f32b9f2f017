"""Limits of any amount by algorithm, each a state around the rule of its name."""

from collections.abc import Callable
from heapq import heappop, heappush
from math import inf

from des.engine.limits import Limit, RequestBucket
from des.rules import acceleration, concurrency, fixed_window, sliding_log, token_bucket
from des.scenario import plan


class TokenBucket(Limit):
    """Refilled continuously, full at the start; a correction or a call counted late may leave it in debt."""

    __slots__ = ("_refilled_at_s", "_tokens")

    def __init__(self, limit: plan.Limit) -> None:
        super().__init__(limit)
        self._tokens = limit.burst
        self._refilled_at_s = 0.0

    def take(self, amount: float, now_s: float, end_s: float) -> int:
        if self._tokens > 0.0:
            self._tokens = token_bucket.without(self._tokens, amount)
        return -1

    def retry_after_s(self, amount: float, now_s: float) -> float:
        return token_bucket.holds_again_after_s(self._tokens, amount, self.plan.rate_per_s, self.plan.burst)

    def _has_room(self, amount: float, now_s: float) -> bool:
        self._refill(now_s)
        return token_bucket.holds(self._tokens, amount, self.plan.rate_per_s)

    def _correct(self, at_s: float, reckoned: float, used: float, entry: int) -> None:
        self._refill(at_s)
        self._tokens = token_bucket.corrected(self._tokens, reckoned, used, self.plan.burst)

    def _refill(self, now_s: float) -> None:
        rate_per_s, burst = self.plan.rate_per_s, self.plan.burst
        self._tokens = token_bucket.refilled(self._tokens, self._refilled_at_s, now_s, rate_per_s, burst)
        self._refilled_at_s = now_s


class Windows(Limit):
    """Clock windows from the start of the run. The entry of a call is the number of its window.

    At a call's end, what it used beyond its reckoning counts in the window of then; what it used less is given back to
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

    def _turn(self, now_s: float) -> None:
        window = fixed_window.window_of(now_s, self._window_s)
        if window != self._window:
            self._close(is_next=window == self._window + 1)
            self._window, self._used = window, 0.0

    def _close(self, *, is_next: bool) -> None:
        """The window ends, and the next one starts or a later one."""

    def _correct(self, at_s: float, reckoned: float, used: float, entry: int) -> None:
        self._turn(at_s)
        if used > reckoned or entry == self._window:
            self._used += used - reckoned


class FixedWindow(Windows):
    """So much in each window."""

    __slots__ = ()

    def _has_room(self, amount: float, now_s: float) -> bool:
        self._turn(now_s)
        return fixed_window.admits(self._used, amount, self.plan.burst)

    def retry_after_s(self, amount: float, now_s: float) -> float:
        if not fixed_window.admits(0.0, amount, self.plan.burst):
            return inf
        return fixed_window.retry_after_s(now_s, self._window_s)


class Acceleration(Windows):
    """In each window so many times what was admitted in the one before, and never less than the floor."""

    __slots__ = ("_before", "_growth")

    def __init__(self, limit: plan.Limit) -> None:
        super().__init__(limit)
        assert limit.growth is not None
        self._growth = limit.growth
        self._before = 0.0

    def _close(self, *, is_next: bool) -> None:
        self._before = self._used if is_next else 0.0

    def _has_room(self, amount: float, now_s: float) -> bool:
        self._turn(now_s)
        allowed = acceleration.allowance(self._before, self._growth, self.plan.burst)
        return fixed_window.admits(self._used, amount, allowed)

    def retry_after_s(self, amount: float, now_s: float) -> float:
        allowed_next = acceleration.allowance(self._used, self._growth, self.plan.burst)
        if not fixed_window.admits(0.0, amount, allowed_next):
            return inf
        return fixed_window.retry_after_s(now_s, self._window_s)


class SlidingLog(Limit):
    """So much in any window that ends now. The entry of a call is its number in the log.

    At a call's end, what it used beyond its reckoning is an entry of then; what it used less is taken off its own.
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
        if not fixed_window.admits(0.0, amount, self.plan.burst):
            return inf
        too_much = self._used + amount - self.plan.burst
        return sliding_log.retry_after_s(self._times_s, self._amounts, too_much, now_s, self._window_s)

    def _has_room(self, amount: float, now_s: float) -> bool:
        self._forget(now_s)
        return fixed_window.admits(self._used, amount, self.plan.burst)

    def _correct(self, at_s: float, reckoned: float, used: float, entry: int) -> None:
        self._forget(at_s)
        if used > reckoned:
            self.take(used - reckoned, at_s, at_s)
        elif entry >= self._gone:
            self._amounts[entry - self._gone] += used - reckoned
            self._used += used - reckoned

    def _forget(self, now_s: float) -> None:
        left = sliding_log.left_log(self._times_s, now_s, self._window_s)
        if left:
            self._used = self._used - sum(self._amounts[:left]) if left < len(self._times_s) else 0.0
            del self._times_s[:left], self._amounts[:left]
            self._gone += left


class Concurrency(Limit):
    """So many calls at once, each in its place until the provider is done with it."""

    __slots__ = ("_ends_s",)

    def __init__(self, limit: plan.Limit) -> None:
        super().__init__(limit)
        self._ends_s: list[float] = []

    def take(self, amount: float, now_s: float, end_s: float) -> int:
        heappush(self._ends_s, end_s)
        return -1

    def retry_after_s(self, amount: float, now_s: float) -> float:
        return concurrency.retry_after_s(self._ends_s[:1], now_s)

    def _has_room(self, amount: float, now_s: float) -> bool:
        while self._ends_s and self._ends_s[0] <= now_s:
            heappop(self._ends_s)
        return concurrency.admits(len(self._ends_s), self.plan.burst)

    def _correct(self, at_s: float, reckoned: float, used: float, entry: int) -> None:
        """A place is a place: what a call uses does not change it."""


ALGORITHMS: dict[str, Callable[[plan.Limit], Limit]] = {
    "token_bucket": TokenBucket,
    "fixed_window": FixedWindow,
    "sliding_log": SlidingLog,
    "acceleration": Acceleration,
    "concurrency": Concurrency,
}


def at_work(limit: plan.Limit) -> Limit:
    """The state of a limit at the start of a run."""
    if limit.metric == "requests" and limit.algorithm == "token_bucket":
        return RequestBucket(limit)
    return ALGORITHMS[limit.algorithm](limit)
