"""The command that answers a scenario's question."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from des.cli.application import app, complain, complain_of, console, progress_bar, reported, say_json
from des.cli.expectations import complain_of_verdicts, conclude
from des.cli.numbers import whole
from des.cli.options import (
    ClusterOption,
    EngineOption,
    JunitOption,
    ScenarioArgument,
    SeedOption,
    SetOption,
    WorkersOption,
    listed,
)
from des.cli.reporting import report_beside, say_where_kept

if TYPE_CHECKING:
    from des.study.options import Before, Forecast


@app.command(
    short_help="Answer a scenario's question in a minute.",
    help="Answer a scenario's question for each of its arms: availability, cost and latency in the long run, each by "
    "the best estimator that applies, within the time given. Print what figures rest on and what was not seen.",
)
@reported
def answer(
    scenario: ScenarioArgument,
    within: Annotated[
        str,
        typer.Option(
            "--within",
            metavar="DURATION",
            help="Time limit. More time gives narrower intervals. The first round is finished however long it takes.",
        ),
    ] = "60s",
    rounds: Annotated[
        int | None,
        typer.Option(
            "--rounds",
            metavar="N",
            parser=whole(1),
            help="Simulate this number of rounds, without a time limit: the same figures on any machine.",
        ),
    ] = None,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick",
            help="One round of bounded work, a second or two for most scenarios: fewer years of incidents and shorter "
            "windows, so wider intervals; the same figures on any machine.",
        ),
    ] = False,
    arms: Annotated[
        str | None, typer.Option("--arms", metavar="A,B", help="Arms to answer for.  [default: the scenario's]")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="DIR", help="Directory for answer.json and report.html, which must not exist yet."
        ),
    ] = None,
    seed: SeedOption = None,
    changes: SetOption = None,
    workers: WorkersOption = None,
    cluster: ClusterOption = None,
    engine: EngineOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print answer.json instead of a table.")] = False,
    junit: JunitOption = None,
) -> int:
    from des.report.answer_tables import print_answer
    from des.report.junit import Suite, check_junit
    from des.single_files import output_path
    from des.study.answer import answer as answer_scenario

    check_junit(junit)
    with progress_bar() as progress:
        found = answer_scenario(
            scenario,
            within=within,
            rounds=rounds,
            quick=quick,
            arms=listed(arms),
            seed=seed,
            overrides=tuple(changes or ()),
            workers=workers,
            cluster=cluster,
            engine=engine,
            out=out,
            progress=progress,
            before=_before(within),
        )
    if out is not None:
        report_beside(output_path(out))
    complain_of(found.remarks)
    if as_json:
        say_json(found.as_json())
        complain_of_verdicts(found.expectations)
    else:
        print_answer(found, console())
        say_where_kept(out)
    properties = {"seed": str(found.seed), "rounds": str(found.rounds)}
    suite = Suite(found.scenario, found.expectations, properties, found.wall_s)
    return conclude([suite], junit)


_RUNS: Final = {"replications": "runs"}


def _before(within: str) -> "Before":
    """Says that the first round takes longer than there is time."""

    def say(forecast: "Forecast") -> None:
        from des.report.figures import duration

        processes = "1 process" if forecast.processes == 1 else f"{forecast.processes} processes"
        what = f"{forecast.replications:,} {_RUNS.get(forecast.unit, forecast.unit)}"
        complain(
            f"the first round is {what} and will take about {duration(forecast.seconds)} here, on {processes}: longer "
            f"than --within {within} leaves"
        )

    return say
