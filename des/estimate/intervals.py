"""95 % intervals: of means, quantiles, rates of rare events and unavailability. Replications are what they count.

`python -m benchmarks.coverage` measures how often each covers the exact value.
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from des.draws import generator

CONFIDENCE: Final = 0.95
NORMAL_QUANTILE: Final = 1.959963984540054
"""What a standard normal variable stays below in all but 2.5 % of cases."""
FEW_EPISODES: Final = 200
"""Below it Student's t covers too seldom: 83 % at 20 episodes of lognormal duration, 92 % at 240."""
FEW_EVENTS: Final = 20
"""Below it the bounds of a rate are Poisson's own."""
RESAMPLES: Final = 1999
NO_SPREAD: Final = "none: the same throughout"
"""Instead of an interval where all replications agree: they may by chance, so it would claim too much."""
_ROUNDING: Final = 1e-14
_USUAL_LOG_SPREAD: Final = 1.3
"""Standard deviation of ln(duration) that durations have where nothing else is said; counts as one episode's worth."""
_BANDWIDTH: Final = 1.5
"""Of the smoothing, in standard deviations of ln(duration) at one episode; from the coverage measured."""


class Interval(NamedTuple):
    """An estimate and its 95 % interval; without ends where there is none to be had."""

    value: float
    low: float | None
    high: float | None


def alike(values: Sequence[float]) -> bool:
    """Whether values are the same but for rounding: their spread then says nothing of how sure their mean is."""
    low, high = min(values), max(values)
    return high - low <= _ROUNDING * max(abs(low), abs(high))


def students_t(values: Sequence[float]) -> Interval:
    """The mean of independent values; its interval takes two of them that differ."""
    n = len(values)
    mean = math.fsum(values) / n
    if n < 2 or alike(values):
        return Interval(mean, None, None)
    half = t_quantile(n - 1) * standard_error(values)
    return Interval(mean, mean - half, mean + half)


def sectioned(whole: float, sections: Sequence[float]) -> Interval:
    """A figure of all replications together, `whole`, that is no mean: a quantile (Asmussen and Glynn 2007, III.5a).

    Its spread is that of the replications' own figures about it.
    """
    n = len(sections)
    if n < 2 or alike((whole, *sections)):
        return Interval(whole, None, None)
    about = math.fsum((value - whole) ** 2 for value in sections)
    half = t_quantile(n - 1) * math.sqrt(about / (n * (n - 1)))
    return Interval(whole, whole - half, whole + half)


def poisson_bounds(count: float, tail: float = (1.0 - CONFIDENCE) / 2.0) -> tuple[float, float]:
    """Exact bounds of the mean of a Poisson variable that came out as `count` (Garwood 1936).

    A count of effective events need not be whole. `tail` is left out on either side.
    """
    from scipy.special import gammaincinv

    low = float(gammaincinv(count, tail)) if count else 0.0
    return low, float(gammaincinv(count + 1, 1.0 - tail))


def binomial_bounds(count: int, n: int) -> tuple[float, float]:
    """Exact bounds of the probability of what came out so often of n times (Clopper and Pearson 1934)."""
    from scipy.special import betaincinv

    tail = (1.0 - CONFIDENCE) / 2.0
    low = float(betaincinv(count, n - count + 1.0, tail)) if count else 0.0
    return low, float(betaincinv(count + 1.0, n - count, 1.0 - tail)) if count < n else 1.0


def compound_bounds(sizes: NDArray[np.float64], singles: int = 0) -> tuple[float, float]:
    """Bounds of the mean of a sum of Poisson many independent sizes, such as the downtime of few episodes.

    `sizes` are what came out, all above zero and at least one; `singles` events of size 1 came besides. A bootstrap-t
    over the episodes on the log scale (Hall 1992, 3.3): the ln of the sum, studentised by its own delta-method error,
    is resampled from as many episodes. Few episodes seldom hold the long ones that matter most, so each
    resampled size is smoothed by a lognormal factor, the less the more episodes there are.
    """
    n = len(sizes)
    total = float(sizes.sum()) + singles
    error = math.sqrt(float((sizes * sizes).sum()) + singles) / total  # of the ln of a compound Poisson sum
    width = _BANDWIDTH * _log_spread(sizes) * n**-0.2
    luck = generator(0, 0, "bootstrap of episodes")
    counts = luck.poisson(n, RESAMPLES)
    counts = np.maximum(counts, 1)  # a sum of nothing has no logarithm
    drawn = sizes[luck.integers(n, size=int(counts.sum()))]
    if width > 0.0:
        drawn = drawn * np.exp(width * luck.standard_normal(len(drawn)))
    sample = np.repeat(np.arange(RESAMPLES), counts)
    ones = luck.poisson(singles, RESAMPLES)
    sums = np.bincount(sample, drawn, RESAMPLES) + ones
    errors = np.sqrt(np.bincount(sample, drawn * drawn, RESAMPLES) + ones) / sums
    centre = float(sizes.sum()) * math.exp(width * width / 2.0) + singles
    pivots = np.sort((np.log(sums) - math.log(centre)) / errors)
    cut = round((RESAMPLES + 1) * (1.0 - CONFIDENCE) / 2.0)
    lowest, highest = float(pivots[cut - 1]), float(pivots[RESAMPLES - cut])
    return total * math.exp(-highest * error), total * math.exp(-lowest * error)


def standard_error(values: Sequence[float]) -> float:
    """Of the mean of at least two values."""
    n = len(values)
    mean = math.fsum(values) / n
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1) / n)


def t_quantile(freedom: int) -> float:
    """What Student's t with so many degrees of freedom stays below in all but 2.5 % of cases."""
    from scipy.special import stdtrit  # without the second that scipy.stats takes to import

    return float(stdtrit(freedom, (1.0 + CONFIDENCE) / 2.0))


def _log_spread(sizes: NDArray[np.float64]) -> float:
    logs = np.log(sizes)
    about = float(((logs - logs.mean()) ** 2).sum())
    return math.sqrt((about + _USUAL_LOG_SPREAD**2) / len(sizes))
