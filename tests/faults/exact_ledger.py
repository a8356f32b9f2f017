"""Closed forms of shock ledgers over dependency graphs, by trying every combination of marks."""

import itertools
import math
from collections.abc import Iterator

from des.scenario.plan import Plan, PoissonIncidents


def hit_sets(plan: Plan, origin: int) -> dict[frozenset[int], float]:
    """Probability of each set of endpoints hit by an incident of `origin`, by trying every combination of marks."""
    edges = [(component.index, edge) for component in plan.components for edge in component.depends_on]
    chances: dict[frozenset[int], float] = {}
    for marks in itertools.product([True, False], repeat=len(edges)):
        chance = math.prod(edge.share if mark else 1 - edge.share for mark, (_, edge) in zip(marks, edges, strict=True))
        reached = {origin}
        while True:
            more = {
                dependent
                for mark, (dependent, edge) in zip(marks, edges, strict=True)
                if mark and edge.component in reached
            }
            if more <= reached:
                break
            reached |= more
        hit = frozenset(endpoint.index for endpoint in plan.endpoints if endpoint.component in reached)
        chances[hit] = chances.get(hit, 0.0) + chance
    return chances


def classes_at(plan: Plan, incidents: PoissonIncidents, origin: int) -> Iterator[tuple[float, frozenset[int]]]:
    """(rate, endpoints hit) of what a class falls apart into at the plan's `shared`."""
    chances = hit_sets(plan, origin)
    members = frozenset().union(*(hit for hit, chance in chances.items() if chance > 0.0))
    phi = plan.shared if len(members) > 1 else 1.0
    for hit, chance in chances.items():
        yield phi * incidents.rate_per_s * chance, hit
    for member in members:
        hitting = sum(chance for hit, chance in chances.items() if member in hit)
        yield (1.0 - phi) * incidents.rate_per_s * hitting, frozenset({member})


class Ledger:
    """Closed forms, at its `shared`, of a plan whose incidents are all Poisson outages."""

    def __init__(self, plan: Plan) -> None:
        self.everything = frozenset(endpoint.index for endpoint in plan.endpoints)
        self.rows = [
            (rate, incidents.duration.mean, hit)
            for component in plan.components
            for incidents in component.incidents
            if isinstance(incidents, PoissonIncidents)
            for rate, hit in classes_at(plan, incidents, component.index)
        ]

    def all_up(self, chosen: frozenset[int]) -> float:
        return math.exp(-sum(rate * mean_s for rate, mean_s, hit in self.rows if hit & chosen))

    def all_down(self, chosen: frozenset[int]) -> float:
        subsets = itertools.chain.from_iterable(
            itertools.combinations(sorted(chosen), size) for size in range(len(chosen) + 1)
        )
        return sum((-1) ** len(subset) * self.all_up(frozenset(subset)) for subset in subsets)

    def episodes_per_s(self, chosen: frozenset[int]) -> float:
        down = self.all_down(chosen)
        return sum(rate * (self.all_down(chosen - hit) - down) for rate, _, hit in self.rows if hit & chosen)
