"""The command that lists and removes what other commands left."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from des.cli.application import DONE, app, console, reported, say, say_json
from des.cli.asking import confirm
from des.words import printable

if TYPE_CHECKING:
    from des.study.store import Stored


@app.command(
    short_help="List runs, sweeps and answers, and remove some.",
    help="List the runs, sweeps and answers in results/: whole, unfinished or damaged, and how large. Remove those "
    "named, or what is unfinished.",
)
@reported
def results(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME...", help="Only these.  [default: all]", show_default=False)
    ] = None,
    directory: Annotated[
        Path | None, typer.Option("--in", metavar="DIR", help="The directory that holds them.  [default: results]")
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Remove those named.")] = False,
    remove_unfinished: Annotated[
        bool, typer.Option("--remove-unfinished", help="Remove what no process is at work on, unfinished or left over.")
    ] = False,
    verify: Annotated[bool, typer.Option("--verify", help="Compare the checksum of every trace.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before removing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> int:
    from des.errors import DesError
    from des.report.results_table import print_results
    from des.study.run import RESULTS
    from des.study.store import LEFT_OVER, UNFINISHED, chosen
    from des.study.store import results as stored_in

    if remove and remove_unfinished:
        raise DesError("--remove and --remove-unfinished: give one of them")
    if remove and not names:
        raise DesError("--remove: name what to remove, as des results lists it")
    folder = directory or RESULTS
    stored = stored_in(folder, verify=verify)
    found = chosen(stored, names) if names else list(stored)
    if remove or remove_unfinished:
        _remove(found if remove else [one for one in found if one.state in (UNFINISHED, LEFT_OVER)], yes)
    elif as_json:
        say_json({"directory": str(folder), "results": [one.as_json() for one in found]})
    else:
        print_results(found, folder, console(), verified=verify)
    return DONE


def _remove(going: "list[Stored]", yes: bool) -> None:
    """All of them or none, as far as can be known before. Asks where somebody is there to answer."""
    from des.report.results_table import size, what

    if not going:
        say("nothing to remove")
        return
    for one in going:
        one.check_removable()
    if not yes:
        listed = "\n".join(f"{printable(one.name)} ({what(one)}, {size(one.bytes)})" for one in going)
        confirm(f"{listed}\nremove {'it' if len(going) == 1 else f'these {len(going):,}'}?", "nothing was removed")
    for one in going:
        one.remove()
        say(f"removed {one.name} ({what(one)}, {size(one.bytes)})")
    sys.stdout.flush()
