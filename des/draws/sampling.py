"""Draws from the laws of a scenario: the one place where transcendental functions touch a run.

Only a Generator's own methods are used: they call the C library element by element, while NumPy's vectorised
`exp` and `log` choose an instruction set by processor and differ in the last bit between machines.
"""

import numpy as np
from numpy.typing import NDArray

from des.scenario.laws import (
    Constant,
    Empirical,
    Exponential,
    Gamma,
    Law,
    Lognormal,
    Uniform,
    Weibull,
)

FloatArray = NDArray[np.float64]


def sample(law: Law, rng: np.random.Generator, size: int) -> FloatArray:
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


def sample_length_biased(law: Law, rng: np.random.Generator, size: int) -> FloatArray:
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


def sample_residual(law: Law, rng: np.random.Generator, size: int) -> tuple[FloatArray, FloatArray]:
    """(age, residual) of the interval that covers a fixed instant in equilibrium: U and 1 - U of its length."""
    length = sample_length_biased(law, rng, size)
    age = rng.random(size) * length
    return age, length - age


def _power(base: FloatArray, exponent: float) -> FloatArray:
    """base ** exponent by the C library, one element at a time (few values: one an incident class)."""
    return np.array([float(value) ** exponent for value in base.tolist()], dtype=np.float64)
