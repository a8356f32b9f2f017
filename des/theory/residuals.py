"""Residual lives: how much is left of an interval that a fixed instant falls into.

In equilibrium the age of the open interval has the same law as its residual: density P(X > x)/E[X].
"""

import math

from des.distributions import Distribution, Lognormal, Weibull


def residual_cdf(law: Distribution, time: float) -> float:
    """P(residual <= time) = E[min(X, time)] / E[X]; zero below zero."""
    return law.limited_mean(time) / law.mean


def residual_mean(law: Distribution) -> float:
    """E[X^2] / (2 E[X]): longer than half the mean wherever intervals vary."""
    return law.second_moment / (2.0 * law.mean)


def weibull_residual(law: Weibull, gamma_variate: float) -> float:
    """A Weibull law's residual from a Gamma(1/shape, 1) variate g: scale x g^(1/shape)."""
    return float(law.scale * gamma_variate ** (1.0 / law.shape))


def lognormal_residual(law: Lognormal, uniform_variate: float, normal_variate: float) -> float:
    """A lognormal law's residual: a uniform share of a length-biased interval, Lognormal(mu + sigma^2, sigma)."""
    return uniform_variate * math.exp(law.mu + law.sigma**2 + law.sigma * normal_variate)
