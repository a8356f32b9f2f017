"""Which sets of endpoints an incident can hit, and how likely: every combination of marks on the edges it may cross."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import product

from des.scenario.plan import Plan

MOST_UNCERTAIN_EDGES = 14

HitSets = tuple[tuple[int, float], ...]
"""(set of endpoints as a bit mask, probability) of the sets that are not empty; what is missing to 1 hits nobody."""


def hit_sets(plan: Plan, origin: int) -> HitSets | None:
    """Of an incident of component `origin`; None where more than 14 edges with a share below 1 lie on its way."""
    edges = tuple(_edges_reached(plan, origin))
    uncertain = [edge for edge in edges if edge[2] < 1.0]
    if len(uncertain) > MOST_UNCERTAIN_EDGES:
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


def members(hits: int) -> list[int]:
    """The endpoints of a bit mask, in order."""
    return [index for index in range(hits.bit_length()) if hits >> index & 1]


def hit_share(sets: HitSets, endpoint: int) -> float:
    """Chance that an incident hits the endpoint."""
    return sum(share for hits, share in sets if hits >> endpoint & 1)


def union(sets: HitSets) -> int:
    """Every endpoint that an incident can hit."""
    everybody = 0
    for hits, _ in sets:
        everybody |= hits
    return everybody


def _edges_reached(plan: Plan, origin: int) -> Iterator[tuple[int, int, float]]:
    """(dependent, dependency, share) of the edges an incident can come to, those of no share left out."""
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
