"""The client's policy as a scenario writes it: rounds, back-off, deadline, billing, response cache."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from des.scenario.distributions import DurationLaw
from des.scenario.providers import Billing
from des.scenario.spec import DURATION_SCHEMA, Shorthand, Spec, contradiction
from des.scenario.units import Amount, Duration, Positive, PositiveCount, PositiveDuration, Share


class BackoffSpec(Spec):
    """The wait before another attempt: min(cap, base * factor^k), base * (1 + k), base, or none; then jitter."""

    kind: Literal["none", "constant", "linear", "exponential"]
    base: Duration | None = None
    factor: Positive | None = None
    """Of an exponential back-off; 2 by default."""
    cap: PositiveDuration | None = None
    jitter: Literal["none", "full", "equal", "decorrelated", "additive"] = "none"
    spread: Duration | None = None
    """Of additive jitter: the wait grows by up to so much."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.kind == "none":
            for field in ("base", "factor", "cap", "spread"):
                if getattr(self, field) is not None:
                    raise contradiction(f"a back-off of kind none has no {field}", field)
            if self.jitter != "none":
                raise contradiction("a back-off of kind none has no jitter", "jitter")
            return self
        if self.base is None:
            raise contradiction(f"a back-off of kind {self.kind} needs its base, such as 500ms")
        if self.factor is not None and self.kind != "exponential":
            raise contradiction("factor belongs to an exponential back-off", "factor")
        if self.cap is not None and self.cap < self.base:
            raise contradiction("cap is below base", "cap")
        if (self.jitter == "additive") != (self.spread is not None):
            field = "jitter" if self.jitter == "additive" else "spread"
            raise contradiction("additive jitter and spread belong together", field)
        return self


def _backoff(value: object) -> object:
    if value == "none":
        return {"kind": "none"}
    return value if isinstance(value, dict | Spec) else {"kind": "constant", "base": value}


Backoff = Annotated[BackoffSpec, Shorthand(_backoff, DURATION_SCHEMA)]


class ShareCacheSpec(Spec):
    """A cache of responses that answers a share of the requests."""

    kind: Literal["share"]
    hit_rate: Share
    latency: DurationLaw | None = None
    """Of a hit; none by default."""


class ZipfCacheSpec(Spec):
    """A cache of responses to requests of unequal popularity, each kept for its time to live."""

    kind: Literal["zipf"]
    keys: Annotated[PositiveCount, Field(le=10_000_000)]
    exponent: Annotated[Amount, Field(le=20.0)]
    ttl: PositiveDuration
    latency: DurationLaw | None = None
    """Of a hit; none by default."""


class PolicySpec(Spec):
    """What the client does about failures, for all legs alike."""

    rounds: PositiveCount = 1
    """Passes over the chain."""
    backoff: Backoff | None = None
    """Sets both retry_backoff and round_backoff."""
    retry_backoff: Backoff | None = None
    """Before another attempt on the same leg."""
    round_backoff: Backoff | None = None
    """Before another round."""
    retry_after: Literal["ignore", "honour"] = "ignore"
    """Whether to wait as long as a refusal asks for."""
    deadline: PositiveDuration | None = None
    """After which a request is given up."""
    billing: Billing | None = None
    """`provider` by default."""
    response_cache: Annotated[ShareCacheSpec | ZipfCacheSpec, Field(discriminator="kind")] | None = None

    @model_validator(mode="after")
    def _one_backoff(self) -> Self:
        for field in ("retry_backoff", "round_backoff"):
            if self.backoff is not None and getattr(self, field) is not None:
                raise contradiction(
                    f"backoff sets {field} too: give either backoff, or retry_backoff and round_backoff", field
                )
        return self
