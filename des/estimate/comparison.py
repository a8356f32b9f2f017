"""Arms compared: first that their endpoints fare alike by themselves, then how they fare together and with requests."""

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from des.estimate.drawn_incidents import DrawnIncidents
from des.estimate.exact_availability import EXACT
from des.estimate.intervals import Interval
from des.estimate.joint_figures import exact_or_none, joint_figures, long_run_failure_share, marginal_figures
from des.estimate.paired import holm, paired
from des.estimate.summary import Pool
from des.scenario.plan import Plan

METRICS: Final = ("failure_share", "cost_usd_per_request", "latency_s_p95")
"""What requests of two arms are compared by; the first is 1 - availability."""
MARGINALS: Final = ("unavailability", "episodes_per_year", "mean_duration_s", "p95_duration_s")
STANDARD_ERRORS: Final = 4.0
EQUAL: Final = 1e-9
"""Relative difference of two exact figures that are the same but for rounding."""

Told = Callable[[str], None]


def compare_arms(
    plans: Mapping[str, Plan], observed: Mapping[str, Pool], baseline: str, told: Told | None = None
) -> dict[str, Any]:
    """JSON-able: `marginals` by arm and endpoint, whether they `match` the baseline's, `joint` by arm, and
    `differences` of every other arm from the baseline, paired replication by replication."""
    marginals: dict[str, Any] = {}
    joint: dict[str, Any] = {}
    for arm, plan in plans.items():
        if told is not None:
            told(f"incidents of {arm}")
        answer, drawn = exact_or_none(plan), DrawnIncidents.of(plan)
        marginals[arm] = marginal_figures(answer, drawn, plan)
        lost, reason = long_run_failure_share(plan)
        joint[arm] = joint_figures(answer, drawn, plan) | {"failure_share": lost, "failure_share_reason": reason}
    return {
        "baseline": baseline,
        "marginals": marginals,
        "match": {arm: match(marginals[baseline], of) for arm, of in marginals.items() if arm != baseline},
        "joint": joint,
        "joint_ratios": {
            arm: {
                key: _ratio(of[key], joint[baseline][key]) for key in ("all_down", "episodes_per_year", "failure_share")
            }
            for arm, of in joint.items()
            if arm != baseline
        },
        "differences": differences(observed, baseline),
    }


def match(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Whether the endpoints that two arms have in common fare alike by themselves.

    `equal` where all that is exact is the same and the rest within four standard errors, `agree` where nothing is
    exact, otherwise `differ`; `none` where they have no endpoint in common.
    """
    in_common = [name for name in one if name in other]
    exactly, worst, differ = False, 0.0, False
    for name in in_common:
        for key in MARGINALS:
            a, b = one[name][key], other[name][key]
            if a is None or b is None:
                differ = differ or (a is not b and key != "p95_duration_s")
            elif a["estimator"] == b["estimator"] == EXACT:
                exactly = True
                differ = differ or not math.isclose(a["mean"], b["mean"], rel_tol=EQUAL, abs_tol=1e-15)
            else:
                worst = max(worst, _apart(a, b))
    differ = differ or worst > STANDARD_ERRORS
    verdict = "differ" if differ else "none" if not in_common else "equal" if exactly else "agree"
    return {"verdict": verdict, "endpoints": in_common, "worst_standard_errors": worst}


def differences(observed: Mapping[str, Pool], baseline: str) -> dict[str, Any]:
    """By arm and metric, the arm less the baseline; p-values are adjusted for all of them by Holm's method."""
    found: dict[str, dict[str, Any]] = {}
    p_values: dict[tuple[str, str], float] = {}
    for arm, pool in observed.items():
        if arm == baseline:
            continue
        found[arm] = {}
        for metric in METRICS:
            pair = paired(_values(pool, metric), _values(observed[baseline], metric))
            if pair is None:
                found[arm][metric] = None
                continue
            found[arm][metric] = {
                "difference": _written(pair.difference),
                "ratio": None if pair.ratio is None else _written(pair.ratio),
                "p_value": pair.p_value,
                "p_holm": None,
                "variance_reduction": pair.variance_reduction,
                "n": pair.n,
            }
            if pair.p_value is not None:
                p_values[arm, metric] = pair.p_value
    for (arm, metric), adjusted in holm(p_values).items():
        found[arm][metric]["p_holm"] = adjusted
    return found


def _values(pool: Pool, metric: str) -> list[float | None]:
    if metric != "failure_share":
        return [metrics[metric] for metrics in pool.metrics]
    return [None if m["availability"] is None else 1.0 - m["availability"] for m in pool.metrics]


def _written(interval: Interval) -> dict[str, Any]:
    return {"mean": interval.value, "low": interval.low, "high": interval.high}


def _ratio(one: Mapping[str, Any] | None, other: Mapping[str, Any] | None) -> float | None:
    if one is None or other is None or not other["mean"]:
        return None
    return float(one["mean"] / other["mean"])


def _apart(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    """The gap in standard errors, about: half an interval over its normal quantile; 0 where it has none."""
    halves = [figure["high"] - figure["low"] for figure in (one, other) if figure["low"] is not None]
    error = math.hypot(*halves) / (2.0 * 1.959963984540054)
    return abs(one["mean"] - other["mean"]) / error if error > 0.0 else 0.0
