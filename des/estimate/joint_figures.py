"""How each endpoint of an arm fails and how often all are down at once, each by the best estimator.

Figures without a closed form are measured on incidents drawn over many horizons.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np

from des.estimate.availability import of_years
from des.estimate.estimate import EXACT, TIMELINE, Estimate
from des.estimate.exact import ExactAnswer, any_in_a_year, k_eff
from des.estimate.heterogeneous import Heterogeneous
from des.estimate.interaction import needs_whole_horizons
from des.estimate.intervals import (
    CONFIDENCE,
    FEW_EPISODES,
    Interval,
    alike,
    compound_bounds,
    poisson_bounds,
    students_t,
)
from des.estimate.timeline import incidents_per_year
from des.faults import Downtime, Marginals, draw_timeline, marginals, sharing
from des.faults.independent_twin import recorded_endpoints
from des.faults.marginals import chain_endpoints, total
from des.faults.reach import Reach
from des.scenario.plan import Plan, RecordedIncidents
from des.scenario.text.units import YEAR_S

YEARS: Final = 2_000.0
"""Years simulated for the share of requests lost, where it has no closed form."""
APPROXIMATION: Final = "Poisson approximation"
_MIXED: Final = "mixture: some replications have shared incidents in common and others have not"
_MOST_INCIDENTS: Final = 50_000
_MOST_HORIZONS: Final = 500
_LEAST_HORIZONS: Final = 20
_YEARS_ENOUGH: Final = 2_000.0
_SAME_LENGTH: Final = 1e-9
"""Largest relative difference between durations that differ only by the rounding of their starts."""


@dataclass(frozen=True, slots=True)
class DrawnIncidents:
    """Marginals of independent horizons of one plan."""

    parts: tuple[Marginals, ...]

    @classmethod
    def of(cls, plan: Plan) -> "DrawnIncidents":
        """About a thousand years, or the time of a hundred thousand incidents if that is less.

        Raises DesError where recorded incidents cannot be set apart.
        """
        horizons, horizon_s = horizons_of(plan)
        return cls.some(plan, horizons, horizon_s)

    @classmethod
    def some(cls, plan: Plan, horizons: int, horizon_s: float) -> "DrawnIncidents":
        """The first `horizons` of them."""
        chain = chain_endpoints(plan)
        return cls(
            tuple(marginals(draw_timeline(plan, number, horizon_s), horizon_s, chain) for number in range(horizons))
        )

    @property
    def together(self) -> Marginals:
        return total(self.parts)


def horizons_of(plan: Plan) -> tuple[int, float]:
    """(number, length in seconds) of the horizons that `DrawnIncidents.of` draws; raises the same errors."""
    horizon_s = sharing(plan).comparable_s
    years = horizon_s / YEAR_S
    per_horizon = incidents_per_year(plan) * years + _recorded(plan)
    wanted = min(_YEARS_ENOUGH / years, _MOST_INCIDENTS / per_horizon if per_horizon > 0.0 else 1.0, _MOST_HORIZONS)
    heterogeneous = Heterogeneous.of(plan)
    fewest = 0 if heterogeneous is None else min(_MOST_HORIZONS, heterogeneous.fewest)
    return max(_LEAST_HORIZONS, fewest, math.ceil(wanted)), horizon_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Marginal:
    """The failures of one endpoint of the chain."""

    unavailability: Estimate
    episodes_per_year: Estimate
    mean_duration_s: Estimate | None
    p95_duration_s: Estimate | None
    impaired_share: Estimate

    def as_json(self) -> dict[str, Any]:
        return _without_counts(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class JointFigures:
    """All endpoints of the chain down at once: what share of the time, how often a year, for how long.

    `any_in_a_year` takes total outages for a Poisson process in the time between them; its estimator says so where they
    are not exactly one. It is None where that would be far off, and `any_in_a_year_reason` says why. `failure_share` is
    the share of requests lost in the long run, or None with a reason.
    """

    sharing: str
    estimator: str
    all_down: Estimate
    episodes_per_year: Estimate
    mean_duration_s: Estimate | None
    any_in_a_year: Estimate | None
    any_in_a_year_reason: str
    k_eff: float | None
    frechet_low: float
    frechet_high: float
    all_impaired: Estimate
    any_impaired_in_a_year: Estimate | None
    any_impaired_in_a_year_reason: str
    failure_share: Estimate | None = None
    failure_share_reason: str = ""

    def as_json(self) -> dict[str, Any]:
        return _without_counts(self)


def marginal_figures(answer: ExactAnswer | None, drawn: DrawnIncidents, plan: Plan) -> dict[str, Marginal]:
    """By endpoint of the chain."""
    known = {} if answer is None else {endpoint.name: endpoint for endpoint in answer.endpoints}
    figures: dict[str, Marginal] = {}
    for endpoint in drawn.parts[0].chain:
        of = plan.endpoints[endpoint]
        name = f"{of.provider}/{of.model}"
        downs = [part.endpoints[endpoint] for part in drawn.parts]
        own = known.get(name)
        impaired = _unavailability([part.impaired[endpoint] for part in drawn.parts])
        if own is None:
            figures[name] = Marginal(
                unavailability=_unavailability(downs),
                episodes_per_year=_episodes_per_year(downs),
                mean_duration_s=mean_episode_s(downs),
                p95_duration_s=p95_episode_s(downs),
                impaired_share=impaired,
            )
            continue
        figures[name] = Marginal(
            unavailability=_exact(own.unavailability),
            episodes_per_year=_exact(own.episodes_per_year),
            mean_duration_s=_exact_or_none(own.mean_duration_s),
            p95_duration_s=p95_episode_s(downs) if own.p95_duration_s is None else _exact(own.p95_duration_s),
            impaired_share=impaired,
        )
    return figures


def joint_figures(answer: ExactAnswer | None, drawn: DrawnIncidents, plan: Plan) -> JointFigures:
    """Without `failure_share`."""
    reason = _why_not_poisson(plan)
    heterogeneous = Heterogeneous.of(plan)
    mixture = sharing(plan).mixture
    mean_s: Estimate | None
    if answer is not None:
        down = _exact(answer.all_down)
        per_year = _exact(answer.all_down_episodes_per_year)
        mean_s = _exact_or_none(answer.all_down_mean_s)
        redundancy = answer.k_eff
        low, high = answer.frechet_low, answer.frechet_high
    else:
        downs = [part.all_down for part in drawn.parts]
        down, per_year = _unavailability(downs, heterogeneous), _episodes_per_year(downs, heterogeneous)
        mean_s = mean_episode_s(downs, heterogeneous)
        together = drawn.together
        alone = [together.endpoints[endpoint].unavailability for endpoint in together.chain]
        redundancy = k_eff(down.known, alone)
        low, high = max(0.0, math.fsum(alone) - len(alone) + 1.0), min(alone)
    once = None
    if not reason and answer is not None:
        estimator = EXACT if answer.all_down_any_exact else _approximate(EXACT)
        once = Estimate(answer.all_down_any_in_a_year, estimator=estimator)
    elif not reason and not mixture:
        once = _any_in_a_year(down.known, per_year)
    return JointFigures(
        sharing=sharing(plan).label,
        estimator=down.estimator,
        all_down=down,
        episodes_per_year=per_year,
        mean_duration_s=mean_s,
        any_in_a_year=once,
        any_in_a_year_reason=reason or (_MIXED if once is None else ""),
        k_eff=redundancy,
        frechet_low=low,
        frechet_high=high,
        all_impaired=_unavailability([part.all_impaired for part in drawn.parts], heterogeneous),
        any_impaired_in_a_year=None if reason or mixture else _impaired_in_a_year(drawn),
        any_impaired_in_a_year_reason=reason or (_MIXED if mixture else ""),
    )


def long_run_years(plan: Plan) -> float:
    """Years of incidents to draw; bounded for a plan that is drawn by whole horizons."""
    return min(YEARS, _MOST_HORIZONS * plan.horizon_s / YEAR_S) if needs_whole_horizons(plan) else YEARS


def long_run_failure_share(plan: Plan, progress: Callable[[float], None] | None = None) -> tuple[Estimate | None, str]:
    """The share of requests lost in the long run and the limits left out, or None and why only a run tells."""
    found = of_years(plan, long_run_years(plan), progress=progress)
    if found.lost is None:
        return None, found.choice.reason
    return found.lost, "; ".join(limit.left_out for limit in found.choice.limits_left_out)


def _without_counts(found: Marginal | JointFigures) -> dict[str, Any]:
    """The JSON of a comparison's figures, without the number of replications or horizons behind each."""
    values = {field.name: getattr(found, field.name) for field in fields(found)}
    return {
        name: {key: getattr(value, key) for key in ("mean", "low", "high", "estimator")}
        if isinstance(value, Estimate)
        else value
        for name, value in values.items()
    }


def _unavailability(downs: Sequence[Downtime], heterogeneous: Heterogeneous | None = None) -> Estimate:
    """Share of the time down, over horizons of equal length. The interval of heterogeneous ones ignores episodes."""
    shares = [down.unavailability for down in downs]
    found = students_t(shares)
    if heterogeneous is not None:
        return _by_horizon(found, len(downs), heterogeneous, highest=1.0)
    episodes_s = np.concatenate([down.durations_s for down in downs])
    episodes_s = episodes_s[episodes_s > 0.0]
    low, high = found.low, found.high
    if 0 < len(episodes_s) < FEW_EPISODES and len(set(shares)) > 1:
        whole = float(episodes_s.sum())
        below, above = compound_bounds(episodes_s)
        low, high = found.value * below / whole, found.value * above / whole
    return _drawn(Interval(found.value, low, high), len(downs), highest=1.0)


def _episodes_per_year(downs: Sequence[Downtime], heterogeneous: Heterogeneous | None = None) -> Estimate:
    """With exact Poisson bounds where episodes are few, unless horizons are heterogeneous."""
    count = sum(down.episodes for down in downs)
    years = math.fsum(down.observed_s for down in downs) / YEAR_S
    counts = [float(down.episodes) for down in downs]
    if heterogeneous is not None:
        rates = students_t([each * len(counts) / years for each in counts])
        return _by_horizon(rates, len(downs), heterogeneous)
    if count >= FEW_EPISODES or (count and len(set(counts)) == 1):
        value, low, high = students_t(counts)
        share = len(counts) / years
        ends = (None if end is None else end * share for end in (low, high))
        return _drawn(Interval(value * share, *ends), len(downs))
    low, high = poisson_bounds(count)
    return _drawn(Interval(count / years, low / years, high / years), len(downs))


def mean_episode_s(downs: Sequence[Downtime], heterogeneous: Heterogeneous | None = None) -> Estimate | None:
    """Without an interval where horizons are heterogeneous, since the episodes of one are then alike."""
    lengths = np.concatenate([down.durations_s for down in downs])
    if not len(lengths):
        return None
    found = students_t(lengths.tolist())
    if heterogeneous is not None or _same(float(lengths.min()), float(lengths.max())):
        found = Interval(found.value, None, None)
    return _drawn(found, len(downs))


def p95_episode_s(downs: Sequence[Downtime]) -> Estimate | None:
    """With order statistics as bounds. They are left out where episodes are too few, or all alike."""
    from scipy.special import bdtrik

    lengths = np.sort(np.concatenate([down.durations_s for down in downs]))
    n = len(lengths)
    if not n:
        return None
    tail = (1.0 - CONFIDENCE) / 2.0
    below, above = (math.floor(float(bdtrik(tail, n, 0.95))), math.ceil(float(bdtrik(1.0 - tail, n, 0.95))))
    middle = float(np.quantile(lengths, 0.95))
    if below < 0 or above >= n or not n > 20 or _same(float(lengths[below]), float(lengths[above])):
        return _drawn(Interval(middle, None, None), len(downs))
    return _drawn(Interval(middle, float(lengths[below]), float(lengths[above])), len(downs))


def _by_horizon(found: Interval, horizons: int, heterogeneous: Heterogeneous, highest: float = math.inf) -> Estimate:
    """Without an interval where `found` has none, or where too few horizons were drawn."""
    if found.low is None or found.high is None or heterogeneous.why_no_interval(horizons):
        found = Interval(found.value, None, None)
    return _drawn(found, horizons, highest)


def _drawn(found: Interval, horizons: int, highest: float = math.inf) -> Estimate:
    """The interval is cut off at 0 and at `highest`."""
    low, high = found.low, found.high
    return Estimate(
        mean=found.value,
        low=None if low is None else max(0.0, low),
        high=None if high is None else min(highest, high),
        n=horizons,
        estimator=TIMELINE,
    )


def _same(shortest_s: float, longest_s: float) -> bool:
    return longest_s - shortest_s <= _SAME_LENGTH * longest_s


def _recorded(plan: Plan) -> int:
    return sum(
        len(incidents.start_s)
        for component in plan.components
        for incidents in component.incidents
        if isinstance(incidents, RecordedIncidents)
    )


def _why_not_poisson(plan: Plan) -> str:
    """Why total outages are not even roughly a Poisson process; empty where they may be taken for one."""
    recorded = recorded_endpoints(plan, Reach.of(plan))
    if plan.shared < 1.0 and len(recorded) > 1:
        return "recorded incidents are shifted by whole weeks, otherwise in every replication"
    if set(chain_endpoints(plan)) <= set(recorded):
        return "all endpoints of the chain have recorded incidents, which are not random"
    return ""


def _approximate(estimator: str) -> str:
    """The estimator of a figure that takes outages for a Poisson process, from other figures by `estimator`."""
    return f"{estimator}, {APPROXIMATION}"


def _any_in_a_year(share: float, per_year: Estimate) -> Estimate:
    """Without an interval where its ends are the same."""
    low, high = (None if end is None else any_in_a_year(share, end) for end in (per_year.low, per_year.high))
    if low is None or high is None or alike((low, high)):
        low = high = None
    return Estimate(
        any_in_a_year(share, per_year.known), low, high, per_year.n, estimator=_approximate(per_year.estimator)
    )


def _impaired_in_a_year(drawn: DrawnIncidents) -> Estimate:
    """P(all endpoints are impaired at once in a year), such times taken for a Poisson process."""
    impaired = [part.all_impaired for part in drawn.parts]
    return _any_in_a_year(_unavailability(impaired).known, _episodes_per_year(impaired))


def _exact(value: float) -> Estimate:
    return Estimate(value, estimator=EXACT)


def _exact_or_none(value: float | None) -> Estimate | None:
    return None if value is None else _exact(value)
