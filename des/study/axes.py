"""The axes of a sweep: which paths of a scenario take which values."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from des.errors import DesError

_BRACKETS: Final = {"[": "]", "{": "}", "(": ")"}


def parse_axes(over: Mapping[str, Sequence[Any]] | Sequence[str]) -> dict[str, list[str]]:
    """Each path with its values as `--set` would take them, of a mapping or of texts such as `policy.rounds=1,2,3`.

    Raises DesError for a text without path or values, and for a path given twice.
    """
    if isinstance(over, Mapping):
        pairs = [(path, [_written(value) for value in values]) for path, values in over.items()]
    else:
        pairs = [_pair(text) for text in ([over] if isinstance(over, str) else over)]
    if not pairs:
        raise DesError("nothing to sweep over: name a path and its values, such as --over policy.rounds=1,2,3")
    axes: dict[str, list[str]] = {}
    for path, values in pairs:
        if path in axes:
            raise DesError(f"--over {path}: given twice; write all its values at once")
        if not values or "" in values:
            raise DesError(f"--over {path}: expected values apart from one another by commas, such as 1,2,3")
        axes[path] = list(dict.fromkeys(values))
    return axes


def _pair(text: str) -> tuple[str, list[str]]:
    path, equals, values = text.partition("=")
    if not equals or not path.strip():
        raise DesError(f"--over {text}: expected path=value,value, such as policy.rounds=1,2,3")
    return path.strip(), _split(values)


def _split(text: str) -> list[str]:
    """At commas outside brackets and quotes."""
    parts, closers, quote = [""], [], ""
    for letter in text:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        elif letter in _BRACKETS:
            closers.append(_BRACKETS[letter])
        elif closers and letter == closers[-1]:
            closers.pop()
        elif letter == "," and not closers:
            parts.append("")
            continue
        parts[-1] += letter
    return [part.strip() for part in parts]


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
