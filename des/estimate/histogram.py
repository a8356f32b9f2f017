"""A histogram of latencies on a logarithmic scale: any quantile to 0.1 %, in memory that does not grow.

The least and the greatest value are kept exactly, and no quantile lies beyond them.

Bins are found by comparison with edges that come from repeated multiplication alone, never from a logarithm:
NumPy's differs between processors, and with it the bin of a value at an edge.
"""

import math
from fractions import Fraction
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

RELATIVE_ERROR: Final = 0.001
LOWEST_S: Final = 1e-9
HIGHEST_S: Final = 1e9
_GROWTH: Final = 1.0 + RELATIVE_ERROR
"""From a bin's lower edge to its representative, and from there to its upper edge."""

FloatArray = NDArray[np.float64]


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
    """Counts of values >= 0. Zero is kept apart and exact; what lies outside the bins counts in the outermost."""

    __slots__ = ("_bins", "_greatest", "_least", "_zeros")

    def __init__(self) -> None:
        self._zeros = 0
        self._least, self._greatest = math.inf, -math.inf  # of the values above zero
        self._bins = np.zeros(len(bin_edges()) - 1, np.int64)

    @property
    def count(self) -> int:
        return self._zeros + int(self._bins.sum())

    def add(self, values: FloatArray) -> None:
        """Count each value; NaN and negative values are refused with a ValueError."""
        if not np.all(values >= 0.0):
            raise ValueError("a histogram of latencies holds no NaN and nothing below zero")
        positive = values[values > 0.0]
        self._zeros += len(values) - len(positive)
        if len(positive):
            self._least = min(self._least, float(positive.min()))
            self._greatest = max(self._greatest, float(positive.max()))
        last = len(self._bins) - 1
        places = np.searchsorted(bin_edges(), positive, side="right") - 1
        self._bins += np.bincount(np.clip(places, 0, last), minlength=last + 1)

    def merge(self, other: "LogHistogram") -> None:
        """Count everything that the other one has counted."""
        self._zeros += other._zeros
        self._least = min(self._least, other._least)
        self._greatest = max(self._greatest, other._greatest)
        self._bins += other._bins

    def quantile(self, share: float) -> float | None:
        """The lowest value that at least `share` of all values do not exceed, within 0.1 %; None without values."""
        count = self.count
        if count == 0:
            return None
        rank = max(1, math.ceil(Fraction(repr(share)) * count))  # as it is written: 0.07 of 100 values is the 7th
        if rank <= self._zeros:
            return 0.0
        place = int(np.searchsorted(np.cumsum(self._bins), rank - self._zeros, side="left"))
        return min(max(float(bin_edges()[place]) * _GROWTH, self._least), self._greatest)
