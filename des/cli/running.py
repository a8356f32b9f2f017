"""Commands that simulate every request: `run`, `compare`, `sweep`."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

import des
from des.cli.application import app
from des.cli.options import (
    ForceOption,
    MaxReplicationsOption,
    OutOption,
    PrecisionOption,
    ReplicationsOption,
    ScenarioArgument,
    SeedOption,
    SetOption,
    WorkersOption,
)
from des.cli.reporting import DONE, FAILED, INCONCLUSIVE, INTERRUPTED, complain, console, progress_bar, reported, say

if TYPE_CHECKING:
    from des.study.run import Finished


@app.command(
    short_help="Simulate a scenario: traces and a summary.",
    help="Simulate every request of a scenario; leave traces and a summary in results/.",
)
@reported
def run(
    scenario: ScenarioArgument,
    out: OutOption = None,
    seed: SeedOption = None,
    replications: ReplicationsOption = None,
    changes: SetOption = None,
    workers: WorkersOption = 1,
    precision: PrecisionOption = None,
    max_replications: MaxReplicationsOption = None,
    no_traces: Annotated[bool, typer.Option("--no-traces", help="Keep the summary alone.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print summary.json instead of tables.")] = False,
    force: ForceOption = False,
) -> int:
    from des.report.tables import print_run
    from des.study.run import ensure

    with progress_bar() as progress:
        finished = ensure(
            scenario,
            out=out,
            seed=seed,
            replications=replications,
            overrides=tuple(changes or ()),
            traces=not no_traces,
            force=force,
            workers=workers,
            precision=tuple(precision or ()),
            max_replications=max_replications,
            progress=progress,
        )
    return _conclude(finished, print_run, as_json)


def _conclude(finished: "Finished", show: Callable[..., None], as_json: bool) -> int:
    """Print a finished run; the exit code by what was expected of it."""
    from des.report import expectations
    from des.report.tables import expectation_sentence, precision_sentence

    summary = finished.run.summary
    verdicts = expectations.verdicts(finished.run.manifest, summary)
    amiss = [verdict for verdict in verdicts if verdict.result != expectations.MET]
    imprecise = not summary.get("precision", {"reached": True})["reached"]
    if as_json:
        say((finished.run.path / "summary.json").read_text(encoding="utf-8").rstrip("\n"))
        for verdict in amiss:
            complain(expectation_sentence(verdict))
        for sentence in precision_sentence(summary) if imprecise else ():
            complain(sentence)
    else:
        show(finished.run, verdicts, reused=finished.reused, console=console())
    if any(verdict.result == expectations.MISSED for verdict in amiss):
        return FAILED
    return INCONCLUSIVE if amiss or imprecise else DONE


@app.command(
    short_help="Compare the arms of a scenario.",
    help="Compare a scenario as modelled with its independent twin, and with its other arms: the same requests, "
    "incidents and luck in each.",
)
@reported
def compare(
    scenario: ScenarioArgument,
    arms: Annotated[
        str | None, typer.Option("--arms", metavar="A,B", help="Which arms, the first being compared with.")
    ] = None,
    out: OutOption = None,
    seed: SeedOption = None,
    replications: ReplicationsOption = None,
    changes: SetOption = None,
    workers: WorkersOption = 1,
    precision: PrecisionOption = None,
    max_replications: MaxReplicationsOption = None,
    no_traces: Annotated[bool, typer.Option("--no-traces", help="Keep the summary alone.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print summary.json instead of tables.")] = False,
    force: ForceOption = False,
) -> int:
    from des.report.comparison_tables import print_comparison
    from des.study.compare import ensure_compared

    with progress_bar() as progress:
        finished = ensure_compared(
            scenario,
            arms=None if arms is None else [arm.strip() for arm in arms.split(",") if arm.strip()],
            out=out,
            seed=seed,
            replications=replications,
            overrides=tuple(changes or ()),
            traces=not no_traces,
            force=force,
            workers=workers,
            precision=tuple(precision or ()),
            max_replications=max_replications,
            progress=progress,
        )
    return _conclude(finished, print_comparison, as_json)


@app.command(
    short_help="Run a scenario over ranges of its fields.",
    help="Run a scenario at every combination of the values of some fields; one row a point. Points found in results/ "
    "are not simulated again.",
)
@reported
def sweep(
    scenario: ScenarioArgument,
    over: Annotated[
        list[str], typer.Option("--over", metavar="PATH=V1,V2", help="A field and its values. Repeatable: all pairs.")
    ],
    out: OutOption = None,
    seed: SeedOption = None,
    replications: ReplicationsOption = None,
    changes: SetOption = None,
    workers: WorkersOption = 1,
    precision: PrecisionOption = None,
    max_replications: MaxReplicationsOption = None,
    traces: Annotated[bool, typer.Option("--traces", help="Keep the traces of every point.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print sweep.json instead of a table.")] = False,
    force: ForceOption = False,
) -> int:
    from des.report.sweep_table import print_sweep

    try:
        with progress_bar() as progress:
            finished = des.sweep(
                scenario,
                over,
                out=out,
                seed=seed,
                replications=replications,
                overrides=tuple(changes or ()),
                traces=traces,
                force=force,
                workers=workers,
                precision=tuple(precision or ()),
                max_replications=max_replications,
                progress=progress,
            )
    except (KeyboardInterrupt, SystemExit) as stop:
        if out is not None:
            raise
        complain("stopped: the points that were finished are kept in results/; the same command goes on from there")
        return stop.code if isinstance(stop, SystemExit) and isinstance(stop.code, int) else INTERRUPTED
    if as_json:
        say((finished.path / "sweep.json").read_text(encoding="utf-8").rstrip("\n"))
    else:
        print_sweep(finished, console())
    reached = all(run.summary.get("precision", {"reached": True})["reached"] for run in finished.runs)
    return DONE if reached else INCONCLUSIVE
