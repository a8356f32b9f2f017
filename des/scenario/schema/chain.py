"""The chain as a scenario writes it: legs in order, each with its timeouts and retries."""

from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from des.scenario.schema.calls import AnyTimeout, PromptCache, SilentRot
from des.scenario.schema.load_control import CallSettings
from des.scenario.schema.providers import Tags
from des.scenario.schema.retries import RetrySettings
from des.scenario.schema.setting import Text
from des.scenario.text.units import Amount, Positive, PositiveCount, Share

MOST_WEIGHT = 1e9
MOST_TIERS = 127


class LegSpec(RetrySettings, CallSettings):
    """One leg of the chain: a model, and how it is called."""

    provider: Text
    model: Text | None = None
    """May be left out where the provider has one model."""
    name: Text | None = None
    """provider/model by default, with #2 for a repeat."""
    timeout: AnyTimeout | None = None
    """Of each call."""
    invalid_output: Share = 0.0
    """Share of complete responses that the caller's parser rejects."""
    prompt_cache: PromptCache | None = None
    silent_rot: SilentRot | None = None
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
