"""Residual lives against numerical integration of the densities."""

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from des.distributions import Distribution, Exponential, Gamma, Lognormal, Uniform, Weibull
from des.theory.residuals import lognormal_residual, residual_cdf, residual_mean, weibull_residual

LAWS = [Exponential(2.0), Uniform(1.0, 4.0), Lognormal(0.3, 0.8), Gamma(0.7, 3.0), Weibull(0.75, 2.5)]


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
