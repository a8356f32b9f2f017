"""Retry budgets at work: whether a client may retry once more, by what it has done lately."""

from collections import deque
from typing import TYPE_CHECKING

from des.rules import retry_budget as rules
from des.scenario import plan
from des.vocabulary import OVERLOADED, RATE_LIMITED

if TYPE_CHECKING:
    from des.engine.kinds import Kinds


class Budget:
    """One that grants every retry; the kinds of budgets say what of it they watch."""

    def deposit(self, now_s: float) -> None:
        """A request turns to the legs of the budget for the first time."""

    def begin(self) -> None:
        """A request turns to the legs of the budget."""

    def end(self) -> None:
        """It turns away from them, served or not."""

    def grant(self, outcome: int, now_s: float) -> float | None:
        """What a retry after this outcome takes, already taken; None where there is none."""
        return 0.0

    def over_retry(self) -> None:
        """A retry that was granted has ended."""

    def learn(self, *, served: bool, taken: float | None) -> None:
        """A call has ended, served or failing; `taken` is what the last retry of its request took, None without one."""

    def allows_hedge(self) -> bool:
        return True


class ActiveShare(Budget):
    """Envoy's: so many retries at once, as a share of the requests under way."""

    def __init__(self, law: plan.ActiveBudget) -> None:
        self._law = law
        self._active = 0
        self.retrying = 0

    def begin(self) -> None:
        self._active += 1

    def end(self) -> None:
        self._active -= 1

    def grant(self, outcome: int, now_s: float) -> float | None:
        if not rules.active_share_admits(self.retrying, self._active, self._law.share, self._law.minimum):
            return None
        self.retrying += 1
        return 0.0

    def over_retry(self) -> None:
        self.retrying -= 1


class Ratio(Budget):
    """Finagle's: what requests and time have put in within the time to live, less what retries have taken out."""

    def __init__(self, law: plan.RatioBudget) -> None:
        self._law = law
        self._requests_s: deque[float] = deque()
        self._retries_s: deque[float] = deque()

    def deposit(self, now_s: float) -> None:
        self._requests_s.append(now_s)
        self._forget(self._requests_s, now_s)

    def grant(self, outcome: int, now_s: float) -> float | None:
        law = self._law
        self._forget(self._requests_s, now_s)
        self._forget(self._retries_s, now_s)
        counted = len(self._requests_s), len(self._retries_s)
        if not rules.ratio_admits(*counted, law.share, law.per_second, law.ttl_s):
            return None
        self._retries_s.append(now_s)
        return 0.0

    def _forget(self, times_s: deque[float], now_s: float) -> None:
        while times_s and times_s[0] <= now_s - self._law.ttl_s:
            times_s.popleft()


class Quota(Budget):
    """AWS's: retries take from a bucket, and success gives back."""

    def __init__(self, law: plan.QuotaBudget, kinds: "Kinds") -> None:
        self._law = law
        self.left = law.capacity
        self._is_throttle = [outcome in (RATE_LIMITED, OVERLOADED) for outcome in kinds.outcomes]

    def grant(self, outcome: int, now_s: float) -> float | None:
        cost = self._law.throttle_cost if self._is_throttle[outcome] else self._law.retry_cost
        if not rules.quota_admits(self.left, cost):
            return None
        self.left -= cost
        return cost

    def learn(self, *, served: bool, taken: float | None) -> None:
        if served:
            amount = self._law.success if taken is None else taken
            self.left = rules.quota_returned(self.left, self._law.capacity, amount)


class Throttle(Budget):
    """gRPC's: failures take tokens, successes give a little back, and half of them must be there."""

    def __init__(self, law: plan.ThrottleBudget) -> None:
        self._most = rules.thousandths(law.max_tokens)
        self._ratio = rules.thousandths(law.token_ratio)
        self.tokens = self._most

    def grant(self, outcome: int, now_s: float) -> float | None:
        return 0.0 if self.allows_hedge() else None

    def learn(self, *, served: bool, taken: float | None) -> None:
        self.tokens = rules.throttle_after(self.tokens, self._most, self._ratio, success=served)

    def allows_hedge(self) -> bool:
        return rules.throttle_admits(self.tokens, self._most)


def budget(law: plan.RetryBudget, kinds: "Kinds") -> Budget:
    """The budget of a kind."""
    match law:
        case plan.ActiveBudget():
            return ActiveShare(law)
        case plan.RatioBudget():
            return Ratio(law)
        case plan.QuotaBudget():
            return Quota(law, kinds)
        case plan.ThrottleBudget():
            return Throttle(law)
