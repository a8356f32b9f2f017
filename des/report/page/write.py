"""Writes reports: results in, one HTML file out, and their charts as PNG files on request."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from des.disk import refuse_existing_directory, written_whole
from des.errors import DesError
from des.report.charts.extra import require
from des.report.page.blocks import Chapter
from des.report.page.chapters import chapters
from des.report.page.findings import Findings
from des.report.page.results import Result, findings_of
from des.single_files import output_path, refuse_existing, write_new
from des.study.store import REPORT

__all__ = ["REPORT", "Written", "html_of", "write_report"]


@dataclass(frozen=True, slots=True)
class Written:
    """The files of a report. `page` is None where only charts were asked for."""

    page: Path | None
    charts: tuple[Path, ...] = ()


def write_report(
    results: Sequence[Result] | Result, *, out: str | Path | None = None, png: str | Path | None = None
) -> Written:
    """Write the report of runs, comparisons, answers and sweeps: a chapter each, in this order.

    A result is what a function returned, its directory, or its name in `results/`. `out` is the HTML file, by default
    `<name of the first>.html` in the current directory, unless only `png` is given: a directory for the charts as PNG
    files. Neither may exist.

    Raises DesError for what is no result, or where Altair and vl-convert are not installed (`des-fallback[report]`).
    """
    require()
    places = [results] if isinstance(results, Result) else list(results)
    if not places:
        raise DesError("no result to report on: name the directory of a run, an answer or a sweep")
    folder = None if png is None else output_path(png)
    if folder is not None:
        refuse_existing_directory(folder)
    found = [findings_of(place) for place in places]
    page = _page(out, png, found[0])
    refuse_existing(page)
    made = chapters(found)
    drawn = () if folder is None else _write_png(made, folder)
    if page is not None:
        write_new(page, html_of(made))
    return Written(page, drawn)


def html_of(made: Sequence[Chapter]) -> str:
    """The page of these chapters."""
    from des.report.page.render import as_html

    return as_html(made)


def _page(out: str | Path | None, png: str | Path | None, first: Findings) -> Path | None:
    if out is not None:
        return output_path(out)
    return None if png is not None else Path(f"{first.path.resolve().name}.html")


def _write_png(made: Sequence[Chapter], folder: Path) -> tuple[Path, ...]:
    from des.report.charts.png import as_png

    several = len(made) > 1
    with written_whole(folder) as directory:
        names = []
        for chapter in made:
            for figure in chapter.figures():
                name = f"{chapter.key}-{figure.name}.png" if several else f"{figure.name}.png"
                (directory / name).write_bytes(as_png(figure.specification()))
                names.append(name)
    return tuple(folder / name for name in names)
