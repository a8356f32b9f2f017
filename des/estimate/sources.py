"""What fails: incident classes as independent sources in equilibrium, the endpoints they hit, and recorded windows."""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, product
from typing import Final

from des.distributions import Distribution
from des.estimate.estimate import Inapplicable
from des.scenario.plan import (
    Component,
    Effect,
    IncidentClass,
    MarkedRenewalIncidents,
    OwnIncidents,
    Plan,
    PoissonIncidents,
    RecordedIncidents,
    RenewalIncidents,
)

POISSON: Final = "poisson"
RENEWAL: Final = "renewal"
MARKED: Final = "marked_renewal"
_MOST_UNCERTAIN_EDGES: Final = 14

HitSets = tuple[tuple[int, float], ...]
"""(set of endpoints as a bit mask, probability) of each non-empty set. The rest of the probability hits none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Incidents that are independent of every other source's.

    `between` is from start to start, for a marked renewal class only. `up` is the time up of an alternating one.
    `rate_per_s` counts all incidents that start, whichever endpoints they hit.
    """

    component: str
    kind: str
    rate_per_s: float
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
        """Chance that a call succeeds although it meets one open incident."""
        return (1.0 - self.effect.error_rate) * (1.0 - self.effect.hang)

    @property
    def outage(self) -> bool:
        return self.effect.outage


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """A shared class: with probability phi a replication has common incidents, otherwise each member its own."""

    common: Source
    apart: tuple[Source, ...]
    phi: float


@dataclass(frozen=True, slots=True)
class Sources:
    """Everything that fails: sources in equilibrium, mixtures of them, and recorded windows with their hit sets."""

    always: tuple[Source, ...]
    mixtures: tuple[Mixture, ...]
    recorded: tuple[tuple[RecordedIncidents, int], ...]  # with a bit mask of the endpoints hit

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
        raise Inapplicable("all components start up (start_state: up), so incidents are rarer at first than later")
    always: list[Source] = []
    mixtures: list[Mixture] = []
    recorded: list[tuple[RecordedIncidents, int]] = []
    for component in plan.components:
        sets = hit_sets(plan, component.index) if component.incidents else ()
        if sets is None:
            raise Inapplicable(
                f"{component.name}: its incidents reach the endpoints over more than {_MOST_UNCERTAIN_EDGES} edges "
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
            if plan.shared >= 1.0 or not _is_shared(sets):
                always.append(source)
            elif source.kind == POISSON:
                always += _partly_common(source, plan.shared)
            elif plan.shared <= 0.0:
                always += _apart(source)
            else:
                mixtures.append(Mixture(common=source, apart=_apart(source), phi=plan.shared))
    return Sources(tuple(always), tuple(mixtures), tuple(recorded))


def _is_shared(sets: HitSets) -> bool:
    """Whether an incident can hit two endpoints or more at once."""
    return any(hits & (hits - 1) for hits, _ in sets)


def _refuse(component: Component, number: int, incidents: IncidentClass, sets: HitSets, plan: Plan) -> None:
    where = f"{component.name}: incidents[{number}]"
    if isinstance(incidents, PoissonIncidents) and incidents.profile is not None:
        raise Inapplicable(f"{where} follow a time-of-week profile")
    if isinstance(incidents, OwnIncidents):
        raise Inapplicable(f"{where} are of {incidents.kind_name()}, a class of your own")
    if isinstance(incidents, RecordedIncidents):
        if any(share < 1.0 for _, share in sets):
            raise Inapplicable(f"{where} are recorded windows that reach an endpoint over a share below 100 %")
        if plan.shared < 1.0 and _is_shared(sets):
            raise Inapplicable(f"{where} are recorded and shared, so their twin consists of week shifts")


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
        case RecordedIncidents() | OwnIncidents():
            raise TypeError("recorded windows have no equilibrium")


def _partly_common(source: Source, phi: float) -> list[Source]:
    common = [replace(source, rate_per_s=source.rate_per_s * phi)] if phi > 0.0 else []
    return common + [
        replace(
            source,
            rate_per_s=source.rate_per_s * (1.0 - phi) * _hit_share(source.sets, endpoint),
            sets=((1 << endpoint, 1.0),),
        )
        for endpoint in _members(union(source.sets))
    ]


def _apart(source: Source) -> tuple[Source, ...]:
    """One copy of the source for each endpoint, with the same process and marks of its own."""
    return tuple(
        replace(source, sets=((1 << endpoint, _hit_share(source.sets, endpoint)),))
        for endpoint in _members(union(source.sets))
    )


def hit_sets(plan: Plan, origin: int) -> HitSets | None:
    """Of an incident of component `origin`. None where more than 14 edges with a share below 1 are on its way."""
    edges = tuple(_edges_reached(plan, origin))
    uncertain = [edge for edge in edges if edge[2] < 1.0]
    if len(uncertain) > _MOST_UNCERTAIN_EDGES:
        return None
    likely: dict[int, float] = defaultdict(float)
    for marks in product((True, False), repeat=len(uncertain)):
        share = 1.0
        for (_, _, edge_share), marked in zip(uncertain, marks, strict=True):
            share *= edge_share if marked else 1.0 - edge_share
        open_edges = {edge[:2] for edge in edges if edge[2] >= 1.0}
        open_edges.update(edge[:2] for edge, marked in zip(uncertain, marks, strict=True) if marked)
        reached = _behind(origin, open_edges)
        hits = sum(1 << endpoint.index for endpoint in plan.endpoints if endpoint.component in reached)
        if hits:
            likely[hits] += share
    return tuple(sorted(likely.items()))


def _members(hits: int) -> list[int]:
    """The endpoints of a bit mask, in order."""
    return [index for index in range(hits.bit_length()) if hits >> index & 1]


def _hit_share(sets: HitSets, endpoint: int) -> float:
    """Chance that an incident hits the endpoint."""
    return sum(share for hits, share in sets if hits >> endpoint & 1)


def union(sets: HitSets) -> int:
    """Bit mask of every endpoint that an incident can hit."""
    endpoints_mask = 0
    for hits, _ in sets:
        endpoints_mask |= hits
    return endpoints_mask


def _edges_reached(plan: Plan, origin: int) -> Iterator[tuple[int, int, float]]:
    """(dependent, dependency, share) of the edges along which an incident can spread; shares of zero are left out."""
    reached, pending = {origin}, [origin]
    while pending:
        behind = pending.pop()
        for component in plan.components:
            for edge in component.depends_on:
                if edge.component == behind and edge.share > 0.0:
                    yield component.index, behind, edge.share
                    if component.index not in reached:
                        reached.add(component.index)
                        pending.append(component.index)


def _behind(origin: int, open_edges: set[tuple[int, int]]) -> set[int]:
    reached, pending = {origin}, [origin]
    while pending:
        dependency = pending.pop()
        for dependent, other in open_edges:
            if other == dependency and dependent not in reached:
                reached.add(dependent)
                pending.append(dependent)
    return reached


@dataclass(frozen=True, slots=True)
class RecordedStates:
    """Segments of [0, horizon): each one's share of it, and what is open as (effect, bit mask of endpoints hit)."""

    shares: tuple[float, ...]
    open: tuple[tuple[tuple[Effect, int], ...], ...]
    horizon_s: float
    endpoints: int

    def down_sets(self) -> list[tuple[float, int]]:
        """(share of the horizon, endpoints down) of each set that occurs."""
        lasting: dict[int, list[float]] = defaultdict(list)
        for share, down in zip(self.shares, self._down(), strict=True):
            lasting[down].append(share)
        return [(math.fsum(shares), down) for down, shares in sorted(lasting.items())]

    def steps(self) -> list[tuple[float, int, int]]:
        """(times per second, endpoints down before, endpoints down after) of each change within the horizon."""
        counted: dict[tuple[int, int], int] = defaultdict(int)
        down = self._down()
        for before, after in pairwise(down):
            if before != after:
                counted[before, after] += 1
        return [(count / self.horizon_s, before, after) for (before, after), count in sorted(counted.items())]

    def factors(self) -> list[tuple[float, tuple[float, ...]]]:
        """(share of the horizon, chance by endpoint that a call survives what is open) of each state that occurs."""
        lasting: dict[tuple[float, ...], list[float]] = defaultdict(list)
        for share, effects in zip(self.shares, self.open, strict=True):
            lasting[tuple(self._survival(effects, endpoint) for endpoint in range(self.endpoints))].append(share)
        return [(math.fsum(shares), factors) for factors, shares in sorted(lasting.items())]

    def _down(self) -> list[int]:
        down = []
        for effects in self.open:
            hit = 0
            for effect, hits in effects:
                hit |= hits if effect.outage else 0
            down.append(hit)
        return down

    def _survival(self, effects: tuple[tuple[Effect, int], ...], endpoint: int) -> float:
        return math.prod(
            (1.0 - effect.error_rate) * (1.0 - effect.hang) for effect, hits in effects if hits >> endpoint & 1
        )


def recorded_states(recorded: Sequence[tuple[RecordedIncidents, int]], plan: Plan) -> RecordedStates:
    """One state for the whole horizon where there are no recorded windows."""
    horizon_s = plan.horizon_s
    changes: dict[float, list[tuple[int, int, int]]] = defaultdict(list)
    for number, (incidents, _) in enumerate(recorded):
        for window, (start_s, end_s) in enumerate(zip(incidents.start_s, incidents.end_s, strict=True)):
            start_s, end_s = max(start_s, 0.0), min(end_s, horizon_s)
            if start_s < end_s:
                changes[start_s].append((1, number, window))
                changes[end_s].append((0, number, window))
    instants = sorted({0.0, horizon_s, *changes})
    shares, states = [], []
    opened: dict[tuple[int, int], tuple[Effect, int]] = {}
    for now_s, next_s in pairwise(instants):
        for begins, number, window in sorted(changes.get(now_s, [])):
            incidents, hits = recorded[number]
            if begins:
                opened[number, window] = (incidents.effects[window], hits)
            else:
                del opened[number, window]
        shares.append((next_s - now_s) / horizon_s)
        states.append(tuple(opened.values()))
    return RecordedStates(tuple(shares), tuple(states), horizon_s, len(plan.endpoints))
