"""A sweep by the best estimators: each point is answered as `des answer` would, on one process.

The number of rounds is fixed, so a point has the same figures on any machine and for any number of processes. All
points share their random numbers. Arms that no swept value changes are answered once, at the first point, which has
all processes to itself.
"""

import hashlib
import json
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from des.compiled import carried
from des.disk import (
    TakenError,
    obstacle,
    refuse_existing_directory,
    remove_leftovers,
    written_whole,
)
from des.errors import OutputError, Problem, ScenarioError, say_what_is_left
from des.pool import Workers
from des.scenario import Loaded
from des.scratch import scratch_directory
from des.signals import terminating_signals_raise
from des.storage import Storage, is_url, place_of
from des.study.identity import Identity, canonical_json, file_digest, json_text, package_version, source_digest
from des.study.options import Forecast, RunOptions, Source
from des.study.pieces import Pieces
from des.study.run import RESULTS
from des.study.stored_pieces import StoredPieces
from des.study.study import scenario_name
from des.study.sweep_point import KEPT_BYTES, Answered, Answering, Asked, Job, Known, Reading, each_once
from des.study.sweep_ranges import Grid
from des.study.sweep_record import BEST, RECORD, TABLE, Sweep, load_sweep, write_record
from des.study.unfinished import POINTS, unfinished
from des.traces.levels import NONE
from des.traces.reader import MANIFEST

_READING: Final = 0.02
"""Share of the progress that reading all points takes."""


def swept_by_answers(source: Source, points: Grid, options: RunOptions, asked: Asked) -> Sweep:
    """The sweep in its directory, the one that is there or a new one, which goes on from the points finished before."""
    if options.out is not None and not is_url(options.out):
        refuse_existing_directory(Path(options.out))
    loaded = options.load(source)  # reports problems common to all points once
    job = Job(source, points, replace(options.here, out=None), asked)
    where = options.where
    if not isinstance(where, int):  # others may not have the file
        job = replace(job, source=loaded, options=replace(job.options, overrides=()))
    with (
        terminating_signals_raise(),
        Workers(carried(job), min(where, len(points)) if isinstance(where, int) else where) as pool,
    ):
        files, packed = _all_read(points, pool, options)
        key = _key(loaded, points, asked, files)
        name = f"{scenario_name(loaded)}-sweep-{key}"
        started = time.perf_counter()

        def write(place: Path, pieces: Pieces | None) -> dict[str, Any]:
            """What sweep.json holds, written with the table and the manifest."""
            if pieces is not None:
                pieces.begin(_facts(name, loaded, len(points)))
            records = _Work(job, pool, options, pieces, packed).records()
            content = _content(name, loaded, points, asked, records)
            write_record(place, content)
            _write_manifest(place, key, loaded, points, files, time.perf_counter() - started)
            return content

        if is_url(options.out):
            return _at_address(Storage(str(options.out)), key, options, write)
        target = RESULTS / name if options.out is None else Path(options.out)
        if (found := _there(target, options)) is not None:
            return found
        anew = options.force and options.out is None
        try:
            with unfinished(target, key, anew=options.force) as pieces, written_whole(target, replace=anew) as place:
                content = write(place, pieces)
        except TakenError:
            if options.out is not None or (found := _there(target, options)) is None:
                raise
            return found  # another process finished it first
    return Sweep(target, content)


def _at_address(
    storage: Storage, key: str, options: RunOptions, write: Callable[[Path, Pieces | None], dict[str, Any]]
) -> Sweep:
    """The sweep at an address: the one that is there, or a new one, whose manifest is written last."""
    sizes = storage.sizes()
    pieces = StoredPieces(storage, key)
    if MANIFEST in sizes:
        place = place_of(storage.url)
        if json.loads((place / MANIFEST).read_text(encoding="utf-8")).get("key") != key:
            raise OutputError(f"{storage.url}: another result is here; choose another address")
        if not options.force:
            if wrong := amiss_in_sweep(place):
                raise OutputError(f"{storage.url}: {wrong}\nthis sweep is damaged: --force makes it again")
            pieces.clear()
            return replace(load_sweep(storage.url), reused=True)
        storage.remove([MANIFEST, RECORD, TABLE])
    try:
        pieces.start(anew=options.force)
        with scratch_directory() as directory:
            content = write(directory, pieces)
            for file in (TABLE, RECORD, MANIFEST):
                storage.put(file, directory / file)
    except BaseException as error:
        say_what_is_left(error, f"finished points are kept in {storage.url}; run the same command again to continue")
        raise
    pieces.clear()
    return Sweep(place_of(storage.url), content)


def _all_read(points: Grid, pool: Workers[Any, Any], options: RunOptions) -> tuple[dict[str, str], dict[int, bytes]]:
    """The digests of the files that the points read, and the first points as they were read, by number.

    Raises ScenarioError with the problems of all points.
    """
    files: dict[str, str] = {}
    packed: dict[int, bytes] = {}
    room = KEPT_BYTES
    problems: list[Problem] = []
    many = len(points)
    keep = isinstance(options.where, int)  # elsewhere it would take longer on its way than to read it again
    for number, read in enumerate(pool.map([Reading(number, keep=keep) for number in range(many)])):
        files |= read.files
        problems.extend(read.problems)
        if (room := room - len(read.packed)) > 0:
            packed[number] = read.packed
        if options.progress is not None:
            options.progress(_READING * (number + 1) / many, f"reading point {number + 1:,}/{many:,}")
    if problems:
        raise ScenarioError(each_once(problems))
    return files, packed


class _Work:
    """The points of a sweep, kept or to be answered, each by one process.

    Where there are fewer points than processes, each has all of them.
    """

    def __init__(
        self,
        job: Job,
        pool: Workers[Any, Any],
        options: RunOptions,
        pieces: Pieces | None,
        packed: Mapping[int, bytes],
    ) -> None:
        self._job = job
        self._pool = pool
        self._options = options
        self._pieces = pieces
        self._packed = packed
        self._many = len(job.points)
        self._where = options.where
        self._processes = self._where if isinstance(self._where, int) else self._where.processors()
        self._apart = self._many >= self._processes
        self._done = [0.0] * self._many
        self._kept = {} if pieces is None else self._kept_in(pieces)

    def records(self) -> list[Mapping[str, Any]]:
        """Of each point. The first that is missing is answered alone, and tells how long the others take."""
        finished = len(self._kept)
        pieces = self._pieces
        if pieces is not None and not isinstance(self._where, int):
            pieces = pieces.elsewhere()
        missing = [
            Answering(number, pieces, packed=self._packed.get(number, b""))
            for number in range(self._many)
            if number not in self._kept
        ]
        if missing:
            started = time.perf_counter()
            first, *others = missing
            known = self._alone(first)
            if others and self._options.before is not None:
                each_s = (time.perf_counter() - started) * (self._side_by_side(known) if self._apart else 1)
                self._options.before(self._forecast(each_s, finished))
            self._answer([replace(task, known=known) for task in others])
        return [json.loads(self._kept[number]) for number in range(self._many)]

    def _kept_in(self, pieces: Pieces) -> dict[int, str]:
        kept = {number: text for number in range(self._many) if (text := pieces.finished_point(number)) is not None}
        for number in kept:
            self._done[number] = 1.0
        return kept

    def _alone(self, task: Answering) -> Known:
        """What is known of the arms of a point that all processes here answer, or one of elsewhere."""
        answer: Answered
        if self._apart and not isinstance(self._where, int):
            (answer,) = self._pool.map([task])
        else:
            answer = self._job.answer(task, self._where, lambda share: self._tell(task.number, share))
        self._keep(task, answer)
        known: Known = answer.known
        return known

    def _side_by_side(self, known: Known) -> int:
        """About how many processes had to do with a point of so many arms."""
        return max(1, min(self._processes, len(known.long_runs))) if isinstance(self._where, int) else 1

    def _answer(self, tasks: Sequence[Answering]) -> None:
        answers = (
            self._pool.map(tasks, lambda place, share: self._tell(tasks[place].number, share))
            if self._apart
            else (self._job.answer(task, self._where) for task in tasks)
        )
        for task, answer in zip(tasks, answers, strict=True):
            self._keep(task, answer)

    def _keep(self, task: Answering, answer: Answered) -> None:
        self._kept[task.number] = answer.text
        self._tell(task.number, 1.0)

    def _tell(self, number: int, share: float) -> None:
        """Tell how far all points have come."""
        self._done[number] = max(self._done[number], min(1.0, share))
        if self._options.progress is not None:
            reached = _READING + (1.0 - _READING) * sum(self._done) / self._many
            self._options.progress(reached, f"point {number + 1:,}/{self._many:,}")

    def _forecast(self, each_s: float, finished: int) -> Forecast:
        """Of the points but those `finished` before and the one that has just taken `each_s`."""
        left = self._many - finished - 1
        workers = self._processes
        return Forecast(
            seconds=each_s * left / (min(workers, left) if self._apart else 1),
            processes=min(workers, left) if self._apart else workers,
            finished=finished,
            replications=self._many,
            unit=POINTS,
            begun=True,
        )


def _there(target: Path, options: RunOptions) -> Sweep | None:
    """The sweep that is in its place already, verified. Raises OutputError where it has been changed."""
    if options.out is not None:
        return None
    remove_leftovers(target)
    if (what := obstacle(target)) is not None:
        raise OutputError(f"{target}: this sweep belongs here, but {what} is in its way; move or remove it")
    if options.force or not target.is_dir():
        return None
    if wrong := amiss_in_sweep(target):
        raise OutputError(f"{target}: {wrong}\nthis sweep is damaged: --force makes it again")
    return replace(load_sweep(target), reused=True)


def amiss_in_sweep(directory: Path) -> str:
    """What differs from the manifest of a sweep by the best estimators; empty where nothing does."""
    try:
        manifest = json.loads((directory / MANIFEST).read_text(encoding="utf-8"))
        for name in (RECORD, TABLE):
            if file_digest(directory / name) != manifest["sha256"][name]:
                return f"{name} has been changed"
    except (OSError, ValueError, LookupError, TypeError) as error:
        return f"{MANIFEST}, {RECORD} or {TABLE} cannot be read ({error})"
    return ""


def _key(loaded: Loaded, points: Grid, asked: Asked, files: Mapping[str, str]) -> str:
    identity = {
        "scenario": loaded.resolved(),
        "over": [[list(axis.paths), _of_values(axis.values)] for axis in points.axes],
        "rounds": asked.rounds,
        "years": asked.years,
        "asked": [asked.no_requests, asked.cascades],
        "files": sorted(files.items()),
        "run": Identity(
            resolved={},
            seed=loaded.scenario.seed,
            replications=1,
            arms=list(loaded.arms),
            traces=NONE,
            files={},
        ).key(),  # which knows the versions
    }
    return hashlib.sha256(canonical_json(identity).encode()).hexdigest()[:12]


def _of_values(columns: Sequence[Sequence[str]]) -> str:
    digest = hashlib.sha256()
    for column in columns:
        for value in column:
            digest.update(f"{value}\0".encode())
    return digest.hexdigest()


def _facts(name: str, loaded: Loaded, points: int) -> dict[str, Any]:
    """What `des results` shows of a sweep under way."""
    return {
        "name": name,
        "title": loaded.scenario.title,
        "arms": list(loaded.arms),
        "seed": loaded.scenario.seed,
        "parts": points,
        "unit": POINTS,
    }


def _content(
    name: str, loaded: Loaded, points: Grid, asked: Asked, records: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    return {
        "name": name,
        "title": loaded.scenario.title,
        "seed": loaded.scenario.seed,
        "estimator": BEST,
        "rounds": asked.rounds,
        "years": asked.years,
        "over": list(points.paths),
        "points": list(records),
    }


def _write_manifest(
    directory: Path, key: str, loaded: Loaded, points: Grid, files: Mapping[str, str], wall_s: float
) -> None:
    manifest = {
        "key": key,
        "scenario": loaded.resolved(),
        "seed": loaded.scenario.seed,
        "over": {path: len(axis) for axis in points.axes for path in axis.paths},
        "files": dict(sorted(files.items())),
        "sha256": {name: file_digest(directory / name) for name in (RECORD, TABLE)},
        "version": package_version(),
        "source_sha256": source_digest(),
        "platform": platform.platform(),
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "wall_s": round(wall_s, 3),
    }
    (directory / MANIFEST).write_text(json_text(manifest), encoding="utf-8")
