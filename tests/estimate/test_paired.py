"""Paired comparisons against SciPy, and what pairing saves."""

import numpy as np
import pytest
from scipy import stats

from des.estimate.paired import holm, paired, variance_reduction


def _luck() -> tuple[list[float], list[float]]:
    generator = np.random.default_rng(11)
    common = generator.normal(10.0, 2.0, 40)
    return (common + generator.normal(0.5, 0.5, 40)).tolist(), common.tolist()


def test_a_paired_difference_is_the_paired_t_test() -> None:
    ours, theirs = _luck()
    found = paired(ours, theirs)
    assert found is not None
    test = stats.ttest_rel(ours, theirs)
    interval = test.confidence_interval(0.95)
    assert found.difference == pytest.approx((np.mean(ours) - np.mean(theirs), interval.low, interval.high))
    assert found.p_value == pytest.approx(test.pvalue)
    assert found.n == 40


def test_the_variance_reduction_is_what_independent_runs_would_need() -> None:
    ours, theirs = _luck()
    expected = (np.var(ours, ddof=1) + np.var(theirs, ddof=1)) / np.var(np.subtract(ours, theirs), ddof=1)
    assert variance_reduction(ours, theirs) == pytest.approx(expected)
    assert expected > 10.0


def test_a_ratio_covers_the_true_one_as_often_as_it_says() -> None:
    generator = np.random.default_rng(4)
    covered = 0
    for _ in range(1000):
        common = generator.gamma(4.0, 1.0, 30)
        found = paired((1.5 * common * generator.gamma(50.0, 0.02, 30)).tolist(), common.tolist())
        assert found is not None
        assert found.ratio is not None
        assert found.ratio.low is not None
        assert found.ratio.high is not None
        covered += found.ratio.low <= 1.5 <= found.ratio.high
    assert abs(covered / 1000 - 0.95) < 4 * np.sqrt(0.95 * 0.05 / 1000)


def test_arms_that_do_the_same_differ_by_nothing() -> None:
    found = paired([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    assert found is not None
    assert found.difference == (0.0, None, None)
    assert found.ratio == (1.0, None, None)
    assert (found.p_value, found.variance_reduction) == (1.0, None)


def test_differences_that_are_all_the_same_are_no_proof() -> None:
    found = paired([3.0, 3.0, 3.0, 3.0], [1.0, 1.0, 1.0, 1.0])
    assert found is not None
    assert found.difference == (2.0, None, None)
    assert (found.p_value, found.ratio) == (None, (3.0, None, None))


@pytest.mark.parametrize("effect", [0.0, 0.5, 1.0, 2.0, 4.0])
def test_p_value_difference_and_ratio_agree(effect: float) -> None:
    generator = np.random.default_rng(8)
    for n in (2, 4, 10):
        for _ in range(50):
            theirs = generator.normal(5.0, 1.5, n)
            found = paired((theirs + generator.normal(effect, 1.5, n)).tolist(), theirs.tolist())
            assert found is not None
            assert found.p_value is not None
            assert found.ratio is not None
            (_, low, high), (_, least, most) = found.difference, found.ratio
            assert low is not None
            assert high is not None
            significant = found.p_value < 0.05
            assert significant == (not low <= 0.0 <= high)
            if least is not None:
                assert significant == (not least <= 1.0 <= (np.inf if most is None else most))


def test_a_ratio_to_what_is_hardly_known_has_no_ends() -> None:
    found = paired([4.0, -1.0, 5.0, 1.0], [4.0, -3.0, 6.0, -1.0])
    assert found is not None
    assert found.ratio is not None
    assert found.ratio[1:] == (None, None)


def test_one_pair_has_a_difference_and_no_interval() -> None:
    found = paired([3.0, None], [2.0, 1.0])
    assert found is not None
    assert found.difference == (1.0, None, None)
    assert found.ratio == (1.5, None, None)
    assert (found.p_value, found.n) == (None, 1)


def test_nothing_known_on_both_sides_is_no_comparison() -> None:
    assert paired([None, 1.0], [1.0, None]) is None


def test_a_ratio_to_nothing_is_none() -> None:
    found = paired([1.0, 2.0], [0.0, 0.0])
    assert found is not None
    assert found.ratio is None


def test_holm_adjusts_as_in_its_paper() -> None:
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03}) == pytest.approx({"a": 0.03, "b": 0.06, "c": 0.06})
    assert holm({"a": 0.9, "b": 0.8}) == {"a": 1.0, "b": 1.0}
    assert holm({}) == {}
