"""Names in common causes and surges that mean nothing, or the same thing twice."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from des.scenario.schema.sharing import default_cause_name
from des.scenario.text.document import Path
from des.scenario.text.names import (
    COMPONENT_NAME,
    Content,
    bad_component_name,
    component_paths,
    dependencies,
    entries,
    items,
    models_of,
)
from des.scenario.text.problems import Finding
from des.words import unknown


def sharing_findings(content: Content) -> Iterator[Finding]:
    """What is wrong with the names in `common_cause` and `surge`."""
    if not all(isinstance(content.get(section, {}), dict) for section in ("components", "providers")):
        return
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
            yield Finding(here, f"'{name}' is {taken[name]} already{remedy}")
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
                found.append(Finding(here, f"'{name}' is a member already"))
            members.setdefault(name, position)
        yield from found
        if found or len(members) < 2:
            continue
        yield from _behind_each_other(content, members, (*path, "members"))
        if frozenset(members) in seen:
            message = "has the members of another common cause: write one, with the sum of the fractions"
            yield Finding((*path, "members"), message)
        seen.setdefault(frozenset(members), path)


def _behind_each_other(content: Content, members: Mapping[str, int], path: Path) -> Iterator[Finding]:
    for name, position in members.items():
        for other in _behind(content, name):
            if other in members:
                message = f"'{name}' depends on '{other}', another member, and so has all of its outages already"
                yield Finding((*path, position), message)
                break


def _behind(content: Content, name: str) -> list[str]:
    """All that something depends on, directly or not, itself left out."""
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
            yield Finding((*path, "to"), "a surge while the same is down, to the same, stands above already")
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
                message = f"'{name}' is what is down (when): the crowd turns to somebody else"
                found.append(Finding(here, message))
                break
            if endpoint in endpoints:
                found.append(Finding(here, f"'{name}' is named already, by '{endpoints[endpoint]}'"))
                break
        endpoints |= {endpoint: name for endpoint in meant if endpoint not in endpoints}
    return endpoints


def _no_endpoint(name: str, known: Mapping[str, Path], offered: Sequence[str]) -> str:
    if name in known:
        return f"'{name}' is a component: a surge goes from providers or models to others"
    return unknown("provider or model", name, offered)


def _texts(value: Any) -> Iterator[tuple[int, str]]:
    return ((position, each) for position, each in enumerate(items(value)) if isinstance(each, str))
