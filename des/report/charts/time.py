"""The axis of simulated time: a calendar where the scenario has one, else days and hours since the start."""

from datetime import datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import altair as alt

_DAY_MS: Final = 86_400_000
_CLOCK: Final = "utcFormat(datum.value, datum.value % 60000 == 0 ? '%H:%M' : '%H:%M:%S')"
_DAYS: Final = (
    f"'day ' + format(floor(datum.value / {_DAY_MS}), ',') + (datum.value % {_DAY_MS} == 0 ? '' : ' ' + {_CLOCK})"
)


def in_ms(seconds: float, start: datetime | None) -> float:
    """A simulated time as milliseconds of the axis."""
    return (seconds + (0.0 if start is None else start.timestamp())) * 1000.0


def time_axis(start: datetime | None, horizon_s: float, *, ticks: int = 6) -> "alt.Axis":
    """In UTC. Without a start, `day 12 08:30`, days counted from 0, or `08:30` where there is but one day."""
    import altair as alt

    if start is not None:
        return alt.Axis(tickCount=ticks, labelOverlap=True, zindex=0)
    return alt.Axis(
        tickCount=ticks, labelOverlap=True, zindex=0, labelExpr=_CLOCK if horizon_s * 1000.0 <= _DAY_MS else _DAYS
    )
