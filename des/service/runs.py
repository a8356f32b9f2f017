"""Runs on disk: what was asked, how far it is, and its events. They survive the service."""

import json
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from des.disk import removed
from des.errors import DesError
from des.service.run_job import ASKED, REPORT, RESULT
from des.single_files import write_over
from des.study.identity import json_text

QUEUED: Final = "queued"
RUNNING: Final = "running"
DONE: Final = "done"
FAILED: Final = "failed"
CANCELLED: Final = "cancelled"
ENDS: Final = frozenset({DONE, FAILED, CANCELLED})
TABLES: Final = ("requests", "attempts", "incidents", "transitions")
_STATUS: Final = "status.json"
_EVENTS: Final = "events.jsonl"
_REMOVED: Final = ".removed-"
_MOST_EVENTS: Final = 4_000
"""Kept of a run; progress beyond is only its state."""


class Links(BaseModel):
    """Where the parts of a run are; those that it does not have are null."""

    model_config = ConfigDict(frozen=True)

    self: str
    events: str
    report: str | None = None
    summary: str | None = None
    traces: dict[str, str] = Field(default_factory=dict)


class RunState(BaseModel):
    """A run as clients see it."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(examples=["0123456789abcdef01234567"])
    kind: str
    title: str
    status: str = Field(description="queued, running, done, failed or cancelled")
    progress: float = Field(ge=0, le=1)
    step: str
    error: str
    created_at: str
    expires_at: str | None
    links: Links


@dataclass(slots=True)
class Event:
    """One of a run's events, counted from 1."""

    number: int
    name: str
    data: Mapping[str, Any]


@dataclass(slots=True)
class Run:
    """A run. `status`, `progress`, `step` and `error` are its state, which `save` writes."""

    key: str
    directory: Path
    kind: str
    title: str
    created_s: float
    status: str = QUEUED
    progress: float = 0.0
    step: str = ""
    error: str = ""
    finished_s: float | None = None
    events: list[Event] = field(default_factory=list)

    def save(self) -> None:
        """Raises WriteError on a full disk."""
        state = {name: getattr(self, name) for name in ("status", "progress", "step", "error", "finished_s")}
        write_over(self.directory / _STATUS, json_text(state))

    def tell(self, name: str, data: Mapping[str, Any]) -> Event:
        """Add an event, on disk as well. A full disk loses its line only."""
        event = Event(self.events[-1].number + 1 if self.events else 1, name, data)
        self.events.append(event)
        if len(self.events) > _MOST_EVENTS:
            del self.events[1 : len(self.events) - _MOST_EVENTS + 1]
        line = json.dumps({"id": event.number, "event": name, "data": data}, ensure_ascii=False)
        with suppress(OSError), (self.directory / _EVENTS).open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")
        return event

    def state(self, kept_s: float) -> RunState:
        """What clients see."""
        here = f"/runs/{self.key}"
        links = Links(self=here, events=f"{here}/events")
        if self.status == DONE:
            links = Links(
                self=here,
                events=f"{here}/events",
                report=f"{here}/report" if self.report.is_file() else None,
                summary=f"{here}/summary",
                traces={table: f"{here}/traces/{table}" for table in TABLES if (self.result / table).is_dir()},
            )
        expires = None if self.finished_s is None else _iso(self.finished_s + kept_s)
        return RunState(
            id=self.key,
            kind=self.kind,
            title=self.title,
            status=self.status,
            progress=self.progress,
            step=self.step,
            error=self.error,
            created_at=_iso(self.created_s),
            expires_at=expires,
            links=links,
        )

    @property
    def result(self) -> Path:
        return self.directory / RESULT

    @property
    def report(self) -> Path:
        return self.directory / REPORT

    @property
    def summary(self) -> Path:
        """summary.json of a run, answer.json of an answer."""
        return self.result / ("answer.json" if self.kind == "answer" else "summary.json")


class RunStore:
    """The runs in a folder, by address."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for leftover in folder.glob(f"{_REMOVED}*"):
            removed(leftover)
        self.runs: dict[str, Run] = {}
        for run in sorted(self._found(), key=lambda run: (run.created_s, run.key)):
            self.runs[run.key] = run

    def add(self, key: str, asked: Mapping[str, Any], title: str) -> Run:
        """A new run, on disk before it is told to anybody. Raises WriteError where there is no room."""
        directory = self.folder / key
        if directory.exists():
            removed(directory)
        directory.mkdir()
        run = Run(key, directory, str(asked["kind"]), title, time.time())
        try:
            write_over(directory / ASKED, json_text({**asked, "title": title, "created_s": run.created_s}))
            run.save()
        except BaseException:
            removed(directory)
            raise
        self.runs[key] = run
        return run

    def remove(self, run: Run) -> None:
        """Forget a run, with all that is of it on disk; another client may be removing it at the same time."""
        self.clear(self.forget(run))

    def forget(self, run: Run) -> Path:
        """Make room for another run of the same request at once. What is on disk of this one is where this says."""
        if self.runs.get(run.key) is not run:
            return run.directory
        del self.runs[run.key]
        aside = self.folder / f"{_REMOVED}{run.key}-{secrets.token_hex(3)}"
        with suppress(OSError):
            run.directory = run.directory.rename(aside)
        return run.directory

    def clear(self, directory: Path) -> None:
        """Remove what is on disk of a run that was forgotten."""
        if directory.name.startswith(_REMOVED):
            with suppress(OSError, DesError):
                removed(directory)

    def bytes(self) -> int:
        """Of all runs."""
        return sum(size_of(run.directory) for run in self.runs.values())

    def oldest_finished(self) -> Run | None:
        """The first to go where there is too little room."""
        ended = [run for run in self.runs.values() if run.finished_s is not None]
        return min(ended, key=lambda run: (run.finished_s or 0.0, run.key), default=None)

    def _found(self) -> Iterator[Run]:
        for directory in self.folder.iterdir():
            if not directory.is_dir() or directory.name.startswith("."):
                continue
            try:
                asked = json.loads((directory / ASKED).read_text(encoding="utf-8"))
                run = Run(directory.name, directory, asked["kind"], asked["title"], float(asked["created_s"]))
                state = json.loads((directory / _STATUS).read_text(encoding="utf-8"))
                for name, value in state.items():
                    setattr(run, name, value)
                run.events = list(_events(directory / _EVENTS))
            except (OSError, ValueError, KeyError, AttributeError, TypeError):  # killed while it was being added
                removed(directory)
                continue
            if run.status == RUNNING:  # it goes on from what is finished
                run = replace(run, status=QUEUED)
            yield run


def size_of(directory: Path) -> int:
    """Bytes of all files below, also while a run writes, renames and removes there."""
    total = 0
    for folder, _, names in os.walk(directory):  # leaves out folders that are gone
        for name in names:
            with suppress(OSError):
                total += (Path(folder) / name).lstat().st_size
    return total


def _events(file: Path) -> Iterator[Event]:
    if not file.is_file():
        return
    for line in file.read_bytes().split(b"\n"):  # a title may have other characters that end lines of text
        try:
            found = json.loads(line)
            yield Event(int(found["id"]), found["event"], found["data"])
        except (ValueError, KeyError, TypeError):  # the last line of a killed service, or of a full disk
            continue


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
