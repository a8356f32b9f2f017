"""Settings of retries: back-off, Retry-After, and layers of clients around a call."""

from math import inf
from typing import Annotated, Literal, Self, get_args

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator
from pydantic_core import PydanticKnownError

from des.scenario.schema.calls import AnyTimeout
from des.scenario.schema.own_classes import OwnKind
from des.scenario.schema.own_rules import OwnBackoff
from des.scenario.schema.setting import (
    DURATION_SCHEMA,
    BelongsTo,
    Bound,
    Failures,
    Flag,
    Setting,
    Shorthand,
    Text,
    WorkedOut,
    contradiction,
    scalar_as,
)
from des.scenario.schema.statuses import HANDLED_OUTCOMES, Handled
from des.scenario.text.quantities import Amount, Count, Duration, Positive, PositiveCount, PositiveDuration
from des.scenario.text.units import shown

_MOST_RETRIES = 32_766
Retries = Annotated[Count, Field(le=_MOST_RETRIES)]
_GROWING = BelongsTo("kind", ("exponential", "envoy"))
_WAITING = BelongsTo("kind", ("constant", "linear", "exponential", "envoy"))


class ThrottledBackoff(Setting):
    """Changes of the back-off after rate_limited and overloaded. Other fields are those of the surrounding back-off."""

    base_s: Duration = 0.0
    """First wait after such a refusal; that of the surrounding back-off by default."""
    factor: Positive = 2.0
    """Growth per retry after such a refusal; that of the surrounding back-off by default."""
    cap_s: Bound = inf
    """Longest wait before jitter; that of the surrounding back-off by default."""

    @model_validator(mode="after")
    def _differs(self) -> Self:
        if not self.model_fields_set:
            raise contradiction("empty: give its base, factor or cap")
        return self


_BackoffKind = Literal["none", "constant", "linear", "exponential", "envoy"]


class Backoff(Setting):
    """The wait before another attempt. It is none, base, base * (1 + k), base * factor^k, or Envoy's, by kind; the cap
    bounds it, then jitter is applied.
    """

    kind: _BackoffKind
    """How the wait grows with each retry; `none` is no wait."""
    base_s: Annotated[Duration, _WAITING] = 0.0
    """First wait, before jitter; required unless the kind is `none`."""
    factor: Annotated[Positive, _GROWING] = 2.0
    """Growth per retry for exponential back-off, or for Envoy's, base * (factor^(k + 1) - 1); 2 by default."""
    cap_s: Annotated[Bound, _WAITING] = inf
    """Longest wait before jitter; no bound by default."""
    cap_jitter: Flag = False
    """Whether the cap also bounds additive or scaled jitter."""
    jitter: Literal["none", "full", "equal", "decorrelated", "additive", "scaled"] = "none"
    """How the wait is made random; `none` by default, which leaves it as it is."""
    spread_s: Annotated[Duration, BelongsTo("jitter", ("additive",))] = 0.0
    """For additive jitter: up to this duration is added to the wait."""
    low: Annotated[Amount, BelongsTo("jitter", ("scaled",))] = 1.0
    """For scaled jitter: the wait is multiplied by a number between low and high."""
    high: Annotated[Amount, BelongsTo("jitter", ("scaled",))] = 1.0
    """For scaled jitter: the largest factor on the wait."""
    throttled: Annotated[ThrottledBackoff, _WAITING] | None = None
    """A different back-off after rate_limited and overloaded."""
    own: WorkedOut[OwnBackoff | None] = None
    """The class of a user that says how long to wait, in place of all the others."""

    @property
    def most_s(self) -> float:
        """The longest wait, its jitter included."""
        return self.cap_s if self.cap_jitter else inf

    @property
    def is_plain(self) -> bool:
        """Whether it is a textbook formula, and not one that a particular client has for itself."""
        return self.own is None and self.kind != "envoy" and self.jitter != "scaled" and not self.cap_jitter

    @property
    def usual(self) -> "Backoff":
        """The back-off after failures other than rate_limited and overloaded."""
        return self if self.throttled is None else self.model_copy(update={"throttled": None})

    @property
    def after_throttling(self) -> "Backoff | None":
        """The back-off after rate_limited and overloaded, where it differs."""
        if self.throttled is None:
            return None
        said = {name: getattr(self.throttled, name) for name in self.throttled.model_fields_set}
        return self.model_copy(update={**said, "throttled": None})

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        said = self.model_fields_set
        if self.kind == "none":
            if self.jitter != "none" or self.throttled is not None:
                field = "jitter" if self.jitter != "none" else "throttled"
                raise contradiction(f"a back-off of kind none has no {field}", field)
        elif "base_s" not in said:
            raise contradiction(f"a back-off of kind {self.kind} needs its base, such as 500ms")
        if self.kind == "envoy" and self.factor <= 1.0:
            raise contradiction("Envoy's back-off grows by a factor above 1", "factor")
        if self.cap_s < self.base_s:
            raise contradiction("cap is below base", "cap")
        if self.throttled is not None:
            self._throttles_soundly(self.throttled)
        return self

    def _throttles_soundly(self, throttled: ThrottledBackoff) -> None:
        own, another = throttled.model_fields_set, self.after_throttling
        if "factor" in own and self.kind not in _GROWING.values:
            raise contradiction("factor belongs to kind: exponential or envoy", "throttled", "factor")
        if another is not None and another.cap_s < another.base_s:
            raise contradiction("cap is below base", "throttled", "cap" if "cap_s" in own else "base")

    @model_validator(mode="after")
    def _jitters(self) -> Self:
        said = self.model_fields_set
        if self.jitter == "additive" and "spread_s" not in said:
            raise contradiction("additive jitter needs spread, such as spread: 1s", "jitter")
        if self.jitter == "scaled" and not {"low", "high"} <= said:
            raise contradiction("scaled jitter needs low and high, such as low: 0.8, high: 1.2", "jitter")
        if self.low > self.high:
            raise contradiction("low is above high", "low")
        if self.cap_jitter and "cap_s" not in said:
            raise contradiction("cap_jitter needs a cap, such as cap: 60s", "cap_jitter")
        if self.cap_jitter and self.jitter not in ("additive", "scaled"):
            raise contradiction("only additive and scaled jitter exceed a cap", "cap_jitter")
        return self


def _backoff(value: object) -> object:
    if value in get_args(_BackoffKind):
        return {"kind": value}
    return value if isinstance(value, dict | Setting) else {"kind": "constant", "base": value}


def _own_backoff(own: OwnBackoff) -> Backoff:
    return Backoff(kind=own.kind_name(), own=own)


AnyBackoff = Annotated[Backoff, OwnKind(OwnBackoff, _own_backoff), Shorthand(_backoff, DURATION_SCHEMA)]
NO_BACKOFF = Backoff(kind="none")


def waits(backoff: Backoff | None) -> bool:
    """Whether there is any wait at all."""
    return backoff is not None and (backoff.own is not None or backoff.base_s > 0.0 or backoff.spread_s > 0.0)


def _honours(mode: object) -> bool:
    if mode not in ("honour", "ignore"):
        raise PydanticKnownError("literal_error", {"expected": "'honour' or 'ignore'"})
    return mode == "honour"


_Mode = Annotated[
    bool,
    BeforeValidator(_honours),
    PlainSerializer(lambda honours: "honour" if honours else "ignore"),
    WithJsonSchema({"enum": ["honour", "ignore"], "type": "string"}),
]


class RetryAfter(Setting):
    """How the client treats a Retry-After."""

    honours: _Mode = Field(True, alias="mode")
    """Whether to wait as long as the Retry-After asks for; one of 0 leaves the back-off."""
    cap_s: Bound = inf
    """Longest wait that a Retry-After may ask for; no bound by default."""
    above: Literal["clip", "refuse", "ignore"] = "clip"
    """Above the cap or the total: wait as long as they allow, do not retry, or use the back-off alone."""
    on: Annotated[Failures, Field(min_length=1)] = HANDLED_OUTCOMES
    """Failures whose Retry-After counts; all by default."""
    combine: Literal["max", "replace"] = "max"
    """Wait for the longer of Retry-After and back-off, or for Retry-After alone."""
    spread_s: Duration = 0.0
    """Up to this duration is added to the wait."""
    total_s: Bound = inf
    """Bound on the sum of such waits of one request."""

    @model_validator(mode="after")
    def _says_nothing_of_what_it_ignores(self) -> Self:
        said = self.model_fields_set
        others = [self.written(name) for name in type(self).model_fields if name in said and name != "honours"]
        if not self.honours and others:
            raise contradiction(f"mode: ignore takes no {others[0]}", others[0])
        if "above" in said and not {"cap_s", "total_s"} & said:
            raise contradiction("above needs a bound: give cap: 60s, or total", "above")
        return self


AnyRetryAfter = Annotated[RetryAfter, scalar_as("mode", {"enum": ["honour", "ignore"]})]
IGNORED = RetryAfter(honours=False, on=())
"""A Retry-After that has no effect."""


def _when_waited(value: object) -> object:
    if not isinstance(value, bool) and value != "after_retries":
        raise ValueError(f"expected true, false or after_retries; got {shown(value)}")
    return value


WaitAfterLast = Annotated[
    bool | Literal["after_retries"],
    BeforeValidator(_when_waited),
    WithJsonSchema({"anyOf": [{"type": "boolean"}, {"const": "after_retries"}]}),
]


class RetrySettings(Setting):
    """Retry settings of one entry of the chain. They replace the policy's."""

    retries: Retries | None = None
    """Further attempts on this entry within one round."""
    retry_on: tuple[Handled, ...] | None = None
    """Outcomes or statuses that are retried."""
    fallback_on: tuple[Handled, ...] | None = None
    """Outcomes or statuses after which the next entry is tried."""
    retry_backoff: AnyBackoff | None = None
    """Wait before another attempt on this entry."""
    retry_after: AnyRetryAfter | None = None
    """What a Retry-After does to the wait on this entry; the policy's by default."""
    wait_after_last: WaitAfterLast | None = None
    """Whether a wait also follows the last failed attempt; `after_retries`: only if there are retries."""
    wait_with_healthy_peer: Flag | None = None
    """Whether to wait while the group has another leg that admits."""
    end_when_all_out: Flag | None = None
    """Whether the entry is given up, without a wait or a retry, once none of its legs admits."""

    @model_validator(mode="after")
    def _retries_on_something(self) -> Self:
        refuse_idle_retries(self.retries, self.retry_on)
        return self


def refuse_idle_retries(retries: int | None, retry_on: tuple[str, ...] | None) -> None:
    """Refuses retries that no failure can trigger."""
    if retries and retry_on == ():
        raise contradiction("retry_on is empty, so there are never retries", "retries")


def _refuse_longer_attempts(timeout_s: float | None, attempt_timeout_s: float | None) -> None:
    if timeout_s is not None and attempt_timeout_s is not None and attempt_timeout_s > timeout_s:
        raise contradiction("attempt_timeout is longer than timeout, so it never expires", "attempt_timeout")


class ClientSpec(Setting):
    """A client inside each attempt, such as an SDK in a gateway. It retries what lies inside it."""

    preset: Text | None = None
    """Retries of this preset. Fields written beside it override it."""
    retries: Retries = 0
    """Further attempts of this client within one attempt around it; 0 by default."""
    retry_on: tuple[Handled, ...] | None = None
    """Outcomes or statuses that this client retries; as in the policy by default."""
    backoff: AnyBackoff | None = None
    """Wait of this client between its attempts; none by default."""
    retry_after: AnyRetryAfter | None = None
    """What a Retry-After does to this client's wait; ignored by default."""
    timeout_s: PositiveDuration | None = None
    """Bound on the layer, including all its attempts and waits."""
    attempt_timeout: AnyTimeout | None = None
    """Bound on each attempt of the layer."""

    @model_validator(mode="after")
    def _retries_on_something(self) -> Self:
        refuse_idle_retries(self.retries, self.retry_on)
        _refuse_longer_attempts(self.timeout_s, self.attempt_timeout.total_s if self.attempt_timeout else None)
        return self


AnyClient = Annotated[
    ClientSpec, Shorthand(lambda value: {"preset": value} if isinstance(value, str) else value, {"type": "string"})
]


class ApplicationSpec(Setting):
    """The application around the chain. It calls the whole chain again when that fails."""

    retries: Annotated[PositiveCount, Field(le=_MOST_RETRIES)]
    """Further walks along the whole chain; at least 1."""
    retry_on: Annotated[tuple[Literal["failed", "rejected", "deadline"], ...], Field(min_length=1)] = (
        "failed",
        "rejected",
    )
    """Request outcomes that are retried; `deadline` is an attempt cut off by attempt_timeout."""
    backoff: AnyBackoff | None = None
    """Wait before another walk along the chain; none by default."""
    timeout_s: PositiveDuration | None = None
    """Bound on all attempts and waits together."""
    attempt_timeout_s: PositiveDuration | None = None
    """Bound on each walk along the chain."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if "deadline" in self.retry_on and self.attempt_timeout_s is None:
            raise contradiction("deadline is an attempt cut off by attempt_timeout: give attempt_timeout", "retry_on")
        if self.backoff is not None and self.backoff.throttled is not None:
            message = "the application only sees that the chain fails: throttled belongs to retry_backoff"
            raise contradiction(message, "backoff", "throttled")
        _refuse_longer_attempts(self.timeout_s, self.attempt_timeout_s)
        return self
