"""Runs a scenario at every combination of some fields' values, with the same random numbers at each point."""

import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Unpack

from des.disk import link_file, refuse_existing_directory, written_whole
from des.errors import DesError, Problem, ScenarioError, WriteError, say_what_is_left
from des.frames import html
from des.pool import Report, Workers
from des.signals import terminating_signals_raise
from des.study.duration import of_runs
from des.study.identity import json_text
from des.study.options import Progress, RunKeywords, RunOptions, Source, with_run_keywords
from des.study.recorded import Run, load
from des.study.run import RESULTS, kept, kept_there
from des.study.study import Study
from des.study.unfinished import POINTS, unfinished
from des.traces.reader import amiss

if TYPE_CHECKING:
    import pandas as pd

_MOST_POINTS: Final = 10_000
_BRACKETS: Final = {"[": "]", "{": "}", "(": ")"}


@dataclass(frozen=True, eq=False)
class Sweep:
    """The points of a sweep, each a run of its own, and their figures side by side.

    `points` hold the value of each path, as written. `joint` holds by arm P(all down) and k_eff of its chain, where
    exact. `des.report.tables.sweep_text` prints them like the command.
    """

    path: Path
    over: tuple[str, ...]
    points: tuple[Mapping[str, str], ...]
    runs: tuple[Run, ...]
    joint: tuple[Mapping[str, Mapping[str, Any]], ...]

    @cached_property
    def table(self) -> "pd.DataFrame":
        """One row per point and arm: the values, then every metric with its interval."""
        import pandas as pd

        return pd.DataFrame(list(self.rows())).set_index([*self.over, "arm"])

    def rows(self) -> Iterator[dict[str, Any]]:
        for point, run, joint in zip(self.points, self.runs, self.joint, strict=True):
            for arm, metrics in run.summary["arms"].items():
                row: dict[str, Any] = dict(point) | {"arm": arm}
                for metric, figure in metrics.items():
                    if "mean" in figure:
                        row |= {
                            metric: figure["mean"],
                            f"{metric}_low": figure["low"],
                            f"{metric}_high": figure["high"],
                        }
                yield {**row, **joint[arm]}

    def _repr_html_(self) -> str:
        return html(repr(self), self.table)

    def __repr__(self) -> str:
        arms = dict.fromkeys(arm for run in self.runs for arm in run.summary["arms"])
        return f"<Sweep {self.path}: {len(self.points)} points over {', '.join(self.over)}; arms {', '.join(arms)}>"


@with_run_keywords(traces=False)
def sweep(scenario: Source, over: Mapping[str, Sequence[Any]] | Sequence[str], **options: Unpack[RunKeywords]) -> Sweep:
    """Run every combination of values: `over={"policy.rounds": [1, 2, 3]}`, or texts such as `policy.rounds=1,2,3`.

    Each point is an ordinary run in `results/`, so an interrupted sweep reuses the points it has finished. The figures
    of all points are in `results/<scenario>-sweep-<key>/` (`sweep.json`, `sweep.csv`). With `out`, everything goes
    there, and until all of it is done stands in `.partial` beside it. All points share their random numbers. Traces are
    kept only with `traces=True`.

    Raises ScenarioError with the problems of all points before anything is run.
    """
    options.setdefault("traces", False)
    return sweep_with(scenario, over, RunOptions(**options))


def sweep_with(scenario: Source, over: Mapping[str, Sequence[Any]] | Sequence[str], options: RunOptions) -> Sweep:
    """Like `sweep`."""
    axes = _axes(over)
    points = [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]
    if len(points) > _MOST_POINTS:
        raise DesError(f"--over: {len(points):,} points, more than {_MOST_POINTS:,}")
    studies = _studies(scenario, points, options)
    keys = [study.identity.key() for study in studies]
    key = hashlib.sha256(json.dumps([list(axes), keys]).encode()).hexdigest()[:12]
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
            _write(directory, _sweep(home, axes, points, studies, places))
            if pieces is not None:
                _link(pieces.directory, directory)
            for run in map(load, _places(directory, studies)):
                if lost := amiss(run.path, run.manifest):
                    raise WriteError(f"{target}: points/{run.path.name}: {'; '.join(lost)}")
        return _sweep(target, axes, points, studies, _places(target, studies))
    _forecast(studies, [RESULTS / f"{study.name}-{key}" for study, key in zip(studies, keys, strict=True)], options)
    try:
        found = _run_all(studies, [None] * len(studies), options)
    except (KeyboardInterrupt, SystemExit, DesError) as error:
        say_what_is_left(error, "finished points are kept in results/; run the same command again to continue")
        raise
    target = RESULTS / name
    finished = _sweep(target, axes, points, studies, found)
    with written_whole(target, replace=True) as directory:
        _write(directory, finished)
    return finished


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


def _axes(over: Mapping[str, Sequence[Any]] | Sequence[str]) -> dict[str, list[str]]:
    """Each path with its values as `--set` takes them.

    Raises DesError for a text without path or values, and for a path given twice.
    """
    if isinstance(over, Mapping):
        pairs = [(path, [_written(value) for value in values]) for path, values in over.items()]
    else:
        pairs = [_pair(text) for text in ([over] if isinstance(over, str) else over)]
    if not pairs:
        raise DesError("nothing to sweep over: name a path and its values, such as --over policy.rounds=1,2,3")
    axes: dict[str, list[str]] = {}
    for path, values in pairs:
        if path in axes:
            raise DesError(f"--over {path}: given twice; write all its values at once")
        if not values or "" in values:
            raise DesError(f"--over {path}: expected values separated by commas, such as 1,2,3")
        axes[path] = list(dict.fromkeys(values))
    return axes


def _pair(text: str) -> tuple[str, list[str]]:
    path, equals, values = text.partition("=")
    if not equals or not path.strip():
        raise DesError(f"--over {text}: expected path=value,value, such as policy.rounds=1,2,3")
    return path.strip(), _split(values)


def _split(text: str) -> list[str]:
    """At commas outside brackets and quotes."""
    parts, closers, quote = [""], [], ""
    for letter in text:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        elif letter in _BRACKETS:
            closers.append(_BRACKETS[letter])
        elif closers and letter == closers[-1]:
            closers.pop()
        elif letter == "," and not closers:
            parts.append("")
            continue
        parts[-1] += letter
    return [part.strip() for part in parts]


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _sweep(
    path: Path,
    axes: Mapping[str, Sequence[str]],
    points: Sequence[Mapping[str, str]],
    studies: Sequence[Study],
    places: Sequence[Path],
) -> Sweep:
    return Sweep(path, tuple(axes), tuple(points), tuple(map(load, places)), tuple(map(_joint, studies)))


def _joint(study: Study) -> dict[str, dict[str, Any]]:
    from des.estimate.exact import exact_or_none

    found = {arm: exact_or_none(plan) for arm, plan in study.plans.items()}
    return {
        arm: {"all_down": None, "k_eff": None}
        if answer is None
        else {"all_down": answer.all_down, "k_eff": answer.k_eff}
        for arm, answer in found.items()
    }


def _write(directory: Path, finished: Sweep) -> None:
    points = [
        {
            "values": dict(point),
            "run": f"points/{run.path.name}" if run.path.parent.name == "points" else run.path.name,
            "replications": run.manifest["replications"],
            "arms": {
                arm: {"joint": joint[arm]} | {metric: figure for metric, figure in metrics.items() if "mean" in figure}
                for arm, metrics in run.summary["arms"].items()
            },
        }
        | {name: run.summary[name] for name in ("unseen", "expectations") if name in run.summary}
        for point, run, joint in zip(finished.points, finished.runs, finished.joint, strict=True)
    ]
    text = json_text({"over": list(finished.over), "points": points})
    (directory / "sweep.json").write_text(text, encoding="utf-8")
    finished.table.to_csv(directory / "sweep.csv")
