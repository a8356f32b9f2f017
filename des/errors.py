"""Errors a user can cause, each with where it is and what to write instead."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a scenario: where, and what to write instead."""

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
    """A scenario that cannot be run, with every problem found in it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class OutputError(DesError):
    """An output directory that exists, cannot be written or has no room."""


class WriteError(OutputError):
    """Writing broke off, because the disk filled up or the like."""


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
