"""Commands that simulate every request: `run`, `compare`."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from des.cli.application import (
    app,
    complain,
    complain_of,
    console,
    progress_bar,
    reported,
    say,
)
from des.cli.asking import YesOption, before
from des.cli.expectations import complain_of_verdicts, conclude
from des.cli.options import (
    JunitOption,
    NoTracesOption,
    ScenarioArgument,
    TracesOption,
    listed,
    takes_run_options,
    traces_asked,
)
from des.cli.printing import after_it_is_kept

if TYPE_CHECKING:
    from des.study.options import RunOptions
    from des.study.run import Finished

_SummaryJson = Annotated[bool, typer.Option("--json", help="Print summary.json instead of tables.")]


@app.command(
    short_help="Simulate a scenario: traces and a summary.",
    help="Simulate every request of a scenario and write traces and a summary to results/.",
)
@reported
@takes_run_options
def run(
    scenario: ScenarioArgument,
    options: "RunOptions",
    traces: TracesOption = None,
    no_traces: NoTracesOption = False,
    as_json: _SummaryJson = False,
    yes: YesOption = False,
    junit: JunitOption = None,
) -> int:
    from des.report.junit import check_junit
    from des.report.tables import print_run
    from des.study.run import ensure

    check_junit(junit)
    options = replace(options, traces=traces_asked(traces, no_traces), before=before("run", scenario, yes=yes))
    with progress_bar() as progress:
        finished = ensure(scenario, replace(options, progress=progress))
    return _conclude(finished, print_run, as_json, junit)


@app.command(
    short_help="Compare the arms of a scenario.",
    help="Compare a scenario as modelled with its independent twin and its other arms. All arms have the same "
    "requests, incidents and random numbers.",
)
@reported
@takes_run_options
def compare(
    scenario: ScenarioArgument,
    options: "RunOptions",
    arms: Annotated[
        str | None, typer.Option("--arms", metavar="A,B", help="Arms to compare. The first is the baseline.")
    ] = None,
    traces: TracesOption = None,
    no_traces: NoTracesOption = False,
    as_json: _SummaryJson = False,
    yes: YesOption = False,
    junit: JunitOption = None,
) -> int:
    from des.report.comparison_tables import print_comparison
    from des.report.junit import check_junit
    from des.study.compare import ensure_compared

    check_junit(junit)
    options = replace(options, traces=traces_asked(traces, no_traces), before=before("compare", scenario, yes=yes))
    with progress_bar() as progress:
        finished = ensure_compared(scenario, replace(options, progress=progress), listed(arms))
    return _conclude(finished, print_comparison, as_json, junit)


def _conclude(finished: "Finished", show: Callable[..., None], as_json: bool, junit: Path | None) -> int:
    """Print a finished run. Returns the exit code, by the verdicts on its expectations."""
    from des.report.junit import suite_of
    from des.report.tables import precision_reached, precision_sentence

    run = finished.run
    complain_of(run.summary.get("remarks", ()))
    suite = suite_of(run)
    suite = replace(suite, verdicts=(*suite.verdicts, *finished.left_out))
    precise = precision_reached(run.summary)
    with after_it_is_kept(f"the run is in {run.path}"):
        if as_json:
            say((run.path / "summary.json").read_text(encoding="utf-8").rstrip("\n"))
            complain_of_verdicts(suite.verdicts)
            for sentence in () if precise else precision_sentence(run.summary):
                complain(sentence)
        else:
            show(run, suite.verdicts, reused=finished.reused, console=console())
    return conclude([suite], junit, precise=precise)
