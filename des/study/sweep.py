"""Run a scenario at every combination of some of its fields' values, each point with the same luck."""

import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from des.errors import DesError, Problem, ScenarioError
from des.pool import Report, Workers
from des.scenario import Loaded, Scenario
from des.signals import terminating_signals_raise
from des.study.axes import parse_axes
from des.study.destination import written_whole
from des.study.precision import Precision
from des.study.run import RESULTS, check_workers, kept, loaded
from des.study.study import Progress, Study, json_text
from des.traces import Run, load

if TYPE_CHECKING:
    import pandas as pd

MOST_POINTS: Final = 10_000
SWEEP: Final = "sweep.json"


@dataclass(frozen=True, eq=False)
class Sweep:
    """The points of a sweep, each a run of its own, and their figures side by side.

    `des.report.sweep_table.sweep_text` writes them as the command does.
    """

    path: Path
    over: tuple[str, ...]
    points: tuple[Mapping[str, str], ...]  # the value of each path, as written
    runs: tuple[Run, ...]
    joint: tuple[Mapping[str, Mapping[str, Any]], ...]  # by arm: P(all down) and k_eff of its chain, where exact

    @cached_property
    def table(self) -> "pd.DataFrame":
        """One row for a point and an arm: the values, then every metric with its interval."""
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

    def __repr__(self) -> str:
        arms = dict.fromkeys(arm for run in self.runs for arm in run.summary["arms"])
        return f"<Sweep {self.path}: {len(self.points)} points over {', '.join(self.over)}; arms {', '.join(arms)}>"


def sweep(
    scenario: str | Path | Mapping[str, Any] | Scenario | Loaded,
    over: Mapping[str, Sequence[Any]] | Sequence[str],
    *,
    out: str | Path | None = None,
    seed: int | None = None,
    replications: int | None = None,
    overrides: Sequence[str] = (),
    traces: bool = False,
    force: bool = False,
    workers: int = 1,
    precision: Mapping[str, float] | Sequence[str] = (),
    max_replications: int | None = None,
    progress: Progress | None = None,
) -> Sweep:
    """Run every combination of values: `over={"policy.rounds": [1, 2, 3]}`, or texts such as `policy.rounds=1,2,3`.

    Each point is a run like any other, in `results/`, where an interrupted sweep finds those it had finished; the
    figures of all of them stand in `results/<scenario>-sweep-<key>/` (`sweep.json`, `sweep.csv`). With `out`, all of it
    lands there. All points share their random numbers. Raises ScenarioError with the problems of all points before
    anything is run.
    """
    check_workers(workers)
    axes = parse_axes(over)
    asked = Precision.of(precision, max_replications)
    points = [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]
    if len(points) > MOST_POINTS:
        raise DesError(f"--over: {len(points):,} points, more than {MOST_POINTS:,}")
    studies = _studies(scenario, points, overrides, seed, replications, traces, asked)
    if out is not None:
        with written_whole(Path(out)) as directory:
            places = [directory / "points" / f"{number:04d}" for number in range(len(studies))]
            _run_all(studies, places, force, workers, progress)
            _write(directory, _sweep(directory, axes, points, studies, places))
        target = Path(out)
        places = [target / "points" / f"{number:04d}" for number in range(len(studies))]
        return _sweep(target, axes, points, studies, places)
    found = _run_all(studies, [None] * len(studies), force, workers, progress)
    key = hashlib.sha256(json.dumps([list(axes), [study.key() for study in studies]]).encode()).hexdigest()[:12]
    target = RESULTS / f"{studies[0].name}-sweep-{key}"
    finished = _sweep(target, axes, points, studies, found)
    with written_whole(target, replace=True) as directory:
        _write(directory, finished)
    return finished


@dataclass(frozen=True, slots=True)
class _Point:
    """A run that one process makes from beginning to end."""

    study: Study
    out: Path | None
    force: bool
    workers: int


def _make(point: _Point, told: Report | None) -> Path:
    def progress(share: float, what: str) -> None:
        if told is not None:
            told(share)

    return kept(point.study, out=point.out, force=point.force, workers=point.workers, progress=progress).run.path


def _run_all(
    studies: Sequence[Study], places: Sequence[Path | None], force: bool, workers: int, progress: Progress | None
) -> list[Path]:
    """Points in parallel, or where there are fewer points than processes, the replications of each."""
    apart = len(studies) >= workers
    points = [
        _Point(study, place, force, 1 if apart else workers) for study, place in zip(studies, places, strict=True)
    ]
    done = [0.0] * len(points)

    def watch(number: int, share: float) -> None:
        done[number] = max(done[number], min(1.0, share))
        if progress is not None:
            progress(sum(done) / len(done), f"point {number + 1}/{len(done)}")

    with terminating_signals_raise(), Workers(_make, workers if apart else 1) as pool:
        return list(pool.map(points, watch))


def _studies(
    scenario: str | Path | Mapping[str, Any] | Scenario | Loaded,
    points: Sequence[Mapping[str, str]],
    overrides: Sequence[str],
    seed: int | None,
    replications: int | None,
    traces: bool,
    precision: Precision | None,
) -> list[Study]:
    loaded(scenario, overrides, seed, replications)  # what is wrong everywhere is said once
    studies: list[Study] = []
    problems: list[Problem] = []
    for point in points:
        assignments = [f"{path}={value}" for path, value in point.items()]
        try:
            at_point = loaded(scenario, [*overrides, *assignments], seed, replications)
            studies.append(Study.of(at_point, traces=traces, precision=precision))
        except ScenarioError as error:
            problems.extend(error.problems)
    if problems:
        raise ScenarioError(list(dict.fromkeys(problems)))
    return studies


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
        for point, run, joint in zip(finished.points, finished.runs, finished.joint, strict=True)
    ]
    text = json_text({"over": list(finished.over), "points": points})
    (directory / SWEEP).write_text(text, encoding="utf-8")
    finished.table.to_csv(directory / "sweep.csv")
