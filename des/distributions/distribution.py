"""What every distribution can do, and the tail beyond which its draws are not counted on."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from des.late import late_module

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]
else:
    np = late_module("numpy")
    FloatArray = Any

TAIL: Final = 1e-9
"""Probability that a draw exceeds the tail bounds below."""
TAIL_EXPONENT: Final = -math.log(TAIL)
ROUGH_EXPONENT: Final = 20.8
"""A little more, for bounds of sizes alone."""


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
    def sample(self, rng: "np.random.Generator", size: int) -> FloatArray:
        """`size` independent draws."""

    @abstractmethod
    def sample_length_biased(self, rng: "np.random.Generator", size: int) -> FloatArray:
        """Draws of the interval that covers a fixed instant in equilibrium: its density is x f(x) / mean."""

    def sample_residual(self, rng: "np.random.Generator", size: int) -> tuple[FloatArray, FloatArray]:
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


def sample(distribution: Distribution, rng: "np.random.Generator", size: int) -> FloatArray:
    """`distribution.sample(rng, size)`."""
    return distribution.sample(rng, size)


def sample_residual(distribution: Distribution, rng: "np.random.Generator", size: int) -> tuple[FloatArray, FloatArray]:
    """`distribution.sample_residual(rng, size)`."""
    return distribution.sample_residual(rng, size)
