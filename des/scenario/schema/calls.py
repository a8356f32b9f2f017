"""Settings of the calls of one leg, and caches that may answer in place of a call: timeouts, silent rot, caches."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from des.distributions import Constant
from des.scenario.schema.distributions import DurationDistribution
from des.scenario.schema.setting import DURATION_SCHEMA, Setting, contradiction, scalar_as
from des.scenario.schema.statuses import FailureOutcome
from des.scenario.text.quantities import Amount, PositiveCount, PositiveDuration, Share


class Timeout(Setting):
    """Bounds on a call; a bare duration bounds the total. None is no bound."""

    connect_s: PositiveDuration | None = None
    """Longest time to open a connection; no bound by default."""
    first_token_s: PositiveDuration | None = None
    """Longest time from the start of the call to the first token."""
    idle_s: PositiveDuration | None = None
    """Longest silence between tokens, the wait for the first token included."""
    total_s: PositiveDuration | None = None
    """Longest duration of the whole call; no bound by default."""

    @model_validator(mode="after")
    def _bounds_something(self) -> Self:
        if not self.model_fields_set:
            raise contradiction("an empty timeout: give connect, first_token, idle or total")
        if self.total_s is not None:
            for name, bound_s in (("connect", self.connect_s), ("first_token", self.first_token_s)):
                if bound_s is not None and bound_s > self.total_s:
                    raise contradiction(f"{name} is longer than total, so it never expires", name)
        return self


UNBOUNDED = Timeout()
AnyTimeout = Annotated[Timeout, scalar_as("total", DURATION_SCHEMA)]


class SilentRot(Setting):
    """A leg that breaks unnoticed. Its repair starts after the first failed call, or after the next probe."""

    time_to_rot: DurationDistribution
    """Time until a working leg breaks unnoticed."""
    repair: DurationDistribution
    """Time to repair it once the break is noticed."""
    outcome: FailureOutcome = "server_error"
    """What a call of the broken leg looks like; `server_error` by default."""
    error_latency: DurationDistribution = Constant(0.2)
    """Time until a call of the broken leg is answered; 200 ms by default."""
    probe_every_s: PositiveDuration | None = None
    """Interval of checks that notice a break before a call does; none by default."""

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if self.time_to_rot.mean <= 0.0:
            raise contradiction("a leg that breaks at once never works: give a time above zero", "time_to_rot")
        return self


class PromptCache(Setting):
    """A share of the input that is the same in every request. It is cheaper while it is reused within its TTL."""

    share: Share
    """Share of the input that is the same in every request."""
    ttl_s: PositiveDuration
    """How long it stays cached after its last use."""


class ShareCache(Setting):
    """A cache of responses that answers a share of the requests."""

    kind: Literal["share"]
    """`share`: a fixed share of the requests is answered."""
    hit_rate: Share
    """Share of the requests that the cache answers."""
    latency: DurationDistribution = Constant(0.0)
    """Time until a hit is answered; 0 by default."""

    keys: ClassVar[None] = None
    exponent: ClassVar[float] = 1.0
    ttl_s: ClassVar[float] = float("inf")


class ZipfCache(Setting):
    """A cache of responses to requests of unequal popularity. Each response is kept for the TTL."""

    kind: Literal["zipf"]
    """`zipf`: keys of unequal popularity."""
    keys: Annotated[PositiveCount, Field(le=10_000_000)]
    """Number of different requests, at most 10,000,000."""
    exponent: Annotated[Amount, Field(le=20.0)]
    """Inequality of popularity: the k-th most popular key has weight k^-exponent."""
    ttl_s: PositiveDuration
    """How long a response is kept."""
    latency: DurationDistribution = Constant(0.0)
    """Time until a hit is answered; 0 by default."""

    hit_rate: ClassVar[None] = None


ResponseCache = ShareCache | ZipfCache
