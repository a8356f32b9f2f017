"""Sums that do not depend on the order or the blocks in which their terms arrive."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from des.errors import RunError

_STEPS_PER_UNIT: Final = 1_000_000_000
_LOW_BITS: Final = 32


def integer_sum(values: NDArray[Any]) -> int:
    """The sum of integers of any width, without overflow."""
    values = values.astype(np.int64, copy=False)
    high = int(np.sum(values >> _LOW_BITS, dtype=np.int64))
    low = int(np.sum(values & ((1 << _LOW_BITS) - 1), dtype=np.int64))
    return (high << _LOW_BITS) + low


class RunningMean:
    """The mean of numbers, each rounded to a billionth (a nanosecond, for seconds) so that they add up exactly."""

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

    @property
    def value(self) -> float | None:
        """None without numbers."""
        return self._total / (_STEPS_PER_UNIT * self._count) if self._count else None


def spread(numbers: NDArray[np.int64]) -> NDArray[np.uint64]:
    """A 64-bit fingerprint of each number (SplitMix64's finaliser; Steele, Lea and Flood 2014).

    Sums of x_i * spread(i) modulo 2^64 agree between two sets of rows only if the x_i agree number by number, but
    for a chance of 2^-64: a check of per-request sums whose memory does not grow with the requests.
    """
    mixed = numbers.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def spread_sum(numbers: NDArray[np.int64], factors: NDArray[Any] | None = None) -> int:
    """Sum of factor * spread(number) modulo 2^64; factors are 1 unless given."""
    marks = spread(numbers)
    if factors is not None:
        marks = marks * factors.astype(np.uint64)
    return int(np.sum(marks, dtype=np.uint64))


def spread_sum_of_first(count: int, block: int = 1 << 18) -> int:
    """spread_sum of the numbers 0 .. count - 1."""
    starts = range(0, count, block)
    return sum(spread_sum(np.arange(low, min(low + block, count), dtype=np.int64)) for low in starts) % (1 << 64)
