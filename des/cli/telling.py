"""Commands that simulate no requests of a scenario.

`availability`, `explain`, `fit`, `check`; for authors of scenarios `validate`, `schema`, `catalogue`, `import`.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from des.cli.application import (
    DONE,
    FAILED,
    WRONG_INPUT,
    app,
    complain,
    complain_of,
    console,
    progress_bar,
    rarely_collecting,
    reported,
    say,
    say_json,
)
from des.cli.asking import YesOption, before
from des.cli.completion import scenario_names
from des.cli.expectations import complain_of_verdicts, conclude
from des.cli.numbers import number, whole
from des.cli.options import ClusterOption, JunitOption, ScenarioArgument, SeedOption, SetOption
from des.errors import ScenarioError


@app.command(
    short_help="Availability over years of incidents, without simulating requests.",
    help="Estimate the availability of a scenario's chain, as modelled and with nothing shared: exactly if possible, "
    "else over years of drawn incidents or by importance sampling.",
)
@reported
def availability(
    scenario: ScenarioArgument,
    years: Annotated[
        float | None,
        typer.Option(
            "--years",
            metavar="N",
            parser=number("a number of years such as 10000", "y"),
            help="Years of incidents to draw, where they are drawn.  [default: 10000]",
        ),
    ] = None,
    seed: SeedOption = None,
    estimator: Annotated[
        str | None,
        typer.Option("--estimator", help="exact, timeline or 'rare events'; by default the one that fits."),
    ] = None,
    changes: SetOption = None,
    workers: Annotated[
        int,
        typer.Option("--workers", metavar="N", parser=whole(1), help="Processes that share the years of incidents."),
    ] = 1,
    cluster: ClusterOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    yes: YesOption = False,
    junit: JunitOption = None,
) -> int:
    from des.estimate.availability import check_years
    from des.report.availability_tables import print_availability
    from des.report.junit import Suite, check_junit
    from des.report.tables import print_verdicts
    from des.scenario.text.units import DAY_S
    from des.study.arms import available
    from des.study.duration import of_availability
    from des.study.options import RunOptions
    from des.study.study import scenario_name

    check_junit(junit)
    if years is not None:
        check_years(years)
    options = RunOptions(seed=seed, overrides=tuple(changes or ()), workers=workers, cluster=cluster)
    loaded = options.load(scenario)
    before("availability", scenario, yes=yes)(of_availability(loaded, years, estimator, options.where))
    with progress_bar() as progress:
        found = available(loaded, years, estimator=estimator, workers=options.where, progress=progress)
    complain_of(found.remarks)
    if as_json:
        say_json(found.as_json())
        complain_of_verdicts(found.expectations)
    else:
        brief = all(of.scenario.horizon < DAY_S for of in loaded.arms.values())
        print_availability(
            loaded.scenario.title, found.answers, console(), left_out=found.left_out, same=found.same, brief=brief
        )
        if found.expectations:
            print_verdicts(found.expectations, console())
    properties = {"seed": str(loaded.scenario.seed), "years": f"{10_000.0 if years is None else years:g}"}
    wall_s = sum(answer.wall_s for answer in found.answers.values())
    return conclude([Suite(scenario_name(loaded), found.expectations, properties, wall_s)], junit)


@app.command(
    short_help="What to expect of a scenario before it runs.",
    help="Print, before a run, the expected numbers of requests and incidents, what is known exactly, which estimator "
    "applies, how long it will take, and which faults a run will show.",
)
@reported
def explain(
    scenario: ScenarioArgument,
    precision: Annotated[
        float,
        typer.Option(
            "--precision",
            metavar="SHARE",
            parser=number("a share such as 0.1"),
            help="Precision of P(all down), for the years needed.",
        ),
    ] = 0.1,
    changes: SetOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> int:
    from time import process_time

    from des.report.explanation_tables import print_explanation
    from des.scenario import load_scenario
    from des.study.explanation import check_precision, explain_all

    check_precision(precision)
    loaded = load_scenario(scenario, tuple(changes or ()))
    with progress_bar() as progress:
        explained = explain_all(loaded, precision, progress, start_s=process_time())
    complain_of(explained.remarks)
    if as_json:
        say_json(explained.as_json())
    else:
        print_explanation(loaded.scenario.title, explained, console())
    return DONE


@app.command(
    short_help="Fit distributions to an incident history.",
    help="Describe an incident history (how often, how long, when, overlapping with what) and write it as YAML.",
)
@reported
def fit(
    history: Annotated[
        Path,
        typer.Argument(
            metavar="HISTORY",
            help="A table (CSV, parquet, JSON, JSON lines), or data of a status page, its feed or an issue tracker.",
        ),
    ],
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--columns",
            metavar="ROLE=COLUMN,...",
            help="start, end, service, provider, severity, id, status, error_rate.",
        ),
    ] = None,
    flags: Annotated[
        list[str] | None,
        typer.Option("--flags", metavar="COLUMN,...", help="Columns of 0 and 1 that are services. Repeatable."),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option("--where", metavar="COLUMN=VALUE", help="Only rows with this value. Repeatable."),
    ] = None,
    format: Annotated[  # noqa: A002
        str | None, typer.Option("--format", metavar="NAME", help="Format, if it is not recognised from the file.")
    ] = None,
    services: Annotated[
        list[str] | None, typer.Option("--service", metavar="NAME", help="Only this service. Repeatable.")
    ] = None,
    severities: Annotated[
        list[str] | None,
        typer.Option(
            "--severity",
            metavar="NAME,...",
            help="Only these severities, or all.  [default: all but maintenance and none]",
        ),
    ] = None,
    since: Annotated[str | None, typer.Option("--since", metavar="DATE", help="Leave out earlier incidents.")] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="DATE", help="Leave out later incidents.")] = None,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave out rows with missing, reversed or duplicate times.")
    ] = False,
    open_ends: Annotated[
        bool, typer.Option("--open-ends", help="A row without an end is an incident that is still open.")
    ] = False,
    between: Annotated[
        str | None,
        typer.Option("--between", metavar="KIND", help="Distribution of times between incidents in the YAML."),
    ] = None,
    repair: Annotated[
        str | None, typer.Option("--repair", metavar="KIND", help="Distribution of the times to repair in the YAML.")
    ] = None,
    permutations: Annotated[
        int | None,
        typer.Option("--permutations", metavar="N", parser=whole(), help="Use N random whole-week shifts, not all."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="N", parser=whole(), help="Seed for choosing the shifts.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write the YAML here.")] = None,
    into: Annotated[
        Path | None,
        typer.Option("--into", metavar="SCENARIO", help="Put the incidents into this scenario file, by severity."),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--as", metavar="NAME", help="What fails so there: a provider, provider/model or component."),
    ] = None,
    error_rates: Annotated[
        list[str] | None,
        typer.Option(
            "--error-rate", metavar="SEVERITY=SHARE,...", help="Calls that fail in incidents put in by --into."
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Print distributions, trends, the week and all pairs of services too.")
    ] = False,
) -> int:
    from des.report import fit_summary, fit_tables
    from des.study.fit import as_json as found_as_json
    from des.study.fit import fit as fit_history

    found = fit_history(
        history,
        columns=tuple(columns or ()),
        flags=tuple(flags or ()),
        where=tuple(where or ()),
        format=format,
        services=tuple(services or ()),
        severities=tuple(severities or ()),
        since=since,
        until=until,
        skip_bad=skip_bad,
        open_ends=open_ends,
        between=between,
        repair=repair,
        permutations=permutations,
        seed=seed,
        out=out,
        into=into,
        name=name,
        error_rates=tuple(error_rates or ()),
    )
    complain_of(f"skipped: {row}" for row in found.history.skipped)
    if as_json:
        say_json(found_as_json(found))
        return DONE
    shown = fit_tables.lines if everything else fit_summary.lines
    for line in shown(found.calibration, found.cautions, found.history.source):
        say(line)
    if into is not None:
        say(f"\n{into}: {name} fails as recorded{fit_summary.instead_of(found.replaced)}")
        say(f"next: des answer {into}")
    elif out is not None:
        say(f"\nscenario: {out}")
    else:
        say(f"\n{found.fragment.rstrip()}")
    return DONE


@app.command(
    short_help="Compare the simulator with theory.",
    help="Simulate cases with a closed form. Print simulated and exact values and their distance in standard errors.",
)
@reported
def check(
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="NAME", help="Only this check. Repeatable.")
    ] = None,
    list_them: Annotated[bool, typer.Option("--list", help="Print the names of the checks and stop.")] = False,
    workers: Annotated[
        int, typer.Option("--workers", metavar="N", parser=whole(1), help="Processes that share the checks.")
    ] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> int:
    from time import perf_counter

    from des.check.suite import CASES, all_ok, as_dict
    from des.check.suite import check as run_checks
    from des.report.check_table import print_cases, print_check

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


@app.command(short_help="Check scenario files.", help="Check scenario files and report every problem in them.")
@reported
def validate(
    scenarios: Annotated[
        list[Path], typer.Argument(metavar="SCENARIO...", help="Scenario files.", autocompletion=scenario_names)
    ],
    changes: SetOption = None,
) -> int:
    wrong = 0
    with rarely_collecting():
        from des.study.validate import validate as remarks_on

        for path in scenarios:
            try:
                remarks = remarks_on(path, overrides=tuple(changes or ()))
            except ScenarioError as error:
                sys.stdout.flush()
                complain(str(error))
                wrong += 1
            else:
                say(f"{path}: ok")
                sys.stdout.flush()
                complain_of(remark if remark.startswith(f"{path}:") else f"{path}: {remark}" for remark in remarks)
    return WRONG_INPUT if wrong else DONE


@app.command(
    short_help="Print the JSON Schema of scenario files.", help="Print the JSON Schema of scenario files, for editors."
)
@reported
def schema(
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write it here, over an earlier schema.")
    ] = None,
) -> int:
    if out is not None:
        from des.study.scenario_files import write_schema

        write_schema(out)
        say(f"schema: {out}")
        return DONE
    from des.scenario import json_schema

    say_json(json_schema())
    return DONE


@app.command(
    short_help="List known providers, models and prices.",
    help="List the providers and models a scenario may name, with their prices, and the latency and outages assumed of "
    "them until yours are known, or the model NAME; with --presets the policies of clients, of which NAME is one.",
)
@reported
def catalogue(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]",
            help="Only this model, listed or not; with --presets only this one, such as litellm@1.109.",
        ),
    ] = None,
    presets: Annotated[
        bool, typer.Option("--presets", help="List the policies of SDKs, gateways and resilience libraries instead.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> int:
    if presets:
        return _list_presets(name, as_json)
    from des.catalogue import models
    from des.catalogue.naming import any_named_model
    from des.report.catalogue_tables import models_as_json, print_catalogue, print_models

    try:
        found = models() if name is None else any_named_model(name)
    except LookupError as error:
        complain(f"{error.args[0]}{_preset_of(str(name))}")
        return WRONG_INPUT
    if as_json:
        say_json(models_as_json(found))
    elif name is None:
        print_catalogue(console())
    else:
        print_models(found, console())
    return DONE


def _preset_of(name: str) -> str:
    """The end of a message on a name that is no model's, if it is a preset's."""
    from des.catalogue.presets import preset

    try:
        return f"; the preset: des catalogue --presets {preset(name).full_name}"
    except LookupError:
        return ""


def _list_presets(name: str | None, as_json: bool) -> int:
    from des.catalogue.presets import preset, presets
    from des.report.catalogue_tables import presets_as_json, print_presets

    try:
        listed = presets() if name is None else (preset(name),)
    except LookupError as error:
        complain(str(error.args[0]))
        return WRONG_INPUT
    if as_json:
        say_json(presets_as_json(listed))
    else:
        print_presets(listed, console())
    return DONE


imports = typer.Typer(
    help="Turn another program's configuration into a scenario.",
    rich_markup_mode=None,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(imports, name="import", short_help="Turn a LiteLLM configuration into a scenario.")


@imports.command(
    name="litellm",
    short_help="Convert a LiteLLM proxy configuration.",
    help="Print the scenario of a LiteLLM proxy configuration, and on standard error what could not be converted.",
)
@reported
def import_litellm(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="The proxy's config.yaml.")],
    model: Annotated[
        str | None,
        typer.Option(
            "--model", metavar="NAME", help="Model that requests ask for.  [default: the first with fallbacks]"
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write the scenario here.")] = None,
    changes: SetOption = None,
) -> int:
    from des.study.scenario_files import litellm

    found = litellm(config, model=model, assignments=tuple(changes or ()), out=out)
    say(f"scenario: {out}" if out else found.text.rstrip())
    sys.stdout.flush()
    complain_of(found.remarks)
    return DONE
