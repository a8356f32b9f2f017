"""How a figure of requests, such as their cost, is distributed over them: few enough numbers for a chart."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from des.estimate.sums import RELATIVE_ERROR, LogHistogram, bin_edges
from des.faults.intervals import FloatArray

SHARES: Final = np.unique(np.concatenate([np.linspace(0.0, 1.0, 101)[1:], [0.001, 0.995, 0.999, 0.9999]]))
_BINS: Final = 40


@dataclass(frozen=True, slots=True)
class Shape:
    """A distribution over requests, each of which may stand for others.

    `points` are (value, share of the requests that do not exceed it), from the least value at 0 up to 100 %. `bins` are
    (low, high, share) of equal width, those with requests only. `mean` and `greatest` are of the values.
    """

    points: tuple[tuple[float, float], ...]
    bins: tuple[tuple[float, float, float], ...]
    mean: float
    greatest: float

    @classmethod
    def of(cls, values: FloatArray, weights: FloatArray) -> "Shape | None":
        """Of values in order. None where nothing weighs anything."""
        some = weights > 0.0
        values, weights = values[some], weights[some]
        if not len(values):
            return None
        reached = np.cumsum(weights) / weights.sum()
        places = np.minimum(np.searchsorted(reached, SHARES * (1.0 - 1e-12)), len(values) - 1)
        points = [(float(values[0]), 0.0), *zip(values[places].tolist(), SHARES.tolist(), strict=True)]
        mean = float((values * weights).sum() / weights.sum())
        return cls(tuple(points), tuple(equal_bins(values, weights)), mean, float(values[-1]))

    @classmethod
    def of_histogram(cls, histogram: LogHistogram) -> "Shape | None":
        return cls.of(*weighed(histogram))

    def quantile(self, share: float) -> float:
        """At one of the shares of `points`: the value that this share of the requests do not exceed."""
        return next(value for value, reached in self.points if reached >= share - 1e-9)


def weighed(histogram: LogHistogram) -> tuple[FloatArray, FloatArray]:
    """Its values in order, each within 0.1 %, the ends exactly, and how often each comes."""
    found = histogram.as_json()
    values = np.clip(middles(np.array(found["bins"], np.int64)), found["least"] or 0.0, found["greatest"] or 0.0)
    if len(values):
        values[0], values[-1] = found["least"], found["greatest"]
    return np.append(0.0, values), np.append(found["zeros"], found["counts"]).astype(np.float64)


def middles(places: NDArray[np.int64]) -> FloatArray:
    """What the values in these bins of `sums.bin_edges` are, within 0.1 %."""
    found: FloatArray = bin_edges()[places] * (1.0 + RELATIVE_ERROR)
    return found


def equal_bins(values: FloatArray, weights: FloatArray) -> Iterator[tuple[float, float, float]]:
    """(low, high, share of all) from the least to the greatest value that weighs something; empty bins are left out."""
    some = weights > 0.0
    values, weights = values[some], weights[some]
    if not len(values):
        return
    low, high = float(values[0]), float(values[-1])
    if high <= low:
        half = max(high * 0.005, 1e-9)
        yield low - half, high + half, 1.0
        return
    edges = np.linspace(low, high, _BINS + 1)
    counts = np.histogram(values, edges, weights=weights)[0]
    for place in np.flatnonzero(counts).tolist():
        yield float(edges[place]), float(edges[place + 1]), float(counts[place] / weights.sum())
