"""Small Markov chains and silent rot against simulation and each other."""

import math

import numpy as np
import pytest

from des.theory import markov
from des.theory.markov import broken_share, long_run_broken_share


def test_stationary_shares_solve_the_balance_equations() -> None:
    rng = np.random.default_rng(61)
    rates = rng.random((5, 5))
    np.fill_diagonal(rates, 0.0)
    matrix = rates - np.diag(rates.sum(axis=1))
    shares = markov.stationary(matrix)
    assert shares.sum() == pytest.approx(1.0)
    assert shares @ matrix == pytest.approx(np.zeros(5), abs=1e-12)


@pytest.mark.parametrize("fraction", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("load", [1e-4, 0.3, 2.0])
def test_a_pair_repaired_together_is_down_as_its_chain_says(load: float, fraction: float) -> None:
    shares = markov.stationary(markov.common_shock_pair_repaired_together(load, fraction, 1.0))
    assert markov.pair_down_repaired_together(load, fraction) == pytest.approx(shares[3] + shares[4], rel=1e-9)
    # what is common leaves the marginals alone
    assert shares[1] + shares[3] + shares[4] == pytest.approx(load / (1.0 + load), rel=1e-9)


def test_a_pair_repaired_alone_is_down_as_its_chain_says() -> None:
    for rates in ((0.1, 0.2, 0.05, 1.0, 2.0), (1.0, 0.3, 0.0, 0.7, 0.9), (1e-5, 1e-5, 1e-6, 1.0, 1.0)):
        shares = markov.stationary(markov.common_shock_pair(*rates))
        assert markov.pair_down_repaired_alone(*rates) == pytest.approx(shares[3], rel=1e-9)


@pytest.mark.parametrize("fraction", [0.0, 0.2, 1.0])
def test_the_mean_time_to_the_first_total_outage_is_the_chains_first_passage(fraction: float) -> None:
    rate, repair = 0.3, 1.7
    matrix = markov.common_shock_pair_repaired_together(rate, fraction, repair)
    exact = markov.mean_first_passage(matrix, 0, (3, 4))
    assert markov.mean_time_to_total_outage(rate, fraction, repair) == pytest.approx(exact)
    assert markov.mean_first_passage(matrix, 3, (3, 4)) == 0.0


def test_the_mean_time_to_the_first_total_outage_agrees_with_simulation() -> None:
    rng = np.random.default_rng(67)
    rate, fraction, repair = 0.5, 0.2, 1.0
    private, common = (1.0 - fraction) * rate, fraction * rate
    times = []
    for _ in range(20_000):
        time, one_down = 0.0, False
        while True:
            leave = repair + rate if one_down else 2.0 * private + common
            time += rng.exponential(1.0 / leave)
            if rng.random() * leave < (rate if one_down else common):
                break
            one_down = not one_down
        times.append(time)
    error = np.std(times) / np.sqrt(len(times))
    assert abs(np.mean(times) - markov.mean_time_to_total_outage(rate, fraction, repair)) <= 4.0 * error


def test_occupation_times_sum_to_the_time_and_tend_to_the_stationary_shares() -> None:
    matrix = markov.common_shock_pair(0.1, 0.2, 0.05, 1.0, 2.0)
    state, spent = markov.occupation(matrix, np.array([1.0, 0.0, 0.0, 0.0]), 400.0)
    assert spent.sum() == pytest.approx(400.0)
    assert state == pytest.approx(markov.stationary(matrix))
    assert spent / 400.0 == pytest.approx(markov.stationary(matrix), rel=0.01)


TIME_TO_ROT, USE_RATE, REPAIR, HORIZON = 12.0, 0.25, 2.0, 60.0


def lives(runs: int, probe_every: float | None, seed: int) -> list[float]:
    """Broken share of [0, horizon] of `runs` legs, life by life."""
    rng = np.random.default_rng(seed)
    shares = []
    for _ in range(runs):
        now = broken = 0.0
        while now < HORIZON:
            rotten = now + rng.exponential(TIME_TO_ROT)
            found = rotten + rng.exponential(1.0 / USE_RATE)
            if probe_every is not None:
                found = min(found, math.ceil(rotten / probe_every) * probe_every)
            now = found + rng.exponential(REPAIR)
            broken += max(0.0, min(now, HORIZON) - min(rotten, HORIZON))
        shares.append(broken / HORIZON)
    return shares


@pytest.mark.parametrize("probe_every", [None, 1.5, 7.0])
def test_the_broken_share_agrees_with_living_it_through(probe_every: float | None) -> None:
    shares = lives(8000, probe_every, seed=71)
    exact = broken_share(TIME_TO_ROT, USE_RATE, REPAIR, HORIZON, probe_every=probe_every)
    assert abs(np.mean(shares) - exact) <= 4.0 * np.std(shares) / math.sqrt(len(shares))


def test_long_run_and_long_horizon_agree() -> None:
    long_run = long_run_broken_share(TIME_TO_ROT, USE_RATE, REPAIR)
    assert broken_share(TIME_TO_ROT, USE_RATE, REPAIR, 1e5) == pytest.approx(long_run, rel=1e-3)


def test_probes_at_every_instant_leave_the_repair_alone() -> None:
    share = broken_share(TIME_TO_ROT, 1e-9, REPAIR, 400.0, probe_every=0.05)
    assert share == pytest.approx(REPAIR / (TIME_TO_ROT + REPAIR), rel=0.05)
