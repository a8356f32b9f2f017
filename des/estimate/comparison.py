"""Arms compared: first that their endpoints fare alike by themselves, then how they fare together and with requests."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from des.estimate.drawn_incidents import DrawnIncidents
from des.estimate.exact_availability import EXACT
from des.estimate.intervals import NO_SPREAD, NORMAL_QUANTILE, Interval
from des.estimate.joint_figures import exact_or_none, joint_figures, long_run_failure_share, marginal_figures
from des.estimate.paired import Paired, holm, paired
from des.estimate.rare_pairs import discordance, explained, rare_pair
from des.estimate.summary import Pool
from des.estimate.uneven import Uneven
from des.faults import sharing
from des.scenario.plan import Plan

METRICS: Final = ("failure_share", "cost_usd_per_request", "latency_s_p95")
"""What requests of two arms are compared by; the first is 1 - availability."""
MARGINALS: Final = ("unavailability", "episodes_per_year", "mean_duration_s", "p95_duration_s", "impaired_share")
RATIOS: Final = ("all_down", "episodes_per_year", "failure_share", "all_impaired")
STANDARD_ERRORS: Final = 4.0
EQUAL: Final = 1e-9
"""Relative difference of two exact figures that are the same but for rounding."""

Told = Callable[[float, str], None]
"""Told the share of the work that is done, and what is under way."""
DRAWN: Final = 0.2
"""Share of an arm's work that is to draw its incidents; the rest is for requests in the long run."""


def compare_arms(
    plans: Mapping[str, Plan],
    observed: Mapping[str, Pool],
    baseline: str,
    told: Told | None = None,
    same: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """JSON-able: `marginals` by arm and endpoint, whether they `match` the baseline's, `joint` by arm, and
    `differences` of every other arm from the baseline, paired replication by replication.

    Arms that are the `same` as an earlier one have its figures.
    """
    marginals: dict[str, Any] = {}
    joint: dict[str, Any] = {}
    for number, (arm, plan) in enumerate(plans.items()):

        def tell(share: float, what: str, number: int = number) -> None:
            if told is not None:
                told((number + share) / len(plans), what)

        def in_the_long_run(share: float, tell: Callable[[float, str], None] = tell, arm: str = arm) -> None:
            tell(DRAWN + (1.0 - DRAWN) * share, f"long run of {arm}")

        if same and arm in same:
            marginals[arm] = marginals[same[arm]]
            joint[arm] = joint[same[arm]] | {"sharing": sharing(plan).label}
            continue
        tell(0.0, f"incidents of {arm}")
        answer, drawn = exact_or_none(plan), DrawnIncidents.of(plan)
        marginals[arm] = marginal_figures(answer, drawn, plan)
        in_the_long_run(0.0)
        lost, reason = long_run_failure_share(plan, in_the_long_run)
        joint[arm] = joint_figures(answer, drawn, plan) | {"failure_share": lost, "failure_share_reason": reason}
    return {
        "baseline": baseline,
        "same": dict(same or {}),
        "marginals": marginals,
        "match": {arm: match(marginals[baseline], of) for arm, of in marginals.items() if arm != baseline},
        "joint": joint,
        "joint_ratios": {
            arm: {key: _ratio(of[key], joint[baseline][key]) for key in RATIOS}
            | {f"{key}_ends": _ratio_ends(of[key], joint[baseline][key]) for key in RATIOS}
            for arm, of in joint.items()
            if arm != baseline
        },
        "differences": differences(
            observed, baseline, {arm: of for arm, plan in plans.items() if (of := Uneven.of(plan)) is not None}
        ),
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
            a, b = one[name].get(key), other[name].get(key)
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


def differences(
    observed: Mapping[str, Pool], baseline: str, uneven: Mapping[str, Uneven] | None = None
) -> dict[str, Any]:
    """By arm and metric, the arm less the baseline; p-values are adjusted for all of them by Holm's method.

    Student's t over paired replications, but where few incidents lost the requests: these are then what is counted, of
    the share lost and of a metric that follows it. Not so of `uneven` arms, whose replications differ by more than the
    incidents in them: theirs is always Student's t, from so many replications on. Nor where losses differ in incidents
    on record, the same in each replication.
    """
    found: dict[str, dict[str, Any]] = {}
    p_values: dict[tuple[str, str], float] = {}
    for arm, pool in observed.items():
        if arm == baseline:
            continue
        found[arm] = {}
        apart = [of for name, of in (uneven or {}).items() if name in (arm, baseline)]
        for metric, (pair, method) in _pairs(pool, observed[baseline], apart).items():
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
                "interval": method,
            }
            if pair.p_value is not None:
                p_values[arm, metric] = pair.p_value
    for (arm, metric), adjusted in holm(p_values).items():
        found[arm][metric]["p_holm"] = adjusted
    return found


def _by_replication(pool: Pool, against: Pool) -> dict[str, tuple[Paired | None, str]]:
    found: dict[str, tuple[Paired | None, str]] = {}
    for metric in METRICS:
        pair = paired(_values(pool, metric), _values(against, metric))
        found[metric] = pair, "none: one replication" if pair and pair.n < 2 else _spread(pair)
    return found


def _of_enough(found: dict[str, tuple[Paired | None, str]], uneven: Uneven) -> dict[str, tuple[Paired | None, str]]:
    for metric, (pair, _) in found.items():
        if pair is not None and (why := uneven.why_no_interval(pair.n)):
            found[metric] = _without_ends(pair), why
    return found


def _without_ends(pair: Paired) -> Paired:
    quotient = None if pair.ratio is None else Interval(pair.ratio.value, None, None)
    return replace(pair, difference=Interval(pair.difference.value, None, None), ratio=quotient, p_value=None)


def _pairs(pool: Pool, against: Pool, uneven: Sequence[Uneven]) -> dict[str, tuple[Paired | None, str]]:
    """By metric: the comparison, and by what its interval is."""
    found = _by_replication(pool, against)
    if uneven:
        return _of_enough(found, max(uneven, key=lambda of: of.fewest))
    plain = found["failure_share"][0]
    if plain is None or plain.n < max(2, len(pool)):  # a replication without requests
        return found
    if any(one.on_record != other.on_record for one, other in zip(pool.losses, against.losses, strict=True)):
        return found  # lost in the same incidents each time: neither they nor what they lost are many events
    ours, theirs = _requests(pool), _requests(against)
    differ = discordance(pool.losses, against.losses, ours / theirs)
    if differ is None:
        return found
    lost = rare_pair(differ, plain, ours)
    method = f"of {differ.outages} incidents that differ" if differ.outages else "none: the same are lost in both"
    found["failure_share"] = lost, method
    causes = _less(pool, against, "failure_share")
    for metric in METRICS[1:]:
        values, others = _values(pool, metric), _values(against, metric)
        if differ.outages and None not in values and None not in others:
            follows = explained(values, others, lost, causes)  # type: ignore[arg-type]
            if follows is not None:
                found[metric] = follows, f"{method}, as it follows the requests lost"
    return found


def _spread(pair: Paired | None) -> str:
    return NO_SPREAD if pair is not None and pair.difference.low is None else "Student's t, paired"


def _less(pool: Pool, against: Pool, metric: str) -> list[float]:
    pairs = zip(_values(pool, metric), _values(against, metric), strict=True)
    return [one - other for one, other in pairs if one is not None and other is not None]


def _requests(pool: Pool) -> float:
    """All that availability is a share of."""
    return math.fsum(metrics["requests"] - metrics["request_outcomes"]["in_flight"] for metrics in pool.metrics)


def _values(pool: Pool, metric: str) -> list[float | None]:
    if metric != "failure_share":
        return [metrics[metric] for metrics in pool.metrics]
    return [None if m["availability"] is None else 1.0 - m["availability"] for m in pool.metrics]


def _written(interval: Interval) -> dict[str, Any]:
    """Infinite, of a ratio to nothing, is None with a low end."""
    return {"mean": None if math.isinf(interval.value) else interval.value, "low": interval.low, "high": interval.high}


def _ratio(one: Mapping[str, Any] | None, other: Mapping[str, Any] | None) -> float | None:
    if one is None or other is None or not other["mean"]:
        return None
    return float(one["mean"] / other["mean"])


def _ratio_ends(one: Mapping[str, Any] | None, other: Mapping[str, Any] | None) -> list[float] | None:
    """95 % interval of the ratio of two figures, one exact perhaps, from their own on the log scale.

    None where both are exact, or one has none otherwise. As if they had no luck in common: if anything too wide.
    """
    if one is None or other is None or not one["mean"] or not other["mean"]:
        return None
    sides: list[tuple[float, float]] = []
    for figure, low, high in ((one, "low", "high"), (other, "high", "low")):
        if figure["estimator"] == EXACT:
            sides.append((0.0, 0.0))
        elif figure[low] is None or figure[high] is None:
            return None
        else:
            sides.append((_log_distance(figure["mean"], figure[low]), _log_distance(figure["mean"], figure[high])))
    if all(side == (0.0, 0.0) for side in sides):
        return None
    ratio = one["mean"] / other["mean"]
    below, above = (math.hypot(*(side[end] for side in sides)) for end in (0, 1))
    return [ratio * math.exp(-below), ratio * math.exp(min(above, 700.0))]


def _log_distance(mean: float, end: float) -> float:
    return abs(math.log(end / mean)) if end > 0.0 else math.inf


def _apart(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    """The gap in standard errors, about: half an interval over its normal quantile; 0 where it has none."""
    halves = [figure["high"] - figure["low"] for figure in (one, other) if figure["low"] is not None]
    error = math.hypot(*halves) / (2.0 * NORMAL_QUANTILE)
    return abs(one["mean"] - other["mean"]) / error if error > 0.0 else 0.0
