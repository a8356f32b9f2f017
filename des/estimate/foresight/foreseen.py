"""A fault foretold: what it is, what a run will show of it, and which field to change."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from des.scenario.text.places import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Foretold:
    """What a check yields. `path` is that of the field to change, in the arm's own scenario.

    `figures` are what a run will show, by name: shares, or calls, seconds and the like as the name says.
    """

    code: str
    path: Path
    sentence: str
    remedy: str
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """A fault foretold, at its place. `file` and `line` are where the field stands; None where it has no line."""

    code: str
    path: str
    sentence: str
    remedy: str
    figures: Mapping[str, float]
    file: str = ""
    line: int | None = None

    @property
    def place(self) -> str:
        """`file:line: path`, as messages about mistakes have it."""
        where = ":".join(str(part) for part in (self.file, self.line) if part not in ("", None))
        return f"{where}: {self.path}" if where else self.path

    def as_json(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "path": self.path,
            "file": self.file or None,
            "line": self.line,
            "sentence": self.sentence,
            "remedy": self.remedy,
            "figures": dict(self.figures),
        }
