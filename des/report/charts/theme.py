"""Colours and fonts of all charts, on light and on dark ground.

The hues are those of Okabe and Ito (Color Universal Design, 2008), which people with any colour vision tell apart.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

BLUE: Final = "#0072B2"
SKY: Final = "#56B4E9"
VERMILION: Final = "#D55E00"
ORANGE: Final = "#E69F00"
GREEN: Final = "#009E73"
PURPLE: Final = "#CC79A7"
GREY: Final = "#8A929C"
CATEGORIES: Final = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, GREY, "#7A5C00")
FONT: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif"
_LIGHT: Final = {"ink": "#1c2128", "soft": "#57606a", "line": "#d8dee4"}
_DARK: Final = {"ink": "#e6edf3", "soft": "#9da7b3", "line": "#363e48"}


def _config(colours: Mapping[str, str]) -> dict[str, Any]:
    ink, soft, line = colours["ink"], colours["soft"], colours["line"]
    return {
        "background": "transparent",
        "font": FONT,
        "range": {"category": list(CATEGORIES)},
        "view": {"stroke": None},
        "axis": {
            "labelColor": soft,
            "titleColor": soft,
            "titleFontWeight": "normal",
            "titlePadding": 8,
            "labelFontSize": 11,
            "titleFontSize": 11,
            "gridColor": line,
            "domainColor": line,
            "tickColor": line,
            "labelLimit": 170,
        },
        "legend": {
            "labelColor": soft,
            "titleColor": soft,
            "orient": "top",
            "title": None,
            "labelLimit": 260,
            "symbolStrokeWidth": 2,
            "columns": 3,
        },
        "title": {"color": ink, "fontSize": 12, "fontWeight": 600, "anchor": "start"},
        "header": {"labelColor": ink, "titleColor": ink, "labelFontWeight": 600, "labelAnchor": "start"},
        "text": {"color": ink},
        "rule": {"color": soft},
    }


LIGHT: Final[Mapping[str, Any]] = _config(_LIGHT)
DARK: Final[Mapping[str, Any]] = _config(_DARK)


def hues(names: Sequence[str]) -> list[str]:
    """A colour for each name, in order; beyond eight they repeat."""
    return [CATEGORIES[number % len(CATEGORIES)] for number in range(len(names))]
