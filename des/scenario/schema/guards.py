"""Settings that take a failing leg out of use: breakers, cooldowns, ejections, probes."""

from math import inf
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from des.scenario.schema.own_classes import OwnKind
from des.scenario.schema.own_rules import OwnBreaker as OwnBreaker
from des.scenario.schema.setting import BelongsTo, Bound, Failures, Flag, Setting, contradiction
from des.scenario.text.quantities import Count, PositiveCount, PositiveDuration, Share

_EJECTING = ("server_error", "overloaded", "timeout", "connection_error")
_COUNTED = ("server_error", "overloaded", "rate_limited", "timeout", "connection_error")
_Counts = Annotated[Failures, Field(min_length=1)]
_AllOut = Literal["refuse", "bypass"]


class _Breaker(Setting):
    """Fields shared by all circuit breakers."""

    open_s: PositiveDuration
    """How long the breaker stays open."""
    half_open: PositiveCount | None = None
    """Probes let through when half-open; all must succeed. Without it the breaker closes by its timer."""
    counts: _Counts = _COUNTED
    """Failures that count; by default server_error, overloaded, rate_limited, timeout and connection_error."""
    all_open: _AllOut = "refuse"
    """What to do when no leg of the entry admits: refuse the call, or call as if all breakers were closed."""
    stops: Literal["calls", "retries"] = "calls"
    """What the breaker stops while it is not closed: all calls, or retries only, so that first attempts go through."""


class ConsecutiveBreaker(_Breaker):
    """A circuit breaker that opens after a number of failures in a row."""

    kind: Literal["consecutive"]
    """`consecutive`: opens after failures in a row."""
    failures: PositiveCount
    """Failures in a row after which it opens."""


class CountWindowBreaker(_Breaker):
    """A circuit breaker that opens at a share of failures among the latest calls."""

    kind: Literal["count_window"]
    """`count_window`: opens by the share of failures among the latest calls."""
    calls: Annotated[PositiveCount, Field(le=1_000_000)]
    """Number of latest calls in the window."""
    failure_share: Share
    """Share of failed calls at which it opens."""
    minimum: PositiveCount = Field(default_factory=lambda said: said.get("calls"))
    """Calls needed before it may open; by default the whole window."""

    @model_validator(mode="after")
    def _can_open(self) -> Self:
        _refuse_no_share(self.failure_share)
        if self.minimum > self.calls:
            raise contradiction(
                f"the window has {self.calls} calls, so a minimum above that is never reached", "minimum"
            )
        return self


class TimeWindowBreaker(_Breaker):
    """A circuit breaker that opens at a share of failures within a time window."""

    kind: Literal["time_window"]
    """`time_window`: opens by the share of failures in the latest time."""
    window_s: PositiveDuration
    """Length of the window."""
    failure_share: Share
    """Share of failed calls at which it opens."""
    minimum: PositiveCount = 1
    """Calls needed within the window before it may open."""

    @model_validator(mode="after")
    def _can_open(self) -> Self:
        _refuse_no_share(self.failure_share)
        return self


def _refuse_no_share(share: float) -> None:
    if share <= 0.0:
        raise contradiction("a share of 0 is reached without a failure: give more", "failure_share")


class Cooldown(Setting):
    """A failing leg gets no calls for a while and then full traffic again, as in LiteLLM."""

    at_once: Failures = Field((), alias="on")
    """Failures that start a cooldown at once, for a leg in a group of several."""
    failure_share: Share | None = Field(None, alias="share")
    """A cooldown starts above this share of failed calls in the window, for a leg in a group of several."""
    minimum: PositiveCount = 1
    """Calls needed in the window before the share counts; 1 by default."""
    all_failed: PositiveCount | None = None
    """A cooldown starts when the window has at least this number of calls and all of them failed."""
    window_s: PositiveDuration = 60.0
    """Length of the window, which its first call opens; 60 s by default."""
    own_windows: Flag = False
    """Whether failures and successes have separate windows, each opened by its first call."""
    always: Failures = Field((), alias="also_on")
    """Failures that start a cooldown of any leg at once."""
    allowed_fails: Count | None = None
    """Replaces share, minimum, all_failed and window: more failures than this within the length of a cooldown."""
    spares_fallbacks: Flag = False
    """Whether allowed_fails never cools a leg outside groups, unless it is the first of several entries."""
    one_of_several: Flag = False
    """Whether a leg outside groups is treated as one in a group of several."""
    cooldown_s: PositiveDuration = Field(5.0, alias="for")
    """Length of a cooldown; 5 s by default."""
    honours_retry_after: Flag = Field(False, alias="retry_after")
    """Whether a Retry-After sets the length instead."""
    renews: Flag = True
    """Whether a failure during a cooldown sets a new end. If not, the first end holds unless the new one is earlier."""
    counts: _Counts = _COUNTED
    """Failures that count; by default server_error, overloaded, rate_limited, timeout and connection_error."""
    counted_only: Failures = ()
    """Failures that count towards share and all_failed, but do not start a cooldown themselves."""
    all_open: _AllOut = "refuse"
    """What to do when no leg of the entry admits: refuse the call, or call as if none were cooling."""

    @model_validator(mode="after")
    def _cools(self) -> Self:
        counted = (self.failure_share, self.all_failed, self.allowed_fails)
        if not self.at_once and not self.always and counted == (None, None, None):
            raise contradiction("nothing starts this cooldown: give on, share, all_failed, also_on or allowed_fails")
        if self.failure_share is not None and self.failure_share >= 1.0:
            raise contradiction("a share of 100 % is never exceeded: write all_failed: 5, for example", "share")
        if self.failure_share is None and self.allowed_fails is None:
            if "minimum" in self.model_fields_set:
                raise contradiction("minimum belongs to share", "minimum")
            if "window_s" in self.model_fields_set and self.all_failed is None:
                raise contradiction("window belongs to share or all_failed", "window")
        return self


class Ejection(Setting):
    """A failing leg is ejected from its group. Each further ejection lasts longer."""

    consecutive: PositiveCount | None = None
    """Failures in a row that eject the leg."""
    failure_share: Share | None = Field(None, alias="share")
    """Ejects above this share of failed calls in the window."""
    minimum: Annotated[PositiveCount, BelongsTo("failure_share")] = 1
    """Calls needed in the window before the share counts; 1 by default."""
    window_s: Annotated[PositiveDuration, BelongsTo("failure_share")] = 60.0
    """Length of the window; 60 s by default."""
    for_s: PositiveDuration = 30.0
    """Length of the first ejection; 30 s by default."""
    longest_s: Bound = inf
    """Each further ejection lasts `for` longer, up to this maximum."""
    every_s: PositiveDuration = 0.0
    """Interval between decisions; by default a decision follows every failure."""
    most: Share = 1.0
    """Largest share of the group's legs that may be ejected."""
    always_eject_one: Flag = True
    """Whether one leg may be ejected even if that exceeds `most`."""
    panic: Share = 0.0
    """If less than this share of the group's legs is admitted, all are called; 0 (never) by default."""
    all_open: _AllOut = "refuse"
    """What to do when no leg of the entry admits: refuse the call, or call as if none were ejected."""
    rate_limited_s: PositiveDuration | None = Field(None, alias="on_rate_limited")
    """A 429 ejects at once, for Retry-After (or for this duration without one) plus `for`."""
    counts: _Counts = _EJECTING
    """Failures that count; by default server_error, overloaded, timeout and connection_error."""

    @model_validator(mode="after")
    def _ejects(self) -> Self:
        if (self.consecutive, self.failure_share, self.rate_limited_s) == (None, None, None):
            raise contradiction("nothing starts an ejection: give consecutive, share or on_rate_limited")
        if self.failure_share is not None and self.failure_share >= 1.0:
            raise contradiction("a share of 100 % is never exceeded: give less", "share")
        if self.longest_s < self.for_s:
            raise contradiction("longest is below for", "longest")
        return self


class Probes(Setting):
    """Synthetic calls that check whether a leg is healthy."""

    every_s: PositiveDuration
    """Interval between two probes."""
    timeout_s: PositiveDuration | None = None
    """Timeout of a probe; the leg's timeout by default."""
    unhealthy_after: PositiveCount = 3
    """Failures in a row that take the leg out of use."""
    healthy_after: PositiveCount = 2
    """Successes in a row that bring the leg back."""

    @model_validator(mode="after")
    def _ends_before_the_next(self) -> Self:
        if self.timeout_s is not None and self.timeout_s > self.every_s:
            raise contradiction("timeout is longer than every: probes would overlap", "timeout")
        return self


Breaker = ConsecutiveBreaker | CountWindowBreaker | TimeWindowBreaker
AnyBreaker = Annotated[Breaker, Field(discriminator="kind"), OwnKind(OwnBreaker)]
Guard = Breaker | OwnBreaker | Cooldown | Ejection
