"""A scenario file as plain data that remembers the place of each value.

YAML is read strictly, with the core types of YAML 1.2: `1e-4` is a number; `no`, `010` and timestamps are text. Every
key is text, and duplicate keys are errors. TOML yields the same data.
"""

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, time
from pathlib import Path as FilePath
from typing import Any, Final

from des.errors import Problem, ScenarioError
from des.scenario.text.places import Mark, Path, Place
from des.scenario.text.strict_yaml import YamlError, read_yaml
from des.scenario.text.units import shown
from des.single_files import check_regular

_MOST_BYTES: Final = 4_000_000
"""Longer files are data, not scenarios."""


@dataclass(frozen=True, slots=True)
class Document:
    """The content of a scenario file, and the places of its keys and values by path."""

    content: dict[str, Any]
    file: str = ""
    folder: FilePath = field(default_factory=FilePath)
    keys: Mapping[Path, Place] = field(default_factory=dict)
    values: Mapping[Path, Place] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    """What was added to the content, for the user."""

    def place(self, path: Path, *, of_key: bool = False) -> Place:
        """The place of a value, or of its key. If it has none, the place of the nearest enclosing value."""
        if of_key and path in self.keys:
            return self.keys[path]
        for length in range(len(path), -1, -1):
            if place := self.values.get(path[:length]):
                # A value over several lines starts below its key. What is missing inside is best shown at the key.
                return self.keys.get(path[:length], place) if length < len(path) else place
        return Place(self.file)

    def with_content(self, content: dict[str, Any], places: Mapping[Path, Place]) -> "Document":
        """The same document with other content. `places` says where the new values come from."""
        return replace(self, content=content, keys={**self.keys, **places}, values={**self.values, **places})


def read_document(
    path: FilePath, what: str = "a scenario", keys: str = "horizon, workload, providers and chain"
) -> Document:
    """Reads a YAML or TOML file that holds `what`, a mapping with `keys`.

    Raises ScenarioError with the line of each problem.
    """
    return document_of(scenario_text(path, what), path, what, keys)


def document_of(
    text: str, path: FilePath, what: str = "a scenario", keys: str = "horizon, workload, providers and chain"
) -> Document:
    """The document of a text that stands in a file, or is to stand there. Raises ScenarioError as `read_document`."""
    file = str(path)
    content, keys_at, values_at = _from_toml(text, file) if path.suffix.lower() == ".toml" else _from_yaml(text, file)
    if not isinstance(content, dict):
        found = "is empty" if content is None else f"holds {shown(content)}"
        raise ScenarioError([Problem(f"the file {found}: {what} is a mapping with {keys}", file=file)])
    return Document(content, file, path.parent, keys_at, values_at)


def scenario_text(path: FilePath, what: str = "a scenario") -> str:
    """The text of a file with line ends of one character. Raises ScenarioError."""
    try:
        check_regular(path)
        with path.open("rb") as opened:
            read = opened.read(_MOST_BYTES + 1)
        if len(read) <= _MOST_BYTES:
            return read.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
        message = f"over {_MOST_BYTES // 1_000_000} MB, too large for {what}: put data in files that it names"
    except FileNotFoundError:
        message = "no such file"
    except IsADirectoryError:
        message = f"this is a folder, not {what}"
    except UnicodeDecodeError as error:
        message = f"not UTF-8 text (byte {error.start})"
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
    raise ScenarioError([Problem(message, file=str(path))])


_Places = dict[Path, Place]


def _from_yaml(text: str, file: str) -> tuple[Any, _Places, _Places]:
    try:
        content, key_marks, value_marks = read_yaml(text)
    except YamlError as error:
        raise ScenarioError(
            [Problem(message, file=file, line=line, column=column) for message, line, column in error.faults]
        ) from None
    return content, _placed(key_marks, file), _placed(value_marks, file)


def _from_toml(text: str, file: str) -> tuple[Any, _Places, _Places]:
    import tomllib

    from des.scenario.text.toml_places import toml_places

    try:
        content = plain(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        message, line, column = _toml_fault(error, text)
        raise ScenarioError([Problem(message, file=file, line=line, column=column)]) from None
    except ValueError:  # Python reads no number of thousands of digits
        longest = re.search(r"[0-9_]{4301,}", text)
        at = text.count("\n", 0, longest.start()) + 1 if longest else None
        raise ScenarioError([Problem("TOML: a number with too many digits", file=file, line=at)]) from None
    except RecursionError:
        raise ScenarioError([Problem("TOML: nested too deeply", file=file)]) from None
    key_marks, value_marks = toml_places(text)
    return content, _placed(key_marks, file), _placed(value_marks, file)


def plain(value: Any) -> Any:
    """Converts to the types read from YAML: dicts with text keys, lists, dates, times and file paths as text,
    plain numbers.
    """
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    numpy = sys.modules.get("numpy")  # no value is one of NumPy's before it is imported
    return value.item() if numpy is not None and isinstance(value, numpy.generic) else value


def _toml_fault(error: ValueError, text: str) -> tuple[str, int, int]:
    """Message, line and column. Before Python 3.14 these stand only in the text: "... (at line 3, column 5)"."""
    message, _, where = str(error).rpartition(" (at ")
    numbers = [int(digits) for digits in "".join(c if c.isdigit() else " " for c in where).split()]
    if len(numbers) == 2:
        return f"TOML: {message}", numbers[0], numbers[1]
    return f"TOML: {message or error}", text.count("\n") + 1, 1


def _placed(marks: Mapping[Path, Mark], file: str) -> _Places:
    return {path: Place(file, line, column) for path, (line, column) in marks.items()}
