"""The walk of `failing_walk` with its answers: what requests cost, and when and by which entry they are served.

A request that walks on as if every call had failed is served at each call with the chance that the call does not fail.
So every walk adds to the latency of each leg, and to the bill of each call, in proportion to its chances. Few walks
then tell what many simulated requests would. Draws are keyed by leg, number of its call and purpose, and made for all
requests at each call. So plans that differ in the order or the choice of legs share them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from des.distributions import Constant, Distribution, FloatArray
from des.draws import generator
from des.estimate.call import Ends, kind_names
from des.estimate.conditions import Conditions
from des.estimate.failing_walk import Bound, FailingWalk, Requests
from des.scenario.plan import Effect, Leg, Plan, ReplayedArrivals
from des.scenario.schema.statuses import broken_stream_kind
from des.vocabulary import OK

_IntArray = NDArray[np.int64]
_MODES: Final = ("none", "input", "partial", "full")
_PARTIAL, _FULL = 2, 3
_POINTS: Final = 1 << 14
_WHOLE_TOKENS: Final = 100.0
"""From this mean on, rounding to whole tokens does not change the mean."""
_ROUNDING: Final = 1e-6


@dataclass(slots=True)
class Account:
    """What n requests came to. Weights are shares of one request, and add up over calls.

    `served` lists the chance of each request to be served at a call, `latency_s` its latency then, and `by_fallback`
    whether the call is of a later entry than the first.
    """

    lost: FloatArray
    begun: FloatArray
    cost_usd: FloatArray
    attempts: FloatArray
    served: list[FloatArray] = field(default_factory=list)
    latency_s: list[FloatArray] = field(default_factory=list)
    by_fallback: list[bool] = field(default_factory=list)


class ServedWalk(FailingWalk):
    """The walk of one plan's requests, with keyed draws. `replication` keys them besides the plan's seed.

    Limits, guards, hedges and whatever else makes requests depend on each other are left out, as in `FailingWalk`.
    Prompt caches are cold.
    """

    def __init__(self, plan: Plan, effects: Sequence[Effect], replication: int) -> None:
        super().__init__(plan, effects)
        self.replication = replication
        self.bills = [_Bill(plan, leg) for leg in plan.chain]

    def account(self, conditions: Conditions, arrival_s: FloatArray, samples: Sequence[int]) -> Account:
        """Requests that follow each other are `samples` of these sizes, as in `lost`."""
        return _Served(self, conditions, arrival_s, self.draws("requests"), samples).account()

    def draws(self, purpose: str) -> np.random.Generator:
        return generator(self.plan.seed, self.replication, f"served_walk/{purpose}")


class _Served(Requests):
    """Requests under way, with their account."""

    def __init__(
        self,
        walk: ServedWalk,
        conditions: Conditions,
        arrival_s: FloatArray,
        rng: np.random.Generator,
        samples: Sequence[int],
    ) -> None:
        super().__init__(walk, conditions, arrival_s, rng, samples)
        self._bills, self._draws, self._plan = walk.bills, walk.draws, walk.plan
        self._arrival_s = arrival_s
        self._nth = [0] * len(walk.plan.chain)
        self._every_row = np.arange(self._n, dtype=np.int64)
        nothing = np.zeros(self._n)
        self._account = Account(nothing, self._weight.copy(), nothing.copy(), nothing.copy())

    def account(self) -> Account:
        account, cache = self._account, self._plan.policy.response_cache
        account.lost = self.lost()
        hits = 0.0 if cache is None or cache.hit_rate is None else cache.hit_rate
        if cache is not None and hits:
            account.cost_usd *= 1.0 - hits
            account.attempts *= 1.0 - hits
            account.served = [served * (1.0 - hits) for served in account.served]
            account.served.append(account.begun * hits)
            account.latency_s.append(cache.latency.sample(self._draws("response_cache"), self._n))
            account.by_fallback.append(False)
        return account

    def _call(self, leg: int, rows: _IntArray, bound: Bound) -> None:
        of = self._plan.chain[leg]
        start_s = np.where(np.isfinite(self._now_s), self._now_s, self._arrival_s)
        rng = self._draws(f"{of.name}/{self._nth[leg]}")
        self._nth[leg] += 1
        ends = self._walk.calls[leg](
            self._conditions, rng, self._every_row, start_s, bound.until_s - start_s, self._tokens, served=True
        )
        self._count(of, rows, start_s, ends)
        self._fail(rows, ends.fails[rows], ends.lasts_s[rows], ends.outcome[rows], bound)

    def _count(self, leg: Leg, rows: _IntArray, start_s: FloatArray, ends: Ends) -> None:
        account = self._account
        reached = np.zeros(self._n)
        reached[rows] = self._weight[rows]
        served, failed = reached * (1.0 - ends.fails), reached * ends.fails
        ok_usd, failed_usd = self._bills[leg.index].of(self._tokens, ends)
        account.attempts += reached
        account.cost_usd += served * ok_usd + failed * failed_usd
        assert ends.served_s is not None
        account.served.append(served)
        account.latency_s.append(start_s - self._arrival_s + ends.served_s)
        account.by_fallback.append(leg.position > 0)


class _Bill:
    """What the calls of a leg cost in USD, given their outcome. The input and the units count with their means."""

    def __init__(self, plan: Plan, leg: Leg) -> None:
        endpoint = plan.endpoints[leg.endpoint]
        names = kind_names(plan)
        modes = [_MODES.index(endpoint.billing[name]) for name in names]
        if endpoint.broken_streams is not None:
            modes[broken_stream_kind(plan.statuses)] = _MODES.index(endpoint.billing["broken_stream"])
        self._modes = np.array(modes, dtype=np.int64)
        self._useless = np.array([name == "invalid_output" for name in names])
        price = endpoint.price
        self._input_usd = price.input_per_token * _mean_input(plan)
        self._output_usd = price.output_per_token
        self._flat_usd = price.per_request + price.per_unit * plan.workload.units.mean

    def of(self, tokens: FloatArray, ends: Ends) -> tuple[FloatArray, FloatArray]:
        """(if the call succeeds, if it fails), float64[n] each."""
        begins_s, whole_s = ends.output_s
        takes_s = whole_s - np.where(np.isfinite(begins_s), begins_s, 0.0)
        into_s = np.where(np.isfinite(ends.lasts_s), ends.lasts_s, 0.0) - begins_s
        with np.errstate(divide="ignore", invalid="ignore"):
            done = np.clip(np.where(takes_s > 0.0, into_s / takes_s, 1.0), 0.0, 1.0)
        done = np.where(into_s >= 0.0, done, 0.0)
        made = np.floor(done * tokens + _ROUNDING)
        useless = self._useless[ends.outcome]
        made, done = np.where(useless, tokens, made), np.where(useless, 1.0, done)
        full = np.full(len(tokens), self._modes[OK], dtype=np.int64)
        return self._usd(full, tokens, tokens, np.ones(len(tokens))), self._usd(
            self._modes[ends.outcome], tokens, made, done
        )

    def _usd(self, modes: _IntArray, tokens: FloatArray, made: FloatArray, done: FloatArray) -> FloatArray:
        output = np.where(modes == _FULL, tokens, np.where(modes == _PARTIAL, made, 0.0))
        flat = np.where(modes == _FULL, 1.0, np.where(modes == _PARTIAL, done, 0.0))
        cost: FloatArray = np.where(modes > 0, self._input_usd + output * self._output_usd + flat * self._flat_usd, 0.0)
        return cost


def _mean_input(plan: Plan) -> float:
    """The mean of the input tokens, which are whole and at least 1 where there are any."""
    arrivals = plan.workload.arrivals
    if isinstance(arrivals, ReplayedArrivals) and arrivals.input_tokens is not None and arrivals.input_tokens.size:
        return float(arrivals.input_tokens.mean())
    return _mean_of_whole(plan.workload.input_tokens)


def _mean_of_whole(tokens: Distribution) -> float:
    if tokens.mean <= 0.0 or tokens.mean >= _WHOLE_TOKENS:
        return tokens.mean
    if isinstance(tokens, Constant):
        return max(1.0, round(tokens.mean))
    points = tokens.quantile((np.arange(_POINTS) + 0.5) / _POINTS)
    return float(np.rint(np.maximum(points, 1.0)).mean())
