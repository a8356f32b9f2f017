"""Limiters, queues, cooldowns and breakers against simulation and limits."""

import math

import numpy as np
import pytest
from scipy.stats import poisson

from des.theory import limiters
from des.theory.limiters import blackout_share, breaker_cycle, cooldown_lost_share


def md1b_blocked(load: float, room: int) -> float:
    """P(blocked) of an M/D/1 queue with room for `room` customers, by the chain embedded at departures."""
    arrivals = [poisson.pmf(k, load) for k in range(room + 1)]
    chain = np.zeros((room, room))  # customers left behind by a departure: 0 .. room - 1
    for left in range(room):
        start = max(left, 1)
        for k in range(room):
            after = start - 1 + k
            if after < room - 1:
                chain[left, after] += arrivals[k]
        chain[left, room - 1] = 1.0 - chain[left, : room - 1].sum()
    system = np.vstack([chain.T - np.eye(room), np.ones(room)])
    left_behind = np.linalg.lstsq(system, np.append(np.zeros(room), 1.0), rcond=None)[0]
    return 1.0 - 1.0 / (left_behind[0] + load)


@pytest.mark.parametrize("load", [0.3, 0.8, 1.0, 1.2, 3.0])
@pytest.mark.parametrize("burst", [1, 2, 5, 12])
def test_a_token_bucket_refuses_what_a_queue_of_its_missing_tokens_blocks(load: float, burst: int) -> None:
    assert limiters.token_bucket_refused(load, burst) == pytest.approx(md1b_blocked(load, burst), rel=1e-8, abs=1e-13)


def test_a_bucket_of_one_token_is_a_dead_time_of_one_refill() -> None:
    # after an accepted call, 1/r without a token: refused rho/(1 + rho)
    assert limiters.token_bucket_refused(0.7, 1) == pytest.approx(0.7 / 1.7)


@pytest.mark.parametrize(("load", "burst"), [(1.1, 50), (0.95, 200), (2.0, 120)])
def test_large_bursts_keep_their_digits(load: float, burst: int) -> None:
    refused = limiters.token_bucket_refused(load, burst)
    assert refused == pytest.approx(md1b_blocked(load, burst), rel=1e-6)
    assert refused >= max(0.0, 1.0 - 1.0 / load)


def test_a_token_bucket_agrees_with_walking_its_tokens() -> None:
    rng = np.random.default_rng(47)
    rate, refill, burst, calls = 1.2, 1.0, 4, 200_000
    tokens, refused, blocks = float(burst), 0, []
    for number, gap in enumerate(rng.exponential(1.0 / rate, calls).tolist(), start=1):
        tokens = min(burst, tokens + gap * refill)
        if tokens >= 1.0:
            tokens -= 1.0
        else:
            refused += 1
        if number % 2000 == 0:
            blocks.append(refused / 2000)
            refused = 0
    error = np.std(blocks, ddof=1) / math.sqrt(len(blocks))
    assert abs(np.mean(blocks) - limiters.token_bucket_refused(rate / refill, burst)) <= 4.0 * error


def test_sixty_a_minute_at_one_a_second_refuse_51_percent_by_window_and_96_by_log() -> None:
    assert limiters.fixed_window_refused(1.0, 60, 60.0) == pytest.approx(0.051, abs=5e-4)
    assert limiters.sliding_log_refused(1.0, 60, 60.0) == pytest.approx(0.096, abs=5e-4)


def test_a_fixed_window_refuses_the_mean_excess_of_a_poisson_number() -> None:
    mean, calls = 7.5, 6
    excess = sum(max(0, k - calls) * poisson.pmf(k, mean) for k in range(80))
    assert limiters.fixed_window_refused(2.5, calls, 3.0) == pytest.approx(excess / mean)


def test_a_sliding_log_agrees_with_keeping_one() -> None:
    rng = np.random.default_rng(53)
    rate, calls, window = 1.0, 5, 4.0
    accepted: list[float] = []
    now, refused, blocks = 0.0, 0, []
    for number, gap in enumerate(rng.exponential(1.0 / rate, 100_000).tolist(), start=1):
        now += gap
        if len(accepted) < calls or accepted[-calls] <= now - window:
            accepted.append(now)
        else:
            refused += 1
        if number % 2000 == 0:
            blocks.append(refused / 2000)
            refused = 0
    error = np.std(blocks, ddof=1) / math.sqrt(len(blocks))
    assert abs(np.mean(blocks) - limiters.sliding_log_refused(rate, calls, window)) <= 4.0 * error


def test_erlang_b_is_the_truncated_poisson_distribution_and_overflow_its_sum() -> None:
    load, servers = 6.0, 9
    whole = sum(poisson.pmf(k, load) for k in range(servers + 1))
    assert limiters.erlang_b(servers, load) == pytest.approx(poisson.pmf(servers, load) / whole)
    assert limiters.overflow_refused(5, 4, load) == limiters.erlang_b(9, load)
    assert limiters.erlang_b(0, load) == 1.0


def test_erlang_c_agrees_with_the_birth_and_death_chain() -> None:
    servers, load = 4, 3.1
    weights = [1.0]
    for k in range(1, 600):
        weights.append(weights[-1] * load / min(k, servers))
    total = sum(weights)
    assert limiters.erlang_c(servers, load) == pytest.approx(sum(weights[servers:]) / total)
    queued = sum((k - servers) * w for k, w in enumerate(weights) if k > servers) / total
    rate, mean_service = load / 2.0, 2.0
    wait = limiters.erlang_c_mean_wait(servers, load, mean_service)
    assert limiters.little_mean_number(rate, wait) == pytest.approx(queued)


def test_pollaczek_khinchine_is_erlang_c_for_one_exponential_server_and_half_of_it_for_a_constant_one() -> None:
    rate, mean = 0.7, 1.0
    exponential = limiters.pollaczek_khinchine_wait(rate, mean, 2.0 * mean**2)
    assert exponential == pytest.approx(limiters.erlang_c_mean_wait(1, rate * mean, mean))
    assert limiters.pollaczek_khinchine_wait(rate, mean, mean**2) == pytest.approx(exponential / 2.0)


def test_a_bounded_queue_lies_between_no_queue_and_an_endless_one() -> None:
    assert limiters.bounded_queue_refused(4, 0, 3.0) == pytest.approx(limiters.erlang_b(4, 3.0))
    assert limiters.bounded_queue_mean_wait(4, 0, 3.0, 2.0) == 0.0
    assert limiters.bounded_queue_refused(4, 200, 3.0) == pytest.approx(0.0, abs=1e-12)
    endless = limiters.erlang_c_mean_wait(4, 3.0, 2.0)
    assert limiters.bounded_queue_mean_wait(4, 200, 3.0, 2.0) == pytest.approx(endless)


def test_one_server_with_a_bounded_queue_refuses_the_last_of_a_geometric_distribution() -> None:
    # M/M/1/5: (1 - rho) rho^5 / (1 - rho^6)
    rho = 0.8
    assert limiters.bounded_queue_refused(1, 4, rho) == pytest.approx((1 - rho) * rho**5 / (1 - rho**6))
    assert limiters.bounded_queue_refused(1, 4, 1.0) == pytest.approx(1.0 / 6.0)


def test_a_bounded_queue_serves_at_most_its_servers_and_waits_nearly_full_under_overload() -> None:
    refused = limiters.bounded_queue_refused(3, 10, 30.0)
    assert 30.0 * (1.0 - refused) == pytest.approx(3.0, rel=1e-3)
    assert limiters.bounded_queue_mean_wait(3, 10, 30.0, 1.0) == pytest.approx(10.0 / 3.0, rel=0.05)


@pytest.mark.parametrize(("deployments", "refusal"), [(2, 0.05), (2, 0.2), (3, 0.2)])
def test_a_group_is_out_as_often_as_servers_are_all_busy(deployments: int, refusal: float) -> None:
    rng = np.random.default_rng(83)
    rate, cools_s, calls = 2.0, 5.0, 100_000
    cools_until = [0.0] * deployments
    now, lost, batches = 0.0, 0, []
    gaps, refused = rng.exponential(1.0 / rate, calls).tolist(), (rng.random(calls) < refusal).tolist()
    for number, (gap, refuses) in enumerate(zip(gaps, refused, strict=True), start=1):
        now += gap
        left = [one for one in range(deployments) if cools_until[one] <= now]
        if not left or refuses:
            lost += 1
        if left and refuses:
            cools_until[left[number % len(left)]] = now + cools_s
        if number % 2000 == 0:
            batches.append(lost / 2000)
            lost = 0
    error = np.std(batches, ddof=1) / math.sqrt(len(batches))
    assert abs(np.mean(batches) - cooldown_lost_share(deployments, rate, refusal, cools_s)) <= 4.0 * error


def test_one_refusal_in_twenty_blacks_two_busy_deployments_out_half_of_the_time() -> None:
    """10 calls a second, cooldowns of 5 s: a load of 2.5 on two servers."""
    assert blackout_share(2, 10.0, 0.05, 5.0) == pytest.approx(0.4717, abs=1e-4)
    assert cooldown_lost_share(2, 10.0, 0.05, 5.0) == pytest.approx(0.4981, abs=1e-4)
    assert cooldown_lost_share(2, 10.0, 0.05, 0.0) == 0.05


@pytest.mark.parametrize("failures", [1, 3])
def test_the_means_of_a_cycle_agree_with_calling_through_a_breaker(failures: int) -> None:
    rng = np.random.default_rng(59)
    mttf, mttr, rate, open_s = 20.0, 6.0, 1.5, 4.0
    lam, mu = 1.0 / mttf, 1.0 / mttr
    s, u = lam + mu, mttr / (mttf + mttr)
    cycles: list[tuple[int, int, int]] = []
    down, streak, open_until, now = False, 0, -1.0, 0.0
    counts = [1, 0, 0]  # the cycle starts with the successful probe that closed the breaker
    gaps, draws = iter(rng.exponential(1.0 / rate, 400_000).tolist()), iter(rng.random(400_000).tolist())
    probing = False
    for gap, draw in zip(gaps, draws, strict=True):
        now += gap
        stays = math.exp(-s * gap)
        down = draw < (u + (1.0 - u) * stays if down else u * (1.0 - stays))
        if now < open_until:
            counts[2] += 1
        elif down:
            counts[1] += 1
            streak += 1
            if probing or streak == failures:
                open_until, probing, streak = now + open_s, True, 0
        else:
            streak = 0
            if probing:
                cycles.append((counts[0], counts[1], counts[2]))
                counts, probing = [1, 0, 0], False
            else:
                counts[0] += 1
    table = np.array(cycles, dtype=float)
    exact = breaker_cycle(mttf, mttr, rate, failures, open_s)
    errors = table.std(axis=0, ddof=1) / math.sqrt(len(table))
    means = np.array([exact.successes, exact.failures, exact.refusals])
    assert (np.abs(table.mean(axis=0) - means) <= 4.0 * errors).all()
    assert exact.availability == pytest.approx(exact.successes / means.sum())


def test_a_large_bucket_under_a_light_load_refuses_next_to_nobody() -> None:
    assert 0.0 < limiters.token_bucket_refused(0.2, 60) < 1e-40
