"""Names must exist and be unique: those of components, models, legs, groups, budgets, arms and metrics.

Names are looked up in the content and not in the typed scenario, which does not exist yet if a value is wrong
elsewhere. Wrong names and wrong values are thus reported together. Each check yields its findings and ignores values
that are not names.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import Any, Final

from des.scenario.checks.aims import aim_findings
from des.scenario.schema.expectations import (
    AS_MODELLED,
    EXPECTABLE,
    OBJECTIVE,
    read_expectation,
    split_name,
    unknown_metric,
)
from des.scenario.schema.sharing import default_cause_name
from des.scenario.text.names import (
    COMPONENT_NAME,
    Content,
    bad_component_name,
    chain_legs,
    component_paths,
    dependencies,
    entries,
    entry_names,
    group_names,
    items,
    leg_model,
    leg_names,
    mapping,
    models_of,
)
from des.scenario.text.places import Path, path_text
from des.scenario.text.problems import Finding
from des.words import unknown

_MODEL_NAME: Final = re.compile(r"[A-Za-z0-9_@][^\s#\[\]]*")
_LONGEST_ARM_NAME: Final = 64
"""An arm's name is also part of file names."""
_ARM_NAME: Final = re.compile(r"[a-z0-9_]+")


def name_findings(content: Content, known: Sequence[str] = ()) -> list[Finding]:
    """All names that are unknown or ambiguous. The content may be wrong in other ways.

    `known` are names of entries that budgets may use although the chain lacks them.
    """
    found = [finding for check in _CHECKS for finding in check(content)]
    return [*found, *_budgets(content, known), *aim_findings(content, known)]


def _names(content: Content) -> Iterator[Finding]:
    for section in ("components", "providers"):
        for name in mapping(content.get(section)):
            if not COMPONENT_NAME.fullmatch(name):
                yield Finding((section, name), bad_component_name(name), at_key=True)
    for name in mapping(content.get("providers")):
        if name in mapping(content.get("components")):
            message = f"'{name}' is also the name of a component, and a provider is a component too: rename one"
            yield Finding(("providers", name), message, at_key=True)
        for model in models_of(content, name):
            if not _MODEL_NAME.fullmatch(model):
                message = f"the name '{model}' must not contain spaces or # [ ]"
                yield Finding(("providers", name, "models", model), message, at_key=True)


def _dependencies(content: Content) -> Iterator[Finding]:
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
                yield Finding(here, f"'{name}' already depends on '{wanted}'")
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


def _chain(content: Content) -> Iterator[Finding]:
    providers = mapping(content.get("providers"))
    chain = items(content.get("chain"))
    names = leg_names(content, chain)
    first: dict[str, Path] = {}
    for (within, leg), name in zip(chain_legs(chain), names, strict=True):
        here: Path = ("chain", *within)
        provider = _provider_of(leg)
        if provider is None:
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
            yield Finding(path, f"the leg's name '{name}' is already that of {path_text(first[name])}")
        first.setdefault(name, here)


def _provider_of(leg: object) -> str | None:
    provider = mapping(leg).get("provider")
    return provider if isinstance(provider, str) else None


def _groups(content: Content) -> Iterator[Finding]:
    chain = items(content.get("chain"))
    taken: dict[str, str] = {}
    for (within, leg), leg_name in zip(chain_legs(chain), leg_names(content, chain), strict=True):
        if _provider_of(leg) in mapping(content.get("providers")):
            taken.setdefault(leg_name, f"the leg {path_text(('chain', *within))}")
    taken |= {name: f"the provider '{name}'" for name in mapping(content.get("providers"))}
    for position, name in enumerate(group_names(content.get("chain"))):
        here: Path = ("chain", position, "group")
        if name is None:
            continue
        if not name.strip():
            yield Finding(here, "the group's name is empty")
        elif name in taken:
            yield Finding(here, f"'{name}' is already the name of {taken[name]}")
        taken.setdefault(name, f"the group {path_text(('chain', position))}")


def _budgets(content: Content, known: Sequence[str]) -> Iterator[Finding]:
    words = [*entry_names(content), *mapping(content.get("providers"))]
    limited = component_paths(content)
    for name, budget in mapping(content.get("budgets")).items():
        if not COMPONENT_NAME.fullmatch(name):
            yield Finding(("budgets", name), bad_component_name(name), at_key=True)
        elif name in limited:
            message = f"'{name}' is also a component, whose limits have that name: rename the budget"
            yield Finding(("budgets", name), message, at_key=True)
        seen: dict[str, None] = {}
        for position, word in enumerate(items(mapping(budget).get("legs"))):
            here: Path = ("budgets", name, "legs", position)
            if not isinstance(word, str):
                continue
            if word in seen:
                yield Finding(here, f"'{word}' is already in the budget")
            elif items(content.get("chain")) and word not in words and word not in known:
                yield Finding(here, unknown("leg, group or provider", word, words))
            seen[word] = None


def _sharing(content: Content) -> Iterator[Finding]:
    """Names in common causes and surges. The sections in which they are looked up must be mappings."""
    if all(isinstance(content.get(section, {}), dict) for section in ("components", "providers")):
        yield from _cause_names(content)
        yield from _members(content)
        yield from _surges(content)


def _cause_names(content: Content) -> Iterator[Finding]:
    taken = {name: f"a {_kind(path)}" for name, path in component_paths(content).items()}
    for position, (path, cause) in enumerate(entries(content, "common_cause")):
        given = cause.get("name")
        name = given if isinstance(given, str) else default_cause_name(position)
        if isinstance(given, str) and not COMPONENT_NAME.fullmatch(given):
            yield Finding((*path, "name"), bad_component_name(given))
        elif name in taken:
            remedy = "" if isinstance(given, str) else ": give this one a name"
            here: Path = (*path, "name") if isinstance(given, str) else path
            yield Finding(here, f"'{name}' is already {taken[name]}{remedy}")
        taken.setdefault(name, "a common cause")


def _kind(path: Path) -> str:
    return "component" if path[0] == "components" else "provider" if len(path) == 2 else "model"


def _members(content: Content) -> Iterator[Finding]:
    known = component_paths(content)
    seen: dict[frozenset[str], Path] = {}
    for path, cause in entries(content, "common_cause"):
        members: dict[str, int] = {}
        found = []
        for position, name in _texts(cause.get("members")):
            here = (*path, "members", position)
            if name not in known:
                found.append(Finding(here, unknown("component, provider or model", name, known)))
            elif name in members:
                found.append(Finding(here, f"'{name}' is already a member"))
            members.setdefault(name, position)
        yield from found
        if found or len(members) < 2:
            continue
        yield from _behind_each_other(content, members, (*path, "members"))
        if frozenset(members) in seen:
            message = "has the same members as another common cause: write one, with the sum of the fractions"
            yield Finding((*path, "members"), message)
        seen.setdefault(frozenset(members), path)


def _behind_each_other(content: Content, members: Mapping[str, int], path: Path) -> Iterator[Finding]:
    for name, position in members.items():
        for other in _behind(content, name):
            if other in members:
                message = f"'{name}' depends on '{other}', another member, and so already has its outages"
                yield Finding((*path, position), message)
                break


def _behind(content: Content, name: str) -> list[str]:
    """Everything that a component depends on, directly or not, without itself."""
    known = component_paths(content)
    found: dict[str, None] = {}
    waiting = [name]
    while waiting:
        path = known.get(waiting.pop(0), ())
        needed = [wanted for _, wanted in dependencies(content, path)]
        if len(path) == 4:
            needed.append(str(path[1]))
        waiting += [wanted for wanted in needed if wanted not in found]
        found |= dict.fromkeys(needed)
    found.pop(name, None)
    return list(found)


def _surges(content: Content) -> Iterator[Finding]:
    seen: list[tuple[frozenset[str], frozenset[str]]] = []
    for path, surge in entries(content, "surge"):
        found: list[Finding] = []
        when = _endpoints(content, surge.get("when"), (*path, "when"), {}, found)
        to = _endpoints(content, surge.get("to"), (*path, "to"), when, found)
        yield from found
        if found or not when or not to:
            continue
        if any(frozenset(when) == others and frozenset(to) & targets for others, targets in seen):
            yield Finding((*path, "to"), "a surge with the same when and to is already listed above")
        seen.append((frozenset(when), frozenset(to)))


def _endpoints(
    content: Content, names: object, path: Path, others: Mapping[str, str], found: list[Finding]
) -> dict[str, str]:
    """The endpoints that names mean, each with the name that meant it; `others` are those of `when`."""
    known = component_paths(content)
    offered = [name for name in known if known[name][0] == "providers"]
    endpoints: dict[str, str] = {}
    for position, name in _texts([names] if isinstance(names, str) else names):
        here = (*path, position) if isinstance(names, list) else path
        if name not in offered:
            found.append(Finding(here, _no_endpoint(name, known, offered)))
            continue
        meant = [name] if len(known[name]) == 4 else [f"{name}/{model}" for model in models_of(content, name)]
        for endpoint in meant:
            if endpoint in others:
                message = f"'{name}' is itself down (when): the load must move to another provider or model"
                found.append(Finding(here, message))
                break
            if endpoint in endpoints:
                found.append(Finding(here, f"'{name}' is already included in '{endpoints[endpoint]}'"))
                break
        endpoints |= {endpoint: name for endpoint in meant if endpoint not in endpoints}
    return endpoints


def _no_endpoint(name: str, known: Mapping[str, Path], offered: Sequence[str]) -> str:
    if name in known:
        return f"'{name}' is a component: a surge goes from providers or models to others"
    return unknown("provider or model", name, offered)


def _texts(value: Any) -> Iterator[tuple[int, str]]:
    return ((position, each) for position, each in enumerate(items(value)) if isinstance(each, str))


def _arms(content: Content) -> Iterator[Finding]:
    for arm in mapping(content.get("arms")):
        if not _ARM_NAME.fullmatch(arm):
            message = f"the name of an arm may contain only a-z, 0-9 and _; got '{arm}'"
            yield Finding(("arms", arm), message, at_key=True)
        elif len(arm) > _LONGEST_ARM_NAME:
            message = f"the name of an arm may have at most {_LONGEST_ARM_NAME} characters; got {len(arm)}"
            yield Finding(("arms", arm), message, at_key=True)


def _expectations(content: Content) -> Iterator[Finding]:
    arms = tuple(mapping(content.get("arms")))
    for name, texts in mapping(content.get("expect")).items():
        arm, metric = split_name(name, arms)
        if arm not in (arms or (AS_MODELLED,)):
            yield Finding(("expect", name), unknown("arm", arm, arms or (AS_MODELLED,)), at_key=True)
        elif name in arms and isinstance(texts, dict):
            pass  # is told to be no comparison
        elif metric not in EXPECTABLE:
            yield Finding(("expect", name), unknown_metric(metric), at_key=True)
        elif metric == OBJECTIVE and not content.get("objective"):
            without = "there is no objective to meet: write objective: {availability: 99.95%, per: month}"
            yield Finding(("expect", name), without, at_key=True)
        else:
            yield from _values(name, texts, arms)


def _values(name: str, texts: object, arms: tuple[str, ...]) -> Iterator[Finding]:
    for position, text in enumerate(texts if isinstance(texts, list) else [texts]):
        if isinstance(text, str) and re.match(r"\s*(>=|<=|>|<)\s*\S", text):
            try:
                read_expectation(name, text, arms)
            except ValueError as error:
                yield Finding(("expect", name, position) if isinstance(texts, list) else ("expect", name), str(error))


_CHECKS: Final[tuple[Callable[[Content], Iterator[Finding]], ...]] = (
    _names,
    _dependencies,
    _sharing,
    _chain,
    _groups,
    _arms,
    _expectations,
)
