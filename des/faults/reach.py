"""Which endpoints an incident reaches: one mark for each dependency edge and incident.

Everything behind an edge shares its mark. So endpoints that depend on a component through one shared edge are hit
together. An endpoint with several paths to a component is hit once if any path is marked throughout.
"""

from dataclasses import dataclass

import numpy as np

from des.faults.intervals import BoolArray, ClassKeys
from des.scenario.plan import Component, Plan


@dataclass(frozen=True, slots=True)
class Reach:
    """The dependency graph, its components ordered so that each follows its dependencies."""

    dependencies_first: tuple[Component, ...]
    names: tuple[str, ...]  # of components
    endpoint_components: tuple[int, ...]
    endpoint_providers: tuple[str, ...]
    endpoint_names: tuple[str, ...]

    @classmethod
    def of(cls, plan: Plan) -> "Reach":
        return cls(
            dependencies_first=_dependencies_first(plan.components),
            names=tuple(component.name for component in plan.components),
            endpoint_components=tuple(endpoint.component for endpoint in plan.endpoints),
            endpoint_providers=tuple(endpoint.provider for endpoint in plan.endpoints),
            endpoint_names=tuple(f"{endpoint.provider}/{endpoint.model}" for endpoint in plan.endpoints),
        )

    def members(self, origin: int) -> tuple[int, ...]:
        """The endpoints that an incident of component `origin` can hit."""
        reached = {origin}
        for component in self.dependencies_first:
            if any(edge.share > 0.0 and edge.component in reached for edge in component.depends_on):
                reached.add(component.index)
        return tuple(endpoint for endpoint, component in enumerate(self.endpoint_components) if component in reached)

    def hits(self, origin: int, count: int, keys: ClassKeys, only: int | None = None) -> BoolArray:
        """bool[endpoints, count]: whether each of `count` incidents of component `origin` hits each endpoint.

        With `only`, an endpoint, no other endpoint is hit.
        """
        reached: dict[int, BoolArray] = {origin: np.ones(1, dtype=np.bool_)}  # bool[1] where all incidents agree
        for component in self.dependencies_first if only is None else self._leading_to(only):
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
            if component_index in reached and only in (None, endpoint):
                hits[endpoint] = reached[component_index]
        return hits

    def _leading_to(self, endpoint: int) -> list[Component]:
        """The endpoint's component and all its dependencies, in order."""
        wanted = {self.endpoint_components[endpoint]}
        for component in reversed(self.dependencies_first):
            if component.index in wanted:
                wanted.update(edge.component for edge in component.depends_on if edge.share > 0.0)
        return [component for component in self.dependencies_first if component.index in wanted]

    def shared(self, hits: BoolArray) -> BoolArray:
        """bool[count]: whether an incident, a column of `hits`, reaches endpoints of more than one provider."""
        providers = np.zeros(hits.shape[1], dtype=np.int64)
        for provider in dict.fromkeys(self.endpoint_providers):
            rows = [row for row, name in enumerate(self.endpoint_providers) if name == provider]
            providers += hits[rows].any(axis=0)
        shared: BoolArray = providers > 1
        return shared


def _dependencies_first(components: tuple[Component, ...]) -> tuple[Component, ...]:
    """The graph has no cycles, as the scenario's checks refuse them."""
    placed: dict[int, Component] = {}

    def place(component: Component) -> None:
        if component.index not in placed:
            for edge in component.depends_on:
                place(components[edge.component])
            placed[component.index] = component

    for component in components:
        place(component)
    return tuple(placed.values())
