"""The chance that a month meets its objective, from how long each month has each stratum."""

from datetime import UTC, datetime

import numpy as np
import pytest

from des.errors import DesError
from des.estimate.windows_months import months_of
from des.estimate.windows_population import Population, population
from des.scenario.text.units import DAY_S
from estimate.windowed import PAIR, plan_of


@pytest.fixture(scope="module")
def drawn() -> Population:
    plan = plan_of(PAIR)
    return population({plan.arm: plan}, 20.0, 300.0, 60.0)


def test_windows_of_days_have_all_their_time_in_strata(drawn: Population) -> None:
    months = months_of(drawn, "30d", None)
    per_piece = int((drawn.until_s - drawn.from_s) // (30 * DAY_S))
    assert months.measure.shape == (len(drawn.pieces) * per_piece, len(drawn.strata))
    assert months.measure.sum(axis=1) == pytest.approx(30 * DAY_S)
    assert months.block.tolist() == np.repeat(drawn.block_of_piece, per_piece).tolist()


def test_calendar_months_are_as_long_as_the_calendar_says(drawn: Population) -> None:
    start = "2025-01-15T00:00"
    months = months_of(drawn, "month", start)
    first = datetime.fromtimestamp(datetime.fromisoformat(start).replace(tzinfo=UTC).timestamp() + drawn.from_s, UTC)
    assert (first.month, first.day) == (1, 22)
    days = months.measure.sum(axis=1)[:3] / DAY_S
    assert days == pytest.approx([28.0, 31.0, 30.0])


def test_a_stratum_of_a_month_is_its_time_there(drawn: Population) -> None:
    months = months_of(drawn, "30d", None)
    of = drawn.segments
    first = (of.piece == 0) & (of.start_s < drawn.from_s + 30 * DAY_S)
    ends = np.minimum(of.end_s[first], drawn.from_s + 30 * DAY_S)
    lengths_s = np.bincount(of.stratum[first], ends - of.start_s[first], len(drawn.strata))
    assert months.measure[0] == pytest.approx(lengths_s)


def test_a_length_that_is_no_number_of_days_is_refused(drawn: Population) -> None:
    with pytest.raises(DesError, match="a number of days such as 30d"):
        months_of(drawn, "week", None)


def test_years_shorter_than_a_month_have_none(drawn: Population) -> None:
    plan = plan_of(PAIR)
    short = population({plan.arm: plan}, 0.1, 300.0, 60.0)
    assert len(months_of(short, "30d", None).measure) == 0
