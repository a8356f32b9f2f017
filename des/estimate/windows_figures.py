"""Figures from a stratified sample of windows: ratios of weighted totals, each with a 95 % interval.

Variances are linearised. They have three parts: the sample of each stratum, the spread of the drawn incidents over
blocks of years, and what the finite number of drawn segments adds to either. Degrees of freedom are Satterthwaite's
(1946). A rare share has the interval of a weighted sum of Poisson counts (Fay and Feuer 1997): one more lost request,
where it weighs most, is never excluded, so that what the sample did not meet has an upper bound.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from des.engine import names
from des.estimate.estimate import Estimate
from des.estimate.exact import exact_or_none
from des.estimate.intervals import NORMAL_QUANTILE
from des.estimate.linear import weighted_sum, weighted_sums
from des.estimate.memory import request_rate_per_s
from des.estimate.shape import Shape, middles
from des.estimate.sums import RELATIVE_ERROR, bin_edges
from des.estimate.windows_population import IntArray, Population, whole_horizons
from des.estimate.windows_sample import Sample
from des.estimate.windows_segments import (
    ATTEMPTS,
    CACHE_HITS,
    COST,
    COUNTED,
    CUT,
    FALLBACK,
    LATENCY_S,
    LIMITED,
    LOST,
    OK,
    PROBE_COST,
    REQUESTS,
    WASTED,
)
from des.faults.intervals import FloatArray
from des.scenario.plan import Plan, PoissonIncidents
from des.scenario.text.units import YEAR_S

WINDOWS: Final = "windows"
_NORMAL: Final = NORMAL_QUANTILE
_SLOWEST: Final = 0.1
"""A share of requests above a percentile up to which it has the interval of a rare one."""
_HALVINGS: Final = 40
_RARE: Final = 0.5
"""A share up to this has the interval of a rare one, a greater share that of its complement."""

Figures = Mapping[str, Estimate | Mapping[str, Estimate]]


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio of weighted totals. `residual` is by draw, `by_block` by block of years; both add up to its error."""

    value: float
    variance: float
    freedom: float
    residual: FloatArray
    by_block: FloatArray


class ArmSample:
    """The sample of one arm, weighted: estimates of any ratio of sums over requests."""

    def __init__(self, plan: Plan, arm: int, population: Population, sample: Sample) -> None:
        self.plan = plan
        self.arm = arm
        self.population = population
        tallies = sample.by_arm[arm]
        self.draws = len(tallies)
        self.simulated = sum(each.simulated for each in tallies)
        self.stratum: IntArray = np.asarray(sample.stratum, dtype=np.int64)
        self.measure: FloatArray = np.asarray(sample.measure)
        self.values: NDArray[np.float64] = np.array([each.values for each in tallies])
        self.strata = len(population.strata)
        self.n = np.bincount(self.stratum, minlength=self.strata)
        self.weight: FloatArray = population.measures[self.stratum] / self.n[self.stratum] / self.measure
        sizes = [len(each.bins) for each in tallies]
        self._of = np.repeat(np.arange(self.draws), sizes)
        self._bins = np.concatenate([each.bins for each in tallies])
        self._counts = np.concatenate([each.counts for each in tallies]).astype(np.float64)
        self.called = {leg for each in tallies for leg in each.called}
        self.met = {pair for each in tallies for pair in each.met}
        self._tallies = tallies

    def sums(self, *columns: int) -> FloatArray:
        """By draw."""
        found: FloatArray = self.values[:, list(columns)].sum(axis=1)
        return found

    def total(self, by_draw: FloatArray) -> float:
        return weighted_sum(self.weight, by_draw)

    def mean_by_stratum(self, by_draw: FloatArray) -> FloatArray:
        """What one unit of a stratum's measure comes to."""
        return np.bincount(self.stratum, by_draw / self.measure, self.strata) / np.maximum(self.n, 1)

    def ratio(self, part: FloatArray, whole: FloatArray) -> Ratio | None:
        """Of the totals of two sums by draw; None where the whole is nothing."""
        total = self.total(whole)
        if not total > 0.0:
            return None
        value = self.total(part) / total
        return self.with_variance(value, (part - value * whole) / total)

    def with_variance(self, value: float, residual: FloatArray, blocks: FloatArray | None = None) -> Ratio:
        """A figure with these residuals by draw, and the sum of each block of years where the draws' own is not it."""
        measures = self.population.measures
        per_unit = residual / self.measure
        mean = np.bincount(self.stratum, per_unit, self.strata) / np.maximum(self.n, 1)
        about = (per_unit - mean[self.stratum]) ** 2
        spread = np.bincount(self.stratum, about, self.strata) / np.maximum(self.n - 1, 1)
        sampled = np.where(self.n > 1, measures**2 * spread / np.maximum(self.n, 1), 0.0)
        finite = measures * np.bincount(self.stratum, about * self.measure, self.strata) / np.maximum(self.n, 1)
        if blocks is None:
            blocks = weighted_sums(self.population.by_block, mean)
        drawn = _variance_of_sum(blocks)
        variance = float(sampled.sum()) + float(finite.sum()) + drawn
        parts = np.append(sampled + finite, drawn)
        degrees = np.append(np.maximum(self.n - 1, 1), max(len(blocks) - 1, 1))
        squares = float((parts**2 / degrees).sum())
        freedom = variance**2 / squares if squares > 0.0 else math.inf
        return Ratio(value, variance, freedom, residual, blocks)

    def heaviest(self, lost: FloatArray) -> float:
        """The share of all requests that one stands for, where it stands for most among strata that lost few."""
        requests = np.bincount(self.stratum, self.values[:, REQUESTS], self.strata)
        few = np.bincount(self.stratum, lost, self.strata) < _FEW
        each = np.where(
            few & (requests > 0.0),
            self.population.measures * self.mean_by_stratum(self.values[:, REQUESTS]) / np.maximum(requests, 1.0),
            0.0,
        )
        return float(each.max()) / self.total(self.values[:, REQUESTS])

    def lost(self) -> Ratio:
        """The share of requests lost, with the closed form of total outages as a control where that narrows it."""
        part, whole = self.values[:, LOST], self.values[:, REQUESTS]
        plain = self.ratio(part, whole)
        assert plain is not None
        control = self._all_down_control()
        if control is None:
            return plain
        adjustment, blocks = control
        found = self.with_variance(plain.value - adjustment, plain.residual, plain.by_block - blocks)
        return found if found.variance < plain.variance else plain

    def _all_down_control(self) -> tuple[float, FloatArray] | None:
        """(observed less expected share of time with the chain down, the same of each block of years).

        None where the expectation has no closed form, or is not that of these timelines.
        """
        plan, population = self.plan, self.population
        if whole_horizons(plan) or any(
            isinstance(incidents, PoissonIncidents) and incidents.profile is not None
            for component in plan.components
            for incidents in component.incidents
        ):
            return None
        closed = exact_or_none(plan)
        if closed is None:
            return None
        down = np.array([stratum.all_down[self.arm] for stratum in population.strata])
        whole = population.by_block.sum()
        blocks = (population.by_block[:, down].sum(axis=1) - closed.all_down * population.by_block.sum(axis=1)) / whole
        return float(blocks.sum()), blocks

    def at_most(self, place: int) -> FloatArray:
        """Served requests of each draw with latencies in bins up to this one."""
        kept = self._bins <= place
        found: FloatArray = np.bincount(self._of[kept], self._counts[kept], self.draws).astype(np.float64)
        return found

    def histogram(self) -> FloatArray:
        """The weighted latencies, by bin."""
        weighted: FloatArray = self._counts * self.weight[self._of]
        found: FloatArray = np.bincount(self._bins, weighted, len(bin_edges())).astype(np.float64)
        return found

    def latency_shape(self) -> Shape | None:
        """Of the requests that were served, in seconds."""
        histogram = self.histogram()
        (used,) = np.nonzero(histogram)
        return Shape.of(middles(used), histogram[used])

    def cost_shape(self) -> Shape | None:
        """Of all requests, in USD, without probes."""
        if not self._tallies:
            return None
        places = np.concatenate([each.costs for each in self._tallies])
        of = np.repeat(np.arange(self.draws), [len(each.costs) for each in self._tallies])
        counts = np.concatenate([each.cost_counts for each in self._tallies])
        weights: FloatArray = np.bincount(places + 1, counts * self.weight[of], len(bin_edges()) + 1).astype(np.float64)
        (used,) = np.nonzero(weights)
        values = np.where(used > 0, middles(np.maximum(used - 1, 0)), 0.0)
        return Shape.of(values, weights[used])


_FEW: Final = 10
"""A stratum that lost fewer requests than this may well have lost none, or as many again."""


def figures(sample: ArmSample) -> dict[str, Estimate | Mapping[str, Estimate]]:
    """By the names of summary.json; causes of loss as shares of all requests."""
    plan, sums = sample.plan, sample.sums
    requests, ok, attempts = sums(REQUESTS), sums(OK), sums(ATTEMPTS)
    bill = sums(COST, PROBE_COST)
    legs = len(plan.chain)
    causes = names(plan)["requests"]["lost_to"]
    answered = requests - sums(CUT)
    found: dict[str, Estimate | Mapping[str, Estimate]] = {
        "availability": lost_share(sample).complement(),
        "cost_usd_per_request": plain(sample, sample.ratio(bill, requests)),
        "cost_usd_per_success": plain(sample, sample.ratio(bill, ok)),
        "wasted_cost_share": _share(sample, sums(WASTED), bill),
        "latency_s_mean": plain(sample, sample.ratio(sums(LATENCY_S), ok)),
        "fallback_share": _share(sample, sums(FALLBACK), ok),
        "attempts_per_request": plain(sample, sample.ratio(attempts, requests)),
        "rate_limited_share": _share(sample, sums(LIMITED), attempts),
        "response_cache_hit_share": _share(sample, sums(CACHE_HITS), answered),
        "served_share": {leg.name: _share(sample, sums(COUNTED + number), ok) for number, leg in enumerate(plan.chain)},
        "lost_by_cause": {
            cause: _share(sample, sums(COUNTED + legs + number), requests)
            for number, cause in enumerate(causes)
            if sums(COUNTED + legs + number).any()
        },
        "requests_per_year": Estimate(request_rate_per_s(plan) * YEAR_S, estimator=WINDOWS),
    }
    for name, share in (("latency_s_p50", 0.5), ("latency_s_p95", 0.95), ("latency_s_p99", 0.99)):
        found[name] = percentile(sample, share)
    return found


def lost_share(sample: ArmSample) -> Estimate:
    """1 - availability, with full precision."""
    return rare(sample, sample.lost(), sample.values[:, LOST])


def plain(sample: ArmSample, ratio: Ratio | None) -> Estimate:
    """Student's t with the ratio's degrees of freedom, cut off at 0."""
    if ratio is None:
        return Estimate(None, n=sample.draws, estimator=WINDOWS)
    half = t_quantile(ratio.freedom) * math.sqrt(ratio.variance)
    return Estimate(ratio.value, max(0.0, ratio.value - half), ratio.value + half, sample.draws, WINDOWS)


def rare(sample: ArmSample, ratio: Ratio, part: FloatArray) -> Estimate:
    """A small share: Fay and Feuer's interval, its variance widened for few degrees of freedom."""
    low, high = fay_feuer(
        max(ratio.value, 0.0),
        ratio.variance * (t_quantile(ratio.freedom) / _NORMAL) ** 2,
        sample.heaviest(part),
    )
    return Estimate(
        max(ratio.value, 0.0), low, min(1.0, high), sample.draws, WINDOWS, interval="weighted Poisson, Fay and Feuer"
    )


def fay_feuer(share: float, variance: float, heaviest: float) -> tuple[float, float]:
    """95 % bounds of a weighted sum of Poisson counts; `heaviest` is the weight of one count more."""
    from scipy.special import gammaincinv

    low = 0.0
    if share > 0.0:
        low = variance / share * float(gammaincinv(share**2 / variance, 0.025)) if variance > 0.0 else share
    more, spread = share + heaviest, variance + heaviest**2
    high = spread / more * float(gammaincinv(more**2 / spread, 0.975)) if spread > 0.0 else share
    return low, high


def percentile(sample: ArmSample, share: float) -> Estimate:
    """Of the latencies of served requests: Woodruff's interval (1952), at least as wide as a bin.

    Above a high percentile lie few requests. So the interval of their share is that of a rare one, which Student's t
    is too narrow for: of some thousand requests it covered the 99th percentile 84 to 90 % of the time.
    """
    histogram = sample.histogram()
    reach = np.cumsum(histogram)
    if not reach[-1] > 0.0:
        return Estimate(None, n=sample.draws, estimator=WINDOWS)
    reach /= reach[-1]
    place = int(np.searchsorted(reach, share))
    at_most = sample.ratio(sample.at_most(place), sample.values[:, OK])
    assert at_most is not None
    half = t_quantile(at_most.freedom) * math.sqrt(at_most.variance)
    least, most = share - half, share + half
    if 1.0 - share <= _SLOWEST:
        above = sample.values[:, OK] - sample.at_most(place)
        more, fewer = _shares_above(1.0 - share, (half / _NORMAL) ** 2, sample.heaviest(above))
        least, most = 1.0 - more, 1.0 - fewer
    value = _middle(place)
    low = _middle(int(np.searchsorted(reach, max(least, 0.0))))
    high = _middle(min(int(np.searchsorted(reach, min(most, 1.0))), int(np.flatnonzero(histogram)[-1])))
    error = RELATIVE_ERROR * value
    return Estimate(value, min(low, value - error), max(high, value + error), sample.draws, WINDOWS, "Woodruff")


def _shares_above(share: float, variance: float, heaviest: float) -> tuple[float, float]:
    """The greatest and the smallest share that a sample may show of one that is `share`, by Fay and Feuer's bounds.

    The variance, that of the share itself, grows with what is shown, as that of counts does.
    """
    of_one = variance / share

    def end(bound: int, from_share: float, to_share: float) -> float:
        for _ in range(_HALVINGS):
            between = (from_share + to_share) / 2.0
            if fay_feuer(between, of_one * between, heaviest)[bound] < share:
                from_share = between
            else:
                to_share = between
        return (from_share + to_share) / 2.0

    return end(0, share, 1.0), end(1, 0.0, share)


def difference(first: ArmSample, other: ArmSample, ratios: tuple[Ratio, Ratio], floor: float = 0.0) -> Estimate:
    """Of `other` less `first`, paired where both have the same draws. `floor` is a weight that is never excluded."""
    one, two = ratios
    value = two.value - one.value
    if first.population is other.population:
        found = other.with_variance(value, two.residual - one.residual, two.by_block - one.by_block)
        variance, freedom = found.variance, found.freedom
    else:
        variance = one.variance + two.variance
        parts = sum(each.variance**2 / each.freedom for each in ratios if math.isfinite(each.freedom))
        freedom = variance**2 / parts if parts > 0.0 else math.inf
    half = t_quantile(freedom) * math.sqrt(variance + floor**2)
    return Estimate(value, value - half, value + half, other.draws, WINDOWS)


def t_quantile(freedom: float) -> float:
    """The 97.5 % quantile of Student's t with any positive number of degrees of freedom."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.975)) if math.isfinite(freedom) and freedom < 1e7 else _NORMAL


def _share(sample: ArmSample, part: FloatArray, whole: FloatArray) -> Estimate:
    """A share of requests, or of another sum: the rarer of it and its complement has the interval of a rare one."""
    ratio = sample.ratio(part, whole)
    if ratio is None:
        return Estimate(None, n=sample.draws, estimator=WINDOWS)
    if ratio.value <= _RARE:
        return rare(sample, ratio, part)
    rest = Ratio(1.0 - ratio.value, ratio.variance, ratio.freedom, -ratio.residual, -ratio.by_block)
    return rare(sample, rest, whole - part).complement()


def _middle(place: int) -> float:
    return float(bin_edges()[place]) * (1.0 + RELATIVE_ERROR)


def _variance_of_sum(blocks: FloatArray) -> float:
    """Of a sum of independent blocks; 0 of a single one."""
    if len(blocks) < 2:
        return 0.0
    return float(len(blocks) * blocks.var(ddof=1))


def by_state(sample: ArmSample) -> list[tuple[int, float, float]]:
    """(stratum, share of the requests, share of the requests that were lost in it)."""
    asked = sample.total(sample.values[:, REQUESTS])
    requests = sample.population.measures * sample.mean_by_stratum(sample.values[:, REQUESTS]) / asked
    lost = sample.population.measures * sample.mean_by_stratum(sample.values[:, LOST]) / asked
    return [(number, float(requests[number]), float(lost[number])) for number in range(sample.strata)]


_LEVELS: Final = ("", "impaired", "down")


def state_names(population: Population, plan: Plan) -> Sequence[str]:
    """What each stratum is, in words."""
    found = []
    for stratum in population.strata:
        if stratum.state:
            words = [
                f"{plan.endpoints[endpoint].provider}/{plan.endpoints[endpoint].model} {_LEVELS[level]}"
                for endpoint, level in zip(population.endpoints, stratum.state, strict=True)
                if level
            ]
            said = ", ".join(words) or "all clear"
        else:
            said = f"{stratum.down} of {len(population.endpoints)} down in another way"
        change = ("", ", just worse", ", just better")[stratum.kind]
        found.append(said + (change if stratum.state else ", just changed" if change else ""))
    return found
