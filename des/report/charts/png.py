"""Charts as PNG files, without a browser."""

import copy
from collections.abc import Mapping
from typing import Any, Final

from des.report.charts.theme import LIGHT

_WIDTH: Final = 760
_SCALE: Final = 2.0


def with_width(spec: Mapping[str, Any], width: int = _WIDTH) -> dict[str, Any]:
    """A copy of a specification in which every width of a container is a number of pixels."""
    found: dict[str, Any] = copy.deepcopy(dict(spec))

    def set_width(part: Any) -> None:
        if isinstance(part, dict):
            if part.get("width") == "container":
                part["width"] = width
            for name, each in part.items():
                if name not in ("datasets", "data"):
                    set_width(each)
        elif isinstance(part, list):
            for each in part:
                set_width(each)

    set_width(found)
    return found


def as_png(spec: Mapping[str, Any]) -> bytes:
    """On white, 760 pixels wide without its labels, at twice the resolution."""
    import vl_convert

    sized = with_width(spec)
    sized["config"] = {**LIGHT, "background": "white"}
    found: bytes = vl_convert.vegalite_to_png(sized, scale=_SCALE)
    return found
