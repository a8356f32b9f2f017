"""Settings of the world that do nothing in a scenario: what serves, what fails, what is sent, and what is shared.

The client's own are in `idle.py`, which also says what counts as written.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from des.distributions import Distribution
from des.scenario.files import components_of
from des.scenario.schema.incidents import Effect, IncidentFile, Schedule
from des.scenario.schema.limits import Limits
from des.scenario.schema.providers import ComponentSpec, Model
from des.scenario.schema.scenario import Scenario
from des.scenario.schema.workload import ArrivalFile
from des.scenario.text.places import Path
from des.scenario.text.problems import Finding

Remarks = Iterator[Finding]

_OF_ERRORS: Final = ("outcome", "status", "error_latency", "retry_after", "kills_in_flight")
"""Fields of an effect that only its failing calls have."""
_NO_TOKENS: Final = {
    name: f"requests have no {name} tokens: write workload: tokens: {{{name}: 1000}}, for example"
    for name in ("input", "output")
}


def _service(scenario: Scenario) -> Remarks:
    """Settings of a provider that each of its models replaces by its own."""
    for name, provider in scenario.providers.items():
        for field in ("latency", "errors", "billing"):
            if all(getattr(model, field) is not None for model in provider.models.values()):
                yield Finding(("providers", name, field), "each model has its own")
    if all(model.billing is not None for _, _, model in _models(scenario)):
        yield Finding(("policy", "billing"), "each model has its own")


def _models(scenario: Scenario) -> Iterator[tuple[str, Path, Model]]:
    """(name of its provider, path, spec) of each model."""
    for name, provider in scenario.providers.items():
        for model_name, model in provider.models.items():
            yield name, ("providers", name, "models", model_name), model


def _endpoints(scenario: Scenario) -> dict[str, None]:
    """The names of the models that the chain calls, and of those that a surge is about."""
    found: dict[str, None] = {}
    for placed in scenario.legs:
        models = scenario.providers[placed.spec.provider].models
        found[f"{placed.spec.provider}/{placed.spec.model or next(iter(models))}"] = None
    for surge in scenario.surge:
        for name in (*surge.when, *surge.to):
            provider, _, model = name.partition("/")
            models = scenario.providers[provider].models if provider in scenario.providers else {}
            found |= dict.fromkeys([name] if model else [f"{provider}/{each}" for each in models])
    return found


def _reached_from(scenario: Scenario) -> dict[str, set[str]]:
    """Of each component, provider and model, all of whose incidents reach it, itself included."""
    specs = {name: component for name, _, component in components_of(scenario)}
    found: dict[str, set[str]] = {}

    def reach(name: str) -> set[str]:
        if name not in found:
            found[name] = {name}
            provider, _, model = name.partition("/")
            above = [each.component for each in specs[name].depends_on] + ([provider] if model else [])
            found[name] = {name}.union(*(reach(each) for each in above))
        return found[name]

    for name in specs:
        reach(name)
    return found


def _fails(component: ComponentSpec) -> bool:
    """Whether it has incidents, by whichever account of them."""
    return bool(component.incidents) or component.availability is not None or component.mttf_s is not None


def _sharing(scenario: Scenario) -> Remarks:
    """`shared` where no incident hits two endpoints, components that reach nothing, and surges that never come."""
    specs = {name: component for name, _, component in components_of(scenario)}
    above = _reached_from(scenario)
    failing = {name for name, component in specs.items() if _fails(component)}
    endpoints = _endpoints(scenario)
    counts: dict[str, int] = {}
    for endpoint in endpoints:
        for name in above.get(endpoint, set()) & failing:
            counts[name] = counts.get(name, 0) + 1
    if scenario.shared < 1.0 and not scenario.common_cause and max(counts.values(), default=0) < 2:
        message = "no incident hits two endpoints of the chain: write depends_on or common_cause, for example"
        yield Finding(("shared",), message)
    members = {member for cause in scenario.common_cause for member in cause.members}
    used = members.union(*(above[name] for name in above if name not in scenario.components))
    for name in scenario.components:
        if name not in used and not any(name in above[member] for member in members & above.keys()):
            yield Finding(("components", name), "no provider or model depends on it: write depends_on, for example")
        elif not above[name] & (failing | members):
            yield Finding(("components", name), "it has no incidents")
    for position, surge in enumerate(scenario.surge):
        calm = [each for each in surge.when if not _is_reached(each, above, failing | members)]
        if calm:
            message = f"no incident reaches {', '.join(calm)}, so it is never down"
            yield Finding(("surge", position), message)


def _is_reached(name: str, above: Mapping[str, set[str]], failing: set[str]) -> bool:
    """Whether an incident reaches a provider or a model, or a model of the provider."""
    own = [each for each in above if each == name or each.startswith(f"{name}/")]
    return any(above[each] & failing for each in own)


def _start_state(scenario: Scenario) -> Remarks:
    if scenario.start_state == "equilibrium" or scenario.common_cause:
        return
    components = [component for _, _, component in components_of(scenario)]
    random = (each for component in components for each in component.incidents)
    drawn = any(not isinstance(each, Schedule | IncidentFile) for each in random)
    if not drawn and all(each.availability is None and each.mttf_s is None for each in components):
        yield Finding(("start_state",), "no incident comes at random")


def _tags(scenario: Scenario) -> Remarks:
    """Tags that no requirement of the workload asks for."""
    required = {key for requirement in scenario.workload.requirements for key in requirement.tags}
    places: list[tuple[Path, Mapping[str, str]]] = [(placed.path, placed.spec.tags) for placed in scenario.legs]
    places += [(("providers", name), provider.tags) for name, provider in scenario.providers.items()]
    places += [(path, model.tags) for _, path, model in _models(scenario)]
    for path, tags in places:
        if tags and not required:
            message = "no request requires a tag: write workload: requirements: [{share: 20%, tags: ...}], for example"
            yield Finding((*path, "tags"), message)
        else:
            for key in tags.keys() - required:
                yield Finding((*path, "tags", key), "no requirement of the workload asks for it")


def _tokens(scenario: Scenario) -> Remarks:
    """Prices, limits and speeds of tokens that requests do not have."""
    without = [name for name in ("input", "output") if _has_none(scenario, name)]
    for name in without:
        for _, path, model in _models(scenario):
            fields = ("input", "cached_input", "cache_write") if name == "input" else ("output",)
            for field in fields if model.price is not None else ():
                yield Finding((*path, "price", f"{field}_per_mtok"), _NO_TOKENS[name])
        for path, _ in _limits(scenario):
            yield Finding((*path, f"{name}_tokens"), _NO_TOKENS[name])
    if "output" in without:
        speeds = [("providers", name) for name in scenario.providers]
        for path in (*speeds, *(path for _, path, _ in _models(scenario))):
            yield Finding((*path, "latency", "tokens_per_second"), _NO_TOKENS["output"])
    if len(without) == 2:
        for path, _ in _limits(scenario):
            yield Finding((*path, "tokens"), _NO_TOKENS["input"])
    if "input" in without:
        for placed in scenario.legs:
            yield Finding((*placed.path, "prompt_cache"), _NO_TOKENS["input"])


def _has_none(scenario: Scenario, name: str) -> bool:
    arrivals = scenario.workload.arrivals
    if isinstance(arrivals, ArrivalFile) and (
        arrivals.columns is None or getattr(arrivals.columns, f"{name}_tokens") is not None
    ):
        return False
    tokens: Distribution = getattr(scenario.workload.tokens, name)
    return tokens.mean == 0.0


def _limits(scenario: Scenario) -> Iterator[tuple[Path, Limits]]:
    """Every limit of a provider, of a model and of the client."""
    of_providers = [(("providers", name), provider.limits) for name, provider in scenario.providers.items()]
    for above, limits in (*of_providers, *((path, model.limits) for _, path, model in _models(scenario))):
        for position, each in enumerate(limits or ()):
            yield (*above, "limits", position), each
    for name, budget in scenario.budgets.items():
        yield ("budgets", name), budget


def _prompt_caches(scenario: Scenario) -> Remarks:
    """What is about cached input, where no leg has a prompt cache, and caches of which nothing is about."""
    cached = {placed.spec.provider for placed in scenario.legs if placed.spec.prompt_cache is not None}
    message = "no leg that calls it has a prompt_cache: write prompt_cache: {share: 80%, ttl: 5min}, for example"
    for provider, path, _ in _models(scenario):
        if provider not in cached:
            for field in ("cached_input_per_mtok", "cache_write_per_mtok"):
                yield Finding((*path, "price", field), message)
    for path, limit in _limits(scenario):
        of_provider = path[0] == "providers" and path[1] not in cached
        if not limit.counts_cached and (of_provider or not cached):
            yield Finding((*path, "counts_cached"), "no leg that it is about has a prompt_cache")


def _effects(scenario: Scenario) -> Remarks:
    """What failing calls look like, where no call fails."""
    for _, path, component in components_of(scenario):
        for position, incident in enumerate(component.incidents):
            here: Path = (*path, "incidents", position)
            if not isinstance(incident, IncidentFile):
                yield from _effect(incident, here)
                continue
            for severity, effect in incident.effects.items():
                yield from _effect(effect, (*here, "effects", severity))
            if not incident.effects:
                message = "no effect depends on it: write effects: {major: {error_rate: 50%}}, for example"
                yield Finding((*here, "columns", "severity"), message)
        if component.effect is not None:
            yield from _effect(component.effect, (*path, "effect"))


def _effect(effect: Effect, path: Path) -> Remarks:
    if effect.error_rate == 0.0 or effect.hang == 1.0:
        message = "no call fails (error_rate is 0)" if effect.error_rate == 0.0 else "every call hangs"
        for field in _OF_ERRORS:
            if field != "kills_in_flight" or effect.error_rate == 0.0:
                yield Finding((*path, field), message)


def _units(scenario: Scenario) -> Remarks:
    if not any(model.price is None or model.price.per_unit for _, _, model in _models(scenario)):
        yield Finding(("workload", "units"), "no price is per_unit")


CHECKS: Final[tuple[Callable[[Scenario], Remarks], ...]] = (
    _service,
    _sharing,
    _start_state,
    _tags,
    _tokens,
    _prompt_caches,
    _effects,
    _units,
)
