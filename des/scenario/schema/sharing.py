"""What providers share beside components: causes in common, and each other's customers."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from des.scenario.schema.setting import OneAlone, Setting, Shorthand, Text, contradiction
from des.scenario.text.units import Positive, PositiveRate, Share


class CommonCause(Setting):
    """A share of the members' outages that strikes all of them at once.

    What is common comes off the members' own outages: each fails as often and as long as before.
    """

    members: tuple[Text, ...]
    """Components, providers or models (provider/model), two or more."""
    fraction: Share
    """Share of the outages of the member that has the fewest."""
    name: Text | None = None
    """Name of the cause among the components; common_cause by default, with #2 for a second one."""

    @model_validator(mode="after")
    def _is_common(self) -> Self:
        if len(self.members) < 2:
            raise contradiction("a common cause has two members or more", "members")
        return self


CommonCauses = Annotated[tuple[CommonCause, ...], OneAlone()]


def _one_name(value: object) -> object:
    return [value] if isinstance(value, str) else value


Names = Annotated[tuple[Text, ...], Field(min_length=1), Shorthand(_one_name, {"type": "string"})]
"""One name or a list of names."""


class Surge(Setting):
    """Everybody's failover: while `when` is down, its customers crowd `to`, which is overloaded.

    An attempt is refused with probability max(0, 1 - capacity / (load of the crowd + own load)).
    """

    when: Names
    """Providers, or models (provider/model), that must all be down."""
    to: Names
    """Providers or models that the crowd moves to."""
    load: Positive
    """Load of the crowd, as a multiple of the capacity: 1.4 refuses 1 - 1/1.4 of the attempts."""
    capacity_per_s: PositiveRate | None = None
    """Attempts that `to` can take; with it, the scenario's own attempts add to the load."""


Surges = Annotated[tuple[Surge, ...], OneAlone()]


def cause_name(spec: CommonCause, position: int) -> str:
    """The name of a common cause among the components."""
    return spec.name or default_cause_name(position)


def default_cause_name(position: int) -> str:
    return "common_cause" if position == 0 else f"common_cause#{position + 1}"
