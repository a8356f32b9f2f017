"""Entries of the chain as a scenario writes them: a leg, or a group of legs that are tried as one."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from des.scenario.schema.call_settings import CallSettings
from des.scenario.schema.chain import Leg, LegSpec
from des.scenario.schema.retries import RetrySettings
from des.scenario.schema.spec import Flag, Spec, Text, contradiction, scalar_as
from des.scenario.text.units import PositiveCount, Ratio

RoutingKind = Literal["ordered", "round_robin", "weighted", "cheapest", "least_latency", "least_busy", "usage_based"]


class RoutingSpec(Spec):
    """Which comes first."""

    kind: RoutingKind
    """As written; in turn; at random by weight, else rpm, else tpm; by the price of a success; by the mean of the last
    latencies; by calls under way; by tokens of the clock minute.
    """
    buffer: Ratio | None = None
    """Of least_latency: at random among those so much slower than the fastest, as a share; 0 by default."""
    samples: PositiveCount | None = None
    """Of least_latency: how many last calls count; 10 by default."""
    choices: PositiveCount | None = None
    """Of least_busy: the best of so many drawn; of all by default."""
    once: Flag = False
    """Whether a group is picked from once a visit, so that its retries stay with that leg."""

    @model_validator(mode="after")
    def _fields_of_its_kind(self) -> Self:
        for field, kind in (("buffer", "least_latency"), ("samples", "least_latency"), ("choices", "least_busy")):
            if getattr(self, field) is not None and self.kind != kind:
                raise contradiction(f"{field} belongs to {kind}", field)
        if self.once and self.kind == "round_robin":
            raise contradiction("round_robin has retries go to the next leg", "once")
        return self


Routing = Annotated[RoutingSpec, scalar_as("kind", {"enum": list(RoutingKind.__args__)})]


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
    routing: Routing | None = None
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
