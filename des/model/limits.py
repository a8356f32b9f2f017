"""Rate limits of providers as state: a token bucket each, shared by every endpoint that names it."""

from des.rules.token_bucket import WHOLE, refilled, retry_after_s, without_one
from des.scenario import plan
from des.scenario.laws import Law


class Limit:
    """A bucket that starts full."""

    __slots__ = ("_burst", "_rate_per_s", "_refilled_at_s", "_tokens", "index", "refusal_latency")

    def __init__(self, limit: plan.Limit) -> None:
        self.index = limit.index
        self.refusal_latency: Law = limit.refusal_latency
        self._rate_per_s = limit.requests_per_s
        self._burst = limit.burst
        self._tokens = limit.burst
        self._refilled_at_s = 0.0

    def has_token(self, now_s: float) -> bool:
        self._tokens = refilled(self._tokens, self._refilled_at_s, now_s, self._rate_per_s, self._burst)
        self._refilled_at_s = now_s
        return self._tokens >= WHOLE

    def take(self) -> None:
        """Take a token that `has_token` has just seen."""
        self._tokens = without_one(self._tokens)

    def retry_after_s(self) -> float:
        """Time until a token is there, as seen when `has_token` last refused."""
        return retry_after_s(self._tokens, self._rate_per_s)
