"""Distributions whose large values are far from the others: lognormal and Pareto."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from des.distributions.distribution import TAIL_EXPONENT, Distribution, FloatArray
from des.late import late_module

if TYPE_CHECKING:
    import numpy as np
else:
    np = late_module("numpy")

_TAIL_SCORE: Final = 5.9978070150
"""Standard normal quantile of 1 - TAIL."""
_LARGEST_EXPONENT: Final = 700.0


@dataclass(frozen=True, slots=True)
class Lognormal(Distribution):
    """exp(Normal(mu, sigma)): the median is exp(mu)."""

    mu: float
    sigma: float

    @property
    def mean(self) -> float:
        return math.exp(self.mu + self.sigma**2 / 2.0)

    @property
    def second_moment(self) -> float:
        return math.exp(2.0 * self.mu + 2.0 * self.sigma * self.sigma)

    def sample(self, rng: "np.random.Generator", size: int) -> FloatArray:
        return rng.lognormal(self.mu, self.sigma, size)

    def sample_length_biased(self, rng: "np.random.Generator", size: int) -> FloatArray:
        """Lognormal(mu + sigma^2, sigma)."""
        return rng.lognormal(self.mu + self.sigma * self.sigma, self.sigma, size)

    def survival(self, value: FloatArray | float) -> FloatArray:
        from scipy.special import ndtr

        with np.errstate(divide="ignore"):
            depth = self.mu - np.log(np.maximum(value, 0.0))
        return np.asarray(ndtr(depth / self.sigma) if self.sigma > 0.0 else depth > 0.0, np.float64)

    def quantile(self, share: FloatArray | float) -> FloatArray:
        from scipy.special import ndtri

        return np.asarray(np.exp(self.mu + self.sigma * ndtri(share)), np.float64)

    def _limited_mean(self, limit: float) -> float:
        """exp(mu + sigma^2/2) Phi((ln t - mu - sigma^2)/sigma) + t Phi(-(ln t - mu)/sigma)."""
        if self.sigma == 0.0:
            return min(self.mean, limit)
        depth = (math.log(limit) - self.mu) / self.sigma
        return self.mean * _normal_cdf(depth - self.sigma) + limit * _normal_cdf(-depth)

    def laplace(self, rate: float) -> float:
        """By numerical integration, to about 1e-10."""
        from scipy.integrate import quad

        def integrand(z: float) -> float:
            return math.exp(-0.5 * z * z - rate * math.exp(self.mu + self.sigma * z))

        return float(quad(integrand, -12.0, 12.0, limit=400, epsabs=1e-13)[0]) / math.sqrt(2.0 * math.pi)

    def _with_mean(self, mean: float) -> "Lognormal":
        return Lognormal(math.log(mean) - self.sigma**2 / 2.0, self.sigma)

    def tail_bound(self) -> float:
        return math.exp(self.mu + self.sigma * _TAIL_SCORE)

    def rough_maximum(self) -> float:
        return math.exp(min(self.mu + 6.0 * self.sigma, _LARGEST_EXPONENT))


@dataclass(frozen=True, slots=True)
class Pareto(Distribution):
    """At least `scale`, with P(X > x) = (scale / x)^shape. The shape is above 1, so that there is a mean."""

    shape: float
    scale: float

    @property
    def mean(self) -> float:
        return self.shape * self.scale / (self.shape - 1.0)

    @property
    def second_moment(self) -> float:
        """Infinite for a shape of at most 2."""
        return self.shape * self.scale**2 / (self.shape - 2.0) if self.shape > 2.0 else math.inf

    def sample(self, rng: "np.random.Generator", size: int) -> FloatArray:
        return self.scale * (1.0 + rng.pareto(self.shape, size))

    def sample_length_biased(self, rng: "np.random.Generator", size: int) -> FloatArray:
        """Pareto(shape - 1, scale)."""
        return self.scale * (1.0 + rng.pareto(self.shape - 1.0, size))

    def survival(self, value: FloatArray | float) -> FloatArray:
        return np.asarray((self.scale / np.maximum(value, self.scale)) ** self.shape, np.float64)

    def quantile(self, share: FloatArray | float) -> FloatArray:
        with np.errstate(divide="ignore"):
            return np.asarray(self.scale * np.exp(-np.log1p(-np.asarray(share)) / self.shape), np.float64)

    def _limited_mean(self, limit: float) -> float:
        if limit <= self.scale:
            return limit
        depth = float((self.scale / limit) ** (self.shape - 1.0))
        return self.scale * (1.0 + (1.0 - depth) / (self.shape - 1.0))

    def laplace(self, rate: float) -> float:
        """By numerical integration over ln(X / scale), to about 1e-10."""
        from scipy.integrate import quad

        def integrand(y: float) -> float:
            return math.exp(-y - rate * self.scale * math.exp(y / self.shape))

        return float(quad(integrand, 0.0, 60.0, limit=400, epsabs=1e-13)[0])

    def _with_mean(self, mean: float) -> "Pareto":
        return Pareto(self.shape, mean * (self.shape - 1.0) / self.shape)

    def tail_bound(self) -> float:
        return self.scale * math.exp(TAIL_EXPONENT / self.shape)


def _normal_cdf(z: float) -> float:
    """Phi(z), accurate in both tails."""
    return 0.5 * math.erfc(-z / math.sqrt(2.0))
