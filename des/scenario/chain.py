"""The chain as a scenario writes it: legs in order, each with its timeouts and retries."""

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from des.scenario.distributions import DurationLaw
from des.scenario.incidents import FailureOutcome
from des.scenario.providers import Tags
from des.scenario.spec import DURATION_SCHEMA, Spec, Text, contradiction, scalar_as
from des.scenario.units import Count, PositiveDuration, Share


class TimeoutSpec(Spec):
    """Bounds on a call; a bare duration bounds the total."""

    connect: PositiveDuration | None = None
    first_token: PositiveDuration | None = None
    """From the start of the call."""
    idle: PositiveDuration | None = None
    """Longest silence between tokens, the wait for the first one included."""
    total: PositiveDuration | None = None

    @model_validator(mode="after")
    def _bounds_something(self) -> Self:
        if not self.model_fields_set:
            raise contradiction("an empty timeout: give connect, first_token, idle or total")
        if self.total is not None:
            for name in ("connect", "first_token"):
                bound = getattr(self, name)
                if bound is not None and bound > self.total:
                    raise contradiction(f"{name} is longer than total, so it never strikes", name)
        return self


Timeout = Annotated[TimeoutSpec, scalar_as("total", DURATION_SCHEMA)]


class PromptCacheSpec(Spec):
    """A share of the input that is the same in every request: cheap while used again within its time to live."""

    share: Share
    ttl: PositiveDuration


class SilentRotSpec(Spec):
    """A leg that breaks unnoticed and is repaired some time after its first failed use, or after the next probe."""

    time_to_rot: DurationLaw
    repair: DurationLaw
    outcome: FailureOutcome = "server_error"
    error_latency: DurationLaw | None = None
    """Time until a call of the broken leg is answered; 200 ms by default."""
    probe_every: PositiveDuration | None = None

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if self.time_to_rot.law().mean <= 0.0:
            raise contradiction("a leg that rots at once never works", "time_to_rot")
        return self


HandledOutcome = Literal[
    "server_error", "overloaded", "rate_limited", "timeout", "connection_error", "client_error", "invalid_output"
]


class LegSpec(Spec):
    """One leg of the chain: a model, and how it is called."""

    provider: Text
    model: Text | None = None
    """May be left out where the provider has one model."""
    name: Text | None = None
    """provider/model by default, with #2 for a repeat."""
    timeout: Timeout | None = None
    retries: Annotated[Count, Field(le=32766)] = 0
    """Further attempts on this leg in one round."""
    retry_on: tuple[HandledOutcome, ...] | None = None
    fallback_on: tuple[HandledOutcome, ...] | None = None
    invalid_output: Share = 0.0
    """Share of complete responses that the caller's parser rejects."""
    prompt_cache: PromptCacheSpec | None = None
    silent_rot: SilentRotSpec | None = None
    tags: Tags = Field(default_factory=dict)

    @model_validator(mode="after")
    def _retries_on_something(self) -> Self:
        if self.retries and self.retry_on == ():
            raise contradiction("retry_on is empty, so the retries never happen", "retries")
        return self


def _no_name(value: object) -> object:
    if isinstance(value, str):
        raise PydanticCustomError("no_leg", "a leg is a mapping", {"word": value})
    return value


Leg = Annotated[LegSpec, BeforeValidator(_no_name)]
