"""What the tables say of a field: two values and what they need, or why it cannot act at a place."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

ABSENT: Final = object()
"""Not written."""


@dataclass(frozen=True)
class Case:
    """Two values of a field, and what they need: `beside` in the same mapping, `world` by path from the root."""

    first: Any
    second: Any
    beside: Mapping[str, Any] = field(default_factory=dict)
    world: Mapping[str, Any] = field(default_factory=dict)
    above: Mapping[str, Any] = field(default_factory=dict)
    """Instances of definitions along the way to the field."""


def case(
    first: Any,
    second: Any,
    beside: Mapping[str, Any] | None = None,
    above: Mapping[str, Any] | None = None,
    **world: Any,
) -> Case:
    paths = {path.replace("__", "."): value for path, value in world.items()}
    return Case(first, second, beside or {}, paths, above or {})


@dataclass(frozen=True)
class Refused:
    """The field cannot stand there: a part of the message."""

    message: str
    value: Any = ABSENT
    beside: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Remarked:
    """The field does nothing there, and a remark says so: a part of it."""

    message: str
    value: Any
    beside: Mapping[str, Any] = field(default_factory=dict)
    world: Mapping[str, Any] = field(default_factory=dict)


def each(definition: str, cases: Mapping[str, Case]) -> dict[str, Case]:
    return {f"{definition}.{name}": one for name, one in cases.items()}
