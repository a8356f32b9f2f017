"""Arms against each other, replication by replication and by the outages that differ."""

import math

import numpy as np
import pytest
from scipy import stats

from des.estimate.paired import Paired, discordance, explained, holm, paired, rare_pair, variance_reduction
from des.estimate.totals import Losses


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


REQUESTS = 1000.0
"""In each replication."""


def _losses(*outages: tuple[float, int]) -> Losses:
    """Each of two hours from a time on."""
    return Losses(tuple(lost for _, lost in outages), 0, tuple((at_s, at_s + 7200.0) for at_s, _ in outages))


def _pair(ours: list[Losses], theirs: list[Losses]) -> Paired:
    shares = [[sum(each.in_outages) / REQUESTS for each in arm] for arm in (ours, theirs)]
    plain = paired(*shares)
    found = discordance(ours, theirs, 1.0)
    assert plain is not None
    assert found is not None
    return rare_pair(found, plain, REQUESTS * len(ours))


def _singly(replication: int, count: int, phase_s: float = 0.0) -> Losses:
    return _losses(*((1e5 * (replication + 10 * k) + phase_s, 1) for k in range(count)))


def _spread_out(count: int, phase_s: float) -> list[Losses]:
    """Over two replications."""
    return [_singly(0, (count + 1) // 2, phase_s), _singly(0, count // 2, phase_s)]


@pytest.mark.parametrize(("more", "less"), [(1, 8), (0, 4), (3, 5), (12, 2), (6, 6)])
def test_outages_that_lose_one_each_are_a_binomial_test(more: int, less: int) -> None:
    found = _pair(*(_spread_out(count, phase_s) for count, phase_s in ((more, 0.0), (less, 5e4))))
    test = stats.binomtest(more, more + less)
    tails = stats.binom.cdf(more, more + less, 0.5), stats.binom.sf(more - 1, more + less, 0.5)
    assert found.p_value == pytest.approx(min(1.0, 2.0 * min(tails)), rel=1e-6)
    low, high = test.proportion_ci(method="exact")
    assert found.ratio is not None
    assert found.ratio.value == pytest.approx(more / less)
    assert found.ratio.low == pytest.approx(low / (1.0 - low))
    assert found.ratio.high == pytest.approx(high / (1.0 - high))


def test_replications_that_all_lost_two_are_no_proof() -> None:
    ours, theirs = [_losses() for _ in range(3)], [_singly(n, 2) for n in range(3)]
    found = _pair(ours, theirs)
    assert found.p_value == pytest.approx(2.0 * 0.5**6)
    assert found.difference.low is not None
    assert found.difference.high is not None
    assert found.difference.low < found.difference.value < found.difference.high < 0.0


def test_one_outage_that_lost_many_is_one() -> None:
    found = _pair([_losses((0.0, 400)), _losses()], [_losses(), _losses()])
    assert found.p_value == 1.0
    assert found.ratio is not None
    assert math.isinf(found.ratio.value)
    assert found.ratio.low is not None
    assert found.ratio.low < 1.0
    assert found.ratio.high is None


def test_what_both_lose_in_the_same_outages_says_nothing_of_their_difference() -> None:
    both = [_losses(*((1e5 * k, 5) for k in range(20))) for _ in range(2)]
    same = _pair(both, both)
    assert (same.p_value, same.difference) == (1.0, (0.0, None, None))
    assert same.ratio == (1.0, None, None)
    found = _pair([_losses(*((1e5 * k, 5 + (k < 5)) for k in range(20))) for _ in range(2)], both)
    assert found.p_value is not None
    assert found.p_value < 0.05
    assert found.ratio is not None
    assert found.ratio.low is not None
    assert found.ratio.high is not None
    assert 1.0 < found.ratio.low < 1.05 < found.ratio.high < 1.2


def test_outages_at_other_times_are_other_outages() -> None:
    found = discordance([_losses((0.0, 3))], [_losses((7200.5, 3))], 1.0)
    assert found is not None
    assert (found.common, found.excess, found.deficit, found.outages) == (0.0, 3.0, 3.0, 2)
    found = discordance([_losses((0.0, 3))], [_losses((7000.0, 2))], 1.0)
    assert found is not None
    assert (found.common, found.excess, found.deficit, found.outages) == (2.0, 1.0, 0.0, 1)


def test_many_that_differ_are_left_to_the_replications() -> None:
    assert discordance([_singly(0, 200)], [_losses()], 1.0) is None
    assert discordance([Losses((), 300, (), tuple(map(float, range(200))))], [_losses()], 1.0) is None


def test_replications_all_alike_inside_and_unlike_each_other_count_for_less() -> None:
    ours, theirs = [_losses() for _ in range(5)], [_singly(n, 3) for n in range(5)]
    clustered = [_singly(0, 15), *(_losses() for _ in range(4))]
    even, unequal = _pair(ours, theirs), _pair(ours, clustered)
    assert even.p_value is not None
    assert unequal.p_value is not None
    assert even.p_value < 0.001 < 0.05 < unequal.p_value


def test_p_value_difference_and_ratio_agree_and_the_intervals_cover() -> None:
    generator = np.random.default_rng(6)
    held, studies = 0, 400
    for _ in range(studies):
        ours, theirs = [], []
        for _ in range(5):
            starts = np.cumsum(generator.exponential(1e6, 40)) + 1e4 * np.arange(40)
            sizes = 1 + generator.poisson(generator.lognormal(1.2, 1.0, 40))
            side = generator.choice(["both", "ours", "theirs", "neither"], 40, p=[0.1, 0.03, 0.12, 0.75])
            for arm, name in ((ours, "ours"), (theirs, "theirs")):
                lost = [(at, int(n)) for at, n, s in zip(starts, sizes, side, strict=True) if s in ("both", name)]
                arm.append(_losses(*lost))
        found = _pair(ours, theirs)
        assert found.p_value is not None
        assert found.ratio is not None
        (_, low, high), (_, least, most) = found.difference, found.ratio
        assert low is not None
        assert high is not None
        assert least is not None
        significant = found.p_value < 0.05
        assert significant == (not low <= 0.0 <= high)
        assert significant == (not least <= 1.0 <= (math.inf if most is None else most))
        held += least <= 13.0 / 22.0 <= (math.inf if most is None else most)
    assert held / studies > 0.95 - 3.0 * math.sqrt(0.05 * 0.95 / studies)


def test_a_cost_that_follows_the_losses_is_as_sure_as_they_are() -> None:
    ours, theirs = [_losses() for _ in range(4)], [_singly(n, 2 - (n == 3)) for n in range(4)]
    lost = _pair(ours, theirs)
    causes = [-0.002, -0.002, -0.002, -0.001]
    base = [10.0, 10.0, 10.0, 10.0]
    cost = [10.0 - 5.0 * cause for cause in causes]
    found = explained(cost, base, lost, causes)
    assert found is not None
    assert found.p_value == lost.p_value
    assert lost.difference.low is not None
    assert found.difference.high == pytest.approx(-5.0 * lost.difference.low)
    assert found.ratio is not None
    assert found.ratio.low is not None
    assert found.ratio.low > 1.0
    assert explained([10.3, 9.9, 10.1, 10.2], base, lost, causes) is None
    assert explained(base, base, lost, causes) is None
