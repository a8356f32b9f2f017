"""How numbers are written: with enough digits, a unit, and no exponent where zeros can be counted."""

import math
from typing import Final

_MOST_ZEROS: Final = 12
"""A number with more zeros before its first digit is written with an exponent."""

_WHOLE_FROM: Final = 100.0
"""Dollars from which cents are left out."""
_TENS: Final = 10.0
"""Dollars of a half-width from which places before the point are rounded."""
_MORE: Final = 1
LEAST_CHANCE: Final = 1e-8
"""Chances of an objective below it are not told apart: no model is that certain."""
BELOW_LEAST_CHANCE: Final = "< 0.000001 %"
_ABOVE_MOST_CHANCE: Final = "> 99.999999 %"
_MOST_OF_AVAILABILITY: Final = 13
"""More than a float of an availability can hold."""


def significant(value: float, digits: int = 3) -> int:
    """The number of decimals that shows `value` with that many significant digits."""
    if value == 0.0 or not math.isfinite(value):
        return 0
    return max(0, digits - 1 - math.floor(math.log10(abs(value))))


def cents(usd: float) -> int:
    """The number of decimals of dollars without an interval: three significant digits, whole cents below a hundred.

    From a thousand on it is negative: so many places before the point are zeros.
    """
    return 2 - _exponent(usd) if abs(usd) >= _WHOLE_FROM else max(2, significant(usd))


def of_dollars(usd: float, low: float | None = None, high: float | None = None) -> int:
    """The number of decimals of dollars: those of `cents`, and fewer where the interval warrants fewer."""
    if low is None or high is None or high <= low:
        return cents(usd)
    half = (high - low) / 2.0
    warranted = by_interval(usd, low, high)
    if half >= _TENS:
        warranted = min(warranted, 1 - _exponent(half))
    places = min(warranted, cents(max(abs(usd), half)))
    return max(places, -_exponent(usd)) if usd else places


def money(usd: float, low: float | None = None, high: float | None = None) -> str:
    """Dollars with the digits that they and their interval warrant."""
    return dollars(usd, of_dollars(usd, low, high))


def _exponent(value: float) -> int:
    return math.floor(math.log10(abs(value)))


def by_interval(mean: float, low: float, high: float) -> int:
    """The number of decimals that an interval warrants: two digits of its shorter side, one of the mean in any case.

    Of an interval with one side that is very much shorter, at most one more than its half-width has.
    """
    sides = [side for side in (mean - low, high - mean) if side > 0.0]
    narrow = min(sides, default=0.0)
    if not narrow:
        return significant(mean)
    warranted = min(significant(narrow, 2), significant((high - low) / 2.0, 2) + _MORE)
    return max(warranted, significant(mean, 1))


def of_availability(lost: float, low: float | None, high: float | None) -> int:
    """The number of decimals of an availability in per cent, from the share lost and its interval, if it has one.

    Without one, three digits of what is lost.
    """
    if low is None or high is None or high <= low:
        return max(2, min(_MOST_OF_AVAILABILITY, significant(100.0 * lost)))
    return max(1, min(_MOST_OF_AVAILABILITY, by_interval(100.0 * lost, 100.0 * low, 100.0 * high)))


def chance(share: float, low: float | None = None, high: float | None = None) -> str:
    """In per cent. Its interval decides the digits; without one, those that tell it from 0 and from 100 %."""
    nearer = 100.0 * min(share, 1.0 - share)
    decimals = max(1, significant(nearer, 1)) if nearer > 0.0 else 0
    if low is not None and high is not None and high > low:
        decimals = by_interval(100.0 * share, 100.0 * low, 100.0 * high)
    return percent(share, decimals if 0.0 < 100.0 * share < 10.0**-_MOST_ZEROS else min(decimals, _MOST_ZEROS))


def chance_met(share: float, low: float | None = None, high: float | None = None) -> str:
    """A chance to meet an objective: as `chance`, without telling it from 0 or 1 where it is hardly anything else."""
    if words := extreme_chance(share, low, high):
        return words
    return chance(told_chance(share), low and told_chance(low), high and told_chance(high))


def extreme_chance(share: float, low: float | None = None, high: float | None = None) -> str:
    """`< 0.000001 %` or `> 99.999999 %` where chance and interval lie there, empty for others.

    Exactly 0 and 1 are no such chances.
    """
    least, most = min(share, share if low is None else low), max(share, share if high is None else high)
    if 0.0 < most < LEAST_CHANCE:
        return BELOW_LEAST_CHANCE
    return _ABOVE_MOST_CHANCE if 1.0 - LEAST_CHANCE < least < 1.0 else ""


def told_chance(share: float) -> float:
    """0 or 1 where it cannot be told from these."""
    if share < LEAST_CHANCE:
        return 0.0
    return 1.0 if share > 1.0 - LEAST_CHANCE else share


def plain(value: float, decimals: int) -> str:
    """An exponent, with as many digits, replaces more than a dozen leading zeros."""
    if 0.0 < abs(value) < 10.0**-_MOST_ZEROS:
        return f"{value:.{max(0, decimals + math.floor(math.log10(abs(value))))}e}"
    return f"{value:,.{decimals}f}" if value or decimals <= _MOST_ZEROS else "0"


def percent(value: float, decimals: int) -> str:
    return f"{plain(100.0 * value, decimals)} %"


def dollars(value: float, decimals: int) -> str:
    """Tenths of a dollar are written as cents. Negative `decimals` are so many zeros before the point."""
    if decimals < 0:
        value, decimals = round(value, decimals), 0
    decimals = 2 if decimals == 1 else decimals
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
