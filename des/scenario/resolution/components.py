"""From components, providers and models to the plan's components with their classes of incidents."""

from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path as FilePath

from des.distributions import Exponential
from des.scenario import plan
from des.scenario.files import components_of
from des.scenario.plan import Effect, IncidentClass, PoissonIncidents, RenewalIncidents
from des.scenario.resolution.common_causes import (
    OwnOutages,
    PlacedCause,
    common_causes,
    common_class,
    has_outages,
    own_outages,
    without_common,
)
from des.scenario.resolution.incidents import incident_class
from des.scenario.resolution.intent import (
    Edges,
    default_duration,
    private_class,
    reach_probability,
    sources_behind,
)
from des.scenario.schema.providers import ComponentSpec
from des.scenario.schema.scenario import Scenario
from des.scenario.text.places import Path
from des.scenario.text.problems import Finding


@dataclass(frozen=True, slots=True)
class _Node:
    """A named component while the graph is being resolved."""

    name: str
    path: Path
    spec: ComponentSpec
    depends_on: tuple[tuple[str, float], ...]


def resolve_components(scenario: Scenario, folder: FilePath) -> tuple[tuple[plan.Component, ...], list[Finding]]:
    """Components in the plan's order, and findings for those that cannot be resolved."""
    graph = _Graph(scenario)
    findings: list[Finding] = []
    try:
        order = list(TopologicalSorter(graph.steps()).static_order())
    except CycleError:
        message = "these common causes depend on each other in a circle"
        return (), [Finding(("common_cause",), f"{message}: write the causes as components to depend on")]
    classes: dict[str, tuple[IncidentClass, ...]] = {}
    whole: dict[str, tuple[IncidentClass, ...]] = {}
    outages: dict[str, OwnOutages] = {}
    common: dict[str, PoissonIncidents] = {}
    for step, name in order:
        if step == "whole":
            known = len(findings)
            edges = {**graph.edges, name: graph.nodes[name].depends_on}
            whole[name] = _classes(graph.nodes[name], classes, edges, scenario, folder, findings)
            if len(findings) == known and name in graph.causes_of:
                _note_outages(graph, name, whole[name], outages, findings)
        elif step == "cause":
            if incidents := _common(graph.causes[name], outages, findings):
                common[name] = incidents
            classes[name] = (incidents,) if incidents else ()
        elif name in outages:
            taken = [(graph.causes[cause], common[cause]) for cause in graph.causes_of[name] if cause in common]
            classes[name] = without_common(name, outages[name], whole[name], taken, findings)
        else:
            classes[name] = whole[name]
    return graph.components(classes), findings


class _Graph:
    """The graph of dependencies, including common causes, and the order in which incidents can be resolved."""

    def __init__(self, scenario: Scenario) -> None:
        self.nodes = {node.name: node for node in _nodes(scenario)}
        self.causes = common_causes(scenario)
        self.causes_of: dict[str, list[str]] = {}
        for cause in self.causes.values():
            for member in cause.spec.members:
                self.causes_of.setdefault(member, []).append(cause.name)
        self.edges: dict[str, tuple[tuple[str, float], ...]] = dict.fromkeys(self.causes, ())
        for name, node in self.nodes.items():
            self.edges[name] = (*node.depends_on, *((cause, 1.0) for cause in self.causes_of.get(name, ())))

    def steps(self) -> dict[tuple[str, str], list[tuple[str, str]]]:
        """Each step with its predecessors: a node's own incidents, the common ones, what remains to the members."""
        steps: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for name, node in self.nodes.items():
            steps["whole", name] = [("kept", target) for target, _ in node.depends_on]
            steps["kept", name] = [("whole", name), *(("cause", cause) for cause in self.causes_of.get(name, ()))]
        for name, cause in self.causes.items():
            steps["cause", name] = [("whole", member) for member in cause.spec.members]
        return steps

    def components(self, classes: Mapping[str, tuple[IncidentClass, ...]]) -> tuple[plan.Component, ...]:
        """Declared components, common causes, providers and models, in this order."""
        kinds = dict.fromkeys(self.causes, "component")
        kinds |= {name: _kind(node.path) for name, node in self.nodes.items()}
        names = sorted(kinds, key=lambda name: (kinds[name] != "component", name in self.causes))
        index = {name: position for position, name in enumerate(names)}
        return tuple(
            plan.Component(
                index=index[name],
                name=name,
                kind=kinds[name],
                incidents=classes[name],
                depends_on=tuple(
                    plan.Dependency(component=index[target], share=share) for target, share in self.edges[name]
                ),
            )
            for name in names
        )


def _note_outages(
    graph: _Graph,
    name: str,
    classes: tuple[IncidentClass, ...],
    outages: dict[str, OwnOutages],
    findings: list[Finding],
) -> None:
    try:
        outages[name] = own_outages(name, graph.nodes[name].spec, classes)
    except ValueError as error:
        cause = graph.causes[graph.causes_of[name][0]]
        findings.append(Finding((*cause.path, "members", cause.spec.members.index(name)), str(error)))


def _common(cause: PlacedCause, outages: Mapping[str, OwnOutages], findings: list[Finding]) -> PoissonIncidents | None:
    """The class of a common cause; None if a member's outages are unknown or cannot be common."""
    members = {name: outages[name] for name in cause.spec.members if name in outages}
    if len(members) < len(cause.spec.members):
        return None
    try:
        incidents = common_class(cause, members)
    except ValueError as error:
        findings.append(Finding((*cause.path, "members"), str(error)))
        return None
    return incidents if incidents.rate_per_s > 0.0 else None


def _nodes(scenario: Scenario) -> list[_Node]:
    nodes = []
    for name, path, spec in components_of(scenario):
        own = tuple((dependency.component, dependency.share) for dependency in spec.depends_on)
        provider: tuple[tuple[str, float], ...] = ((str(path[1]), 1.0),) if _kind(path) == "model" else ()
        nodes.append(_Node(name, path, spec, provider + own))
    return nodes


def _kind(path: Path) -> str:
    if path[0] == "components":
        return "component"
    return "provider" if len(path) == 2 else "model"


def _classes(
    node: _Node,
    resolved: Mapping[str, tuple[IncidentClass, ...]],
    edges: Edges,
    scenario: Scenario,
    folder: FilePath,
    findings: list[Finding],
) -> tuple[IncidentClass, ...]:
    classes: list[IncidentClass] = []
    spec = node.spec
    if spec.availability is not None:
        classes += _from_intent(node, resolved, edges, findings)
    if spec.mttf_s is not None and spec.mttr_s is not None:
        effect = spec.effect or Effect()
        fails = RenewalIncidents(kind="renewal", up=Exponential(spec.mttf_s), down=Exponential(spec.mttr_s))
        classes.append(fails.with_effect(effect))
    for position, incident in enumerate(spec.incidents):
        here: Path = (*node.path, "incidents", position)
        found = incident_class(incident, here, scenario, folder, findings)
        if found is not None:
            classes.append(found)
    return tuple(classes)


def _from_intent(
    node: _Node, resolved: Mapping[str, tuple[IncidentClass, ...]], edges: Edges, findings: list[Finding]
) -> list[IncidentClass]:
    """The component's own outages: what availability and episodes a year require beyond the shared ones."""
    spec = node.spec
    assert spec.availability is not None
    assert spec.episodes_per_year is not None
    try:
        shared = _shared_outages(node.name, resolved, edges)
        rate_per_s, mean_s = private_class(spec.availability, spec.episodes_per_year, shared)
    except ValueError as error:
        findings.append(Finding((*node.path, "availability"), str(error)))
        return []
    if rate_per_s == 0.0:
        return []
    try:
        duration = spec.duration.with_mean(mean_s) if spec.duration else default_duration(mean_s)
    except ValueError as error:
        findings.append(Finding((*node.path, "duration"), str(error)))
        return []
    outages = PoissonIncidents(kind="poisson", rate_per_s=rate_per_s, duration=duration)
    return [outages.with_effect(spec.effect or Effect())]


def _shared_outages(
    name: str, resolved: Mapping[str, tuple[IncidentClass, ...]], edges: Edges
) -> list[tuple[float, float, float]]:
    """(rate, share that reaches it, mean duration) of every class of outages that comes from other components."""
    shared = []
    for source in sources_behind(name, edges):
        share = reach_probability(edges, name, source)
        for incidents in resolved[source]:
            if share == 0.0 or not has_outages(incidents):
                continue
            if not isinstance(incidents, PoissonIncidents):
                raise ValueError(
                    f"'{source}', which '{name}' depends on, has outages of another kind than poisson, which cannot be "
                    f"counted towards availability: list the incidents of '{name}' instead"
                )
            shared.append((incidents.rate_per_s, share, incidents.duration.mean))
    return shared
