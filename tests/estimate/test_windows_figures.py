"""Figures of a weighted sample: values by hand, and intervals with the coverage that they claim."""

import math

import numpy as np
import pytest
from scipy.stats import chi2

from des.engine import names
from des.estimate.estimate import Estimate
from des.estimate.exact import exact
from des.estimate.windows_figures import (
    ArmSample,
    _shares_above,
    fay_feuer,
    figures,
    lost_share,
    percentile,
    t_quantile,
)
from des.estimate.windows_population import STEADY, Population, population
from des.estimate.windows_sample import Sample
from des.estimate.windows_segments import COST, COUNTED, LOST, OK, REQUESTS, Tally
from des.scenario.plan import Plan
from estimate.windowed import PAIR, plan_of


def test_with_equal_weights_the_interval_is_the_exact_one_of_a_poisson_count() -> None:
    """Garwood 1936."""
    weight = 1e-4
    for count in (0, 1, 5, 40):
        low, high = fay_feuer(count * weight, count * weight**2, weight)
        assert low == pytest.approx(weight * chi2.ppf(0.025, 2 * count) / 2 if count else 0.0)
        assert high == pytest.approx(weight * chi2.ppf(0.975, 2 * count + 2) / 2)


def test_shares_above_are_those_whose_exact_bounds_just_hold_the_share() -> None:
    """With equal weights: the counts whose bounds (Garwood 1936) end at the one that is to be expected."""
    weight, expected = 1e-4, 20.0
    more, fewer = _shares_above(expected * weight, expected * weight**2, weight)
    assert chi2.ppf(0.025, 2 * more / weight) / 2 == pytest.approx(expected)
    assert chi2.ppf(0.975, 2 * fewer / weight + 2) / 2 == pytest.approx(expected)
    assert _shares_above(0.01, 0.0, 0.0) == pytest.approx((0.01, 0.01))


def test_unequal_weights_cover_at_least_as_often_as_claimed() -> None:
    rng = np.random.default_rng(5)
    weights, means = np.array([1.0, 10.0]), np.array([3.0, 0.4])
    counts = rng.poisson(means, (2000, 2))
    covered = 0
    for one in counts:
        low, high = fay_feuer(float(one @ weights), float(one @ weights**2), 10.0)
        covered += low <= means @ weights <= high
    assert covered / len(counts) > 0.945


def test_few_degrees_of_freedom_widen() -> None:
    assert t_quantile(math.inf) == pytest.approx(1.959964, abs=1e-6)
    assert t_quantile(5.0) == pytest.approx(2.570582, abs=1e-6)
    assert t_quantile(2.5) > t_quantile(3.0)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plan_of(PAIR, rate="1/s")


@pytest.fixture(scope="module")
def drawn(plan: Plan) -> Population:
    return population({plan.arm: plan}, 0.5, 300.0, 60.0)


CAUSES = len(names(plan_of(PAIR))["requests"]["lost_to"])


def tally(requests: int, lost: int, cost: float, bins: tuple[int, ...] = (500,)) -> Tally:
    values = np.zeros(COUNTED + 2 + CAUSES)
    values[[REQUESTS, OK, LOST, COST]] = requests, requests - lost, lost, cost
    counts = np.full(len(bins), (requests - lost) / len(bins))
    return Tally(values, np.array(bins), counts, requests)


def sampled(plan: Plan, drawn: Population, **by_stratum: list[Tally]) -> ArmSample:
    """Draws of 100 s each: those given by the stratum's place, and three of 100 requests served elsewhere."""
    sample = Sample(by_arm=[[]])
    for number in range(len(drawn.strata)):
        for each in by_stratum.get(f"s{number}", [tally(100, 0, 1.0)] * 3):
            sample.stratum.append(number)
            sample.measure.append(100.0)
            sample.by_arm[0].append(each)
    return ArmSample(plan, 0, drawn, sample)


def test_a_share_is_the_mean_of_strata_weighted_by_their_measure(plan: Plan, drawn: Population) -> None:
    number = next(n for n, each in enumerate(drawn.strata) if each.down == 1 and each.kind == STEADY)
    found = sampled(plan, drawn, **{f"s{number}": [tally(100, 30, 2.0), tally(100, 50, 2.0)]})
    share = drawn.measures[number] / drawn.measures.sum()
    plain = found.ratio(found.sums(LOST), found.sums(REQUESTS))
    assert plain is not None
    assert plain.value == pytest.approx(0.4 * share)
    cost = figures(found)["cost_usd_per_request"]
    assert isinstance(cost, Estimate)
    assert cost.known == pytest.approx((1.0 + share) / 100.0)


def test_the_variance_is_that_of_the_draws_and_of_the_drawn_years(plan: Plan, drawn: Population) -> None:
    number = next(n for n, each in enumerate(drawn.strata) if each.down == 1 and each.kind == STEADY)
    found = sampled(plan, drawn, **{f"s{number}": [tally(100, 30, 1.0), tally(100, 50, 1.0)] * 50})
    ratio = found.ratio(found.sums(LOST), found.sums(REQUESTS))
    assert ratio is not None
    whole, measure = drawn.measures.sum(), drawn.measures[number]
    spread = 0.1**2 * 100 / 99
    sampling = (measure / whole) ** 2 * spread / 100
    finite = measure * 100.0 / whole**2 * 0.1**2
    mean = np.where(np.arange(len(drawn.strata)) == number, 0.4, 0.0) - ratio.value
    blocks = drawn.by_block @ mean / whole
    assert ratio.variance == pytest.approx(sampling + finite + len(blocks) * blocks.var(ddof=1), rel=1e-9)


def test_losses_that_no_draw_met_have_an_upper_bound(plan: Plan, drawn: Population) -> None:
    found = lost_share(sampled(plan, drawn))
    assert found.low == 0.0
    assert found.high is not None
    heaviest = drawn.measures.max() / drawn.measures.sum() / 300
    assert found.high > heaviest


def test_a_percentile_is_that_of_the_weighted_latencies(plan: Plan, drawn: Population) -> None:
    """One stratum is slow: the percentile jumps to it where its weight begins."""
    number = next(n for n, each in enumerate(drawn.strata) if each.down == 1 and each.kind == STEADY)
    found = sampled(plan, drawn, **{f"s{number}": [tally(100, 0, 1.0, bins=(900,))] * 3})
    share = drawn.measures[number] / drawn.measures.sum()
    fast, slow = percentile(found, 1.0 - share - 0.001), percentile(found, 1.0 - share + 0.001)
    edge = percentile(sampled(plan, drawn), 0.5)
    assert fast.known == edge.known
    assert slow.known > fast.known
    assert fast.low is not None
    assert fast.low < fast.known


def test_the_closed_form_of_total_outages_narrows_the_losses(plan: Plan, drawn: Population) -> None:
    """Where all is lost while both are down and nothing else, what the drawn years have too much is taken off."""
    down = {f"s{n}": [tally(100, 100, 0.0)] * 3 for n, each in enumerate(drawn.strata) if each.all_down[0]}
    found = sampled(plan, drawn, **down)
    plain = found.ratio(found.sums(LOST), found.sums(REQUESTS))
    assert plain is not None
    controlled = found.lost()
    assert controlled.variance < 0.1 * plain.variance
    assert controlled.value == pytest.approx(exact(plan).all_down, rel=1e-6)
