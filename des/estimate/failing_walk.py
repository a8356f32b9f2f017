"""A request's walk along the chain given that every call fails: what it weighs is the chance that it is lost.

Many requests walk at once. Each call fails with a chance that is known given what is open when it starts; the walk goes
on as if it had failed and carries the product. When it ends (the chain exhausted, an outcome that does not fall back,
the deadline, a call that never ends) that product is an unbiased estimate of P(the request is lost), with no lost
request needed to see it. Calls, waits and rounds take their own sampled times, so a retry meets the incidents of its
own time. Long outputs, which all calls of a request have in common, are drawn more often than they come and weighted
down.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from des.distributions import Constant, sample
from des.estimate.clear_sky import output_tokens
from des.estimate.failing_call import FailingCall, Sky
from des.estimate.law_functions import longest, quantile
from des.estimate.one_call import is_bounded
from des.rules.retry import backoff_s
from des.scenario.plan import Backoff, Effect, Leg, Plan
from des.vocabulary import ATTEMPT_OUTCOMES, CANCELLED

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
INFINITY = float("inf")
RAREST_OUTPUT = 1e-12
SLIGHT = 1e-15
"""A chance of being lost below which it is not worth following every walk."""


class FailingWalk:
    """The walk of one plan's requests. `effects` are those that a sky's codes stand for."""

    def __init__(self, plan: Plan, effects: Sequence[Effect]) -> None:
        self._plan = plan
        self._calls = [FailingCall(plan, leg, effects) for leg in plan.chain]
        self._retried = [np.array([name in leg.retry_on for name in ATTEMPT_OUTCOMES]) for leg in plan.chain]
        self._outputs_matter = any(
            plan.endpoints[leg.endpoint].latency.tokens_per_s is not None
            and (is_bounded(leg.timeout) or plan.policy.deadline_s is not None)
            for leg in plan.chain
        )
        self._falls_back = [np.array([name in leg.fallback_on for name in ATTEMPT_OUTCOMES]) for leg in plan.chain]

    def lost(self, sky: Sky, arrival_s: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Unbiased for each request's chance of being lost, float64[n]; a rejected request is lost."""
        plan, policy, n = self._plan, self._plan.policy, len(arrival_s)
        lost = np.zeros(n)
        now_s = arrival_s.astype(np.float64).copy()
        tokens, weight = self._tokens(rng, n)
        eligible = self._eligible(rng, n)
        outcome = np.zeros(n, dtype=np.int64)
        deadline_s = arrival_s + (INFINITY if policy.deadline_s is None else policy.deadline_s)
        walking: BoolArray = np.asarray(eligible.any(axis=1), dtype=np.bool_)
        lost[~walking] = weight[~walking]

        def end(rows: IntArray) -> None:
            lost[rows] = weight[rows]
            walking[rows] = False

        round_waited_s = np.full(n, policy.round_backoff.base_s)
        for round_number in range(policy.rounds):
            slight = np.flatnonzero(walking & (weight < SLIGHT))
            if len(slight):  # Russian roulette: few go on, for the rest, so that long walks end
                spared = rng.random(len(slight)) * SLIGHT < weight[slight]
                weight[slight] = np.where(spared, SLIGHT, 0.0)
                end(slight[~spared])
            if not walking.any():
                break
            for position, leg in enumerate(plan.chain):
                waited_s = np.full(n, policy.retry_backoff.base_s)
                rows = np.flatnonzero(walking & eligible[:, position] & (weight > 0.0))
                tried = rows
                for retry in range(leg.retries + 1):
                    if not len(rows):
                        break
                    fails, lasts_s, outcome[rows] = self._calls[position](
                        sky, rng, rows, now_s[rows], deadline_s[rows] - now_s[rows], tokens[rows]
                    )
                    weight[rows] *= fails
                    now_s[rows] += lasts_s
                    over = (outcome[rows] == CANCELLED) | ~np.isfinite(lasts_s)
                    end(rows[over])
                    if retry == leg.retries:
                        break
                    rows = rows[~over & self._retried[position][outcome[rows]]]
                    rows = self._wait(rows, policy.retry_backoff, retry, waited_s, now_s, deadline_s, rng, end)
                tried = tried[walking[tried]]
                end(tried[~self._falls_back[position][outcome[tried]]])
            if round_number + 1 < policy.rounds:
                rows = np.flatnonzero(walking)
                self._wait(rows, policy.round_backoff, round_number, round_waited_s, now_s, deadline_s, rng, end)
        end(np.flatnonzero(walking))
        cached = policy.response_cache
        return lost * (1.0 - cached.hit_rate) if cached is not None and cached.hit_rate is not None else lost

    def _wait(
        self,
        rows: IntArray,
        policy: Backoff,
        done: int,
        waited_s: FloatArray,
        now_s: FloatArray,
        deadline_s: FloatArray,
        rng: np.random.Generator,
        end: Callable[[IntArray], None],
    ) -> IntArray:
        """Wait, and return those whose deadline has not come by then."""
        wait_s = jittered(policy, done, waited_s[rows], rng)
        waited_s[rows] = wait_s
        resume_s = now_s[rows] + wait_s
        over = (resume_s >= deadline_s[rows]) & (wait_s > 0.0)
        now_s[rows] = resume_s
        end(rows[over])
        return rows[~over]

    def _tokens(self, rng: np.random.Generator, n: int) -> tuple[FloatArray, FloatArray]:
        """(output tokens, weight) of each request; half of them from the tail, evenly over its orders of magnitude.

        The weight is the ratio of the law to that mixture, at most 2, and 1 where outputs make no difference.
        """
        law = output_tokens(self._plan)
        least = 1.0 if law.mean > 0.0 else 0.0
        if isinstance(law, Constant) or not self._outputs_matter:
            return np.rint(np.maximum(sample(law, rng, n), least)), np.ones(n)
        plain = n - n // 2
        above = np.concatenate(
            (
                (np.arange(plain) + rng.random(plain)) / plain,
                RAREST_OUTPUT ** ((np.arange(n - plain) + rng.random(n - plain)) / max(1, n - plain)),
            )
        )
        above = above[rng.permutation(n)]
        tail = np.where(above >= RAREST_OUTPUT, 1.0 / (above * -np.log(RAREST_OUTPUT)), 0.0)
        weight = n / (plain + (n - plain) * tail)
        return np.rint(np.maximum(quantile(law, 1.0 - above), least)), weight

    def _eligible(self, rng: np.random.Generator, n: int) -> BoolArray:
        """bool[n, legs]: the legs that each request may use, by its requirement."""
        plan = self._plan
        allowed = np.ones((len(plan.workload.requirements) + 1, len(plan.chain)), dtype=np.bool_)
        for number, required in enumerate(plan.workload.requirements):
            allowed[number] = [required.tags.items() <= leg.tags.items() for leg in plan.chain]
        edges = np.cumsum([required.share for required in plan.workload.requirements])
        chosen = np.searchsorted(edges, rng.random(n), side="right") if len(edges) else np.zeros(n, dtype=np.int64)
        return np.asarray(allowed[chosen], dtype=np.bool_)


def jittered(policy: Backoff, done: int, previous_s: FloatArray, rng: np.random.Generator) -> FloatArray:
    """The wait after `done` others, float64[n]: `des.rules.retry` over arrays."""
    wait_s = backoff_s(policy.kind, policy.base_s, policy.factor, policy.cap_s, done)
    if policy.kind == "none" or policy.jitter == "none":
        return np.full(len(previous_s), wait_s)
    u = rng.random(len(previous_s))
    if policy.jitter == "full":
        return u * wait_s
    if policy.jitter == "equal":
        return wait_s / 2.0 + u * (wait_s / 2.0)
    if policy.jitter == "additive":
        return wait_s + u * policy.spread_s
    return np.minimum(policy.cap_s, policy.base_s + u * (3.0 * previous_s - policy.base_s))


def longest_walk_s(plan: Plan, effects: Sequence[Effect]) -> float:
    """How long after its arrival a request may still start a call: all failing, each step as long as it can be.

    A law without a bound counts with the value that all but a billionth of its draws stay below.
    """
    policy = plan.policy
    total_s = 0.0
    for round_number in range(policy.rounds):
        for leg in plan.chain:
            total_s += (leg.retries + 1) * _longest_call_s(plan, leg, effects)
            total_s += sum(_longest_wait_s(policy.retry_backoff, retry) for retry in range(leg.retries))
        if round_number + 1 < policy.rounds:
            total_s += _longest_wait_s(policy.round_backoff, round_number)
    return total_s if policy.deadline_s is None else min(total_s, policy.deadline_s)


def _longest_call_s(plan: Plan, leg: Leg, effects: Sequence[Effect]) -> float:
    endpoint = plan.endpoints[leg.endpoint]
    latency, bounds = endpoint.latency, leg.timeout
    patience_s = min(bound for bound in (bounds.total_s, INFINITY) if bound is not None)
    errors_s = [longest(error.latency) for error in endpoint.errors if error.outcome != "hang"]
    errors_s += [longest(effect.error_latency) for effect in effects]
    factor = max((effect.latency_factor for effect in effects), default=1.0)
    response_s = sum(longest(law) for law in (latency.whole, latency.connect, latency.first_token) if law is not None)
    if latency.tokens_per_s is not None:
        slowest = float(quantile(latency.tokens_per_s, np.array([1e-9]))[0])
        response_s += longest(output_tokens(plan)) / max(slowest, 1e-6)
    bounded_s = [b for b in (bounds.connect_s, bounds.first_token_s, bounds.idle_s) if b is not None]
    return min(patience_s, max([response_s * factor, *errors_s, *bounded_s]))


def _longest_wait_s(policy: Backoff, done: int) -> float:
    wait_s = backoff_s(policy.kind, policy.base_s, policy.factor, policy.cap_s, done)
    if policy.kind == "none":
        return 0.0
    if policy.jitter == "additive":
        return wait_s + policy.spread_s
    if policy.jitter == "decorrelated":
        return min(policy.cap_s, policy.base_s * 3.0 ** (done + 1))
    return wait_s
