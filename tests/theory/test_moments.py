"""Moments, transforms and residual lives against numerical integration of the densities."""

import math

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from des.distributions import Constant, Distribution, Empirical, Exponential, Gamma, Lognormal, Uniform, Weibull
from des.theory.moments import laplace, limited_mean, second_moment, survival
from des.theory.residuals import lognormal_residual, residual_cdf, residual_mean, weibull_residual

DENSITIES = {
    Exponential(2.0): stats.expon(scale=2.0),
    Uniform(1.0, 4.0): stats.uniform(1.0, 3.0),
    Lognormal(0.3, 0.8): stats.lognorm(0.8, scale=math.exp(0.3)),
    Gamma(0.7, 3.0): stats.gamma(0.7, scale=3.0),
    Weibull(0.75, 2.5): stats.weibull_min(0.75, scale=2.5),
}
LAWS = sorted(DENSITIES, key=repr)


@pytest.mark.parametrize("law", LAWS, ids=repr)
def test_survival_is_that_of_the_density(law: Distribution) -> None:
    for time in (0.0, 0.3, 1.5, 6.0):
        assert survival(law, time) == pytest.approx(DENSITIES[law].sf(time), rel=1e-10)


@pytest.mark.parametrize("law", LAWS, ids=repr)
def test_limited_mean_is_the_integral_of_the_survival(law: Distribution) -> None:
    for limit in (0.2, 1.0, 2.0, 7.0):
        assert limited_mean(law, limit) == pytest.approx(quad(DENSITIES[law].sf, 0.0, limit, limit=200)[0], rel=1e-7)
    assert limited_mean(law, math.inf) == pytest.approx(DENSITIES[law].mean())


@pytest.mark.parametrize("law", LAWS, ids=repr)
def test_second_moment_and_laplace_transform_are_those_of_the_density(law: Distribution) -> None:
    density = DENSITIES[law]
    assert second_moment(law) == pytest.approx(density.var() + density.mean() ** 2)
    # E[e^{-sX}] = 1 - s int e^{-st} S(t) dt
    for rate in (0.05, 1.3):
        tail = quad(lambda t, s=rate: math.exp(-s * t) * density.sf(t), 0.0, np.inf, limit=400)[0]
        assert laplace(law, rate) == pytest.approx(1.0 - rate * tail, rel=1e-7)


def test_recorded_and_constant_values_have_the_moments_of_their_points() -> None:
    law = Empirical((1.0, 2.0, 6.0))
    assert survival(law, 2.0) == pytest.approx(1.0 / 3.0)
    assert limited_mean(law, 4.0) == pytest.approx(7.0 / 3.0)
    assert second_moment(law) == pytest.approx(41.0 / 3.0)
    assert laplace(law, 0.5) == pytest.approx((math.exp(-0.5) + math.exp(-1.0) + math.exp(-3.0)) / 3.0)
    assert limited_mean(Constant(3.0), 2.0) == 2.0
    assert survival(Constant(3.0), 2.9) == 1.0
    assert laplace(Constant(3.0), 0.1) == pytest.approx(math.exp(-0.3))


@pytest.mark.parametrize("law", LAWS, ids=repr)
def test_residual_mean_is_the_integral_of_its_survival(law: Distribution) -> None:
    total = quad(lambda t: 1.0 - residual_cdf(law, t), 0.0, 60.0 * law.mean, limit=400)[0]
    assert residual_mean(law) == pytest.approx(total, rel=1e-4)


def test_weibull_and_lognormal_residuals_are_drawn_from_the_equilibrium_law() -> None:
    rng = np.random.default_rng(5)
    weibull, lognormal = Weibull(0.7, 3.9), Lognormal(0.25, 1.2)
    draws_w = [weibull_residual(weibull, g) for g in rng.gamma(1.0 / weibull.shape, size=4000)]
    draws_l = [
        lognormal_residual(lognormal, u, z) for u, z in zip(rng.random(4000), rng.standard_normal(4000), strict=True)
    ]
    for law, draws in ((weibull, draws_w), (lognormal, draws_l)):
        assert stats.kstest(draws, np.vectorize(lambda t, law=law: residual_cdf(law, t))).pvalue > 1e-4
