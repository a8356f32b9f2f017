"""Errors that a user can cause, each with its place and a remedy."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem of a scenario: its place, and what to write instead."""

    message: str
    path: str = ""
    file: str = ""
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part not in ("", None))
        return ": ".join(part for part in (place, self.path, self.message) if part)


class DesError(Exception):
    """An error that a user can cause; the command line prints it without a traceback."""


class ScenarioError(DesError):
    """A scenario that cannot be run, with all problems found in it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class OutputError(DesError):
    """An output directory that already exists, cannot be written or has no space."""


class WriteError(OutputError):
    """Writing failed half-way, for example because the disk is full."""


class RunError(DesError):
    """A run that broke an invariant: its figures must not be used."""


class _Left(str):
    """A note on an error."""


def say_what_is_left(error: BaseException, text: str) -> None:
    """Note on an error what is left of the work that it ended. Whoever catches it further out knows better."""
    error.add_note(_Left(text))


def what_is_left(error: BaseException) -> str | None:
    """What the outermost note says is left of the work that the error ended."""
    return next((str(note) for note in reversed(getattr(error, "__notes__", ())) if isinstance(note, _Left)), None)
