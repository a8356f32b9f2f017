"""The fair comparison: every endpoint keeps its own law of failure, and only what they fail of together changes.

The plan's `shared` is phi: at 1 incidents are common as modelled, at 0 every endpoint suffers its own. A class that
can hit two or more endpoints, its members, is drawn at phi as follows.

- Poisson: a common process and one for every member, of the same law and thinned to what hits that member. Every
  point carries a uniform u; common points stay where u < phi, members' points where u >= phi. By superposition a
  member's incidents are one Poisson process of the same rate at every phi, and the common incidents grow with phi.
- Renewal: thinning would change its law, so in a share phi of the replications the whole timeline is common, and in
  the others every member has a copy of its own: a mixture.
- Recorded, all classes of the plan together: in a share phi of the replications as recorded, in the others shifted by
  whole weeks, each endpoint's by another number.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from des.draws import generator
from des.faults.incident_classes import draw_class
from des.faults.intervals import BoolArray, Intervals
from des.faults.keys import ClassKeys
from des.faults.reach import Reach
from des.faults.week_shifts import WeekShifts, week_shifts
from des.scenario.plan import IncidentClass, Plan, PoissonIncidents, RecordedIncidents


class Part(NamedTuple):
    """Incidents of one class: their windows, effects (positions in `every_effect`) and hits, bool[endpoints, n]."""

    windows: Intervals
    effect: NDArray[np.int64]
    hits: BoolArray

    def where(self, kept: BoolArray) -> "Part":
        return Part(self.windows.where(kept), self.effect[kept], self.hits[:, kept])


@dataclass(frozen=True, slots=True)
class Draw:
    """One replication of a plan's incidents up to `until_s`, class by class."""

    plan: Plan
    until_s: float
    reach: Reach
    shifts: WeekShifts | None  # None: recorded incidents are common

    @classmethod
    def of(cls, plan: Plan, replication: int, until_s: float) -> "Draw":
        """Raises DesError where recorded incidents cannot be set apart."""
        reach = Reach.of(plan)
        endpoints = recorded_endpoints(plan, reach)
        shifts = None
        if plan.shared < 1.0 and len(endpoints) > 1:
            names = {endpoint: reach.endpoint_names[endpoint] for endpoint in endpoints}
            shifts = week_shifts(plan, replication, names)
            if generator(plan.seed, replication, "recorded incidents in common").random() < plan.shared:
                shifts = None
        return cls(plan, until_s, reach, shifts)

    def parts(self, origin: int, incidents: IncidentClass, keys: ClassKeys) -> Iterator[Part]:
        """What a class of component `origin` brings: common incidents, then those of one member after another."""
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
                yield common.where(_luck(keys, common) < phi)
            for member in members:
                own_keys = keys.copy_for(self.reach.endpoint_names[member])
                own = self._copy(origin, incidents, own_keys, member)
                hitting = own.hits[member]
                yield own.where(hitting & (_luck(own_keys, own) >= phi) if phi > 0.0 else hitting)
        elif keys.stream("in common").random() < phi:
            yield self._common(origin, incidents, keys)
        else:
            for member in members:
                own = self._copy(origin, incidents, keys.copy_for(self.reach.endpoint_names[member]), member)
                yield own.where(own.hits[member])

    def _common(self, origin: int, incidents: IncidentClass, keys: ClassKeys) -> Part:
        windows, effect = draw_class(incidents, keys, self.until_s, self.plan.start_up)
        return Part(windows, effect, self.reach.hits(origin, len(effect), keys))

    def _copy(self, origin: int, incidents: IncidentClass, keys: ClassKeys, member: int) -> Part:
        """The class over again, with windows and marks of its own, for one member."""
        windows, effect = draw_class(incidents, keys, self.until_s, self.plan.start_up)
        return Part(windows, effect, self.reach.hits(origin, len(effect), keys, only=member))

    def _shifted(
        self,
        shifts: WeekShifts,
        origin: int,
        incidents: RecordedIncidents,
        keys: ClassKeys,
        member: int,
        alone: bool,
    ) -> Part:
        """One member's windows, each marked once however often it comes round; marks of its own unless it is alone."""
        if not alone:
            keys = keys.copy_for(self.reach.endpoint_names[member])
        windows, place = shifts.windows(incidents, member, self.until_s)
        hits = self.reach.hits(origin, len(incidents.start_s), keys, only=member)
        part = Part(windows, place, hits[:, place])
        return part.where(part.hits[member])


def recorded_endpoints(plan: Plan, reach: Reach) -> tuple[int, ...]:
    """The endpoints that recorded incidents can hit."""
    reached: set[int] = set()
    for component in plan.components:
        if any(isinstance(incidents, RecordedIncidents) for incidents in component.incidents):
            reached.update(reach.members(component.index))
    return tuple(sorted(reached))


def _luck(keys: ClassKeys, part: Part) -> NDArray[np.float64]:
    """Each incident's u, in their order."""
    return keys.stream("in common").random(len(part.effect))
