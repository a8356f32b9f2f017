"""Retries as a scenario writes them: back-off, Retry-After, and layers of clients around a call."""

from math import inf
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator
from pydantic_core import PydanticKnownError

from des.scenario.schema.calls import AnyTimeout
from des.scenario.schema.setting import (
    DURATION_SCHEMA,
    BelongsTo,
    Bound,
    Failures,
    Flag,
    Setting,
    Shorthand,
    Text,
    contradiction,
    scalar_as,
)
from des.scenario.schema.statuses import HANDLED_OUTCOMES, Handled
from des.scenario.text.units import Amount, Count, Duration, Positive, PositiveCount, PositiveDuration

_MOST_RETRIES = 32_766
Retries = Annotated[Count, Field(le=_MOST_RETRIES)]
_GROWING = BelongsTo("kind", ("exponential", "envoy"))
_WAITING = BelongsTo("kind", ("constant", "linear", "exponential", "envoy"))


class ThrottledBackoff(Setting):
    """What is different after rate_limited and overloaded; the rest is as in the back-off around it."""

    base_s: Duration = 0.0
    factor: Positive = 2.0
    cap_s: Bound = inf

    @model_validator(mode="after")
    def _differs(self) -> Self:
        if not self.model_fields_set:
            raise contradiction("empty: give its base, factor or cap")
        return self


class Backoff(Setting):
    """The wait before another attempt, at most the cap: none, base, base * (1 + k), base * factor^k, or Envoy's; then
    jitter.
    """

    kind: Literal["none", "constant", "linear", "exponential", "envoy"]
    base_s: Annotated[Duration, _WAITING] = 0.0
    factor: Annotated[Positive, _GROWING] = 2.0
    """Of an exponential back-off, or Envoy's, base * (factor^(k + 1) - 1); 2 by default."""
    cap_s: Annotated[Bound, _WAITING] = inf
    cap_jitter: Flag = False
    """Whether the cap bounds the wait with its jitter, if that is additive or scaled."""
    jitter: Literal["none", "full", "equal", "decorrelated", "additive", "scaled"] = "none"
    spread_s: Annotated[Duration, BelongsTo("jitter", ("additive",))] = 0.0
    """Of additive jitter: the wait grows by up to this duration."""
    low: Annotated[Amount, BelongsTo("jitter", ("scaled",))] = 1.0
    """Of scaled jitter: the wait is multiplied by a number from low to high."""
    high: Annotated[Amount, BelongsTo("jitter", ("scaled",))] = 1.0
    throttled: Annotated[ThrottledBackoff, _WAITING] | None = None
    """Another back-off after rate_limited and overloaded."""

    @property
    def most_s(self) -> float:
        """The longest wait, its jitter included."""
        return self.cap_s if self.cap_jitter else inf

    @property
    def usual(self) -> "Backoff":
        """The back-off after other failures than rate_limited and overloaded."""
        return self if self.throttled is None else self.model_copy(update={"throttled": None})

    @property
    def after_throttling(self) -> "Backoff | None":
        """The back-off after rate_limited and overloaded, where it is another one."""
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
            raise contradiction("there is no cap: give one, such as cap: 60s", "cap_jitter")
        if self.cap_jitter and self.jitter not in ("additive", "scaled"):
            raise contradiction("only additive and scaled jitter exceed a cap", "cap_jitter")
        return self


def _backoff(value: object) -> object:
    if value == "none":
        return {"kind": "none"}
    return value if isinstance(value, dict | Setting) else {"kind": "constant", "base": value}


AnyBackoff = Annotated[Backoff, Shorthand(_backoff, DURATION_SCHEMA)]
NO_BACKOFF = Backoff(kind="none")


def waits(backoff: Backoff | None) -> bool:
    """Whether there is any wait at all."""
    return backoff is not None and (backoff.base_s > 0.0 or backoff.spread_s > 0.0)


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
    """What the client makes of a refusal's Retry-After."""

    honours: _Mode = Field(True, alias="mode")
    """Whether to wait as long as it asks for."""
    cap_s: Bound = inf
    above: Literal["clip", "refuse", "ignore"] = "clip"
    """Beyond the cap, or the total: wait as long as they allow, do not retry at all, or wait as without it."""
    on: Annotated[Failures, Field(min_length=1)] = HANDLED_OUTCOMES
    """After which failures; after all by default."""
    combine: Literal["max", "replace"] = "max"
    """The longer of it and the back-off, or it alone."""
    spread_s: Duration = 0.0
    """The wait grows by up to this duration."""
    total_s: Bound = inf
    """Of all such waits of one request."""

    @model_validator(mode="after")
    def _says_nothing_of_what_it_ignores(self) -> Self:
        said = self.model_fields_set
        others = [self.written(name) for name in type(self).model_fields if name in said and name != "honours"]
        if not self.honours and others:
            raise contradiction(f"what is ignored has no {others[0]}", others[0])
        if "above" in said and not {"cap_s", "total_s"} & said:
            raise contradiction("above what? give cap: 60s, or total", "above")
        return self


AnyRetryAfter = Annotated[RetryAfter, scalar_as("mode", {"enum": ["honour", "ignore"]})]
IGNORED = RetryAfter(honours=False, on=())
"""A Retry-After that is as good as none."""


class RetrySettings(Setting):
    """Retries of one entry of the chain, instead of the policy's."""

    retries: Retries | None = None
    """Further attempts on this entry in one round."""
    retry_on: tuple[Handled, ...] | None = None
    """Outcomes or statuses that are retried."""
    fallback_on: tuple[Handled, ...] | None = None
    """Outcomes or statuses after which the next entry is tried."""
    retry_backoff: AnyBackoff | None = None
    """Before another attempt on this entry."""
    retry_after: AnyRetryAfter | None = None
    wait_after_last: Flag | None = None
    """Whether a wait follows the last failed attempt too."""
    wait_with_healthy_peer: Flag | None = None
    """Whether a wait is due while the group has another leg that admits."""

    @model_validator(mode="after")
    def _retries_on_something(self) -> Self:
        refuse_idle_retries(self.retries, self.retry_on)
        return self


def refuse_idle_retries(retries: int | None, retry_on: tuple[str, ...] | None) -> None:
    """Retries after no failure at all are a contradiction."""
    if retries and retry_on == ():
        raise contradiction("retry_on is empty, so the retries never happen", "retries")


def _refuse_longer_attempts(timeout_s: float | None, attempt_timeout_s: float | None) -> None:
    if timeout_s is not None and attempt_timeout_s is not None and attempt_timeout_s > timeout_s:
        raise contradiction("attempt_timeout is longer than timeout, so it never strikes", "attempt_timeout")


class ClientSpec(Setting):
    """A client inside each attempt, such as an SDK in a gateway: it repeats what lies within it."""

    preset: Text | None = None
    """Takes the retries of this preset; whatever else is written overrides it."""
    retries: Retries = 0
    retry_on: tuple[Handled, ...] | None = None
    backoff: AnyBackoff | None = None
    retry_after: AnyRetryAfter | None = None
    timeout_s: PositiveDuration | None = None
    """Of the layer, with all its attempts and waits."""
    attempt_timeout: AnyTimeout | None = None
    """Of each attempt of it."""

    @model_validator(mode="after")
    def _retries_on_something(self) -> Self:
        refuse_idle_retries(self.retries, self.retry_on)
        _refuse_longer_attempts(self.timeout_s, self.attempt_timeout.total_s if self.attempt_timeout else None)
        return self


AnyClient = Annotated[
    ClientSpec, Shorthand(lambda value: {"preset": value} if isinstance(value, str) else value, {"type": "string"})
]


class ApplicationSpec(Setting):
    """What calls the whole chain, and calls it again when that fails."""

    retries: Annotated[PositiveCount, Field(le=_MOST_RETRIES)]
    retry_on: Annotated[tuple[Literal["failed", "rejected", "deadline"], ...], Field(min_length=1)] = (
        "failed",
        "rejected",
    )
    """Outcomes of requests; deadline is an attempt that its attempt_timeout cut off."""
    backoff: AnyBackoff | None = None
    timeout_s: PositiveDuration | None = None
    """Of all attempts and waits."""
    attempt_timeout_s: PositiveDuration | None = None
    """Of each walk along the chain."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if "deadline" in self.retry_on and self.attempt_timeout_s is None:
            raise contradiction("deadline is an attempt cut off by attempt_timeout: give that too", "retry_on")
        _refuse_longer_attempts(self.timeout_s, self.attempt_timeout_s)
        return self
