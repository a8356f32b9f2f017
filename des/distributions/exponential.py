"""The exponential distribution and its two generalisations, the gamma and the Weibull."""

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from des.distributions.distribution import ROUGH_EXPONENT, TAIL_EXPONENT, Distribution, FloatArray
from des.late import late_module

if TYPE_CHECKING:
    import numpy as np
else:
    np = late_module("numpy")


@dataclass(frozen=True, slots=True)
class Exponential(Distribution):
    mean: float = field()  # without field() the abstract property would become the default

    @property
    def second_moment(self) -> float:
        return 2.0 * self.mean * self.mean

    def sample(self, rng: "np.random.Generator", size: int) -> FloatArray:
        return self.mean * rng.standard_exponential(size)

    def sample_length_biased(self, rng: "np.random.Generator", size: int) -> FloatArray:
        return self.mean * rng.standard_gamma(2.0, size)

    def survival(self, value: FloatArray | float) -> FloatArray:
        return np.asarray(np.exp(-np.maximum(value, 0.0) / self.mean), np.float64)

    def quantile(self, share: FloatArray | float) -> FloatArray:
        return np.asarray(-self.mean * np.log1p(-np.asarray(share)), np.float64)

    def _limited_mean(self, limit: float) -> float:
        return -self.mean * math.expm1(-limit / self.mean)

    def laplace(self, rate: float) -> float:
        return 1.0 / (1.0 + rate * self.mean)

    def sum_cdf(self, count: int, limit: float) -> float:
        return 1.0 - float(Gamma(count, self.mean).survival(limit)) if count else 1.0

    def _with_mean(self, mean: float) -> "Exponential":
        return Exponential(mean)

    def tail_bound(self) -> float:
        return self.mean * TAIL_EXPONENT

    def rough_maximum(self) -> float:
        return self.mean * ROUGH_EXPONENT


@dataclass(frozen=True, slots=True)
class Gamma(Distribution):
    shape: float
    scale: float

    @property
    def mean(self) -> float:
        return self.shape * self.scale

    @property
    def second_moment(self) -> float:
        return self.shape * (self.shape + 1.0) * self.scale * self.scale

    def sample(self, rng: "np.random.Generator", size: int) -> FloatArray:
        return rng.gamma(self.shape, self.scale, size)

    def sample_length_biased(self, rng: "np.random.Generator", size: int) -> FloatArray:
        return rng.gamma(self.shape + 1.0, self.scale, size)

    def survival(self, value: FloatArray | float) -> FloatArray:
        from scipy.special import gammaincc

        return np.asarray(gammaincc(self.shape, np.maximum(value, 0.0) / self.scale), np.float64)

    def quantile(self, share: FloatArray | float) -> FloatArray:
        from scipy.special import gammaincinv

        return np.asarray(self.scale * gammaincinv(self.shape, share), np.float64)

    def _limited_mean(self, limit: float) -> float:
        from scipy.special import gammainc, gammaincc

        depth = limit / self.scale
        return float(self.mean * gammainc(self.shape + 1.0, depth) + limit * gammaincc(self.shape, depth))

    def laplace(self, rate: float) -> float:
        return float((1.0 + rate * self.scale) ** -self.shape)

    def sum_cdf(self, count: int, limit: float) -> float:
        return 1.0 - float(Gamma(count * self.shape, self.scale).survival(limit)) if count else 1.0

    def _with_mean(self, mean: float) -> "Gamma":
        return Gamma(self.shape, mean / self.shape)

    def tail_bound(self) -> float:
        """Chernoff's bound: P(X > ratio x mean) <= (ratio e^(1 - ratio))^shape."""
        ratio = 1.0
        while self.shape * (ratio - 1.0 - math.log(ratio)) < TAIL_EXPONENT:
            ratio *= 1.1
        return ratio * self.shape * self.scale

    def rough_maximum(self) -> float:
        return float(self.scale * (self.shape + 6.0 * math.sqrt(self.shape) + 21.0))


@dataclass(frozen=True, slots=True)
class Weibull(Distribution):
    shape: float
    scale: float

    @property
    def mean(self) -> float:
        return self.scale * math.gamma(1.0 + 1.0 / self.shape)

    @property
    def second_moment(self) -> float:
        return self.scale * self.scale * math.gamma(1.0 + 2.0 / self.shape)

    def sample(self, rng: "np.random.Generator", size: int) -> FloatArray:
        return self.scale * rng.weibull(self.shape, size)

    def sample_length_biased(self, rng: "np.random.Generator", size: int) -> FloatArray:
        """scale x Gamma(1 + 1/shape)^(1/shape). The C library takes the power (there is one value per class)."""
        exponent = 1.0 / self.shape
        drawn = rng.standard_gamma(1.0 + exponent, size).tolist()
        return self.scale * np.array([value**exponent for value in drawn], dtype=np.float64)

    def survival(self, value: FloatArray | float) -> FloatArray:
        return np.asarray(np.exp(-((np.maximum(value, 0.0) / self.scale) ** self.shape)), np.float64)

    def quantile(self, share: FloatArray | float) -> FloatArray:
        return np.asarray(self.scale * (-np.log1p(-np.asarray(share))) ** (1.0 / self.shape), np.float64)

    def _limited_mean(self, limit: float) -> float:
        from scipy.special import gammainc

        depth = (limit / self.scale) ** self.shape
        return float(self.mean * gammainc(1.0 + 1.0 / self.shape, depth) + limit * math.exp(-depth))

    def laplace(self, rate: float) -> float:
        """By numerical integration, to about 1e-10."""
        from scipy.integrate import quad

        def integrand(u: float) -> float:
            return math.exp(-u - rate * self.scale * u ** (1.0 / self.shape))

        return float(quad(integrand, 0.0, math.inf, limit=200)[0])

    def _with_mean(self, mean: float) -> "Weibull":
        return Weibull(self.shape, mean / math.gamma(1.0 + 1.0 / self.shape))

    def tail_bound(self) -> float:
        return self.scale * float(TAIL_EXPONENT ** (1.0 / self.shape))

    def rough_maximum(self) -> float:
        return float(self.scale * ROUGH_EXPONENT ** (1.0 / self.shape))
