"""The chain as a scenario writes it: legs in order, or groups of legs that are tried as one."""

from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from des.scenario.schema.calls import AnyTimeout, PromptCache, SilentRot
from des.scenario.schema.load_control import AnyRouting, CallSettings
from des.scenario.schema.providers import Tags
from des.scenario.schema.retries import RetrySettings
from des.scenario.schema.setting import Shorthand, Text, contradiction
from des.scenario.text.quantities import Amount, Positive, PositiveCount, Share

_MOST_WEIGHT = 1e9
_MOST_TIERS = 127


class LegSpec(RetrySettings, CallSettings):
    """One leg of the chain: a model and how it is called."""

    provider: Text
    """Name of the provider."""
    model: Text | None = None
    """May be left out if the provider has only one model."""
    name: Text | None = None
    """`provider/model` by default, with #2 for a repeat."""
    timeout: AnyTimeout | None = None
    """Bounds on each call."""
    invalid_output: Share = 0.0
    """Share of complete responses that the caller's parser rejects."""
    prompt_cache: PromptCache | None = None
    """Input that is cheaper while it is reused; none by default."""
    silent_rot: SilentRot | None = None
    """How this leg breaks unnoticed while it is not used; never by default."""
    tags: Tags = Field(default_factory=dict)
    """Tags of this leg beside those of its model, such as {region: eu}."""

    weight: Annotated[Amount, Field(le=_MOST_WEIGHT)] | None = None
    """Routing weight relative to the other legs; 1 by default."""
    rpm: Positive | None = None
    """Requests per minute, as a routing weight; it limits nothing."""
    tpm: Positive | None = None
    """Tokens per minute, as a routing weight; it limits nothing."""
    tier: Annotated[PositiveCount, Field(le=_MOST_TIERS)] | None = None
    """Within a group: picked only while no leg of a lower tier admits; 1 by default."""


def _no_name(value: object) -> object:
    if isinstance(value, str):
        raise PydanticCustomError("no_leg", "a leg is a mapping", {"word": value})
    return value


_Leg = Annotated[LegSpec, Shorthand(_no_name, {"type": "string", "description": "A model, by its name alone."})]


def _no_group(value: object) -> object:
    if isinstance(value, dict) and value.keys() & {"group", "legs"}:
        raise PydanticCustomError("contradiction", "{message}", {"message": _NESTED, "at": ()})
    return value


_NESTED = "a group cannot contain a group: write its legs here directly"
_MemberLeg = Annotated[_Leg, BeforeValidator(_no_group)]


class GroupSpec(RetrySettings, CallSettings):
    """Legs that are tried as one entry of the chain. Each attempt goes to the leg that the routing picks."""

    group: Text
    """Name of the group."""
    legs: Annotated[tuple[_MemberLeg, ...], Field(min_length=1)]
    """The legs, of which each attempt picks one."""
    routing: AnyRouting | None = None
    """How a leg of the group is picked; the policy's routing by default."""

    @model_validator(mode="after")
    def _retries_are_the_groups(self) -> Self:
        for position, leg in enumerate(self.legs):
            for field in RetrySettings.model_fields:
                if getattr(leg, field) is not None:
                    message = f"{field} belongs to the group, because each attempt picks a leg: write it beside legs"
                    raise contradiction(message, "legs", position, field)
        return self

    @model_validator(mode="after")
    def _some_weight(self) -> Self:
        weights = [leg.weight for leg in self.legs]
        if all(weight == 0.0 for weight in weights):
            raise contradiction("all weights are 0, so no leg is ever picked", "legs", 0, "weight")
        return self


def _entry(value: Any) -> str:
    """The union tag of an entry. Tags must differ from the keys of entries, because paths drop tags."""
    if isinstance(value, dict):
        return "of_legs" if value.keys() & {"group", "legs"} else "by_itself"
    return "of_legs" if isinstance(value, GroupSpec) else "by_itself"


Entry = Annotated[Annotated[GroupSpec, Tag("of_legs")] | Annotated[_Leg, Tag("by_itself")], Discriminator(_entry)]


def legs_of(entry: GroupSpec | LegSpec) -> tuple[LegSpec, ...]:
    return entry.legs if isinstance(entry, GroupSpec) else (entry,)
