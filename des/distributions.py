"""Probability distributions of positive quantities, in canonical parameters, with their draws and their figures.

A run calls transcendental functions only while it draws. Only a Generator's own methods are used: they call the C
library element by element, while NumPy's vectorised `exp` and `log` choose an instruction set by processor and differ
in the last bit between machines. SciPy's frozen distributions would be enough for the figures, but they draw through
NumPy's ufuncs, and creating one takes longer than the draws of most runs. So the classes are our own, and SciPy's
special functions are imported where a figure needs them.

To add a distribution, write a class here, in the unit of its values, and its form in the scenario's schema.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

TAIL: Final = 1e-9
"""Probability that a draw exceeds the tail bounds below."""
_TAIL_EXPONENT: Final = -math.log(TAIL)
_TAIL_SCORE: Final = 5.9978070150
"""Standard normal quantile of 1 - TAIL."""
_ROUGH_EXPONENT: Final = 20.8
_LARGEST_EXPONENT: Final = 700.0


@dataclass(frozen=True, slots=True)
class Distribution(ABC):
    """A distribution of a positive quantity X. Instances are immutable, comparable and hashable."""

    @property
    @abstractmethod
    def mean(self) -> float: ...

    @property
    @abstractmethod
    def second_moment(self) -> float:
        """E[X^2]."""

    @abstractmethod
    def sample(self, rng: np.random.Generator, size: int) -> FloatArray:
        """`size` independent draws."""

    @abstractmethod
    def sample_length_biased(self, rng: np.random.Generator, size: int) -> FloatArray:
        """Draws of the interval that covers a fixed instant in equilibrium: its density is x f(x) / mean."""

    def sample_residual(self, rng: np.random.Generator, size: int) -> tuple[FloatArray, FloatArray]:
        """(age, residual) of the interval that covers a fixed instant in equilibrium: U and 1 - U of its length."""
        length = self.sample_length_biased(rng, size)
        age = rng.random(size) * length
        return age, length - age

    @abstractmethod
    def survival(self, value: FloatArray | float) -> FloatArray:
        """P(X > value), accurate in the upper tail; a value below 0 counts as 0."""

    def cdf(self, value: FloatArray | float) -> FloatArray:
        """P(X <= value)."""
        return 1.0 - self.survival(value)

    @abstractmethod
    def quantile(self, share: FloatArray | float) -> FloatArray:
        """The value that a `share` of the draws do not exceed."""

    def limited_mean(self, limit: float) -> float:
        """E[min(X, limit)], which is the integral of the survival function from 0 to the limit."""
        if limit <= 0.0:
            return 0.0
        return self.mean if math.isinf(limit) else self._limited_mean(limit)

    @abstractmethod
    def _limited_mean(self, limit: float) -> float: ...

    @abstractmethod
    def laplace(self, rate: float) -> float:
        """E[exp(-rate X)]: the probability that a Poisson process of this rate has no point within X."""

    def sum_cdf(self, count: int, limit: float) -> float | None:
        """P(the sum of `count` independent draws <= limit), where it has a closed form; else None."""
        return None

    def with_mean(self, mean: float) -> "Distribution":
        """The same shape scaled to another mean. Raises ValueError if the mean or the shape does not allow it."""
        if not (mean > 0.0 and math.isfinite(mean)):
            raise ValueError(f"a mean must be positive and finite, not {mean:g}")
        return self._with_mean(mean)

    @abstractmethod
    def _with_mean(self, mean: float) -> "Distribution": ...

    def _stretch(self, mean: float) -> float:
        if self.mean <= 0.0:
            raise ValueError(f"a distribution of mean {self.mean:g} cannot be scaled to another mean")
        return mean / self.mean

    @abstractmethod
    def tail_bound(self) -> float:
        """A value that at most a share `TAIL` of the draws exceed.

        It uses the C library only, because timelines depend on its last bit: it sets how far back they are drawn.
        """

    def tail_quantile(self) -> float:
        """The quantile of 1 - `TAIL`, by SciPy; the mean where that quantile is infinite."""
        with np.errstate(over="ignore"):
            value = float(self.quantile(np.array([1.0 - TAIL]))[0])
        return value if math.isfinite(value) else self.mean

    def rough_maximum(self) -> float:
        """About the value that one draw in 10^9 exceeds. It is finite, and is used to check the size of columns."""
        return self.tail_bound()


@dataclass(frozen=True, slots=True)
class Constant(Distribution):
    value: float

    @property
    def mean(self) -> float:
        return self.value

    @property
    def second_moment(self) -> float:
        return self.value * self.value

    def sample(self, rng: np.random.Generator, size: int) -> FloatArray:
        return np.full(size, self.value)

    def sample_length_biased(self, rng: np.random.Generator, size: int) -> FloatArray:
        return np.full(size, self.value)

    def survival(self, value: FloatArray | float) -> FloatArray:
        return np.asarray(np.maximum(value, 0.0) < self.value, np.float64)

    def quantile(self, share: FloatArray | float) -> FloatArray:
        return np.full(np.shape(share), self.value, np.float64)

    def _limited_mean(self, limit: float) -> float:
        return min(self.value, limit)

    def laplace(self, rate: float) -> float:
        return math.exp(-rate * self.value)

    def sum_cdf(self, count: int, limit: float) -> float:
        return float(count * self.value <= limit)

    def _with_mean(self, mean: float) -> "Constant":
        return Constant(mean)

    def tail_bound(self) -> float:
        return self.value


@dataclass(frozen=True, slots=True)
class Uniform(Distribution):
    low: float
    high: float

    @property
    def mean(self) -> float:
        return (self.low + self.high) / 2.0

    @property
    def second_moment(self) -> float:
        return (self.low * self.low + self.low * self.high + self.high * self.high) / 3.0

    def sample(self, rng: np.random.Generator, size: int) -> FloatArray:
        return self.low + (self.high - self.low) * rng.random(size)

    def sample_length_biased(self, rng: np.random.Generator, size: int) -> FloatArray:
        low, high = self.low, self.high
        u = rng.random(size)
        length: FloatArray = np.sqrt(low * low + u * (high * high - low * low))
        return length

    def survival(self, value: FloatArray | float) -> FloatArray:
        value = np.maximum(value, 0.0)
        if self.high > self.low:
            return np.asarray(np.clip((self.high - value) / (self.high - self.low), 0.0, 1.0), np.float64)
        return np.asarray(value < self.low, np.float64)

    def quantile(self, share: FloatArray | float) -> FloatArray:
        return np.asarray(self.low + (self.high - self.low) * share, np.float64)

    def _limited_mean(self, limit: float) -> float:
        low, high = self.low, self.high
        if limit <= low:
            return limit
        if limit >= high:
            return self.mean
        return (limit * limit - low * low) / (2.0 * (high - low)) + limit * (high - limit) / (high - low)

    def laplace(self, rate: float) -> float:
        width = rate * (self.high - self.low)
        return math.exp(-rate * self.low) * (-math.expm1(-width) / width if width > 0.0 else 1.0)

    def _with_mean(self, mean: float) -> "Uniform":
        factor = self._stretch(mean)
        return Uniform(self.low * factor, self.high * factor)

    def tail_bound(self) -> float:
        return self.high


@dataclass(frozen=True, slots=True)
class Exponential(Distribution):
    mean: float = field()  # without field() the abstract property would become the default

    @property
    def second_moment(self) -> float:
        return 2.0 * self.mean * self.mean

    def sample(self, rng: np.random.Generator, size: int) -> FloatArray:
        return self.mean * rng.standard_exponential(size)

    def sample_length_biased(self, rng: np.random.Generator, size: int) -> FloatArray:
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
        return self.mean * _TAIL_EXPONENT

    def rough_maximum(self) -> float:
        return self.mean * _ROUGH_EXPONENT


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

    def sample(self, rng: np.random.Generator, size: int) -> FloatArray:
        return rng.lognormal(self.mu, self.sigma, size)

    def sample_length_biased(self, rng: np.random.Generator, size: int) -> FloatArray:
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
class Gamma(Distribution):
    shape: float
    scale: float

    @property
    def mean(self) -> float:
        return self.shape * self.scale

    @property
    def second_moment(self) -> float:
        return self.shape * (self.shape + 1.0) * self.scale * self.scale

    def sample(self, rng: np.random.Generator, size: int) -> FloatArray:
        return rng.gamma(self.shape, self.scale, size)

    def sample_length_biased(self, rng: np.random.Generator, size: int) -> FloatArray:
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
        while self.shape * (ratio - 1.0 - math.log(ratio)) < _TAIL_EXPONENT:
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

    def sample(self, rng: np.random.Generator, size: int) -> FloatArray:
        return self.scale * rng.weibull(self.shape, size)

    def sample_length_biased(self, rng: np.random.Generator, size: int) -> FloatArray:
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
        return self.scale * float(_TAIL_EXPONENT ** (1.0 / self.shape))

    def rough_maximum(self) -> float:
        return float(self.scale * _ROUGH_EXPONENT ** (1.0 / self.shape))


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

    def sample(self, rng: np.random.Generator, size: int) -> FloatArray:
        return self.scale * (1.0 + rng.pareto(self.shape, size))

    def sample_length_biased(self, rng: np.random.Generator, size: int) -> FloatArray:
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
        return self.scale * math.exp(_TAIL_EXPONENT / self.shape)


@dataclass(frozen=True, slots=True)
class Empirical(Distribution):
    """One of the recorded values, all equally likely."""

    values: tuple[float, ...]

    def __hash__(self) -> int:
        """Of a few of the values: there may be a million, and streams are found by their distributions."""
        return hash((len(self.values), self.values[0], self.values[-1]))

    @property
    def mean(self) -> float:
        return math.fsum(self.values) / len(self.values)

    @property
    def second_moment(self) -> float:
        return math.fsum(value * value for value in self.values) / len(self.values)

    def sample(self, rng: np.random.Generator, size: int) -> FloatArray:
        return _as_array(self)[(rng.random(size) * len(self.values)).astype(np.intp)]

    def sample_length_biased(self, rng: np.random.Generator, size: int) -> FloatArray:
        lengths = _ordered(self)
        edges = np.cumsum(lengths)
        chosen = np.searchsorted(edges, rng.random(size) * edges[-1], side="right").clip(0, len(lengths) - 1)
        biased: FloatArray = lengths[chosen]
        return biased

    def survival(self, value: FloatArray | float) -> FloatArray:
        at_most = np.searchsorted(_ordered(self), np.maximum(value, 0.0), side="right")
        return np.asarray(1.0 - at_most / len(self.values), np.float64)

    def quantile(self, share: FloatArray | float) -> FloatArray:
        ordered = _ordered(self)
        place = (np.asarray(share) * len(ordered)).astype(np.intp)
        return np.asarray(ordered[np.minimum(place, len(ordered) - 1)], np.float64)

    def _limited_mean(self, limit: float) -> float:
        return math.fsum(min(value, limit) for value in self.values) / len(self.values)

    def laplace(self, rate: float) -> float:
        return math.fsum(math.exp(-rate * value) for value in self.values) / len(self.values)

    def _with_mean(self, mean: float) -> "Empirical":
        factor = self._stretch(mean)
        return Empirical(tuple(value * factor for value in self.values))

    def tail_bound(self) -> float:
        return max(self.values)


@lru_cache(maxsize=64)
def _as_array(of: Empirical) -> FloatArray:
    return np.asarray(of.values, np.float64)


@lru_cache(maxsize=64)
def _ordered(of: Empirical) -> FloatArray:
    return np.sort(_as_array(of))


def sample(distribution: Distribution, rng: np.random.Generator, size: int) -> FloatArray:
    """`distribution.sample(rng, size)`."""
    return distribution.sample(rng, size)


def sample_residual(distribution: Distribution, rng: np.random.Generator, size: int) -> tuple[FloatArray, FloatArray]:
    """`distribution.sample_residual(rng, size)`."""
    return distribution.sample_residual(rng, size)


def _normal_cdf(z: float) -> float:
    """Phi(z), accurate in both tails."""
    return 0.5 * math.erfc(-z / math.sqrt(2.0))
