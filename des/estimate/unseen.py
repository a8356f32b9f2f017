"""Incidents of which a run can be expected to meet too few, from the plan and from what its replications drew.

A rare incident that a run has not met leaves no trace in its figures, however narrow their spread. How many to expect
is known before the run: the rate of each class, times the simulated time. So it is known how much of the unavailability
the run could not sample.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from math import expm1, floor, log10
from typing import Any, Final

import numpy as np

from des.estimate.estimate import Inapplicable
from des.estimate.exact import down_together
from des.estimate.interaction import interactions, needs_whole_horizons
from des.estimate.sources import hit_sets, union
from des.estimate.timeline import expected_arrivals, incidents_per_year
from des.faults import Intervals, draw_timeline, drawn_class
from des.faults.episodes import down_share, endpoint_down, intersection
from des.faults.marginals import chain_endpoints
from des.faults.reach import Reach
from des.scenario.plan import (
    Effect,
    IncidentClass,
    OwnIncidents,
    Plan,
    PoissonIncidents,
    RecordedIncidents,
    RenewalIncidents,
)
from des.scenario.text.units import YEAR_S

FEWEST: Final = 8.0
"""With fewer incidents expected and met, an interval over those that were met may not speak for their class.

With eight, the interval of an unavailability covers it in 94 to 96 % of studies; with three, in 88 to 93 %; with one,
in 61 % (`python -m benchmarks.coverage`; docs/statistics.md).
"""
EVERY_LEG: Final = "every leg"
_SURELY_MET: Final = 50.0
"""With more expected incidents, none met is out of the question, so those met are not counted."""
_OWN_DRAWS: Final = 1_000_000_000
"""Number of the first replication of timelines that are drawn here, far from those of a run."""
_MOST_DRAWN: Final = 20_000
_MOST_YEARS: Final = 2_000.0
_HORIZONS: Final = 100
_AT_LEAST_A_HALF: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """Incidents of one kind of which a run met too few: fewer than eight, with fewer expected, or none.

    `number` is the class's position in its component, None for outages of several endpoints at once. `endpoints` are
    those of the chain that such incidents reach. `expected` and `met` count incidents open at some time of the run,
    over all replications. `unavailability` is the share of the time in which one is open, in the long run. It is the
    most that they can cost while they last: each request.
    """

    component: str
    number: int | None
    endpoints: tuple[str, ...]
    outages: bool
    expected: float
    met: int
    unavailability: float

    def as_json(self) -> dict[str, Any]:
        return {
            "component": self.component,
            "class": self.number,
            "endpoints": list(self.endpoints),
            "outages": self.outages,
            "expected": self.expected,
            "met": self.met,
            "unavailability": self.unavailability,
        }

    @property
    def words(self) -> str:
        """`0 of 0.002 expected outages of cloudflare`."""
        return f"{self.met} of {expected_count(self.expected)} expected {self._what} of {self._of}"

    def words_after(self, other: "Unseen") -> str:
        """`0 of 0.026 of anthropic` behind another of the same kind."""
        return (
            f"{self.met} of {expected_count(self.expected)} of {self._of}" if self._what == other._what else self.words
        )

    @property
    def _what(self) -> str:
        return "outages" if self.outages else "incidents"

    @property
    def _of(self) -> str:
        return f"{self.component}{' at once' if self.number is None else ''}"


def unseen(plan: Plan, replications: int) -> tuple[Unseen, ...]:
    """Those that reach the whole chain first, then by what they can cost.

    Recorded incidents are known, so they are never among them.
    """
    exposures = list(_exposures(plan))
    found = [one for exposure in exposures if (one := _of_class(plan, exposure, replications)) is not None]
    covered = max((one.unavailability for one in found), default=0.0)
    if covered < _AT_LEAST_A_HALF * _most_together(plan, exposures):
        together = _at_once(plan, replications)
        if together is not None and covered < _AT_LEAST_A_HALF * together.unavailability:
            found.append(together)
    return tuple(sorted(found, key=lambda one: (-len(one.endpoints), -one.unavailability, one.component)))


@dataclass(frozen=True, slots=True)
class _Exposure:
    """An incident class as the chain meets it.

    `rate_per_s` and `share` (of the time that one is open) count incidents that reach one of `endpoints`.
    """

    component: int
    number: int
    endpoints: tuple[int, ...]
    rate_per_s: float
    mean_s: float
    share: float
    outages: bool
    incidents: IncidentClass


def _exposures(plan: Plan) -> Iterator[_Exposure]:
    """The random classes that reach the chain and do something to its calls."""
    met = _endpoints_that_matter(plan)
    reach = Reach.of(plan)
    for component in plan.components:
        members = [endpoint for endpoint in reach.members(component.index) if endpoint in met]
        if not members:
            continue
        for number, incidents in enumerate(component.incidents):
            if isinstance(incidents, RecordedIncidents) or not _does_something(incidents.effect):
                continue
            of_all_per_s, mean_s = _rate_and_mean(incidents)
            rate_per_s = of_all_per_s * _hits_per_incident(plan, component.index, members, reach)
            if rate_per_s <= 0.0 or mean_s <= 0.0:
                continue
            load = rate_per_s * mean_s
            share = -expm1(-load) if isinstance(incidents, PoissonIncidents) else min(1.0, load)
            outages = incidents.effect.outage
            yield _Exposure(component.index, number, tuple(members), rate_per_s, mean_s, share, outages, incidents)


def _most_together(plan: Plan, exposures: Sequence[_Exposure]) -> float:
    """The most of the time that outages of the chain's endpoints can coincide: the least that one of them is down."""
    outages = [exposure for exposure in exposures if exposure.outages]
    return min(
        sum(exposure.share for exposure in outages if endpoint in exposure.endpoints)
        for endpoint in chain_endpoints(plan)
    )


def _endpoints_that_matter(plan: Plan) -> tuple[int, ...]:
    """The chain's, and those whose failover surges towards the chain."""
    chain = chain_endpoints(plan)
    fleeing = [endpoint for surge in plan.surges if not set(surge.to).isdisjoint(chain) for endpoint in surge.when]
    return tuple(dict.fromkeys((*chain, *fleeing)))


def _does_something(effect: Effect) -> bool:
    return effect.error_rate > 0.0 or effect.hang > 0.0 or effect.latency_factor > 1.0


def _rate_and_mean(incidents: IncidentClass) -> tuple[float, float]:
    """(starts per second, mean duration in seconds) in equilibrium."""
    match incidents:
        case PoissonIncidents():
            return incidents.rate_per_s, incidents.duration.mean
        case RenewalIncidents():
            return 1.0 / (incidents.up.mean + incidents.down.mean), incidents.down.mean
        case OwnIncidents():
            return incidents.starts_per_s, incidents.mean_duration_s
        case RecordedIncidents():
            raise TypeError("recorded windows have no rate")
        case _:
            return 1.0 / incidents.between.mean, incidents.duration.mean


def _hits_per_incident(plan: Plan, origin: int, members: Sequence[int], reach: Reach) -> float:
    """Mean number of incidents that reach `members`, for each that starts.

    A shared class is drawn once for all with the share phi, and once for each endpoint with the rest.
    """
    sets = hit_sets(plan, origin)
    if sets is None:  # too many edges with a share: each incident counts as one that reaches them
        return 1.0
    mask = reduce(int.__or__, (1 << endpoint for endpoint in members))
    common = sum(share for hits, share in sets if hits & mask)
    if plan.shared >= 1.0 or len(reach.members(origin)) < 2 or not union(sets):
        return common
    apart = sum(share for endpoint in members for hits, share in sets if hits >> endpoint & 1)
    return plan.shared * common + (1.0 - plan.shared) * apart


def _of_class(plan: Plan, exposure: _Exposure, replications: int) -> Unseen | None:
    """None where the run meets enough of them."""
    horizon_s = plan.horizon_s
    incidents = exposure.incidents
    profile = incidents.profile if isinstance(incidents, PoissonIncidents) else None
    at_mean_rate_s = horizon_s if profile is None else expected_arrivals(profile, horizon_s)
    before_s = 0.0 if plan.start_up else exposure.mean_s
    expected = replications * exposure.rate_per_s * (at_mean_rate_s + before_s)
    if expected >= _SURELY_MET:
        return None
    met = 0
    for replication in range(replications):
        windows, hits = drawn_class(plan, replication, exposure.component, exposure.number, horizon_s)
        reached = hits[list(exposure.endpoints)].any(axis=0)
        met += int(np.count_nonzero(reached & (windows.end_s > 0.0) & (windows.start_s < horizon_s)))
    if _are_enough(expected, met):
        return None
    return Unseen(
        component=plan.components[exposure.component].name,
        number=exposure.number,
        endpoints=_names(plan, exposure.endpoints),
        outages=exposure.outages,
        expected=expected,
        met=met,
        unavailability=exposure.share,
    )


def _are_enough(expected: float, met: int) -> bool:
    """Eight of either, and one met at least. More than were expected make an interval careful, not narrow."""
    return met > 0 and max(expected, float(met)) >= FEWEST


def _at_once(plan: Plan, replications: int) -> Unseen | None:
    """The smallest set of endpoints, first of the chain first, whose outages coincide too seldom for the run.

    Where requests interact, the load that is left when some are down matters; otherwise only all of them down do.
    """
    endpoints = chain_endpoints(plan)
    fewest = 2 if interactions(plan) else len(endpoints)
    for count in range(max(2, fewest), len(endpoints) + 1):
        first = endpoints[:count]
        share, rate_per_s = _down_together(plan, first)
        expected = replications * (rate_per_s * plan.horizon_s + (0.0 if plan.start_up else share))
        if share <= 0.0 or expected >= _SURELY_MET:
            continue
        met = sum(
            _open_within(_together(plan, first, replication, plan.horizon_s), plan.horizon_s)
            for replication in range(replications)
        )
        if not _are_enough(expected, met):
            return Unseen(
                component=EVERY_LEG if count == len(endpoints) else f"the first {count} endpoints",
                number=None,
                endpoints=_names(plan, first),
                outages=True,
                expected=expected,
                met=met,
                unavailability=share,
            )
    return None


def _down_together(plan: Plan, endpoints: Sequence[int]) -> tuple[float, float]:
    """(share of the time, times a second), from incidents drawn where it has no closed form."""
    try:
        return down_together(plan, endpoints)
    except Inapplicable:
        pass
    per_year = incidents_per_year(plan)
    if needs_whole_horizons(plan):
        pieces, piece_s = _HORIZONS, plan.horizon_s
    else:
        years = min(_MOST_YEARS, _MOST_DRAWN / per_year if per_year > 0.0 else _MOST_YEARS)
        pieces, piece_s = 1, years * YEAR_S
    drawn = [_together(plan, endpoints, _OWN_DRAWS + piece, piece_s) for piece in range(pieces)]
    share = sum(down_share(down, piece_s) for down in drawn) / pieces
    return share, sum(_open_within(down, piece_s) for down in drawn) / (pieces * piece_s)


def _together(plan: Plan, endpoints: Sequence[int], replication: int, until_s: float) -> Intervals:
    timeline = draw_timeline(plan, replication, until_s)
    return intersection([endpoint_down(timeline, endpoint) for endpoint in endpoints])


def _open_within(down: Intervals, horizon_s: float) -> int:
    return int(np.count_nonzero((down.end_s > 0.0) & (down.start_s < horizon_s)))


def _names(plan: Plan, endpoints: Sequence[int]) -> tuple[str, ...]:
    of = plan.endpoints
    return tuple(f"{of[endpoint].provider}/{of[endpoint].model}" for endpoint in endpoints)


def expected_count(expected: float) -> str:
    """Two significant digits, without an exponent down to a millionth."""
    if expected < 1e-6:
        return f"{expected:.1e}"
    decimals = max(0, 1 - floor(log10(expected)))
    return f"{expected:.{decimals}f}".rstrip("0").rstrip(".") if decimals else f"{expected:.0f}"
