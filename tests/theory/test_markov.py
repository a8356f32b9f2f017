"""Small chains against their closed forms and simulation."""

import numpy as np
import pytest

from des.theory import markov


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
