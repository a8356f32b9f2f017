"""What providers share beside components: common causes, and load that moves between them."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from des.scenario.schema.setting import OneAlone, Setting, Shorthand, Text, contradiction
from des.scenario.text.quantities import Positive, PositiveRate, Share


class CommonCause(Setting):
    """A share of the members' outages that hits all of them at once.

    Common outages replace part of the members' own outages, so each member fails as often and as long as before.
    """

    members: tuple[Text, ...]
    """At least two components, providers or models (provider/model)."""
    fraction: Share
    """Share of the outages of the member with the fewest outages."""
    name: Text | None = None
    """Component name of the cause; common_cause by default, with #2 for the second one."""

    @model_validator(mode="after")
    def _is_common(self) -> Self:
        if len(self.members) < 2:
            raise contradiction("a common cause needs at least two members", "members")
        return self


CommonCauses = Annotated[tuple[CommonCause, ...], OneAlone()]


def _one_name(value: object) -> object:
    return [value] if isinstance(value, str) else value


Names = Annotated[tuple[Text, ...], Field(min_length=1), Shorthand(_one_name, {"type": "string"})]
"""One name or a list of names."""


class Surge(Setting):
    """The failover of other customers: while `when` is down, their load moves to `to` and overloads it.

    An attempt is refused with probability max(0, 1 - capacity / (external load + own load)).
    """

    when: Names
    """Providers, or models (provider/model), that must all be down."""
    to: Names
    """Providers or models that receive the load."""
    load: Positive
    """External load as a multiple of the capacity: 1.4 refuses 1 - 1/1.4 of the attempts."""
    capacity_per_s: PositiveRate | None = None
    """Attempts per second that `to` can take. If given, the scenario's own attempts add to the load."""


Surges = Annotated[tuple[Surge, ...], OneAlone()]


def cause_name(spec: CommonCause, position: int) -> str:
    """The name of a common cause among the components."""
    return spec.name or default_cause_name(position)


def default_cause_name(position: int) -> str:
    return "common_cause" if position == 0 else f"common_cause#{position + 1}"
