"""Distributions for charts: weighted quantiles, and bins that hold everything."""

import numpy as np
import pytest

from des.estimate.shape import SHARES, Shape
from des.estimate.sums import LogHistogram


def test_points_are_quantiles_of_the_weighted_values() -> None:
    values = np.array([0.01, 0.02, 0.5])
    found = Shape.of(values, np.array([970.0, 20.0, 10.0]))
    assert found is not None
    assert found.points[0] == (0.01, 0.0)
    at = {share: value for value, share in found.points[1:]}
    assert sorted(at) == SHARES.tolist()
    assert (at[0.97], at[0.98], at[0.99], at[0.995], at[1.0]) == (0.01, 0.02, 0.02, 0.5, 0.5)
    assert found.quantile(0.999) == 0.5
    assert found.mean == pytest.approx((0.01 * 970 + 0.02 * 20 + 0.5 * 10) / 1000)
    assert found.greatest == 0.5


def test_bins_hold_all_requests_and_leave_empty_ones_out() -> None:
    found = Shape.of(np.array([0.0, 1.0, 40.0]), np.array([1.0, 2.0, 1.0]))
    assert found is not None
    assert [share for _, _, share in found.bins] == [0.25, 0.5, 0.25]
    assert (found.bins[0][0], found.bins[-1][1]) == (0.0, 40.0)


def test_what_weighs_nothing_is_not_there() -> None:
    assert Shape.of(np.array([1.0, 2.0]), np.zeros(2)) is None
    found = Shape.of(np.array([1.0, 2.0, 3.0]), np.array([0.0, 1.0, 0.0]))
    assert found is not None
    assert found.points[0][0] == found.greatest == 2.0


def test_a_histogram_has_the_shape_of_its_values() -> None:
    values = np.random.default_rng(5).lognormal(0.0, 1.0, 5000)
    histogram = LogHistogram()
    histogram.add(values)
    histogram.add(np.zeros(1000))
    found = Shape.of_histogram(histogram)
    assert found is not None
    both = np.append(values, np.zeros(1000))
    assert found.mean == pytest.approx(both.mean(), rel=1e-3)
    assert found.greatest == both.max()
    assert found.quantile(0.1) == 0.0
    assert found.quantile(0.95) == pytest.approx(np.quantile(both, 0.95, method="inverted_cdf"), rel=2e-3)
