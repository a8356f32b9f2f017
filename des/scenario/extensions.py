"""Which classes of users a scenario or a plan names."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from pydantic import BaseModel

from des.scenario.authored import Scenario
from des.scenario.loading import load_scenario_content
from des.scenario.plan import Plan
from des.scenario.schema.own_classes import OwnClass, own_kinds


def uses_extensions(scenario: Scenario | Mapping[str, Any] | str | os.PathLike[str]) -> tuple[str, ...]:
    """The classes of users that a scenario names, each once and as it names them; empty where it needs none.

    `scenario` is a scenario, its content or the path of its file. Nothing is imported, so that a program that serves
    others can refuse such a scenario before it is read. Raises ScenarioError for a file that holds none.
    """
    if isinstance(scenario, Scenario):
        content: Any = scenario.loaded.document.content
    else:
        content = scenario if isinstance(scenario, Mapping) else load_scenario_content(scenario)
    return tuple(dict.fromkeys(own_kinds(content)))


def own_classes(plan: Plan) -> tuple[str, ...]:
    """The classes of users that a plan runs, sorted. Only the engine in SimPy runs them."""
    return tuple(sorted({each.kind_name() for each in _within(plan)}))


def _within(value: Any) -> Iterator[OwnClass]:
    if isinstance(value, OwnClass):
        yield value
    if isinstance(value, BaseModel):
        for each in value.__dict__.values():
            yield from _within(each)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from _within(getattr(value, field.name))
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _within(each)
    elif isinstance(value, tuple) and value and not isinstance(value[0], float):
        for each in value:
            yield from _within(each)
