"""Which limits and capacities can be left out, since the chance that one ever refuses or delays a call is nothing.

A run in which no limit refuses a call, and no call waits for capacity, is the run of the same scenario without them.
So the chance that one of them ever does so within the horizon bounds how far any expected share of requests can differ
between the two. That chance is bounded by the expected number of such calls without limits: the expected requests,
times the most calls of one request, times what `large_deviations` says of a call. The load is that of `offered_load`:
the worst hour of the profile, whatever is down, and everybody retrying.
"""

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Final

import numpy as np

from des.distributions import FloatArray
from des.estimate.call import output_tokens
from des.estimate.endings import BEYOND, Endings, Stay, length_matters, output_cells
from des.estimate.estimate import Inapplicable
from des.estimate.flow import Flow
from des.estimate.large_deviations import (
    NOTHING,
    ONE,
    Curve,
    Load,
    Part,
    Size,
    bucket_overflow,
    places_overflow,
    size_of,
    window_overflow,
)
from des.estimate.offered_load import calls_by_leg, gives_up_early, least_gap_s, most_calls
from des.rules.limits import SLACK, TICK_S
from des.scenario.plan import BatchArrivals, Bulkhead, Limit, Plan, PoissonArrivals, ReplayedArrivals, Shaping

NEGLIGIBLE: Final = 1e-12
"""The chance, over the horizon, below which limits are left out: a thousandth of an unavailability of nine nines."""
_ROUNDING: Final = 1e-9
_WINDOWS: Final = ("fixed_window", "sliding_log", "acceleration")
"""Algorithms that admit at least the burst in any window of their length."""
_RATES_TRIED: Final = (1.0, 1.1, 1.3, 1.6, 2.0, 3.0, 5.0, 10.0, 30.0)
"""Of recorded arrivals, times their mean: a higher rate leaves a smaller burst beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """What one limit or capacity does to a plan.

    `chance` is at least the chance that it refuses or delays a call within the horizon, 1 where no bound is known.
    `why` is the load it meets at most and what it grants, in words, or why there is no bound.
    """

    name: str
    chance: float
    why: str

    @property
    def is_negligible(self) -> bool:
        return self.chance <= NEGLIGIBLE

    @property
    def left_out(self) -> str:
        """A sentence that says that it is left out, and why. Of the chance only the power of ten matters."""
        power = math.ceil(math.log10(max(self.chance, 1e-30)))
        return (
            f"{self.name} is left out: {self.why}, whatever is down; the chance that it holds up a single call within "
            f"the horizon is at most 1e{power:d}"
        )


def bindings(plan: Plan) -> tuple[Binding, ...]:
    """Of each limit, budget and capacity that calls of the chain meet, in the order of the plan.

    The bounds hold together: each is of the plan without all of them. They hold for requests that depend on each other
    in no other way, which is for the caller to know.
    """
    offered = _Offered(plan)
    if not offered.curves:
        why = "no bound is known of bursty arrivals, users who wait, or a file without arrivals"
        return tuple(Binding(name=limiter.name, chance=1.0, why=why) for limiter in _limiters(plan))
    return tuple(_binding(offered, limiter) for limiter in _limiters(plan))


def without_limits(plan: Plan, names: Collection[str] | None = None) -> Plan:
    """The same plan without its limits, budgets, capacities and queues of the client; of several, those named.

    A plan that calls meet none of in is returned as it is.
    """
    met = {one.name: one for one in _limiters(plan) if names is None or one.name in names}
    if not met:
        return plan
    limits = {one.index for one in met.values() if one.kind in ("limit", "budget")}
    capacities = {one.index for one in met.values() if one.kind == "capacity"}
    shapings = {one.index for one in met.values() if one.kind == "shaping"}
    bulkheads = {one.index for one in met.values() if one.kind == "bulkhead"}
    return replace(
        plan,
        endpoints=tuple(
            replace(
                endpoint,
                limits=tuple(index for index in endpoint.limits if index not in limits),
                capacity=None if endpoint.capacity in capacities else endpoint.capacity,
            )
            for endpoint in plan.endpoints
        ),
        chain=tuple(
            replace(leg, limits=tuple(index for index in leg.limits if index not in limits)) for leg in plan.chain
        ),
        client=replace(
            plan.client,
            legs=tuple(
                replace(
                    leg,
                    shaping=None if leg.shaping in shapings else leg.shaping,
                    bulkhead=None if leg.leg in bulkheads else leg.bulkhead,
                )
                for leg in plan.client.legs
            ),
        ),
    )


@dataclass(frozen=True, slots=True)
class _Cell:
    """Requests of about one length: their share, how their calls end and how many calls of each leg they make."""

    share: float
    tokens: float
    endings: Endings
    flows: Mapping[int, Flow]

    def calls(self, legs: frozenset[int], arrivals: Curve) -> Curve:
        """Of these legs, if all requests were of this length."""
        each = [self.flows[leg].of(arrivals) for leg in sorted(legs & self.flows.keys())]
        return Curve(math.fsum(curve.rate_per_s for curve in each), math.fsum(curve.burst for curve in each))


def _cell(plan: Plan, share: float, tokens: float) -> _Cell:
    endings = Endings(plan, tokens)
    return _Cell(share, tokens, endings, calls_by_leg(plan, endings))


class _Offered:
    """The calls that a plan's requests make at most, worked out once for all limiters."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.curves = tuple(_arrivals(plan))

    @cached_property
    def cells(self) -> tuple[_Cell, ...]:
        """By length of the output, where that decides how calls end; recorded requests as if all were the longest."""
        if _has_recorded_tokens(self.plan):
            return (replace(self.by_length[-1], share=1.0),)
        if not length_matters(self.plan):
            mean = output_tokens(self.plan).mean
            return (_cell(self.plan, 1.0, mean + 0.5 if mean > 0.0 else 0.0),)
        return self.by_length

    @cached_property
    def by_length(self) -> tuple[_Cell, ...]:
        return tuple(_cell(self.plan, share, tokens) for share, tokens in output_cells(self.plan))

    def load(self, legs: frozenset[int], curve: Curve, metric: str) -> Load:
        """Of the calls of these legs, in the unit of the metric."""
        cells = self.by_length if metric in ("tokens", "output_tokens") else self.cells
        size = _size(self.plan, metric)
        counts_output = metric in ("tokens", "output_tokens")
        parts = [
            Part(cell.share, cell.calls(legs, curve), size.plus(cell.tokens) if counts_output else size)
            for cell in cells
        ]
        gap_s = min(least_gap_s(self.plan, cell.endings, legs) for cell in cells)
        if gap_s == math.inf:  # no call is followed by another
            return Load(tuple(parts), 1)
        return Load(tuple(parts), most_calls(self.plan, legs), gap_s)

    def at_once(self, legs: frozenset[int], curve: Curve, lasts: Callable[[Endings, int], Stay]) -> float:
        """The mean number of calls that keep a place at any instant."""
        mean = 0.0
        for cell in self.cells:
            for leg in sorted(legs & cell.flows.keys()):
                calls, stay = cell.flows[leg].of(curve), lasts(cell.endings, leg)
                mean += cell.share * (calls.rate_per_s * stay.mean_s + calls.burst * stay.manners)
        return mean


_Bound = Callable[[_Offered, frozenset[int], Curve], tuple[float, str]]
"""Of each call of these legs: at least the chance that it is refused or delayed, and the calculation in words."""


@dataclass(frozen=True, slots=True)
class _Limiter:
    """What may refuse or delay calls of some legs. `index` is the plan's: of a bulkhead, that of its leg."""

    kind: str  # limit, budget, capacity, shaping or bulkhead
    index: int
    of: str
    legs: frozenset[int]
    bound: _Bound

    @property
    def name(self) -> str:
        return f"{self.kind} {self.of}"


def _limiters(plan: Plan) -> Iterator[_Limiter]:
    for limit in plan.limits:
        by_provider = {leg.index for leg in plan.chain if limit.index in plan.endpoints[leg.endpoint].limits}
        by_client = {leg.index for leg in plan.chain if limit.index in leg.limits}
        if by_provider or by_client:
            legs, kind = frozenset(by_provider | by_client), "limit" if by_provider else "budget"
            yield _Limiter(kind, limit.index, limit.name, legs, partial(_of_limit, limit))
    for capacity in plan.capacities:
        served = frozenset(leg.index for leg in plan.chain if plan.endpoints[leg.endpoint].capacity == capacity.index)
        if served:
            bound = partial(_of_places, capacity.concurrent, Endings.answered)
            yield _Limiter("capacity", capacity.index, capacity.name, served, bound)
    for index, shaping in enumerate(plan.client.shapings):
        shaped = frozenset(leg.leg for leg in plan.client.legs if leg.shaping == index)
        if shaped:
            yield _Limiter("shaping", index, _names(plan, shaped), shaped, partial(_of_shaping, shaping))
    for leg in plan.client.legs:
        if leg.bulkhead is not None:
            bound = partial(_of_bulkhead, leg.bulkhead)
            yield _Limiter("bulkhead", leg.leg, plan.chain[leg.leg].name, frozenset({leg.leg}), bound)


def _names(plan: Plan, legs: frozenset[int]) -> str:
    return ", ".join(plan.chain[leg].name for leg in sorted(legs))


def _binding(offered: _Offered, limiter: _Limiter) -> Binding:
    found = []
    try:
        for curve in offered.curves:
            a_call, why = limiter.bound(offered, limiter.legs, curve)
            calls = curve.within(offered.plan.horizon_s) * most_calls(offered.plan, limiter.legs)
            found.append(Binding(name=limiter.name, chance=min(1.0, calls * (a_call + BEYOND)), why=why))
    except Inapplicable as reason:
        return Binding(name=limiter.name, chance=1.0, why=str(reason))
    return min(found, key=lambda one: one.chance)


def _of_limit(limit: Limit, offered: _Offered, legs: frozenset[int], curve: Curve) -> tuple[float, str]:
    if limit.metric == "concurrency":
        return _of_places(int(limit.burst + 1e-9), Endings.kept, offered, legs, curve)
    if limit.counted != "dispatch":
        raise Inapplicable("what a call counts for is known at its end")
    load = offered.load(legs, curve, limit.metric)
    if limit.algorithm == "token_bucket":
        chance = bucket_overflow(load, limit.burst * (1.0 - _ROUNDING), limit.rate_per_s)
        granted = f"{limit.rate_per_s:.4g} {limit.metric}/s, burst {limit.burst:.4g}"
    elif limit.algorithm in _WINDOWS and limit.window_s is not None:
        chance = window_overflow(load, limit.burst * (1.0 + SLACK), limit.window_s + 2.0 * TICK_S)
        granted = f"{limit.burst:.4g} {limit.metric} in {limit.window_s:g} s"
    else:
        raise Inapplicable(f"no bound is known of {limit.algorithm}")
    return chance + load.beyond, f"{_calls(load)} against {granted}"


def _of_shaping(shaping: Shaping, offered: _Offered, legs: frozenset[int], curve: Curve) -> tuple[float, str]:
    """A bucket of attempts on an entry: with clients inside, these are fewer than the calls."""
    load = replace(offered.load(legs, curve, "requests"), least_gap_s=0.0)
    chance = bucket_overflow(load, shaping.burst * (1.0 - _ROUNDING), shaping.rate_per_s)
    return chance, f"{_calls(load)} against {shaping.rate_per_s:.4g}/s, burst {shaping.burst:.4g}"


def _of_bulkhead(bulkhead: Bulkhead, offered: _Offered, legs: frozenset[int], curve: Curve) -> tuple[float, str]:
    """Places that attempts keep for as long as the client waits. A request has one of them at a time."""
    (leg,) = legs
    if offered.plan.client.legs[leg].inner:
        raise Inapplicable("clients inside its attempts keep a place for all their calls and waits")
    mean = offered.at_once(legs, curve, Endings.waited_for)
    return places_overflow(mean, 1, float(bulkhead.concurrent)), _at_once(mean, bulkhead.concurrent)


def _calls(load: Load) -> str:
    curve = load.curve
    return f"at most {curve.rate_per_s:.3g} calls/s" + (f" and {curve.burst:.3g} at once" if curve.burst else "")


def _at_once(mean: float, places: int) -> str:
    return f"at most {mean:.3g} calls at once on average against {places}"


def _of_places(
    places: int, lasts: Callable[[Endings, int], Stay], offered: _Offered, legs: frozenset[int], curve: Curve
) -> tuple[float, str]:
    mean = offered.at_once(legs, curve, lasts)
    most = most_calls(offered.plan, legs) if gives_up_early(offered.plan, legs) else 1
    return places_overflow(mean, most, float(places)), _at_once(mean, places)


def _size(plan: Plan, metric: str) -> Size:
    """What a call counts for beside its output: 1, or its input tokens, all of them new."""
    if metric == "requests":
        return ONE
    if _has_recorded_tokens(plan):
        raise Inapplicable("recorded tokens come in the order of the file")
    return size_of(plan.workload.input_tokens, BEYOND) if metric in ("tokens", "input_tokens") else NOTHING


def _has_recorded_tokens(plan: Plan) -> bool:
    arrivals = plan.workload.arrivals
    if not isinstance(arrivals, ReplayedArrivals):
        return False
    return arrivals.input_tokens is not None or arrivals.output_tokens is not None


def _arrivals(plan: Plan) -> Iterator[Curve]:
    """Curves that the arrivals keep to, each by itself. None for arrivals without one."""
    arrivals = plan.workload.arrivals
    if isinstance(arrivals, PoissonArrivals):
        busiest = 1.0 if arrivals.profile is None else max(arrivals.profile.weights)
        yield Curve(arrivals.rate_per_s * busiest)
    elif isinstance(arrivals, BatchArrivals):
        yield Curve(arrivals.size / arrivals.every_s, float(arrivals.size))
    elif isinstance(arrivals, ReplayedArrivals) and len(arrivals.arrival_s):
        yield from _recorded(arrivals.arrival_s, arrivals.period_s)


def _recorded(arrival_s: FloatArray, period_s: float | None) -> Iterator[Curve]:
    """For some rates, the largest burst beside each: over all windows from one recorded arrival to another."""
    count = len(arrival_s)
    if period_s is not None:  # a longer window has whole periods more, at no more than the rate
        arrival_s = np.concatenate((arrival_s, arrival_s + period_s))
    mean_per_s = count / (period_s or max(float(arrival_s[-1]), 1e-9))
    number = np.arange(len(arrival_s), dtype=np.float64)
    for times in _RATES_TRIED:
        rate_per_s = times * mean_per_s
        ahead = number - rate_per_s * arrival_s
        yield Curve(rate_per_s, float((ahead - np.minimum.accumulate(ahead)).max()) + 1.0)
