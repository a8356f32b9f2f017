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
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from des.disk import PARTIAL, WRITING, claimed, link_file, removed
from des.errors import OutputError, RunError, say_what_is_left
from des.study.identity import file_digest, json_text
from des.study.outcome_json import read_outcome
from des.study.replication import Part
from des.traces.reader import amiss
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

    def elsewhere(self) -> "Unfinished":
        """By absolute paths. Whoever uses it needs the same file system."""
        return Unfinished(self.directory.absolute(), self.writing.absolute(), self.key)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Raises OutputError on a machine that does not have this directory."""
        if not (self.directory / BEGUN).is_file():
            raise OutputError(
                f"{self.directory}: cannot be seen on {socket.gethostname()}; "
                "write to a directory that all machines share, or to an address such as s3://bucket/prefix"
            )
        place = self.directory / f"{WRITING}{os.getpid()}-{secrets.token_hex(3)}"
        place.mkdir()
        try:
            yield place
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def keep(self, part: Part, outcome: str, written: Iterable[WrittenTrace], scratch: Path) -> None:
        """Take over the traces of a part from the directory that is written into, then its outcome."""
        for trace in written:
            place = self.directory / trace.name
            place.parent.mkdir(exist_ok=True)
            (scratch / trace.name).replace(place)
        _write_whole(_place(self.directory, part), piece_text(self.key, part, outcome), scratch)

    def finished(self, part: Part, same: Iterable[str] = ()) -> str | None:
        """The outcome of a part whose piece is whole: file and traces have their checksums. None otherwise.

        Traces are also those of the arms that are the `same`.
        """
        try:
            outcome = text_of_piece(self.key, part, _place(self.directory, part).read_text(encoding="utf-8"))
            if outcome is None:
                return None
            own = {_trace(table, arm, part) for table in TABLES for arm in (part.arm, *same)}
            whole = all(
                trace.name in own and file_digest(self.directory / trace.name) == trace.sha256
                for trace in read_outcome(outcome).written
            )
        except (OSError, ValueError):
            return None
        return outcome if whole else None

    def outcome(self, part: Part) -> str:
        """What another process has just kept of a part. Raises RunError where it is gone."""
        try:
            outcome = text_of_piece(self.key, part, _place(self.directory, part).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            outcome = None
        if outcome is None:
            raise RunError(f"{self.directory}: what a worker kept of {part.arm} {part.replication} is not there")
        return outcome

    def keep_point(self, number: int, text: str) -> None:
        """One line of JSON: all that is found at a point of a sweep."""
        _write_whole(_point(self.directory, number), point_text(self.key, number, text), self.writing)

    def finished_point(self, number: int) -> str | None:
        """What was kept of a point, where its file is whole."""
        try:
            return text_of_point(self.key, number, _point(self.directory, number).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def hand_over(self, written: Iterable[WrittenTrace], target: Path) -> None:
        """Give the traces a name in another directory too. One that is missing is left for its reader to miss."""
        for trace in written:
            with suppress(FileNotFoundError):
                link_file(self.directory / trace.name, target / trace.name)

    def amiss(self, target: Path, manifest: Mapping[str, Any]) -> list[str]:
        """How the traces in their place differ from the manifest."""
        return amiss(target, manifest)


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


def piece_text(key: str, part: Part, outcome: str) -> str:
    """A file that stands for a finished replication: a line with its checksum, and its outcome."""
    return f"{json.dumps({'format': _FORMAT, 'sha256': _digest(key, part, outcome)})}\n{outcome}\n"


def text_of_piece(key: str, part: Part, content: str) -> str | None:
    """The outcome in such a file; None unless it is whole and can be read."""
    outcome = _second_line(content, lambda text: _digest(key, part, text))
    try:
        return outcome if outcome is not None and read_outcome(outcome) else None
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return None


def point_text(key: str, number: int, text: str) -> str:
    """A file that stands for a finished point of a sweep."""
    return f"{json.dumps({'format': _FORMAT, 'sha256': _digest_of_point(key, number, text)})}\n{text}\n"


def text_of_point(key: str, number: int, content: str) -> str | None:
    """What is kept in such a file; None unless it is whole."""
    return _second_line(content, lambda text: _digest_of_point(key, number, text))


def _second_line(content: str, digest: Callable[[str], str]) -> str | None:
    """Of a file of two lines, the first of which has the digest of the second; None for any other."""
    try:
        head, text, end = content.split("\n")
        whole = not end and json.loads(head) == {"format": _FORMAT, "sha256": digest(text)}
    except (ValueError, RecursionError):
        return None
    return text if whole else None


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
