"""The chain as a scenario writes it: legs in order, each with its timeouts and retries."""

from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from des.scenario.schema.call_settings import CallSettings
from des.scenario.schema.distributions import DurationDistribution
from des.scenario.schema.incidents import FailureOutcome
from des.scenario.schema.providers import Tags
from des.scenario.schema.retries import RetrySettings
from des.scenario.schema.spec import Spec, Text, contradiction
from des.scenario.schema.timeouts import Timeout
from des.scenario.text.units import Amount, Positive, PositiveCount, PositiveDuration, Share

MOST_WEIGHT = 1e9
MOST_TIERS = 127


class PromptCacheSpec(Spec):
    """A share of the input that is the same in every request: cheap while used again within its time to live."""

    share: Share
    ttl: PositiveDuration


class SilentRotSpec(Spec):
    """A leg that breaks unnoticed and is repaired some time after its first failed use, or after the next probe."""

    time_to_rot: DurationDistribution
    repair: DurationDistribution
    outcome: FailureOutcome = "server_error"
    error_latency: DurationDistribution | None = None
    """Time until a call of the broken leg is answered; 200 ms by default."""
    probe_every: PositiveDuration | None = None

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if self.time_to_rot.mean <= 0.0:
            raise contradiction("a leg that rots at once never works", "time_to_rot")
        return self


class LegSpec(RetrySettings, CallSettings):
    """One leg of the chain: a model, and how it is called."""

    provider: Text
    model: Text | None = None
    """May be left out where the provider has one model."""
    name: Text | None = None
    """provider/model by default, with #2 for a repeat."""
    timeout: Timeout | None = None
    """Of each call."""
    invalid_output: Share = 0.0
    """Share of complete responses that the caller's parser rejects."""
    prompt_cache: PromptCacheSpec | None = None
    silent_rot: SilentRotSpec | None = None
    tags: Tags = Field(default_factory=dict)

    weight: Annotated[Amount, Field(le=MOST_WEIGHT)] | None = None
    """For routing: how often it comes first, against its peers; 1 by default."""
    rpm: Positive | None = None
    """For routing: its requests a minute; limits nothing."""
    tpm: Positive | None = None
    """For routing: its tokens a minute; limits nothing."""
    tier: Annotated[PositiveCount, Field(le=MOST_TIERS)] | None = None
    """Of a group's legs: picked only while no leg of a lower tier admits; 1 by default."""


def _no_name(value: object) -> object:
    if isinstance(value, str):
        raise PydanticCustomError("no_leg", "a leg is a mapping", {"word": value})
    return value


Leg = Annotated[LegSpec, BeforeValidator(_no_name)]
