"""Names that must mean something: providers and models of legs, what is depended on, metrics and arms expected."""

import re
from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import Any, Final

from des.scenario.checks.sharing_references import sharing_findings
from des.scenario.schema.expectations import AS_MODELLED, EXPECTABLE, read_expectation, split_name
from des.scenario.text.document import Path, path_text
from des.scenario.text.names import (
    COMPONENT_NAME,
    bad_component_name,
    chain_legs,
    component_paths,
    dependencies,
    entry_names,
    group_names,
    is_group,
    items,
    leg_model,
    leg_names,
    mapping,
    models_of,
)
from des.scenario.text.problems import Finding
from des.words import meant, unknown

_MODEL_NAME: Final = re.compile(r"[A-Za-z0-9_@][^\s#\[\]]*")
LONGEST_ARM_NAME: Final = 64
"""It is the name of a folder too."""
_ARM_NAME: Final = re.compile(r"[a-z0-9_]+")


def reference_findings(content: Mapping[str, Any], known: Sequence[str] = ()) -> list[Finding]:
    """All names that mean nothing or two things; the content may be wrong in other ways.

    `known` are names of entries that budgets may name though the chain lacks them.
    """
    return [
        *_names(content),
        *_dependencies(content),
        *sharing_findings(content),
        *_chain(content),
        *_budgets(content, known),
        *_arms_and_expectations(content),
    ]


def _names(content: Mapping[str, Any]) -> Iterator[Finding]:
    for section in ("components", "providers"):
        for name in mapping(content.get(section)):
            if not COMPONENT_NAME.fullmatch(name):
                yield Finding((section, name), bad_component_name(name), at_key=True)
    for name in mapping(content.get("providers")):
        if name in mapping(content.get("components")):
            message = f"'{name}' is a component as well: a provider is a component of its own, so name one otherwise"
            yield Finding(("providers", name), message, at_key=True)
        for model in models_of(content, name):
            if not _MODEL_NAME.fullmatch(model):
                message = f"the name '{model}' must have neither spaces nor # [ ]"
                yield Finding(("providers", name, "models", model), message, at_key=True)


def _dependencies(content: Mapping[str, Any]) -> Iterator[Finding]:
    paths = component_paths(content)
    graph: dict[str, set[str]] = {name: set() for name in paths}
    edges: dict[tuple[str, str], Path] = {}
    for name, path in paths.items():
        if path[0] == "providers" and len(path) == 4:
            graph[name].add(str(path[1]))
        for here, wanted in dependencies(content, path):
            if wanted not in paths:
                if isinstance(content.get("components", {}), dict):
                    yield Finding(here, unknown("component", wanted, paths))
            elif (name, wanted) in edges or (len(path) == 4 and wanted == path[1]):
                yield Finding(here, f"'{name}' depends on '{wanted}' already")
            else:
                edges[name, wanted] = here
                graph[name].add(wanted)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        # Each name in the list is a dependency of the next one.
        circle = list(reversed(error.args[1]))
        steps = pairwise(circle)
        here = next((edges[step] for step in steps if step in edges), ("providers",))
        yield Finding(here, f"a circle of dependencies: {' -> '.join(circle)}")


def _chain(content: Mapping[str, Any]) -> Iterator[Finding]:
    providers = mapping(content.get("providers"))
    chain = items(content.get("chain"))
    names = leg_names(content, chain)
    first: dict[str, Path] = {}
    for (within, leg), name in zip(chain_legs(chain), names, strict=True):
        here: Path = ("chain", *within)
        provider = mapping(leg).get("provider")
        if not isinstance(provider, str):
            continue
        if provider not in providers:
            if providers:
                yield Finding((*here, "provider"), unknown("provider", provider, providers))
            continue
        models = models_of(content, provider)
        model = leg.get("model")
        if isinstance(model, str) and model not in models:
            yield Finding((*here, "model"), unknown(f"model of {provider}", model, models))
        elif model is None and leg_model(content, leg) is None and models:
            message = f"which model? {provider} has {', '.join(models)}"
            yield Finding((*here, "model"), message)
        if not name.strip():
            yield Finding((*here, "name"), "the leg's name is empty")
        if name in first:
            path = (*here, "name") if "name" in leg else here
            yield Finding(path, f"the leg's name '{name}' is that of {path_text(first[name])} already")
        first.setdefault(name, here)
    yield from _groups(content, first)


def _groups(content: Mapping[str, Any], legs: Mapping[str, Path]) -> Iterator[Finding]:
    taken: dict[str, str] = {name: f"the leg {path_text(path)}" for name, path in legs.items()}
    taken |= {name: f"the provider '{name}'" for name in mapping(content.get("providers"))}
    for position, name in enumerate(group_names(content.get("chain"))):
        here: Path = ("chain", position, "group")
        if name is None:
            continue
        if not name.strip():
            yield Finding(here, "the group's name is empty")
        elif name in taken:
            yield Finding(here, f"'{name}' is the name of {taken[name]} already")
        taken.setdefault(name, f"the group {path_text(('chain', position))}")


def _budgets(content: Mapping[str, Any], known: Sequence[str]) -> Iterator[Finding]:
    words = [*entry_names(content), *mapping(content.get("providers"))]
    limited = component_paths(content)
    for name, budget in mapping(content.get("budgets")).items():
        if not COMPONENT_NAME.fullmatch(name):
            yield Finding(("budgets", name), bad_component_name(name), at_key=True)
        elif name in limited:
            message = f"'{name}' is a component as well, whose limits have that name: name the budget otherwise"
            yield Finding(("budgets", name), message, at_key=True)
        seen: dict[str, None] = {}
        for position, word in enumerate(items(mapping(budget).get("legs"))):
            here: Path = ("budgets", name, "legs", position)
            if not isinstance(word, str):
                continue
            if word in seen:
                yield Finding(here, f"'{word}' is in the budget already")
            elif items(content.get("chain")) and word not in words and word not in known:
                yield Finding(here, unknown("leg, group or provider", word, words))
            seen[word] = None


def routing_findings(content: Mapping[str, Any]) -> Iterator[Finding]:
    """Routing where there is nothing to route, in a content as it is written: presets bring theirs anywhere."""
    chain = items(content.get("chain"))
    said = mapping(content.get("policy")).get("routing")
    if said not in (None, "ordered", {"kind": "ordered"}) and chain and not any(is_group(entry) for entry in chain):
        message = (
            "routing is among the legs of a group, and the chain has none: write chain: [{group: main, legs: [...]}], "
            "or order, which is that of the chain's entries"
        )
        yield Finding(("policy", "routing"), message)


def _arms_and_expectations(content: Mapping[str, Any]) -> Iterator[Finding]:
    arms = tuple(mapping(content.get("arms")))
    for arm in arms:
        if not _ARM_NAME.fullmatch(arm):
            message = f"the name of an arm has a-z, 0-9 and _ only; got '{arm}'"
            yield Finding(("arms", arm), message, at_key=True)
        elif len(arm) > LONGEST_ARM_NAME:
            message = f"the name of an arm has at most {LONGEST_ARM_NAME} characters; got {len(arm)}"
            yield Finding(("arms", arm), message, at_key=True)
    for name, texts in mapping(content.get("expect")).items():
        arm, metric = split_name(name, arms)
        if arm not in (arms or (AS_MODELLED,)):
            yield Finding(("expect", name), unknown("arm", arm, arms or (AS_MODELLED,)), at_key=True)
        elif metric not in EXPECTABLE:
            known = f"unknown metric '{metric}'{meant(metric, EXPECTABLE)}"
            yield Finding(("expect", name), known, at_key=True)
        else:
            yield from _values(name, texts, arms)


def _values(name: str, texts: object, arms: tuple[str, ...]) -> Iterator[Finding]:
    for position, text in enumerate(texts if isinstance(texts, list) else [texts]):
        if isinstance(text, str) and re.match(r"\s*(>=|<=|>|<)\s*\S", text):
            try:
                read_expectation(name, text, arms)
            except ValueError as error:
                yield Finding(("expect", name, position) if isinstance(texts, list) else ("expect", name), str(error))
