"""Finished replications of a run under way, so that a run which is stopped or killed goes on from them.

Beside the place of a run stands a directory whose name the same run finds again. Each finished replication in it is a
piece: its traces, and one file of its figures with the checksum of each trace, which comes last. They are written
elsewhere and renamed, so that a name stands for a whole file. Nothing is flushed to the disk: what a loss of power
takes, the checksums tell, and that replication is simulated again.
"""

import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from des.disk import PARTIAL, WRITING, claimed, link_file, removed
from des.errors import say_what_is_left
from des.pool import Report
from des.study.identity import file_digest, json_text
from des.study.outcome_json import outcome_text, read_outcome
from des.study.replication import Part, Replicator
from des.traces.schemas import TABLES
from des.traces.writer import WrittenTrace

BEGUN: Final = "begun.json"
FINISHED: Final = "finished"
POINTS: Final = "points"
"""The folder of a sweep's points, each a run of its own."""
_FORMAT: Final = 1
_SUFFIX: Final = "-unfinished-"
NAME: Final = re.compile(rf"(?P<target>.+){_SUFFIX}(?P<key>[0-9a-f]{{12}})")
"""Of such a directory: the name of the run's own, and the run's key."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """The directory of the pieces of one run, and below it the one that this process writes into."""

    directory: Path
    writing: Path
    key: str

    def begin(self, facts: Mapping[str, Any]) -> None:
        """Say what is being run, which `des results` shows. Later facts replace earlier ones."""
        _write_whole(self.directory / BEGUN, json_text({**begun(self.directory), **facts}), self.writing)

    def keep(self, part: Part, outcome: str, written: Iterable[WrittenTrace]) -> None:
        """Take over the traces of a part from the directory that is written into, then its outcome."""
        for trace in written:
            place = self.directory / trace.name
            place.parent.mkdir(exist_ok=True)
            (self.writing / trace.name).replace(place)
        head = {"format": _FORMAT, "sha256": _digest(self.key, part, outcome)}
        _write_whole(_place(self.directory, part), f"{json.dumps(head)}\n{outcome}\n", self.writing)

    def finished(self, part: Part, same: Iterable[str] = ()) -> str | None:
        """The outcome of a part whose piece is whole: file and traces have their checksums. None otherwise.

        Traces are also those of the arms that are the `same`.
        """
        try:
            head, outcome, end = _place(self.directory, part).read_text(encoding="utf-8").split("\n")
            known = json.loads(head)
            if end or known != {"format": _FORMAT, "sha256": _digest(self.key, part, outcome)}:
                return None
            written = read_outcome(outcome).written
            own = {_trace(table, arm, part) for table in TABLES for arm in (part.arm, *same)}
            whole = all(
                trace.name in own and file_digest(self.directory / trace.name) == trace.sha256 for trace in written
            )
        except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
            return None
        return outcome if whole else None

    def keep_point(self, number: int, text: str) -> None:
        """One line of JSON: all that is found at a point of a sweep."""
        head = {"format": _FORMAT, "sha256": _digest_of_point(self.key, number, text)}
        _write_whole(_point(self.directory, number), f"{json.dumps(head)}\n{text}\n", self.writing)

    def finished_point(self, number: int) -> str | None:
        """What was kept of a point, where its file is whole."""
        try:
            head, text, end = _point(self.directory, number).read_text(encoding="utf-8").split("\n")
            whole = json.loads(head) == {"format": _FORMAT, "sha256": _digest_of_point(self.key, number, text)}
        except (OSError, ValueError, RecursionError):
            return None
        return text if whole and not end else None

    def hand_over(self, written: Iterable[WrittenTrace], target: Path) -> None:
        """Give the traces a name in another directory too. One that is missing is left for its reader to miss."""
        for trace in written:
            with suppress(FileNotFoundError):
                link_file(self.directory / trace.name, target / trace.name)


@dataclass(frozen=True, slots=True)
class Keeping:
    """A pool's job: simulates a part, keeps it as a piece where pieces are kept, returns the outcome as JSON."""

    replicator: Replicator
    pieces: Unfinished | None

    def __call__(self, part: Part, report: Report | None) -> str:
        """Raises RunError where the replication breaks a conservation rule."""
        outcome = self.replicator(part, report)
        text = outcome_text(outcome)
        if self.pieces is not None:
            self.pieces.keep(part, text, outcome.written)
        return text


@contextmanager
def unfinished(target: Path, key: str, *, anew: bool = False) -> Iterator[Unfinished | None]:
    """The pieces of the run that belongs to `target`, for this process alone: those found, and those to come.

    They are removed when the block ends well. An error that ends it is told how many are kept. None where another
    process has them, or directories cannot be locked. `anew` passes over what was begun without it.
    """
    with claimed(target, f"{_SUFFIX}{key}", _pieces_in) as directory:
        try:
            if directory is None:
                yield None
                return
            _clear(directory, everything=anew and not begun(directory).get("anew"))
            writing = directory / f"{WRITING}{os.getpid()}-{secrets.token_hex(3)}"
            writing.mkdir()
            pieces = Unfinished(directory, writing, key)
            before = begun(directory)
            begun_at = before.get("begun_at") or datetime.now(UTC).isoformat(timespec="seconds")
            pieces.begin({"key": key, "begun_at": begun_at, "anew": anew or bool(before.get("anew"))})
            try:
                yield pieces
            finally:
                shutil.rmtree(writing, ignore_errors=True)
        except BaseException as error:
            say_what_is_left(error, _kept(directory))
            raise


def forget(target: Path, key: str) -> None:
    """Remove the pieces of a run that is complete, which a process killed at the last moment left."""
    place = target.parent / PARTIAL / f"{target.name}{_SUFFIX}{key}"
    if place.is_dir() and not place.is_symlink():
        removed(place, unless_locked=True)


def pieces_of(target: Path, key: str) -> int:
    """How many replications of a run are finished, by their files."""
    return count(target.parent / PARTIAL / f"{target.name}{_SUFFIX}{key}")


def begun(directory: Path) -> dict[str, Any]:
    """What is being run there, as far as it is told."""
    try:
        content = json.loads((directory / BEGUN).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def count(directory: Path) -> int:
    """The pieces in a directory of them, by their files, or the points of a sweep."""
    points = (directory / POINTS).glob("[0-9]*")
    return sum(1 for _ in (directory / FINISHED).glob("*.jsonl")) + sum(1 for _ in points)


def _pieces_in(directory: Path) -> bool:
    """Whether there is any, those of a sweep's points included."""
    return any(count(each) for each in (directory, *(directory / POINTS / PARTIAL).glob(f"*{_SUFFIX}*")))


def _kept(directory: Path | None) -> str:
    if directory is None or not _pieces_in(directory):
        return "nothing was kept"
    of = begun(directory)
    unit = of.get("unit", "replications")
    return f"{count(directory):,} of {of.get('parts', '?')} {unit} are kept; run the same command again to continue"


def _clear(directory: Path, *, everything: bool) -> None:
    """Remove what an earlier process was writing, or all that it left."""
    for path in directory.iterdir():
        if everything or path.name.startswith(WRITING):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def _place(directory: Path, part: Part) -> Path:
    return directory / FINISHED / f"{part.arm}-{part.replication:04d}.jsonl"


def _point(directory: Path, number: int) -> Path:
    return directory / POINTS / f"{number:04d}.jsonl"


def _digest_of_point(key: str, number: int, text: str) -> str:
    return hashlib.sha256(f"{key} {number}\n{text}".encode()).hexdigest()


def _trace(table: str, arm: str, part: Part) -> str:
    return f"{table}/{arm}-{part.replication:04d}.parquet"


def _digest(key: str, part: Part, outcome: str) -> str:
    return hashlib.sha256(f"{key} {part.arm} {part.replication}\n{outcome}".encode()).hexdigest()


def _write_whole(place: Path, text: str, writing: Path) -> None:
    beside = writing / f"{place.name}-{secrets.token_hex(3)}"
    beside.write_text(text, encoding="utf-8")
    place.parent.mkdir(exist_ok=True)
    beside.replace(place)
