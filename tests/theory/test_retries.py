"""Retries, and the budgets on them, against simulation and balance."""

import math
import random
from collections import deque
from collections.abc import Callable

import numpy as np
import pytest

from des.rules.guards import rejection_probability
from des.rules.retry import (
    active_share_admits,
    quota_admits,
    quota_returned,
    ratio_admits,
    thousandths,
    throttle_admits,
    throttle_after,
)
from des.theory import retries
from des.theory.markov import generator
from des.theory.retries import (
    active_budget_load,
    collapse_feeds_itself,
    layers_attempts,
    quota_attempts,
    quota_drift,
    ratio_budget_load,
    throttle_attempts,
    throttle_break_even,
    throttled_load,
)


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


BATCH = 2000


def agrees(attempts_of_requests: list[int], exact: float) -> bool:
    """Within four standard errors, of batches long against the budget's memory; the first half forgotten."""
    kept = attempts_of_requests[len(attempts_of_requests) // 2 :]
    batches = np.array(kept[: len(kept) // BATCH * BATCH], dtype=float).reshape(-1, BATCH).mean(axis=1)
    return bool(abs(batches.mean() - exact) <= 4.0 * batches.std(ddof=1) / math.sqrt(len(batches)))


def walked(
    requests: int, failure: float, retries: int, admits: Callable[[], bool], learns: Callable[[int, bool], None]
) -> list[int]:
    """Attempts of each request; `learns` gets each attempt's number within its request and whether it served."""
    draw, counts = random.Random(71), []
    for _ in range(requests):
        for attempt in range(retries + 1):
            served = draw.random() >= failure
            learns(attempt, served)
            if served or attempt == retries or not admits():
                counts.append(attempt + 1)
                break
    return counts


@pytest.mark.parametrize(("failure", "retries"), [(0.03, 2), (0.0909, 1), (0.09, 3), (0.13, 2)])
def test_grpc_throttling_lets_as_many_retries_through_as_its_chain_says(failure: float, retries: int) -> None:
    tokens = thousandths(10)

    def learns(attempt: int, served: bool) -> None:
        nonlocal tokens
        tokens = throttle_after(tokens, 10_000, 100, success=served)

    counts = walked(200_000, failure, retries, lambda: throttle_admits(tokens, 10_000), learns)
    assert agrees(counts, throttle_attempts(failure, retries, 10.0, 0.1))


def test_grpc_throttling_hardly_shows_below_its_break_even_and_ends_retries_above() -> None:
    assert throttle_break_even(0.1) == pytest.approx(0.0909, abs=5e-5)
    assert throttle_attempts(0.02, 1, 10.0, 0.1) == pytest.approx(1.02, abs=1e-4)
    assert throttle_attempts(0.5, 3, 10.0, 0.1) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize(("failure", "retries"), [(0.1, 2), (0.22, 2), (0.25, 1), (0.4, 2)])
def test_an_aws_quota_lets_as_many_retries_through_as_its_chain_says(failure: float, retries: int) -> None:
    quota, taken = 500.0, 0.0

    def admits() -> bool:
        nonlocal quota, taken
        if not quota_admits(quota, 14.0):
            return False
        quota, taken = quota - 14.0, 14.0
        return True

    def learns(attempt: int, served: bool) -> None:
        nonlocal quota
        if served:
            quota = quota_returned(quota, 500.0, taken if attempt else 1.0)

    counts = walked(200_000, failure, retries, admits, learns)
    assert agrees(counts, quota_attempts(failure, retries, 500, 14))


def test_an_aws_quota_runs_out_where_its_drift_turns() -> None:
    # one retry: (1 - q) = 14 q^2
    break_even = (math.sqrt(57.0) - 1.0) / 28.0
    assert quota_drift(break_even, 1, 14.0) == pytest.approx(0.0, abs=1e-12)
    assert quota_drift(0.2, 1, 14.0) == pytest.approx(0.8 - 14.0 * 0.04)
    assert quota_drift(0.2, 2, 14.0) == pytest.approx(0.8 - 14.0 * 0.048)
    assert quota_attempts(0.1, 1, 500, 14) == pytest.approx(1.1, abs=1e-3)
    assert quota_attempts(0.5, 1, 500, 14) < 1.2


def test_a_tenth_as_budget_makes_a_load_of_110_percent_in_an_outage() -> None:
    now, requests, retries, sent = 0.0, deque[float](), deque[float](), 0
    draw = random.Random(73)
    for _ in range(60_000):
        now += draw.expovariate(200.0)
        for log in (requests, retries):
            while log and log[0] <= now - 10.0:
                log.popleft()
        requests.append(now)
        if ratio_admits(len(requests), len(retries), 0.1, 0.0, 10.0):
            retries.append(now)
            sent += 1
    assert ratio_budget_load(0.1, 3) == pytest.approx(1.1)
    assert 1.0 + sent / 60_000 == pytest.approx(1.1, abs=0.002)


def test_so_many_a_second_come_on_top_and_the_attempts_bound_it() -> None:
    assert ratio_budget_load(0.2, 3, per_second=10.0, request_rate=20.0) == pytest.approx(1.7)
    assert ratio_budget_load(0.2, 2, per_second=10.0, request_rate=1.0) == 2.0


def test_a_fifth_of_the_active_calls_makes_a_load_of_125_percent() -> None:
    first, retrying = 1000, 0
    while active_share_admits(retrying, first + retrying, 0.2, 3):
        retrying += 1
    assert active_budget_load(0.2, 3) == 1.25
    assert (first + retrying) / first == pytest.approx(1.25, abs=0.002)


def test_throttled_clients_send_k_times_what_is_accepted() -> None:
    rate, capacity, passed = 100.0, 20.0, 100.0
    for _ in range(3000):
        rejected = rejection_probability(rate * 120.0, min(capacity, passed) * 120.0, 1.5)
        passed += 0.1 * (rate * (1.0 - rejected) - passed)
    assert passed == pytest.approx(throttled_load(rate, capacity, 1.5), rel=1e-3)
    assert throttled_load(25.0, capacity, 1.5) == 25.0


def test_layers_multiply_and_a_storm_keeps_itself_alive_above_capacity() -> None:
    assert layers_attempts([4, 3]) == 12
    assert collapse_feeds_itself(280.0, 2, 300.0)
    assert not collapse_feeds_itself(140.0, 2, 300.0)
