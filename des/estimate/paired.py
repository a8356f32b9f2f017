"""Compares arms over common random numbers: replication by replication, or by the outages that differ.

Where few outages lost the requests, outages that differ are counted, not requests: one outage loses many requests at
once. What both arms lost in the same outage says nothing about their difference; what only one of them lost does. So of
the outages that cost one arm more than the other, the number on each side is compared, given the total. This is the
binomial test of two Poisson counts, with Clopper and Pearson's interval. Outages of unequal size count as the smaller
number of equal ones whose sum has the same relative spread. They count as fewer still where replications differ by more
than random outages would make them.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from des.estimate.intervals import (
    CONFIDENCE,
    FEW_EPISODES,
    Interval,
    alike,
    poisson_bounds,
    standard_error,
    students_t,
    t_quantile,
)
from des.estimate.totals import Losses

_TAIL: Final = (1.0 - CONFIDENCE) / 2.0
_NUISANCE: Final = 0.025
_UNEXPLAINED: Final = 0.01

_Name = TypeVar("_Name")


@dataclass(frozen=True, slots=True)
class Paired:
    """One arm's figure compared with another's.

    The difference's interval excludes 0, the ratio's excludes 1 and the p-value is below 5 % in the same cases. An end
    is None where there is no limit on that side, both ends are None where nothing can be said. `ratio` is None where
    the other arm's figure is zero. `p_value` is two-sided, None where it cannot be computed. `variance_reduction` is
    the variance of the difference of unpaired runs over that of paired ones.
    """

    difference: Interval
    ratio: Interval | None
    p_value: float | None
    variance_reduction: float | None
    n: int


def paired(values: Sequence[float | None], against: Sequence[float | None]) -> Paired | None:
    """`values` less `against`, paired by replication; None without a pair of known values.

    The interval is Student's t, and for the ratio Fieller's (1954), which is the same test. Differences that are all
    the same have neither.
    """
    pairs = [(one, other) for one, other in zip(values, against, strict=True) if one is not None and other is not None]
    if not pairs:
        return None
    ours, theirs = [one for one, _ in pairs], [other for _, other in pairs]
    differences = [one - other for one, other in pairs]
    return Paired(
        difference=students_t(differences),
        ratio=_ratio_of_means(ours, theirs),
        p_value=_p_value(differences),
        variance_reduction=variance_reduction(ours, theirs),
        n=len(pairs),
    )


def _ratio_of_means(values: Sequence[float], against: Sequence[float]) -> Interval | None:
    """The ratio of two means over paired replications: the multiples of `against` that the same test accepts.

    Without an interval where the mean of `against` is not distinguishable from zero.
    """
    n = len(values)
    one, other = math.fsum(values) / n, math.fsum(against) / n
    if other == 0.0:
        return None
    quotient = one / other
    if n < 2 or quotient < 0.0 or alike([a - b for a, b in zip(values, against, strict=True)]):
        return Interval(quotient, None, None)
    reach = t_quantile(n - 1) ** 2 / (n - 1) / n
    a = [value / abs(other) for value in values]
    b = [value / abs(other) for value in against]
    mean_a, mean_b = math.fsum(a) / n, math.fsum(b) / n
    square = mean_b**2 - reach * math.fsum((y - mean_b) ** 2 for y in b)
    middle = mean_a * mean_b - reach * math.fsum((x - mean_a) * (y - mean_b) for x, y in zip(a, b, strict=True))
    last = mean_a**2 - reach * math.fsum((x - mean_a) ** 2 for x in a)
    root = math.sqrt(max(0.0, middle * middle - square * last))
    if square > 0.0:
        return Interval(quotient, max(0.0, (middle - root) / square), (middle + root) / square)
    if square < 0.0 and middle * middle > square * last:
        above, below = (middle - root) / square, (middle + root) / square
        if below < 0.0 < above:
            return Interval(quotient, above, None)
    return Interval(quotient, None, None)


def _p_value(differences: Sequence[float]) -> float | None:
    """Two-sided, by Student's t. 1 where all differences are zero, None where all are the same other number."""
    n = len(differences)
    if n < 2:
        return None
    from scipy.special import stdtr

    mean = math.fsum(differences) / n
    if alike(differences):
        return 1.0 if mean == 0.0 else None
    return float(2.0 * stdtr(n - 1, -abs(mean) / standard_error(differences)))


def variance_reduction(values: Sequence[float], against: Sequence[float]) -> float | None:
    """How many times as many replications independent runs would take; None where it cannot be computed."""
    differences = [one - other for one, other in zip(values, against, strict=True)]
    if len(values) < 2 or alike(differences):
        return None
    apart = standard_error(values) ** 2 + standard_error(against) ** 2
    return apart / standard_error(differences) ** 2


def holm(p_values: Mapping[_Name, float]) -> dict[_Name, float]:
    """Each p-value adjusted for all of them, so that the familywise error at 5 % is at most 5 % (Holm 1979)."""
    ordered = sorted(p_values.items(), key=lambda item: item[1])
    adjusted: dict[_Name, float] = {}
    highest = 0.0
    for place, (name, value) in enumerate(ordered):
        highest = max(highest, min(1.0, value * (len(ordered) - place)))
        adjusted[name] = highest
    return {name: adjusted[name] for name in p_values}


@dataclass(frozen=True, slots=True, kw_only=True)
class Discordance:
    """Requests lost in all replications together: by both arms in the same outages, and by each one alone.

    `both`, `more` and `less` are effective numbers of outages: behind the common losses, and behind what one arm lost
    more, or less, than the other. `outages` counts those behind the last two.
    """

    common: float
    excess: float
    deficit: float
    both: float
    more: float
    less: float
    outages: int


def discordance(ours: Sequence[Losses], theirs: Sequence[Losses], weight: float) -> Discordance | None:
    """Outages of two arms matched by time; None where more than a few differ. `weight` scales `theirs`."""
    if any(each.apart > len(each.apart_s) for each in (*ours, *theirs)):
        return None
    common: list[float] = []
    above: list[float] = []
    below: list[float] = []
    of_replications = []
    for one, other in zip(ours, theirs, strict=True):
        whole = 0.0
        for lost, also_lost in _matched(one, other):
            also_lost *= weight
            if min(lost, also_lost) > 0.0:
                common.append(min(lost, also_lost))
            if abs(lost - also_lost) < 0.5:  # equal except for the weight's rounding
                continue
            whole += lost - also_lost
            (above if lost > also_lost else below).append(abs(lost - also_lost))
        of_replications.append(whole)
    if len(above) + len(below) >= FEW_EPISODES:
        return None
    unequal = _inequality([*common, *above, *below])
    spread = _overdispersion(of_replications, math.fsum(size * size for size in (*above, *below)))
    both, more, less = (_effective(sizes, unequal) / spread for sizes in (common, above, below))
    return Discordance(
        common=math.fsum(common),
        excess=math.fsum(above),
        deficit=math.fsum(below),
        both=both,
        more=more,
        less=less,
        outages=len(above) + len(below),
    )


def rare_pair(found: Discordance, plain: Paired, requests: float) -> Paired:
    """The comparison `plain` with intervals and p-value from the losses that differ, of `requests` in all.

    Where nothing differs the p-value is 1 and there is no interval: the difference that might come is unknown.
    """
    if not found.outages:
        quotient = None if plain.ratio is None else Interval(plain.ratio.value, None, None)
        return Paired(Interval(plain.difference.value, None, None), quotient, 1.0, None, plain.n)
    least, most, p_value = _odds(found)
    total = found.excess + found.deficit
    few, many = (total * bound for bound in _about(found.more + found.less))

    tilts = [1.0 if math.isinf(odds) else (odds - 1.0) / (odds + 1.0) for odds in (least, most)]
    low = tilts[0] * (many if tilts[0] < 0.0 else few) / requests
    high = tilts[1] * (many if tilts[1] > 0.0 else few) / requests
    value = plain.difference.value
    difference = Interval(value, min(value, low), max(value, high))
    return Paired(
        difference, _ratio(found, plain, (least, most), (few, many)), p_value, plain.variance_reduction, plain.n
    )


def explained(ours: Sequence[float], theirs: Sequence[float], by: Paired, causes: Sequence[float]) -> Paired | None:
    """A comparison of a metric that depends only on the lost requests, with the interval and p-value of `by`.

    `ours` and `theirs` are the metric and `causes` the differences of the shares lost, by replication. None where
    losses leave more than a hundredth of the metric's variation unexplained.
    """
    n = len(causes)
    differences = [one - other for one, other in zip(ours, theirs, strict=True)]
    square = math.fsum(cause * cause for cause in causes)
    base = math.fsum(theirs) / n
    if square == 0.0 or base <= 0.0:
        return None
    slope = math.fsum(value * cause for value, cause in zip(differences, causes, strict=True)) / square
    left = math.fsum((value - slope * cause) ** 2 for value, cause in zip(differences, causes, strict=True))
    whole = math.fsum(value * value for value in differences)
    if whole == 0.0 or left > _UNEXPLAINED * whole:
        return None
    value = math.fsum(differences) / n
    reduction = variance_reduction(ours, theirs)
    if by.difference.low is None or by.difference.high is None:
        return Paired(Interval(value, None, None), Interval(1.0 + value / base, None, None), by.p_value, reduction, n)
    ends = sorted((slope * by.difference.low, slope * by.difference.high))
    low, high = min(value, ends[0]), max(value, ends[1])
    quotient = Interval(1.0 + value / base, max(0.0, 1.0 + low / base), 1.0 + high / base)
    return Paired(Interval(value, low, high), quotient, by.p_value, reduction, n)


def _odds(found: Discordance) -> tuple[float, float, float]:
    """(low, high) of the ratio of what each arm loses alone, and the p-value of its being 1."""
    from scipy.special import betainc, betaincinv

    more, less = found.more, found.less
    each_more = found.excess / more if more else found.deficit / less
    each_less = found.deficit / less if less else each_more
    scale = each_more / each_less
    low = float(betaincinv(more, less + 1.0, _TAIL)) if more else 0.0
    high = float(betaincinv(more + 1.0, less, 1.0 - _TAIL)) if less else 1.0
    even = 1.0 / (1.0 + scale)
    at_least = float(betainc(more, less + 1.0, even)) if more else 1.0
    at_most = 1.0 - float(betainc(more + 1.0, less, even)) if less else 1.0
    p_value = min(1.0, 2.0 * min(at_least, at_most))
    return scale * low / (1.0 - low), scale * high / (1.0 - high) if high < 1.0 else math.inf, p_value


def _ratio(
    found: Discordance, plain: Paired, odds: tuple[float, float], totals: tuple[float, float]
) -> Interval | None:
    """The ratio of all losses of one arm to all of the other. It is nearer to 1 the fewer outages differ."""
    few, many = totals

    def ratio(odds: float, total: float, common: float) -> float:
        share = 1.0 if math.isinf(odds) else odds / (1.0 + odds)
        below = common + total * (1.0 - share)
        return (common + total * share) / below if below > 0.0 else math.inf

    least, most = odds
    rarely, often = (found.common * bound for bound in _about(found.both))
    low = ratio(least, *((many, rarely) if least < 1.0 else (few, often)))
    high = ratio(most, *((many, rarely) if most > 1.0 else (few, often)))
    value = math.inf if plain.ratio is None else plain.ratio.value
    return Interval(value, min(value, low), None if math.isinf(high) else max(value, high))


def _about(count: float) -> tuple[float, float]:
    """Low and high factors of a number of events: how far it may be off."""
    if count == 0.0:
        return 1.0, 1.0
    low, high = poisson_bounds(count, _NUISANCE)
    return low / count, high / count


def _matched(one: Losses, other: Losses) -> Iterator[tuple[float, float]]:
    """(lost by one, lost by the other) in each group of outages that overlap in time."""
    both = sorted((*((*each, 0) for each in one.clusters), *((*each, 1) for each in other.clusters)))
    lost, until_s = [0.0, 0.0], -math.inf
    for start_s, end_s, count, side in both:
        if start_s > until_s and any(lost):
            yield lost[0], lost[1]
            lost = [0.0, 0.0]
        lost[side] += count
        until_s = max(until_s, end_s)
    if any(lost):
        yield lost[0], lost[1]


def _inequality(sizes: Sequence[float]) -> float:
    """Mean square over squared mean; 1 where all sizes are equal, or there are none."""
    return len(sizes) * math.fsum(size * size for size in sizes) / math.fsum(sizes) ** 2 if sizes else 1.0


def _effective(sizes: Sequence[float], unequal: float) -> float:
    """The number of equal sizes whose sum has the same relative spread.

    A few sizes seldom show all of the inequality, so it is taken from all sizes (`unequal`).
    """
    return len(sizes) / max(unequal, _inequality(sizes))


def _overdispersion(of_replications: Sequence[float], expected: float) -> float:
    """The factor by which sums over replications vary more than independent outages make them; at least 1."""
    n = len(of_replications)
    if n < 2 or expected == 0.0:
        return 1.0
    mean = math.fsum(of_replications) / n
    return max(1.0, math.fsum((value - mean) ** 2 for value in of_replications) * n / (n - 1) / expected)
