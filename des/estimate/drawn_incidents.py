"""Incidents of a plan drawn over many horizons, for what has no closed form: how endpoints fare, alone and together."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from scipy.special import bdtrik

from des.estimate.intervals import CONFIDENCE, FEW_EPISODES, Interval, compound_bounds, poisson_bounds, students_t
from des.estimate.timeline_availability import incidents_per_year
from des.estimate.uneven import Uneven
from des.faults import Downtime, Marginals, draw_timeline, marginals, sharing
from des.faults.marginals import chain_endpoints, total
from des.scenario.plan import Plan, RecordedIncidents
from des.scenario.text.units import YEAR_S

TIMELINE: Final = "timeline"
MOST_INCIDENTS: Final = 50_000
MOST_HORIZONS: Final = 500
LEAST_HORIZONS: Final = 20
YEARS_ENOUGH: Final = 2_000.0
SAME_LENGTH: Final = 1e-9
"""Relative difference of durations that are the same but for the rounding of when they start."""

Figure = dict[str, Any]


@dataclass(frozen=True, slots=True)
class DrawnIncidents:
    """Marginals of independent horizons of one plan."""

    parts: tuple[Marginals, ...]

    @classmethod
    def of(cls, plan: Plan) -> "DrawnIncidents":
        """Some thousand years, or a hundred thousand incidents of them.

        Raises DesError where recorded incidents cannot be set apart.
        """
        horizons, horizon_s = horizons_of(plan)
        return cls.some(plan, horizons, horizon_s)

    @classmethod
    def some(cls, plan: Plan, horizons: int, horizon_s: float) -> "DrawnIncidents":
        """The first so many."""
        chain = chain_endpoints(plan)
        return cls(
            tuple(marginals(draw_timeline(plan, number, horizon_s), horizon_s, chain) for number in range(horizons))
        )

    @property
    def together(self) -> Marginals:
        return total(self.parts)


def horizons_of(plan: Plan) -> tuple[int, float]:
    """(how many, their length in seconds), as `DrawnIncidents.of` draws and with its errors."""
    horizon_s = sharing(plan).comparable_s
    years = horizon_s / YEAR_S
    per_horizon = incidents_per_year(plan) * years + _recorded(plan)
    wanted = min(YEARS_ENOUGH / years, MOST_INCIDENTS / per_horizon if per_horizon > 0.0 else 1.0, MOST_HORIZONS)
    uneven = Uneven.of(plan)
    least = LEAST_HORIZONS if uneven is None else max(LEAST_HORIZONS, min(MOST_HORIZONS, uneven.fewest))
    return max(least, math.ceil(wanted)), horizon_s


def unavailability(downs: Sequence[Downtime], uneven: Uneven | None = None) -> Figure:
    """Share of the time down, over independent horizons of equal length; if these are `uneven`, not over episodes."""
    shares = [down.unavailability for down in downs]
    found = students_t(shares)
    low, high = found.low, found.high
    if uneven is not None:
        return _by_horizon(found, len(downs), uneven, highest=1.0)
    episodes_s = np.concatenate([down.durations_s for down in downs])
    episodes_s = episodes_s[episodes_s > 0.0]
    if 0 < len(episodes_s) < FEW_EPISODES and len(set(shares)) > 1:
        whole = float(episodes_s.sum())
        below, above = compound_bounds(episodes_s)
        low, high = found.value * below / whole, found.value * above / whole
    return figure(found.value, None if low is None else max(0.0, low), None if high is None else min(1.0, high))


def episodes_per_year(downs: Sequence[Downtime], uneven: Uneven | None = None) -> Figure:
    """Exact Poisson bounds where there are few, unless horizons are `uneven`."""
    count = sum(down.episodes for down in downs)
    years = math.fsum(down.observed_s for down in downs) / YEAR_S
    counts = [float(down.episodes) for down in downs]
    if uneven is not None:
        rates = students_t([each * len(counts) / years for each in counts])
        return _by_horizon(rates, len(downs), uneven)
    if count >= FEW_EPISODES or (count and len(set(counts)) == 1):
        found = students_t(counts)
        share = len(counts) / years
        low, high = found.low, found.high
        return figure(found.value * share, low and max(0.0, low * share), high and high * share)
    low, high = poisson_bounds(count)
    return figure(count / years, low / years, high / years)


def mean_episode_s(downs: Sequence[Downtime], uneven: Uneven | None = None) -> Figure | None:
    """Without an interval where horizons are `uneven`: the episodes of one are then alike."""
    lengths = np.concatenate([down.durations_s for down in downs])
    if not len(lengths):
        return None
    found = students_t(lengths.tolist())
    if uneven is not None or _same(float(lengths.min()), float(lengths.max())):
        return figure(found.value)
    return figure(found.value, found.low and max(0.0, found.low), found.high)


def p95_episode_s(downs: Sequence[Downtime]) -> Figure | None:
    """With order statistics as bounds; left out where there are too few episodes for them, or all these are alike."""
    lengths = np.sort(np.concatenate([down.durations_s for down in downs]))
    n = len(lengths)
    if not n:
        return None
    tail = (1.0 - CONFIDENCE) / 2.0
    below, above = (math.floor(float(bdtrik(tail, n, 0.95))), math.ceil(float(bdtrik(1.0 - tail, n, 0.95))))
    middle = float(np.quantile(lengths, 0.95))
    if below < 0 or above >= n or not n > 20 or _same(float(lengths[below]), float(lengths[above])):
        return figure(middle)
    return figure(middle, float(lengths[below]), float(lengths[above]))


def figure(mean: float, low: float | None = None, high: float | None = None, estimator: str = TIMELINE) -> Figure:
    """An exact figure has no interval."""
    return {"mean": mean, "low": low, "high": high, "estimator": estimator}


def _by_horizon(found: Interval, horizons: int, uneven: Uneven, highest: float = math.inf) -> Figure:
    """Without ends where too few horizons were drawn, or nothing was seen in any."""
    if found.low is None or found.high is None or uneven.why_no_interval(horizons):
        return figure(found.value)
    return figure(found.value, max(0.0, found.low), min(highest, found.high))


def _same(shortest_s: float, longest_s: float) -> bool:
    return longest_s - shortest_s <= SAME_LENGTH * longest_s


def _recorded(plan: Plan) -> int:
    return sum(
        len(incidents.start_s)
        for component in plan.components
        for incidents in component.incidents
        if isinstance(incidents, RecordedIncidents)
    )
