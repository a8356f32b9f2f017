"""Distribution functions and quantiles of the scenario language's laws, over arrays."""

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from des.distributions import Constant, Distribution, Empirical, Exponential, Gamma, Lognormal, Uniform, Weibull

FloatArray = NDArray[np.float64]
FORGOTTEN: Final = 1e-9


def cdf(law: Distribution, time: FloatArray) -> FloatArray:
    """P(X <= time) of a positive law."""
    return 1.0 - survival(law, time)


def survival(law: Distribution, time: FloatArray) -> FloatArray:
    """P(X > time) of a positive law, accurate in the upper tail."""
    from scipy.special import gammaincc, ndtr

    time = np.maximum(time, 0.0)
    result: Any
    match law:
        case Constant(value):
            result = (time < value).astype(np.float64)
        case Uniform(low, high):
            result = np.clip((high - time) / (high - low), 0.0, 1.0) if high > low else (time < low) * 1.0
        case Exponential(mean):
            result = np.exp(-time / mean)
        case Lognormal(mu, sigma):
            with np.errstate(divide="ignore"):
                depth = mu - np.log(time)
            result = ndtr(depth / sigma) if sigma > 0.0 else (depth > 0.0) * 1.0
        case Gamma(shape, scale):
            result = gammaincc(shape, time / scale)
        case Weibull(shape, scale):
            result = np.exp(-((time / scale) ** shape))
        case Empirical(values):
            result = 1.0 - np.searchsorted(np.sort(values), time, side="right") / len(values)
    return np.asarray(result, np.float64)


def quantile(law: Distribution, share: FloatArray) -> FloatArray:
    """The value that a `share` of draws stay at or below."""
    from scipy.special import gammaincinv, ndtri

    result: Any
    match law:
        case Constant(value):
            result = np.full(np.shape(share), value)
        case Uniform(low, high):
            result = low + (high - low) * share
        case Exponential(mean):
            result = -mean * np.log1p(-share)
        case Lognormal(mu, sigma):
            result = np.exp(mu + sigma * ndtri(share))
        case Gamma(shape, scale):
            result = scale * gammaincinv(shape, share)
        case Weibull(shape, scale):
            result = scale * (-np.log1p(-share)) ** (1.0 / shape)
        case Empirical(values):
            ordered = np.sort(values)
            result = ordered[np.minimum((share * len(ordered)).astype(np.intp), len(ordered) - 1)]
    return np.asarray(result, np.float64)


def longest(law: Distribution) -> float:
    """A value that all but a billionth of the draws stay below."""
    if isinstance(law, Constant):
        return law.value
    value = float(quantile(law, np.array([1.0 - FORGOTTEN]))[0])
    return value if math.isfinite(value) else law.mean
