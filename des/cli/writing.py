"""Commands for whoever writes a scenario: `validate`, `schema`, `catalogue`, `import`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from des.cli.application import app
from des.cli.options import SetOption
from des.cli.reporting import DONE, WRONG_INPUT, complain, console, reported, say, say_json
from des.errors import ScenarioError


@app.command(
    short_help="Check scenario files.", help="Check scenario files and say everything that is wrong with them."
)
@reported
def validate(
    scenarios: Annotated[list[Path], typer.Argument(metavar="SCENARIO...", help="Scenario files.")],
    changes: SetOption = None,
) -> int:
    from des.scenario import load_scenario, plans

    wrong = 0
    for path in scenarios:
        try:
            plans(load_scenario(path, tuple(changes or ())))
        except ScenarioError as error:
            sys.stdout.flush()
            complain(str(error))
            wrong += 1
        else:
            say(f"{path}: ok")
    return WRONG_INPUT if wrong else DONE


@app.command(
    short_help="Print the JSON Schema of scenario files.", help="Print the JSON Schema of scenario files, for editors."
)
@reported
def schema() -> int:
    from des.scenario import json_schema

    say_json(json_schema())
    return DONE


@app.command(
    short_help="List known providers, models and prices.",
    help="List the providers and models a scenario may name, with their prices.",
)
@reported
def catalogue(
    presets: Annotated[
        bool, typer.Option("--presets", help="List the policies of SDKs, gateways and resilience libraries instead.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> int:
    if as_json:
        from dataclasses import asdict

        from des.catalogue import models
        from des.report.presets_table import as_json as presets_as_json

        say_json(presets_as_json() if presets else [asdict(model) for model in models()])
        return DONE
    if presets:
        from des.report.presets_table import print_presets

        print_presets(console())
        return DONE
    from des.report.catalogue_table import print_catalogue

    print_catalogue(console())
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
    short_help="Of a LiteLLM proxy configuration.",
    help="Print the scenario of a LiteLLM proxy configuration, and on standard error what it could not carry over.",
)
@reported
def import_litellm(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="The proxy's config.yaml.")],
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="NAME", help="Which model is asked for.  [default: the first with fallbacks]"),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write the scenario here.")] = None,
    changes: SetOption = None,
) -> int:
    from des.study import imported

    found = imported.litellm(config, model=model, assignments=tuple(changes or ()), out=out)
    say(f"scenario: {out}" if out else found.text.rstrip())
    sys.stdout.flush()
    for remark in found.remarks:
        complain(str(remark))
    return DONE
