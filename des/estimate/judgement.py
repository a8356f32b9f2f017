"""Whether a figure with an interval is as expected: met, missed, or left open by the interval."""

from collections.abc import Callable, Mapping
from operator import eq, ge, gt, le, lt
from typing import Any, Final

MET, MISSED, INCONCLUSIVE = "met", "missed", "inconclusive"
COMPARISONS: Final[Mapping[str, Callable[[float, float], bool]]] = {">=": ge, "<=": le, ">": gt, "<": lt, "==": eq}


def judge(comparison: str, bound: float, metric: Mapping[str, Any]) -> str:
    """`met`, `missed` or `inconclusive`: does the metric's entry compare to the bound as expected?

    Without an interval the mean decides. With one, both of its ends must agree; a bound inside it leaves the
    question open, and so does a metric without a value. One without a mean but with a low end is known to be no less.
    """
    compare = COMPARISONS[comparison]
    mean, low, high = metric["mean"], metric["low"], metric["high"]
    if mean is None:
        return _judge_above(comparison, bound, low)
    if low is None or low == high:
        return MET if compare(mean, bound) else MISSED
    if comparison == "==":
        return INCONCLUSIVE if low <= bound <= high else MISSED
    ends = {compare(low, bound), compare(high, bound)}
    if len(ends) == 2:
        return INCONCLUSIVE
    return MET if ends == {True} else MISSED


def _judge_above(comparison: str, bound: float, low: float | None) -> str:
    """Of a figure of which nothing is known but that it is at least `low`."""
    if low is None:
        return INCONCLUSIVE
    if comparison in (">=", ">"):
        return MET if COMPARISONS[comparison](low, bound) else INCONCLUSIVE
    return MISSED if not COMPARISONS["<=" if comparison == "==" else comparison](low, bound) else INCONCLUSIVE
