"""By weekday and hour: what differs is seen, what does not is left flat."""

import numpy as np
import pytest

from calibration.histories import DAY, HOUR, WEEK, history
from des.faults.calibration import Seasonality, ServiceHistory, seasonality


def _season(some: ServiceHistory) -> Seasonality:
    found = seasonality(some)
    assert found is not None
    return found


def _poisson(rng: np.random.Generator, weights: np.ndarray, per_week: float, weeks: int) -> np.ndarray:
    """Starts of a rate that follows 168 weights of mean 1."""
    counts = rng.poisson(per_week / 168 * np.tile(weights, weeks))
    hours = np.repeat(np.arange(len(counts)), counts)
    return (hours + rng.random(len(hours))) * HOUR


def test_factors_compare_the_rate_in_a_class_with_that_of_the_week() -> None:
    mondays_at_three_pm = np.arange(20) * WEEK + 15 * HOUR
    found = _season(history(mondays_at_three_pm, HOUR, 20 * WEEK))
    assert found.starts_by_day == (20, 0, 0, 0, 0, 0, 0)
    assert found.start_factor_by_day[0] == pytest.approx(7.0)
    assert found.start_factor_by_hour[15] == pytest.approx(24.0)
    assert found.open_factor_by_hour[15] == pytest.approx(24.0)
    busy, other, weekend = found.classes
    assert (busy.starts, other.starts, weekend.starts) == (20, 0, 0)
    assert busy.start_factor == pytest.approx(168 / 40)
    assert busy.open_factor == pytest.approx(168 / 40)
    assert weekend.open_factor == 0.0


def test_days_that_were_observed_more_often_are_no_busier_for_it() -> None:
    daily = np.arange(17) * DAY + 12 * HOUR
    found = _season(history(daily, HOUR, 17 * DAY))
    assert found.starts_by_day == (3, 3, 3, 2, 2, 2, 2)
    assert found.start_factor_by_day == pytest.approx((1.0,) * 7)
    assert found.profile.days_model == "flat"


def test_the_same_rate_all_week_gives_a_flat_profile_mostly() -> None:
    rng = np.random.default_rng(1)
    found = [_season(history(_poisson(rng, np.ones(168), 2.0, 60), HOUR, 60 * WEEK)) for _ in range(25)]
    assert np.mean([each.profile.flat for each in found]) > 0.4
    assert np.mean([each.day_p_value < 0.05 for each in found]) < 0.2
    assert np.mean([each.hour_p_value < 0.05 for each in found]) < 0.2
    assert max(max(each.profile.hours) for each in found) < 2.0


def test_a_profile_is_found_again() -> None:
    hour = np.arange(24)
    hours = 1.0 + 0.8 * np.cos(2 * np.pi * (hour - 16) / 24)
    days = np.array([1.24] * 5 + [0.4] * 2)
    weights = np.outer(days / days.mean(), hours / hours.mean()).ravel()
    rng = np.random.default_rng(8)
    found = _season(history(_poisson(rng, weights, 60.0, 100), HOUR, 100 * WEEK))
    assert found.profile.days == pytest.approx(days / days.mean(), abs=0.1)
    assert found.profile.hours == pytest.approx(hours / hours.mean(), abs=0.15)
    assert np.mean(found.profile.hours) == pytest.approx(1.0)
    assert np.mean(found.profile.days) == pytest.approx(1.0)
    assert found.day_p_value < 1e-6
    assert found.hour_p_value < 1e-6
    assert found.dispersion == pytest.approx(1.0, abs=0.3)


def test_a_weekend_without_incidents_keeps_a_rate_above_zero() -> None:
    rng = np.random.default_rng(6)
    weights = np.repeat([1.4] * 5 + [0.0] * 2, 24)
    found = _season(history(_poisson(rng, weights, 3.0, 60), HOUR, 60 * WEEK))
    assert found.start_factor_by_day[5:] == (0.0, 0.0)
    assert 0.0 < found.profile.days[6] < 0.05


def test_bursts_discount_what_seems_seasonal() -> None:
    rng = np.random.default_rng(9)
    starts = np.concatenate([week * WEEK + rng.random() * WEEK + np.arange(8) * 600.0 for week in range(0, 60, 5)])
    found = _season(history(starts, 300.0, 60 * WEEK))
    assert found.dispersion > 4.0
    assert found.day_p_value > 0.01


def test_too_little_says_nothing() -> None:
    assert seasonality(history(np.arange(9) * WEEK, HOUR, 9 * WEEK)) is None
    assert seasonality(history(np.arange(20) * 10 * HOUR, HOUR, 12 * DAY)) is None
