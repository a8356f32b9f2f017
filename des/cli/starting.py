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
    rate: Annotated[
        str | None,
        typer.Option("--rate", metavar="RATE", help="Requests, such as 5/s or 10/h.  [default: by the question]"),
    ] = None,
    limit: Annotated[
        list[str] | None,
        typer.Option(
            "--limit",
            metavar="[PROVIDER=]RATE",
            help="Rate limit of each provider, such as 4000/min, or of one: openai=500/min. Repeatable.",
        ),
    ] = None,
    shared: Annotated[
        str | None,
        typer.Option("--shared", metavar="SHARE", help="Share of the outages that hit all providers, such as 10%."),
    ] = None,
    objective: Annotated[
        str | None,
        typer.Option("--objective", metavar="SHARE", help="Availability that each month is to have, such as 99.95%."),
    ] = None,
    lost_request: Annotated[
        str | None,
        typer.Option("--lost-request", metavar="USD", help="What a request without an answer costs, such as $0.10."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write it here, with the schema for editors beside it."),
    ] = None,
) -> int:
    from des.study.scenario_files import new_scenario

    names = None if models is None else [name.strip() for name in models.split(",")]
    text = new_scenario(
        names,
        client=client,
        question=question,
        rate=rate,
        limit=limit or (),
        shared=shared,
        objective=objective,
        lost_request=lost_request,
        out=out,
    )
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
