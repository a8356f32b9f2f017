"""Results in notebooks: the charts of the report, and what a cell shows of a result."""

from collections.abc import Callable, Iterator, Mapping
from html import escape
from typing import TYPE_CHECKING, Any, Final

from des.frames import html
from des.report.charts.extra import missing, require
from des.report.charts.png import with_width
from des.report.charts.theme import LIGHT
from des.report.page.blocks import Figure, Section
from des.report.page.chapters import chapters
from des.report.page.findings import Findings
from des.report.page.results import Result, findings_of
from des.report.page.sections.arms import arms_section
from des.report.page.sections.comparison import comparison_section
from des.report.page.sections.search import search_section
from des.report.page.sections.sweeps import sweep_section
from des.traces.levels import FULL

if TYPE_CHECKING:
    import altair as alt

_AT_ONCE: Final[tuple[Callable[[Findings], Section | None], ...]] = (
    arms_section,
    comparison_section,
    sweep_section,
    search_section,
)
"""Sections whose charts a cell shows: they need no traces."""
_WIDTH: Final = 620


class Charts(Mapping[str, "alt.TopLevelMixin"]):
    """The charts of a result by name, each drawn when it is asked for. `lacking` says why there are no others."""

    def __init__(self, figures: Iterator[Figure], lacking: str = "") -> None:
        self._figures = {figure.name: figure for figure in figures}
        self._lacking = lacking

    def __getitem__(self, name: str) -> "alt.TopLevelMixin":
        import altair as alt

        if name not in self._figures:
            raise KeyError(f"no chart {name!r}; there are: {', '.join(self._figures)}{self._lacking}")
        found: alt.TopLevelMixin = alt.Chart.from_dict(_sized(self._figures[name]))
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._figures)

    def __len__(self) -> int:
        return len(self._figures)

    def __repr__(self) -> str:
        return f"<Charts: {', '.join(self._figures)}>"


def charts_of(result: Result) -> Charts:
    """Every chart of the result's report. Raises DesError, which says what to install, where a library is missing."""
    require()
    findings = findings_of(result)
    (chapter,) = chapters([findings])
    level = None if findings.run is None else findings.run.trace_level
    lacking = "" if level in (None, FULL) else f"; others need a run with --traces full, and this one has {level}"
    return Charts(iter(chapter.figures()), lacking)


def shown(result: Result, title: str, table: Any) -> str:
    """HTML of a title, a table, and the charts that need no traces; without their libraries, what to install."""
    parts = [html(title, table)]
    if words := missing():
        return "\n".join([*parts, f"<p><small>No charts: {escape(words)}</small></p>"])
    findings = findings_of(result)
    for section in filter(None, (make(findings) for make in _AT_ONCE)):
        parts += [_drawn(block) for block in section.blocks if isinstance(block, Figure)]
    return "\n".join(parts)


def _drawn(figure: Figure) -> str:
    import vl_convert

    specification = _sized(figure)
    specification["config"] = {**LIGHT, "background": "white"}
    svg = vl_convert.vegalite_to_svg(specification)
    words = f"<figcaption><b>{escape(figure.title)}.</b> {escape(figure.summary)}</figcaption>"
    return f'<figure style="max-width: 52em; margin: 1em 0">{words}{svg}</figure>'


def _sized(figure: Figure) -> dict[str, Any]:
    return with_width(figure.specification(), _WIDTH)
