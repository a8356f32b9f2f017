"""Retries against simulation of each attempt, and the worked figure for retries inside an outage."""

import math

import numpy as np
import pytest

from des.theory import retries
from des.theory.markov import generator


def test_attempts_are_the_truncated_geometric_mean() -> None:
    q, n = 0.3, 5
    by_hand = sum(k * q ** (k - 1) * (1 - q) for k in range(1, n)) + n * q ** (n - 1)
    assert retries.expected_attempts(q, n) == pytest.approx(by_hand)
    assert retries.expected_attempts(1.0, n) == n
    assert retries.expected_attempts(0.0, n) == 1.0


@pytest.mark.parametrize("jitter", ["none", "full", "equal"])
def test_the_mean_time_with_backoff_agrees_with_simulation(jitter: str) -> None:
    rng = np.random.default_rng(37)
    q, n, success_s, failure_s, base_s, factor, cap_s = 0.6, 5, 1.2, 0.3, 0.5, 3.0, 6.0
    trials = 100_000
    time, going = np.zeros(trials), np.ones(trials, dtype=bool)
    for k in range(1, n + 1):
        failed = rng.random(trials) < q
        time += np.where(going, np.where(failed, failure_s, success_s), 0.0)
        going &= failed
        if k < n:
            wait = min(cap_s, base_s * factor ** (k - 1))
            low = {"none": wait, "full": 0.0, "equal": wait / 2.0}[jitter]
            time += np.where(going, rng.uniform(low, wait + 1e-300, trials), 0.0)
    exact = retries.expected_time_s(
        q, n, success_s, failure_s, base_s=base_s, factor=factor, cap_s=cap_s, jitter=jitter
    )
    assert abs(time.mean() - exact) <= 4.0 * time.std() / math.sqrt(trials)


def test_three_retries_within_seconds_do_not_outlast_an_hour_of_outage() -> None:
    # a failure every thirty days, an hour to repair: gaps of 1, 2, 4 s leave 1.38e-3, not 3.7e-12
    mttf, mttr = 720.0 * 3600.0, 3600.0
    assert retries.all_fail_in_outage(mttf, mttr, [1.0, 2.0, 4.0]) == pytest.approx(1.38e-3, abs=5e-6)
    assert (mttr / (mttf + mttr)) ** 4 == pytest.approx(3.7e-12, rel=2e-3)


def test_failing_throughout_an_outage_agrees_with_the_matrix_exponential() -> None:
    from scipy.linalg import expm

    mttf, mttr, gaps = 50.0, 7.0, [1.0, 2.0, 4.0]
    matrix = generator(("up", "down"), {("up", "down"): 1.0 / mttf, ("down", "up"): 1.0 / mttr})
    exact = mttr / (mttf + mttr) * math.prod(expm(matrix * gap)[1, 1] for gap in gaps)
    assert retries.all_fail_in_outage(mttf, mttr, gaps) == pytest.approx(exact)
