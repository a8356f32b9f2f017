"""Distributions with a least and a largest value."""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from des.distributions.distribution import Distribution, FloatArray
from des.late import late_module

if TYPE_CHECKING:
    import numpy as np
else:
    np = late_module("numpy")


@dataclass(frozen=True, slots=True)
class Constant(Distribution):
    value: float

    @property
    def mean(self) -> float:
        return self.value

    @property
    def second_moment(self) -> float:
        return self.value * self.value

    def sample(self, rng: "np.random.Generator", size: int) -> FloatArray:
        return np.full(size, self.value)

    def sample_length_biased(self, rng: "np.random.Generator", size: int) -> FloatArray:
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

    def sample(self, rng: "np.random.Generator", size: int) -> FloatArray:
        return self.low + (self.high - self.low) * rng.random(size)

    def sample_length_biased(self, rng: "np.random.Generator", size: int) -> FloatArray:
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

    def sample(self, rng: "np.random.Generator", size: int) -> FloatArray:
        return _as_array(self)[(rng.random(size) * len(self.values)).astype(np.intp)]

    def sample_length_biased(self, rng: "np.random.Generator", size: int) -> FloatArray:
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
