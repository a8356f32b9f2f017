"""`docs/reference/commands.md`: every command with its arguments and options, from Typer."""

from collections.abc import Iterator
from typing import Any, Final

import typer

from des.cli import app

_HEAD: Final = """# Commands

Every command with its arguments and options, as `des COMMAND --help` shows them. This page is written by
`python -m tests.documentation.pages`.
"""


def commands_page() -> str:
    """The page as Markdown, with a section for each command."""
    group: Any = typer.main.get_command(app)
    sections = (_section(name, command) for name, command in sorted(group.commands.items()))
    return "".join([_HEAD, *sections, "\n## Exit codes\n\n", _codes(group.epilog)])


def _section(name: str, command: Any) -> str:
    rows = list(_rows(command))
    table = ["| option | what |", "|---|---|", *rows] if rows else []
    return "\n".join([f"\n## des {name}\n", " ".join(command.help.split()), "", *table, ""])


def _rows(command: Any) -> Iterator[str]:
    for parameter in command.params:
        if getattr(parameter, "hidden", False) or not parameter.help:
            continue
        written = parameter.name.upper() if parameter.param_type_name == "argument" else ", ".join(parameter.opts)
        metavar = f" {parameter.metavar}" if parameter.metavar and written.startswith("-") else ""
        yield f"| `{written}{metavar}` | {_cell(parameter.help)} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|").replace("<", "&lt;").replace("*", r"\*")


def _codes(epilog: str) -> str:
    """The sentence on exit codes as a table."""
    _, _, listed = epilog.partition(": ")
    rows = (
        f"| {code} | {what.strip(' .')} |" for code, _, what in (each.partition(" ") for each in listed.split(", "))
    )
    return "\n".join(["| code | when |", "|---|---|", *rows, ""])
