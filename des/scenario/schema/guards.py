"""What takes a failing leg out of use, as a scenario writes it: breakers, cooldowns, ejections, probes."""

from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from des.scenario.schema.spec import Flag, Spec, contradiction, mapping_or_word
from des.scenario.schema.statuses import Handled
from des.scenario.text.units import Count, PositiveCount, PositiveDuration, Share

Counts = Annotated[tuple[Handled, ...], Field(min_length=1)]


class BreakerSpec(Spec):
    """What all circuit breakers of a leg have in common."""

    open: PositiveDuration
    """How long it stays open."""
    half_open: PositiveCount | None = None
    """Probes let through then, all of which must succeed; without it, it closes by its timer."""
    counts: Counts | None = None
    """Failures that count; by default server_error, overloaded, rate_limited, timeout and connection_error."""
    all_open: Literal["refuse", "bypass"] = "refuse"
    """When no leg of the entry admits: refuse, or call as if all were closed."""


class ConsecutiveBreakerSpec(BreakerSpec):
    """A circuit breaker that opens after so many failures in a row."""

    kind: Literal["consecutive"]
    failures: PositiveCount


class CountWindowBreakerSpec(BreakerSpec):
    """A circuit breaker that opens at a share of failures among the last calls."""

    kind: Literal["count_window"]
    calls: Annotated[PositiveCount, Field(le=1_000_000)]
    failure_share: Share
    minimum: PositiveCount | None = None
    """Calls before it may open; by default those of the window."""

    @model_validator(mode="after")
    def _can_open(self) -> Self:
        _refuse_no_share(self.failure_share, "failure_share")
        if self.minimum is not None and self.minimum > self.calls:
            raise contradiction(
                f"the window has {self.calls} calls, so a minimum above that is never reached", "minimum"
            )
        return self


class TimeWindowBreakerSpec(BreakerSpec):
    """A circuit breaker that opens at a share of failures within a time."""

    kind: Literal["time_window"]
    window: PositiveDuration
    failure_share: Share
    minimum: PositiveCount = 1
    """Calls within the window before it may open."""

    @model_validator(mode="after")
    def _can_open(self) -> Self:
        _refuse_no_share(self.failure_share, "failure_share")
        return self


def _refuse_no_share(share: float | None, field: str) -> None:
    if share is not None and share <= 0.0:
        raise contradiction("a share of 0 would be reached without a failure", field)


class CooldownSpec(Spec):
    """A leg that fails rests for a while and comes back to full traffic, as in LiteLLM."""

    on: tuple[Handled, ...] = ()
    """Failures that cool at once a leg of a group of several."""
    share: Share | None = None
    """More than this share of the window's calls failed, in a group of several."""
    minimum: PositiveCount | None = None
    """Calls in the window before the share counts; 1 by default."""
    all_failed: PositiveCount | None = None
    """So many calls in the window, all of which failed."""
    window: PositiveDuration | None = None
    """60 s by default, opened by its first call."""
    also_on: tuple[Handled, ...] = ()
    """Failures that cool any leg at once."""
    allowed_fails: Count | None = None
    """Instead of all this: more failures than so many within the cooldown's time."""
    for_: PositiveDuration = Field(default=5.0, alias="for")
    """How long; 5 s by default."""
    retry_after: Flag = False
    """Whether a Retry-After says how long instead."""
    counts: Counts | None = None
    """Failures that count; by default server_error, overloaded, rate_limited, timeout and connection_error."""

    @model_validator(mode="after")
    def _cools(self) -> Self:
        if not self.on and not self.also_on and self.share is None and not self.all_failed:
            if self.allowed_fails is None:
                raise contradiction("nothing ever cools: give on, share, all_failed, also_on or allowed_fails")
            return self
        if self.minimum is not None and self.share is None:
            raise contradiction("minimum belongs to share", "minimum")
        if self.share is not None and self.share >= 1.0:
            raise contradiction("more than 100 % never fail: say all_failed: 5, for example", "share")
        if self.window is not None and self.share is None and self.all_failed is None:
            raise contradiction("window belongs to share or all_failed", "window")
        return self


class EjectionSpec(Spec):
    """A leg that fails is ejected from its group, the longer the more often."""

    consecutive: PositiveCount | None = None
    """Failures in a row."""
    share: Share | None = None
    """More than this share of the window's calls failed."""
    minimum: PositiveCount | None = None
    """Calls in the window before the share counts; 1 by default."""
    window: PositiveDuration | None = None
    """60 s by default."""
    for_: PositiveDuration = Field(default=30.0, alias="for")
    """How long the first time; 30 s by default."""
    longest: PositiveDuration | None = None
    """Each further ejection lasts `for` longer, up to this."""
    every: PositiveDuration | None = None
    """How often it is decided; at every failure by default."""
    most: Share = 1.0
    """Of the group's legs, but always one."""
    on_rate_limited: PositiveDuration | None = None
    """A 429 ejects at once, for Retry-After (else this long) and `for` more."""
    counts: Counts | None = None
    """Failures that count; by default server_error, overloaded, timeout and connection_error."""

    @model_validator(mode="after")
    def _ejects(self) -> Self:
        if self.consecutive is None and self.share is None and self.on_rate_limited is None:
            raise contradiction("nothing is ever ejected: give consecutive, share or on_rate_limited")
        for field in ("minimum", "window"):
            if getattr(self, field) is not None and self.share is None:
                raise contradiction(f"{field} belongs to share", field)
        if self.share is not None and self.share >= 1.0:
            raise contradiction("more than 100 % never fail: give less", "share")
        if self.longest is not None and self.longest < self.for_:
            raise contradiction("longest is below for", "longest")
        return self


class ProbesSpec(Spec):
    """Synthetic calls that tell whether a leg is healthy."""

    every: PositiveDuration
    timeout: PositiveDuration | None = None
    """Of a probe; the leg's by default."""
    unhealthy_after: PositiveCount = 3
    """Failures in a row that take the leg out."""
    healthy_after: PositiveCount = 2
    """Successes in a row that bring it back."""

    @model_validator(mode="after")
    def _ends_before_the_next(self) -> Self:
        if self.timeout is not None and self.timeout > self.every:
            raise contradiction("timeout is longer than every: probes would overlap", "timeout")
        return self


Off = Annotated[Literal["none"], Tag("word")]
AnyBreakerSpec = Annotated[
    ConsecutiveBreakerSpec | CountWindowBreakerSpec | TimeWindowBreakerSpec, Field(discriminator="kind")
]
Breaker = Annotated[Annotated[AnyBreakerSpec, Tag("mapping")] | Off, Discriminator(mapping_or_word)]
Cooldown = Annotated[Annotated[CooldownSpec, Tag("mapping")] | Off, Discriminator(mapping_or_word)]
Ejection = Annotated[Annotated[EjectionSpec, Tag("mapping")] | Off, Discriminator(mapping_or_word)]
Probes = Annotated[Annotated[ProbesSpec, Tag("mapping")] | Off, Discriminator(mapping_or_word)]
