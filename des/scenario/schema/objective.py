"""What availability is asked of each month, and what failing costs, as a scenario writes them."""

from typing import Annotated, Final, Literal, Self

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from des.scenario.schema.setting import Setting, contradiction
from des.scenario.text.other_units import in_our_units
from des.scenario.text.quantities import Duration, Share, Usd, written_as
from des.scenario.text.units import HOUR_S, read_duration, read_rate, read_usd, shown

MONTH: Final = "month"
"""A calendar month where the scenario is pinned to the calendar by `start`, 30 days elsewhere."""


def read_usd_per_s(value: object) -> float:
    """USD per second of `$1000/h` or `50 USD/min`; a bare number is refused unless it is 0."""
    expected = "an amount of USD for a time such as $1000/h"
    usd_per_s = _usd_per_s(value)
    if usd_per_s is not None:
        return usd_per_s
    try:
        usd = read_usd(value)
    except ValueError:
        meant = in_our_units(value) if isinstance(value, str) else ""
        written = f": write {meant}" if _usd_per_s(meant) is not None else ""
        raise ValueError(f"expected {expected}; got {shown(value)}{written}") from None
    if usd:
        raise ValueError(f"expected {expected}; got {shown(value)}, which has no time: write ${usd:g}/h for an hour")
    return 0.0


def _usd_per_s(value: object) -> float | None:
    """None for what is no amount for a time."""
    amount, slash, time = value.rpartition("/") if isinstance(value, str) else ("", "", "")
    if not slash:
        return None
    try:
        return read_usd(amount.strip()) * read_rate(f"1/{time.strip()}")
    except ValueError:
        return None


UsdPerTime = Annotated[
    float,
    BeforeValidator(read_usd_per_s),
    PlainSerializer(lambda usd_per_s: f"${usd_per_s!r}/s"),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": r"^\s*(?:\$\s*[0-9.eE+-]+|[0-9.eE+-]+(?:\s*USD)?)\s*/.+$"},
                {"const": 0},
            ],
            "description": "An amount of USD for a time",
            "examples": ["$1000/h", "50 USD/min"],
        }
    ),
]


def read_window(value: object) -> float | str:
    """`month`, or the seconds of a duration of at least an hour."""
    expected = "month, or a duration of at least 1h such as 30d"
    if value == MONTH:
        return MONTH
    try:
        window_s = read_duration(value)
    except ValueError as error:
        raise ValueError(f"expected {expected}; got {shown(value)}") from error
    if window_s < HOUR_S:
        raise ValueError(f"expected {expected}; got {shown(value)}")
    return window_s


Window = Annotated[
    float | Literal["month"],
    BeforeValidator(read_window),
    PlainSerializer(lambda window: window if window == MONTH else f"{window!r}s"),
    WithJsonSchema(
        {
            "anyOf": [{"const": MONTH}, {"type": "string", "pattern": written_as(Duration)["anyOf"][0]["pattern"]}],
            "description": "`month`, or a duration of at least 1h",
            "examples": ["month", "30d"],
        }
    ),
]


class Objective(Setting):
    """The availability that each month, or each window of another length, is to have."""

    availability: Share
    """Share of the window's requests that are answered."""
    per: Window = MONTH
    """`month`, or a duration such as 30d."""

    @model_validator(mode="after")
    def _can_be_missed(self) -> Self:
        if self.availability <= 0.0:
            raise contradiction("every month has that: an objective is above 0%, such as 99.95%", "availability")
        return self


class Value(Setting):
    """What failing costs."""

    lost_request_usd: Annotated[Usd, Field(alias="lost_request")] = 0.0
    """Of each request that is not answered."""
    downtime_usd_per_s: Annotated[UsdPerTime, Field(alias="downtime")] = 0.0
    """Of the minutes down: an hour in which a tenth of the requests is lost counts as six minutes."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.lost_request_usd == 0.0 and self.downtime_usd_per_s == 0.0:
            raise contradiction("failing costs nothing here: give lost_request, downtime, or both")
        return self
