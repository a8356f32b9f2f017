"""Growth is found where it is, and bursts are not taken for it."""

import numpy as np
import pytest

from calibration.histories import DAY, MONDAY_S, YEAR, history, renewal_starts
from des.faults.calibration import ServiceHistory, Trend, trend


def _trend(some: ServiceHistory) -> Trend:
    found = trend(some)
    assert found is not None
    return found


def test_laplace_statistic_is_the_standardised_mean_of_the_starts() -> None:
    starts = np.array([1.0, 4.0, 6.0, 8.0, 9.0]) * DAY
    found = _trend(history(starts, 60.0, 10 * DAY))
    assert found.laplace == pytest.approx((5.6 - 5.0) / (10.0 / np.sqrt(12 * 5)))
    assert found.before_per_year == pytest.approx(2 / 5 * 365)
    assert found.after_per_year == pytest.approx(3 / 5 * 365)


def test_a_window_that_begins_with_a_start_learns_nothing_from_it() -> None:
    starts = np.array([0.0, 1.0, 4.0, 6.0, 8.0, 9.0]) * DAY
    assert _trend(history(starts, 60.0, 10 * DAY)).laplace == _trend(history(starts[1:], 60.0, 10 * DAY)).laplace


def test_exponential_growth_is_measured() -> None:
    rng = np.random.default_rng(2)
    uniform = rng.random(2000)
    years = np.log1p(uniform * (2.0**3 - 1.0)) / np.log(2.0)  # a rate that doubles every year, over three years
    found = _trend(history(years * YEAR, 60.0, 3 * YEAR))
    assert found.growth_per_year == pytest.approx(2.0, rel=0.1)
    assert found.p_value < 1e-6


def test_a_step_is_found_where_it_is() -> None:
    rng = np.random.default_rng(4)
    starts = np.concatenate((rng.random(20) * YEAR, YEAR + rng.random(120) * YEAR))
    found = _trend(history(starts, 60.0, 2 * YEAR))
    assert abs(found.changed_s - MONDAY_S - YEAR) < 30 * DAY
    assert found.before_change_per_year == pytest.approx(20, abs=4)
    assert found.after_change_per_year == pytest.approx(120, abs=12)
    assert found.p_value < 0.001


def test_bursts_without_growth_are_rarely_called_growth() -> None:
    rng = np.random.default_rng(7)
    found = [_trend(history(renewal_starts(rng, 0.5, 2 * DAY, YEAR), 60.0, YEAR)) for _ in range(400)]
    plain = np.mean([each.laplace_p < 0.05 for each in found])
    robust = np.mean([each.p_value < 0.05 for each in found])
    assert plain > 0.2
    assert robust < 0.09


def test_rates_by_calendar_year_count_what_was_observed_of_it() -> None:
    starts = np.array([10.0, 20.0, 30.0, 380.0, 390.0, 400.0]) * DAY
    found = _trend(history(starts, 60.0, 366 * DAY + 73 * DAY))
    assert found.by_year == ((2024, pytest.approx(3 * 365 / 366)), (2025, pytest.approx(3 * 5.0)))


def test_few_incidents_have_no_trend() -> None:
    assert trend(history([0.0, DAY, 2 * DAY], 60.0, 3 * DAY)) is None
