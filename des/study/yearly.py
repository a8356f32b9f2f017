"""What answers and failing cost a year, written with one unit of rounding, so that the rows of a column add up."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from des import digits
from des.estimate.estimate import Estimate
from des.study.value import Money

_WHOLE_FROM = 100.0
"""Dollars of the largest sum from which cents are left out."""


@dataclass(frozen=True, slots=True)
class Yearly:
    """Three sums in USD as they are shown: the first two add up to the third."""

    answers: float
    failing: float
    total: float


def places_of(money: Mapping[str, Money]) -> int:
    """The decimals that all sums of these arms share: those of the most exact one, and enough to tell totals apart.

    Whole dollars where the largest sum is of a hundred or more. Negative ones are zeros before the point.
    """
    sums = [each for of in money.values() for each in (of.answers, of.failing, of.total) if each.known]
    if not sums:
        return 2
    wanted = [digits.of_dollars(each.known, each.low, each.high) for each in sums]
    totals = sorted({of.total.known for of in money.values()})
    wanted += [-math.floor(math.log10(after - one)) for one, after in pairwise(totals)]
    largest = max(abs(each.known) for each in sums)
    return min(max(wanted), 0 if largest >= _WHOLE_FROM else digits.cents(largest))


def rounded(money: Money, places: int) -> Yearly:
    """The larger of the two parts bears what rounding leaves over."""
    answers, failing, total = (round(each.known, places) for each in (money.answers, money.failing, money.total))
    if abs(answers) >= abs(failing):
        return Yearly(total - failing, failing, total)
    return Yearly(answers, total - answers, total)


def written(usd: float, figure: Estimate, places: int) -> str:
    """The sum with the interval of its figure, which has its own digits and is left out where they would be zeros."""
    value = digits.dollars(usd, places)
    low, high = figure.low, figure.high
    if low is None or high is None or high <= low:
        return value
    own = min(places, digits.of_dollars(figure.known, low, high))
    half = (high - low) / 2.0
    around = digits.dollars(half, own)
    if around == digits.dollars(0.0, own):
        return value
    if abs((low + high) / 2.0 - figure.known) <= 0.02 * half:
        return f"{value} ± {around.removeprefix('$')}"
    ends = (digits.dollars(each, own).replace("$", "") for each in (low, high))
    return f"{value} [{', '.join(ends)}]"
