"""Frames as the data of a chart."""

import math
from typing import TYPE_CHECKING, Any, Final

from des.words import printable

if TYPE_CHECKING:
    import pandas as pd

_DIGITS: Final = 7
"""Significant digits of a number in a chart, more than a screen can show."""


def inline(frame: "pd.DataFrame") -> "pd.DataFrame":
    """The frame with printable text and numbers of seven digits; missing ones are null."""
    import pandas as pd

    columns = {name: pd.Series([_value(value) for value in frame[name]], dtype=object) for name in frame.columns}
    return pd.DataFrame(columns)


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
