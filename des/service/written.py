"""Scenarios that clients write: read without any file of this machine, and held to the bounds."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from des.errors import DesError, ScenarioError
from des.scenario import Loaded, from_mapping, plans
from des.scenario.extensions import uses_extensions
from des.scenario.plan import Plan
from des.scenario.text.document import document_of
from des.scenario.text.places import path_text
from des.scenario.text.units import YEAR_S, shown
from des.service.bounds import FIXED, Bounds
from des.service.problems import Fault, ProblemError, beyond, invalid, over, pointer
from des.service.sizes import check_values, deepest

_FILES: Final = frozenset({"file", "files", "folder", "path", "paths", "directory", "module", "plugin", "extension"})
"""Keys by which a scenario names something outside itself; some are of no field, and refused all the same."""
_LONGEST_TEXT: Final = int(FIXED["text_characters"])
_TOO_DEEP: Final = "nested too deeply"
_ALIASES: Final = "aliases that multiply"
"""What the reader of YAML says, which has limits of its own."""


def read_scenario(
    said: str | Mapping[str, Any], bounds: Bounds, at: str = "/scenario"
) -> tuple[dict[str, Any], Loaded]:
    """Its content as plain data, and the loaded scenario. Raises ProblemError with every fault."""
    content = _content(said, bounds, at)
    if faults := [*_reaching_out(content, at), *_beyond_bounds(content, bounds, at)]:
        raise invalid(faults)
    if classes := uses_extensions(content):
        raise invalid([Fault(pointer=at, detail=f"the service runs no code of its clients: {', '.join(classes)}")])
    try:
        loaded = from_mapping(content)
    except ScenarioError as error:
        raise invalid([_fault(problem.path, problem.message, at) for problem in error.problems]) from None
    except RecursionError:
        raise _too_deep(bounds, at) from None
    return content, loaded


def planned(loaded: Loaded, bounds: Bounds, *, replications: int, at: str = "/scenario") -> float:
    """The number of requests to be simulated. Raises ProblemError where a bound is met or plans cannot be made."""
    try:
        made = plans(loaded)
    except DesError as error:
        raise invalid([Fault(pointer=at, detail=str(error))]) from None
    years = max(plan.horizon_s for plan in made.values()) / YEAR_S
    if years > bounds.years:
        raise over(
            "years", bounds.years, f"a horizon of at most {bounds.years} years; got {years:,.0f}", f"{at}/horizon"
        )
    requests = math.fsum(map(_requests, made.values())) * replications
    if requests > bounds.requests:
        said = f"{requests:,.0f} requests to simulate, of all arms and replications; at most {bounds.requests:,}"
        instead = 'shorten the horizon, or ask for the answer: POST /runs with {"kind": "answer"}'
        raise over("requests", bounds.requests, f"{said}: {instead}", at)
    return requests


def _requests(plan: Plan) -> float:
    expected = plan.workload.arrivals.expected_requests(plan.horizon_s)
    return plan.horizon_s if expected is None else expected  # users that wait: bounded by time and disk as well


def _too_deep(bounds: Bounds, at: str) -> ProblemError:
    return over("depth", bounds.depth, f"values nested more than {bounds.depth} deep", at)


def _content(said: str | Mapping[str, Any], bounds: Bounds, at: str) -> dict[str, Any]:
    if not isinstance(said, str):
        return dict(said)
    try:
        found = document_of(said, Path("scenario.yaml")).content
    except ScenarioError as error:
        faults = []
        for problem in error.problems:
            if problem.message.endswith(_TOO_DEEP):
                raise _too_deep(bounds, at) from None
            if _ALIASES in problem.message:
                raise over("values", bounds.values, f"at most {bounds.values:,}; aliases multiply them", at) from None
            place = "" if problem.line is None else f"line {problem.line}, column {problem.column}: "
            faults.append(Fault(pointer=at, detail=f"{place}{problem.message}"))
        raise invalid(faults) from None
    except RecursionError:
        raise _too_deep(bounds, at) from None
    if deepest(found) > bounds.depth:
        raise _too_deep(bounds, at)
    check_values(found, bounds, at)
    return found


def _reaching_out(value: Any, at: str, key: str = "") -> Iterator[Fault]:
    """Whatever names a file, a variable of the environment, or code of one's own."""
    if isinstance(value, dict):
        for name, each in value.items():
            here = f"{at}{pointer([str(name)])}"
            last = str(name).replace("]", "").replace("[", ".").split(".")[-1].lower()
            if last in _FILES:
                yield Fault(
                    pointer=here, detail=f"'{last}': the service reads no file; run the scenario with `des` itself"
                )
            elif "${" in str(name):
                yield Fault(pointer=here, detail="the service knows no variables of an environment")
            else:
                yield from _reaching_out(each, here, last)
    elif isinstance(value, list):
        for position, each in enumerate(value):
            yield from _reaching_out(each, f"{at}/{position}", key)
    elif isinstance(value, str):
        if "${" in value:
            yield Fault(pointer=at, detail="the service knows no variables of an environment")
        elif key == "kind" and ":" in value:
            yield Fault(pointer=at, detail="the service runs no code of its clients")
        elif key == "kind" and value.strip() == "replay":
            yield Fault(pointer=at, detail="the service reads no file; run the scenario with `des` itself")
        elif len(value) > _LONGEST_TEXT:
            said = f"a text of at most {_LONGEST_TEXT:,} characters; got {len(value):,}"
            yield beyond("text_characters", _LONGEST_TEXT, said, at)


def _beyond_bounds(content: Mapping[str, Any], bounds: Bounds, at: str) -> Iterator[Fault]:
    """Bounds that are told before anything is made of the content."""
    components = _many(content, "components") + sum(
        1 + _many(provider, "models") for provider in _values(content, "providers")
    )
    for name, many, where in (
        ("legs", _many(content, "chain"), "/chain"),
        ("components", components, "/providers"),
        ("arms", _many(content, "arms"), "/arms"),
    ):
        most = getattr(bounds, name) * (4 if name == "legs" else 1)
        if many > most:
            yield beyond(name, most, f"at most {most} {name}; got {many:,}", f"{at}{where}")
    replications = content.get("replications")
    if isinstance(replications, int) and replications > bounds.replications:
        said = f"at most {bounds.replications}; got {shown(replications)}"
        yield beyond("replications", bounds.replications, said, f"{at}/replications")


def _many(content: Any, name: str) -> int:
    found = content.get(name) if isinstance(content, Mapping) else None
    return len(found) if isinstance(found, dict | list) else 0


def _values(content: Mapping[str, Any], name: str) -> list[Any]:
    found = content.get(name)
    return list(found.values()) if isinstance(found, dict) else []


def _fault(path: str, message: str, at: str) -> Fault:
    """The place of a scenario, such as chain[1].provider, as a pointer."""
    parts: list[str | int] = []
    for part in path.replace("]", "").replace("[", ".").split("."):
        if part:
            parts.append(part)
    return Fault(pointer=f"{at}{pointer(parts)}", detail=f"{path}: {message}" if path else message)


def described(loaded: Loaded, requests: float) -> dict[str, Any]:
    """What POST /scenarios/validate says of a valid scenario."""
    return {
        "valid": True,
        "title": loaded.scenario.title,
        "arms": list(loaded.arms),
        "requests": requests,
        "remarks": list(loaded.remarks),
    }


__all__ = ["ProblemError", "described", "path_text", "planned", "read_scenario"]
