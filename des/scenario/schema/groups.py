"""Entries of the chain as a scenario writes them: a leg, or a group of legs that are tried as one."""

from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from des.scenario.schema.chain import Leg, LegSpec
from des.scenario.schema.load_control import AnyRouting, CallSettings
from des.scenario.schema.retries import RetrySettings
from des.scenario.schema.setting import Text, contradiction


def _no_group(value: object) -> object:
    if isinstance(value, dict) and value.keys() & {"group", "legs"}:
        raise PydanticCustomError("contradiction", "{message}", {"message": NESTED, "at": ()})
    return value


NESTED = "a group within a group: its entries are legs, so write these legs here themselves"
MemberLeg = Annotated[Leg, BeforeValidator(_no_group)]


class GroupSpec(RetrySettings, CallSettings):
    """Legs that are tried as one entry of the chain: each attempt goes to the one that the routing picks."""

    group: Text
    """Its name."""
    legs: Annotated[tuple[MemberLeg, ...], Field(min_length=1)]
    routing: AnyRouting | None = None
    """Of its legs; the policy's by default."""

    @model_validator(mode="after")
    def _retries_are_the_groups(self) -> Self:
        for position, leg in enumerate(self.legs):
            for field in RetrySettings.model_fields:
                if getattr(leg, field) is not None:
                    message = f"an attempt of a group picks its leg anew: write {field} beside the group's legs"
                    raise contradiction(message, "legs", position, field)
        return self

    @model_validator(mode="after")
    def _some_weight(self) -> Self:
        weights = [leg.weight for leg in self.legs]
        if all(weight == 0.0 for weight in weights):
            raise contradiction("all weights are 0, so no leg is ever picked", "legs", 0, "weight")
        return self


def _entry(value: Any) -> str:
    """The tag of an entry; tags are no keys of entries, or paths would lead into them."""
    if isinstance(value, dict):
        return "of_legs" if value.keys() & {"group", "legs"} else "by_itself"
    return "of_legs" if isinstance(value, GroupSpec) else "by_itself"


Entry = Annotated[Annotated[GroupSpec, Tag("of_legs")] | Annotated[Leg, Tag("by_itself")], Discriminator(_entry)]


def legs_of(entry: GroupSpec | LegSpec) -> tuple[LegSpec, ...]:
    return entry.legs if isinstance(entry, GroupSpec) else (entry,)
