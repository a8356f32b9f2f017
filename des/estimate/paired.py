"""Arms against each other over common random numbers: differences and ratios replication by replication."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from des.estimate.intervals import Interval, standard_error, students_t, t_quantile

Name = TypeVar("Name")


@dataclass(frozen=True, slots=True)
class Paired:
    """One arm's figure against another's."""

    difference: Interval
    ratio: Interval | None  # None where the other arm's figure is zero
    p_value: float | None  # that the difference is chance, two-sided; None below two replications
    variance_reduction: float | None  # variance of the difference of unpaired runs over that of paired ones
    n: int


def paired(values: Sequence[float | None], against: Sequence[float | None]) -> Paired | None:
    """`values` less `against`, pair by pair of equal replication; None without a pair of known values."""
    pairs = [(one, other) for one, other in zip(values, against, strict=True) if one is not None and other is not None]
    if not pairs:
        return None
    ours, theirs = [one for one, _ in pairs], [other for _, other in pairs]
    differences = [one - other for one, other in pairs]
    return Paired(
        students_t(differences), ratio(ours, theirs), p_value(differences), variance_reduction(ours, theirs), len(pairs)
    )


def ratio(values: Sequence[float], against: Sequence[float]) -> Interval | None:
    """The ratio of two means over paired replications, with the delta method's interval on the log scale."""
    n = len(values)
    one, other = math.fsum(values) / n, math.fsum(against) / n
    if other == 0.0:
        return None
    quotient = one / other
    if n < 2 or quotient <= 0.0:
        return Interval(quotient, None, None)
    residuals = [a / one - b / other for a, b in zip(values, against, strict=True)]
    reach = math.exp(min(700.0, t_quantile(n - 1) * standard_error(residuals)))
    return Interval(quotient, quotient / reach, quotient * reach)


def p_value(differences: Sequence[float]) -> float | None:
    """Two-sided, of Student's t; 1 where all differences are zero."""
    n = len(differences)
    if n < 2:
        return None
    from scipy.special import stdtr

    mean, error = math.fsum(differences) / n, standard_error(differences)
    if error == 0.0:
        return 1.0 if mean == 0.0 else 0.0
    return float(2.0 * stdtr(n - 1, -abs(mean) / error))


def variance_reduction(values: Sequence[float], against: Sequence[float]) -> float | None:
    """How many times more replications independent runs would take; None where it cannot be told."""
    if len(values) < 2:
        return None
    apart = standard_error(values) ** 2 + standard_error(against) ** 2
    together = standard_error([one - other for one, other in zip(values, against, strict=True)]) ** 2
    return apart / together if together > 0.0 else None


def holm(p_values: Mapping[Name, float]) -> dict[Name, float]:
    """Each p-value adjusted for all of them (Holm 1979): those below 5 % are then together wrong in at most 5 %."""
    ordered = sorted(p_values.items(), key=lambda item: item[1])
    adjusted: dict[Name, float] = {}
    highest = 0.0
    for place, (name, value) in enumerate(ordered):
        highest = max(highest, min(1.0, value * (len(ordered) - place)))
        adjusted[name] = highest
    return {name: adjusted[name] for name in p_values}
