"""The chance that a month meets an availability, from what the strata lose and when they lie in the drawn years."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from des.errors import DesError
from des.estimate.estimate import Estimate
from des.estimate.intervals import NORMAL_QUANTILE
from des.estimate.linear import weighted_sums
from des.estimate.windows_figures import WINDOWS, ArmSample, lost_share, t_quantile
from des.estimate.windows_population import Population
from des.estimate.windows_segments import LOST, REQUESTS
from des.faults.intervals import FloatArray
from des.scenario.text.units import DAY_S

_MOST_MONTHS: Final = 250_000
_THIRTY_DAYS_S: Final = 30.0 * DAY_S


@dataclass(frozen=True, slots=True)
class Months:
    """Whole months of the drawn years: the measure of each stratum in each, float64[months, strata], and its block."""

    measure: FloatArray
    block: np.ndarray[tuple[int], np.dtype[np.int64]]


def meeting(sample: ArmSample, months: Months, target: float) -> Estimate | None:
    """The share of months in which at least `target` of the requests are served; None without a whole month.

    A month's expected loss follows from how long it has each stratum. Around it the loss spreads as the sampled blocks
    do. The interval covers the spread over blocks of years and, by the ends of the interval of the long-run loss, the
    error of what strata lose.
    """
    if not len(months.measure):
        return None
    lost = sample.mean_by_stratum(sample.values[:, LOST])
    asked = sample.mean_by_stratum(sample.values[:, REQUESTS])
    spread = _spread(sample, lost)
    found = _chances(months, lost, asked, spread, target)
    mean = float(found.mean())
    blocks = np.bincount(months.block, found) / np.maximum(np.bincount(months.block), 1)
    drawn = float(blocks.var(ddof=1)) / len(blocks) if len(blocks) > 1 else 0.0
    share = lost_share(sample)
    if share.low is None or share.high is None:
        return Estimate(mean, n=len(found), estimator=WINDOWS)
    ends = []
    for end in (share.low, share.high):
        scaled = _scaled(lost, asked, end, share.known, sample)
        ends.append(float(_chances(months, scaled, asked, spread, target).mean()))
    strata = abs(ends[0] - ends[1]) / 2.0 / NORMAL_QUANTILE
    half = t_quantile(max(len(blocks) - 1, 1)) * math.sqrt(drawn + strata**2)
    low, high = min(mean - half, *ends), max(mean + half, *ends)
    return Estimate(mean, max(0.0, low), min(1.0, high), len(found), WINDOWS)


def months_of(population: Population, length: str, start: str | None) -> Months:
    """Calendar months where `length` is `month` and the start is known, else windows of 30 days or as `length` says."""
    bounds = _bounds(population, length, start)
    count = len(bounds) - 1
    pieces = min(len(population.pieces), max(1, _MOST_MONTHS // max(count, 1)))
    strata = len(population.strata)
    if count < 1:
        return Months(np.zeros((0, strata)), np.zeros(0, np.int64))
    reach = population.exposure.until(bounds)
    found = np.zeros((pieces, count, strata))
    segments = population.segments
    for piece in range(pieces):
        first, past = np.searchsorted(segments.piece, (piece, piece + 1))
        start_s, end_s = segments.start_s[first:past], segments.end_s[first:past]
        stratum = segments.stratum[first:past]
        month = np.clip(np.searchsorted(bounds, start_s, side="right") - 1, 0, count - 1)
        last = np.clip(np.searchsorted(bounds, end_s, side="left") - 1, 0, count - 1)
        whole = population.exposure.until(end_s), population.exposure.until(start_s)
        for step in range(int((last - month).max(initial=0)) + 1):
            of = np.flatnonzero(month + step <= last)
            in_month = month[of] + step
            part = np.minimum(whole[0][of], reach[in_month + 1]) - np.maximum(whole[1][of], reach[in_month])
            np.add.at(found[piece], (in_month, stratum[of]), np.maximum(part, 0.0))
    block = np.repeat(population.block_of_piece[:pieces], count)
    return Months(found.reshape(pieces * count, strata), block)


def _bounds(population: Population, length: str, start: str | None) -> FloatArray:
    """Of the months of a piece, in seconds since its start."""
    if length == "month" and start is not None:
        return _calendar(population, datetime.fromisoformat(start))
    days = 30.0 if length == "month" else _days(length)
    count = int((population.until_s - population.from_s) // (days * DAY_S))
    found: FloatArray = population.from_s + np.arange(count + 1, dtype=np.float64) * (days * DAY_S)
    return found


def _days(length: str) -> float:
    digits = length.removesuffix("d")
    if not digits.replace(".", "", 1).isdigit() or float(digits) <= 0.0:
        raise DesError(f"an objective per '{length}': month, or a number of days such as 30d")
    return float(digits)


def _calendar(population: Population, start: datetime) -> FloatArray:
    found = []
    at = (start + timedelta(seconds=population.from_s)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    while (since_s := (at - start).total_seconds()) <= population.until_s:
        if since_s >= population.from_s:
            found.append(since_s)
        at = at.replace(year=at.year + at.month // 12, month=at.month % 12 + 1)
    return np.array(found)


def _spread(sample: ArmSample, lost: FloatArray) -> FloatArray:
    """The variance of a month's loss for each unit of a stratum's measure, as the blocks of the sample show it."""
    per_unit = sample.values[:, LOST] / sample.measure
    about = (per_unit - lost[sample.stratum]) ** 2 * sample.measure
    found: FloatArray = np.bincount(sample.stratum, about, sample.strata) / np.maximum(sample.n - 1, 1)
    return found


def _chances(months: Months, lost: FloatArray, asked: FloatArray, spread: FloatArray, target: float) -> FloatArray:
    """Of each month. The loss is a Poisson number of equal clumps, with the month's mean and variance."""
    from scipy.special import gammaincc

    mean, requests, variance = (weighted_sums(months.measure, of) for of in (lost, asked, spread))
    allowed = np.floor((1.0 - target) * requests * (1.0 + 1e-12))
    clump = np.maximum(np.where(mean > 0.0, variance / np.maximum(mean, 1e-300), 1.0), 1e-9)
    chance = gammaincc(np.floor(allowed / clump) + 1.0, np.maximum(mean, 0.0) / clump)
    found: FloatArray = np.where(mean > 0.0, np.where(variance > 0.0, chance, mean <= allowed), 1.0)
    return found


def _scaled(lost: FloatArray, asked: FloatArray, end: float, share: float, sample: ArmSample) -> FloatArray:
    """What strata lose if the long-run share were `end`: more or less where not all or nothing is lost."""
    if share > 0.0:
        return np.minimum(lost * (end / share), asked)
    whole = sample.total(sample.values[:, REQUESTS])
    return np.full_like(lost, end * whole / float(sample.population.measures.sum()))
