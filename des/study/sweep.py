"""Answers or runs a scenario at every combination of values of some fields, with the same random numbers at each."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, Unpack

from des.compiled import using
from des.errors import DesError
from des.estimate.availability import check_years
from des.estimate.estimate import REQUEST_LEVEL
from des.pool import processors
from des.study.options import Forecast, RunKeywords, RunOptions, Source, with_run_keywords
from des.study.sweep_answers import swept_by_answers
from des.study.sweep_point import ROUNDS, Asked
from des.study.sweep_ranges import Grid, grid
from des.study.sweep_record import BATCH_METRICS, BEST, MORE_METRICS, OWN_METRICS, Sweep
from des.study.sweep_runs import swept_by_runs
from des.study.unfinished import POINTS
from des.vocabulary import CASCADE_METRICS, METRICS, METRICS_IN_OTHER_WORDS
from des.words import did_you_mean, unknown

ESTIMATORS: Final = (BEST, REQUEST_LEVEL)
SHOWN_METRICS: Final = (*METRICS, *OWN_METRICS, "k_eff", *MORE_METRICS, *CASCADE_METRICS, *BATCH_METRICS)
"""What `--metric` names."""
_MANY: Final = 1_000
"""Points that are not even read before somebody was asked."""


@with_run_keywords(traces=False)
def sweep(
    scenario: Source,
    over: Mapping[str | tuple[str, ...], Sequence[Any]] | Sequence[str],
    *,
    estimator: str = BEST,
    metrics: Sequence[str] = (),
    rounds: int | None = None,
    years: float | None = None,
    **options: Unpack[RunKeywords],
) -> Sweep:
    """Find the figures at every combination of values.

    `over` is `{"policy.rounds": [1, 2, 3]}`, `{("a", "b"): [(1, 2), (3, 4)]}` for paths that change together, or texts
    such as `policy.rounds=1,2,3`, `shared=0:1:0.1` (the end included), `workload.arrivals.rate=log:1/min:1000/min:7`
    and `a=1,2; b=3,4`.

    `estimator="best"` answers each point as `des.answer` does, in as many `rounds` (1). `metrics` are those that
    matter; no requests are simulated where availability is known without them and nothing else is asked or expected.
    `years` of incidents are drawn where availability takes drawn ones, as many as by `des.availability` unless said
    otherwise; the figures are to the last digit those of `des.availability` with as many years.
    `estimator="request level"` simulates a run at each point; `replications`, `precision` and `traces` are for those.

    Everything is written to `results/<scenario>-sweep-<key>/` (`sweep.json`, `sweep.csv`), or to `out`. Finished points
    are kept, so the same call goes on after an interruption. `.table` and `.figures` are frames.

    Raises ScenarioError with the problems of all points before any is answered, DesError for what cannot be swept over.
    """
    options.setdefault("traces", False)
    return sweep_with(
        scenario, over, RunOptions(**options), estimator=estimator, metrics=metrics, rounds=rounds, years=years
    )


def sweep_with(
    scenario: Source,
    over: Mapping[str | tuple[str, ...], Sequence[Any]] | Sequence[str],
    options: RunOptions,
    *,
    estimator: str = BEST,
    metrics: Sequence[str] = (),
    rounds: int | None = None,
    years: float | None = None,
) -> Sweep:
    """Like `sweep`."""
    with using(options.engine):
        return _swept(scenario, over, options, estimator, metrics, rounds, years)


def _swept(
    scenario: Source,
    over: Mapping[str | tuple[str, ...], Sequence[Any]] | Sequence[str],
    options: RunOptions,
    estimator: str,
    metrics: Sequence[str],
    rounds: int | None,
    years: float | None,
) -> Sweep:
    points = grid(over)
    chosen = estimator.replace("-", " ")
    if chosen not in ESTIMATORS:
        raise DesError(f"--estimator: {unknown('estimator', estimator, ESTIMATORS)}")
    check_metrics(metrics)
    _check_options(chosen, options, rounds, years)
    _ask_before_reading(scenario, points, options)
    if chosen == REQUEST_LEVEL:
        return swept_by_runs(scenario, points, options)
    asked = Asked(tuple(metrics), ROUNDS if rounds is None else rounds, None if years is None else float(years))
    return swept_by_answers(scenario, points, options, asked)


def check_metrics(metrics: Sequence[str]) -> None:
    """Raises DesError naming each that is no metric, with the nearest one and all of them."""
    if wrong := [metric for metric in metrics if metric not in SHOWN_METRICS]:
        meant = {each: did_you_mean(METRICS_IN_OTHER_WORDS.get(each, each), SHOWN_METRICS) for each in wrong}
        said = "\n".join(f"--metric {each}: unknown metric{question}" for each, question in meant.items())
        raise DesError(f"{said}\nthere are: {', '.join(SHOWN_METRICS)}")


def _check_options(estimator: str, options: RunOptions, rounds: int | None, years: float | None) -> None:
    """Raises DesError for options of the other estimator."""
    if years is not None:
        check_years(years)
    if rounds is not None and rounds < 1:
        raise DesError(f"--rounds {rounds}: at least 1")
    if estimator == REQUEST_LEVEL:
        if rounds is not None:
            raise DesError("--rounds: a run at request level has --replications")
        if years is not None:
            raise DesError("--years: a run at request level draws the incidents of its horizon; leave it out")
        return
    given = {
        "--replications": options.replications is not None,
        "--precision": bool(options.precision),
        "--max-replications": options.max_replications is not None,
        "--traces": options.traces,
    }
    if runs_only := [name for name, is_given in given.items() if is_given]:
        raise DesError(
            f"{', '.join(runs_only)}: for simulated runs; add --estimator request-level, or use --rounds N for "
            "narrower intervals"
        )


def _ask_before_reading(scenario: Source, points: Grid, options: RunOptions) -> None:
    """Of a sweep with many points, tell the least time they take before reading them all."""
    if options.before is None or len(points) <= _MANY:
        return
    started = time.process_time()
    values = points.at(0)
    assignments = [f"{path}={value}" for path, value in values.items()]
    RunOptions(seed=options.seed, overrides=[*options.overrides, *assignments]).load(scenario)
    each_s = time.process_time() - started
    processes = processors(options.where)
    options.before(
        Forecast(
            seconds=len(points) * each_s / processes,
            processes=processes,
            replications=len(points),
            at_least=True,
            unit=POINTS,
            unread=True,
        )
    )
