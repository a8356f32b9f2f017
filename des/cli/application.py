"""The `des` command itself: its entry, and what every command shares."""

import io
import os
import sys
from typing import Annotated, Final

import typer

import des
from des.cli.reporting import INTERRUPTED, say

STANDARD_ERROR: Final = 2
"""The last of the three numbers that the standard streams have."""

app = typer.Typer(
    name="des",
    help="Simulate AI requests over several providers with fallback chains: what uptime, cost and latency to expect.",
    epilog="Exit codes: 0 fine, 1 the run failed or an expect was missed, 2 wrong input, 3 an expect is inconclusive "
    "or a --precision not reached.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """The `des` command."""
    _open_what_is_closed()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without a letter shows a question mark instead
    try:
        app()
    except KeyboardInterrupt:  # before or after a command's own work
        sys.exit(INTERRUPTED)


def _open_what_is_closed() -> None:
    """A standard stream closed by the caller goes nowhere, and no file of ours takes its number."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= STANDARD_ERROR:
        os.set_inheritable(number, True)
    os.close(number)
    for name, number in (("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w", encoding="utf-8", closefd=False))  # noqa: SIM115


def _version(wanted: bool) -> None:
    if wanted:
        say(f"des {des.__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options of `des` itself."""
