"""Run a scenario: every arm and replication in turn, into one directory that is whole or absent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from des.errors import DesError, OutputError
from des.scenario import Loaded, Scenario, from_mapping, load_scenario
from des.scenario.text.overrides import Assignment, with_assignments
from des.study.destination import TakenError, obstacle, remove_leftovers, written_whole
from des.study.key import canonical_json, file_digest
from des.study.manifest import identity_of
from des.study.precision import Precision
from des.study.study import Progress, Study
from des.traces import Run, load
from des.traces.reader import MANIFEST, SUMMARY

RESULTS = Path("results")
"""Where runs go by default, below the current directory."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A run on disk, and whether it had been there before."""

    run: Run
    reused: bool


def run(
    scenario: str | Path | Mapping[str, Any] | Scenario | Loaded,
    *,
    out: str | Path | None = None,
    seed: int | None = None,
    replications: int | None = None,
    overrides: Sequence[str] = (),
    traces: bool = True,
    force: bool = False,
    workers: int = 1,
    precision: Mapping[str, float] | Sequence[str] = (),
    max_replications: int | None = None,
    progress: Progress | None = None,
) -> Run:
    """Simulate every request of a scenario and keep traces, manifest and summary.

    They land in `results/<scenario>-<key>/` below the current directory, or in `out`, which must not exist. The same
    run found under its key is verified and returned as it is, unless `force` asks to simulate it again. `overrides`
    are of the form `policy.rounds=3`. `workers` processes share the replications; their number changes nothing but
    the time it takes. `precision={"availability": 0.1}` replicates until the 95 % interval's half-width is a tenth of
    the figure (of what availability lacks to 100 %), or there are `max_replications` (1,000); `summary.json` says
    under `precision` how many it took and whether that was enough.
    Raises ScenarioError for a scenario that cannot be run, OutputError where it cannot be written, RunError when a
    conservation law is broken. Whatever ends a run early, nothing of it is kept.
    """
    return ensure(
        scenario,
        out=out,
        seed=seed,
        replications=replications,
        overrides=overrides,
        traces=traces,
        force=force,
        workers=workers,
        precision=precision,
        max_replications=max_replications,
        progress=progress,
    ).run


def ensure(
    scenario: str | Path | Mapping[str, Any] | Scenario | Loaded,
    *,
    out: str | Path | None = None,
    seed: int | None = None,
    replications: int | None = None,
    overrides: Sequence[str] = (),
    traces: bool = True,
    force: bool = False,
    workers: int = 1,
    precision: Mapping[str, float] | Sequence[str] = (),
    max_replications: int | None = None,
    progress: Progress | None = None,
) -> Finished:
    """Like `run`, and says whether the run had been made before."""
    check_workers(workers)
    asked = Precision.of(precision, max_replications)
    study = Study.of(loaded(scenario, overrides, seed, replications), traces=traces, precision=asked)
    return kept(study, out=out, force=force, workers=workers, progress=progress)


def check_workers(workers: int) -> None:
    """Raises DesError below one."""
    if workers < 1:
        raise DesError(f"workers {workers}: at least 1 process has to do the work")


def kept(study: Study, *, out: str | Path | None, force: bool, workers: int, progress: Progress | None) -> Finished:
    """A study's run: the one found under its key, or a new one."""
    if out is not None:
        with written_whole(Path(out)) as directory:
            study.write(directory, workers=workers, progress=progress)
        return Finished(load(out), reused=False)
    target = RESULTS / f"{study.name}-{study.key()}"
    remove_leftovers(target)
    if (what := obstacle(target)) is not None:
        raise OutputError(f"{target}: this run belongs here, but {what} is in its way; move or remove it")
    if target.is_dir() and not force:
        return Finished(_verified(target, study), reused=True)
    try:
        with written_whole(target, replace=force) as directory:
            study.write(directory, workers=workers, progress=progress)
    except TakenError:
        if not target.is_dir():
            raise
        return Finished(_verified(target, study), reused=True)  # somebody else's, who was done first
    return Finished(load(target), reused=False)


def loaded(
    scenario: str | Path | Mapping[str, Any] | Scenario | Loaded,
    overrides: Sequence[str],
    seed: int | None,
    replications: int | None,
) -> Loaded:
    """The scenario, from wherever it comes, with overrides (`path=value`), seed and replications laid over it.

    Raises ScenarioError with every problem of every arm.
    """
    changes: list[str | Assignment] = list(overrides)
    if seed is not None:
        changes.append(Assignment(f"seed={seed}", f"--seed {seed}"))
    if replications is not None:
        changes.append(Assignment(f"replications={replications}", f"--replications {replications}"))
    if isinstance(scenario, Scenario):
        scenario = scenario.model_dump(mode="json", exclude_unset=True)
    if isinstance(scenario, Mapping):
        scenario = from_mapping(scenario)
    if not isinstance(scenario, Loaded):
        return load_scenario(scenario, changes)
    if not changes:
        return scenario
    changed = from_mapping(with_assignments(scenario.document, changes).content, scenario.document.folder)
    return replace(changed, path=scenario.path)


def _verified(directory: Path, study: Study) -> Run:
    """The study's own run with the files that it wrote; raises OutputError, naming what is not as it was."""
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
    """The manifest, which no checksum covers, names the run that is asked for."""
    identity = identity_of(
        key=study.key(),
        resolved=study.loaded.resolved(),
        seed=study.loaded.scenario.seed,
        replications=_replications(found, study),
        arms=list(study.plans),
        traces=study.traces,
        files=study.loaded.files(),
    )
    for field, expected in identity.items():
        if field not in found.manifest or _differs(found.manifest[field], expected):
            raise OutputError(f"{found.path / MANIFEST}: {field} is not that of this run")


def _differs(found: Any, expected: Any) -> bool:
    try:
        return canonical_json(found) != canonical_json(expected)
    except ValueError:  # NaN, which the manifest was not written with
        return True


def _replications(found: Run, study: Study) -> int:
    """As many as asked for, or as the summary says that the precision took."""
    if study.precision is None:
        return study.loaded.scenario.replications
    precision = found.summary.get("precision")
    if not isinstance(precision, dict) or not isinstance(precision.get("replications"), int):
        raise OutputError(f"{found.path / SUMMARY}: precision is not that of this run")
    return int(precision["replications"])
