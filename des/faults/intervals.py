"""Half-open time intervals, as columns."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


class Intervals(NamedTuple):
    """`[start_s, end_s)` of n intervals, sorted by start: two float64[n] in seconds since the scenario's start."""

    start_s: FloatArray
    end_s: FloatArray

    def where(self, kept: BoolArray) -> "Intervals":
        """Those that `kept`, bool[n], selects."""
        return Intervals(self.start_s[kept], self.end_s[kept])

    def starting_before(self, until_s: float) -> "Intervals":
        count = int(np.searchsorted(self.start_s, until_s, side="left"))
        return Intervals(self.start_s[:count], self.end_s[:count])

    def lasting(self) -> "Intervals":
        """Those of more than zero length."""
        return self.where(self.end_s > self.start_s)


def joined(first: Intervals, second: Intervals) -> Intervals:
    """Both, where `second` starts no earlier than `first` ends starting."""
    return Intervals(*(np.concatenate(pair) for pair in zip(first, second, strict=True)))


def none() -> Intervals:
    return Intervals(np.empty(0), np.empty(0))
