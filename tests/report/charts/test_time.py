"""Simulated time without a calendar is told with its units, from the start, alike on axes and in tables."""

import re
from datetime import UTC, datetime
from typing import Final

import pytest

from des.report.charts.extra import missing
from des.report.charts.time import in_ms, moment, since, time_axis

needs_the_extra = pytest.mark.skipif(bool(missing()), reason=missing() or "installed")
START: Final = datetime(2026, 1, 1, tzinfo=UTC)
DAY: Final = 86_400.0
MOMENTS: Final = (
    (0.0, DAY, "0 min"),
    (600.0, DAY, "10 min"),
    (5415.0, DAY, "1 h 30 min 15 s"),
    (DAY, DAY, "24 h"),
    (0.0, 2 * DAY, "day 0"),
    (12 * DAY + 30_600.0, 365 * DAY, "day 12 + 8 h 30 min"),
    (1500 * DAY, 3650 * DAY, "day 1,500"),
)


@pytest.mark.parametrize(("at", "horizon", "words"), MOMENTS)
def test_a_moment_has_units(at: float, horizon: float, words: str) -> None:
    assert moment(at, None, horizon) == words


def test_on_a_calendar_it_is_a_date() -> None:
    assert moment(DAY + 61.0, START, 365 * DAY) == "2026-01-02 00:01:01"
    assert since(START) == "begin, UTC"
    assert since(None) == "begin, time since the start"


@needs_the_extra
@pytest.mark.parametrize(("at", "horizon", "words"), MOMENTS)
def test_the_axis_says_the_same(at: float, horizon: float, words: str) -> None:
    import altair as alt
    import vl_convert

    axis = time_axis(None, horizon)
    axis["values"] = [in_ms(at, None)]
    domain = [in_ms(0.0, None), in_ms(horizon, None)]
    x = alt.X("at:T", axis=axis, scale=alt.Scale(type="utc", domain=domain, nice=False))
    chart = alt.Chart(alt.InlineData(values=[{"at": domain[0]}])).mark_tick().encode(x=x)
    svg = vl_convert.vegalite_to_svg(chart.to_dict())
    said = [text for text in re.findall(r">([^<>]+)</text>", svg) if text.strip()]
    assert said == [words, "time since the start"]


@needs_the_extra
def test_the_axis_of_a_calendar_says_its_zone() -> None:
    assert time_axis(START, DAY)["title"] == "UTC"
