"""Arithmetic of estimates with intervals: sums, differences and quotients, of what is independent or is not.

A figure without an interval is either exact, or nothing is known of its error. The two must not be confused: what is
made of an exact figure has the interval of the other one, what is made of an unknown one has none.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from des.estimate.estimate import Estimate
from des.estimate.intervals import RECORDED

UNKNOWN: Final = "none: too few replications"
"""In place of an interval that cannot be given, where the figure itself does not say why."""
NO_LIMIT: Final = "no upper limit: whether fewer are lost cannot be told"

_Sides = tuple[float, float]
"""How far the ends of an interval are below and above the figure."""


def is_exact(figure: Estimate) -> bool:
    """Whether no interval means no error: a closed form, recorded incidents, or replications that all agree."""
    if figure.low is not None or figure.high is not None:
        return False
    return figure.n == 0 or figure.interval == RECORDED or (figure.n > 1 and figure.interval is None)


def is_resolved(difference: Estimate) -> bool:
    """Whether it can be told from zero."""
    sides = _sides(difference)
    if sides is None:
        return False
    low, high = difference.known - sides[0], difference.known + sides[1]
    return low > 0.0 or high < 0.0


def why_unknown(figure: Estimate) -> str:
    """Why it has no interval though it is not exact; empty where it has one, or needs none."""
    if figure.low is not None or is_exact(figure):
        return ""
    return (figure.interval or UNKNOWN).removeprefix("none: ")


def scaled(figure: Estimate, factor: float) -> Estimate:
    """The estimate times a factor of at least 0."""
    mean, low, high = (None if x is None else x * factor for x in (figure.mean, figure.low, figure.high))
    return replace(figure, mean=mean, low=low, high=high, controlled=None, variance_reduction=None)


def added(one: Estimate, other: Estimate) -> Estimate:
    """The sum of two independent estimates; their half-widths add up as squares."""
    return _combined(one, other, one.known + other.known, lambda a, b: (math.hypot(a[0], b[0]), math.hypot(a[1], b[1])))


def less(one: Estimate, other: Estimate) -> Estimate:
    """The difference of two independent estimates."""
    return _combined(one, other, one.known - other.known, lambda a, b: (math.hypot(a[0], b[1]), math.hypot(a[1], b[0])))


def apart(one: Estimate, other: Estimate) -> Estimate:
    """The difference of two estimates that depend on each other; their half-widths add up at most."""
    return _combined(one, other, one.known - other.known, lambda a, b: (a[0] + b[1], a[1] + b[0]))


def narrower(one: Estimate, other: Estimate) -> Estimate:
    """Of two estimates of the same, the one with the narrower interval; an exact one has none."""
    a, b = _sides(one), _sides(other)
    if a is None or b is None:
        return other if a is None else one
    return one if sum(a) < sum(b) else other


def quotient(part: Estimate, whole: Estimate, *, independent: bool) -> Estimate:
    """`part` over `whole`, a figure above 0, cut off at 0.

    Its ends are those of Donner and Zou 2012 (MOVER-R; Fieller's for symmetric intervals) where the two are
    independent, else all that both intervals allow. Without a high end where `whole` may be 0.
    """
    value = max(0.0, part.known / whole.known)
    found = replace(_combined(part, whole, value, lambda a, b: (0.0, 0.0)), low=None, high=None)
    above, below = _sides(part), _sides(whole)
    if above is None or below is None or (is_exact(part) and is_exact(whole)):
        return found
    ends = _mover if independent else _box
    low, high = ends(part.known, whole.known, above, below)
    return replace(found, low=low, high=high, interval=NO_LIMIT if high is None else None)


def _mover(part: float, whole: float, of_part: _Sides, of_whole: _Sides) -> tuple[float, float | None]:
    low, high = 0.0, None
    down, up = of_part[0], of_whole[1]
    if part > down:
        root = math.sqrt((up * part) ** 2 - (up * down) ** 2 + (whole * down) ** 2)
        low = (part - down) * (part + down) / (part * whole + root)
    up, down = of_part[1], of_whole[0]
    if whole > down:
        root = math.sqrt((down * part) ** 2 + up * up * (whole - down) * (whole + down))
        high = max(0.0, (part * whole + root) / ((whole - down) * (whole + down)))
    return low, high


def _box(part: float, whole: float, of_part: _Sides, of_whole: _Sides) -> tuple[float, float | None]:
    low = max(0.0, (part - of_part[0]) / (whole + of_whole[1]))
    least = whole - of_whole[0]
    return low, max(0.0, (part + of_part[1]) / least) if least > 0.0 else None


def _combined(one: Estimate, other: Estimate, mean: float, join: Callable[[_Sides, _Sides], _Sides]) -> Estimate:
    names = dict.fromkeys(name for each in (one, other) for name in each.estimator.split(" and "))
    found = Estimate(mean, n=max(one.n, other.n), estimator=" and ".join(names))
    a, b = _sides(one), _sides(other)
    if a is None or b is None:
        why = next(why for each in (one, other) if (why := why_unknown(each)))
        return replace(found, n=max(found.n, 1), interval=f"none: {why}")
    if is_exact(one) and is_exact(other):
        return replace(found, interval=RECORDED if RECORDED in (one.interval, other.interval) else None)
    below, above = join(a, b)
    return replace(found, low=mean - below, high=mean + above)


def _sides(figure: Estimate) -> _Sides | None:
    """None where nothing is known of the error."""
    if figure.low is not None and figure.high is not None:
        return figure.known - figure.low, figure.high - figure.known
    return (0.0, 0.0) if is_exact(figure) else None
