"""Compares arms: first each endpoint alone, then endpoints together, then requests."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from des.estimate.estimate import EXACT, Estimate
from des.estimate.exact import exact_or_none
from des.estimate.heterogeneous import Heterogeneous
from des.estimate.intervals import NO_SPREAD, NORMAL_QUANTILE, Interval
from des.estimate.joint_figures import (
    DrawnIncidents,
    JointFigures,
    Marginal,
    joint_figures,
    long_run_failure_share,
    marginal_figures,
)
from des.estimate.paired import Paired, discordance, explained, holm, paired, rare_pair
from des.estimate.summary import Pool
from des.estimate.unsampled import NOTICEABLE, Unsampled
from des.faults import sharing
from des.scenario.plan import Plan

METRICS: Final = ("failure_share", "cost_usd_per_request", "latency_s_p95")
"""Metrics by which requests of two arms are compared; the first is 1 - availability."""
_MARGINALS: Final = ("unavailability", "episodes_per_year", "mean_duration_s", "p95_duration_s", "impaired_share")
_RATIOS: Final = ("all_down", "episodes_per_year", "failure_share", "all_impaired")
_STANDARD_ERRORS: Final = 4.0
TOO_FEW_MET: Final = "none: too few incidents met"
"""Stands for the interval of a difference where `unseen` of the summary says which incidents."""
_EQUAL: Final = 1e-9
"""Largest relative difference between two exact figures that differ only by rounding."""
_DRAWN: Final = 0.2
"""Share of an arm's work that draws incidents; the rest is the long run of requests."""

_Pairs = dict[str, tuple[Paired | None, str]]
"""By metric: the comparison, and the name of its interval."""
Progress = Callable[[float, str], None]
"""Called with the share of the work done and the name of the current step."""


@dataclass(frozen=True, slots=True)
class Match:
    """Whether each endpoint common to two arms fails alike in both.

    The verdict is `equal` where exact figures are the same and the others within four standard errors, `agree` where no
    figure is exact and all are within four, otherwise `differ`. It is `none` where the arms have no endpoint in common.
    """

    verdict: str
    endpoints: tuple[str, ...]
    worst_standard_errors: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One metric of an arm less the baseline's, and the name of its interval.

    P-values are two-sided; `p_holm` is adjusted by Holm's method.
    """

    pair: Paired
    interval: str
    p_holm: float | None = None

    def as_json(self) -> dict[str, Any]:
        """A ratio to zero is infinite: it has a low end and no mean."""
        pair = self.pair
        return {
            "difference": _interval_json(pair.difference),
            "ratio": None if pair.ratio is None else _interval_json(pair.ratio),
            "p_value": pair.p_value,
            "p_holm": self.p_holm,
            "variance_reduction": pair.variance_reduction,
            "n": pair.n,
            "interval": self.interval,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedArms:
    """Figures by arm. `match`, `joint_ratios` and `differences` are those of every other arm against the baseline.

    `same` maps an arm to the identical one whose figures it has. `marginals` go by endpoint. `differences` go by
    metric, None where a metric has no value. Beside each ratio stand its 95 % ends where it has an interval
    (`all_down_ends`).
    """

    baseline: str
    same: Mapping[str, str]
    marginals: Mapping[str, Mapping[str, Marginal]]
    match: Mapping[str, Match]
    joint: Mapping[str, JointFigures]
    joint_ratios: Mapping[str, Mapping[str, float | tuple[float, float] | None]]
    differences: Mapping[str, Mapping[str, Difference | None]]


def compare_arms(
    plans: Mapping[str, Plan],
    observed: Mapping[str, Pool],
    baseline: str,
    progress: Progress | None = None,
    same: Mapping[str, str] | None = None,
    unsampled: Mapping[str, Unsampled] | None = None,
) -> ComparedArms:
    """`same` maps an arm to an identical earlier one, whose figures it then has."""
    marginals: dict[str, Mapping[str, Marginal]] = {}
    joint: dict[str, JointFigures] = {}
    for number, (arm, plan) in enumerate(plans.items()):

        def tell(share: float, what: str, number: int = number) -> None:
            if progress is not None:
                progress((number + share) / len(plans), what)

        def in_the_long_run(share: float, tell: Callable[[float, str], None] = tell, arm: str = arm) -> None:
            tell(_DRAWN + (1.0 - _DRAWN) * share, f"long run of {arm}")

        if same and arm in same:
            marginals[arm] = marginals[same[arm]]
            joint[arm] = replace(joint[same[arm]], sharing=sharing(plan).label)
            continue
        tell(0.0, f"incidents of {arm}")
        answer, drawn = exact_or_none(plan), DrawnIncidents.of(plan)
        marginals[arm] = marginal_figures(answer, drawn, plan)
        in_the_long_run(0.0)
        lost, reason = long_run_failure_share(plan, in_the_long_run)
        joint[arm] = replace(joint_figures(answer, drawn, plan), failure_share=lost, failure_share_reason=reason)
    others = [arm for arm in plans if arm != baseline]
    unlike = {arm: of for arm, plan in plans.items() if (of := Heterogeneous.of(plan)) is not None}
    return ComparedArms(
        baseline=baseline,
        same=dict(same or {}),
        marginals=marginals,
        match={arm: match(marginals[baseline], marginals[arm]) for arm in others},
        joint=joint,
        joint_ratios={arm: _joint_ratios(joint[arm], joint[baseline]) for arm in others},
        differences=differences(observed, baseline, unlike, unsampled),
    )


def match(one: Mapping[str, Marginal], other: Mapping[str, Marginal]) -> Match:
    in_common = [name for name in one if name in other]
    exactly, worst, differ = False, 0.0, False
    for name in in_common:
        for key in _MARGINALS:
            a, b = getattr(one[name], key), getattr(other[name], key)
            if a is None or b is None:
                differ = differ or (a is not b and key != "p95_duration_s")
            elif a.estimator == b.estimator == EXACT:
                exactly = True
                differ = differ or not math.isclose(a.mean, b.mean, rel_tol=_EQUAL, abs_tol=1e-15)
            else:
                worst = max(worst, _gap_in_errors(a, b))
    differ = differ or worst > _STANDARD_ERRORS
    verdict = "differ" if differ else "none" if not in_common else "equal" if exactly else "agree"
    return Match(verdict, tuple(in_common), worst)


def differences(
    observed: Mapping[str, Pool],
    baseline: str,
    heterogeneous: Mapping[str, Heterogeneous] | None = None,
    unsampled: Mapping[str, Unsampled] | None = None,
) -> dict[str, dict[str, Difference | None]]:
    """By arm and metric, the arm less the baseline; p-values are adjusted for all of them by Holm's method.

    The interval is Student's t over paired replications. Where few incidents lost the requests, it is over these
    incidents instead, for the share lost and for each metric that follows it. Two cases keep Student's t:
    `heterogeneous` arms, whose replications differ by more than their incidents (from a least number of replications
    on), and losses that differ in recorded incidents, which are the same in each replication.
    """
    found: dict[str, dict[str, Difference | None]] = {}
    for arm, pool in observed.items():
        if arm == baseline:
            continue
        unlike = [of for name, of in (heterogeneous or {}).items() if name in (arm, baseline)]
        too_few = [of for name, of in (unsampled or {}).items() if name in (arm, baseline)]
        found[arm] = {
            metric: None if pair is None else Difference(pair=pair, interval=method)
            for metric, (pair, method) in _of_sampled(_pairs(pool, observed[baseline], unlike), too_few).items()
        }
    p_values = {
        (arm, metric): one.pair.p_value
        for arm, of in found.items()
        for metric, one in of.items()
        if one is not None and one.pair.p_value is not None
    }
    for (arm, metric), adjusted in holm(p_values).items():
        one = found[arm][metric]
        assert one is not None
        found[arm][metric] = replace(one, p_holm=adjusted)
    return found


def _by_replication(pool: Pool, against: Pool) -> _Pairs:
    found: _Pairs = {}
    for metric in METRICS:
        pair = paired(_values(pool, metric), _values(against, metric))
        found[metric] = pair, "none: one replication" if pair and pair.n < 2 else _spread(pair)
    return found


def _of_enough(found: _Pairs, heterogeneous: Heterogeneous) -> _Pairs:
    for metric, (pair, _) in found.items():
        if pair is not None and (why := heterogeneous.why_no_interval(pair.n)):
            found[metric] = _without_ends(pair), why
    return found


def _of_sampled(found: _Pairs, unsampled: Sequence[Unsampled]) -> _Pairs:
    """Without the intervals and p-values that unseen incidents of an arm could move noticeably."""
    for metric, (pair, _) in found.items():
        if pair is None or pair.n < 2:
            continue
        moved = "availability" if metric == "failure_share" else metric
        most = max((of.moves.get(moved, 0.0) for of in unsampled), default=0.0)
        difference, low, high = pair.difference.value, pair.difference.low, pair.difference.high
        if low is not None and high is not None:
            claimed = most > NOTICEABLE * max(high - difference, difference - low)
        else:  # the same are lost in both, so far
            claimed = most > 0.0 and metric == "failure_share"
        if claimed:
            found[metric] = _without_ends(pair), TOO_FEW_MET
    return found


def _without_ends(pair: Paired) -> Paired:
    quotient = None if pair.ratio is None else Interval(pair.ratio.value, None, None)
    return replace(pair, difference=Interval(pair.difference.value, None, None), ratio=quotient, p_value=None)


def _pairs(pool: Pool, against: Pool, heterogeneous: Sequence[Heterogeneous]) -> _Pairs:
    found = _by_replication(pool, against)
    if heterogeneous:
        return _of_enough(found, max(heterogeneous, key=lambda of: of.fewest))
    plain = found["failure_share"][0]
    if plain is None or plain.n < max(2, len(pool)):  # a replication without requests
        return found
    if any(one.on_record != other.on_record for one, other in zip(pool.losses, against.losses, strict=True)):
        return found  # lost in the same incidents each time, so neither incidents nor requests count as separate events
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
    """The denominator of availability, summed over replications."""
    return math.fsum(metrics["requests"] - metrics["request_outcomes"]["in_flight"] for metrics in pool.metrics)


def _values(pool: Pool, metric: str) -> list[float | None]:
    if metric != "failure_share":
        return [metrics[metric] for metrics in pool.metrics]
    return [None if m["availability"] is None else 1.0 - m["availability"] for m in pool.metrics]


def _interval_json(interval: Interval) -> dict[str, float | None]:
    mean = None if math.isinf(interval.value) else interval.value
    return {"mean": mean, "low": interval.low, "high": interval.high}


def _joint_ratios(one: JointFigures, other: JointFigures) -> dict[str, float | tuple[float, float] | None]:
    pairs = {key: (getattr(one, key), getattr(other, key)) for key in _RATIOS}
    ratios = {key: _ratio(*pair) for key, pair in pairs.items()}
    return {**ratios, **{f"{key}_ends": _ratio_ends(*pair) for key, pair in pairs.items()}}


def _ratio(one: Estimate | None, other: Estimate | None) -> float | None:
    if one is None or other is None or not other.mean:
        return None
    return one.known / other.mean


def _ratio_ends(one: Estimate | None, other: Estimate | None) -> tuple[float, float] | None:
    """95 % interval of the ratio of two figures, from their own intervals on the log scale.

    One of them may be exact; None where both are, or where one has no interval otherwise. The figures count as
    independent, so where they share draws the interval is too wide.
    """
    if one is None or other is None or not one.mean or not other.mean:
        return None
    sides: list[tuple[float, float]] = []
    for figure, low, high in ((one, one.low, one.high), (other, other.high, other.low)):
        if figure.estimator == EXACT:
            sides.append((0.0, 0.0))
        elif low is None or high is None:
            return None
        else:
            sides.append((_log_distance(figure.known, low), _log_distance(figure.known, high)))
    if all(side == (0.0, 0.0) for side in sides):
        return None
    ratio = one.mean / other.mean
    below, above = (math.hypot(*(side[end] for side in sides)) for end in (0, 1))
    return ratio * math.exp(-below), ratio * math.exp(min(above, 700.0))


def _log_distance(mean: float, end: float) -> float:
    return abs(math.log(end / mean)) if end > 0.0 else math.inf


def _gap_in_errors(one: Estimate, other: Estimate) -> float:
    """The approximate gap in standard errors, each half an interval over its normal quantile; 0 where it has none."""
    halves = [of.high - of.low for of in (one, other) if of.low is not None and of.high is not None]
    error = math.hypot(*halves) / (2.0 * NORMAL_QUANTILE)
    return abs(one.known - other.known) / error if error > 0.0 else 0.0
