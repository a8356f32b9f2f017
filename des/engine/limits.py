"""Rate limits of providers, and a client's budgets, as state: shared by every endpoint or leg that names them.

What a call's end will change is known at its start. It waits, in order of time, until the limit is next looked at.
"""

from abc import ABC, abstractmethod
from heapq import heappop, heappush

from des.distributions import Constant, Distribution
from des.rules.rounding import WHOLE
from des.rules.token_bucket import corrected, refilled, retry_after_s, without_one
from des.scenario import plan


class Limit(ABC):
    """What every algorithm has in common: amounts are calls or tokens, and none settles by itself."""

    __slots__ = ("_numbered", "_pending", "index", "plan", "refusal_latency")

    def __init__(self, limit: plan.Limit) -> None:
        self.index = limit.index
        self.plan = limit
        self.refusal_latency: Distribution = limit.refusal_latency
        self._pending: list[tuple[float, int, float, float, int]] = []  # at, number, reckoned, used, entry
        self._numbered = 0

    def admits(self, amount: float, now_s: float) -> bool:
        """Whether there is room now; everything that has ended by now is settled before."""
        pending = self._pending
        while pending and pending[0][0] <= now_s:
            at_s, _, reckoned, used, entry = heappop(pending)
            self._correct(at_s, reckoned, used, entry)
        return self._has_room(amount, now_s)

    @abstractmethod
    def take(self, amount: float, now_s: float, end_s: float) -> int:
        """Take what `admits` has just been asked for, room or not; the entry, for `correct_at`.

        `end_s` is when the provider will be done with the call.
        """

    def correct_at(self, at_s: float, reckoned: float, used: float, entry: int = -1) -> None:
        """Count `used` instead of the `reckoned` that was taken, once the clock has come to `at_s`."""
        self._numbered += 1
        heappush(self._pending, (at_s, self._numbered, reckoned, used, entry))

    @abstractmethod
    def retry_after_s(self, amount: float, now_s: float) -> float:
        """Time until a call refused now would be admitted if no other came; infinite if never."""

    @abstractmethod
    def _has_room(self, amount: float, now_s: float) -> bool: ...

    @abstractmethod
    def _correct(self, at_s: float, reckoned: float, used: float, entry: int) -> None: ...


class RequestBucket(Limit):
    """A token bucket of requests that starts full, a token a call."""

    __slots__ = ("_burst", "_rate_per_s", "_refilled_at_s", "_tokens", "refusal_s")

    def __init__(self, limit: plan.Limit) -> None:
        super().__init__(limit)
        self._rate_per_s = limit.rate_per_s
        self._burst = limit.burst
        self._tokens = limit.burst
        self.refusal_s = limit.refusal_latency.value if isinstance(limit.refusal_latency, Constant) else None
        self._refilled_at_s = 0.0

    def has_token(self, now_s: float) -> bool:
        self._tokens = refilled(self._tokens, self._refilled_at_s, now_s, self._rate_per_s, self._burst)
        self._refilled_at_s = now_s
        return self._tokens >= WHOLE

    def take_token(self) -> None:
        """Take a token that `has_token` has just seen."""
        self._tokens = without_one(self._tokens)

    def token_after_s(self) -> float:
        """Time until a token is there, as seen when `has_token` last refused."""
        return retry_after_s(self._tokens, self._rate_per_s)

    def take(self, amount: float, now_s: float, end_s: float) -> int:
        if self._tokens > 0.0:
            self._tokens = without_one(self._tokens)
        return -1

    def retry_after_s(self, amount: float, now_s: float) -> float:
        return retry_after_s(self._tokens, self._rate_per_s)

    def _has_room(self, amount: float, now_s: float) -> bool:
        return self.has_token(now_s)

    def _correct(self, at_s: float, reckoned: float, used: float, entry: int) -> None:
        self.has_token(at_s)
        self._tokens = corrected(self._tokens, reckoned, used, self._burst)


def are_plain(of: plan.Plan) -> bool:
    """Whether nothing but plain buckets of providers admits calls: no queue, no budget and no client's policy."""
    return (
        of.client.plain
        and not of.capacities
        and not any(leg.limits for leg in of.chain)
        and all(is_plain(limit) for limit in of.limits)
    )


def is_plain(limit: plan.Limit) -> bool:
    """Whether a limit is a bucket of requests without further rules, which no call's end changes."""
    return (
        (limit.metric, limit.algorithm, limit.counted) == ("requests", "token_bucket", "dispatch")
        and limit.counts_failed
        and limit.sends_retry_after
        and not limit.counts_refused
    )
