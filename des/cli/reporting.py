"""The command that writes a page to look at and to forward."""

from pathlib import Path
from typing import Annotated

import typer

from des.cli.application import DONE, app, complain, console, reported, say


@app.command(
    short_help="Write a page with charts, to look at and to forward.",
    help="Write one HTML page of runs, comparisons, answers and sweeps, a chapter each. It is complete in itself: it "
    "opens from disk without a network. Needs the extra: pip install 'des-fallback[report]'.",
)
@reported
def report(
    results: Annotated[
        list[Path], typer.Argument(metavar="RESULT...", help="Directories of results, or their names in results/.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help="The page, which must not exist yet.  [default: <name of the first>.html]"
        ),
    ] = None,
    png: Annotated[
        Path | None,
        typer.Option("--png", metavar="DIR", help="Write each chart as a PNG file instead; with --out, as well."),
    ] = None,
) -> int:
    from des.report.page import write_report

    written = write_report(results, out=out, png=png)
    if written.page is not None:
        say(f"report: {written.page} ({written.page.stat().st_size / 1e6:.1f} MB)")
    if written.charts:
        say(f"charts: {len(written.charts)} PNG files in {written.charts[0].parent}")
    return DONE


def report_beside(answer: Path) -> None:
    """The page of an answer, in its directory. Without the libraries for it, says what to install."""
    from des.report.charts.extra import missing
    from des.report.page import REPORT, write_report

    if words := missing():
        complain(f"{answer} has no {REPORT}: {words}")
    else:
        write_report(answer, out=answer / REPORT)


def say_where_kept(answer: Path | None) -> None:
    """Where the answer and its page are, or how to keep them."""
    from des.report.layout import say
    from des.report.page import REPORT

    if answer is None:
        say(console(), f"--out DIR keeps the answer, and {REPORT}, a page to forward, beside it")
    else:
        page = answer / REPORT
        kept = f"page to forward: {page}; answer and manifest beside it" if page.is_file() else f"answer: {answer}"
        say(console(), kept, whole=True)
