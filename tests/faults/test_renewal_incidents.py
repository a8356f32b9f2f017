"""Alternating up and down times against renewal theory."""

import math

import numpy as np
import pytest
from fault_plans import assert_agrees, one_endpoint, plan_of, timelines, up_down
from scipy import stats

from des.distributions import Constant, Distribution, Empirical, Exponential, Gamma, Lognormal, Uniform, Weibull
from des.faults import draw_timeline
from des.faults.episodes import all_down, down_share, endpoint_down, episodes_started

DISTRIBUTIONS: list[tuple[Distribution, Distribution]] = [
    (Exponential(400.0), Exponential(100.0)),
    (Weibull(0.7, 400.0), Lognormal(4.0, 1.0)),
    (Lognormal(5.0, 1.2), Gamma(0.5, 200.0)),
    (Gamma(3.0, 100.0), Weibull(2.0, 80.0)),
    (Uniform(100.0, 500.0), Constant(60.0)),
    (Constant(300.0), Uniform(0.0, 200.0)),
    (Empirical((10.0, 100.0, 700.0)), Empirical((0.0, 5.0, 90.0))),
]


@pytest.mark.parametrize(("up", "down"), DISTRIBUTIONS)
@pytest.mark.parametrize("horizon_in_cycles", [0.6, 15.0])
def test_unavailability_and_episode_rate_are_in_equilibrium_from_the_start(
    up: Distribution, down: Distribution, horizon_in_cycles: float
) -> None:
    cycle_s = up.mean + down.mean
    horizon_s = horizon_in_cycles * cycle_s
    drawn = [endpoint_down(timeline, 0) for timeline in timelines(one_endpoint(up_down(up, down)), 500, horizon_s)]
    assert_agrees([down_share(episodes, horizon_s) for episodes in drawn], down.mean / cycle_s)
    if down != Empirical((0.0, 5.0, 90.0)):  # a down time of zero is no episode
        assert_agrees([episodes_started(episodes, horizon_s) for episodes in drawn], horizon_in_cycles)


@pytest.mark.parametrize("horizon_s", [50.0, 800.0])
def test_share_of_downtime_of_exponential_times_has_the_exact_variance(horizon_s: float) -> None:
    failure, repair = 1 / 400.0, 1 / 100.0
    down, both = failure / (failure + repair), failure + repair
    variance = 2 * down * (1 - down) / horizon_s**2 * (horizon_s / both - (1 - math.exp(-both * horizon_s)) / both**2)
    plan = one_endpoint(up_down(Exponential(400.0), Exponential(100.0)))
    shares = [down_share(endpoint_down(one, 0), horizon_s) for one in timelines(plan, 1500, horizon_s)]
    assert_agrees([(share - down) ** 2 for share in shares], variance)


def test_no_downtime_at_all_has_the_probability_of_being_up_and_staying_so() -> None:
    plan = one_endpoint(up_down(Exponential(400.0), Lognormal(4.0, 1.0)))
    down_s = Lognormal(4.0, 1.0).mean
    clean = [float(len(one) == 0) for one in timelines(plan, 1000, 200.0)]
    assert_agrees(clean, 400.0 / (400.0 + down_s) * math.exp(-200.0 / 400.0))


def test_downtime_from_an_up_start_follows_takacs() -> None:
    horizon_s, bound_s = 1000.0, 150.0
    plan = one_endpoint(up_down(Exponential(400.0), Exponential(100.0)), start_up=True)
    within = [
        float(down_share(endpoint_down(one, 0), horizon_s) * horizon_s <= bound_s)
        for one in timelines(plan, 1000, horizon_s)
    ]
    counts = np.arange(0, 40)
    sums_below = np.concatenate(([1.0], stats.gamma.cdf(bound_s, counts[1:], scale=100.0)))
    exact = float((stats.poisson.pmf(counts, (horizon_s - bound_s) / 400.0) * sums_below).sum())
    assert_agrees(within, exact)


def test_independent_pair_is_down_together_as_often_as_the_product_says() -> None:
    first, second = (Weibull(0.7, 400.0), Lognormal(4.0, 1.0)), (Uniform(100.0, 500.0), Exponential(60.0))
    plan = plan_of({"a/m": [up_down(*first)], "b/m": [up_down(*second)]}, endpoints=["a/m", "b/m"])
    cycle1, cycle2 = first[0].mean + first[1].mean, second[0].mean + second[1].mean
    u1, u2 = first[1].mean / cycle1, second[1].mean / cycle2
    horizon_s = 20_000.0
    both = [all_down(one, [0, 1]) for one in timelines(plan, 100, horizon_s)]
    assert_agrees([down_share(episodes, horizon_s) for episodes in both], u1 * u2)
    assert_agrees([episodes_started(one, horizon_s) / horizon_s for one in both], u2 / cycle1 + u1 / cycle2)


def test_an_up_start_begins_with_a_whole_up_time() -> None:
    plan = one_endpoint(up_down(Constant(300.0), Constant(60.0)), start_up=True)
    timeline = draw_timeline(plan, 0, 1000.0)
    assert timeline.start_s.tolist() == [300.0, 660.0]
    assert timeline.end_s.tolist() == [360.0, 720.0]


def test_a_component_that_is_never_up_is_one_episode() -> None:
    timeline = draw_timeline(one_endpoint(up_down(Constant(0.0), Exponential(60.0))), 0, 5000.0)
    episodes = endpoint_down(timeline, 0)
    assert len(timeline) > 20
    assert len(episodes.start_s) == 1
    assert down_share(episodes, 5000.0) == 1.0
