"""Intervals against closed forms and SciPy; how often they cover is measured by `benchmarks.coverage`."""

import numpy as np
import pytest
from scipy import stats

from des.estimate.intervals import (
    CONFIDENCE,
    NORMAL_QUANTILE,
    compound_bounds,
    mean_of,
    poisson_bounds,
    quantile_of,
    sectioned,
    students_t,
    with_controls,
)
from des.estimate.totals import LossCounter, Losses
from des.faults import Intervals
from des.vocabulary import REQUEST_FAILED, REQUEST_OK


def test_students_interval_is_scipys() -> None:
    values = [3.0, 5.0, 4.0, 8.0]
    low, high = stats.t.interval(0.95, 3, loc=np.mean(values), scale=stats.sem(values))
    assert students_t(values) == pytest.approx((5.0, low, high))
    assert students_t([2.0]) == (2.0, None, None)


def test_the_normal_quantile_is_that_of_the_confidence() -> None:
    assert pytest.approx(stats.norm.ppf((1.0 + CONFIDENCE) / 2.0), rel=1e-15) == NORMAL_QUANTILE


@pytest.mark.parametrize("count", [0, 1, 7, 19])
def test_poisson_bounds_leave_two_and_a_half_percent_on_either_side(count: int) -> None:
    low, high = poisson_bounds(count)
    assert stats.poisson.cdf(count, high) == pytest.approx(0.025)
    if count:
        assert stats.poisson.sf(count - 1, low) == pytest.approx(0.025)
    else:
        assert low == 0.0


def test_sectioning_spreads_about_the_figure_of_all_together() -> None:
    found = sectioned(2.0, [1.0, 2.0, 4.0])
    half = stats.t.ppf(0.975, 2) * np.sqrt((1.0 + 0.0 + 4.0) / 6.0)
    assert found == pytest.approx((2.0, 2.0 - half, 2.0 + half))


def test_bounds_over_episodes_scale_with_their_unit_and_repeat() -> None:
    sizes = np.random.default_rng(3).lognormal(0.0, 1.3, 20)
    low, high = compound_bounds(sizes)
    assert 0.0 < low < sizes.sum() < high
    assert compound_bounds(sizes) == (low, high)
    assert compound_bounds(sizes * 60.0) == pytest.approx((low * 60.0, high * 60.0))


def test_bounds_over_many_equal_episodes_come_near_poissons_own() -> None:
    low, high = compound_bounds(np.ones(100))
    assert low == pytest.approx(poisson_bounds(100)[0], rel=0.05)
    assert high == pytest.approx(poisson_bounds(100)[1], rel=0.05)


def test_fewer_episodes_make_wider_bounds_and_one_makes_some() -> None:
    widths = []
    for n in (1, 3, 10, 50):
        low, high = compound_bounds(np.full(n, 2.0))
        assert 0.0 < low < 2.0 * n < high < np.inf
        widths.append(np.log(high / low))
    assert widths == sorted(widths, reverse=True)


def test_a_lost_request_counts_for_the_outage_it_met() -> None:
    outages = Intervals(np.array([10.0, 50.0]), np.array([20.0, 60.0]))
    counter = LossCounter(outages, Intervals(np.array([29.0]), np.array([59.0])))
    block = {
        "arrival_s": np.array([5.0, 9.0, 12.0, 19.9, 30.0, 55.0, 58.0]),
        "end_s": np.array([6.0, 11.0, 13.0, 25.0, 31.0, 56.0, np.nan]),
        "outcome": np.array([REQUEST_FAILED] * 5 + [REQUEST_OK, REQUEST_FAILED]),
    }
    counter.requests(block)
    assert counter.losses() == Losses((3, 1), 2, ((10.0, 20.0), (50.0, 60.0)), (5.0, 30.0), 1)


@pytest.mark.parametrize("values", [[2.0] * 4, [0.0] * 4, [0.1 + 0.2, 0.3]])
def test_values_that_agree_claim_no_precision(values: list[float]) -> None:
    mean = sum(values) / len(values)
    assert students_t(values) == pytest.approx((mean, None, None))
    assert sectioned(values[0], values)[1:] == (None, None)


def test_a_percentile_is_known_no_better_than_its_histogram_tells() -> None:
    found = quantile_of(1.0, [1.0 - 1e-11, 1.0, 1.0 + 2e-11])
    assert (found.low, found.high) == pytest.approx((0.999, 1.001), abs=1e-12)
    assert found.interval == "sectioning"
    far = quantile_of(1.0, [0.5, 1.0, 1.5])
    assert far.low < 0.5


def test_what_follows_a_control_with_a_known_mean_is_taken_off() -> None:
    rng = np.random.default_rng(1)
    covered, reductions = 0, []
    for _ in range(400):
        control = rng.exponential(2.0, 20)
        values = 5.0 + 3.0 * control + rng.normal(0.0, 1.0, 20)
        got = with_controls(values, [control], [2.0])
        covered += got.low <= 11.0 <= got.high
        reductions.append(got.variance_reduction or 1.0)
    assert 0.92 <= covered / 400 <= 0.98
    assert np.median(reductions) > 15.0


def test_a_control_of_no_use_leaves_the_plain_mean() -> None:
    values = [1.0, 2.0, 4.0, 3.0, 2.5, 1.5, 3.5, 2.2]
    got = with_controls(values, [[7.0] * 8], [7.0])
    assert got.variance_reduction is None
    assert got.mean == pytest.approx(np.mean(values))


def test_too_few_values_leave_the_plain_mean() -> None:
    got = with_controls([1.0, 2.0, 3.0], [[1.0, 2.0, 3.0]], [2.5])
    assert got.mean == pytest.approx(2.0)


def test_a_share_stays_between_0_and_1_though_a_control_is_taken_off() -> None:
    downtime = [0.01 * value for value in range(1, 21)]
    served = [value + 1e-4 * (-1) ** number for number, value in enumerate(downtime)]
    found = with_controls(served, [downtime], [-0.01], share=True)
    assert found.variance_reduction is not None
    assert (found.mean, found.low) == (0.0, 0.0)
    assert mean_of([-1e-7, -2e-7], share=True).mean == 0.0
