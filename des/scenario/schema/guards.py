"""What takes a failing leg out of use, as a scenario writes it: breakers, cooldowns, ejections, probes."""

from math import inf
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from des.scenario.schema.setting import BelongsTo, Bound, Failures, Flag, Setting, contradiction
from des.scenario.text.units import Count, PositiveCount, PositiveDuration, Share

_EJECTING = ("server_error", "overloaded", "timeout", "connection_error")
_COUNTED = ("server_error", "overloaded", "rate_limited", "timeout", "connection_error")
_Counts = Annotated[Failures, Field(min_length=1)]


class _Breaker(Setting):
    """What all circuit breakers of a leg have in common."""

    open_s: PositiveDuration
    """How long it stays open."""
    half_open: PositiveCount | None = None
    """Probes let through then, all of which must succeed; without it, it closes by its timer."""
    counts: _Counts = _COUNTED
    """Failures that count; by default server_error, overloaded, rate_limited, timeout and connection_error."""
    all_open: Literal["refuse", "bypass"] = "refuse"
    """When no leg of the entry admits: refuse, or call as if all were closed."""


class ConsecutiveBreaker(_Breaker):
    """A circuit breaker that opens after a number of failures in a row."""

    kind: Literal["consecutive"]
    failures: PositiveCount


class CountWindowBreaker(_Breaker):
    """A circuit breaker that opens at a share of failures among the last calls."""

    kind: Literal["count_window"]
    calls: Annotated[PositiveCount, Field(le=1_000_000)]
    failure_share: Share
    minimum: PositiveCount = Field(default_factory=lambda said: said.get("calls"))
    """Calls before it may open; by default those of the window."""

    @model_validator(mode="after")
    def _can_open(self) -> Self:
        _refuse_no_share(self.failure_share)
        if self.minimum > self.calls:
            raise contradiction(
                f"the window has {self.calls} calls, so a minimum above that is never reached", "minimum"
            )
        return self


class TimeWindowBreaker(_Breaker):
    """A circuit breaker that opens at a share of failures within a time."""

    kind: Literal["time_window"]
    window_s: PositiveDuration
    failure_share: Share
    minimum: PositiveCount = 1
    """Calls within the window before it may open."""

    @model_validator(mode="after")
    def _can_open(self) -> Self:
        _refuse_no_share(self.failure_share)
        return self


def _refuse_no_share(share: float) -> None:
    if share <= 0.0:
        raise contradiction("a share of 0 would be reached without a failure", "failure_share")


class Cooldown(Setting):
    """A leg that fails rests for a while and comes back to full traffic, as in LiteLLM."""

    at_once: Failures = Field((), alias="on")
    """Failures that cool at once a leg of a group of several."""
    failure_share: Share | None = Field(None, alias="share")
    """More than this share of the window's calls failed, in a group of several."""
    minimum: PositiveCount = 1
    """Calls in the window before the share counts; 1 by default."""
    all_failed: PositiveCount | None = None
    """At least this number of calls in the window, all of which failed."""
    window_s: PositiveDuration = 60.0
    """60 s by default, opened by its first call."""
    always: Failures = Field((), alias="also_on")
    """Failures that cool any leg at once."""
    allowed_fails: Count | None = None
    """Instead of all this: more failures than this within the cooldown's time."""
    cooldown_s: PositiveDuration = Field(5.0, alias="for")
    """How long; 5 s by default."""
    honours_retry_after: Flag = Field(False, alias="retry_after")
    """Whether a Retry-After says how long instead."""
    counts: _Counts = _COUNTED
    """Failures that count; by default server_error, overloaded, rate_limited, timeout and connection_error."""

    @model_validator(mode="after")
    def _cools(self) -> Self:
        counted = (self.failure_share, self.all_failed, self.allowed_fails)
        if not self.at_once and not self.always and counted == (None, None, None):
            raise contradiction("nothing ever cools: give on, share, all_failed, also_on or allowed_fails")
        if self.failure_share is not None and self.failure_share >= 1.0:
            raise contradiction("more than 100 % never fail: say all_failed: 5, for example", "share")
        if self.failure_share is None and self.allowed_fails is None:
            if "minimum" in self.model_fields_set:
                raise contradiction("minimum belongs to share", "minimum")
            if "window_s" in self.model_fields_set and self.all_failed is None:
                raise contradiction("window belongs to share or all_failed", "window")
        return self


class Ejection(Setting):
    """A leg that fails is ejected from its group, the longer the more often."""

    consecutive: PositiveCount | None = None
    """Failures in a row."""
    failure_share: Share | None = Field(None, alias="share")
    """More than this share of the window's calls failed."""
    minimum: Annotated[PositiveCount, BelongsTo("failure_share")] = 1
    """Calls in the window before the share counts; 1 by default."""
    window_s: Annotated[PositiveDuration, BelongsTo("failure_share")] = 60.0
    """60 s by default."""
    for_s: PositiveDuration = 30.0
    """How long the first time; 30 s by default."""
    longest_s: Bound = inf
    """Each further ejection lasts `for` longer, up to this."""
    every_s: PositiveDuration = 0.0
    """How often it is decided; at every failure by default."""
    most: Share = 1.0
    """Of the group's legs, but always one."""
    rate_limited_s: PositiveDuration | None = Field(None, alias="on_rate_limited")
    """A 429 ejects at once, for Retry-After (else this long) and `for` more."""
    counts: _Counts = _EJECTING
    """Failures that count; by default server_error, overloaded, timeout and connection_error."""

    @model_validator(mode="after")
    def _ejects(self) -> Self:
        if (self.consecutive, self.failure_share, self.rate_limited_s) == (None, None, None):
            raise contradiction("nothing is ever ejected: give consecutive, share or on_rate_limited")
        if self.failure_share is not None and self.failure_share >= 1.0:
            raise contradiction("more than 100 % never fail: give less", "share")
        if self.longest_s < self.for_s:
            raise contradiction("longest is below for", "longest")
        return self


class Probes(Setting):
    """Synthetic calls that tell whether a leg is healthy."""

    every_s: PositiveDuration
    timeout_s: PositiveDuration | None = None
    """Of a probe; the leg's by default."""
    unhealthy_after: PositiveCount = 3
    """Failures in a row that take the leg out."""
    healthy_after: PositiveCount = 2
    """Successes in a row that bring it back."""

    @model_validator(mode="after")
    def _ends_before_the_next(self) -> Self:
        if self.timeout_s is not None and self.timeout_s > self.every_s:
            raise contradiction("timeout is longer than every: probes would overlap", "timeout")
        return self


Breaker = ConsecutiveBreaker | CountWindowBreaker | TimeWindowBreaker
Guard = Breaker | Cooldown | Ejection
