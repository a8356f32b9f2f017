"""How numbers are written: with enough digits, a unit, and no exponent where zeros can be counted."""

import math
from typing import Final

_MOST_ZEROS: Final = 12
"""A number with more zeros before its first digit is written with an exponent."""


def significant(value: float, digits: int = 3) -> int:
    """The number of decimals that shows `value` with that many significant digits."""
    if value == 0.0 or not math.isfinite(value):
        return 0
    return max(0, digits - 1 - math.floor(math.log10(abs(value))))


def plain(value: float, decimals: int) -> str:
    """An exponent, with as many digits, replaces more than a dozen leading zeros."""
    if 0.0 < abs(value) < 10.0**-_MOST_ZEROS:
        return f"{value:.{max(0, decimals + math.floor(math.log10(abs(value))))}e}"
    return f"{value:,.{decimals}f}" if value or decimals <= _MOST_ZEROS else "0"


def percent(value: float, decimals: int) -> str:
    return f"{plain(100.0 * value, decimals)} %"


def dollars(value: float, decimals: int) -> str:
    return f"${plain(value, decimals)}" if value >= 0.0 else f"-${plain(-value, decimals)}"


def seconds(value: float, decimals: int) -> str:
    return f"{plain(value, decimals)} s"


def size(count: float) -> str:
    """Bytes in the unit that has one to three digits before the point, two digits in all: `850 kB`, `1.2 GB`."""
    for unit, name in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB")):
        if count >= 0.9995 * unit:
            return f"{plain(count / unit, 1 if count < 9.95 * unit else 0)} {name}"
    return f"{plain(max(count, 1e3 if count else 0.0) / 1e3, 0)} kB"


def nines_of_lost(share: float) -> float:
    """-log10 of the share lost: 3 for 99.9 %; infinite where nothing was lost."""
    return math.inf if share <= 0.0 else 0.0 - math.log10(share)
