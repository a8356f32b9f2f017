"""Probability distributions in canonical parameters: what a scenario's distributions resolve to, and their draws.

Draws are the one place where transcendental functions touch a run. Only a Generator's own methods are used: they call
the C library element by element, while NumPy's vectorised `exp` and `log` choose an instruction set by processor and
differ in the last bit between machines.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Constant:
    value: float

    @property
    def mean(self) -> float:
        return self.value


@dataclass(frozen=True, slots=True)
class Uniform:
    low: float
    high: float

    @property
    def mean(self) -> float:
        return (self.low + self.high) / 2.0


@dataclass(frozen=True, slots=True)
class Exponential:
    mean: float


@dataclass(frozen=True, slots=True)
class Lognormal:
    """exp(Normal(mu, sigma)): the median is exp(mu)."""

    mu: float
    sigma: float

    @property
    def mean(self) -> float:
        return math.exp(self.mu + self.sigma**2 / 2.0)


@dataclass(frozen=True, slots=True)
class Gamma:
    shape: float
    scale: float

    @property
    def mean(self) -> float:
        return self.shape * self.scale


@dataclass(frozen=True, slots=True)
class Weibull:
    shape: float
    scale: float

    @property
    def mean(self) -> float:
        return self.scale * math.gamma(1.0 + 1.0 / self.shape)


@dataclass(frozen=True, slots=True)
class Empirical:
    """One of the recorded values, each as likely as another."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        return math.fsum(self.values) / len(self.values)


Distribution = Constant | Uniform | Exponential | Lognormal | Gamma | Weibull | Empirical


def sample(law: Distribution, rng: np.random.Generator, size: int) -> FloatArray:
    """`size` independent draws of `law`, in its own unit."""
    match law:
        case Constant(value):
            return np.full(size, value)
        case Uniform(low, high):
            return low + (high - low) * rng.random(size)
        case Exponential(mean):
            return mean * rng.standard_exponential(size)
        case Lognormal(mu, sigma):
            return rng.lognormal(mu, sigma, size)
        case Gamma(shape, scale):
            return rng.gamma(shape, scale, size)
        case Weibull(shape, scale):
            return scale * rng.weibull(shape, size)
        case Empirical(values):
            return np.asarray(values)[(rng.random(size) * len(values)).astype(np.intp)]


def sample_length_biased(law: Distribution, rng: np.random.Generator, size: int) -> FloatArray:
    """Draws of the interval that covers a fixed instant of a process in equilibrium: density x f(x) / mean.

    Lognormal: Lognormal(mu + sigma^2, sigma); Weibull: scale * Gamma(1 + 1/shape)^(1/shape).
    """
    match law:
        case Constant(value):
            return np.full(size, value)
        case Uniform(low, high):
            u = rng.random(size)
            length: FloatArray = np.sqrt(low * low + u * (high * high - low * low))
            return length
        case Exponential(mean):
            return mean * rng.standard_gamma(2.0, size)
        case Lognormal(mu, sigma):
            return rng.lognormal(mu + sigma * sigma, sigma, size)
        case Gamma(shape, scale):
            return rng.gamma(shape + 1.0, scale, size)
        case Weibull(shape, scale):
            return scale * _power(rng.standard_gamma(1.0 + 1.0 / shape, size), 1.0 / shape)
        case Empirical(values):
            lengths = np.sort(np.asarray(values))
            edges = np.cumsum(lengths)
            chosen = np.searchsorted(edges, rng.random(size) * edges[-1], side="right").clip(0, len(values) - 1)
            biased: FloatArray = lengths[chosen]
            return biased


def sample_residual(law: Distribution, rng: np.random.Generator, size: int) -> tuple[FloatArray, FloatArray]:
    """(age, residual) of the interval that covers a fixed instant in equilibrium: U and 1 - U of its length."""
    length = sample_length_biased(law, rng, size)
    age = rng.random(size) * length
    return age, length - age


def _power(base: FloatArray, exponent: float) -> FloatArray:
    """base ** exponent by the C library, one element at a time (few values: one an incident class)."""
    return np.array([float(value) ** exponent for value in base.tolist()], dtype=np.float64)
