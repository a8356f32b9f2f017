"""Estimates from the values of replications: means, quantiles, rare counts and time up, each with a 95 % interval.

Intervals are over replications. `python -m benchmarks.coverage` measures how often each covers the exact value.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from des.draws import generator
from des.estimate.estimate import REQUEST_LEVEL, Estimate
from des.estimate.linear import least_squares, weighted_sum
from des.estimate.sums import RELATIVE_ERROR

CONFIDENCE: Final = 0.95
NORMAL_QUANTILE: Final = 1.959963984540054
"""The 97.5 % quantile of the standard normal distribution."""
FEW_EPISODES: Final = 200
"""With fewer, Student's t covers too seldom: 83 % at 20 episodes of lognormal duration, 92 % at 240."""
FEW_EVENTS: Final = 20
"""With fewer, a rate has exact Poisson bounds."""
NO_SPREAD: Final = "none: the same throughout"
"""Stands for the interval where all replications agree, which may be chance: a width of zero would claim too much."""
RECORDED: Final = "none: the same incidents each time, on record"
"""Stands for the interval where nothing is random."""
_CONTROLLED: Final = "request level, controlled"
_TAIL: Final = (1.0 - CONFIDENCE) / 2.0
_RESAMPLES: Final = 1999
_ROUNDING: Final = 1e-14
_USUAL_LOG_SPREAD: Final = 1.3
"""A usual standard deviation of ln(duration), which counts as one more episode of evidence."""
_BANDWIDTH: Final = 1.5
"""Of the smoothing, in standard deviations of ln(duration) at one episode; chosen by measured coverage."""


class Interval(NamedTuple):
    """An estimate and its 95 % interval; the ends are None where no interval can be given."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class _Quantile(Estimate):
    """An estimate whose JSON names its kind of interval first."""

    def as_json(self) -> dict[str, Any]:
        found = Estimate.as_json(self)
        return {"interval": self.interval, **found} if self.interval is not None else found


def alike(values: Sequence[float]) -> bool:
    """Whether values differ only by rounding, so that their spread says nothing about the error of their mean."""
    low, high = min(values), max(values)
    return high - low <= _ROUNDING * max(abs(low), abs(high))


def students_t(values: Sequence[float]) -> Interval:
    """The mean of independent values. An interval takes at least two different values."""
    n = len(values)
    mean = math.fsum(values) / n
    if n < 2 or alike(values):
        return Interval(mean, None, None)
    half = t_quantile(n - 1) * standard_error(values)
    return Interval(mean, mean - half, mean + half)


def sectioned(whole: float, sections: Sequence[float]) -> Interval:
    """A figure of all replications together, `whole`, that is not a mean (Asmussen and Glynn 2007, III.5a).

    Its standard error comes from the spread of the replications' own figures around it.
    """
    n = len(sections)
    if n < 2 or alike((whole, *sections)):
        return Interval(whole, None, None)
    about = math.fsum((value - whole) ** 2 for value in sections)
    half = t_quantile(n - 1) * math.sqrt(about / (n * (n - 1)))
    return Interval(whole, whole - half, whole + half)


def poisson_bounds(count: float, tail: float = _TAIL) -> tuple[float, float]:
    """Exact bounds of the mean of a Poisson variable observed as `count` (Garwood 1936).

    A count of effective events need not be whole. `tail` is the probability left out on either side.
    """
    from scipy.special import gammaincinv

    low = float(gammaincinv(count, tail)) if count else 0.0
    return low, float(gammaincinv(count + 1, 1.0 - tail))


def binomial_bounds(count: int, n: int) -> tuple[float, float]:
    """Exact bounds of the probability of an event that came `count` times in n (Clopper and Pearson 1934)."""
    from scipy.special import betaincinv

    low = float(betaincinv(count, n - count + 1.0, _TAIL)) if count else 0.0
    return low, float(betaincinv(count + 1.0, n - count, 1.0 - _TAIL)) if count < n else 1.0


def compound_bounds(sizes: NDArray[np.float64], singles: int = 0) -> tuple[float, float]:
    """Bounds of the mean of a compound Poisson sum, such as the downtime of few episodes.

    `sizes` are the observed terms, at least one and all above zero; `singles` further events have size 1. The method is
    a bootstrap-t over the episodes on the log scale (Hall 1992, 3.3): the ln of the sum, studentised by its own
    delta-method error, is resampled from as many episodes. Few episodes seldom include the long ones that matter most.
    So each resampled size is smoothed by a lognormal factor, which narrows as episodes become more.
    """
    n = len(sizes)
    total = float(sizes.sum()) + singles
    error = math.sqrt(float((sizes * sizes).sum()) + singles) / total  # of the ln of a compound Poisson sum
    width = _BANDWIDTH * _log_spread(sizes) * n**-0.2
    rng = generator(0, 0, "bootstrap of episodes")
    counts = rng.poisson(n, _RESAMPLES)
    counts = np.maximum(counts, 1)  # an empty sum has no logarithm
    drawn = sizes[rng.integers(n, size=int(counts.sum()))]
    if width > 0.0:
        drawn = drawn * np.exp(width * rng.standard_normal(len(drawn)))
    sample = np.repeat(np.arange(_RESAMPLES), counts)
    ones = rng.poisson(singles, _RESAMPLES)
    sums = np.bincount(sample, drawn, _RESAMPLES) + ones
    errors = np.sqrt(np.bincount(sample, drawn * drawn, _RESAMPLES) + ones) / sums
    centre = float(sizes.sum()) * math.exp(width * width / 2.0) + singles
    pivots = np.sort((np.log(sums) - math.log(centre)) / errors)
    cut = round((_RESAMPLES + 1) * (1.0 - CONFIDENCE) / 2.0)
    lowest, highest = float(pivots[cut - 1]), float(pivots[_RESAMPLES - cut])
    return total * math.exp(-highest * error), total * math.exp(-lowest * error)


def standard_error(values: Sequence[float]) -> float:
    """Of the mean of at least two values."""
    n = len(values)
    mean = math.fsum(values) / n
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1) / n)


def t_quantile(degrees_of_freedom: int) -> float:
    """The 97.5 % quantile of Student's t distribution."""
    from scipy.special import stdtrit  # importing scipy.stats takes a second

    return float(stdtrit(degrees_of_freedom, (1.0 + CONFIDENCE) / 2.0))


def mean_of(values: Sequence[float | None], *, share: bool = False, estimator: str = REQUEST_LEVEL) -> Estimate:
    """Mean and 95 % interval over the `n` replications that have a value. Without interval unless two values differ.

    The interval is cut off at zero, and at one for a share.
    """
    known = [value for value in values if value is not None]
    if not known:
        return Estimate(None, estimator=estimator)
    return _estimate(students_t(known), len(known), share=share, estimator=estimator)


def quantile_of(whole: float | None, values: Sequence[float | None]) -> Estimate:
    """A quantile of all replications together, `whole`, with an interval from theirs, at least as wide as a bin."""
    known = [value for value in values if value is not None]
    if whole is None or len(known) < 2:
        return mean_of(values)
    found = sectioned(whole, known)
    if found.low is None or found.high is None:
        return _Quantile(whole, None, None, len(known), interval=NO_SPREAD)
    error = RELATIVE_ERROR * whole
    low, high = max(0.0, min(found.low, whole - error)), max(found.high, whole + error)
    return _Quantile(whole, low, high, len(known), interval="sectioning")


def share_up(
    values: Sequence[float], episodes_s: Sequence[Sequence[float]], *, estimator: str, recorded: bool = False
) -> Estimate:
    """Share of the time up, by replication, with the durations of each one's down episodes.

    There is no interval without an episode, since the durations are then unknown, nor where the episodes are
    `recorded`: they are the same each time, and the figure is exact.
    """
    found = mean_of(values, share=True, estimator=estimator)
    sizes = [size for several in episodes_s for size in several]
    if recorded:
        return found.without_interval(RECORDED)
    if not sizes:
        return found.without_interval(found.interval)
    return over_episodes(found, sizes, 0) if are_few(values, len(sizes)) else found


def count_of(values: Sequence[float], *, estimator: str, recorded: bool = False) -> Estimate:
    """The mean of counts of rare events, with exact Poisson bounds where they are few and random."""
    found = mean_of(values, estimator=estimator)
    if recorded:
        return found.without_interval(RECORDED)
    total, n = round(math.fsum(values)), len(values)
    if n < 2 or (total >= FEW_EVENTS and found.low is not None):
        return found
    low, high = poisson_bounds(total)
    return replace(found, low=low / n, high=high / n, interval="poisson")


def are_few(values: Sequence[float | None], events: int) -> bool:
    """Whether events are too few for Student's t, and not the same ones in each replication."""
    return len(values) > 1 and 0 < events < FEW_EPISODES and len(set(values)) > 1


def over_episodes(up: Estimate, sizes: Sequence[float], apart: int) -> Estimate:
    """A share up (or served), with an interval over the episodes of these sizes that reduced it.

    `apart` counts further episodes of size 1.
    """
    if sizes:
        low, high = compound_bounds(np.array(sizes), apart)
        what = f"bootstrap-t over {len(sizes)} episode{'s' if len(sizes) > 1 else ''}"
    else:
        (low, high), what = poisson_bounds(apart), "poisson"
    whole = math.fsum(sizes) + apart
    lost = 1.0 - up.known
    return replace(up, low=max(0.0, 1.0 - lost * high / whole), high=min(1.0, 1.0 - lost * low / whole), interval=what)


def over_episodes_and_apart(up: Estimate, sizes: Sequence[float], apart: Sequence[int]) -> Estimate:
    """A share served that few episodes and many separate losses reduced, `apart` of them in each replication.

    The two sums have intervals of their own: a bootstrap-t over the episodes; Student's t over the replications, at
    least as wide as the Poisson bounds of few. Their sum has the interval whose sides add up in squares (method of
    variance estimates recovery; Zou and Donner 2008).
    """
    n, total = len(apart), sum(apart)
    together = math.fsum(sizes)
    low, high = compound_bounds(np.array(sizes))
    others = students_t([float(count) for count in apart])
    least, most = (total if end is None else max(0.0, n * end) for end in (others.low, others.high))
    if total < FEW_EVENTS:
        bounds = poisson_bounds(total)
        least, most = min(least, bounds[0]), max(most, bounds[1])
    whole = together + total
    below, above = math.hypot(together - low, total - least), math.hypot(high - together, most - total)
    lost = 1.0 - up.known
    what = f"bootstrap-t over {len(sizes)} episode{'s' if len(sizes) > 1 else ''}, t of other losses"
    return replace(
        up,
        low=max(0.0, 1.0 - lost * (whole + above) / whole),
        high=min(1.0, 1.0 - lost * max(0.0, whole - below) / whole),
        interval=what,
    )


def with_controls(
    values: Sequence[float],
    controls: Sequence[Sequence[float]],
    known: Sequence[float],
    *,
    share: bool = False,
    estimator: str = _CONTROLLED,
) -> Estimate:
    """The mean of `values` by linear regression on `controls`, each with a value per replication and a `known` mean.

    A replication with more downtime than expected has lost more, cost more and waited longer. The part of a metric that
    is linear in such a control is known noise. The interval is Student's t with n - 1 - k degrees of freedom
    (Lavenberg, Moeller and Welch 1982), exact for normal values, biased by O(1/n) otherwise. Controls that do not vary
    are left out. The plain mean stands, without a `variance_reduction`, where there are fewer than k + 5 values or the
    regression would widen the interval.
    """
    plain = mean_of(values, share=share, estimator=REQUEST_LEVEL if estimator == _CONTROLLED else estimator)
    y = np.asarray(values, dtype=np.float64)
    columns = [np.asarray(control, dtype=np.float64) - mean for control, mean in zip(controls, known, strict=True)]
    columns = [column for column in columns if np.ptp(column) > 0.0]
    n, k = len(y), len(columns)
    if k == 0 or n < k + 5 or np.ptp(y) == 0.0:
        return plain
    scale = [float(np.abs(column).max()) for column in columns]
    fitted = least_squares([column / by for column, by in zip(columns, scale, strict=True)], y)
    if fitted is None:
        return plain
    variance = weighted_sum(fitted.residual, fitted.residual) / (n - 1 - k) * fitted.unit_variance
    plain_variance = float(y.var(ddof=1)) / n
    if not variance < plain_variance:
        return plain
    mean = fitted.intercept
    half = t_quantile(n - 1 - k) * math.sqrt(variance)
    return Estimate(
        mean=_in_range(mean) if share else mean,
        low=max(0.0, mean - half),
        high=min(1.0, mean + half) if share else mean + half,
        n=n,
        estimator=estimator,
        variance_reduction=plain_variance / variance if variance > 0.0 else math.inf,
    )


def _estimate(found: Interval, n: int, *, share: bool = False, estimator: str = REQUEST_LEVEL) -> Estimate:
    value, low, high = _in_range(found.value) if share else found.value, found.low, found.high
    if low is None or high is None:
        return Estimate(value, None, None, n, estimator, NO_SPREAD if n > 1 else None)
    return Estimate(value, max(0.0, low), min(1.0, high) if share else high, n, estimator)


def _in_range(share: float) -> float:
    """A share that is corrected by what is known of others can pass 0 or 1 by a little."""
    return min(1.0, max(0.0, share))


def _log_spread(sizes: NDArray[np.float64]) -> float:
    logs = np.log(sizes)
    about = float(((logs - logs.mean()) ** 2).sum())
    return math.sqrt((about + _USUAL_LOG_SPREAD**2) / len(sizes))
