"""The state of retry budgets: whether a client may retry once more, by its recent requests and retries."""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final

from des.engine.codes import Kinds
from des.rules import retry as rules
from des.scenario import plan
from des.vocabulary import OVERLOADED, RATE_LIMITED


class Budget:
    """A budget that grants every retry. Each kind overrides what it depends on."""

    def deposit(self, now_s: float) -> None:
        """A request starts on the budget's legs for the first time."""

    def begin(self) -> None:
        """A request starts on the budget's legs."""

    def end(self) -> None:
        """A request leaves the budget's legs, served or not."""

    def grant(self, outcome: int, now_s: float) -> float | None:
        """Takes what a retry after this outcome costs, and returns it; None where no retry is allowed."""
        return 0.0

    def over_retry(self) -> None:
        """A retry that was granted has ended."""

    def learn(self, *, served: bool, taken: float | None) -> None:
        """A call has ended. `taken` is the cost of its request's last retry, None without one."""

    def allows_hedge(self) -> bool:
        return True


class _ActiveShare(Budget):
    """Envoy's: limits simultaneous retries to a share of the requests in flight."""

    def __init__(self, settings: plan.ActiveBudget, kinds: Kinds) -> None:
        self._settings = settings
        self._active = 0
        self._retrying = 0

    def begin(self) -> None:
        self._active += 1

    def end(self) -> None:
        self._active -= 1

    def grant(self, outcome: int, now_s: float) -> float | None:
        settings = self._settings
        if not rules.active_share_admits(self._retrying, self._active, settings.share, settings.minimum):
            return None
        self._retrying += 1
        return 0.0

    def over_retry(self) -> None:
        self._retrying -= 1


class _Ratio(Budget):
    """Finagle's: recent requests and elapsed time deposit, retries withdraw, both within the time to live."""

    def __init__(self, settings: plan.RatioBudget, kinds: Kinds) -> None:
        self._settings = settings
        self._requests_s: deque[float] = deque()
        self._retries_s: deque[float] = deque()

    def deposit(self, now_s: float) -> None:
        self._requests_s.append(now_s)
        self._forget(self._requests_s, now_s)

    def grant(self, outcome: int, now_s: float) -> float | None:
        settings = self._settings
        self._forget(self._requests_s, now_s)
        self._forget(self._retries_s, now_s)
        counted = len(self._requests_s), len(self._retries_s)
        if not rules.ratio_admits(*counted, settings.share, settings.per_second, settings.ttl_s):
            return None
        self._retries_s.append(now_s)
        return 0.0

    def _forget(self, times_s: deque[float], now_s: float) -> None:
        while times_s and times_s[0] <= now_s - self._settings.ttl_s:
            times_s.popleft()


class _Quota(Budget):
    """AWS's: retries take from a bucket, and successes return it."""

    def __init__(self, settings: plan.QuotaBudget, kinds: Kinds) -> None:
        self._settings = settings
        self._left = settings.capacity
        self._is_throttle = kinds.of_outcomes((RATE_LIMITED, OVERLOADED))

    def grant(self, outcome: int, now_s: float) -> float | None:
        cost = self._settings.throttle_cost if self._is_throttle[outcome] else self._settings.retry_cost
        if not rules.quota_admits(self._left, cost):
            return None
        self._left -= cost
        return cost

    def learn(self, *, served: bool, taken: float | None) -> None:
        if served:
            amount = self._settings.success if taken is None else taken
            self._left = rules.quota_returned(self._left, self._settings.capacity, amount)


class _Throttle(Budget):
    """gRPC's: failures take tokens, successes add a few, and retries need more than half of them."""

    def __init__(self, settings: plan.ThrottleBudget, kinds: Kinds) -> None:
        self._most = rules.thousandths(settings.max_tokens)
        self._ratio = rules.thousandths(settings.token_ratio)
        self._tokens = self._most

    def grant(self, outcome: int, now_s: float) -> float | None:
        return 0.0 if self.allows_hedge() else None

    def learn(self, *, served: bool, taken: float | None) -> None:
        self._tokens = rules.throttle_after(self._tokens, self._most, self._ratio, success=served)

    def allows_hedge(self) -> bool:
        return rules.throttle_admits(self._tokens, self._most)


class _Bucket(Budget):
    """Brooker's: each request adds a fraction of a token, and a retry takes a whole one."""

    def __init__(self, settings: plan.BucketBudget, kinds: Kinds) -> None:
        self._most = rules.thousandths(settings.capacity)
        self._deposit = rules.thousandths(settings.deposit)
        self._tokens = self._most

    def deposit(self, now_s: float) -> None:
        self._tokens = min(self._most, self._tokens + self._deposit)

    def grant(self, outcome: int, now_s: float) -> float | None:
        if not rules.bucket_admits(self._tokens):
            return None
        self._tokens -= rules.thousandths(1.0)
        return 1.0


_BUDGETS: Final[Mapping[type, Callable[[Any, Kinds], Budget]]] = {
    plan.ActiveBudget: _ActiveShare,
    plan.RatioBudget: _Ratio,
    plan.QuotaBudget: _Quota,
    plan.ThrottleBudget: _Throttle,
    plan.BucketBudget: _Bucket,
}


def make_budget(settings: plan.RetryBudget, kinds: Kinds) -> Budget:
    """The budget for these settings."""
    return _BUDGETS[type(settings)](settings, kinds)
