"""Figures of many plans over the same drawn incidents and the same draws, without simulated requests.

The plans are those of one scenario whose clients differ: in the order and choice of legs, timeouts, retries. Years of
incidents are drawn once. Of each plan, arrivals are sampled near the incidents of its own endpoints (stratified, as in
`timeline`) and far from all, and walked by `served_walk`. Differences between plans are then far more certain than the
figures themselves. Where requests depend on each other (limits, guards, queues, hedges), the figures leave that out and
serve only to choose what is simulated.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from des.distributions import FloatArray
from des.draws import generator
from des.estimate.conditions import Conditions, TimelineConditions, affected
from des.estimate.estimate import Inapplicable
from des.estimate.exact import DownTogether
from des.estimate.interaction import arrival_profile, interactions, needs_whole_horizons
from des.estimate.linear import weighted_sum
from des.estimate.longest_walk import longest_walk_s
from des.estimate.served_walk import Account, ServedWalk
from des.estimate.timeline import expected_arrivals, incidents_per_year, reach_s, strata, stratified
from des.faults import Intervals, Timeline, draw_timeline
from des.faults.episodes import down_share, endpoint_down, intersection
from des.faults.incident_classes import weights_at
from des.faults.marginals import chain_endpoints
from des.scenario.plan import Plan
from des.scenario.text.units import YEAR_S

_IntArray = NDArray[np.int64]
_INCIDENTS: Final = 20_000.0
"""About the number of incidents drawn in a block."""
_MOST_YEARS: Final = 1_000.0
_MOST_PIECES: Final = 32
_LONGEST_S: Final = 30 * 86_400.0
"""A walk of more than 30 days (a retry after weeks) is followed, but incidents are drawn no further beyond the end."""
_QUANTILES: Final = {"latency_s_p50": 0.5, "latency_s_p95": 0.95, "latency_s_p99": 0.99}


class CommonIncidents:
    """The incidents of block `number` and what plans over them come to.

    `plan` is any of the plans. A block holds some 20,000 incidents, or whole horizons where each is a timeline of its
    own. `samples` requests of each plan are walked. Blocks are independent. With `of_replication` the block is the
    horizon of replication `number`, with the incidents that `des run` meets in it, and nothing is known exactly.
    """

    def __init__(self, plan: Plan, number: int, samples: int, *, of_replication: bool = False) -> None:
        self._samples = samples
        pieces = [(number, plan.horizon_s)] if of_replication else _pieces(plan, number)
        self._pieces = [_Piece(plan, piece, piece_s) for piece, piece_s in pieces]
        self._exactly = None if of_replication else _down_together(plan)
        self._known: dict[tuple[int, ...], float] = {}

    def figures(self, plan: Plan) -> dict[str, float]:
        """By metric, those of `des.scenario.checks.aims.OPTIMISABLE`; NaN where nothing is served.

        All endpoints down at once count with their exact share where it is known.
        """
        each = max(64, self._samples // len(self._pieces))
        found = _Sums()
        for piece in self._pieces:
            walk = ServedWalk(plan, piece.timeline.effects, piece.number)
            weights, arrival_s, sizes = piece.arrivals(plan, each)
            clear = np.arange(len(arrival_s)) < sizes[0]
            account = walk.account(_FarFromAll(piece.conditions, clear), arrival_s, sizes)
            found.add(account, weights / len(self._pieces))
        return found.figures(self._all_down_missed(plan))

    def _all_down_missed(self, plan: Plan) -> float:
        """By how much the exact share of time with all endpoints down exceeds that along the drawn timelines."""
        endpoints = tuple(sorted(chain_endpoints(plan)))
        if self._exactly is None:
            return 0.0
        if endpoints not in self._known:
            drawn = math.fsum(piece.all_down(endpoints) for piece in self._pieces) / len(self._pieces)
            try:
                self._known[endpoints] = self._exactly.share(endpoints) - drawn
            except Inapplicable:
                self._known[endpoints] = 0.0
        return self._known[endpoints]


def why_only_simulated(plan: Plan) -> tuple[str, ...]:
    """Why the walk leaves something out, so that only simulated requests tell the figures. Empty where it does not."""
    caches = (
        f"prompt cache of {leg.name}: its price depends on earlier calls" for leg in plan.chain if leg.prompt_cache
    )
    return (*interactions(plan), *caches)


def _down_together(plan: Plan) -> DownTogether | None:
    try:
        return DownTogether(plan)
    except Inapplicable:
        return None


def _pieces(plan: Plan, number: int) -> Iterator[tuple[int, float]]:
    """(number, length in seconds) of the timelines of a block."""
    per_year = incidents_per_year(plan)
    if not needs_whole_horizons(plan):
        years = _MOST_YEARS if per_year <= 0.0 else min(_MOST_YEARS, _INCIDENTS / per_year)
        yield number, years * YEAR_S
        return
    per_horizon = per_year * plan.horizon_s / YEAR_S
    count = 1 if per_horizon <= 0.0 else max(1, min(_MOST_PIECES, math.ceil(_INCIDENTS / per_horizon)))
    for piece in range(count):
        yield number * count + piece, plan.horizon_s


class _Piece:
    """One drawn timeline, with what was made of it for any plan."""

    def __init__(self, plan: Plan, number: int, until_s: float) -> None:
        self.number, self._until_s = number, until_s
        self._seed, self._profile = plan.seed, arrival_profile(plan)
        self.timeline: Timeline = draw_timeline(plan, number, until_s + _LONGEST_S)
        self.conditions = _Lazily(self.timeline)
        self._kills = any(effect.kills_in_flight for effect in self.timeline.effects)
        self._down: dict[int, Intervals] = {}
        self._near: dict[tuple[int, float], Intervals] = {}
        self._arrived = until_s if self._profile is None else expected_arrivals(self._profile, until_s)

    def all_down(self, endpoints: Sequence[int]) -> float:
        for endpoint in endpoints:
            if endpoint not in self._down:
                self._down[endpoint] = endpoint_down(self.timeline, endpoint)
        return down_share(intersection([self._down[endpoint] for endpoint in endpoints]), self._until_s)

    def arrivals(self, plan: Plan, count: int) -> tuple[FloatArray, FloatArray, list[int]]:
        """(weights that add up to 1, arrivals) of `count` requests, and how many there are of each stratum.

        The first stratum, half of them, is far from all incidents. The others have equal numbers.
        """
        rng = generator(self._seed, self.number, "common_incidents/arrivals")
        beyond_s = min(_LONGEST_S, self._reach_s(plan))
        parts = strata([self._affected(each, beyond_s) for each in chain_endpoints(plan)], self._until_s)
        near = max(count // 2, 2 * len(parts)) if parts else 0
        far = count - count // 2 if parts else count
        arrival_s, weights = np.zeros(far + near), np.zeros(far + near)
        first, sizes = far, [far]
        for number, windows in enumerate(parts):
            last = far + near * (number + 1) // len(parts)
            measure, at_s = stratified(windows, last - first, rng)
            arrival_s[first:last] = at_s
            sizes.append(last - first)
            weights[first:last] = measure / self._arrived / (last - first)
            if self._profile is not None:
                weights[first:last] *= weights_at(self._profile, at_s)
            first = last
        weights[:far] = max(0.0, 1.0 - float(weights.sum())) / far
        return weights / float(weights.sum()), arrival_s, sizes

    def _reach_s(self, plan: Plan) -> float:
        return reach_s(plan) if self._kills else longest_walk_s(plan, self.timeline.effects)

    def _affected(self, endpoint: int, beyond_s: float) -> Intervals:
        if (endpoint, beyond_s) not in self._near:
            self._near[endpoint, beyond_s] = affected(self.timeline, endpoint, beyond_s)
        return self._near[endpoint, beyond_s]


class _Lazily:
    """Conditions along a timeline; those of each endpoint are made at first use."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._of: dict[int, TimelineConditions] = {}

    def of(self, endpoint: int) -> TimelineConditions:
        if endpoint not in self._of:
            self._of[endpoint] = TimelineConditions(self._timeline, [endpoint])
        return self._of[endpoint]

    def open_effects(self, endpoint: int, at_s: FloatArray, rows: _IntArray) -> _IntArray:
        return self.of(endpoint).open_effects(endpoint, at_s, rows)

    def next_kill(self, endpoint: int, after_s: FloatArray, rows: _IntArray) -> tuple[FloatArray, _IntArray]:
        return self.of(endpoint).next_kill(endpoint, after_s, rows)


@dataclass(frozen=True, slots=True)
class _FarFromAll:
    """The conditions, in which no incident is ever open for the requests that are `clear`, bool[n]."""

    along: Conditions
    clear: NDArray[np.bool_]

    def open_effects(self, endpoint: int, at_s: FloatArray, rows: _IntArray) -> _IntArray:
        opened = self.along.open_effects(endpoint, at_s, rows).copy()
        opened[self.clear[rows]] = -1
        return opened

    def next_kill(self, endpoint: int, after_s: FloatArray, rows: _IntArray) -> tuple[FloatArray, _IntArray]:
        next_s, effect = self.along.next_kill(endpoint, after_s, rows)
        clear = self.clear[rows]
        return np.where(clear, np.inf, next_s), np.where(clear, -1, effect)


@dataclass(slots=True)
class _Sums:
    """Accounts added up; a request counts with the weight of its arrival."""

    begun: float = 0.0
    lost: float = 0.0
    cost_usd: float = 0.0
    attempts: float = 0.0
    by_fallback: float = 0.0
    served: list[FloatArray] = field(default_factory=list)
    latency_s: list[FloatArray] = field(default_factory=list)

    def add(self, account: Account, weights: FloatArray) -> None:
        self.begun += weighted_sum(weights, account.begun)
        self.lost += weighted_sum(weights, account.lost)
        self.cost_usd += weighted_sum(weights, account.cost_usd)
        self.attempts += weighted_sum(weights, account.attempts)
        for served, latency_s, fallback in zip(account.served, account.latency_s, account.by_fallback, strict=True):
            mass = weights * served
            self.by_fallback += float(mass.sum()) if fallback else 0.0
            self.served.append(mass)
            self.latency_s.append(latency_s)

    def figures(self, lost_besides: float) -> dict[str, float]:
        lost = min(1.0, max(0.0, self.lost / self.begun + lost_besides))
        answered = self.begun - self.lost  # of the same sample as the cost, so that a success costs what it costs
        mass, latency_s = np.concatenate(self.served), np.concatenate(self.latency_s)
        mass, latency_s = mass[mass > 0.0], latency_s[mass > 0.0]
        served = float(mass.sum())
        found = {
            "availability": 1.0 - lost,
            "failure_share": lost,
            "cost_usd_per_request": self.cost_usd / self.begun,
            "cost_usd_per_success": self.cost_usd / answered if answered > 0.0 else math.nan,
            "fallback_share": self.by_fallback / served if served else math.nan,
            "attempts_per_request": self.attempts / self.begun,
            "latency_s_mean": weighted_sum(mass, latency_s) / served if served else math.nan,
        }
        order = np.argsort(latency_s, kind="stable")
        reach = np.cumsum(mass[order])
        for metric, share in _QUANTILES.items():
            place = int(np.searchsorted(reach, share * served))
            found[metric] = float(latency_s[order[min(place, len(order) - 1)]]) if served else math.nan
        return found
