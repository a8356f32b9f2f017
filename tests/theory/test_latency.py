"""Latency under timeouts, kills and hedges against simulation."""

import math

import numpy as np
import pytest

from des.distributions import Distribution, Empirical, Exponential, Lognormal, Weibull
from des.theory import latency

LOGNORMAL = Lognormal(0.0, 0.8)


def test_the_mean_of_a_lognormal_latency_under_a_timeout_is_the_published_form() -> None:
    from scipy.stats import norm

    m, sigma, t = 0.0, 0.8, 2.5
    form = math.exp(m + sigma**2 / 2) * norm.cdf((math.log(t) - m - sigma**2) / sigma)
    form += t * norm.cdf(-(math.log(t) - m) / sigma)
    assert latency.mean_under_timeout_s(LOGNORMAL, t) == pytest.approx(form)


def test_calls_that_outlive_no_failure_succeed() -> None:
    rng = np.random.default_rng(41)
    trials, mttf, mttr = 200_000, 20.0, 5.0
    calls = LOGNORMAL.sample(rng, trials)
    ok = (rng.random(trials) < mttf / (mttf + mttr)) & (rng.exponential(mttf, trials) > calls)
    exact = latency.success_under_kills(mttf, mttr, LOGNORMAL)
    assert abs(ok.mean() - exact) <= 4.0 * math.sqrt(exact * (1.0 - exact) / trials)


@pytest.mark.parametrize("law", [LOGNORMAL, Exponential(1.0), Weibull(0.7, 1.0), Empirical((0.2, 1.0, 9.0))], ids=repr)
def test_a_hedge_shortens_the_mean_as_in_simulation(law: Distribution) -> None:
    rng = np.random.default_rng(43)
    trials, delay = 200_000, 1.1
    first, second = law.sample(rng, trials), law.sample(rng, trials)
    hedged = np.minimum(first, delay + second)
    assert abs(hedged.mean() - latency.hedged_mean_s(law, delay)) <= 4.0 * hedged.std() / math.sqrt(trials)
    sent, exact = (first > delay).mean(), latency.hedge_share(law, delay)
    assert abs(sent - exact) <= 4.0 * math.sqrt(exact * (1.0 - exact) / trials)


def test_a_hedge_against_a_memoryless_latency_has_the_mean_of_its_two_phases() -> None:
    # after the delay two exponentials run: m (1 - e^{-h/m}) + e^{-h/m} m/2
    m, h = 2.0, 1.5
    exact = m * (1.0 - math.exp(-h / m)) + math.exp(-h / m) * m / 2.0
    assert latency.hedged_mean_s(Exponential(m), h) == pytest.approx(exact)


@pytest.mark.parametrize("copies", [2, 3])
def test_several_copies_shorten_the_mean_as_in_simulation(copies: int) -> None:
    rng = np.random.default_rng(79)
    trials, delay = 200_000, 0.6
    answers = np.stack([LOGNORMAL.sample(rng, trials) + sent * delay for sent in range(copies + 1)])
    hedged = answers.min(axis=0)
    exact = latency.hedged_mean_s(LOGNORMAL, delay, copies)
    assert abs(hedged.mean() - exact) <= 4.0 * hedged.std() / math.sqrt(trials)
    open_then = [answers[:sent].min(axis=0) > sent * delay for sent in range(1, copies + 1)]
    extra = np.sum(open_then, axis=0)
    share = latency.hedge_share(LOGNORMAL, delay, copies)
    assert abs(extra.mean() - share) <= 4.0 * extra.std() / math.sqrt(trials)
