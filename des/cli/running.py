"""Commands that simulate every request: `run`, `compare`, `sweep`."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from des.cli.application import (
    DONE,
    FAILED,
    INCONCLUSIVE,
    app,
    complain,
    complain_of,
    console,
    progress_bar,
    reported,
    say,
)
from des.cli.asking import YesOption, before
from des.cli.options import ScenarioArgument, takes_run_options

if TYPE_CHECKING:
    from des.study.options import RunOptions
    from des.study.run import Finished

_NoTraces = Annotated[bool, typer.Option("--no-traces", help="Keep the summary alone.")]
_SummaryJson = Annotated[bool, typer.Option("--json", help="Print summary.json instead of tables.")]


@app.command(
    short_help="Simulate a scenario: traces and a summary.",
    help="Simulate every request of a scenario; leave traces and a summary in results/.",
)
@reported
@takes_run_options
def run(
    scenario: ScenarioArgument,
    options: "RunOptions",
    no_traces: _NoTraces = False,
    as_json: _SummaryJson = False,
    yes: YesOption = False,
) -> int:
    from des.report.tables import print_run
    from des.study.run import ensure

    options = replace(options, traces=not no_traces, before=before("run", scenario, yes=yes))
    with progress_bar() as progress:
        finished = ensure(scenario, replace(options, progress=progress))
    return _conclude(finished, print_run, as_json)


@app.command(
    short_help="Compare the arms of a scenario.",
    help="Compare a scenario as modelled with its independent twin, and with its other arms: the same requests, "
    "incidents and random numbers in each.",
)
@reported
@takes_run_options
def compare(
    scenario: ScenarioArgument,
    options: "RunOptions",
    arms: Annotated[
        str | None, typer.Option("--arms", metavar="A,B", help="Which arms, the first being compared with.")
    ] = None,
    no_traces: _NoTraces = False,
    as_json: _SummaryJson = False,
    yes: YesOption = False,
) -> int:
    from des.report.comparison_tables import print_comparison
    from des.study.compare import ensure_compared

    chosen = None if arms is None else [arm.strip() for arm in arms.split(",") if arm.strip()]
    options = replace(options, traces=not no_traces, before=before("compare", scenario, yes=yes))
    with progress_bar() as progress:
        finished = ensure_compared(scenario, replace(options, progress=progress), chosen)
    return _conclude(finished, print_comparison, as_json)


@app.command(
    short_help="Run a scenario over ranges of its fields.",
    help="Run a scenario at every combination of the values of some fields; one row a point. Points found in results/ "
    "are not simulated again.",
)
@reported
@takes_run_options
def sweep(
    scenario: ScenarioArgument,
    over: Annotated[
        list[str], typer.Option("--over", metavar="PATH=V1,V2", help="A field and its values. Repeatable: all pairs.")
    ],
    options: "RunOptions",
    traces: Annotated[bool, typer.Option("--traces", help="Keep the traces of every point.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print sweep.json instead of a table.")] = False,
    yes: YesOption = False,
) -> int:
    from des.report.tables import precision_reached, print_sweep
    from des.study.sweep import sweep_with

    options = replace(options, traces=traces, before=before("sweep", scenario, yes=yes))
    with progress_bar() as progress:
        finished = sweep_with(scenario, over, replace(options, progress=progress))
    complain_of(dict.fromkeys(remark for run in finished.runs for remark in run.summary.get("remarks", ())))
    if as_json:
        say((finished.path / "sweep.json").read_text(encoding="utf-8").rstrip("\n"))
    else:
        print_sweep(finished, console())
    return DONE if all(precision_reached(run.summary) for run in finished.runs) else INCONCLUSIVE


def _conclude(finished: "Finished", show: Callable[..., None], as_json: bool) -> int:
    """Print a finished run. Returns the exit code, by the verdicts on its expectations."""
    from des.estimate.estimate import MET, MISSED
    from des.report.tables import expectation_sentence, precision_reached, precision_sentence, verdicts

    run = finished.run
    complain_of(run.summary.get("remarks", ()))
    judged = verdicts(run.manifest, run.summary)
    amiss = [verdict for verdict in judged if verdict.result != MET]
    precise = precision_reached(run.summary)
    if as_json:
        say((run.path / "summary.json").read_text(encoding="utf-8").rstrip("\n"))
        for verdict in amiss:
            complain(expectation_sentence(verdict))
        for sentence in () if precise else precision_sentence(run.summary):
            complain(sentence)
    else:
        show(run, judged, reused=finished.reused, console=console())
    if any(verdict.result == MISSED for verdict in amiss):
        return FAILED
    return DONE if precise and not amiss else INCONCLUSIVE
