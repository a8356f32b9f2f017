"""Chapters as HTML. All text is escaped here and nowhere else: the template escapes, and charts are JSON."""

import json
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any, Final

from des.report.charts.theme import DARK, LIGHT
from des.report.page.blocks import Chapter
from des.report.page.bundle import scripts
from des.study.identity import package_version
from des.words import printable

_INSIDE: Final = re.compile(r"^ +|\[[^\]]*\]|± [\d.,]+|\d (?:%|s|min|h)(?!\w)|x \d")
_SENT: Final = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


def as_html(chapters: Sequence[Chapter]) -> str:
    """One page with its styles, scripts and charts in it."""
    from jinja2 import Environment, StrictUndefined

    folder = files("des.report.page") / "templates"
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_printable
    )
    environment.filters["together"] = _together
    template = environment.from_string((folder / "page.html.jinja").read_text(encoding="utf-8"))
    specifications = {
        f"{chapter.key}-chart-{figure.name}": figure.specification()
        for chapter in chapters
        for figure in chapter.figures()
    }
    return template.render(
        chapters=chapters,
        title=chapters[0].title if len(chapters) == 1 else f"{len(chapters)} results",
        version=package_version(),
        style=_markup((folder / "page.css").read_text(encoding="utf-8")),
        vega=_markup(scripts()) if specifications else "",
        script=_markup((folder / "page.js").read_text(encoding="utf-8")),
        charts=_markup(script_json({"light": LIGHT, "dark": DARK, "charts": specifications})),
    )


def script_json(content: Mapping[str, Any]) -> str:
    """JSON that is safe inside a `script` element, whatever text is in it."""
    return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).translate(_SENT)


def _together(cell: str) -> str:
    """A text whose numbers stay with their units, intervals in one line, and indentation with its first word."""
    return _INSIDE.sub(lambda found: found.group().replace(" ", "\N{NO-BREAK SPACE}"), cell)


def _printable(value: Any) -> Any:
    """Direction marks and control characters of names and titles as visible escapes."""
    return printable(value) if type(value) is str else value


def _markup(text: str) -> Any:
    """The project's own text, which is not escaped."""
    from markupsafe import Markup

    return Markup(text)
