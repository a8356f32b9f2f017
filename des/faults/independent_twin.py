"""The independent twin: each endpoint keeps the distribution of its own failures, and only their dependence changes.

The plan's `shared` is phi: at 1 incidents are common as modelled, at 0 every endpoint has its own. The members of a
class are the endpoints that it can hit. A class with two or more members is drawn at phi as follows.

- Poisson: a common process and one for every member, of the same distribution and thinned to what hits that member.
  Every point carries a uniform u; common points stay where u < phi, members' points where u >= phi. By superposition a
  member's incidents are one Poisson process of the same rate at every phi, and the common incidents grow with phi.
- Renewal: thinning would change its distribution. So in a share phi of the replications the whole timeline is common,
  and in the others every member has a copy of its own: a mixture.
- Recorded, all classes of the plan together: in a share phi of the replications as recorded, in the others shifted by
  whole weeks. All windows that hit an endpoint are cut to the whole weeks of the horizon and shifted together and
  cyclically, each endpoint by another number of weeks. So each keeps its own history, hour of the week by hour of the
  week, and only coincidences are separated. The rest of the horizon after its whole weeks continues the cycle.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from des.draws import generator
from des.errors import DesError
from des.faults.incident_classes import draw_class, kind_of
from des.faults.intervals import BoolArray, ClassKeys, Intervals
from des.faults.reach import Reach
from des.scenario.plan import IncidentClass, Plan, PoissonIncidents, RecordedIncidents
from des.scenario.text.units import DAY_S, WEEK_S


@dataclass(frozen=True, slots=True)
class _WeekShifts:
    """The cyclic shift of each endpoint's windows over `weeks` whole weeks.

    `weeks_later` maps every endpoint with recorded incidents to its weeks, all different.
    """

    weeks: int
    horizon_s: float
    weeks_later: Mapping[int, int]

    def windows(
        self, incidents: RecordedIncidents, endpoint: int, until_s: float
    ) -> tuple[Intervals, NDArray[np.int64]]:
        """The endpoint's windows that start before `until_s` and the horizon, by start, and each one's position.

        A window shifted across the end of the cycle occurs at both ends: from before 0, and past the last week.
        """
        circle_s = self.weeks * WEEK_S
        start_s = np.maximum(np.asarray(incidents.start_s, dtype=np.float64), 0.0)
        end_s = np.minimum(np.asarray(incidents.end_s, dtype=np.float64), circle_s)
        place = np.flatnonzero(end_s > start_s)
        offset_s = self.weeks_later[endpoint] * WEEK_S + np.array([-circle_s, 0.0, circle_s])[:, None]
        starts, ends = (start_s[place] + offset_s).ravel(), (end_s[place] + offset_s).ravel()
        places = np.tile(place, len(offset_s)).astype(np.int64)
        order = np.argsort(starts, kind="stable")
        order = order[(ends[order] > 0.0) & (starts[order] < min(until_s, self.horizon_s))]
        return Intervals(starts[order], ends[order]), places[order]


def _week_shifts(plan: Plan, replication: int, endpoints: Mapping[int, str]) -> _WeekShifts:
    """Shifts for the `endpoints` (index -> name) that have recorded incidents.

    By name, the first is not shifted. The second is shifted by 1, 2, ... weeks in successive replications, through
    every relative shift except 0. Further ones get remaining weeks at random. Raises DesError where the horizon has too
    few whole weeks to separate them.
    """
    weeks = _whole_weeks(plan, len(endpoints))
    second = 1 + replication % (weeks - 1)
    left = np.array([week for week in range(1, weeks) if week != second], dtype=np.int64)
    further = generator(plan.seed, replication, "week shifts").permutation(left).tolist()
    by_name = sorted(endpoints, key=endpoints.__getitem__)
    return _WeekShifts(weeks, plan.horizon_s, dict(zip(by_name, [0, second, *further], strict=False)))


def _whole_weeks(plan: Plan, endpoints: int) -> int:
    """Whole weeks of the horizon. Raises DesError for fewer than one for each of `endpoints`."""
    weeks = math.floor(plan.horizon_s / WEEK_S)
    if weeks < endpoints:
        raise DesError(
            f"shared: {plan.shared:g} cannot be drawn: recorded incidents (schedule, replay) of {endpoints} endpoints "
            "are made independent by shifting each by a different number of whole weeks, and the horizon of "
            f"{plan.horizon_s / DAY_S:g} days has only {weeks}; give it at least {endpoints} weeks"
        )
    return weeks


class _Part(NamedTuple):
    """Incidents of one class: their windows, effects (positions in `every_effect`) and hits, bool[endpoints, n]."""

    windows: Intervals
    effect: NDArray[np.int64]
    hits: BoolArray

    def where(self, kept: BoolArray) -> "_Part":
        return _Part(self.windows.where(kept), self.effect[kept], self.hits[:, kept])


@dataclass(frozen=True, slots=True)
class Draw:
    """One replication of a plan's incidents up to `until_s`, class by class."""

    plan: Plan
    until_s: float
    reach: Reach
    shifts: _WeekShifts | None  # None where recorded incidents are common

    @classmethod
    def of(cls, plan: Plan, replication: int, until_s: float) -> "Draw":
        """Raises DesError where recorded incidents cannot be set apart."""
        reach = Reach.of(plan)
        endpoints = recorded_endpoints(plan, reach)
        shifts = None
        if plan.shared < 1.0 and len(endpoints) > 1:
            names = {endpoint: reach.endpoint_names[endpoint] for endpoint in endpoints}
            shifts = _week_shifts(plan, replication, names)
            if generator(plan.seed, replication, "recorded incidents in common").random() < plan.shared:
                shifts = None
        return cls(plan, until_s, reach, shifts)

    def parts(self, origin: int, incidents: IncidentClass, keys: ClassKeys) -> Iterator[_Part]:
        """The incidents of a class of component `origin`: common ones, then those of each member."""
        phi = self.plan.shared
        members = self.reach.members(origin)
        if isinstance(incidents, RecordedIncidents):
            if self.shifts is None or not members:
                yield self._common(origin, incidents, keys)
            else:
                for member in members:
                    yield self._shifted(self.shifts, origin, incidents, keys, member, alone=len(members) == 1)
        elif phi >= 1.0 or len(members) < 2:
            yield self._common(origin, incidents, keys)
        elif isinstance(incidents, PoissonIncidents):
            if phi > 0.0:
                common = self._common(origin, incidents, keys)
                yield common.where(_uniforms(keys, common) < phi)
            for member in members:
                own_keys = keys.copy_for(self.reach.endpoint_names[member])
                own = self._copy(origin, incidents, own_keys, member)
                hitting = own.hits[member]
                yield own.where(hitting & (_uniforms(own_keys, own) >= phi) if phi > 0.0 else hitting)
        elif keys.stream("in common").random() < phi:
            yield self._common(origin, incidents, keys)
        else:
            for member in members:
                own = self._copy(origin, incidents, keys.copy_for(self.reach.endpoint_names[member]), member)
                yield own.where(own.hits[member])

    def _common(self, origin: int, incidents: IncidentClass, keys: ClassKeys) -> _Part:
        windows, effect = draw_class(incidents, keys, self.until_s, self.plan.start_up)
        return _Part(windows, effect, self.reach.hits(origin, len(effect), keys))

    def _copy(self, origin: int, incidents: IncidentClass, keys: ClassKeys, member: int) -> _Part:
        """The class drawn again for one member, with its own windows and marks."""
        windows, effect = draw_class(incidents, keys, self.until_s, self.plan.start_up)
        return _Part(windows, effect, self.reach.hits(origin, len(effect), keys, only=member))

    def _shifted(
        self,
        shifts: _WeekShifts,
        origin: int,
        incidents: RecordedIncidents,
        keys: ClassKeys,
        member: int,
        alone: bool,
    ) -> _Part:
        """One member's windows. Each has one mark however often it recurs, its own unless the member is alone."""
        if not alone:
            keys = keys.copy_for(self.reach.endpoint_names[member])
        windows, place = shifts.windows(incidents, member, self.until_s)
        hits = self.reach.hits(origin, len(incidents.start_s), keys, only=member)
        part = _Part(windows, place, hits[:, place])
        return part.where(part.hits[member])


def recorded_endpoints(plan: Plan, reach: Reach) -> tuple[int, ...]:
    """The endpoints that recorded incidents can hit."""
    reached: set[int] = set()
    for component in plan.components:
        if any(isinstance(incidents, RecordedIncidents) for incidents in component.incidents):
            reached.update(reach.members(component.index))
    return tuple(sorted(reached))


def _uniforms(keys: ClassKeys, part: _Part) -> NDArray[np.float64]:
    """The u of each incident, in order."""
    return keys.stream("in common").random(len(part.effect))


@dataclass(frozen=True, slots=True)
class SharedClass:
    """An incident class that `shared` affects.

    `number` counts the component's classes from 0, `kind` is one of INCIDENT_KINDS, and `endpoints` are those that it
    can hit. With `mixture` and phi between 0 and 1, the class is common as a whole or not at all in each replication.
    """

    component: str
    number: int
    kind: str
    endpoints: tuple[str, ...]
    mixture: bool


@dataclass(frozen=True, slots=True)
class Sharing:
    """How phi acts on a plan.

    With `given_time_of_week`, endpoints are independent only given the hour of the week. Up to `comparable_s` an
    endpoint's own downtime is the same at every phi.
    """

    phi: float
    classes: tuple[SharedClass, ...]
    given_time_of_week: bool
    comparable_s: float

    @property
    def mixture(self) -> bool:
        """Whether a class is common in some replications and not in others."""
        return 0.0 < self.phi < 1.0 and any(one.mixture for one in self.classes)

    @property
    def label(self) -> str:
        if self.phi >= 1.0:
            return "as modelled"
        if not self.classes:
            return "as modelled: no incidents are shared"
        given = " given the time of week" if self.given_time_of_week else ""
        if self.phi <= 0.0:
            return f"independent{given}"
        mixture = "mixture, " if self.mixture else ""
        return f"{mixture}{100.0 * self.phi:g} % of shared incidents common, the rest independent{given}"


def sharing(plan: Plan) -> Sharing:
    """Raises DesError as `draw_timeline` does, where the horizon has too few weeks to set recorded incidents apart."""
    reach = Reach.of(plan)
    recorded = recorded_endpoints(plan, reach)
    shifted = len(recorded) > 1
    classes: list[SharedClass] = []
    weekly: set[int] = set(recorded)
    for component in plan.components:
        members = reach.members(component.index)
        for number, incidents in enumerate(component.incidents):
            if isinstance(incidents, PoissonIncidents) and incidents.profile:
                weekly.update(members)
            if len(members) > 1 or (shifted and members and isinstance(incidents, RecordedIncidents)):
                classes.append(
                    SharedClass(
                        component=component.name,
                        number=number,
                        kind=kind_of(incidents),
                        endpoints=tuple(reach.endpoint_names[member] for member in members),
                        mixture=not isinstance(incidents, PoissonIncidents),
                    )
                )
    comparable_s = plan.horizon_s
    if plan.shared < 1.0 and shifted:
        comparable_s = _whole_weeks(plan, len(recorded)) * WEEK_S
    return Sharing(plan.shared, tuple(classes), len(weekly) > 1, comparable_s)
