"""Whether what `des` left in a directory is still what it says: digests, conservation, and figures from the traces."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from des.errors import DesError, RunError
from des.estimate.conservation import Conservation
from des.estimate.estimate import REQUEST_LEVEL, as_json
from des.frames import Told, html
from des.scenario import Scenario
from des.single_files import json_object
from des.storage import place_of
from des.study.answer_file import ANSWER, CHARTS, CHARTS_SHA256, MANIFEST
from des.study.from_traces import COLUMNS, Replayed, Rows, in_time
from des.study.identity import Identity, file_digest, json_text, source_digest
from des.study.optimised import CANDIDATES, OPTIMISED
from des.study.options import Progress
from des.study.outcome_json import outcome_text, read_outcome
from des.study.precision import Precision
from des.study.recorded import Run, load
from des.study.replication import Part, Replicator
from des.study.study import Study
from des.study.sweep_answers import amiss_in_sweep
from des.study.sweep_record import BEST, RECORD, TABLE, Sweep, load_sweep
from des.traces.reader import SUMMARY, amiss
from des.vocabulary import ATTEMPT_KINDS, ATTEMPT_OUTCOMES, CAUSES, ERROR_TYPES, REQUEST_OUTCOMES

if TYPE_CHECKING:
    import pandas as pd

_MOST: Final = 20
"""Figures of one file that are told one by one."""
_WORDS: Final[Mapping[str, Mapping[str, Sequence[str]]]] = {
    "requests": {"outcome": REQUEST_OUTCOMES, "error_type": ERROR_TYPES},
    "attempts": {"kind": ATTEMPT_KINDS, "outcome": ATTEMPT_OUTCOMES, "cause": CAUSES},
}
"""What conservation needs to know of the names in traces: the declared ones, whatever the scenario."""

_NEEDED: Final = "a run with --traces full has them checked"

_IN_MANIFEST: Final = (
    ("arms", list, "no list"),
    ("replications", int, "no number"),
    ("seed", int, "no number"),
    ("scenario", dict, "no object"),
    ("files", dict, "no object"),
    ("versions", dict, "no object"),
)
"""What a manifest says of any run."""

_OF_SCENARIO: Final = ("provider", "model", "leg")
"""Columns of names that only the scenario declares."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A file, by its path in the directory, and what is wrong with it."""

    file: str
    what: str

    def __str__(self) -> str:
        return f"{self.file}: {self.what}"


@dataclass(frozen=True, slots=True, repr=False)
class Verified(Told):
    """What was found in a directory of a `run`, `sweep`, `answer` or `search`.

    `checked` says what was compared and holds, `unchecked` what could not be compared, and why.
    """

    path: Path
    kind: str
    checked: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()
    unchecked: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether nothing differs."""
        return not self.differences

    @property
    def verdict(self) -> str:
        if not self.holds:
            return "DIFFERS"
        return "all that was checked holds" if self.unchecked else "everything holds"

    @property
    def table(self) -> "pd.DataFrame":
        """One row per finding: `found` is differs, holds or not checked, `what` says it in words.

        `file` is empty but for differences.
        """
        import pandas as pd

        rows = [("differs", each.file, each.what) for each in self.differences]
        rows += [("holds", "", each) for each in self.checked]
        rows += [("not checked", "", each) for each in self.unchecked]
        return pd.DataFrame(rows, columns=["found", "file", "what"]).set_index("found")

    def as_json(self) -> dict[str, Any]:
        return {"path": str(self.path), "holds": self.holds, **_json(self)}

    def __repr__(self) -> str:
        return f"<Verified {self.path}: {self.verdict}>"

    def _repr_html_(self) -> str:
        return html(f"{self.path}: {self.verdict}", self.table)


def _json(found: Verified) -> dict[str, Any]:
    return {
        "kind": found.kind,
        "checked": list(found.checked),
        "differences": [{"file": each.file, "what": each.what} for each in found.differences],
        "unchecked": list(found.unchecked),
    }


def verify(path: str | Path, folder: str | Path = ".", progress: Progress | None = None) -> Verified:
    """Compare a run, comparison, sweep, answer or search with what its manifest and its traces say.

    Of a run: the digest of every file; that every request has one outcome, each attempt belongs to the request that
    counts it, and costs add up; and every figure of summary.json, computed again from the traces. `folder` is the one
    that recorded files named in the scenario are relative to. Of an answer or a search, which keep no traces, only the
    digests. Raises DesError where there is no result.
    """
    place = place_of(path)
    if not place.is_dir():
        raise DesError(f"{place}: no such directory; name the directory of a run, sweep, answer or search")
    if (place / ANSWER).is_file():
        charts = (CHARTS, CHARTS_SHA256) if (place / CHARTS).exists() else None
        return _of_digest(place, "answer", ANSWER, "answer_sha256", charts)
    if (place / OPTIMISED).is_file():
        return _of_digest(place, "search", OPTIMISED, "optimise_sha256", (CANDIDATES, "candidates_sha256"))
    if (place / RECORD).is_file():
        return _of_sweep(place, Path(folder), progress)
    return _of_run(load(place), Path(folder), progress)


@dataclass(slots=True)
class _Findings:
    """What is found so far."""

    checked: list[str] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)

    def differs(self, file: str, what: str) -> None:
        self.differences.append(Difference(file, what))

    def of(self, path: Path, kind: str) -> Verified:
        return Verified(path, kind, tuple(self.checked), tuple(self.differences), tuple(self.unchecked))


def _of_run(run: Run, folder: Path, progress: Progress | None) -> Verified:
    found = _Findings()
    traces: Mapping[str, Any] = run.manifest.get("traces", {})
    for problem in amiss(run.path, run.manifest):
        name, _, what = problem.partition(" ")
        found.differs(name, f"{what} since it was written" if what == "has been changed" else what)
    if file_digest(run.path / SUMMARY) != run.manifest.get("summary_sha256"):
        found.differs(SUMMARY, "has been changed since it was written")
    if not found.differences:
        found.checked.append(f"SHA-256 of {SUMMARY} and of {len(traces):,} traces")
    if incomplete := [f"{name} is missing or {what}" for name, of, what in _IN_MANIFEST if not _is(run, name, of)]:
        found.differs(MANIFEST, "; ".join(incomplete))
        found.unchecked.append(f"conservation and figures: {MANIFEST} does not say what was run")
        return found.of(run.path, "run")
    _check_key(run, found)
    for name in _left_out(run):
        found.differs(MANIFEST, f"names no {name}")
    whole = _replications_with_traces(run)
    level = run.trace_level
    if not traces:
        found.unchecked.append(f"conservation and figures: this run kept no traces; {_NEEDED}")
    elif whole is None:
        kept = f"this run did not keep every request and every attempt (trace level {level})"
        found.unchecked.append(f"conservation and figures: {kept}; {_NEEDED}")
    else:
        _check_rows(run, whole, folder, found, progress)
    return found.of(run.path, "run")


def _is(run: Run, name: str, of: type) -> bool:
    value = run.manifest.get(name)
    return isinstance(value, of) and not isinstance(value, bool)


def _check_key(run: Run, found: _Findings) -> None:
    """Whether the manifest's key is the one of what it says was run."""
    manifest, precision = run.manifest, run.summary.get("precision")
    try:
        asked = Precision.of(precision["asked"], precision["max_replications"]) if precision else None
        identity = Identity(
            resolved=manifest["scenario"],
            seed=manifest["seed"],
            replications=manifest["scenario"].get("replications", 1) if asked else manifest["replications"],
            arms=manifest["arms"],
            traces=run.trace_level,
            files=manifest["files"],
            precision=None if asked is None else asked.identity(),
            comparison="comparison" in run.summary,
        )
        agrees = identity.key(manifest["versions"], manifest["source_sha256"]) == manifest.get("key")
    except (DesError, LookupError, TypeError, ValueError):
        agrees = False
    if agrees:
        found.checked.append(f"the key in {MANIFEST}, of what it says was run")
    elif manifest.get("source_sha256") == source_digest():
        found.differs(MANIFEST, "its key is that of another scenario, seed, arm, trace level or number of replications")
    else:
        found.unchecked.append(f"the key in {MANIFEST}: another version of des made it, perhaps otherwise")


def _left_out(run: Run) -> list[str]:
    """Traces of requests and attempts that the run's level keeps, and that its manifest does not name."""
    level, manifest = run.trace_level, run.manifest
    kept = [table for table in _WORDS if level.keeps(table)]
    names = [
        f"{table}/{arm}-{number:04d}.parquet"
        for table in kept
        for arm in manifest["arms"]
        for number in range(manifest["replications"])
    ]
    return [name for name in names if name not in manifest.get("traces", {})][:_MOST]


def _replications_with_traces(run: Run) -> list[Part] | None:
    """Each arm and replication; None unless the traces hold all rows of all of them."""
    traces: Mapping[str, Any] = run.manifest.get("traces", {})
    parts = [Part(arm, number) for arm in run.manifest["arms"] for number in range(run.manifest["replications"])]
    needed = (f"{table}/{part.arm}-{part.replication:04d}.parquet" for table in _WORDS for part in parts)
    return parts if all(name in traces for name in needed) and not run.trace_level.is_sample else None


def _check_rows(run: Run, parts: Sequence[Part], folder: Path, found: _Findings, progress: Progress | None) -> None:
    """Conservation of each replication, then the summary."""
    broken = False
    for number, part in enumerate(parts):
        if progress is not None:
            progress(0.3 * number / len(parts), f"conservation {part.arm} {part.replication + 1}")
        try:
            _conserve(Rows(run, part.arm, part.replication, _WORDS))
        except (RunError, DesError) as error:
            broken = True
            found.differs(f"requests/{part.arm}-{part.replication:04d}.parquet", str(error))
    if broken:
        found.unchecked.append(f"{SUMMARY}: its figures follow from rows that are not right")
        return
    found.checked.append(f"conservation of requests, attempts and costs in {_counted(len(parts), 'replication')}")
    try:
        content = summary_again(run, folder, progress)
    except RunError as error:
        found.differs(SUMMARY, f"cannot be computed again from the traces: {error}")
        return
    except DesError as error:
        found.unchecked.append(f"{SUMMARY}: {error}")
        return
    differences = list(islice(_differing(run.summary, content), _MOST + 1))
    for where, what in differences[:_MOST]:
        found.differs(SUMMARY, f"{where}: {what}")
    if len(differences) > _MOST:
        found.differs(SUMMARY, "and further figures")
    if not differences:
        found.checked.append(f"{SUMMARY}, computed again from the traces")
    elif run.manifest.get("source_sha256") != source_digest():
        found.unchecked.append("another version of des wrote this run, and versions may differ in figures")


def _conserve(rows: Rows) -> None:
    """Raises RunError, naming the rule, where rows do not account for each request, attempt and cost."""
    conservation, count = Conservation(), 0
    columns = {table: [name for name in of if name not in _OF_SCENARIO] for table, of in COLUMNS.items()}
    blocks = {table: rows.blocks(table, columns[table]) for table in ("requests", "attempts")}
    for table, block in in_time(blocks):
        if table == "attempts":
            conservation.attempts(block)
        else:
            count += len(block["request_id"])
            conservation.requests({**block, "lost_to": block["error_type"]})
    conservation.check(count)


def summary_again(run: Run, folder: Path = Path(), progress: Progress | None = None) -> dict[str, Any]:
    """What summary.json should hold by the traces of a run, as JSON.

    Raises ScenarioError where the scenario cannot be read, such as for a recorded file that is not in the `folder`,
    and RunError where rows contradict each other or the seed.
    """
    study = _study(run, folder)
    found = study.nothing_found()
    replications = int(run.manifest["replications"])
    for number, arm in enumerate(study.plans):
        replicator = Replicator(study.plans, None, "{}", study.asks_for_cascades(), source=Replayed(run, arm))
        for replication in range(replications):
            if progress is not None:
                done = (number + replication / replications) / len(study.plans)
                progress(0.3 + 0.5 * done, f"figures {arm} {replication + 1}")
            outcome = replicator(Part(found.same.get(arm, arm), replication), None)
            found.add_to(arm, read_outcome(outcome_text(outcome)))  # as figures of every run pass through this form
    return as_plain(study.content(found))


def as_plain(content: Mapping[str, Any]) -> dict[str, Any]:
    """As it is read back from a file."""
    import json

    plain: dict[str, Any] = json.loads(json_text(as_json(content)))
    return plain


def _study(run: Run, folder: Path) -> Study:
    """The study that the manifest records."""
    manifest = run.manifest
    loaded = Scenario.from_dict(manifest["scenario"], folder).loaded
    asked = run.summary.get("precision")
    precision = Precision.of(asked["asked"], asked["max_replications"]) if isinstance(asked, dict) else None
    study = Study.of(loaded, traces=True, precision=precision, comparison="comparison" in run.summary)
    if list(study.plans) != list(manifest["arms"]):
        raise DesError(f"{MANIFEST} names the arms {', '.join(manifest['arms'])}, its scenario other ones")
    for name, digest in manifest.get("files", {}).items():
        if loaded.files().get(name) != digest:
            raise DesError(f"{name}, which the scenario reads, is not the file that the run read")
    return study


def _of_sweep(place: Path, folder: Path, progress: Progress | None) -> Verified:
    sweep = load_sweep(place)
    found = _Findings()
    if not (place / TABLE).is_file():
        found.differs(TABLE, "is missing")
        return found.of(place, "sweep")
    if sweep.table.to_csv().encode() != (place / TABLE).read_bytes():
        found.differs(TABLE, f"is not the table of {RECORD}")
    else:
        found.checked.append(f"{TABLE}, written again from {RECORD}")
    if sweep.estimator == BEST:
        if wrong := amiss_in_sweep(place):
            found.differs(*_split(wrong))
        else:
            found.checked.append(f"SHA-256 of {RECORD} and {TABLE}")
        found.unchecked.append("figures: points by the best estimators keep no traces")
    elif sweep.estimator == REQUEST_LEVEL:
        _check_points(sweep, folder, found, progress)
    return found.of(place, "sweep")


def _check_points(sweep: Sweep, folder: Path, found: _Findings, progress: Progress | None) -> None:
    """Each point's run, and that the record says what the run's summary says."""
    many = len(sweep.records)
    for number, (record, run) in enumerate(zip(sweep.records, sweep.runs, strict=True)):
        if progress is not None:
            progress(number / many, f"point {number + 1}/{many}")
        of_run = _of_run(run, folder, None)
        where = str(record["run"])
        for each in of_run.differences:
            found.differs(f"{where}/{each.file}", each.what)
        found.unchecked.extend(f"{where}: {each}" for each in of_run.unchecked if each not in found.unchecked)
        for arm, figures in record["arms"].items():
            told = {metric: figure for metric, figure in figures.items() if metric != "joint"}
            own = {metric: of for metric, of in run.summary.get("arms", {}).get(arm, {}).items() if metric in told}
            for name, what in _differing(told, own, f"points[{number}].arms.{arm}"):
                found.differs(RECORD, f"{name}: {what}")
    if not found.differences:
        found.checked.append(f"{_counted(many, 'run')}, one a point, and that {RECORD} has their figures")


def _of_digest(place: Path, kind: str, file: str, name: str, table: tuple[str, str] | None = None) -> Verified:
    """Of a result that keeps no traces. `name` is that of its digest in the manifest, `table` another file and name."""
    found = _Findings()
    try:
        manifest = json_object(place / MANIFEST)
    except FileNotFoundError:
        raise DesError(f"{place}: holds no {MANIFEST}, which says what {file} was") from None
    expected = {file: manifest.get(name)}
    if table is not None and table[1] not in manifest:
        found.unchecked.append(f"{table[0]}: the version of des that wrote it kept no digest of it")
    elif table is not None:
        expected[table[0]] = manifest[table[1]]
    for each, sha256 in expected.items():
        if not (place / each).is_file():
            found.differs(each, "is missing")
        elif file_digest(place / each) != sha256:
            found.differs(each, "has been changed since it was written")
        else:
            found.checked.append(f"SHA-256 of {each}")
    found.unchecked.append(f"figures: {'an' if kind == 'answer' else 'a'} {kind} keeps no traces")
    return found.of(place, kind)


def _differing(told: Any, own: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Where two JSON values differ: the path, and what each says."""
    if isinstance(told, Mapping) and isinstance(own, Mapping):
        for name in dict.fromkeys([*told, *own]):
            inside = f"{where}.{name}" if where else str(name)
            if name not in own:
                yield inside, "is not known from the traces"
            elif name not in told:
                yield inside, "is missing"
            else:
                yield from _differing(told[name], own[name], inside)
    elif isinstance(told, list) and isinstance(own, list) and len(told) == len(own):
        for place, (one, other) in enumerate(zip(told, own, strict=True)):
            yield from _differing(one, other, f"{where}[{place}]")
    elif told != own or type(told) is not type(own):
        yield where, f"is {told!r}; the traces say {own!r}"


def _split(wrong: str) -> tuple[str, str]:
    file, _, what = wrong.partition(" ")
    return file, what


def _counted(many: int, what: str) -> str:
    return f"{many:,} {what}{'' if many == 1 else 's'}"
