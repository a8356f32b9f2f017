"""The command that tells whether a result is still what it says."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from des.cli.application import DONE, FAILED, app, progress_bar, reported, say, say_json

if TYPE_CHECKING:
    from des.study.verify import Verified


@app.command(
    short_help="Compute a result's figures again from its traces.",
    help="Compare the digests of every file with the manifest, check that no request, attempt or cost is lost or "
    "counted twice, and compute summary.json again from the traces. The exit code is 1 where something differs.",
)
@reported
def verify(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN...",
            help="Directories or addresses of runs, sweeps, answers, searches; or names in results/.",
        ),
    ],
    files: Annotated[
        Path,
        typer.Option(
            "--files", metavar="DIR", help="The folder of recorded files that the scenario names.", show_default=False
        ),
    ] = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of lines.")] = False,
) -> int:
    from des.study.run import RESULTS
    from des.study.verify import verify as verified

    with progress_bar() as progress:
        found = [
            verified(RESULTS / run if not Path(run).exists() and (RESULTS / run).is_dir() else run, files, progress)
            for run in runs
        ]
    if as_json:
        say_json({"results": [one.as_json() for one in found]})
    else:
        for one in found:
            _tell(one)
    return DONE if all(one.holds for one in found) else FAILED


def _tell(found: "Verified") -> None:
    say(f"{found.path}: {found.verdict}")
    for title, lines in (
        ("differs", found.differences),
        ("holds", found.checked),
        ("not checked", found.unchecked),
    ):
        for line in lines:
            say(f"  {title}: {line}")
