"""Frames as the inline data of a chart."""

import math
from typing import TYPE_CHECKING, Any, Final

from des.words import printable

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

_DIGITS: Final = 7
"""Significant digits of a number in a chart, more than a screen can show."""


def inline(frame: "pd.DataFrame") -> "alt.InlineData":
    """The frame's rows. Text is made printable, numbers keep seven digits, and missing values are null."""
    import altair as alt

    names = list(frame.columns)
    rows = [dict(zip(names, map(_value, row), strict=True)) for row in frame.itertuples(index=False, name=None)]
    return alt.InlineData(values=rows)


def _value(value: Any) -> Any:
    if isinstance(value, str):
        return printable(value)
    if value is None or isinstance(value, bool):
        return value
    number = float(value)
    if not math.isfinite(number):
        return None
    if number.is_integer() and abs(number) < 2**53:
        return int(number)
    return float(f"{number:.{_DIGITS}g}")


def labels(names: "pd.Series[str]") -> list[str]:
    """The distinct names in the order of the rows, as the chart shows them: for a scale's domain or a sort."""
    return [printable(name) for name in dict.fromkeys(names)]
