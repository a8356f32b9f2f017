"""A sweep of simulated runs: each point is a run of its own, and all share their random numbers."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from des.compiled import carried
from des.disk import link_file, refuse_existing_directory, written_whole
from des.errors import DesError, OutputError, Problem, RunError, ScenarioError, WriteError, say_what_is_left
from des.estimate.estimate import REQUEST_LEVEL
from des.pool import Report, Workers
from des.scenario import Loaded
from des.scratch import scratch_directory
from des.signals import terminating_signals_raise
from des.storage import Storage, is_url, place_of
from des.study.duration import of_runs
from des.study.options import Progress, RunOptions, Source
from des.study.recorded import Run, load
from des.study.run import RESULTS, kept, kept_there, say_if_too_large
from des.study.study import Study
from des.study.sweep_point import each_once
from des.study.sweep_ranges import Grid
from des.study.sweep_record import RECORD, TABLE, Sweep, load_sweep, write_record
from des.study.unfinished import POINTS, unfinished
from des.traces.reader import MANIFEST, amiss


def swept_by_runs(scenario: Source, grid: Grid, options: RunOptions) -> Sweep:
    """The sweep in `results/`, its points beside it, or all of it in `out`.

    Raises ScenarioError with the problems of all points before anything is run.
    """
    points = list(grid)
    base = options.load(scenario)  # reports problems common to all points once
    studies = _studies(base, points, options)
    keys = [study.identity.key() for study in studies]
    key = hashlib.sha256(json.dumps([list(grid.paths), keys]).encode()).hexdigest()[:12]
    name = f"{studies[0].name}-sweep-{key}"
    if is_url(options.out):
        return _at_address(name, grid, base, studies, options)
    if options.out is not None:
        target = Path(options.out)
        refuse_existing_directory(target)
        with unfinished(target, key, anew=options.force) as pieces, written_whole(target) as directory:
            home = directory if pieces is None else pieces.directory
            if pieces is not None:
                pieces.begin(_facts(name, studies))
            places = _places(home, studies)
            _forecast(studies, places, options)
            _run_all(base, points, keys, places, options)
            content = _content(name, grid, points, studies, places)
            write_record(directory, content)
            if pieces is not None:
                _link(pieces.directory, directory)
            for run in map(load, _places(directory, studies)):
                if lost := amiss(run.path, run.manifest):
                    raise WriteError(f"{target}: points/{run.path.name}: {'; '.join(lost)}")
        return Sweep(target, content)
    _forecast(studies, [RESULTS / f"{study.name}-{key}" for study, key in zip(studies, keys, strict=True)], options)
    try:
        found = _run_all(base, points, keys, [None] * len(studies), options)
    except (KeyboardInterrupt, SystemExit, DesError) as error:
        say_what_is_left(error, "finished points are kept in results/; run the same command again to continue")
        raise
    target = RESULTS / name
    content = _content(name, grid, points, studies, found)
    with written_whole(target, replace=True) as directory:
        write_record(directory, content)
    return Sweep(target, content)


def _at_address(name: str, grid: Grid, base: Loaded, studies: Sequence[Study], options: RunOptions) -> Sweep:
    """Every point is a run below the address, whole when its manifest is there. The record comes last."""
    storage, points = Storage(str(options.out)), list(grid)
    sizes = storage.sizes()
    if MANIFEST in sizes:
        raise OutputError(f"{storage.url}: another result is here; choose another address")
    if RECORD in sizes:
        found = load_sweep(storage.url)
        if found.content.get("name") != name and not options.force:
            raise OutputError(f"{storage.url}: {found.content.get('name')} is here; choose another address")
        if not options.force:
            return replace(found, reused=True)
        storage.remove([RECORD, TABLE])
    there = [f"{POINTS}/{number:04d}/{MANIFEST}" in sizes and not options.force for number in range(len(points))]
    missing = [number for number, is_there in enumerate(there) if not is_there]
    places = [f"{storage.url.rstrip('/')}/{POINTS}/{number:04d}" for number in range(len(points))]
    if options.before is not None and missing:
        options.before(of_runs([studies[number] for number in missing], options.where))
    keys = [studies[number].identity.key() for number in missing]
    try:
        _run_all(base, [points[number] for number in missing], keys, [places[number] for number in missing], options)
    except BaseException as error:
        say_what_is_left(error, f"finished points are kept in {storage.url}; run the same command again to continue")
        raise
    content = _content(name, grid, points, studies, [place_of(place) for place in places])
    with scratch_directory() as directory:
        write_record(directory, content)
        for file in (TABLE, RECORD):
            storage.put(file, directory / file)
    return Sweep(place_of(storage.url), content)


def _places(directory: Path, studies: Sequence[Study]) -> list[Path]:
    return [directory / POINTS / f"{number:04d}" for number in range(len(studies))]


def _facts(name: str, studies: Sequence[Study]) -> dict[str, Any]:
    """What `des results` shows of a sweep under way."""
    scenario = studies[0].loaded.scenario
    return {
        "name": name,
        "title": scenario.title,
        "arms": list(studies[0].plans),
        "seed": scenario.seed,
        "replications": scenario.replications,
        "parts": len(studies),
        "unit": "points",
    }


def _forecast(studies: Sequence[Study], places: Sequence[Path], options: RunOptions) -> None:
    """Of the points that are not there yet."""
    missing = [
        study for study, place in zip(studies, places, strict=True) if not place.is_dir() or _simulates_again(options)
    ]
    if options.before is not None and missing:
        say_if_too_large(missing, options, places[0].parent)
        options.before(of_runs(missing, options.where, target=places[0].parent))


def _simulates_again(options: RunOptions) -> bool:
    """Whether points that are there are simulated again; with `out`, they were begun by this sweep."""
    return options.force and options.out is None


def _link(source: Path, target: Path) -> None:
    """Give the files of all points a name in the directory of the sweep too."""
    for path in sorted((source / POINTS).rglob("*")):
        if path.is_file():
            link_file(path, target / path.relative_to(source))


@dataclass(frozen=True, slots=True)
class _Making:
    """A job: makes the run of a point from beginning to end. A task is the point's number.

    `base` is the scenario without the points' values, and `places` are None where runs go to `results`.
    """

    base: Loaded
    points: Sequence[Mapping[str, str]]
    options: RunOptions
    keys: Sequence[str]
    places: Sequence[Path | str | None]
    results: Path

    def __call__(self, number: int, report: Report | None) -> str:
        """Where the run is. Raises RunError where another version of the program would make another run."""
        loaded = _at_point(self.base, self.points[number], self.options)
        study = Study.of(loaded, traces=self.options.traces, precision=self.options.target())
        if study.identity.key() != self.keys[number]:
            raise RunError(f"point {number}: is another run here; install the same version of des on all machines")
        progress: Progress | None = None if report is None else lambda share, what: report(share)
        options = replace(self.options, progress=progress, out=self.places[number])
        if options.out is not None and not is_url(options.out) and Path(options.out).is_dir():
            return str(kept_there(study, options).run.path)
        return str(kept(study, options, self.results).run.path)


def _at_point(base: Loaded, point: Mapping[str, str], options: RunOptions) -> Loaded:
    """The scenario with the values of a point, and with seed and replications where the options have them."""
    assignments = [f"{path}={value}" for path, value in point.items()]
    return replace(options, overrides=assignments).load(base)


def _run_all(
    base: Loaded,
    points: Sequence[Mapping[str, str]],
    keys: Sequence[str],
    places: Sequence[Path | str | None],
    options: RunOptions,
) -> list[Path]:
    """Points in parallel. Where there are fewer points than processes, the replications of each in parallel."""
    where = options.where
    apart = len(points) >= (where if isinstance(where, int) else where.processors())
    absolute = apart and not isinstance(where, int)  # others have another working directory
    making = _Making(
        base,
        points,
        options.here if apart else replace(options, progress=None, before=None),
        keys,
        [place.absolute() if absolute and isinstance(place, Path) else place for place in places],
        RESULTS.absolute() if absolute else RESULTS,
    )
    done = [0.0] * len(points)

    def watch(number: int, share: float) -> None:
        done[number] = max(done[number], min(1.0, share))
        if options.progress is not None:
            options.progress(sum(done) / len(done), f"point {number + 1}/{len(done)}")

    with terminating_signals_raise(), Workers(carried(making), where if apart else 1) as pool:
        return [place_of(place) for place in pool.map(range(len(points)), watch)]


def _studies(base: Loaded, points: Sequence[Mapping[str, str]], options: RunOptions) -> list[Study]:
    target = options.target()
    studies: list[Study] = []
    problems: list[Problem] = []
    for point in points:
        try:
            studies.append(Study.of(_at_point(base, point, options), traces=options.traces, precision=target))
        except ScenarioError as error:
            problems.extend(error.problems)
    if problems:
        raise ScenarioError(each_once(problems))
    return studies


def _content(
    name: str, grid: Grid, points: Sequence[Mapping[str, str]], studies: Sequence[Study], places: Sequence[Path]
) -> dict[str, Any]:
    """What sweep.json holds."""
    runs = list(map(load, places))
    for run, study in zip(runs, studies, strict=True):
        if run.manifest.get("key") != study.identity.key():
            raise OutputError(f"{run.path}: another run is here; choose another directory or address")
    first = studies[0].loaded.scenario
    return {
        "name": name,
        "title": first.title,
        "seed": first.seed,
        "estimator": REQUEST_LEVEL,
        "over": list(grid.paths),
        "points": [_record(*each) for each in zip(points, runs, studies, strict=True)],
    }


def _record(point: Mapping[str, str], run: Run, study: Study) -> dict[str, Any]:
    joint = _joint(study)
    arms = {
        arm: {"joint": joint[arm]} | {metric: figure for metric, figure in metrics.items() if "mean" in figure}
        for arm, metrics in run.summary["arms"].items()
    }
    return {
        "values": dict(point),
        "run": f"{POINTS}/{run.path.name}" if run.path.parent.name == POINTS else run.path.name,
        "replications": run.manifest["replications"],
        "arms": arms,
    } | {name: run.summary[name] for name in ("unseen", "expectations", "precision", "remarks") if name in run.summary}


def _joint(study: Study) -> dict[str, dict[str, Any]]:
    from des.estimate.exact import exact_or_none

    found = {arm: exact_or_none(plan) for arm, plan in study.plans.items()}
    return {
        arm: {"all_down": None, "k_eff": None}
        if answer is None
        else {"all_down": answer.all_down, "k_eff": answer.k_eff}
        for arm, answer in found.items()
    }
