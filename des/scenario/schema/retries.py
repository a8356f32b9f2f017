"""Retries as a scenario writes them: back-off, Retry-After, and layers of clients around a call."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from des.scenario.schema.spec import DURATION_SCHEMA, Flag, Shorthand, Spec, Text, contradiction, scalar_as
from des.scenario.schema.statuses import Handled
from des.scenario.schema.timeouts import Timeout
from des.scenario.text.units import Amount, Count, Duration, Positive, PositiveCount, PositiveDuration

MOST_RETRIES = 32_766
Retries = Annotated[Count, Field(le=MOST_RETRIES)]
BackoffKind = Literal["none", "constant", "linear", "exponential", "envoy"]
Jitter = Literal["none", "full", "equal", "decorrelated", "additive", "scaled"]


class ThrottledBackoffSpec(Spec):
    """What is different after rate_limited and overloaded; the rest is as of the back-off around it."""

    base: Duration | None = None
    factor: Positive | None = None
    cap: PositiveDuration | None = None

    @model_validator(mode="after")
    def _differs(self) -> Self:
        if not self.model_fields_set:
            raise contradiction("empty: give its base, factor or cap")
        return self


class BackoffSpec(Spec):
    """The wait before another attempt, at most the cap: none, base, base * (1 + k), base * factor^k, or Envoy's; then
    jitter.
    """

    kind: BackoffKind
    base: Duration | None = None
    factor: Positive | None = None
    """Of an exponential back-off, or Envoy's, base * (factor^(k + 1) - 1); 2 by default."""
    cap: PositiveDuration | None = None
    cap_jitter: Flag = False
    """Whether the cap bounds the wait with its jitter, if that is additive or scaled."""
    jitter: Jitter = "none"
    spread: Duration | None = None
    """Of additive jitter: the wait grows by up to so much."""
    low: Amount | None = None
    """Of scaled jitter: the wait is multiplied by a number from low to high."""
    high: Amount | None = None
    throttled: ThrottledBackoffSpec | None = None
    """Another back-off after rate_limited and overloaded."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.kind == "none":
            for field in ("base", "factor", "cap", "spread", "low", "high"):
                if getattr(self, field) is not None:
                    raise contradiction(f"a back-off of kind none has no {field}", field)
            if self.jitter != "none":
                raise contradiction("a back-off of kind none has no jitter", "jitter")
            return self
        if self.base is None:
            raise contradiction(f"a back-off of kind {self.kind} needs its base, such as 500ms")
        if self.factor is not None and self.kind not in ("exponential", "envoy"):
            raise contradiction("factor belongs to an exponential back-off", "factor")
        if self.kind == "envoy" and self.factor is not None and self.factor <= 1.0:
            raise contradiction("Envoy's back-off grows by a factor above 1", "factor")
        if self.cap is not None and self.cap < self.base:
            raise contradiction("cap is below base", "cap")
        if (self.jitter == "additive") != (self.spread is not None):
            field = "jitter" if self.jitter == "additive" else "spread"
            raise contradiction("additive jitter and spread belong together", field)
        return self

    @model_validator(mode="after")
    def _caps_what_exceeds(self) -> Self:
        if self.cap_jitter and self.cap is None:
            raise contradiction("there is no cap: give one, such as cap: 60s", "cap_jitter")
        if self.cap_jitter and self.jitter not in ("additive", "scaled"):
            raise contradiction("only additive and scaled jitter exceed a cap", "cap_jitter")
        return self

    @model_validator(mode="after")
    def _scales(self) -> Self:
        bounds = (self.low, self.high)
        if self.jitter == "scaled":
            if None in bounds:
                raise contradiction("scaled jitter needs low and high, such as low: 0.8, high: 1.2", "jitter")
            if (self.low or 0.0) > (self.high or 0.0):
                raise contradiction("low is above high", "low")
        elif bounds != (None, None):
            field = "low" if self.low is not None else "high"
            raise contradiction(f"{field} belongs to scaled jitter", field)
        return self

    @model_validator(mode="after")
    def _throttles_soundly(self) -> Self:
        throttled = self.throttled
        if throttled is None:
            return self
        if self.kind == "none":
            raise contradiction("a back-off of kind none has no throttled", "throttled")
        if throttled.factor is not None and self.kind not in ("exponential", "envoy"):
            raise contradiction("factor belongs to an exponential back-off", "throttled", "factor")
        base_s = self.base if throttled.base is None else throttled.base
        cap_s = self.cap if throttled.cap is None else throttled.cap
        if base_s is not None and cap_s is not None and cap_s < base_s:
            raise contradiction("cap is below base", "throttled", "base" if throttled.cap is None else "cap")
        return self


def _backoff(value: object) -> object:
    if value == "none":
        return {"kind": "none"}
    return value if isinstance(value, dict | Spec) else {"kind": "constant", "base": value}


Backoff = Annotated[BackoffSpec, Shorthand(_backoff, DURATION_SCHEMA)]


class RetryAfterSpec(Spec):
    """What the client makes of a refusal's Retry-After."""

    mode: Literal["honour", "ignore"] = "honour"
    """Whether to wait as long as it asks for."""
    cap: PositiveDuration | None = None
    above: Literal["clip", "refuse", "ignore"] = "clip"
    """Beyond the cap, or the total: wait as long as they allow, do not retry at all, or wait as without it."""
    on: Annotated[tuple[Handled, ...], Field(min_length=1)] | None = None
    """After which failures; after all by default."""
    combine: Literal["max", "replace"] = "max"
    """The longer of it and the back-off, or it alone."""
    spread: Duration | None = None
    """The wait grows by up to so much."""
    total: PositiveDuration | None = None
    """Of all such waits of one request."""

    @model_validator(mode="after")
    def _honours(self) -> Self:
        others = [field for field in RetryAfterSpec.model_fields if field in self.model_fields_set and field != "mode"]
        if self.mode == "ignore" and others:
            raise contradiction(f"what is ignored has no {others[0]}", others[0])
        if "above" in self.model_fields_set and self.cap is None and self.total is None:
            raise contradiction("above what? give cap: 60s, or total", "above")
        return self


RetryAfter = Annotated[RetryAfterSpec, scalar_as("mode", {"enum": ["honour", "ignore"]})]


class RetrySettings(Spec):
    """Retries of one entry of the chain, instead of the policy's."""

    retries: Retries | None = None
    """Further attempts on this entry in one round."""
    retry_on: tuple[Handled, ...] | None = None
    """Outcomes or statuses that are retried."""
    fallback_on: tuple[Handled, ...] | None = None
    """Outcomes or statuses after which the next entry is tried."""
    retry_backoff: Backoff | None = None
    """Before another attempt on this entry."""
    retry_after: RetryAfter | None = None
    wait_after_last: Flag | None = None
    """Whether a wait follows the last failed attempt too."""
    wait_with_healthy_peer: Flag | None = None
    """Whether a wait is due while the group has another leg that admits."""

    @model_validator(mode="after")
    def _retries_on_something(self) -> Self:
        if self.retries and self.retry_on == ():
            raise contradiction("retry_on is empty, so the retries never happen", "retries")
        return self


class ClientSpec(Spec):
    """A client inside each attempt, such as an SDK in a gateway: it repeats what lies within it."""

    preset: Text | None = None
    """Takes the retries of this preset; whatever else is written overrides it."""
    retries: Retries = 0
    retry_on: tuple[Handled, ...] | None = None
    backoff: Backoff | None = None
    retry_after: RetryAfter | None = None
    timeout: PositiveDuration | None = None
    """Of the layer, with all its attempts and waits."""
    attempt_timeout: Timeout | None = None
    """Of each attempt of it."""

    @model_validator(mode="after")
    def _retries_on_something(self) -> Self:
        if self.retries and self.retry_on == ():
            raise contradiction("retry_on is empty, so the retries never happen", "retries")
        total = self.attempt_timeout.total if self.attempt_timeout is not None else None
        if self.timeout is not None and total is not None and total > self.timeout:
            raise contradiction("attempt_timeout is longer than timeout, so it never strikes", "attempt_timeout")
        return self


Client = Annotated[
    ClientSpec, Shorthand(lambda value: {"preset": value} if isinstance(value, str) else value, {"type": "string"})
]


class ApplicationSpec(Spec):
    """What calls the whole chain, and calls it again when that fails."""

    retries: Annotated[PositiveCount, Field(le=MOST_RETRIES)]
    retry_on: Annotated[tuple[Literal["failed", "rejected", "deadline"], ...], Field(min_length=1)] = (
        "failed",
        "rejected",
    )
    """Outcomes of requests; deadline is an attempt that its attempt_timeout cut off."""
    backoff: Backoff | None = None
    timeout: PositiveDuration | None = None
    """Of all attempts and waits."""
    attempt_timeout: PositiveDuration | None = None
    """Of each walk along the chain."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if "deadline" in self.retry_on and self.attempt_timeout is None:
            raise contradiction("deadline is an attempt cut off by attempt_timeout: give that too", "retry_on")
        if self.timeout is not None and self.attempt_timeout is not None and self.attempt_timeout > self.timeout:
            raise contradiction("attempt_timeout is longer than timeout, so it never strikes", "attempt_timeout")
        return self
