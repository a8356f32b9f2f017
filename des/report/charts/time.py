"""Simulated time: on a calendar where the scenario has one, else days, hours and minutes since the start."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from des.scenario.text.units import DAY_S

if TYPE_CHECKING:
    import altair as alt

_DAY_MS: Final = 86_400_000
SINCE: Final = "time since the start"
"""Title of an axis without a calendar. Its labels have their units."""
CALENDAR: Final = "UTC"
_DATE: Final = (
    f"datum.value % {_DAY_MS} == 0 ? utcFormat(datum.value, '%-d %b %Y') : "
    "utcFormat(datum.value, datum.value % 60000 == 0 ? '%-d %b %H:%M' : '%-d %b %H:%M:%S')"
)
"""The label of a calendar's axis: a date, and the hour where a day is divided."""


def in_ms(seconds: float, start: datetime | None) -> float:
    """A simulated time as milliseconds of the axis."""
    return (seconds + (0.0 if start is None else start.timestamp())) * 1000.0


def time_axis(start: datetime | None, horizon_s: float, *, ticks: int = 6) -> "alt.Axis":
    """Its title says from when it counts. Without a calendar labels are those of `moment`."""
    import altair as alt

    if start is not None:
        return alt.Axis(title=CALENDAR, tickCount=ticks, labelOverlap=True, zindex=0, labelExpr=_DATE)
    return alt.Axis(title=SINCE, tickCount=ticks, labelOverlap=True, zindex=0, labelExpr=_label(horizon_s > DAY_S))


def _label(days: bool) -> str:
    """`moment` in the language of Vega, of times in ms."""
    rest = f"datum.value % {_DAY_MS}" if days else "datum.value"
    parts = (
        f"(floor(({rest}) / 3600000) ? floor(({rest}) / 3600000) + ' h' : '')",
        "(floor(datum.value % 3600000 / 60000) ? ' ' + floor(datum.value % 3600000 / 60000) + ' min' : '')",
        "(datum.value % 60000 ? ' ' + format(datum.value % 60000 / 1000, '.3~f') + ' s' : '')",
    )
    clock = f"trim({' + '.join(parts)})"
    if not days:
        return f"datum.value < 1 ? '0 min' : {clock}"
    day = f"'day ' + format(floor(datum.value / {_DAY_MS}), ',')"
    return f"{day} + ({rest} == 0 ? '' : ' + ' + {clock})"


def moment(seconds: float, start: datetime | None, horizon_s: float) -> str:
    """`2026-03-04 08:30:00`; without a calendar `day 12 + 8 h 30 min`, or `8 h 30 min` in a run of at most a day."""
    whole = round(seconds)
    if start is not None:
        return f"{start + timedelta(seconds=whole):%Y-%m-%d %H:%M:%S}"
    days, rest = divmod(whole, int(DAY_S)) if horizon_s > DAY_S else (0, whole)
    parts = ((rest // 3600, "h"), (rest % 3600 // 60, "min"), (rest % 60, "s"))
    clock = " ".join(f"{count} {unit}" for count, unit in parts if count)
    if horizon_s > DAY_S:
        return f"day {days:,}{f' + {clock}' if clock else ''}"
    return clock or "0 min"


def since(start: datetime | None) -> str:
    """The title of a column of moments."""
    return f"begin, {CALENDAR}" if start is not None else f"begin, {SINCE}"
