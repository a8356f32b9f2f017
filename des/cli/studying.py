"""Commands that tell without simulating a scenario's requests: `availability`, `explain`, `fit`, `check`."""

from pathlib import Path
from typing import Annotated

import typer

from des.cli.application import app
from des.cli.options import ScenarioArgument, SeedOption, SetOption
from des.cli.reporting import DONE, FAILED, complain, console, progress_bar, reported, say, say_json


@app.command(
    short_help="Availability over years of incidents, without simulating requests.",
    help="Say how available a scenario's chain is, as modelled and with nothing shared: exactly where that is known, "
    "else over years of incidents or by making rare ones common.",
)
@reported
def availability(
    scenario: ScenarioArgument,
    years: Annotated[
        float, typer.Option("--years", metavar="N", help="Years of incidents to draw, where they are drawn.")
    ] = 10_000.0,
    seed: SeedOption = None,
    estimator: Annotated[
        str | None, typer.Option("--estimator", help="exact, timeline or 'rare events', instead of the one that suits.")
    ] = None,
    changes: SetOption = None,
    workers: Annotated[
        int, typer.Option("--workers", metavar="N", min=1, help="Processes that share the years of incidents.")
    ] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> int:
    from des.estimate.availability import check_years
    from des.report.availability_tables import print_availability
    from des.study.available import available
    from des.study.run import loaded as loaded_from

    check_years(years)
    loaded = loaded_from(scenario, tuple(changes or ()), seed, None)
    with progress_bar() as progress:
        found = available(loaded, years, estimator=estimator, workers=workers, progress=progress)
    if as_json:
        say_json(found.as_dict())
    else:
        print_availability(loaded.scenario.title, found.answers, console(), left_out=found.left_out)
    return DONE


@app.command(
    short_help="What to expect of a scenario before it runs.",
    help="Say before a run how many requests and incidents to expect, what is known exactly, which estimator will "
    "serve and how long it will take.",
)
@reported
def explain(
    scenario: ScenarioArgument,
    precision: Annotated[
        float, typer.Option("--precision", metavar="SHARE", help="Of P(all down), for the years that it takes.")
    ] = 0.1,
    changes: SetOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> int:
    from time import process_time

    from des.report.availability_tables import print_explanation
    from des.scenario import load_scenario
    from des.study.explanation import check_precision, explain_all

    check_precision(precision)
    loaded = load_scenario(scenario, tuple(changes or ()))
    with progress_bar() as progress:
        explained = explain_all(loaded, precision, progress, start_s=process_time())
    if as_json:
        say_json(explained.as_dict())
    else:
        print_explanation(loaded.scenario.title, explained, console())
    return DONE


@app.command(
    short_help="Fit laws to an incident history.",
    help="Say what an incident history holds (how often, how long, when, together with what), and write it as YAML.",
)
@reported
def fit(
    history: Annotated[
        Path, typer.Argument(metavar="HISTORY", help="CSV, parquet, JSON lines, or a status page's incidents.json.")
    ],
    columns: Annotated[
        list[str] | None,
        typer.Option("--columns", metavar="ROLE=COLUMN,...", help="start, end, service, provider, severity, id."),
    ] = None,
    services: Annotated[
        list[str] | None, typer.Option("--service", metavar="NAME", help="Only this service. Repeatable.")
    ] = None,
    since: Annotated[str | None, typer.Option("--since", metavar="DATE", help="Leave out what came before.")] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="DATE", help="Leave out what came after.")] = None,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave out rows with missing, reversed or duplicate times.")
    ] = False,
    open_ends: Annotated[
        bool, typer.Option("--open-ends", help="A row without an end is an incident that is still open.")
    ] = False,
    between: Annotated[
        str | None,
        typer.Option("--between", metavar="LAW", help="Distribution of times between incidents in the YAML."),
    ] = None,
    repair: Annotated[
        str | None, typer.Option("--repair", metavar="LAW", help="Distribution of the times to repair in the YAML.")
    ] = None,
    permutations: Annotated[
        int | None, typer.Option("--permutations", metavar="N", help="So many of the whole-week shifts, not all.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Seed of the choice of shifts.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write the YAML here.")] = None,
) -> int:
    from des.report import fit_tables
    from des.study.fit import fit as fit_history
    from des.study.fit_json import as_json as found_as_json

    found = fit_history(
        history,
        columns=tuple(columns or ()),
        services=tuple(services or ()),
        since=since,
        until=until,
        skip_bad=skip_bad,
        open_ends=open_ends,
        between=between,
        repair=repair,
        permutations=permutations,
        seed=seed,
        out=out,
    )
    for row in found.history.skipped:
        complain(f"skipped: {row}")
    if as_json:
        say_json(found_as_json(found))
        return DONE
    for line in fit_tables.lines(found.calibration, found.cautions, found.history.source):
        say(line)
    say(f"\nscenario: {out}" if out else f"\n{found.fragment.rstrip()}")
    return DONE


@app.command(
    short_help="Hold simulator and theory against each other.",
    help="Simulate what has a closed form, and print simulated, exact and their distance in standard errors.",
)
@reported
def check(
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="NAME", help="Only this check. Repeatable.")
    ] = None,
    list_them: Annotated[bool, typer.Option("--list", help="Print the names of the checks and stop.")] = False,
    workers: Annotated[int, typer.Option("--workers", metavar="N", min=1, help="Processes that share the checks.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> int:
    from time import perf_counter

    from des.check.suite import CASES, all_ok, as_dict
    from des.report.check_table import print_cases, print_check
    from des.study.check import check as run_checks

    if list_them:
        print_cases(CASES, console())
        return DONE
    started = perf_counter()
    with progress_bar() as progress:
        checked = run_checks(tuple(only or ()), workers=workers, progress=progress)
    if as_json:
        say_json(as_dict(checked))
    else:
        print_check(checked, console(), wall_s=perf_counter() - started)
    return DONE if all_ok(checked) else FAILED
