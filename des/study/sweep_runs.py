"""A sweep of simulated runs: each point is a run of its own, and all share their random numbers."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from des.disk import link_file, refuse_existing_directory, written_whole
from des.errors import DesError, Problem, ScenarioError, WriteError, say_what_is_left
from des.estimate.estimate import REQUEST_LEVEL
from des.pool import Report, Workers
from des.signals import terminating_signals_raise
from des.study.duration import of_runs
from des.study.options import Progress, RunOptions, Source
from des.study.recorded import Run, load
from des.study.run import RESULTS, kept, kept_there
from des.study.study import Study
from des.study.sweep_ranges import Grid
from des.study.sweep_record import Sweep, write_record
from des.study.unfinished import POINTS, unfinished
from des.traces.reader import amiss


def swept_by_runs(scenario: Source, grid: Grid, options: RunOptions) -> Sweep:
    """The sweep in `results/`, its points beside it, or all of it in `out`.

    Raises ScenarioError with the problems of all points before anything is run.
    """
    points = list(grid)
    studies = _studies(scenario, points, options)
    keys = [study.identity.key() for study in studies]
    key = hashlib.sha256(json.dumps([list(grid.paths), keys]).encode()).hexdigest()[:12]
    name = f"{studies[0].name}-sweep-{key}"
    if options.out is not None:
        target = Path(options.out)
        refuse_existing_directory(target)
        with unfinished(target, key, anew=options.force) as pieces, written_whole(target) as directory:
            home = directory if pieces is None else pieces.directory
            if pieces is not None:
                pieces.begin(_facts(name, studies))
            places = _places(home, studies)
            _forecast(studies, places, options)
            _run_all(studies, places, options)
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
        found = _run_all(studies, [None] * len(studies), options)
    except (KeyboardInterrupt, SystemExit, DesError) as error:
        say_what_is_left(error, "finished points are kept in results/; run the same command again to continue")
        raise
    target = RESULTS / name
    content = _content(name, grid, points, studies, found)
    with written_whole(target, replace=True) as directory:
        write_record(directory, content)
    return Sweep(target, content)


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
        options.before(of_runs(missing, options.workers))


def _simulates_again(options: RunOptions) -> bool:
    """Whether points that are there are simulated again; with `out`, they were begun by this sweep."""
    return options.force and options.out is None


def _link(source: Path, target: Path) -> None:
    """Give the files of all points a name in the directory of the sweep too."""
    for path in sorted((source / POINTS).rglob("*")):
        if path.is_file():
            link_file(path, target / path.relative_to(source))


@dataclass(frozen=True, slots=True)
class _Point:
    """A run that one process does from beginning to end."""

    study: Study
    options: RunOptions


def _make(point: _Point, report: Report | None) -> Path:
    progress: Progress | None = None if report is None else lambda share, what: report(share)
    options = replace(point.options, progress=progress)
    if options.out is not None and Path(options.out).is_dir():
        return kept_there(point.study, options).run.path
    return kept(point.study, options).run.path


def _run_all(studies: Sequence[Study], places: Sequence[Path | None], options: RunOptions) -> list[Path]:
    """Points in parallel. Where there are fewer points than processes, the replications of each in parallel."""
    apart = len(studies) >= options.workers
    of_point = replace(options, workers=1 if apart else options.workers, progress=None, before=None)
    points = [_Point(study, replace(of_point, out=place)) for study, place in zip(studies, places, strict=True)]
    done = [0.0] * len(points)

    def watch(number: int, share: float) -> None:
        done[number] = max(done[number], min(1.0, share))
        if options.progress is not None:
            options.progress(sum(done) / len(done), f"point {number + 1}/{len(done)}")

    with terminating_signals_raise(), Workers(_make, options.workers if apart else 1) as pool:
        return list(pool.map(points, watch))


def _studies(scenario: Source, points: Sequence[Mapping[str, str]], options: RunOptions) -> list[Study]:
    target = options.target()
    options.load(scenario)  # reports problems common to all points once
    studies: list[Study] = []
    problems: list[Problem] = []
    for point in points:
        assignments = [f"{path}={value}" for path, value in point.items()]
        try:
            at_point = replace(options, overrides=[*options.overrides, *assignments]).load(scenario)
            studies.append(Study.of(at_point, traces=options.traces, precision=target))
        except ScenarioError as error:
            problems.extend(error.problems)
    if problems:
        raise ScenarioError(list(dict.fromkeys(problems)))
    return studies


def _content(
    name: str, grid: Grid, points: Sequence[Mapping[str, str]], studies: Sequence[Study], places: Sequence[Path]
) -> dict[str, Any]:
    """What sweep.json holds."""
    runs = list(map(load, places))
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
