import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from des.estimate.sums import HIGHEST_S, LOWEST_S, RELATIVE_ERROR, LogHistogram, bin_edges

LATENCIES = st.lists(st.one_of(st.just(0.0), st.floats(LOWEST_S, HIGHEST_S)), min_size=1, max_size=60)
SHARES = st.sampled_from([0.0, 0.01, 0.07, 0.25, 0.5, 0.9, 0.95, 0.99, 1.0])


@given(LATENCIES, SHARES)
def test_a_quantile_is_within_a_tenth_of_a_percent_of_the_inverse_distribution_function(
    values: list[float], share: float
) -> None:
    histogram = LogHistogram()
    histogram.add(np.array(values))
    exact = np.quantile(values, share, method="inverted_cdf")
    found = histogram.quantile(share)
    assert found is not None
    assert abs(found - exact) <= exact * RELATIVE_ERROR * (1 + 1e-9)


@given(LATENCIES, SHARES)
def test_no_quantile_lies_beyond_the_values(values: list[float], share: float) -> None:
    histogram = LogHistogram()
    histogram.add(np.array(values))
    found = histogram.quantile(share)
    assert found is not None
    assert min(values) <= found <= max(values)


@pytest.mark.parametrize("value", [0.0, 1e-12, 0.7, 1.0, 5e9])
def test_quantiles_of_a_constant_are_that_constant(value: float) -> None:
    first, second = LogHistogram(), LogHistogram()
    first.add(np.array([value, value]))
    second.add(np.array([value]))
    first.merge(second)
    for histogram in (first, second):
        assert [histogram.quantile(share) for share in (0.0, 0.5, 0.95, 0.99, 1.0)] == [value] * 5


def test_zeros_leave_the_quantiles_above_them_as_exact() -> None:
    histogram = LogHistogram()
    histogram.add(np.array([0.0, 1.0, 1.0]))
    assert [histogram.quantile(share) for share in (0.3, 0.5, 0.99)] == [0.0, 1.0, 1.0]


def test_the_edges_are_geometric_and_span_a_nanosecond_to_thirty_years() -> None:
    edges = bin_edges()
    np.testing.assert_allclose(edges[1:] / edges[:-1], 1.001**2, rtol=1e-14)
    assert edges[0] == LOWEST_S
    assert edges[-1] >= HIGHEST_S


def test_a_share_means_what_it_says_in_decimals() -> None:
    histogram = LogHistogram()
    histogram.add(np.arange(1.0, 101.0))
    for rank in range(1, 101):
        found = histogram.quantile(rank / 100)
        assert found == pytest.approx(rank, rel=0.0011), rank


def test_merged_histograms_equal_one_over_all_values() -> None:
    values = np.random.default_rng(1).lognormal(0.0, 2.0, 5000)
    values[::7] = 0.0
    whole, left, right = LogHistogram(), LogHistogram(), LogHistogram()
    whole.add(values)
    left.add(values[:1234])
    right.add(values[1234:])
    left.merge(right)
    shares = [rank / 1000 for rank in range(1001)]
    assert [left.quantile(share) for share in shares] == [whole.quantile(share) for share in shares]
    assert left.count == whole.count == 5000


def test_without_values_there_is_no_quantile() -> None:
    assert LogHistogram().quantile(0.5) is None
    merged = LogHistogram()
    merged.merge(LogHistogram())
    assert merged.quantile(0.5) is None
    assert merged.count == 0


@pytest.mark.parametrize("value", [-1e-9, float("nan")])
def test_what_is_no_latency_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="neither NaN nor negative values"):
        LogHistogram().add(np.array([1.0, value]))
