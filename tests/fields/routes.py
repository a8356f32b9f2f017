"""Every place in which a field of the schema can stand, and a scenario with a value there."""

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from des.scenario import json_schema

SCHEMA = json_schema()
DEFINITIONS: dict[str, Any] = {"Scenario": SCHEMA, **SCHEMA["$defs"]}
OWN = "OwnClass"  # a class of a user, whose fields are its own
DISTRIBUTION = re.compile(r"(Constant|Uniform|Exponential|Lognormal|Gamma|Weibull|Pareto|Mixture|Empirical)")
"""Distributions are values here; tests/scenario/test_distributions.py has their parameters."""

NAMES = {"components": "cloud", "providers": "a", "models": "m", "effects": "major", "budgets": "own"}
"""The name under which a place in a mapping of names is filled."""


@dataclass(frozen=True)
class Step:
    """From a definition by one of its fields to the definition of its value; `inside` is `[]` or `.*` in containers."""

    field: str
    inside: str
    to: str


@dataclass(frozen=True)
class Route:
    """A way from the root to a definition."""

    steps: tuple[Step, ...]

    @property
    def definition(self) -> str:
        return self.steps[-1].to if self.steps else "Scenario"

    @property
    def definitions(self) -> tuple[str, ...]:
        return tuple(step.to for step in self.steps)

    def is_at(self, place: str) -> bool:
        """Whether it leads to or through a place, written with or without definitions."""
        plain = ".".join(step.field for step in self.steps)
        return any(f".{way}".find(f".{place}") >= 0 for way in (str(self), plain))

    def __str__(self) -> str:
        """`chain[]<Leg>.breaker<ConsecutiveBreaker>`."""
        return ".".join(f"{step.field}{step.inside.removeprefix('.')}<{step.to}>" for step in self.steps) or "root"


def routes(definition: str = "Scenario", steps: tuple[Step, ...] = ()) -> Iterator[Route]:
    """Every route, shortest first within each branch."""
    yield Route(steps)
    for field, node in DEFINITIONS[definition]["properties"].items():
        ways = dict.fromkeys(_referred(node))
        for name, inside in ways:
            is_list_of_one = not inside and (name, "[]") in ways  # which may lack its list
            if name != OWN and not DISTRIBUTION.match(name) and not is_list_of_one:
                yield from routes(name, (*steps, Step(field, inside, name)))


def _referred(node: Any, inside: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(node, list):
        for each in node:
            yield from _referred(each, inside)
    elif isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"].rpartition("/")[2], inside
        for key, each in node.items():
            yield from _referred(each, {"items": "[]", "additionalProperties": ".*"}.get(key, inside))


def fields_of(definition: str) -> list[str]:
    """The fields of a definition; its kind only where there is a choice of kinds."""
    properties = DEFINITIONS[definition]["properties"]
    return [name for name, node in properties.items() if "const" not in node]


def filled(
    base: Mapping[str, Any], route: Route, instances: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """A copy of a scenario with an instance of each definition along the route, and the last of them in it."""
    content = copy.deepcopy(dict(base))
    here: Any = content
    for step in route.steps:
        instance = copy.deepcopy(instances.get(step.to, {}))
        within: Any = here.get(step.field)
        if step.inside == "[]":
            within = within if isinstance(within, list) else []
            if not (within and _is_one(within[0], step.to)):
                within = [instance]
            here[step.field] = within
            here = within[0]
        elif step.inside == ".*":
            within = here.setdefault(step.field, {})
            here = within.setdefault(NAMES[step.field], instance)
        else:
            if not (isinstance(within, dict) and _is_one(within, step.to)):
                within = instance
            here[step.field] = within
            here = within
    return content, here


def _is_one(value: Any, definition: str) -> bool:
    """Whether a mapping of the base is already one of the definition."""
    if not isinstance(value, dict):
        return False
    kind = DEFINITIONS[definition]["properties"].get("kind", {}).get("const")
    if kind is not None:
        return value.get("kind") == kind
    return value.keys() <= DEFINITIONS[definition]["properties"].keys()
