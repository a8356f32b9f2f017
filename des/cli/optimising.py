"""The command that finds the best chain, and the best values of other fields."""

from pathlib import Path
from typing import Annotated

import typer

from des.cli.application import DONE, FAILED, INCONCLUSIVE, app, complain_of, console, progress_bar, reported, say_json
from des.cli.asking import YesOption, before
from des.cli.numbers import whole
from des.cli.options import (
    ClusterOption,
    EngineOption,
    ScenarioArgument,
    SeedOption,
    SetOption,
    WorkersOption,
    listed,
)


@app.command(
    short_help="Find the best chain by an aim and under bounds.",
    help="Find the order and the choice of a chain's entries, or the values of other fields, with the least cost or "
    "the highest availability under bounds. Rank all candidates without simulated requests, then simulate the best few "
    "with common random numbers until one wins.",
)
@reported
def optimise(
    scenario: ScenarioArgument,
    minimise: Annotated[
        str | None,
        typer.Option("--minimise", metavar="METRIC", help="Such as cost_usd_per_success or total_cost."),
    ] = None,
    maximise: Annotated[str | None, typer.Option("--maximise", metavar="METRIC", help="availability.")] = None,
    subject_to: Annotated[
        list[str] | None,
        typer.Option(
            "--subject-to", metavar="BOUND", help="What must hold, such as 'availability >= 99.95%'. Repeatable."
        ),
    ] = None,
    legs: Annotated[
        str | None,
        typer.Option("--legs", metavar="A,B,...", help="Entries of the chain to choose from.  [default: all]"),
    ] = None,
    least: Annotated[
        int | None, typer.Option("--least", metavar="N", parser=whole(1), help="The shortest chain.  [default: 1]")
    ] = None,
    most: Annotated[
        int | None, typer.Option("--most", metavar="N", parser=whole(1), help="The longest chain.  [default: 4]")
    ] = None,
    over: Annotated[
        list[str] | None,
        typer.Option("--over", metavar="PATH=V,...", help="Values a field may have. Repeatable: every combination."),
    ] = None,
    arm: Annotated[
        str | None, typer.Option("--arm", metavar="ARM", help="The arm to start from.  [default: as written]")
    ] = None,
    replications: Annotated[
        int, typer.Option("--replications", metavar="N", parser=whole(1), help="Most replications of the finalists.")
    ] = 400,
    screen: Annotated[
        int, typer.Option("--screen", metavar="N", parser=whole(1), help="Candidates up to which all are ranked.")
    ] = 10_000,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Directory for all candidates, which must not exist yet."),
    ] = None,
    seed: SeedOption = None,
    changes: SetOption = None,
    workers: WorkersOption = None,
    cluster: ClusterOption = None,
    engine: EngineOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print optimise.json instead of tables.")] = False,
    yes: YesOption = False,
) -> int:
    from des.pool import available
    from des.report.optimise_tables import print_optimised
    from des.study.optimise import optimise as optimise_scenario

    with progress_bar() as progress:
        found = optimise_scenario(
            scenario,
            minimise=minimise,
            maximise=maximise,
            subject_to=tuple(subject_to or ()),
            over=over,
            legs=listed(legs),
            least=least,
            most=most,
            arm=arm,
            replications=replications,
            screen=screen,
            out=out,
            seed=seed,
            overrides=tuple(changes or ()),
            workers=workers or available(),
            cluster=cluster,
            engine=engine,
            progress=progress,
            before=before(
                "optimise", scenario, yes=yes, quicker="fewer --legs or values, --most or --screen take less"
            ),
        )
    complain_of(found.remarks)
    if as_json:
        say_json(found.as_json())
    else:
        print_optimised(found, console())
    if found.best is None:
        return FAILED
    return DONE if found.selected.decided else INCONCLUSIVE
