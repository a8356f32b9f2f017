"""Whether incidents became more frequent, by a test that is robust to clustering."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from des.faults.calibration.service_history import ServiceHistory
from des.faults.intervals import FloatArray
from des.scenario.text.units import YEAR_S

_LEAST_STARTS = 5
_LEAST_YEARS = 0.5
_LEAST_SHARE = 0.1
"""Least share of the window on either side of a step in the rate."""


@dataclass(frozen=True, slots=True)
class Trend:
    """Rates are per year; a growth of 2 doubles the rate every year.

    `laplace_p` assumes that starts are a Poisson process. `p_value` (Lewis and Robinson 1974: Laplace's statistic over
    the coefficient of variation of the gaps) allows any renewal process, so bursts do not count as growth.
    """

    before_per_year: float
    after_per_year: float
    laplace: float
    laplace_p: float
    p_value: float
    growth_per_year: float
    """nan for a window of less than half a year."""
    changed_s: float
    """The most likely instant of a single step in the rate, whether or not there was one."""
    before_change_per_year: float
    after_change_per_year: float
    by_year: tuple[tuple[int, float], ...]
    """Incidents per year in each calendar year."""


def trend(history: ServiceHistory) -> Trend | None:
    """None for fewer than five starts. The first start is left out, since the window usually begins with it."""
    starts = history.starts_s
    if len(starts) < _LEAST_STARTS or history.until_s <= history.from_s:
        return None
    if starts[0] == history.from_s:
        starts = starts[1:]
    length = history.until_s - history.from_s
    after = starts - history.from_s
    count = len(after)
    laplace = (float(after.mean()) - length / 2.0) / (length / math.sqrt(12.0 * count))
    gaps = np.diff(np.concatenate(([0.0], after)))
    variation = float(gaps.std(ddof=1) / gaps.mean()) if gaps.any() else 0.0
    middle = int((after < length / 2.0).sum())
    changed, left = _step(after, length)
    return Trend(
        before_per_year=middle / (length / 2.0) * YEAR_S,
        after_per_year=(count - middle) / (length / 2.0) * YEAR_S,
        laplace=laplace,
        laplace_p=_two_sided(laplace),
        p_value=_two_sided(laplace / variation) if variation > 0.0 else 1.0,
        growth_per_year=_growth(float(after.mean()) / length, length / YEAR_S),
        changed_s=history.from_s + changed,
        before_change_per_year=left / changed * YEAR_S,
        after_change_per_year=(count - left) / (length - changed) * YEAR_S,
        by_year=_by_year(history),
    )


def _two_sided(score: float) -> float:
    return math.erfc(abs(score) / math.sqrt(2.0))


def _growth(mean: float, years: float) -> float:
    """Growth a year of a rate proportional to exp(b t) on [0, 1] whose starts have this mean; b by bisection."""
    if years < _LEAST_YEARS:
        return math.nan

    def expected(b: float) -> float:
        return 0.5 + b / 12.0 if abs(b) < 1e-4 else 1.0 / -math.expm1(-b) - 1.0 / b

    low, high = -50.0, 50.0
    for _ in range(80):
        middle = (low + high) / 2.0
        low, high = (middle, high) if expected(middle) < mean else (low, middle)
    return math.exp((low + high) / 2.0 / years)


def _step(after: FloatArray, length: float) -> tuple[float, int]:
    """The most likely instant of one step in a Poisson rate, and the number of starts before it."""
    best, place, left = -math.inf, length / 2.0, int((after < length / 2.0).sum())
    count = len(after)
    for index, moment in enumerate(after.tolist()):
        if not _LEAST_SHARE * length <= moment <= (1.0 - _LEAST_SHARE) * length:
            continue
        value = 0.0
        for number, span in ((index, moment), (count - index, length - moment)):
            value += number * math.log(number / span) if number else 0.0
        if value > best:
            best, place, left = value, moment, index
    return place, left


def _by_year(history: ServiceHistory) -> tuple[tuple[int, float], ...]:
    starts = history.starts_s
    edges = np.arange(_year(history.from_s), _year(history.until_s) + 2)
    moments = (edges - 1970).astype("datetime64[Y]").astype("datetime64[s]").astype(np.float64)
    rates = []
    for year, low, high in zip(edges.tolist(), moments.tolist(), moments[1:].tolist(), strict=False):
        low, high = max(low, history.from_s), min(high, history.until_s)
        if high > low:
            rates.append((int(year), float(((starts >= low) & (starts < high)).sum()) / (high - low) * YEAR_S))
    return tuple(rates)


def _year(moment_s: float) -> int:
    return datetime.fromtimestamp(moment_s, UTC).year
