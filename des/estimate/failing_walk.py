"""A request's walk along the chain given that every call fails, weighted by the chance that the request is lost.

Many requests walk at once. Each call fails with a known chance, given what is open when it starts. The walk goes on as
if the call had failed and carries the product of these chances. The walk ends when the chain is exhausted, at an
outcome that does not fall back, at the deadline, or with a call that never ends. The product is then an unbiased
estimate of P(the request is lost), so no lost request needs to be observed. Calls, waits and rounds take their own
sampled times, so a retry meets the incidents of its own time. Long outputs, which all calls of a request have in
common, are drawn more often than they come and weighted down.

Only clients without state are covered: groups whose leg is the first or drawn by weight, retries of groups, and retries
of the layers inside a call. No call returns a Retry-After, since only limits send one.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count

import numpy as np
from numpy.typing import NDArray

from des.distributions import Constant, FloatArray
from des.estimate.call import FailingCall, distinct, is_bounded, kind_names, kinds_of, output_tokens
from des.estimate.conditions import Conditions
from des.rules.retry import backoff_s
from des.scenario.plan import Backoff, Effect, Group, Leg, Plan, RetryRule
from des.vocabulary import CANCELLED, TIMEOUT

_IntArray = NDArray[np.int64]
_BoolArray = NDArray[np.bool_]
_INFINITY = float("inf")
_RAREST_OUTPUT = 1e-12
_SLIGHT = 1e-15
"""Below this chance of being lost, only a sample of the walks is followed further."""
_OFTEN = 16
"""After this number of attempts on one entry, walks that are slight by then are looked for."""
_THROTTLED = ("rate_limited", "overloaded")


class FailingWalk:
    """The walk of one plan's requests. The effect codes of conditions are positions in `effects`."""

    def __init__(self, plan: Plan, effects: Sequence[Effect]) -> None:
        self.plan = plan
        self.calls = [FailingCall(plan, leg, effects) for leg in plan.chain]
        self.layers = [[_Layer.of(plan, rule) for rule in leg.inner] for leg in plan.client.legs]
        self.eligible = _eligible(plan)
        self.groups = [_Visited.of(plan, group, self.eligible) for group in plan.client.groups]
        self.outputs_matter = any(
            plan.endpoints[leg.endpoint].latency.tokens_per_s is not None
            and (is_bounded(leg.timeout) or plan.policy.deadline_s is not None or _is_bounded_from_outside(plan, leg))
            for leg in plan.chain
        )

    def lost(
        self,
        conditions: Conditions,
        arrival_s: FloatArray,
        rng: np.random.Generator,
        samples: Sequence[int] | None = None,
    ) -> FloatArray:
        """An unbiased estimate of each request's chance of being lost, float64[n]. A rejected request is lost.

        Requests that follow each other can be `samples` of these sizes: the outputs of each sample fill their
        distribution evenly. All requests are one sample unless said otherwise.
        """
        return Requests(self, conditions, arrival_s, rng, [len(arrival_s)] if samples is None else samples).lost()


@dataclass(frozen=True, slots=True)
class _Layer:
    """A retry rule over arrays. `is_retried` and `is_throttled` are indexed by outcome kind."""

    rule: RetryRule
    is_retried: _BoolArray
    is_throttled: _BoolArray

    @classmethod
    def of(cls, plan: Plan, rule: RetryRule) -> "_Layer":
        throttled = np.array([name in _THROTTLED for name in kind_names(plan)])
        return cls(rule, _among(plan, rule.retry_on), throttled)


@dataclass(frozen=True, slots=True)
class _Visited:
    """A group as requests visit it: by requirement (the last entry is for none), its legs and their chances."""

    index: int
    layer: _Layer
    falls_back: _BoolArray
    legs: tuple[_IntArray, ...]  # empty where no leg meets the requirement
    reach: tuple[FloatArray, ...]  # cumulative chances
    has_peer: _BoolArray  # whether several legs are eligible
    once: bool

    @classmethod
    def of(cls, plan: Plan, group: Group, eligible: _BoolArray) -> "_Visited":
        legs, reach = [], []
        for allowed in eligible:
            of = [plan.client.legs[leg] for leg in group.legs if allowed[leg]]
            least = min((leg.tier for leg in of), default=1)
            of = [leg for leg in of if leg.tier == least]
            if group.routing.kind == "ordered":
                of = of[:1]
            weights = np.array([leg.weight for leg in of])
            shares = weights / weights.sum() if weights.any() else np.full(len(of), 1.0 / max(1, len(of)))
            legs.append(np.array([leg.leg for leg in of], dtype=np.int64))
            reach.append(np.cumsum(shares))
        return cls(
            index=group.index,
            layer=_Layer.of(plan, group.retry),
            falls_back=_among(plan, group.fallback_on),
            legs=tuple(legs),
            reach=tuple(reach),
            has_peer=eligible[:, list(group.legs)].sum(axis=1) > 1,
            once=group.routing.once,
        )

    @property
    def is_drawn(self) -> bool:
        return any(len(legs) > 1 for legs in self.legs)


@dataclass(frozen=True, slots=True)
class Bound:
    """When an outer bound ends the call, by request, and which layer's bound that is; 0 is the deadline."""

    until_s: FloatArray
    of: _IntArray
    key: int


_Attempt = Callable[[_IntArray, Bound], None]


class Requests:
    """n requests under way at once. Each layer is given the rows it applies to.

    `outcome` is that of the last call or layer. `cut` is the layer whose bound has struck and is still to be handled
    (0: none).
    """

    def __init__(
        self,
        walk: FailingWalk,
        conditions: Conditions,
        arrival_s: FloatArray,
        rng: np.random.Generator,
        samples: Sequence[int],
    ) -> None:
        n, plan = len(arrival_s), walk.plan
        self._walk, self._conditions, self._rng, self._n = walk, conditions, rng, n
        self._keys = count(1)
        self._now_s = arrival_s.astype(np.float64).copy()
        drawn = [_drawn_tokens(plan, rng, size, matter=walk.outputs_matter) for size in samples]
        self._tokens, self._weight = (np.concatenate(column) for column in zip(*drawn, strict=True))
        self._requirement = _drawn_requirements(plan, rng, n)
        deadline_s = arrival_s + (_INFINITY if plan.policy.deadline_s is None else plan.policy.deadline_s)
        self._deadline = Bound(deadline_s, np.zeros(n, dtype=np.int64), 0)
        self._lost = np.zeros(n)
        self._outcome = np.zeros(n, dtype=np.int64)
        self._cut = np.zeros(n, dtype=np.int64)
        self._picked = np.zeros(n, dtype=np.int64)
        self._walking = np.ones(n, dtype=np.bool_)
        depth = plan.client.fallback_depth
        visited = np.array([[len(legs) > 0 for legs in group.legs] for group in walk.groups]).T
        if depth is not None:
            visited &= np.cumsum(visited, axis=1) <= depth + 1
        self._visits = visited[self._requirement]

    def lost(self) -> FloatArray:
        policy = self._walk.plan.policy
        self._end(np.flatnonzero(~self._visits.any(axis=1)))
        waited_s = np.full(self._n, policy.round_backoff.base_s)
        for round_number in range(policy.rounds):
            self._roulette()
            if not self._walking.any():
                break
            for group in self._walk.groups:
                self._visit(group)
            if round_number + 1 < policy.rounds:
                rows = np.flatnonzero(self._walking)
                wait_s = jittered(policy.round_backoff, round_number, waited_s[rows], self._rng)
                waited_s[rows] = wait_s
                self._wait(rows, wait_s, self._deadline)
        self._end(np.flatnonzero(self._walking))
        cached = policy.response_cache
        hits = 0.0 if cached is None or cached.hit_rate is None else cached.hit_rate
        return self._lost * (1.0 - hits) if hits else self._lost

    def _roulette(self) -> None:
        """Russian roulette: a sample of the unlikely losses goes on with greater weight, so that long walks end."""
        slight = np.flatnonzero(self._walking & (self._weight < _SLIGHT))
        if not len(slight):
            return
        spared = self._rng.random(len(slight)) * _SLIGHT < self._weight[slight]
        self._weight[slight] = np.where(spared, _SLIGHT, 0.0)
        self._end(slight[~spared])

    def _visit(self, group: _Visited) -> None:
        """All attempts on one group."""
        rows = np.flatnonzero(self._walking & self._visits[:, group.index] & (self._weight > 0.0))
        self._picked[rows] = -1
        self._repeat(group.layer, rows, self._deadline, partial(self._attempt, group), group.has_peer)
        tried = rows[self._walking[rows]]
        self._end(tried[~group.falls_back[self._outcome[tried]]])

    def _repeat(
        self, layer: _Layer, rows: _IntArray, bound: Bound, attempt: _Attempt, has_peer: _BoolArray | None = None
    ) -> None:
        """One layer: attempts with waits between them, within the layer's time-out."""
        rule, every_row = layer.rule, rows
        whole = self._within(bound, rows, rule.timeout_s)
        waited_s = np.full(self._n, rule.backoff.base_s)
        for retry in range(rule.retries + 1):
            if not len(rows):
                break
            own = self._within(whole, rows, rule.attempt_timeout_s)
            attempt(rows, own)
            self._time_out(rows, own, within=whole)
            if (retry + 1) % _OFTEN == 0:
                self._roulette()
            is_last = retry == rule.retries
            if is_last and not rule.waits_after_last:
                break
            rows = rows[self._walking[rows] & (self._cut[rows] == 0)]
            rows = rows[layer.is_retried[self._outcome[rows]]]
            wait_s = self._wait_s(layer, rows, retry, waited_s)
            if has_peer is not None and not rule.waits_with_healthy_peer:
                wait_s = np.where(has_peer[self._requirement[rows]], 0.0, wait_s)
            self._wait(rows, wait_s, whole)
            rows = rows[self._walking[rows] & (self._cut[rows] == 0)]
        self._time_out(every_row, whole, within=bound)

    def _attempt(self, group: _Visited, rows: _IntArray, bound: Bound) -> None:
        """Pick a leg for each request, and call it with all its layers."""
        if not group.is_drawn:
            picked = np.array([legs[0] if len(legs) else -1 for legs in group.legs])[self._requirement[rows]]
        else:
            u = self._rng.random(len(rows))
            picked = np.empty(len(rows), dtype=np.int64)
            for number, (legs, reach) in enumerate(zip(group.legs, group.reach, strict=True)):
                of = self._requirement[rows] == number
                if of.any():
                    place = np.minimum(np.searchsorted(reach, u[of], side="right"), len(legs) - 1)
                    picked[of] = legs[place]
            if group.once:
                before = self._picked[rows]
                picked = np.where(before >= 0, before, picked)
                self._picked[rows] = picked
        for leg in distinct(picked):
            self._call_within_layers(leg, 0, rows[picked == leg], bound)

    def _call_within_layers(self, leg: int, depth: int, rows: _IntArray, bound: Bound) -> None:
        layers = self._walk.layers[leg]
        if depth < len(layers):
            self._repeat(layers[depth], rows, bound, partial(self._call_within_layers, leg, depth + 1))
        else:
            self._call(leg, rows, bound)

    def _call(self, leg: int, rows: _IntArray, bound: Bound) -> None:
        start_s = self._now_s[rows]
        ends = self._walk.calls[leg](
            self._conditions, self._rng, rows, start_s, bound.until_s[rows] - start_s, self._tokens[rows]
        )
        self._fail(rows, ends.fails, ends.lasts_s, ends.outcome, bound)

    def _fail(self, rows: _IntArray, fails: FloatArray, lasts_s: FloatArray, outcome: _IntArray, bound: Bound) -> None:
        """The calls of `rows` have failed, with these chances, durations and outcomes."""
        self._weight[rows] *= fails
        self._now_s[rows] += lasts_s
        self._outcome[rows] = outcome
        self._strike(rows[outcome == CANCELLED], bound)
        self._end(rows[~np.isfinite(lasts_s)])

    # Waits and bounds

    def _wait_s(self, layer: _Layer, rows: _IntArray, retry: int, waited_s: FloatArray) -> FloatArray:
        """The waits before retry `retry` (from 0), or after the last. Updates each request's last wait, `waited_s`."""
        rule = layer.rule
        if rule.throttled_backoff is None:
            wait_s = jittered(rule.backoff, retry, waited_s[rows], self._rng)
        else:
            wait_s = np.empty(len(rows))
            throttled = layer.is_throttled[self._outcome[rows]]
            for of, backoff in ((throttled, rule.throttled_backoff), (~throttled, rule.backoff)):
                wait_s[of] = jittered(backoff, retry, waited_s[rows[of]], self._rng)
        waited_s[rows] = wait_s
        return wait_s

    def _wait(self, rows: _IntArray, wait_s: FloatArray, bound: Bound) -> None:
        self._now_s[rows] += wait_s
        self._strike(rows[(self._now_s[rows] >= bound.until_s[rows]) & (wait_s > 0.0)], bound)

    def _within(self, bound: Bound, rows: _IntArray, timeout_s: float | None) -> Bound:
        """The bound of work that starts now: a new one where `timeout_s` ends before the given bound."""
        if timeout_s is None:
            return bound
        ends_s = self._now_s[rows] + timeout_s
        sooner = ends_s < bound.until_s[rows]
        until_s, of, key = bound.until_s.copy(), bound.of.copy(), next(self._keys)
        until_s[rows[sooner]], of[rows[sooner]] = ends_s[sooner], key
        return Bound(until_s, of, key)

    def _strike(self, rows: _IntArray, bound: Bound) -> None:
        """The bound has struck: the deadline ends the request, any other bound ends its layer."""
        if not len(rows):
            return
        of = bound.of[rows]
        self._end(rows[of == 0])
        self._cut[rows] = of
        self._now_s[rows] = bound.until_s[rows]

    def _time_out(self, rows: _IntArray, bound: Bound, *, within: Bound) -> None:
        """Handles a layer's own bound that has struck."""
        if bound is within:
            return
        struck = rows[self._cut[rows] == bound.key]
        self._cut[struck], self._outcome[struck] = 0, TIMEOUT

    def _end(self, rows: _IntArray) -> None:
        self._lost[rows] = self._weight[rows]
        self._walking[rows] = False


def jittered(policy: Backoff, done: int, previous_s: FloatArray, rng: np.random.Generator) -> FloatArray:
    """The wait after `done` others, float64[n]: `des.rules.retry` over arrays."""
    wait_s = backoff_s(policy.kind, policy.base_s, policy.factor, policy.cap_s, done)
    if policy.kind == "none" or policy.jitter == "none":
        return np.full(len(previous_s), wait_s)
    u = rng.random(len(previous_s))
    if policy.jitter == "full":
        found = u * wait_s
    elif policy.jitter == "equal":
        found = wait_s / 2.0 + u * (wait_s / 2.0)
    elif policy.jitter == "additive":
        found = wait_s + u * policy.spread_s
    elif policy.jitter == "scaled":
        found = wait_s * (policy.low + u * (policy.high - policy.low))
    else:
        found = np.minimum(policy.cap_s, policy.base_s + u * (3.0 * previous_s - policy.base_s))
    return np.minimum(found, policy.most_s)


def _drawn_tokens(plan: Plan, rng: np.random.Generator, n: int, *, matter: bool) -> tuple[FloatArray, FloatArray]:
    """(output tokens, weight) of each request. Half are drawn from the tail, evenly over its orders of magnitude.

    The weight is the ratio of the distribution to that mixture, at most 2. It is 1 where outputs do not `matter`.
    """
    output = output_tokens(plan)
    least = 1.0 if output.mean > 0.0 else 0.0
    if isinstance(output, Constant) or not matter:
        return np.rint(np.maximum(output.sample(rng, n), least)), np.ones(n)
    plain = n - n // 2
    above = np.concatenate(
        (
            (np.arange(plain) + rng.random(plain)) / plain,
            _RAREST_OUTPUT ** ((np.arange(n - plain) + rng.random(n - plain)) / max(1, n - plain)),
        )
    )
    above = above[rng.permutation(n)]
    tail = np.where(above >= _RAREST_OUTPUT, 1.0 / (above * -np.log(_RAREST_OUTPUT)), 0.0)
    weight = n / (plain + (n - plain) * tail)
    return np.rint(np.maximum(output.quantile(1.0 - above), least)), weight


def _drawn_requirements(plan: Plan, rng: np.random.Generator, n: int) -> _IntArray:
    """The requirement of each request; the number after the last means none."""
    edges = np.cumsum([required.share for required in plan.workload.requirements])
    if not len(edges):
        return np.zeros(n, dtype=np.int64)
    return np.searchsorted(edges, rng.random(n), side="right").astype(np.int64)


def _eligible(plan: Plan) -> _BoolArray:
    """bool[requirements + 1, legs]: the legs that meet each requirement. The last row is for none."""
    allowed = np.ones((len(plan.workload.requirements) + 1, len(plan.chain)), dtype=np.bool_)
    for number, required in enumerate(plan.workload.requirements):
        allowed[number] = [required.tags.items() <= leg.tags.items() for leg in plan.chain]
    return allowed


def _is_bounded_from_outside(plan: Plan, leg: Leg) -> bool:
    """Whether a layer around the leg's calls has a time-out."""
    groups = [group for group in plan.client.groups if leg.index in group.legs]
    rules = [*(group.retry for group in groups), *plan.client.legs[leg.index].inner]
    return any(rule.timeout_s is not None or rule.attempt_timeout_s is not None for rule in rules)


def _among(plan: Plan, handled: Collection[str]) -> _BoolArray:
    kinds = kinds_of(plan, handled)
    return np.array([kind in kinds for kind in range(len(kind_names(plan)))], dtype=np.bool_)
