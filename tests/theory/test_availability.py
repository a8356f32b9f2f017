"""Availability, downtime within a window and residual lives, against simulation and numerical integration."""

import itertools
import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from scipy.integrate import quad

from des.distributions import Constant, Distribution, Exponential, Gamma, Lognormal, Uniform, Weibull
from des.theory import availability as av
from des.theory.availability import (
    _compound_poisson_cdf,
    downtime_cdf,
    downtime_share_variance,
    lognormal_residual,
    no_downtime,
    residual_cdf,
    residual_mean,
    weibull_residual,
)


def test_two_and_three_providers_at_995_have_the_published_nines() -> None:
    assert 1.0 - av.all_down_if_independent([0.005] * 2) == pytest.approx(0.999975, abs=1e-12)
    assert 1.0 - av.all_down_if_independent([0.005] * 3) == pytest.approx(0.999999875, abs=1e-12)


def test_a_shared_component_agrees_with_enumerating_the_states_of_its_parts() -> None:
    shares = (0.1, 0.2, 0.3)  # shared, private, private
    total = 0.0
    for down in itertools.product((False, True), repeat=3):
        weight = math.prod(u if d else 1.0 - u for u, d in zip(shares, down, strict=True))
        if all(down[0] or private for private in down[1:]):
            total += weight
    assert av.all_down_with_shared_component(0.1, [0.2, 0.3]) == pytest.approx(total)


def test_a_pair_with_a_common_fraction_agrees_with_the_direct_form_and_keeps_its_digits() -> None:
    for load, fraction in ((0.5, 0.0), (0.5, 0.3), (1.5, 1.0)):
        direct = 1.0 - 2.0 * math.exp(-load) + math.exp(-(2.0 - fraction) * load)
        assert av.pair_down_with_common_fraction(load, fraction) == pytest.approx(direct)
    # rho^2 (1 - rho + ...) + phi rho: at a load of 1e-9 the direct form has no digit left
    assert av.pair_down_with_common_fraction(1e-9, 0.0) == pytest.approx(1e-18, rel=1e-8)


def test_an_independent_pair_overlaps_as_often_and_as_long_as_in_a_long_simulation() -> None:
    rng = np.random.default_rng(11)
    (f1, r1), (f2, r2) = (10.0, 2.0), (7.0, 3.0)
    cycles = 60_000
    first = np.cumsum(np.stack([rng.exponential(f1, cycles), np.full(cycles, r1)]).T.ravel())
    second = np.cumsum(np.stack([rng.gamma(2.0, f2 / 2.0, cycles), rng.exponential(r2, cycles)]).T.ravel())
    until = min(first[-1], second[-1])
    overlaps, both = [], 0.0
    starts_2, ends_2 = second[0::2], second[1::2]
    for start, end in zip(first[0::2], first[1::2], strict=True):
        low, high = np.searchsorted(ends_2, start, side="right"), np.searchsorted(starts_2, end)
        for k in range(low, high):
            overlaps.append(min(end, ends_2[k]) - max(start, starts_2[k]))
    both = sum(overlaps)
    u1, u2 = av.unavailability(f1, r1), av.unavailability(f2, r2)
    e1, e2 = av.episode_rate(f1, r1), av.episode_rate(f2, r2)
    episodes = av.all_down_episode_rate_if_independent([u1, u2], [e1, e2])
    assert both / until == pytest.approx(av.all_down_if_independent([u1, u2]), rel=0.03)
    assert len(overlaps) / until == pytest.approx(episodes, rel=0.03)
    assert u1 * u2 / episodes == pytest.approx(av.mean_overlap_if_independent(r1, r2))


def test_the_mean_joint_share_over_all_circular_shifts_is_the_product_of_the_shares() -> None:
    rng = np.random.default_rng(3)
    first, second = rng.random(500) < 0.2, rng.random(500) < 0.3
    joint = np.mean([np.mean(first & np.roll(second, shift)) for shift in range(500)])
    assert joint == pytest.approx(av.mean_joint_share_over_circular_shifts([first.mean(), second.mean()]))


def test_effective_redundancy_is_two_for_an_independent_pair_and_165_with_a_hundredth_shared() -> None:
    assert av.effective_redundancy(1e-6, [1e-3, 1e-3]) == pytest.approx(2.0)
    shared = av.all_down_with_shared_component(1e-5, [0.99e-3, 0.99e-3])
    assert av.effective_redundancy(shared, [1e-3, 1e-3]) == pytest.approx(1.65, abs=0.005)


MTTF, WINDOW = 4.0, 10.0


def simulated(down: Distribution, runs: int, *, equilibrium: bool, seed: int = 23) -> NDArray[np.float64]:
    """Downtime within the window of `runs` independent components (in equilibrium: exponential times only)."""
    rng = np.random.default_rng(seed)
    now, spent = np.zeros(runs), np.zeros(runs)
    up = rng.random(runs) >= down.mean / (MTTF + down.mean) if equilibrium else np.ones(runs, dtype=bool)
    while (now < WINDOW).any():
        length = np.where(up, rng.exponential(MTTF, runs), down.sample(rng, runs))
        length = np.minimum(length, WINDOW - now)
        spent += np.where(up, 0.0, length)
        now += length
        up = ~up
    return spent


def test_the_variance_of_the_share_of_downtime_agrees_with_simulation() -> None:
    shares = simulated(Exponential(1.5), 40_000, equilibrium=True) / WINDOW
    exact = downtime_share_variance(MTTF, 1.5, WINDOW)
    error = np.sqrt((((shares - shares.mean()) ** 2 - exact) ** 2).mean() / len(shares))
    assert abs(shares.var() - exact) <= 4.0 * error


def test_the_variance_of_a_short_window_is_that_of_its_state() -> None:
    u = 1.5 / 5.5
    assert downtime_share_variance(MTTF, 1.5, 1e-3) == pytest.approx(u * (1.0 - u), rel=1e-2)


def test_the_chance_of_no_downtime_agrees_with_simulation() -> None:
    spent = simulated(Exponential(1.5), 40_000, equilibrium=True)
    exact = no_downtime(MTTF, 1.5, WINDOW)
    assert abs((spent == 0.0).mean() - exact) <= 4.0 * np.sqrt(exact * (1.0 - exact) / len(spent))


@pytest.mark.parametrize("down", [Exponential(1.5), Constant(0.8), Gamma(2.5, 0.4), Lognormal(-0.2, 0.9)], ids=repr)
def test_the_distribution_of_downtime_agrees_with_simulation(down: Distribution) -> None:
    spent = simulated(down, 40_000, equilibrium=False)
    for limit in (0.0, 0.7, 2.1, 5.0):
        exact = downtime_cdf(MTTF, down, WINDOW, limit)
        error = np.sqrt(exact * (1.0 - exact) / len(spent))
        assert abs((spent <= limit).mean() - exact) <= 4.0 * error


def test_the_grid_agrees_with_the_exact_distribution_of_gamma_downtimes() -> None:
    down = Gamma(2.5, 0.4)
    for limit in (0.7, 2.1, 5.0):
        on_grid = _compound_poisson_cdf((WINDOW - limit) / MTTF, down, limit, 1 << 14)
        assert on_grid == pytest.approx(downtime_cdf(MTTF, down, WINDOW, limit), abs=1e-6)


def test_downtime_is_within_the_window() -> None:
    assert downtime_cdf(MTTF, Lognormal(0.0, 1.0), WINDOW, WINDOW) == 1.0
    assert downtime_cdf(MTTF, Lognormal(0.0, 1.0), WINDOW, -1.0) == 0.0


DISTRIBUTIONS = [Exponential(2.0), Uniform(1.0, 4.0), Lognormal(0.3, 0.8), Gamma(0.7, 3.0), Weibull(0.75, 2.5)]


@pytest.mark.parametrize("distribution", DISTRIBUTIONS, ids=repr)
def test_residual_mean_is_the_integral_of_its_survival(distribution: Distribution) -> None:
    total = quad(lambda t: 1.0 - residual_cdf(distribution, t), 0.0, 60.0 * distribution.mean, limit=400)[0]
    assert residual_mean(distribution) == pytest.approx(total, rel=1e-4)


def test_weibull_and_lognormal_residuals_are_drawn_from_the_equilibrium_distribution() -> None:
    rng = np.random.default_rng(5)
    weibull, lognormal = Weibull(0.7, 3.9), Lognormal(0.25, 1.2)
    draws_w = [weibull_residual(weibull, g) for g in rng.gamma(1.0 / weibull.shape, size=4000)]
    draws_l = [
        lognormal_residual(lognormal, u, z) for u, z in zip(rng.random(4000), rng.standard_normal(4000), strict=True)
    ]
    for distribution, draws in ((weibull, draws_w), (lognormal, draws_l)):
        assert (
            stats.kstest(draws, np.vectorize(lambda t, distribution=distribution: residual_cdf(distribution, t))).pvalue
            > 1e-4
        )
