"""Mixtures: a draw comes from one of several distributions, such as quick answers and a long tail of slow ones."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from des.distributions import Distribution, FloatArray
from des.late import late_module

if TYPE_CHECKING:
    import numpy as np
else:
    np = late_module("numpy")

_HALVINGS = 200


@dataclass(frozen=True, slots=True)
class Mixture(Distribution):
    """Each draw comes from one of the parts, chosen in proportion to their weights."""

    parts: tuple[Distribution, ...]
    weights: tuple[float, ...]

    @property
    def shares(self) -> tuple[float, ...]:
        """The weights, scaled to add up to one."""
        whole = math.fsum(self.weights)
        return tuple(weight / whole for weight in self.weights)

    @property
    def mean(self) -> float:
        return self._weighted(lambda part: part.mean)

    @property
    def second_moment(self) -> float:
        return self._weighted(lambda part: part.second_moment)

    def sample(self, rng: "np.random.Generator", size: int) -> FloatArray:
        """Every part is drawn `size` times, so that each draw has its own place in the stream."""
        return _chosen(rng, self.shares, [part.sample(rng, size) for part in self.parts])

    def sample_length_biased(self, rng: "np.random.Generator", size: int) -> FloatArray:
        """A long part covers a fixed instant more often: it is chosen in proportion to weight x mean."""
        mean = self.mean or 1.0  # where every part is 0, so is every draw
        shares = [share * part.mean / mean for share, part in zip(self.shares, self.parts, strict=True)]
        return _chosen(rng, shares, [part.sample_length_biased(rng, size) for part in self.parts])

    def survival(self, value: FloatArray | float) -> FloatArray:
        terms = [share * part.survival(value) for share, part in zip(self.shares, self.parts, strict=True)]
        return np.asarray(sum(terms), np.float64)

    def quantile(self, share: FloatArray | float) -> FloatArray:
        """By halving between the least and the largest quantile of a part."""
        each = [part.quantile(share) for part in self.parts]
        low, high = np.minimum.reduce(each), np.maximum.reduce(each)
        beyond = 1.0 - np.asarray(share, np.float64)
        for _ in range(_HALVINGS):
            middle = np.where(np.isfinite(high), (low + high) / 2.0, high)
            enough = self.survival(middle) <= beyond
            low, high = np.where(enough, low, middle), np.where(enough, middle, high)
        return np.asarray(high, np.float64)

    def _limited_mean(self, limit: float) -> float:
        return self._weighted(lambda part: part.limited_mean(limit))

    def laplace(self, rate: float) -> float:
        return self._weighted(lambda part: part.laplace(rate))

    def _with_mean(self, mean: float) -> "Mixture":
        factor = self._stretch(mean)
        scaled = [part.with_mean(part.mean * factor) if part.mean > 0.0 else part for part in self.parts]
        return Mixture(tuple(scaled), self.weights)

    def tail_bound(self) -> float:
        return max(part.tail_bound() for part in self.parts)

    def rough_maximum(self) -> float:
        return max(part.rough_maximum() for part in self.parts)

    def _weighted(self, figure: Callable[[Distribution], float]) -> float:
        return math.fsum(share * figure(part) for share, part in zip(self.shares, self.parts, strict=True))


def _chosen(
    rng: "np.random.Generator", shares: "list[float] | tuple[float, ...]", draws: list[FloatArray]
) -> FloatArray:
    """One of the draws at each place, each with its share of probability."""
    place = np.searchsorted(np.cumsum(shares)[:-1], rng.random(len(draws[0])), side="right")
    return np.asarray(np.choose(place, draws), np.float64)
