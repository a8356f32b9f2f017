"""From the metrics of replications to a summary: means, Student t intervals, and how they meet expectations."""

import math
from collections.abc import Callable, Mapping, Sequence
from operator import eq, ge, gt, le, lt
from typing import Any, Final

from des.estimate.histogram import RELATIVE_ERROR
from des.estimate.totals import Metrics

REQUEST_LEVEL: Final = "request level"
CONFIDENCE: Final = 0.95
QUANTILES: Final = {"method": "log histogram", "relative_error": RELATIVE_ERROR}

MET, MISSED, INCONCLUSIVE = "met", "missed", "inconclusive"
COMPARISONS: Final[Mapping[str, Callable[[float, float], bool]]] = {">=": ge, "<=": le, ">": gt, "<": lt, "==": eq}

Entry = dict[str, Any]
"""{"mean", "low", "high", "n", "estimator"} of one metric."""


def summary(arms: Mapping[str, Sequence[Metrics]]) -> dict[str, Any]:
    """The content of summary.json, from each arm's metrics replication by replication."""
    return {
        "quantiles": dict(QUANTILES),
        "confidence": CONFIDENCE,
        "arms": {arm: summarise(replications) for arm, replications in arms.items()},
    }


def summarise(replications: Sequence[Metrics]) -> dict[str, Any]:
    """One arm's entries; a metric that is a dict by name becomes a dict of entries by name.

    Replications are the unit of inference: a quantile's interval is over the replications' own quantiles.
    """
    return {
        metric: _entries([metrics[metric] for metrics in replications], _is_share(metric)) for metric in replications[0]
    }


def entry(values: Sequence[float | None], *, share: bool = False, estimator: str = REQUEST_LEVEL) -> Entry:
    """Mean and 95 % interval over the replications that have a value, `n` of them; without an interval below two.

    The interval is cut off at zero, and at one for a share: no metric lies beyond.
    """
    known = [value for value in values if value is not None]
    n = len(known)
    if n == 0:
        return {"mean": None, "low": None, "high": None, "n": 0, "estimator": estimator}
    mean = math.fsum(known) / n
    if n == 1:
        return {"mean": mean, "low": None, "high": None, "n": 1, "estimator": estimator}
    from scipy.special import stdtrit  # Student t quantile, without the second that scipy.stats takes to import

    variance = math.fsum((value - mean) ** 2 for value in known) / (n - 1)
    half_width = float(stdtrit(n - 1, (1.0 + CONFIDENCE) / 2.0)) * math.sqrt(variance / n)
    high = mean + half_width
    return {
        "mean": mean,
        "low": max(0.0, mean - half_width),
        "high": min(1.0, high) if share else high,
        "n": n,
        "estimator": estimator,
    }


def judge(comparison: str, bound: float, metric: Mapping[str, Any]) -> str:
    """`met`, `missed` or `inconclusive`: does the metric's entry compare to the bound as expected?

    Without an interval the mean decides. With one, both of its ends must agree; a bound inside it leaves the
    question open, and so does a metric without a value.
    """
    compare = COMPARISONS[comparison]
    mean, low, high = metric["mean"], metric["low"], metric["high"]
    if mean is None:
        return INCONCLUSIVE
    if low is None or low == high:
        return MET if compare(mean, bound) else MISSED
    if comparison == "==":
        return INCONCLUSIVE if low <= bound <= high else MISSED
    ends = {compare(low, bound), compare(high, bound)}
    if len(ends) == 2:
        return INCONCLUSIVE
    return MET if ends == {True} else MISSED


def _entries(values: Sequence[Any], share: bool) -> dict[str, Any]:
    if isinstance(values[0], Mapping):
        return {name: entry([value[name] for value in values], share=share) for name in values[0]}
    return entry(values, share=share)


def _is_share(metric: str) -> bool:
    return metric == "availability" or metric.endswith("_share")
