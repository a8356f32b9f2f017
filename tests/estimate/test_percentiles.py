"""Percentiles come from a histogram, so no interval of theirs is narrower than its bins."""

import pytest

from des.estimate.intervals import quantile_of


def test_a_percentile_is_known_no_better_than_its_histogram_tells() -> None:
    found = quantile_of(1.0, [1.0 - 1e-11, 1.0, 1.0 + 2e-11])
    assert (found.low, found.high) == pytest.approx((0.999, 1.001), abs=1e-12)
    assert found.interval == "sectioning"
    far = quantile_of(1.0, [0.5, 1.0, 1.5])
    assert far.low < 0.5
