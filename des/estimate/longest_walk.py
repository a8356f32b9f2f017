"""How long a request may walk at most: each of its calls fails, and each call and each wait is the longest."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from des.estimate.call import output_tokens
from des.rules.retry import backoff_s
from des.scenario.plan import Backoff, Effect, Leg, Plan, RetryRule

_LARGEST_DRAW: Final = 1.0 - 2.0**-53
_MOST_TRIPLED: Final = 600
"""A wait that was tripled more often has no end, and 3**647 is no float."""


def longest_walk_s(plan: Plan, effects: Sequence[Effect]) -> float:
    """How long after its arrival a request may still start a call, when all calls fail and each step is longest.

    An unbounded distribution counts with its quantile at 1 - 1e-9.
    """
    policy = plan.policy
    total_s = 0.0
    for round_number in range(policy.rounds):
        for group in plan.client.groups:
            rule = group.retry
            attempt_s = max(_longest_attempt_s(plan, leg, effects) for leg in group.legs)
            total_s += (rule.retries + 1) * min(attempt_s, _or_infinity(rule.attempt_timeout_s))
            total_s += longest_waits_s(rule)
        if round_number + 1 < policy.rounds:
            total_s += longest_wait_s(policy.round_backoff, round_number)
    return total_s if policy.deadline_s is None else min(total_s, policy.deadline_s)


def _longest_attempt_s(plan: Plan, leg: int, effects: Sequence[Effect]) -> float:
    """The longest call of a leg, with the layers around it."""
    attempt_s = _longest_call_s(plan, plan.chain[leg], effects)
    for rule in reversed(plan.client.legs[leg].inner):
        attempts_s = (rule.retries + 1) * min(attempt_s, _or_infinity(rule.attempt_timeout_s))
        attempt_s = min(attempts_s + longest_waits_s(rule), _or_infinity(rule.timeout_s))
    return attempt_s


def _longest_call_s(plan: Plan, leg: Leg, effects: Sequence[Effect]) -> float:
    endpoint = plan.endpoints[leg.endpoint]
    latency, bounds = endpoint.latency, leg.timeout
    errors_s = [error.latency.tail_quantile() for error in endpoint.errors if error.outcome != "hang"]
    errors_s += [effect.error_latency.tail_quantile() for effect in effects]
    factor = max((effect.latency_factor for effect in effects), default=1.0)
    parts = [part for part in (latency.whole, latency.connect, latency.first_token) if part is not None]
    response_s = sum(part.tail_quantile() for part in parts)
    if latency.tokens_per_s is not None:
        slowest = float(latency.tokens_per_s.quantile(np.array([1e-9]))[0])
        response_s += output_tokens(plan).tail_quantile() / max(slowest, 1e-6)
    bounded_s = [b for b in (bounds.connect_s, bounds.first_token_s, bounds.idle_s) if b is not None]
    return min(_or_infinity(bounds.total_s), max([response_s * factor, *errors_s, *bounded_s]))


def longest_waits_s(rule: RetryRule) -> float:
    waits = rule.retries + 1 if rule.waits_after_last else rule.retries
    backoffs = [rule.backoff] if rule.throttled_backoff is None else [rule.backoff, rule.throttled_backoff]
    return sum(max(longest_wait_s(backoff, done) for backoff in backoffs) for done in range(waits))


def longest_wait_s(policy: Backoff, done: int) -> float:
    if policy.own is not None:
        return policy.own.usual_wait_s(done, _LARGEST_DRAW)
    wait_s = backoff_s(policy.kind, policy.base_s, policy.factor, policy.cap_s, done)
    if policy.kind == "none" or policy.jitter == "none":
        return wait_s
    if policy.jitter == "additive":
        wait_s += policy.spread_s
    elif policy.jitter == "scaled":
        wait_s *= max(policy.low, policy.high)
    elif policy.jitter == "decorrelated":
        wait_s = min(policy.cap_s, policy.base_s * 3.0 ** min(done + 1, _MOST_TRIPLED))
    return min(wait_s, policy.most_s)


def _or_infinity(bound_s: float | None) -> float:
    return float("inf") if bound_s is None else bound_s
