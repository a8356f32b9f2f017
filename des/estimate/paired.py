"""Arms against each other over common random numbers: differences and ratios replication by replication."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from des.estimate.intervals import Interval, alike, standard_error, students_t, t_quantile

Name = TypeVar("Name")


@dataclass(frozen=True, slots=True)
class Paired:
    """One arm's figure against another's.

    The three agree: the difference's interval excludes 0 and the ratio's excludes 1 where the p-value is below 5 %,
    and nowhere else. An end is None where there is no limit on that side, both where nothing can be said.
    """

    difference: Interval
    ratio: Interval | None  # None where the other arm's figure is zero
    p_value: float | None  # that the difference is chance, two-sided; None where it cannot be told
    variance_reduction: float | None  # variance of the difference of unpaired runs over that of paired ones
    n: int


def paired(values: Sequence[float | None], against: Sequence[float | None]) -> Paired | None:
    """`values` less `against`, pair by pair of equal replication; None without a pair of known values.

    Student's t, and for the ratio Fieller's interval (1954), which is the same test. Differences that are all the
    same have neither.
    """
    pairs = [(one, other) for one, other in zip(values, against, strict=True) if one is not None and other is not None]
    if not pairs:
        return None
    ours, theirs = [one for one, _ in pairs], [other for _, other in pairs]
    differences = [one - other for one, other in pairs]
    return Paired(
        students_t(differences), ratio(ours, theirs), p_value(differences), variance_reduction(ours, theirs), len(pairs)
    )


def ratio(values: Sequence[float], against: Sequence[float]) -> Interval | None:
    """The ratio of two means over paired replications: those that `values` less so many times `against` allow.

    Without ends where `against` is too little known to divide by.
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


def p_value(differences: Sequence[float]) -> float | None:
    """Two-sided, of Student's t; 1 where all differences are zero, None where all are another number."""
    n = len(differences)
    if n < 2:
        return None
    from scipy.special import stdtr

    mean = math.fsum(differences) / n
    if alike(differences):
        return 1.0 if mean == 0.0 else None
    return float(2.0 * stdtr(n - 1, -abs(mean) / standard_error(differences)))


def variance_reduction(values: Sequence[float], against: Sequence[float]) -> float | None:
    """How many times more replications independent runs would take; None where it cannot be told."""
    differences = [one - other for one, other in zip(values, against, strict=True)]
    if len(values) < 2 or alike(differences):
        return None
    apart = standard_error(values) ** 2 + standard_error(against) ** 2
    return apart / standard_error(differences) ** 2


def holm(p_values: Mapping[Name, float]) -> dict[Name, float]:
    """Each p-value adjusted for all of them (Holm 1979): those below 5 % are then together wrong in at most 5 %."""
    ordered = sorted(p_values.items(), key=lambda item: item[1])
    adjusted: dict[Name, float] = {}
    highest = 0.0
    for place, (name, value) in enumerate(ordered):
        highest = max(highest, min(1.0, value * (len(ordered) - place)))
        adjusted[name] = highest
    return {name: adjusted[name] for name in p_values}
