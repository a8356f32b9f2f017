"""Runs a scenario: every arm and replication, into one directory that is complete or absent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Unpack

from des.compiled import using
from des.disk import (
    TakenError,
    obstacle,
    refuse_existing_directory,
    remove_leftovers,
    removed,
    written_whole,
)
from des.errors import DesError, OutputError, say_what_is_left
from des.scratch import scratch_directory
from des.storage import Storage, is_url
from des.study.duration import of_run, too_large
from des.study.identity import canonical_json, file_digest
from des.study.options import RunKeywords, RunOptions, Source, with_run_keywords
from des.study.recorded import Run, load
from des.study.stored_pieces import StoredPieces, amiss_by_size
from des.study.study import Study
from des.study.sweep_record import RECORD
from des.study.unfinished import forget, pieces_of, unfinished
from des.study.verdicts import Verdict
from des.traces.reader import MANIFEST, SUMMARY
from des.traces.schemas import TABLES

RESULTS: Final = Path("results")
"""The default directory of runs, below the current one."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A run on disk, whether it existed before, and expectations of arms that were left out of it."""

    run: Run
    reused: bool
    left_out: tuple[Verdict, ...] = ()


@with_run_keywords()
def run(scenario: Source, **options: Unpack[RunKeywords]) -> Run:
    """Simulate every request of a scenario and write traces, manifest and summary.

    They go to `results/<scenario>-<key>/` below the current directory, or to `out`. An existing run under the same key
    is verified and returned, unless `force` is given. `des.study.options.RunOptions` describes each option.

    Raises ScenarioError for a scenario that cannot be run, OutputError where the run cannot be written, RunError when a
    conservation rule is broken. A run that ends early keeps its finished replications in `.partial` beside its place,
    and the same call goes on from them.
    """
    return ensure(scenario, RunOptions(**options)).run


def ensure(scenario: Source, options: RunOptions) -> Finished:
    """Like `run`, and says whether the run existed already."""
    target = options.target()
    return kept(Study.of(options.load(scenario), traces=options.traces, precision=target), options)


def kept(study: Study, options: RunOptions, results: Path = RESULTS) -> Finished:
    """A study's run: the existing one under its key, or a new one, which goes on from the replications finished before.

    Where it ends early, the error is told which replications are kept.
    """
    with using(options.engine):
        return kept_at(study, options) if is_url(options.out) else _kept(study, options, results)


def _kept(study: Study, options: RunOptions, results: Path) -> Finished:
    key = study.identity.key()
    target = results / f"{study.name}-{key}" if options.out is None else Path(options.out)
    if options.out is None:
        remove_leftovers(target)
        if (what := obstacle(target)) is not None:
            raise OutputError(f"{target}: this run belongs here, but {what} is in its way; move or remove it")
        if target.is_dir() and not options.force:
            return _found(target, study)
    else:
        refuse_existing_directory(target)
    finished = 0 if options.force else pieces_of(target, key)
    say_if_too_large([study], options, target.parent, finished)
    study.prepare()
    if options.before is not None:
        options.before(of_run(study, options.where, finished, target.parent))
    anew = options.force and options.out is None
    try:
        with unfinished(target, key, anew=options.force) as pieces, written_whole(target, replace=anew) as directory:
            study.write(directory, pieces=pieces, workers=options.where, progress=options.progress)
    except TakenError:
        if options.out is not None or not target.is_dir():
            raise
        return _found(target, study)  # another process finished it first
    return Finished(load(target), reused=False)


def say_if_too_large(studies: Sequence[Study], options: RunOptions, target: Path, finished: int = 0) -> None:
    """Before the engine is compiled, and only then: runs that are refused for their size keep nobody waiting."""
    if options.before is not None:
        found = too_large(studies, options.where, target, finished)
        if found is not None:
            options.before(found)


def kept_at(study: Study, options: RunOptions) -> Finished:
    """A study's run at an address: the one that is there, or a new one, which goes on from what is finished of it.

    Its manifest is written last. Raises OutputError where another run is there, WriteError where the store refuses.
    """
    storage = Storage(str(options.out))
    key = study.identity.key()
    pieces = StoredPieces(storage, key)
    sizes = storage.sizes()
    if MANIFEST in sizes and not options.force:
        run = _at_address(storage, sizes, study)
        pieces.clear()  # what a process killed at the last moment left
        return Finished(run, reused=True)
    if MANIFEST in sizes:
        former = load(storage.url).manifest.get("traces", {})
        storage.remove([MANIFEST, SUMMARY, *(name for name in former if name.partition("/")[0] in TABLES)])
    elif RECORD in sizes:
        raise OutputError(f"{storage.url}: a sweep is here; choose another address or remove it")
    try:
        study.prepare()
        pieces.start(anew=options.force)
        if options.before is not None:
            options.before(of_run(study, options.where, pieces.count()))
        with scratch_directory() as directory:
            study.write(directory, pieces=pieces, workers=options.where, progress=options.progress)
            for name in (SUMMARY, MANIFEST):
                storage.put(name, directory / name)
    except BaseException as error:
        say_what_is_left(error, f"what is finished is kept in {storage.url}; run the same command again to continue")
        raise
    pieces.clear()
    return Finished(load(storage.url), reused=False)


def _at_address(storage: Storage, sizes: Mapping[str, int], study: Study) -> Run:
    """The study's run that is there. Traces are compared by size, which is what a store tells without reading them."""
    try:
        found = load(storage.url)
        _check_identity(found, study)
    except DesError as error:
        raise OutputError(f"{error}\nanother run is here: choose another address, or --force replaces it") from error
    wrong = amiss_by_size(sizes, found.manifest)
    if file_digest(found.path / SUMMARY) != found.manifest.get("summary_sha256"):
        wrong.append(f"{SUMMARY} has been changed")
    if wrong:
        raise OutputError(f"{storage.url}: {'; '.join(wrong)}\nthis run is damaged: --force simulates it again")
    return found


def kept_there(study: Study, options: RunOptions) -> Finished:
    """The run in `out`, where it is whole; a damaged one is simulated again."""
    target = Path(str(options.out))
    try:
        return _found(target, study)
    except OutputError:
        removed(target)
        return kept(study, options)


def _found(target: Path, study: Study) -> Finished:
    run = _verified(target, study)
    forget(target, study.identity.key())
    return Finished(run, reused=True)


def _verified(directory: Path, study: Study) -> Run:
    """The study's existing run. Raises OutputError, naming a file that has changed since it was written."""
    try:
        found = load(directory)
        found.verify()
        if file_digest(directory / SUMMARY) != found.manifest.get("summary_sha256"):
            raise OutputError(f"{directory}: {SUMMARY} has been changed")
        _check_identity(found, study)
    except DesError as error:
        raise OutputError(f"{error}\nthis run is damaged: --force simulates it again") from error
    return found


def _check_identity(found: Run, study: Study) -> None:
    """Compares the manifest, which no checksum covers, with the run asked for."""
    for field, expected in study.identity.in_manifest(_replications(found, study)).items():
        if field not in found.manifest or _differs(found.manifest[field], expected):
            raise OutputError(f"{found.path / MANIFEST}: {field} does not match this run")


def _differs(found: Any, expected: Any) -> bool:
    try:
        return canonical_json(found) != canonical_json(expected)
    except ValueError:  # NaN, which `des` never writes
        return True


def _replications(found: Run, study: Study) -> int:
    """The number asked for, or the number that the precision took according to the summary."""
    if study.precision is None:
        return study.loaded.scenario.replications
    precision = found.summary.get("precision")
    if not isinstance(precision, dict) or not isinstance(precision.get("replications"), int):
        raise OutputError(f"{found.path / SUMMARY}: precision does not match this run")
    return int(precision["replications"])
