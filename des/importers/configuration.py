"""A configuration of another program: its values, problems with them, and remarks on what is left out."""

import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any, Final

from des.errors import Problem, ScenarioError
from des.scenario.text.document import Document, read_document
from des.scenario.text.names import at, items, mapping
from des.scenario.text.places import Path, path_text
from des.scenario.text.units import shown

_MOST_COUNTED: Final = 32_766
"""The most retries that a scenario may have; other counts are far smaller."""
_SECRET: Final = re.compile(r"key|secret|password|token$|credential", re.IGNORECASE)
_VARIABLE: Final = re.compile(r"os\.environ/(.+)")


@dataclass(slots=True)
class Configuration:
    """Values by path. `problems` prevent the import; `remarks` list what is left out."""

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
        """The value at a path, or None. `os.environ/NAME` is replaced by the environment variable."""
        value = at(self.document.content, path)
        variable = _VARIABLE.fullmatch(value) if isinstance(value, str) else None
        if variable is None:
            return value
        found = os.environ.get(variable.group(1))
        if found is None:
            self.problem(path, f"environment variable {variable.group(1)} is not set: set it, or write its value here")
        return found

    def section(self, *path: str | int) -> dict[str, Any]:
        """The mapping at a path, empty if missing. Any other value is a problem."""
        value = at(self.document.content, path)
        if value is not None and not isinstance(value, dict):
            self.problem(path, f"expected a mapping; got {shown(value)}")
        return dict(mapping(value))

    def entries(self, *path: str | int) -> list[Any]:
        """The list at a path, empty if missing. Any other value is a problem."""
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
        """A whole number from 0 to _MOST_COUNTED."""
        number = self.number(path)
        if number is not None and number > _MOST_COUNTED:
            self.problem(path, f"expected at most {_MOST_COUNTED}; got {number:g}")
            return None
        if number is not None and not number.is_integer():
            self.problem(path, f"expected a whole number; got {number:g}")
            return None
        return None if number is None else int(number)

    def _problem(self, path: Path, message: str) -> Problem:
        place = self.document.place(path, of_key=True)
        return Problem(message, path_text(path), place.file, place.line, place.column)


def not_carried_over(key: str, value: object, reasons: Mapping[str, str], without_effect: re.Pattern[str]) -> str:
    """Why a setting is left out. The value of an unknown setting is shown unless it may be a secret."""
    if reason := reasons.get(key):
        return f"not carried over: {reason}"
    if without_effect.fullmatch(key):
        return "not carried over: it does not change what is simulated"
    said = "" if _SECRET.search(key) else f" (its value is {shown(value)})"
    return f"not carried over: unknown to this import{said}"


def read_configuration(path: FilePath, what: str, keys: str) -> Configuration:
    """Reads a file that must hold `what`, a mapping with `keys`. Raises ScenarioError."""
    return Configuration(read_document(path, what, keys))
