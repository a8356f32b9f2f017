"""Weekly profiles: how much busier one hour of the week is than another."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Any

from des.scenario.schema.setting import ReadAs, Setting
from des.scenario.text.quantities import Amount

_HOURS_A_WEEK = 168
_SIZES = {"weights": _HOURS_A_WEEK, "hours": 24, "days": 7}
_ONE_EACH = {
    "weights": "one an hour from Monday 00:00 UTC on",
    "hours": "one an hour from 00:00 UTC on",
    "days": "one a day from Monday on",
}


@dataclass(frozen=True, slots=True)
class Profile:
    """Relative rate by hour of the week (168 values, mean 1, Monday 00:00 UTC first).

    `offset_s` is how far into the week the scenario starts.
    """

    weights: tuple[float, ...]
    offset_s: float = 0.0

    def starting(self, start: datetime | None) -> "Profile":
        """The profile of a run that starts then; without a start it starts on a Monday 00:00 UTC."""
        return replace(self, offset_s=0.0 if start is None else _seconds_into_week(start))


class ProfileForm(Setting):
    """Relative rates by time of week, Monday 00:00 UTC first: hours of the day, days of the week, or all 168 hours."""

    hours: tuple[Amount, ...] | None = None
    """24 weights, one an hour of the day from 00:00 UTC; flat by default."""
    days: tuple[Amount, ...] | None = None
    """7 weights, Monday first; flat by default."""
    weights: tuple[Amount, ...] | None = None
    """168 weights, one an hour of the week from Monday 00:00 UTC; instead of hours and days."""


def profile(
    weights: Sequence[float] | None,
    hours: Sequence[float] | None,
    days: Sequence[float] | None,
    start: datetime | None = None,
) -> Profile:
    """Relative rates by hour of the week, scaled to mean 1.

    Either all 168 `weights` (Monday 00:00 UTC first), or `hours` (24), `days` (7, Monday first) or both, whose
    outer product is taken; the missing one is flat. A `start` without a zone is UTC; without a start the scenario
    begins on Monday 00:00. Raises ValueError for anything that is no such profile.
    """
    given = {"weights": weights, "hours": hours, "days": days}
    for name, values in given.items():
        if values is not None:
            _check(name, values)
    if weights is not None:
        if hours is not None or days is not None:
            raise ValueError("give either weights (168) or hours (24) and days (7), not both")
        week = [float(weight) for weight in weights]
    elif hours is not None or days is not None:
        week = [float(day) * float(hour) for day in days or (1.0,) * 7 for hour in hours or (1.0,) * 24]
    else:
        raise ValueError("a profile needs hours (24), days (7) or weights (168)")
    return Profile(_mean_one(week)).starting(start)


def _check(name: str, values: Sequence[float]) -> None:
    size = _SIZES[name]
    if len(values) != size:
        raise ValueError(f"{name} must have {size} numbers, {_ONE_EACH[name]}, not {len(values)}")
    for position, value in enumerate(values):
        if not math.isfinite(value):
            raise ValueError(f"{name}[{position}] is {value}: weights are finite numbers")
        if value < 0:
            raise ValueError(f"{name}[{position}] is {value}: weights cannot be negative")
    if not any(values):
        raise ValueError(f"{name} are all zero: at least one must be positive")


def _mean_one(week: Sequence[float]) -> tuple[float, ...]:
    try:
        total = math.fsum(week)
    except OverflowError:
        total = math.inf
    if total == 0.0:
        raise ValueError("the weights are too small to distinguish from zero")
    scaled = tuple(_HOURS_A_WEEK * weight / total for weight in week)
    if not (math.isfinite(total) and all(map(math.isfinite, scaled))):
        raise ValueError("the weights are too large")
    return scaled


def _seconds_into_week(start: datetime) -> float:
    start = start.replace(tzinfo=UTC) if start.tzinfo is None else start.astimezone(UTC)
    whole_s = start.weekday() * 86400 + start.hour * 3600 + start.minute * 60 + start.second
    return whole_s + start.microsecond / 1e6


def _read(form: ProfileForm) -> Profile:
    return profile(form.weights, form.hours, form.days)


def _write(week: Profile) -> dict[str, Any]:
    return {"weights": list(week.weights)}


WeeklyProfile = Annotated[Profile, ReadAs(ProfileForm, _read, _write)]
"""A profile of a run that starts on a Monday, until it is told its start."""
