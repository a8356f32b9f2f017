"""What an arm leaves common and what it makes independent, for reports to say."""

from dataclasses import dataclass

from des.faults.incident_classes import kind_of
from des.faults.independent_twin import recorded_endpoints
from des.faults.reach import Reach
from des.faults.week_shifts import whole_weeks
from des.scenario.plan import Plan, PoissonIncidents, RecordedIncidents
from des.scenario.text.units import WEEK_S


@dataclass(frozen=True, slots=True)
class SharedClass:
    """An incident class that `shared` acts on."""

    component: str
    number: int  # among the component's classes, from 0
    kind: str  # of INCIDENT_KINDS
    endpoints: tuple[str, ...]  # that its incidents can hit
    mixture: bool  # between 0 and 1 it is common as a whole or not at all, replication by replication


@dataclass(frozen=True, slots=True)
class Sharing:
    """How phi acts on a plan."""

    phi: float
    classes: tuple[SharedClass, ...]
    given_time_of_week: bool  # independence can only be claimed hour of the week by hour of the week
    comparable_s: float  # up to here an endpoint's own downtime is the same at every phi

    @property
    def mixture(self) -> bool:
        """Whether some replications have a class in common and the others have not."""
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
    """Raises DesError where `draw_timeline` would, for a horizon with too few weeks to set recorded incidents apart."""
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
        comparable_s = whole_weeks(plan, len(recorded)) * WEEK_S
    return Sharing(plan.shared, tuple(classes), len(weekly) > 1, comparable_s)
