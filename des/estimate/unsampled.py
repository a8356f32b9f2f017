"""What the figures of a run may claim where it met too few of the incidents that can be expected.

Availability between outages says nothing of the outages. Where the long run is known (exactly, or from a short
timeline), the interval is extended to it. Elsewhere requests act on each other, losses may outlast an outage, and there
is no interval. Other figures are widened by what requests could do while such incidents are open.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, Final

from des.estimate.availability import choose
from des.estimate.estimate import EXACT, INCONCLUSIVE, REQUEST_LEVEL, Estimate, judge
from des.estimate.interaction import interactions, needs_whole_horizons
from des.estimate.intervals import NO_SPREAD
from des.estimate.longest_walk import longest_walk_s
from des.estimate.sums import LogHistogram
from des.estimate.timeline import incidents_per_year, quick_availability
from des.estimate.unseen import Unseen, unseen
from des.scenario.plan import Leg, Plan
from des.scenario.text.units import YEAR_S

NOTICEABLE: Final = 0.1
"""Share of an interval's longer side from which unseen incidents change a figure.

A tenth of the side more or less changes the coverage of a 95 % interval by one point at most.
"""
_PERCENTILES: Final = {"latency_s_p50": 0.5, "latency_s_p95": 0.95, "latency_s_p99": 0.99}
_LEAST_SHARE: Final = NOTICEABLE * 0.01
"""A tenth of the requests beyond the 99th percentile, the rarest that a summary shows."""
_QUICK_SAMPLES: Final = 400
_QUICK_INCIDENTS: Final = 20_000
_QUICK_YEARS: Final = 2_000.0
_QUICK_HORIZONS: Final = 200
"""Bounds of a timeline that takes about half a second."""
_STUDENTS_T: Final = "Student's t"
_MOST_WORDS: Final = 3
"""Most classes that a sentence names."""
_ENDLESS: Final = (-math.inf, math.inf)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsampled:
    """What the replications of one arm were too short for.

    `between` is the availability as sampled, between such incidents. `long_run` is that of a closed form or a timeline,
    None with a `reason`. `ends` are by metric the least and the most that the figure can be in the long run, infinite
    where that is not known. They include the interval as sampled, so they count for a 95 % one. `moves` are by metric
    the most by which such incidents could move the figure, however little that is beside its interval.
    """

    incidents: tuple[Unseen, ...]
    between: Estimate
    long_run: Estimate | None
    reason: str
    ends: Mapping[str, tuple[float, float]]
    moves: Mapping[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {
            "words": words_of(self.incidents),
            "incidents": [one.as_json() for one in self.incidents],
            "between": self.between.as_json(),
            "long_run": None if self.long_run is None else self.long_run.as_json(),
            "long_run_reason": self.reason,
            "ends": {metric: [_finite(low), _finite(high)] for metric, (low, high) in self.ends.items()},
        }


def judge_by_ends(comparison: str, bound: float, ends: Sequence[float | None]) -> str:
    """`met` or `missed` if both ends of [low, high] agree, otherwise `inconclusive`. None has no end."""
    low, high = (infinite if end is None else end for end, infinite in zip(ends, _ENDLESS, strict=True))
    found = {judge(comparison, bound, Estimate(end)) for end in (low, high)}
    return found.pop() if len(found) == 1 else INCONCLUSIVE


def words_of(incidents: Sequence[Unseen]) -> str:
    """`0 of 0.002 expected outages of cloudflare met`; further classes follow, and how many more there are."""
    some = [incidents[0].words]
    some += [one.words_after(incidents[0]) for one in incidents[1:_MOST_WORDS]]
    if more := len(incidents) - len(some):
        some.append(f"too few of {more} other{'s' if more > 1 else ''}")
    return f"{' and '.join([', '.join(some[:-1]), some[-1]] if len(some) > 1 else some)} met"


@dataclass(frozen=True, slots=True)
class LongRuns:
    """The long-run availability of each arm, worked out once and only where it is asked for."""

    plans: Mapping[str, Plan]
    _known: dict[str, tuple[Estimate | None, str]] = field(default_factory=dict)

    def of(self, arm: str) -> tuple[Estimate | None, str]:
        """The figure, or None and why only simulated requests tell it."""
        if arm not in self._known:
            self._known[arm] = quick_long_run(self.plans[arm])
        return self._known[arm]


def quick_long_run(plan: Plan) -> tuple[Estimate | None, str]:
    """The long-run availability by the exact estimator or by a short timeline; else None and the reason."""
    choice = choose(plan)
    if choice.estimator == EXACT and choice.exact is not None and choice.exact.availability is not None:
        return Estimate(choice.exact.availability, estimator=EXACT), ""
    if choice.estimator == REQUEST_LEVEL:
        return None, choice.reason
    per_year = incidents_per_year(plan)
    years = min(_QUICK_YEARS, _QUICK_INCIDENTS / per_year) if per_year > 0.0 else 1.0
    if needs_whole_horizons(plan):
        years = min(years, _QUICK_HORIZONS * plan.horizon_s / YEAR_S)
    return quick_availability(plan, years, _QUICK_SAMPLES, choice.exact), ""


def with_unseen(
    plan: Plan, figures: Mapping[str, Any], latency: LogHistogram, replications: int, long_runs: LongRuns
) -> tuple[dict[str, Any], Unsampled | None]:
    """An arm's figures that claim no more than was sampled, and what was not; None where all was."""
    figures = dict(figures)
    between = figures["availability"]
    if between.mean is None:
        return figures, None
    incidents = noticeable(unseen(plan, replications), between)
    if not incidents:
        return figures, None
    share = min(1.0, math.fsum(one.unavailability for one in incidents))
    worst = _Worst.of(plan, share, figures, latency)
    ends: dict[str, tuple[float, float]] = {}
    moves: dict[str, float] = {}
    for metric, figure in figures.items():
        if isinstance(figure, Estimate):
            shift = worst.shift(metric, figure)
            moves[metric] = max(shift)
            figures[metric], reached = _widened(figure, shift, incidents, metric)
            if reached is not None:
                ends[metric] = reached
        elif isinstance(figure, Mapping):
            figures[metric] = {
                name: _widened(each, worst.shift(metric, each), incidents, metric)[0] for name, each in figure.items()
            }
    known, why = None, ""
    if share >= NOTICEABLE * _scale(between):
        known, why = long_runs.of(plan.arm)
        figures["availability"], (low, high) = _reaching(between, known, words_of(incidents))
        ends["availability"] = low, high
        sides = (between.known if end is None else end for end in (between.low, between.high))
        moves["availability"] = max(abs(end - side) for end, side in zip((low, high), sides, strict=True))
    else:
        figures["availability"], moves["availability"] = between, share
    told = Unsampled(incidents=incidents, between=between, long_run=known, reason=why, ends=ends, moves=moves)
    return figures, told


_TimesUp = dict[str, dict[str, dict[str, Estimate]]]
"""Group (components, endpoints, chain) -> name -> `availability` and `episodes`."""


def up_with_unseen(times: _TimesUp, told: Unsampled) -> _TimesUp:
    """Shares of the time up, their intervals extended by a noticeable part that unseen outages could take.

    The number of episodes keeps its interval, as a Poisson count allows for those that were not met.
    """
    found: _TimesUp = {}
    for group, names in times.items():
        found[group] = {}
        for name, of in names.items():
            missing = [one for one in told.incidents if one.outages and _concerns(one, group, name)]
            up = of["availability"]
            if missing and up.low is not None:
                share = math.fsum(one.unavailability for one in missing)
                if share >= NOTICEABLE * _scale(up):
                    of = of | {"availability": replace(up, low=max(0.0, up.low - share), interval=_name(up, missing))}
            found[group][name] = of
    return found


def _name(figure: Estimate, incidents: Sequence[Unseen]) -> str:
    return f"{figure.interval or _STUDENTS_T}, widened: {words_of(incidents)}"


def _concerns(one: Unseen, group: str, name: str) -> bool:
    match group:
        case "components":
            return one.number is not None and one.component == name
        case "endpoints":
            return one.number is not None and name in one.endpoints
        case _:
            return True


def noticeable(incidents: Sequence[Unseen], availability: Estimate) -> tuple[Unseen, ...]:
    """Those that could move the availability noticeably, or that last for a tenth of a per cent of the time."""
    least = min(NOTICEABLE * _scale(availability), _LEAST_SHARE)
    return tuple(one for one in incidents if one.unavailability >= least)


def _scale(availability: Estimate) -> float:
    """The longer side of the interval, or the share lost where there is none."""
    if availability.low is None or availability.high is None:
        return 1.0 - availability.known
    return max(availability.high - availability.known, availability.known - availability.low)


def _reaching(between: Estimate, known: Estimate | None, reason: str) -> tuple[Estimate, tuple[float, float]]:
    """Availability with an interval that includes the long run, or without one, and its ends in the long run.

    Unseen incidents may cost anything where the long run is not known, but add nothing.
    """
    low, high = (between.known if end is None else end for end in (between.low, between.high))
    if known is None:
        return between.without_interval(f"none: {reason}"), (-math.inf, high)
    low = min(low, known.known if known.low is None else known.low)
    high = max(high, known.known if known.high is None else known.high)
    if between.n < 2:
        return between.without_interval(f"none: {reason}"), (low, high)
    return replace(between, low=low, high=high, interval=f"extended to the long run: {reason}"), (low, high)


def _widened(
    figure: Estimate, shift: tuple[float, float], incidents: Sequence[Unseen], metric: str
) -> tuple[Estimate, tuple[float, float] | None]:
    """The figure, and its ends where unseen incidents could shift it noticeably, by (down, up)."""
    down, up = shift
    if figure.mean is None or not max(shift) > 0.0:
        return figure, None
    low, high = (figure.mean if end is None else end for end in (figure.low, figure.high))
    most = 1.0 if metric.endswith("_share") else math.inf
    ends = max(0.0, low - down), min(most, high + up)
    if figure.low is None or figure.high is None:
        same = figure.interval == NO_SPREAD and max(shift) > _LEAST_SHARE * figure.mean > 0.0
        return figure.without_interval(f"none: {words_of(incidents)}") if same else figure, ends
    if max(shift) <= NOTICEABLE * max(figure.high - figure.mean, figure.mean - figure.low):
        return figure, None
    if math.isinf(ends[1]):
        return figure.without_interval(f"none: {words_of(incidents)}"), ends
    return replace(figure, low=ends[0], high=ends[1], interval=_name(figure, incidents)), ends


@dataclass(frozen=True, slots=True)
class _Worst:
    """How far requests during unseen incidents, at most this share of all, could move each figure.

    `of_ok` is their share of the served requests at most. `calls` are the most that one request makes, and
    `dearest_usd` is the mean bill of the dearest call. No served request takes longer than `longest_s`.
    """

    share: float
    of_ok: float
    calls: float
    dearest_usd: float
    longest_s: float
    means: Mapping[str, float]
    latency: LogHistogram

    @classmethod
    def of(cls, plan: Plan, share: float, figures: Mapping[str, Any], latency: LogHistogram) -> "_Worst":
        means = {
            metric: figure.mean
            for metric, figure in figures.items()
            if isinstance(figure, Estimate) and figure.mean is not None
        }
        served = (1.0 - share) * means["availability"]
        return cls(
            share=share,
            of_ok=share / (share + served) if served > 0.0 else 1.0,
            calls=float(most_calls(plan)),
            dearest_usd=max((_mean_bill_usd(plan, leg) for leg in plan.chain), default=0.0),
            longest_s=_longest_served_s(plan),
            means=means,
            latency=latency,
        )

    def shift(self, metric: str, figure: Estimate) -> tuple[float, float]:
        """(down, up); zero where unseen incidents do not touch it."""
        mean = 0.0 if figure.mean is None else figure.mean
        if metric in _PERCENTILES:
            return self._percentile(_PERCENTILES[metric], mean)
        if metric == "latency_s_mean":
            return self.of_ok * mean, self.of_ok * self.longest_s
        if metric.startswith(("cost_usd", "wasted_cost")):
            return self._cost(metric, mean)
        requests = self.means["requests"]
        match metric:
            case "fallback_share" | "served_share" | "response_cache_hit_share":
                return self.of_ok * mean, self.of_ok
            case "attempts_per_request" | "retry_amplification":
                return self.share * mean, self.share * self.calls
            case "lost_by_cause" | "request_outcomes":
                return self.share * mean, self.share * requests
            case "attempts" | "attempt_outcomes":
                return self.share * mean, self.share * requests * self.calls
            case "goodput_per_minute":
                return self.share * mean, self.share * mean / max(self.means["availability"], self.share)
            case "peak_calls_per_minute":
                return 0.0, math.inf
        if metric.startswith(("batches_hit", "batches_with", "batch_lateness")):
            return mean, math.inf  # a batch meets what is open at any time of its long walk
        if metric.startswith(("rate_limited", "refused_by")):
            weight = self.share * self.calls / (self.share * self.calls + (1.0 - self.share) * self._calls_between())
            return weight * mean, weight
        return 0.0, 0.0

    def _percentile(self, level: float, mean: float) -> tuple[float, float]:
        """Of a mixture: the unseen requests are all faster than any other, or all slower."""
        if self.of_ok >= 1.0:
            return mean, math.inf
        below, above = (level - self.of_ok) / (1.0 - self.of_ok), level / (1.0 - self.of_ok)
        lowest = self.latency.quantile(below) if below > 0.0 else 0.0
        highest = self.latency.quantile(above) if above < 1.0 else self.longest_s
        return max(0.0, mean - (lowest or 0.0)), max(0.0, (highest or 0.0) - mean)

    def _cost(self, metric: str, mean: float) -> tuple[float, float]:
        """Each unseen request makes as many calls as it can, of the dearest leg."""
        more_usd = self.share * self.calls * self.dearest_usd
        per_request_usd = self.means["cost_usd_per_request"]
        match metric:
            case "cost_usd_per_request":
                return self.share * mean, more_usd
            case "cost_usd" | "wasted_cost_usd":
                return self.share * mean, more_usd * self.means["requests"]
            case "cost_usd_per_success":
                served = (1.0 - self.share) * self.means["availability"]
                return self.of_ok * mean, (more_usd + self.share * per_request_usd) / served if served else math.inf
            case _:
                whole_usd = more_usd + (1.0 - self.share) * per_request_usd
                weight = more_usd / whole_usd if whole_usd > 0.0 else 0.0
                return weight * mean, weight

    def _calls_between(self) -> float:
        return max(self.means.get("attempts_per_request", 1.0), 1e-9)


def most_calls(plan: Plan) -> int:
    """The most calls that one request can make: each round, visit, retry, layer and hedge to its end."""
    client = plan.client
    a_round = 0
    for group in client.groups:
        of_attempt = max(_calls_of_attempt(plan, leg) for leg in group.legs)
        a_round += (group.retry.retries + 1) * of_attempt
    application = 1 if client.application is None else client.application.retries + 1
    return plan.policy.rounds * a_round * application


def _calls_of_attempt(plan: Plan, leg: int) -> int:
    of = plan.client.legs[leg]
    copies = 1 if of.hedge is None else 1 + of.hedge.at_most
    return copies * math.prod(rule.retries + 1 for rule in of.inner)


def _mean_bill_usd(plan: Plan, leg: Leg) -> float:
    """Of one call that is billed in full, without a prompt cache."""
    price, workload = plan.endpoints[leg.endpoint].price, plan.workload
    dearest_input = max(price.input_per_token, price.cached_input_per_token, price.cache_write_per_token)
    tokens_usd = dearest_input * workload.input_tokens.mean + price.output_per_token * workload.output_tokens.mean
    return tokens_usd + price.per_request + price.per_unit * workload.units.mean


def _longest_served_s(plan: Plan) -> float:
    """No bound where calls can wait for each other and no deadline ends the wait."""
    if plan.policy.deadline_s is None and interactions(plan):
        return math.inf
    classes = chain.from_iterable(component.incidents for component in plan.components)
    effects = tuple(dict.fromkeys(chain.from_iterable(incidents.every_effect for incidents in classes)))
    return longest_walk_s(plan, effects)


def _finite(end: float) -> float | None:
    return end if math.isfinite(end) else None
