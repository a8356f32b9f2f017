"""Figures with their intervals for people: enough digits to show differences."""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from des.digits import by_interval, cents, of_availability, of_dollars, told_chance
from des.digits import chance as chance
from des.digits import chance_met as chance_met
from des.digits import dollars as dollars
from des.digits import extreme_chance as extreme_chance
from des.digits import money as money
from des.digits import nines_of_lost as nines_of_lost
from des.digits import percent as percent
from des.digits import plain as plain
from des.digits import seconds as seconds
from des.digits import significant as significant
from des.digits import size as size
from des.estimate.estimate import Estimate

NOTHING: Final = "-"
_MINUTES_IN_30_DAYS: Final = 43_200.0
_LEAST_MISSING: Final = 1e-12
"""The smallest 1 - availability that still has three digits as a float."""
_LAST_DIGIT: Final = 2e-16
"""Rounding error of a number next to 1. An availability has this error, and the share lost may be smaller."""

Format = Callable[[float, int], str]
"""Writes a value with that many decimals."""


def read(found: Mapping[str, Any] | None) -> Estimate | None:
    """A figure of `summary.json`, None where it is missing."""
    return None if found is None else Estimate.from_json(found)


def mean_of(figure: Estimate | None) -> float:
    """Zero where there is no mean."""
    return 0.0 if figure is None or figure.mean is None else figure.mean


def scaled(figure: Estimate, factor: float) -> Estimate:
    mean, low, high = (None if value is None else value * factor for value in (figure.mean, figure.low, figure.high))
    return replace(figure, mean=mean, low=low, high=high)


def without_intervals(found: Any) -> Any:
    """A copy of a summary, or part of one, in which no figure has an interval."""
    if not isinstance(found, Mapping):
        return found
    ends = {"low": None, "high": None} if {"mean", "low", "high"} <= set(found) else {}
    return {key: without_intervals(value) for key, value in found.items()} | ends


def shown(
    figure: Estimate | None, write: Format, *, scale: float = 1.0, digits: int = 3, most: int | None = None
) -> str:
    """A figure with its interval, if it has one, which then decides the digits. `write` gets values times `scale`.

    Without one it has so many significant digits; dollars as many as `of_dollars` says. It never has more than `most`.
    """
    if figure is None or figure.mean is None:
        return NOTHING
    mean, low, high = figure.mean, figure.low, figure.high
    return with_interval(mean, low, high, write, decimals_without(mean, write, scale, digits), scale=scale, most=most)


def shown_chance(figure: Estimate | None) -> str:
    """A chance to meet an objective; ends that are hardly above 0 or below 1 are not told from these."""
    if figure is None or figure.mean is None:
        return NOTHING
    if words := extreme_chance(figure.mean, figure.low, figure.high):
        return words
    return shown(as_told(figure), percent, scale=100.0)


def as_told(chance: Estimate) -> Estimate:
    """With 0 or 1 in place of numbers that cannot be told from these."""
    mean, low, high = (None if each is None else told_chance(each) for each in (chance.mean, chance.low, chance.high))
    return replace(chance, mean=mean, low=low, high=high)


def decimals_without(mean: float, write: Format, scale: float = 1.0, digits: int = 3) -> int:
    """The number of decimals of a figure that has no interval."""
    return cents(mean * scale) if write is dollars else significant(mean * scale, digits)


def decimals_of(figure: Estimate, write: Format, scale: float = 1.0, digits: int = 3, most: int | None = None) -> int:
    """The number of decimals of a figure, whether its interval is shown beside it or not."""
    mean, low, high = figure.known, figure.low, figure.high
    if low is None or high is None or high - low <= 2e-12 * abs(mean):
        return decimals_without(mean, write, scale, digits)
    return _warranted(mean * scale, low * scale, high * scale, write, most)


def _warranted(mean: float, low: float, high: float, write: Format, most: int | None = None) -> int:
    if write is dollars:
        return of_dollars(mean, low, high)
    decimals = by_interval(mean, low, high)
    return decimals if most is None else min(decimals, significant(mean, most))


def with_interval(
    mean: float,
    low: float | None,
    high: float | None,
    write: Format,
    decimals: int,
    *,
    scale: float = 1.0,
    rounding: float = 1e-12,
    most: int | None = None,
) -> str:
    """`mean ± half` for a symmetric interval, `mean [low, high]` otherwise; `decimals` are for a mean without one.

    Ends that differ by no more than `rounding`, a share of the mean, are no interval. Only exact figures are that
    certain, and they have none. Nor has one that is narrower than the last digit.
    """
    if low is None or high is None or high - low <= 2.0 * rounding * abs(mean):
        return write(mean, decimals)
    half = (high - low) / 2.0
    decimals = _warranted(mean * scale, low * scale, high * scale, write, most)
    value, around = write(mean, decimals), write(half, decimals)
    if around == write(0.0, decimals):
        return value
    if abs((low + high) / 2.0 - mean) <= 0.02 * half:
        return f"{value} ± {_bare(around)}"
    return f"{value} [{_bare(write(low, decimals))}, {_bare(write(high, decimals))}]"


def _bare(text: str) -> str:
    """Without its unit, which the value before it has."""
    return text.removesuffix(" %").removesuffix(" s").replace("$", "")


def availability(figure: Estimate | None, lost: Estimate | None = None) -> str:
    """Without an interval, enough digits for three significant ones of 1 - availability.

    They are those of `lost` where a float of the availability cannot hold them.
    """
    if figure is None or figure.mean is None:
        return NOTHING
    mean, low, high = figure.mean, figure.low, figure.high
    if lost is not None and 0.0 < mean_of(lost) < _LEAST_MISSING:
        return f"100 % less {shown(lost, percent, scale=100.0)}"
    if mean >= 1.0 and (low is None or low >= 1.0):
        return "100 % (none lost)"
    decimals = of_availability(1.0 - mean, None, None)
    return with_interval(mean, low, high, percent, decimals, scale=100.0, rounding=_LAST_DIGIT)


def availability_alone(figure: Estimate | None, lost: Estimate | None = None) -> str:
    """Without its interval, which decides the digits all the same."""
    if figure is None or figure.mean is None:
        return NOTHING
    bare = availability(figure.without_interval(None), None if lost is None else Estimate(lost.mean))
    lost = figure.complement() if lost is None else lost
    if not lost.mean or lost.mean < _LEAST_MISSING or lost.low is None or lost.high is None:
        return bare
    return percent(figure.mean, of_availability(lost.mean, lost.low, lost.high))


def availability_nines(figure: Estimate | None, lost: Estimate | None = None) -> str:
    return _transformed(figure, lost, nines_of_lost, rising=False, decimals=lambda value: 2)


def availability_minutes(figure: Estimate | None, lost: Estimate | None = None) -> str:
    return _transformed(figure, lost, lambda share: share * _MINUTES_IN_30_DAYS, rising=True, decimals=significant)


def _transformed(
    figure: Estimate | None,
    lost: Estimate | None,
    of_lost: Callable[[float], float],
    *,
    rising: bool,
    decimals: Callable[[float], int],
) -> str:
    if figure is None or figure.mean is None:
        return NOTHING
    lost = figure.complement() if lost is None else lost
    value = of_lost(mean_of(lost))
    if not math.isfinite(value):
        return NOTHING
    if lost.low is None or lost.high is None:
        return plain(value, decimals(value))
    ends = [of_lost(lost.low), of_lost(lost.high)]
    low, high = ends if rising else ends[::-1]
    if not math.isfinite(high):
        return f"{plain(value, decimals(value))} [{plain(low, decimals(value))}, no limit]"
    return with_interval(value, low, high, plain, decimals(value))


def duration(seconds: float) -> str:
    """`7.2 s`, `85 s`, `12 min`, `2.4 h`; days from two of them on."""
    if seconds < 120.0:
        return f"{seconds:,.1f} s" if seconds < 10.0 else f"{seconds:,.0f} s"
    if seconds < 7200.0:
        return f"{seconds / 60.0:,.0f} min"
    return f"{seconds / 3600.0:,.1f} h" if seconds < 172_800.0 else f"{seconds / 86_400.0:,.0f} days"
