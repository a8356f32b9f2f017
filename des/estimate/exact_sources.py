"""The incident classes of a plan as independent sources, seen at one instant of their equilibrium."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from des.distributions import Distribution
from des.estimate.hit_sets import MOST_UNCERTAIN_EDGES, HitSets, hit_sets, hit_share, members, union
from des.estimate.inapplicable import Inapplicable
from des.scenario.plan import (
    Component,
    Effect,
    IncidentClass,
    MarkedRenewalIncidents,
    Plan,
    PoissonIncidents,
    RecordedIncidents,
    RenewalIncidents,
)

POISSON: Final = "poisson"
RENEWAL: Final = "renewal"
MARKED: Final = "marked_renewal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Incidents that come independently of every other source's.

    `between` is from start to start, of a marked renewal class alone, `up` the time up of an alternating one.
    """

    component: str
    kind: str
    rate_per_s: float  # incidents that start, whomever they hit
    duration: Distribution
    effect: Effect
    sets: HitSets
    between: Distribution | None = None
    up: Distribution | None = None

    @property
    def load(self) -> float:
        """Mean number of open incidents."""
        return self.rate_per_s * self.duration.mean

    @property
    def survival(self) -> float:
        """Chance that a call which meets one open incident is answered nevertheless."""
        return (1.0 - self.effect.error_rate) * (1.0 - self.effect.hang)

    @property
    def outage(self) -> bool:
        return self.effect.outage


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """A shared class that a replication has in common with probability phi, and otherwise member by member."""

    common: Source
    apart: tuple[Source, ...]
    phi: float


@dataclass(frozen=True, slots=True)
class Sources:
    """Everything that fails: sources in equilibrium, mixtures of them, and windows on record with their hit sets."""

    always: tuple[Source, ...]
    mixtures: tuple[Mixture, ...]
    recorded: tuple[tuple[RecordedIncidents, int], ...]  # with the endpoints hit, a bit mask

    def all(self) -> Iterator[Source]:
        yield from self.always
        for mixture in self.mixtures:
            yield mixture.common
            yield from mixture.apart


def sources_of(plan: Plan) -> Sources:
    """Raises Inapplicable, naming the class, where a closed form does not cover it.

    At phi = `plan.shared` below 1 the shared classes are split as the independent twin draws them.
    """
    if plan.start_up:
        raise Inapplicable("components start up (start_state: up), so the first incidents are rarer than later ones")
    always: list[Source] = []
    mixtures: list[Mixture] = []
    recorded: list[tuple[RecordedIncidents, int]] = []
    for component in plan.components:
        sets = hit_sets(plan, component.index) if component.incidents else ()
        if sets is None:
            raise Inapplicable(
                f"{component.name}: its incidents reach the endpoints over more than {MOST_UNCERTAIN_EDGES} edges "
                "with a share below 100 %"
            )
        if not sets:
            continue
        for number, incidents in enumerate(component.incidents):
            _refuse(component, number, incidents, sets, plan)
            if isinstance(incidents, RecordedIncidents):
                recorded.append((incidents, union(sets)))
                continue
            source = _source(component, incidents, sets)
            if source.rate_per_s <= 0.0 or source.duration.mean <= 0.0:
                continue
            if plan.shared >= 1.0 or not is_shared(sets):
                always.append(source)
            elif source.kind == POISSON:
                always += _partly_common(source, plan.shared)
            elif plan.shared <= 0.0:
                always += _apart(source)
            else:
                mixtures.append(Mixture(common=source, apart=_apart(source), phi=plan.shared))
    return Sources(tuple(always), tuple(mixtures), tuple(recorded))


def is_shared(sets: HitSets) -> bool:
    """Whether an incident can hit two endpoints or more at once."""
    return any(hits & (hits - 1) for hits, _ in sets)


def _refuse(component: Component, number: int, incidents: IncidentClass, sets: HitSets, plan: Plan) -> None:
    where = f"{component.name}: incidents[{number}]"
    if isinstance(incidents, PoissonIncidents) and incidents.profile is not None:
        raise Inapplicable(f"{where} follow a time-of-week profile")
    if isinstance(incidents, RecordedIncidents):
        if any(share < 1.0 for _, share in sets):
            raise Inapplicable(f"{where} are recorded windows that reach an endpoint over a share below 100 %")
        if plan.shared < 1.0 and is_shared(sets):
            raise Inapplicable(f"{where} are recorded and shared: their twin is made of week shifts")


def _source(component: Component, incidents: IncidentClass, sets: HitSets) -> Source:
    match incidents:
        case PoissonIncidents():
            return Source(
                component=component.name,
                kind=POISSON,
                rate_per_s=incidents.rate_per_s,
                duration=incidents.duration,
                effect=incidents.effect,
                sets=sets,
            )
        case RenewalIncidents():
            return Source(
                component=component.name,
                kind=RENEWAL,
                rate_per_s=1.0 / (incidents.up.mean + incidents.down.mean),
                duration=incidents.down,
                effect=incidents.effect,
                sets=sets,
                up=incidents.up,
            )
        case MarkedRenewalIncidents():
            return Source(
                component=component.name,
                kind=MARKED,
                rate_per_s=1.0 / incidents.between.mean,
                duration=incidents.duration,
                effect=incidents.effect,
                sets=sets,
                between=incidents.between,
            )
        case RecordedIncidents():
            raise TypeError("recorded windows have no equilibrium")


def _partly_common(source: Source, phi: float) -> list[Source]:
    common = [replace(source, rate_per_s=source.rate_per_s * phi)] if phi > 0.0 else []
    return common + [
        replace(
            source,
            rate_per_s=source.rate_per_s * (1.0 - phi) * hit_share(source.sets, endpoint),
            sets=((1 << endpoint, 1.0),),
        )
        for endpoint in members(union(source.sets))
    ]


def _apart(source: Source) -> tuple[Source, ...]:
    """A copy of the whole timeline for each endpoint, with marks of its own."""
    return tuple(
        replace(source, sets=((1 << endpoint, hit_share(source.sets, endpoint)),))
        for endpoint in members(union(source.sets))
    )
