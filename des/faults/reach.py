"""Which endpoints an incident reaches: one mark for each dependency edge and incident.

A mark is common to everything behind its edge, so endpoints that depend on a shock through one shared edge are hit
together, and an endpoint with several paths to a component is hit once if any path is marked throughout.
"""

from dataclasses import dataclass

import numpy as np

from des.faults.intervals import BoolArray
from des.faults.keys import ClassKeys
from des.scenario.plan import Component, Plan


@dataclass(frozen=True, slots=True)
class Reach:
    """The dependency graph, its components ordered so that each follows those that it depends on."""

    dependencies_first: tuple[Component, ...]
    names: tuple[str, ...]  # of components, by index
    endpoint_components: tuple[int, ...]
    endpoint_providers: tuple[str, ...]

    @classmethod
    def of(cls, plan: Plan) -> "Reach":
        return cls(
            dependencies_first=_dependencies_first(plan.components),
            names=tuple(component.name for component in plan.components),
            endpoint_components=tuple(endpoint.component for endpoint in plan.endpoints),
            endpoint_providers=tuple(endpoint.provider for endpoint in plan.endpoints),
        )

    def hits(self, origin: int, count: int, keys: ClassKeys) -> BoolArray:
        """bool[endpoints, count]: whether each of `count` incidents of component `origin` hits each endpoint."""
        reached: dict[int, BoolArray] = {origin: np.ones(1, dtype=np.bool_)}  # one value where all incidents agree
        for component in self.dependencies_first:
            for edge in component.depends_on:
                behind = reached.get(edge.component)
                if behind is None or edge.share <= 0.0:
                    continue
                if edge.share < 1.0:
                    behind = behind & (
                        keys.marks(component.name, self.names[edge.component]).random(count) < edge.share
                    )
                before = reached.get(component.index)
                reached[component.index] = behind if before is None else before | behind
        hits = np.zeros((len(self.endpoint_components), count), dtype=np.bool_)
        for endpoint, component_index in enumerate(self.endpoint_components):
            if component_index in reached:
                hits[endpoint] = reached[component_index]
        return hits

    def shared(self, hits: BoolArray) -> BoolArray:
        """bool[count]: whether an incident, a column of `hits`, reaches endpoints of more than one provider."""
        providers = np.zeros(hits.shape[1], dtype=np.int64)
        for provider in dict.fromkeys(self.endpoint_providers):
            rows = [row for row, name in enumerate(self.endpoint_providers) if name == provider]
            providers += hits[rows].any(axis=0)
        shared: BoolArray = providers > 1
        return shared


def _dependencies_first(components: tuple[Component, ...]) -> tuple[Component, ...]:
    """The graph has no cycles: a scenario with one is refused."""
    placed: dict[int, Component] = {}

    def place(component: Component) -> None:
        if component.index not in placed:
            for edge in component.depends_on:
                place(components[edge.component])
            placed[component.index] = component

    for component in components:
        place(component)
    return tuple(placed.values())
