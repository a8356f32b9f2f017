"""Poisson incidents over dependency graphs against the ledger's closed forms."""

import itertools
import math

import numpy as np
import pytest
from exact_ledger import Ledger
from fault_plans import assert_agrees, one_endpoint, plan_of, shocks, timelines
from ledger_graphs import DURATION, GRAPHS
from scipy import special, stats

from des.distributions import Constant, Distribution, Exponential, Lognormal, Uniform, Weibull
from des.faults import draw_timeline
from des.faults.episodes import all_down, down_intervals, down_share, endpoint_down, episodes_started
from des.scenario.plan import Plan, Profile

HOUR_S = 3600.0
WEEK_S = 168 * HOUR_S


@pytest.mark.parametrize("name", GRAPHS)
def test_any_set_of_endpoints_is_up_and_down_as_often_as_the_ledger_says(name: str) -> None:
    plan, horizon_s = GRAPHS[name], 1e6
    ledger = Ledger(plan)
    drawn = list(timelines(plan, 60, horizon_s))
    for size in range(1, len(plan.endpoints) + 1):
        for chosen in itertools.combinations(range(len(plan.endpoints)), size):
            some_down = [down_intervals(one, one.hits[:, list(chosen)].any(axis=1)) for one in drawn]
            every_down = [all_down(one, chosen) for one in drawn]
            picked = frozenset(chosen)
            assert_agrees([1 - down_share(one, horizon_s) for one in some_down], ledger.all_up(picked))
            assert_agrees([down_share(one, horizon_s) for one in every_down], ledger.all_down(picked))
            assert_agrees(
                [episodes_started(one, horizon_s) / horizon_s for one in every_down], ledger.episodes_per_s(picked)
            )


def test_shared_component_adds_its_own_downtime_to_the_product_of_the_private_parts() -> None:
    plan = plan_of(
        {
            "cdn": [shocks(2e-4, DURATION)],
            "a/m": [shocks(3e-4, DURATION)],
            "b/m": [shocks(4e-4, Exponential(500.0))],
        },
        {"a/m": {"cdn": 1.0}, "b/m": {"cdn": 1.0}},
        ["a/m", "b/m"],
    )
    u0, u1, u2 = (1 - math.exp(-rate_per_s * mean_s) for rate_per_s, mean_s in _rates(plan))
    shares = [down_share(all_down(one, [0, 1]), 1e6) for one in timelines(plan, 60, 1e6)]
    assert_agrees(shares, u0 + (1 - u0) * u1 * u2)


def _rates(plan: Plan) -> list[tuple[float, float]]:
    return [(one.rate_per_s, one.duration.mean) for component in plan.components for one in component.incidents]


def test_pair_with_a_common_share_of_incidents_is_down_together_as_the_ledger_says() -> None:
    rate_per_s, common = 4e-4, 0.3
    private = [shocks(rate_per_s * (1 - common), DURATION)]
    plan = plan_of(
        {"net": [shocks(rate_per_s * common, DURATION)], "a/m": private, "b/m": private},
        {"a/m": {"net": 1.0}, "b/m": {"net": 1.0}},
        ["a/m", "b/m"],
    )
    rho = rate_per_s * DURATION.mean
    shares = [down_share(all_down(one, [0, 1]), 1e6) for one in timelines(plan, 60, 1e6)]
    assert_agrees(shares, 1 - 2 * math.exp(-rho) + math.exp(-(2 - common) * rho))


def test_no_downtime_in_a_short_time_counts_the_incidents_open_at_its_start() -> None:
    rate_per_s, horizon_s = 4e-4, 700.0
    clean = [float(len(one) == 0) for one in timelines(one_endpoint(shocks(rate_per_s, DURATION)), 1000, horizon_s)]
    assert_agrees(clean, math.exp(-rate_per_s * (DURATION.mean + horizon_s)))


def weibull_residual_beyond(shape: float, scale: float, x: float) -> float:
    return float(special.gammaincc(1 / shape, (x / scale) ** shape))


def lognormal_residual_beyond(mu: float, sigma: float, x: float) -> float:
    z = (mu - math.log(x)) / sigma
    return float(stats.norm.cdf(z + sigma) - x / Lognormal(mu, sigma).mean * stats.norm.cdf(z))


@pytest.mark.parametrize(
    ("duration", "beyond"),
    [
        (Weibull(0.6, 100.0), lambda x: weibull_residual_beyond(0.6, 100.0, x)),
        (Weibull(2.5, 100.0), lambda x: weibull_residual_beyond(2.5, 100.0, x)),
        (Lognormal(4.0, 1.3), lambda x: lognormal_residual_beyond(4.0, 1.3, x)),
        (Exponential(100.0), lambda x: math.exp(-x / 100.0)),
        (Uniform(0.0, 200.0), lambda x: max(0.0, 1 - x / 200.0) ** 2),
        (Constant(100.0), lambda x: max(0.0, 1 - x / 100.0)),
    ],
)
def test_incidents_open_at_the_start_have_the_residual_and_age_of_equilibrium(duration: Distribution, beyond) -> None:
    plan = one_endpoint(shocks(3.0 / duration.mean, duration))
    drawn = list(timelines(plan, 400, 1.0))
    assert_agrees([float((one.start_s < 0).sum()) for one in drawn], 3.0)
    for x in (20.0, 60.0, 150.0):
        assert_agrees([float(((one.start_s < 0) & (one.end_s > x)).sum()) for one in drawn], 3.0 * beyond(x))
        assert_agrees([float((one.start_s <= -x).sum()) for one in drawn], 3.0 * beyond(x))


def test_incidents_start_at_the_rate_of_each_hour_of_the_week() -> None:
    weights = np.where(np.arange(168) % 24 < 8, 0.0, np.linspace(0.5, 2.5, 168))
    weights *= 168 / weights.sum()
    offset_s, weeks, rate_per_s = 30.5 * HOUR_S, 200, 1e-4
    profile = Profile(weights=tuple(weights.tolist()), offset_s=offset_s)
    plan = one_endpoint(shocks(rate_per_s, Constant(1.0), profile), start_up=True)
    counts = []
    for one in timelines(plan, 40, weeks * WEEK_S):
        hour = ((one.start_s + offset_s) // HOUR_S).astype(int) % 168
        counts.append(np.bincount(hour, minlength=168))
    by_hour = np.array(counts)
    assert by_hour[:, weights == 0].sum() == 0
    expected = weights * rate_per_s * HOUR_S * weeks
    z = (by_hour.mean(axis=0) - expected)[weights > 0] / np.sqrt(expected[weights > 0] / len(counts))
    assert np.abs(z).max() < 4.5  # of 112 hours
    assert 0.6 < (z**2).mean() < 1.5
    assert_agrees(by_hour.sum(axis=1).tolist(), rate_per_s * weeks * WEEK_S)


@pytest.mark.parametrize("offset_hours", [0.0, 9.25, 20.0])
def test_incidents_open_at_the_start_follow_the_profile_of_the_hours_before(offset_hours: float) -> None:
    mean_s, rate_per_s = 5 * HOUR_S, 1 / HOUR_S
    weights = np.tile(np.where((np.arange(24) >= 9) & (np.arange(24) < 17), 2.4, 0.3), 7)
    profile = Profile(weights=tuple(weights.tolist()), offset_s=offset_hours * HOUR_S)
    ages = (np.arange(400_000) + 0.5) * 60.0 / 100.0
    hours = np.floor((offset_hours * HOUR_S - ages) / HOUR_S).astype(int) % 168
    expected = rate_per_s * float((weights[hours] * np.exp(-ages / mean_s)).sum()) * 60.0 / 100.0
    drawn = timelines(one_endpoint(shocks(rate_per_s, Exponential(mean_s), profile)), 300, 1.0)
    assert_agrees([float((one.start_s < 0).sum()) for one in drawn], expected)


def test_an_up_start_has_nothing_open_at_zero() -> None:
    plan = one_endpoint(shocks(0.01, Constant(1000.0)), start_up=True)
    for timeline in timelines(plan, 20, 1000.0):
        assert (timeline.start_s > 0).all()


def test_episodes_of_one_provider_come_at_the_rate_of_incidents_that_find_it_up() -> None:
    plan = one_endpoint(shocks(2e-4, DURATION), shocks(3e-4, Exponential(500.0)))
    exact = 5e-4 * math.exp(-2e-4 * DURATION.mean - 3e-4 * 500.0)
    drawn = [endpoint_down(one, 0) for one in timelines(plan, 40, 1e6)]
    assert_agrees([episodes_started(one, 1e6) / 1e6 for one in drawn], exact)


def test_a_rate_of_zero_makes_no_incidents() -> None:
    assert len(draw_timeline(one_endpoint(shocks(0.0, Constant(10.0))), 0, 1e9)) == 0
