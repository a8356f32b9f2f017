"""Sums and histograms that do not depend on the order or the blocks of their terms.

The histogram has a logarithmic scale: any quantile to 0.1 %, in constant memory. A value's bin is found by comparison
with edges that come from repeated multiplication. A logarithm is not used: NumPy's differs between processors, and
would move values at an edge.
"""

import math
from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from des.distributions import FloatArray
from des.errors import RunError
from des.spread import spread

RELATIVE_ERROR: Final = 0.001
LOWEST_S: Final = 1e-9
HIGHEST_S: Final = 1e9
_GROWTH: Final = 1.0 + RELATIVE_ERROR
"""Ratio of a bin's representative to its lower edge, and of its upper edge to its representative."""
_STEPS_PER_UNIT: Final = 1_000_000_000
_LOW_BITS: Final = 32


def integer_sum(values: NDArray[Any]) -> int:
    """The sum of integers of any width, without overflow."""
    values = values.astype(np.int64, copy=False)
    high = int(np.sum(values >> _LOW_BITS, dtype=np.int64))
    low = int(np.sum(values & ((1 << _LOW_BITS) - 1), dtype=np.int64))
    return (high << _LOW_BITS) + low


class RunningMean:
    """The mean of numbers, each rounded to 1e-9 (of seconds: a nanosecond) so that the sum is exact."""

    __slots__ = ("_count", "_total")

    def __init__(self) -> None:
        self._count = 0
        self._total = 0

    def add(self, values: NDArray[Any]) -> None:
        self._count += len(values)
        steps = np.rint(np.asarray(values, np.float64) * _STEPS_PER_UNIT)
        if len(steps) and np.abs(steps).max() >= 2.0**63:
            raise RunError(f"a figure of {np.abs(values).max():.3g} is beyond what can be averaged exactly (9.2e9)")
        self._total += integer_sum(steps.astype(np.int64))

    def add_steps(self, steps: int, count: int) -> None:
        """Add the sum of so many numbers, each in steps of 1e-9."""
        self._count += count
        self._total += steps

    @property
    def value(self) -> float | None:
        """None without numbers."""
        return self._total / (_STEPS_PER_UNIT * self._count) if self._count else None


def spread_sum(numbers: NDArray[np.int64], factors: NDArray[Any] | None = None) -> int:
    """Sum of factor * spread(number) modulo 2^64; factors are 1 by default.

    Two such sums agree only if the factors agree number by number, except with probability 2^-64. This checks
    per-request sums in memory that does not grow with the requests.
    """
    marks = spread(numbers)
    if factors is not None:
        marks = marks * factors.astype(np.uint64)
    return int(np.sum(marks, dtype=np.uint64))


def spread_sum_of_first(count: int, block: int = 1 << 18) -> int:
    """spread_sum of the numbers 0 .. count - 1."""
    starts = range(0, count, block)
    return sum(spread_sum(np.arange(low, min(low + block, count), dtype=np.int64)) for low in starts) % (1 << 64)


@cache
def bin_edges() -> FloatArray:
    """Lower edges of all bins and the last one's upper edge: from a nanosecond to some 30 years."""
    bins = math.ceil(math.log(HIGHEST_S / LOWEST_S) / (2.0 * math.log(_GROWTH))) + 1
    steps = np.full(bins + 1, _GROWTH * _GROWTH)
    steps[0] = LOWEST_S
    edges = np.multiply.accumulate(steps)
    edges.setflags(write=False)
    return edges


class LogHistogram:
    """Counts of values >= 0. Zero is counted separately, values beyond the bins in the outermost ones.

    The least and the greatest value are exact, and no quantile lies beyond them.
    """

    __slots__ = ("_bins", "_greatest", "_least", "_zeros")

    def __init__(self) -> None:
        self._zeros = 0
        self._least, self._greatest = math.inf, -math.inf  # above zero
        self._bins = np.zeros(len(bin_edges()) - 1, np.int64)

    @property
    def count(self) -> int:
        return self._zeros + int(self._bins.sum())

    def add(self, values: FloatArray) -> None:
        """Count each value; raises ValueError for NaN and negative values."""
        if not np.all(values >= 0.0):
            raise ValueError("a histogram of latencies takes neither NaN nor negative values")
        positive = values[values > 0.0]
        self._zeros += len(values) - len(positive)
        if len(positive):
            self._least = min(self._least, float(positive.min()))
            self._greatest = max(self._greatest, float(positive.max()))
        last = len(self._bins) - 1
        places = np.searchsorted(bin_edges(), positive, side="right") - 1
        self._bins += np.bincount(np.clip(places, 0, last), minlength=last + 1)

    @property
    def bins(self) -> NDArray[np.int64]:
        """The counts of the bins themselves, by `bin_edges`, for who counts into them. The rest goes to `add_ends`."""
        return self._bins

    def add_ends(self, zeros: int, least: float, greatest: float) -> None:
        """What else there is to values that have been counted into `bins`: least and greatest are those above zero."""
        self._zeros += zeros
        self._least, self._greatest = min(self._least, least), max(self._greatest, greatest)

    def merge(self, other: "LogHistogram") -> None:
        """Add the counts of another histogram."""
        self._zeros += other._zeros
        self._least = min(self._least, other._least)
        self._greatest = max(self._greatest, other._greatest)
        self._bins += other._bins

    def as_json(self) -> dict[str, Any]:
        """JSON-able: the zeros, the least and the greatest value above them, and the bins in use with their counts."""
        (used,) = np.nonzero(self._bins)
        some = bool(len(used))
        return {
            "zeros": self._zeros,
            "least": self._least if some else None,
            "greatest": self._greatest if some else None,
            "bins": used.tolist(),
            "counts": self._bins[used].tolist(),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "LogHistogram":
        """Raises ValueError, KeyError or IndexError for what `as_json` does not return."""
        found = cls()
        found._zeros = int(content["zeros"])
        if content["least"] is not None:
            found._least, found._greatest = float(content["least"]), float(content["greatest"])
        found._bins[np.array(content["bins"], np.int64)] = np.array(content["counts"], np.int64)
        return found

    def counts_about(self, value: float) -> tuple[int, int]:
        """The values in lower bins than that of `value` > 0, and those in bins up to its own."""
        place = int(np.searchsorted(bin_edges(), value, side="left")) - 1
        place = min(max(place, 0), len(self._bins) - 1)
        lower = self._zeros + int(self._bins[:place].sum())
        return lower, lower + int(self._bins[place])

    def quantile(self, share: float) -> float | None:
        """The lowest value that at least `share` of all values do not exceed, within 0.1 %; None without values."""
        count = self.count
        if count == 0:
            return None
        rank = max(1, math.ceil(Fraction(repr(share)) * count))  # in decimal: 0.07 of 100 values is the 7th
        if rank <= self._zeros:
            return 0.0
        place = int(np.searchsorted(np.cumsum(self._bins), rank - self._zeros, side="left"))
        return min(max(float(bin_edges()[place]) * _GROWTH, self._least), self._greatest)
