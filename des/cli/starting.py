"""Commands for the start: a new scenario, and the shipped ones."""

from pathlib import Path
from typing import Annotated

import typer

from des.cli.application import DONE, app, console, reported, say
from des.cli.completion import client_names, model_names, question_names


@app.command(
    short_help="Write a scenario to start from.",
    help="Write a commented scenario for your models, client and question, with placeholders for what only you know.",
)
@reported
def new(
    models: Annotated[
        str | None,
        typer.Option(
            "--models",
            metavar="NAME,...",
            help="The chain, in order: models of the catalogue.  [default: claude-sonnet-4-6,gpt-5-mini]",
            autocompletion=model_names,
        ),
    ] = None,
    client: Annotated[
        str | None,
        typer.Option(
            "--client",
            metavar="NAME",
            help="A preset such as openai-python, as the client's policy.",
            autocompletion=client_names,
        ),
    ] = None,
    question: Annotated[
        str | None,
        typer.Option(
            "--question",
            metavar="KIND",
            help="nines, cost, limits or outage.  [default: nines]",
            autocompletion=question_names,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write it here, with the schema for editors beside it."),
    ] = None,
) -> int:
    from des.study.scenario_files import new_scenario

    names = None if models is None else [name.strip() for name in models.split(",")]
    text = new_scenario(names, client=client, question=question, out=out)
    say(text.rstrip() if out is None else f"scenario: {out}\nnext: des answer {out}")
    return DONE


@app.command(
    short_help="List the shipped scenarios.",
    help="List the shipped scenarios with their questions. Every command takes their names: des run two_stage.",
)
@reported
def examples() -> int:
    from des.report.examples_table import print_examples
    from des.study.scenario_files import shipped_questions

    print_examples(shipped_questions(), console())
    return DONE
