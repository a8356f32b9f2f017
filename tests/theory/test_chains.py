"""Calls and fallback chains against simulation, enumeration and published figures."""

import itertools
import math

import numpy as np
import pytest

from des.distributions import Distribution, Empirical, Exponential, Lognormal, Weibull
from des.theory import chains
from des.theory.chains import (
    ChainLeg,
    DeadlineLeg,
    hedge_share,
    hedged_mean_s,
    mean_under_timeout_s,
    success_under_kills,
)

LOGNORMAL = Lognormal(0.0, 0.8)


def test_the_mean_of_a_lognormal_latency_under_a_timeout_is_the_published_form() -> None:
    from scipy.stats import norm

    m, sigma, t = 0.0, 0.8, 2.5
    form = math.exp(m + sigma**2 / 2) * norm.cdf((math.log(t) - m - sigma**2) / sigma)
    form += t * norm.cdf(-(math.log(t) - m) / sigma)
    assert mean_under_timeout_s(LOGNORMAL, t) == pytest.approx(form)


def test_calls_that_outlive_no_failure_succeed() -> None:
    rng = np.random.default_rng(41)
    trials, mttf, mttr = 200_000, 20.0, 5.0
    calls = LOGNORMAL.sample(rng, trials)
    ok = (rng.random(trials) < mttf / (mttf + mttr)) & (rng.exponential(mttf, trials) > calls)
    exact = success_under_kills(mttf, mttr, LOGNORMAL)
    assert abs(ok.mean() - exact) <= 4.0 * math.sqrt(exact * (1.0 - exact) / trials)


@pytest.mark.parametrize(
    "distribution", [LOGNORMAL, Exponential(1.0), Weibull(0.7, 1.0), Empirical((0.2, 1.0, 9.0))], ids=repr
)
def test_a_hedge_shortens_the_mean_as_in_simulation(distribution: Distribution) -> None:
    rng = np.random.default_rng(43)
    trials, delay = 200_000, 1.1
    first, second = distribution.sample(rng, trials), distribution.sample(rng, trials)
    hedged = np.minimum(first, delay + second)
    assert abs(hedged.mean() - hedged_mean_s(distribution, delay)) <= 4.0 * hedged.std() / math.sqrt(trials)
    sent, exact = (first > delay).mean(), hedge_share(distribution, delay)
    assert abs(sent - exact) <= 4.0 * math.sqrt(exact * (1.0 - exact) / trials)


def test_a_hedge_against_a_memoryless_latency_has_the_mean_of_its_two_phases() -> None:
    # after the delay two exponentials run: m (1 - e^{-h/m}) + e^{-h/m} m/2
    m, h = 2.0, 1.5
    exact = m * (1.0 - math.exp(-h / m)) + math.exp(-h / m) * m / 2.0
    assert hedged_mean_s(Exponential(m), h) == pytest.approx(exact)


@pytest.mark.parametrize("copies", [2, 3])
def test_several_copies_shorten_the_mean_as_in_simulation(copies: int) -> None:
    rng = np.random.default_rng(79)
    trials, delay = 200_000, 0.6
    answers = np.stack([LOGNORMAL.sample(rng, trials) + sent * delay for sent in range(copies + 1)])
    hedged = answers.min(axis=0)
    exact = hedged_mean_s(LOGNORMAL, delay, copies)
    assert abs(hedged.mean() - exact) <= 4.0 * hedged.std() / math.sqrt(trials)
    open_then = [answers[:sent].min(axis=0) > sent * delay for sent in range(1, copies + 1)]
    extra = np.sum(open_then, axis=0)
    share = hedge_share(LOGNORMAL, delay, copies)
    assert abs(extra.mean() - share) <= 4.0 * extra.std() / math.sqrt(trials)


IMAGE_CHAIN = [chains.paid_per_attempt(p, c) for p, c in ((0.97, 0.04), (0.94, 0.03), (0.91, 0.05))]
CALCULATOR = [
    DeadlineLeg(refused, 0.05, Exponential(mean)) for refused, mean in ((0.08, 0.9), (0.05, 0.7), (0.03, 0.543))
]


def walked(legs: list[ChainLeg], rounds: int) -> tuple[float, float, float]:
    """(mean cost, mean attempts, P(served)) by walking each path of outcomes to its end."""
    cost = attempts = served = 0.0
    steps = legs * rounds
    for first_success in range(len(steps) + 1):
        failed = steps[:first_success]
        weight = math.prod(1.0 - leg.success for leg in failed)
        spent = sum(leg.failure_cost for leg in failed)
        count = len(failed)
        if first_success < len(steps):
            weight *= steps[first_success].success
            spent += steps[first_success].success_cost
            count += 1
            served += weight
        cost, attempts = cost + weight * spent, attempts + weight * count
    return cost, attempts, served


def test_the_published_image_chain_costs_004099664_a_request() -> None:
    assert chains.expected_cost(IMAGE_CHAIN, 3) == pytest.approx(0.04099664, abs=5e-9)
    assert chains.served_by(IMAGE_CHAIN, 1)[0] == 0.97


def test_a_hit_rate_of_080_leaves_a_fifth_of_the_cost() -> None:
    whole = chains.expected_cost(IMAGE_CHAIN, 3)
    assert chains.expected_cost(IMAGE_CHAIN, 3, cache_hit_rate=0.8) == pytest.approx(whole / 5.0)


@pytest.mark.parametrize("rounds", [1, 2, 4])
def test_cost_attempts_and_service_agree_with_walking_every_path(rounds: int) -> None:
    legs = [ChainLeg(0.6, 0.05, 0.01), ChainLeg(0.3, 0.02, 0.02), ChainLeg(0.8, 0.4, 0.0)]
    cost, attempts, served = walked(legs, rounds)
    assert chains.expected_cost(legs, rounds) == pytest.approx(cost)
    assert chains.expected_attempts(legs, rounds) == pytest.approx(attempts)
    assert chains.served_probability(legs, rounds) == pytest.approx(served)
    assert sum(chains.served_by(legs, rounds)) == pytest.approx(served)


def test_the_cheapest_order_is_the_best_of_all_orders() -> None:
    rng = np.random.default_rng(29)
    for rounds in (1, 2):
        for _ in range(60):
            legs = [ChainLeg(*rng.uniform((0.05, 0.01, 0.0), (1.0, 1.0, 0.5))) for _ in range(4)]
            ours = chains.expected_cost([legs[k] for k in chains.cheapest_order(legs)], rounds)
            orders = itertools.permutations(legs)
            assert ours == pytest.approx(min(chains.expected_cost(order, rounds) for order in orders))


def test_the_cheapest_order_is_by_cost_over_success_when_paid_and_by_cost_when_failures_are_free() -> None:
    paid = [chains.paid_per_attempt(p, c) for p, c in ((0.5, 0.04), (0.9, 0.06), (0.2, 0.01))]
    free = [ChainLeg(p, c, 0.0) for p, c in ((0.5, 0.04), (0.9, 0.06), (0.2, 0.01))]
    assert chains.cheapest_order(paid) == (2, 1, 0)
    assert chains.cheapest_order(free) == (2, 0, 1)
    assert chains.cheapest_order(
        [chains.paid_per_attempt(p, c) for p, c in ((0.6, 0.05), (0.3, 0.02), (0.8, 0.4))]
    ) == (1, 0, 2)


def test_a_leg_that_never_serves_goes_last_where_it_costs_anything() -> None:
    assert chains.cheapest_order([ChainLeg(0.0, 1.0, 0.1), ChainLeg(0.5, 1.0, 0.1)]) == (1, 0)


def test_the_published_calculator_has_an_exact_success_of_0677() -> None:
    served = chains.served_before_deadline(CALCULATOR, 1.0)
    assert sum(served) == pytest.approx(0.677, abs=5e-4)
    shares = [share / sum(served) for share in served]
    assert shares == pytest.approx([0.914, 0.079, 0.007], abs=0.02)
    for printed, share in zip((0.914, 0.079, 0.007), shares, strict=True):
        assert abs(printed - share) <= 2.0 * math.sqrt(share * (1.0 - share) / 700)
    assert (0.700 - sum(served)) / math.sqrt(sum(served) * (1.0 - sum(served)) / 1000) == pytest.approx(1.6, abs=0.05)


def test_the_published_calculator_has_a_median_of_0615_s_and_may_print_0571_after_a_thousand_trials() -> None:
    """P(at most 571 ms) is 0.474, so half of a thousand trials are 1.6 errors off."""

    def served_within(time_s: float) -> float:
        return math.fsum(chains.served_before_deadline(CALCULATOR, time_s))

    assert served_within(0.6151153651875891) == pytest.approx(0.5)
    for printed, exact in ((0.700, served_within(1.0)), (0.5, served_within(0.571))):
        assert abs(printed - exact) <= 2.0 * math.sqrt(exact * (1.0 - exact) / 1000)


def test_service_within_a_deadline_agrees_with_simulation() -> None:
    rng = np.random.default_rng(31)
    trials = 200_000
    spent, undecided = np.zeros(trials), np.ones(trials, dtype=bool)
    for leg, exact in zip(CALCULATOR, chains.served_before_deadline(CALCULATOR, 1.0), strict=True):
        refused = rng.random(trials) < leg.refused
        in_time = spent + rng.exponential(leg.latency.mean, trials) <= 1.0
        share = (undecided & ~refused & in_time).mean()
        assert abs(share - exact) <= 4.0 * math.sqrt(exact * (1.0 - exact) / trials)
        undecided &= refused
        spent += 0.05


def test_a_deadline_that_refusals_use_up_serves_nobody_later() -> None:
    legs = list(itertools.repeat(DeadlineLeg(0.5, 0.6, Exponential(0.1)), 3))
    assert chains.served_before_deadline(legs, 1.0)[2] == 0.0
