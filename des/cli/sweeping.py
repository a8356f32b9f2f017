"""The command that answers a scenario over ranges of its fields."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from des.cli.application import app, complain_of, console, progress_bar, reported, say
from des.cli.asking import YesOption, before
from des.cli.expectations import complain_of_verdicts, conclude
from des.cli.numbers import number, whole
from des.cli.options import JunitOption, ScenarioArgument, takes_run_options
from des.cli.printing import after_it_is_kept

if TYPE_CHECKING:
    from des.report.junit import Suite
    from des.study.options import RunOptions
    from des.study.sweep_record import Sweep


@app.command(
    short_help="Answer a scenario over ranges of its fields.",
    help="Answer a scenario at every combination of values of some fields, one row per point and arm. Values are a "
    "list (1,2,3), a range with its end (0:1:0.1, 10s:60s:10s) or a logarithmic range with the number of values "
    "(log:1/min:1000/min:7). Finished points are kept.",
)
@reported
@takes_run_options
def sweep(
    scenario: ScenarioArgument,
    over: Annotated[
        list[str],
        typer.Option(
            "--over",
            metavar="PATH=VALUES",
            help="A field and its values; 'A=1,2; B=3,4' changes two together. Repeatable: every combination.",
        ),
    ],
    options: "RunOptions",
    metrics: Annotated[
        list[str] | None,
        typer.Option(
            "--metric",
            metavar="METRIC",
            help="Show this figure instead of the headlines. Repeatable. Availability alone is quick.",
        ),
    ] = None,
    estimator: Annotated[
        str,
        typer.Option(
            "--estimator", help="best: each figure by the estimator that suits it; request-level: a run at each point."
        ),
    ] = "best",
    rounds: Annotated[
        int | None,
        typer.Option(
            "--rounds",
            metavar="N",
            parser=whole(),
            help="Rounds simulated at each point: narrower intervals.  [default: 1]",
        ),
    ] = None,
    years: Annotated[
        float | None,
        typer.Option(
            "--years",
            metavar="N",
            parser=number("a number of years such as 10000", "y"),
            help="Years of incidents to draw, where they are drawn; the availability is that of des availability "
            "--years N.  [default: 10000]",
        ),
    ] = None,
    traces: Annotated[
        bool,
        typer.Option("--traces", help="Keep the traces of every point (at request level), at the scenario's level."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print sweep.json instead of a table.")] = False,
    yes: YesOption = False,
    junit: JunitOption = None,
) -> int:
    from des.report.junit import check_junit
    from des.report.sweep_table import print_sweep
    from des.study.sweep import sweep_with
    from des.study.sweep_record import RECORD, words_of

    check_junit(junit)
    options = replace(options, traces=traces, before=before("sweep", scenario, yes=yes, quicker=_quicker(estimator)))
    asked = tuple(metrics or ())
    with progress_bar() as progress:
        finished = sweep_with(
            scenario,
            over,
            replace(options, progress=progress),
            estimator=estimator,
            metrics=asked,
            rounds=rounds,
            years=years,
        )
    complain_of(dict.fromkeys(remark for record in finished.records for remark in record.get("remarks", ())))
    with after_it_is_kept(f"the sweep is in {finished.path}"):
        if as_json:
            say((finished.path / RECORD).read_text(encoding="utf-8").rstrip("\n"))
        else:
            print_sweep(finished, console(), asked)
    suites = _suites(finished)
    for record, suite in zip(finished.records, suites, strict=True):
        complain_of_verdicts(suite.verdicts, words_of(record["values"]))
    precise = all(record.get("precision", {"reached": True})["reached"] for record in finished.records)
    return conclude(suites, junit, precise=precise)


def _quicker(estimator: str) -> str:
    """What takes less time than what was asked for."""
    if estimator == "best":
        return "fewer points, or --metric availability alone, take less"
    return "--estimator best answers each point by the estimators that suit it"


def _suites(finished: "Sweep") -> "list[Suite]":
    """The verdicts on each point."""
    from des.report.junit import Suite, suite_of
    from des.study.sweep_record import verdicts_of, words_of

    where = [words_of(record["values"]) for record in finished.records]
    if finished.runs:
        return [suite_of(run, point) for run, point in zip(finished.runs, where, strict=True)]
    name = str(finished.content["name"]).rpartition("-sweep-")[0]
    properties = {"seed": str(finished.content["seed"]), "rounds": str(finished.content["rounds"])}
    return [
        Suite(f"{name} [{point}]", verdicts_of(record), properties)
        for record, point in zip(finished.records, where, strict=True)
    ]
