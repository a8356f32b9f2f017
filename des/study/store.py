"""What a directory of results holds: runs, sweeps and answers, whole, unfinished or damaged; and its removal.

Only what `des` wrote is listed, and only that is removed: a directory that holds a file of somebody else's is refused.
"""

import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from des.disk import PARTIAL, REPLACED, WRITER, WRITING, is_locked, put_back, remove_leftovers, removed
from des.errors import DesError, OutputError
from des.single_files import json_object
from des.study.answer_file import ANSWER, CHARTS
from des.study.identity import file_digest
from des.study.run import RESULTS
from des.study.sweep_answers import amiss_in_sweep
from des.study.sweep_record import BEST, RECORD, TABLE
from des.study.unfinished import BEGUN, FINISHED, NAME, POINTS, begun, count
from des.traces.levels import TraceLevel
from des.traces.reader import MANIFEST, SUMMARY, Run, amiss, load
from des.traces.schemas import TABLES
from des.words import did_you_mean

WHOLE: Final = "whole"
UNFINISHED: Final = "unfinished"
UNDER_WAY: Final = "under way"
DAMAGED: Final = "damaged"
REPORT: Final = "report.html"
"""The page beside an answer."""
LEFT_OVER: Final = "left over"
"""Of a process that was killed, without anything finished."""
SWEEP: Final = (RECORD, TABLE)
_KEYED: Final = re.compile(r".+-[0-9a-f]{12}")
_LEFT: Final = re.compile(rf"(?P<target>.+)-(?:{WRITER}|{REPLACED})")
_OWN: Final[Mapping[str, frozenset[str]]] = {
    "run": frozenset({MANIFEST, SUMMARY, *TABLES}),
    "sweep": frozenset({*SWEEP, MANIFEST, POINTS}),
    "answer": frozenset({MANIFEST, ANSWER, CHARTS, REPORT}),
}
"""What is in a directory of each kind."""
_OWN_UNFINISHED: Final = frozenset({BEGUN, FINISHED, POINTS, *TABLES})


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Something that `des` left in a directory of results.

    `kind` is `run`, `sweep` or `answer`, `state` one of `whole`, `unfinished`, `under way`, `damaged` and `left over`.
    `replications` are those of each arm. Of what is unfinished, `done` of the `parts` are kept: replications of all
    arms, or points of a sweep. `created_at` is when it was finished, or begun. `why` says what is damaged.
    """

    name: str
    kind: str
    state: str
    path: Path
    bytes: int
    title: str = ""
    arms: tuple[str, ...] = ()
    replications: int | None = None
    points: int | None = None
    done: int | None = None
    parts: int | None = None
    created_at: str | None = None
    trace_level: str = ""
    """Of a run, which rows it kept: `full`, `requests`, `sampled: 1%`, `none`."""
    why: str = ""

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "path": str(self.path), "arms": list(self.arms)}

    @property
    def is_complete(self) -> bool:
        """Whether it stands under its own name, and not in `.partial`."""
        return self.state in (WHOLE, DAMAGED)

    def check_removable(self) -> None:
        """Raises OutputError where a process is at work in it, or it holds what `des` did not write."""
        if self.state == UNDER_WAY:
            raise OutputError(f"{self.name}: a process is at work on it; stop that first")
        if not self.path.is_symlink() and (foreign := _foreign(self)):
            raise OutputError(f"{self.path}: holds {foreign}, which is not part of a {self.kind}; move it away first")

    def remove(self) -> None:
        """Raises what `check_removable` does, and WriteError where it cannot be removed."""
        self.check_removable()
        if not removed(self.path, unless_locked=not self.is_complete):
            raise OutputError(f"{self.name}: a process is at work on it; stop that first")
        if not self.is_complete:
            remove_leftovers(self.path.parent.parent / self.name)


def results(directory: str | Path = RESULTS, *, verify: bool = False) -> tuple[Stored, ...]:
    """What `des` left in a directory: every run, sweep and answer, and what is unfinished, by name.

    A run is whole if its files are there with the sizes in its manifest. With `verify` the checksum of every trace is
    compared too, which reads them all. `Stored.remove` removes one. Raises DesError where there is no such directory,
    but for `results/`.
    """
    folder = Path(directory)
    if not folder.is_dir():
        if folder == RESULTS and not os.path.lexists(folder):
            return ()
        raise DesError(f"{folder}: no such directory")
    if (folder / MANIFEST).exists():
        raise DesError(f"{folder}: is itself a result; name the directory that holds it")
    hidden = sorted((folder / PARTIAL).iterdir()) if (folder / PARTIAL).is_dir() else []
    for path in hidden:
        if (left := re.fullmatch(rf"(.+)-{REPLACED}", path.name)) is not None:
            put_back(folder / left[1])
    found = [_complete(path, verify) for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")]
    found += [_in_partial(path) for path in hidden if path.is_dir() and not path.is_symlink()]
    return tuple(sorted((one for one in found if one is not None), key=lambda one: (one.name, one.path.name)))


def chosen(stored: Sequence[Stored], names: Sequence[str]) -> list[Stored]:
    """Those of these names, or paths. Raises DesError naming each that is not there."""
    wanted = {Path(name).name: name for name in names}
    known = {one.name for one in stored}
    if missing := [name for base, name in wanted.items() if base not in known]:
        raise DesError(
            "\n".join(f"{name}: no such run, sweep or answer{did_you_mean(Path(name).name, known)}" for name in missing)
        )
    return [one for one in stored if one.name in wanted]


def _complete(path: Path, verify: bool) -> Stored | None:
    """A directory under its own name; None where `des` did not write it."""
    if (path / ANSWER).is_file():
        return _answer(path)
    if (path / SWEEP[0]).is_file():
        return _sweep(path, verify)
    has_tables = any((path / table).is_dir() for table in TABLES)
    keyed = _KEYED.fullmatch(path.name) is not None
    if (path / MANIFEST).is_file() and ((path / SUMMARY).exists() or has_tables or keyed):
        return _run(path, verify)
    if (path / SUMMARY).is_file() and (has_tables or keyed):
        return _run(path, verify)
    return _run(path, verify) if has_tables and keyed else None


def _run(path: Path, verify: bool) -> Stored:
    size = _size(path)
    try:
        run = load(path)
    except DesError as error:
        manifest: Mapping[str, Any] = _read(path / MANIFEST)
        why = _short(error, path)
    else:
        manifest, why = run.manifest, _wrong(run, verify)
    scenario, arms = manifest.get("scenario"), manifest.get("arms")
    return Stored(
        name=path.name,
        kind="run",
        state=DAMAGED if why else WHOLE,
        path=path,
        bytes=size,
        title=_text(scenario.get("title")) if isinstance(scenario, dict) else "",
        arms=tuple(arm for arm in arms if isinstance(arm, str)) if isinstance(arms, list) else (),
        replications=_whole_number(manifest.get("replications")),
        created_at=_text(manifest.get("created_at")) or None,
        trace_level=str(TraceLevel.of_manifest(manifest)) if "trace_level" in manifest else "",
        why=why,
    )


def _wrong(run: Run, verify: bool) -> str:
    """What differs from the manifest; empty where nothing does."""
    try:
        if file_digest(run.path / SUMMARY) != run.manifest.get("summary_sha256"):
            return f"{SUMMARY} has been changed"
    except OSError as error:
        return f"{SUMMARY} cannot be read ({(error.strerror or str(error)).lower()})"
    if verify:
        return next(iter(amiss(run.path, run.manifest)), "")
    for name, facts in run.manifest.get("traces", {}).items():
        try:
            found = (run.path / name).stat()
        except OSError:
            return f"{name} is missing"
        if not stat.S_ISREG(found.st_mode) or found.st_size != facts.get("bytes", found.st_size):
            return f"{name} has been changed"
    return ""


def _sweep(path: Path, verify: bool) -> Stored:
    size = _size(path)
    created_at = datetime.fromtimestamp((path / SWEEP[0]).stat().st_mtime, UTC).isoformat(timespec="seconds")
    content = _read(path / SWEEP[0])
    points = content.get("points")
    if content.get("estimator") == BEST and points and isinstance(points, list):
        return _sweep_of_answers(path, content, points, size, created_at)
    places = [path / point["run"] for point in points or () if isinstance(point, dict) and _text(point.get("run"))]
    if not points or not isinstance(points, list) or len(places) != len(points):
        return Stored(
            name=path.name,
            kind="sweep",
            state=DAMAGED,
            path=path,
            bytes=size,
            created_at=created_at,
            why=f"{SWEEP[0]} cannot be read",
        )
    runs = [_run(place if place.is_dir() else path.parent / place.name, verify) for place in places]
    bad = [run for run in runs if run.state == DAMAGED]
    return Stored(
        name=path.name,
        kind="sweep",
        state=DAMAGED if bad else WHOLE,
        path=path,
        bytes=size,
        title=runs[0].title,
        arms=runs[0].arms,
        replications=runs[0].replications,
        points=len(points),
        created_at=created_at,
        why=f"{len(bad):,} of {len(points):,} points: {bad[0].why}" if bad else "",
    )


def _sweep_of_answers(
    path: Path, content: Mapping[str, Any], points: Sequence[Any], size: int, created_at: str
) -> Stored:
    why = amiss_in_sweep(path)
    return Stored(
        name=path.name,
        kind="sweep",
        state=DAMAGED if why else WHOLE,
        path=path,
        bytes=size,
        title=_text(content.get("title")),
        arms=tuple(points[0].get("arms", ())) if isinstance(points[0], dict) else (),
        points=len(points),
        created_at=created_at,
        why=why,
    )


def _answer(path: Path) -> Stored:
    content, manifest = _read(path / ANSWER), _read(path / MANIFEST)
    scenario = manifest.get("scenario")
    whole = bool(content) and manifest.get("answer_sha256") == file_digest(path / ANSWER)
    arms = content.get("arms")
    return Stored(
        name=path.name,
        kind="answer",
        state=WHOLE if whole else DAMAGED,
        path=path,
        bytes=_size(path),
        title=_text(scenario.get("title")) if isinstance(scenario, dict) else "",
        arms=tuple(arms) if isinstance(arms, dict | list) else (),
        created_at=_text(manifest.get("created_at")) or None,
        why="" if whole else f"{ANSWER} is not what {MANIFEST} says",
    )


def _in_partial(path: Path) -> Stored | None:
    """What is unfinished; None for what `des` does not name so, what is empty and what a process is at work on."""
    if (named := NAME.fullmatch(path.name)) is not None:
        of, done = begun(path), count(path)
        arms = of.get("arms")
        return Stored(
            name=named["target"],
            kind="sweep" if of.get("unit") == POINTS else "run",
            state=UNDER_WAY if is_locked(path) else UNFINISHED,
            path=path,
            bytes=_size(path),
            title=_text(of.get("title")),
            arms=tuple(arms) if isinstance(arms, list) else (),
            replications=_whole_number(of.get("replications")),
            done=done,
            parts=_whole_number(of.get("parts")),
            created_at=_text(of.get("begun_at")) or None,
        )
    if (left := _LEFT.fullmatch(path.name)) is not None and any(path.iterdir()) and not is_locked(path):
        return Stored(name=left["target"], kind="run", state=LEFT_OVER, path=path, bytes=_size(path))
    return None


def _foreign(one: Stored) -> str:
    """A file that `des` did not write; empty where there is none."""
    own = _OWN[one.kind] if one.is_complete else frozenset().union(_OWN_UNFINISHED, *_OWN.values())
    for path in sorted(one.path.iterdir()):
        if path.name not in own and not (not one.is_complete and path.name.startswith((WRITING, PARTIAL))):
            return path.name
        if path.name in TABLES:
            for trace in path.iterdir() if path.is_dir() else ():
                if trace.suffix != ".parquet":
                    return f"{path.name}/{trace.name}"
    return ""


def _size(path: Path) -> int:
    """Bytes of all files below a directory, links not followed."""

    def sizes() -> Iterator[int]:
        for folder, _, names in os.walk(path):
            for name in names:
                try:
                    yield (Path(folder) / name).lstat().st_size
                except OSError:  # removed meanwhile
                    continue

    return sum(sizes())


def _read(path: Path) -> dict[str, Any]:
    try:
        return json_object(path)
    except (OSError, DesError):
        return {}


def _short(error: DesError, path: Path) -> str:
    """The error without the path of the run, which its name says."""
    return str(error).removeprefix(f"{path}: ").replace(f"{path}{os.sep}", "")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _whole_number(value: Any) -> int | None:
    return value if type(value) is int else None
