"""A distribution of which only the quantiles are known, such as one that a user has written."""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Protocol

from des.distributions import TAIL, Distribution, Empirical, FloatArray
from des.late import late_module

if TYPE_CHECKING:
    import numpy as np
else:
    np = late_module("numpy")

_POINTS: Final = 4096


class Quantiles(Protocol):
    """Hashable. Gives the value that a share of the draws do not exceed."""

    def value_at(self, share: float) -> float: ...

    def __hash__(self) -> int: ...


@dataclass(frozen=True, slots=True)
class ByQuantiles(Distribution):
    """Draws are quantiles of uniforms, times `factor`. Figures are those of 4096 equally likely values."""

    of: Quantiles
    factor: float = 1.0

    @property
    def _points(self) -> Empirical:
        return _points(self.of, self.factor)

    @property
    def mean(self) -> float:
        return self._points.mean

    @property
    def second_moment(self) -> float:
        return self._points.second_moment

    def sample(self, rng: "np.random.Generator", size: int) -> FloatArray:
        return self.quantile(rng.random(size))

    def sample_length_biased(self, rng: "np.random.Generator", size: int) -> FloatArray:
        """Draws of the 4096 values."""
        return self._points.sample_length_biased(rng, size)

    def survival(self, value: FloatArray | float) -> FloatArray:
        return self._points.survival(value)

    def quantile(self, share: FloatArray | float) -> FloatArray:
        shares = np.asarray(share, np.float64)
        values = [self.of.value_at(min(each, 1.0 - TAIL)) * self.factor for each in shares.ravel().tolist()]
        return np.array(values, np.float64).reshape(shares.shape)

    def _limited_mean(self, limit: float) -> float:
        return self._points.limited_mean(limit)

    def laplace(self, rate: float) -> float:
        return self._points.laplace(rate)

    def _with_mean(self, mean: float) -> "ByQuantiles":
        return ByQuantiles(self.of, self.factor * self._stretch(mean))

    def tail_bound(self) -> float:
        return self.of.value_at(1.0 - TAIL) * self.factor


@lru_cache(maxsize=256)
def _points(of: Quantiles, factor: float) -> Empirical:
    return Empirical(tuple(of.value_at((point + 0.5) / _POINTS) * factor for point in range(_POINTS)))
