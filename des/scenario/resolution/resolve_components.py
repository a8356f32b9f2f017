"""From components, providers and models to the plan's components with their classes of incidents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from graphlib import CycleError, TopologicalSorter
from pathlib import Path as FilePath
from typing import Final

from des.distributions import Distribution, Exponential
from des.files import RecordedRows, read_incidents
from des.scenario.checks.consistency import window_bounds
from des.scenario.files import components_of, located
from des.scenario.plan import (
    Component,
    Dependency,
    Effect,
    IncidentClass,
    MarkedRenewalIncidents,
    PoissonIncidents,
    RecordedIncidents,
    RenewalIncidents,
)
from des.scenario.resolution.intent import default_duration, private_class
from des.scenario.resolution.resolve_common_causes import (
    CommonCause,
    OwnOutages,
    common_causes,
    common_class,
    has_outages,
    own_outages,
    without_common,
)
from des.scenario.schema.incidents import (
    EFFECT_FIELDS,
    EffectSpec,
    IncidentSpec,
    MarkedRenewalSpec,
    PoissonSpec,
    RenewalSpec,
    ReplayedIncidentsSpec,
    ScheduleSpec,
    effect_of,
)
from des.scenario.schema.providers import ComponentSpec
from des.scenario.schema.scenario import Scenario
from des.scenario.text.document import Path
from des.scenario.text.problems import Finding
from des.words import meant

MOST_UNCERTAIN_EDGES: Final = 16
Edges = Mapping[str, Sequence[tuple[str, float]]]


@dataclass(frozen=True, slots=True)
class _Node:
    """A component by name while the graph is resolved."""

    name: str
    path: Path
    spec: ComponentSpec
    depends_on: tuple[tuple[str, float], ...]


def resolve_components(scenario: Scenario, folder: FilePath) -> tuple[tuple[Component, ...], list[Finding]]:
    """Components in the plan's order, and what keeps any of them from being resolved."""
    graph = _Graph(scenario)
    findings: list[Finding] = []
    try:
        order = list(TopologicalSorter(graph.steps()).static_order())
    except CycleError:
        message = "what is common to these members hangs on what is common to the others, in a circle"
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
    """Who depends on whom, common causes included, and in which order their incidents can be worked out."""

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
        """Each step with those before it: all of a node's incidents, what members have in common, what they keep."""
        steps: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for name, node in self.nodes.items():
            steps["whole", name] = [("kept", target) for target, _ in node.depends_on]
            steps["kept", name] = [("whole", name), *(("cause", cause) for cause in self.causes_of.get(name, ()))]
        for name, cause in self.causes.items():
            steps["cause", name] = [("whole", member) for member in cause.spec.members]
        return steps

    def components(self, classes: Mapping[str, tuple[IncidentClass, ...]]) -> tuple[Component, ...]:
        """Declared components, common causes, providers and models, in this order."""
        kinds = dict.fromkeys(self.causes, "component")
        kinds |= {name: _kind(node.path) for name, node in self.nodes.items()}
        names = sorted(kinds, key=lambda name: (kinds[name] != "component", name in self.causes))
        index = {name: position for position, name in enumerate(names)}
        return tuple(
            Component(
                index=index[name],
                name=name,
                kind=kinds[name],
                incidents=classes[name],
                depends_on=tuple(
                    Dependency(component=index[target], share=share) for target, share in self.edges[name]
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


def _common(cause: CommonCause, outages: Mapping[str, OwnOutages], findings: list[Finding]) -> PoissonIncidents | None:
    """The class of a common cause; none where a member's outages are unknown or nothing is common."""
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
    if spec.mttf is not None and spec.mttr is not None:
        effect = effect_of(spec.effect or EffectSpec())
        classes.append(RenewalIncidents(up=Exponential(spec.mttf), down=Exponential(spec.mttr), effect=effect))
    for position, incident in enumerate(spec.incidents):
        here: Path = (*node.path, "incidents", position)
        found = _incident_class(incident, here, scenario, folder, findings)
        if found is not None:
            classes.append(found)
    return tuple(classes)


def _incident_class(
    incident: IncidentSpec, path: Path, scenario: Scenario, folder: FilePath, findings: list[Finding]
) -> IncidentClass | None:
    if isinstance(incident, PoissonSpec):
        profile = incident.profile.starting(scenario.start) if incident.profile else None
        return PoissonIncidents(
            rate_per_s=incident.rate,
            duration=incident.duration.distribution(),
            effect=effect_of(incident),
            profile=profile,
        )
    if isinstance(incident, RenewalSpec):
        return RenewalIncidents(
            up=incident.up.distribution(), down=incident.down.distribution(), effect=effect_of(incident)
        )
    if isinstance(incident, MarkedRenewalSpec):
        return MarkedRenewalIncidents(
            between=incident.between.distribution(),
            duration=incident.duration.distribution(),
            effect=effect_of(incident),
        )
    if isinstance(incident, ScheduleSpec):
        bounds = [window_bounds(window, scenario.start) for window in incident.windows]
        return _recorded("schedule", [(start_s, end_s, effect_of(incident)) for start_s, end_s in bounds])
    return _replayed(incident, path, scenario.start, folder, findings)


def _recorded(kind: str, windows: Sequence[tuple[float, float, Effect]]) -> RecordedIncidents:
    """Windows that are over when the run starts are dropped; one that is open then keeps its true start."""
    kept = sorted((window for window in windows if window[1] > 0.0), key=lambda window: window[:2])
    return RecordedIncidents(
        kind=kind,
        start_s=tuple(start_s for start_s, _, _ in kept),
        end_s=tuple(end_s for _, end_s, _ in kept),
        effects=tuple(effect for _, _, effect in kept),
    )


def _replayed(
    spec: ReplayedIncidentsSpec, path: Path, start: datetime | None, folder: FilePath, findings: list[Finding]
) -> IncidentClass | None:
    try:
        rows = read_incidents(
            located(spec.file, folder),
            start=spec.columns.start,
            end=spec.columns.end,
            where=spec.where,
            severity=spec.columns.severity,
            origin=start,
            format=spec.format,
        )
    except ValueError as error:
        findings.append(Finding((*path, "file"), str(error)))
        return None
    effects = _effects(spec, rows, path, findings)
    if effects is None:
        return None
    return _recorded(
        "replay",
        [
            (float(start_s), float(end_s), effects[severity])
            for start_s, end_s, severity in zip(rows.start_s, rows.end_s, rows.severity, strict=True)
        ],
    )


def _effects(
    spec: ReplayedIncidentsSpec, rows: RecordedRows, path: Path, findings: list[Finding]
) -> dict[str, Effect] | None:
    """The effect of each severity in the file; a severity that nothing is said about is an error, not an outage."""
    default_said = bool(EFFECT_FIELDS & spec.model_fields_set)
    effects: dict[str, Effect] = {}
    for severity in dict.fromkeys(rows.severity):
        if severity in spec.effects:
            effects[severity] = effect_of(spec.effects[severity], over=spec if default_said else None)
        elif default_said or not spec.effects:
            effects[severity] = effect_of(spec)
        else:
            message = f"the file has the severity '{severity}', of which nothing is said{meant(severity, spec.effects)}"
            findings.append(Finding((*path, "effects"), message))
            return None
    return effects


def _from_intent(
    node: _Node, resolved: Mapping[str, tuple[IncidentClass, ...]], edges: Edges, findings: list[Finding]
) -> list[IncidentClass]:
    """The component's own outages: what availability and episodes a year ask for beyond the shared ones."""
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
        duration: Distribution = (
            spec.duration.distribution().with_mean(mean_s) if spec.duration else default_duration(mean_s)
        )
    except ValueError as error:
        findings.append(Finding((*node.path, "duration"), str(error)))
        return []
    effect = effect_of(spec.effect or EffectSpec())
    return [PoissonIncidents(rate_per_s=rate_per_s, duration=duration, effect=effect)]


def _shared_outages(
    name: str, resolved: Mapping[str, tuple[IncidentClass, ...]], edges: Edges
) -> list[tuple[float, float, float]]:
    """(rate, share that reaches it, mean duration) of every class of outages that comes from other components."""
    shared = []
    for source in _behind(name, edges):
        share = reach_probability(edges, name, source)
        for incidents in resolved[source]:
            if share == 0.0 or not has_outages(incidents):
                continue
            if not isinstance(incidents, PoissonIncidents):
                raise ValueError(
                    f"'{source}', behind '{name}', has outages that are no Poisson class, so they cannot be counted "
                    f"towards availability: list the incidents of '{name}' instead"
                )
            shared.append((incidents.rate_per_s, share, incidents.duration.mean))
    return shared


def _behind(name: str, edges: Edges) -> list[str]:
    """All that a component depends on, directly or not."""
    found: dict[str, None] = {}
    waiting = [target for target, _ in edges[name]]
    while waiting:
        target = waiting.pop(0)
        if target not in found:
            found[target] = None
            waiting += [further for further, _ in edges[target]]
    return list(found)


def reach_probability(edges: Edges, target: str, source: str) -> float:
    """Probability that an incident of `source` reaches `target`, each edge passing it on with its share.

    Factoring: settle one uncertain edge after the other, until a certain path exists or none is left.
    """
    behind = {target, *_behind(target, edges)}
    on_the_way = {name for name in behind if name == source or source in _behind(name, edges)}
    relevant = [
        (name, further, share) for name in on_the_way for further, share in edges[name] if further in on_the_way
    ]
    uncertain = [(name, further, share) for name, further, share in relevant if 0.0 < share < 1.0]
    if len(uncertain) > MOST_UNCERTAIN_EDGES:
        raise ValueError(
            f"{len(uncertain)} dependencies with shares lead from '{target}' to '{source}': at most "
            f"{MOST_UNCERTAIN_EDGES} can be counted towards availability"
        )
    certain = {(name, further) for name, further, share in relevant if share >= 1.0}
    return _factored(certain, uncertain, target, source)


def _factored(
    certain: set[tuple[str, str]], uncertain: list[tuple[str, str, float]], target: str, source: str
) -> float:
    if _connected(certain, target, source):
        return 1.0
    if not _connected(certain | {(name, further) for name, further, _ in uncertain}, target, source):
        return 0.0
    (name, further, share), *rest = uncertain
    passed = _factored(certain | {(name, further)}, rest, target, source)
    return share * passed + (1.0 - share) * _factored(certain, rest, target, source)


def _connected(edges: set[tuple[str, str]], target: str, source: str) -> bool:
    reached = {target}
    waiting = [target]
    while waiting:
        name = waiting.pop()
        for start, further in edges:
            if start == name and further not in reached:
                reached.add(further)
                waiting.append(further)
    return source in reached
