"""Arms against each other where few outages lost the requests: what counts are outages that differ, not requests.

What both arms lost in the same outage says nothing of their difference; what only one lost does, and an outage loses
many requests at once. So of the outages that cost one arm more than the other, the number on each side is compared,
given how many there are: the binomial test of two Poisson counts, whose interval is Clopper and Pearson's. Outages of
unequal size count as fewer equal ones, as many as have the same relative spread; fewer still where replications differ
by more than outages at random would make them.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from des.estimate.intervals import CONFIDENCE, FEW_EPISODES, Interval, poisson_bounds
from des.estimate.losses import Losses
from des.estimate.paired import Paired, variance_reduction

TAIL: Final = (1.0 - CONFIDENCE) / 2.0
NUISANCE: Final = 0.025
UNEXPLAINED: Final = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Discordance:
    """Of all replications together, in requests: lost by both in the same outages, by one alone, by the other alone.

    `both`, `more` and `less` are effective numbers of outages behind what they lost in common, and behind what one lost
    more, or less, than the other; `outages` how many of these two there were.
    """

    common: float
    excess: float
    deficit: float
    both: float
    more: float
    less: float
    outages: int


def discordance(ours: Sequence[Losses], theirs: Sequence[Losses], weight: float) -> Discordance | None:
    """Outages of two arms matched by time; one of theirs counts `weight` times. None where more than a few differ."""
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
            if abs(lost - also_lost) < 0.5:  # equal but for the weight
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
    """The same comparison by what differs; `plain` has the figures, and `requests` the number they are shares of.

    Without ends, p-value 1, where nothing differs: how much might is not known.
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
    """A comparison of another metric that follows the lost requests and nothing else, by their interval and p-value.

    `ours` and `theirs` are the metric and `causes` the difference of the shares lost, replication by replication.
    None where losses leave more than a hundredth of the metric's variation unexplained.
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
    if whole == 0.0 or left > UNEXPLAINED * whole:
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
    """(low, high) of what one loses alone over what the other does, and the p-value of their being equal."""
    from scipy.special import betainc, betaincinv

    more, less = found.more, found.less
    each_more = found.excess / more if more else found.deficit / less
    each_less = found.deficit / less if less else each_more
    scale = each_more / each_less
    low = float(betaincinv(more, less + 1.0, TAIL)) if more else 0.0
    high = float(betaincinv(more + 1.0, less, 1.0 - TAIL)) if less else 1.0
    even = 1.0 / (1.0 + scale)
    at_least = float(betainc(more, less + 1.0, even)) if more else 1.0
    at_most = 1.0 - float(betainc(more + 1.0, less, even)) if less else 1.0
    p_value = min(1.0, 2.0 * min(at_least, at_most))
    return scale * low / (1.0 - low), scale * high / (1.0 - high) if high < 1.0 else math.inf, p_value


def _ratio(
    found: Discordance, plain: Paired, odds: tuple[float, float], totals: tuple[float, float]
) -> Interval | None:
    """Of all that one lost to all that the other lost; the fewer outages differ, the nearer to 1."""
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
    """How far a number of events may be off, as factors: what the split of them is told apart from."""
    if count == 0.0:
        return 1.0, 1.0
    low, high = poisson_bounds(count, NUISANCE)
    return low / count, high / count


def _matched(one: Losses, other: Losses) -> Iterator[tuple[float, float]]:
    """Lost in either arm by whatever overlaps in time."""
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
    """Mean square over squared mean; 1 where all are equal, or there are none."""
    return len(sizes) * math.fsum(size * size for size in sizes) / math.fsum(sizes) ** 2 if sizes else 1.0


def _effective(sizes: Sequence[float], unequal: float) -> float:
    """How many equal sizes have a sum of the same relative spread; a few seldom show all of it, so all sizes tell."""
    return len(sizes) / max(unequal, _inequality(sizes))


def _overdispersion(of_replications: Sequence[float], expected: float) -> float:
    """By how much sums over replications vary more than independent outages make them; at least 1."""
    n = len(of_replications)
    if n < 2 or expected == 0.0:
        return 1.0
    mean = math.fsum(of_replications) / n
    return max(1.0, math.fsum((value - mean) ** 2 for value in of_replications) * n / (n - 1) / expected)
