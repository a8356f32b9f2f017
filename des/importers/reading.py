"""A configuration of another program: strict YAML, its values with their places, what is wrong and what is left out."""

import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any, Final

from des.errors import Problem, ScenarioError
from des.scenario.text.document import MOST_BYTES, Document, Path, Place, path_text
from des.scenario.text.names import at, items, mapping
from des.scenario.text.units import shown
from des.scenario.text.yaml_nodes import YamlError, read_yaml

MOST_COUNTED: Final = 32_766
"""Retries that a scenario may have; other counts are far below."""
_SECRET: Final = re.compile(r"key|secret|password|token$|credential", re.IGNORECASE)
_VARIABLE: Final = re.compile(r"os\.environ/(.+)")


@dataclass(slots=True)
class Reading:
    """A configuration while it is read: `problems` keep it from being imported, `remarks` say what is left out."""

    document: Document
    problems: list[Problem] = field(default_factory=list)
    remarks: list[Problem] = field(default_factory=list)

    def remark(self, path: Path, message: str) -> None:
        self.remarks.append(self._problem(path, message))

    def problem(self, path: Path, message: str) -> None:
        self.problems.append(self._problem(path, message))

    def stop_if_wrong(self) -> None:
        """Raises ScenarioError with every problem found so far."""
        if self.problems:
            found = dict.fromkeys(self.problems)
            raise ScenarioError(sorted(found, key=lambda each: (each.line or 0, each.column or 0)))

    def value(self, path: Path) -> Any:
        """What stands at a path, from the environment if it says `os.environ/NAME`; None where there is nothing."""
        value = at(self.document.content, path)
        variable = _VARIABLE.fullmatch(value) if isinstance(value, str) else None
        if variable is None:
            return value
        found = os.environ.get(variable.group(1))
        if found is None:
            self.problem(path, f"environment variable {variable.group(1)} is not set: set it, or write its value here")
        return found

    def section(self, *path: str | int) -> dict[str, Any]:
        """A mapping at a path; what is there instead is a problem."""
        value = at(self.document.content, path)
        if value is not None and not isinstance(value, dict):
            self.problem(path, f"expected a mapping; got {shown(value)}")
        return dict(mapping(value))

    def entries(self, *path: str | int) -> list[Any]:
        """A list at a path; what is there instead is a problem."""
        value = at(self.document.content, path)
        if value is not None and not isinstance(value, list):
            self.problem(path, f"expected a list; got {shown(value)}")
        return items(value)

    def text(self, path: Path) -> str | None:
        value = self.value(path)
        if value is None or isinstance(value, str):
            return value or None
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        self.problem(path, f"expected text; got {shown(value)}")
        return None

    def flag(self, path: Path) -> bool:
        value = self.value(path)
        if isinstance(value, str) and value.lower() in ("true", "false"):
            value = value.lower() == "true"
        if value is not None and not isinstance(value, bool):
            self.problem(path, f"expected true or false; got {shown(value)}")
        return value is True

    def number(self, path: Path) -> float | None:
        """A finite number that is not negative."""
        value = self.value(path)
        if isinstance(value, str):
            try:
                value = float(value)
            except ValueError:
                self.problem(path, f"expected a number; got {shown(value)}")
                return None
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.problem(path, f"expected a number; got {shown(value)}")
        elif not math.isfinite(value) or not 0.0 <= value <= 1e15:
            self.problem(path, f"expected a number from 0 to 1e15; got {shown(value)}")
        else:
            return float(value)
        return None

    def count(self, path: Path) -> int | None:
        """A whole number from 0 to MOST_COUNTED."""
        number = self.number(path)
        if number is not None and number > MOST_COUNTED:
            self.problem(path, f"expected at most {MOST_COUNTED}; got {number:g}")
            return None
        if number is not None and not number.is_integer():
            self.problem(path, f"expected a whole number; got {number:g}")
            return None
        return None if number is None else int(number)

    def _problem(self, path: Path, message: str) -> Problem:
        place = self.document.place(path, of_key=True)
        return Problem(message, path_text(path), place.file, place.line, place.column)


def not_carried_over(key: str, value: object, reasons: Mapping[str, str], no_account: re.Pattern[str]) -> str:
    """Why a setting is left out: its own reason, or `no_account` of it, or unknown, with its value unless secret."""
    if reason := reasons.get(key):
        return f"not carried over: {reason}"
    if no_account.fullmatch(key):
        return "not carried over: nothing that is simulated depends on it"
    said = "" if _SECRET.search(key) else f" (it says {shown(value)})"
    return f"not carried over: not known to this import{said}"


def read_configuration(path: FilePath, what: str) -> Reading:
    """Reads a YAML file that must hold a mapping; `what` it should be is named in problems. Raises ScenarioError."""
    file = str(path)
    text = _text(path, file, what)
    try:
        content, keys, values = read_yaml(text)
    except YamlError as error:
        raise ScenarioError(
            [Problem(message, file=file, line=line, column=column) for message, line, column in error.faults]
        ) from None
    if not isinstance(content, dict):
        found = "is empty" if content is None else f"holds {shown(content)}"
        raise ScenarioError([Problem(f"the file {found}: {what} is a mapping with model_list", file=file)])
    return Reading(
        Document(
            content,
            file,
            path.parent,
            {at: Place(file, line, column) for at, (line, column) in keys.items()},
            {at: Place(file, line, column) for at, (line, column) in values.items()},
        )
    )


def _text(path: FilePath, file: str, what: str) -> str:
    message = ""
    try:
        with path.open("rb") as opened:
            read = opened.read(MOST_BYTES + 1)
        if len(read) <= MOST_BYTES:
            return read.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
        message = f"over {MOST_BYTES // 1_000_000} MB: this is no {what.partition(' ')[2]}"
    except FileNotFoundError:
        message = "no such file"
    except IsADirectoryError:
        message = f"this is a folder, not {what}"
    except UnicodeDecodeError as error:
        message = f"not UTF-8 text (byte {error.start})"
    except (OSError, ValueError) as error:
        message = f"cannot be read: {getattr(error, 'strerror', None) or error}"
    raise ScenarioError([Problem(message, file=file)])
