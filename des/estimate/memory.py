"""How long a plan's system remembers: for each setting that keeps state, the seconds after which its past is forgotten.

The figure is declared by the settings and is a starting point. The windows estimator tests it, and doubles it where the
test fails. What has no such time is refused by `forgets_never`, by name.
"""

from collections.abc import Iterator
from dataclasses import replace
from math import ceil, inf, isfinite, log
from typing import Final

import numpy as np

from des.distributions import Distribution
from des.estimate.interaction import interactions
from des.estimate.longest_walk import longest_wait_s, longest_waits_s, longest_walk_s
from des.scenario.extensions import own_classes
from des.scenario.plan import (
    ActiveBudget,
    BatchArrivals,
    BucketBudget,
    ClosedArrivals,
    Cooldown,
    CountWindowBreaker,
    Effect,
    Ejection,
    Leg,
    LegClient,
    Limit,
    OwnArrivals,
    OwnBreaker,
    Plan,
    QuotaBudget,
    RatioBudget,
    ReplayedArrivals,
    RetryBudget,
    ThrottleBudget,
    TimeWindowBreaker,
)
from des.scenario.text.units import DAY_S, HOUR_S

NOTHING: Final = "nothing: requests do not depend on each other"
_MINUTE_S: Final = 60.0
_CRITICAL: Final = 0.1
"""A bucket fills or drains at the difference of its rate and the load; at least at this share of its rate counts."""
_USUAL: Final = 0.99
"""The quantile of a response that a usual call lasts."""

_Part = tuple[float, str]
"""Seconds, and what remembers for so long."""


def memory_s(plan: Plan) -> tuple[float, str]:
    """(seconds, what remembers longest): the state at t depends on what happened since t less this, as declared.

    0 where requests do not depend on each other. A usual walk is added to what the longest-lived setting remembers,
    since it learns from calls as they end.
    """
    if not interactions(plan) and all(leg.prompt_cache is None for leg in plan.chain):
        return 0.0, NOTHING
    walk_s = usual_walk_s(plan)
    longest_s, what = max(_parts(plan), default=(0.0, "requests under way"))
    return longest_s + walk_s, what if longest_s > 0.0 else "requests under way"


def forgets_never(plan: Plan) -> Iterator[str]:
    """Settings whose state outlives any time, so that no window can begin without their whole past."""
    first = set(plan.client.groups[0].legs) if plan.client.groups else set[int]()
    for own in own_classes(plan):
        yield f"{own} is a class of your own: how long it remembers is not known"
    for leg in plan.chain:
        if leg.silent_rot is not None:
            yield f"silent rot of {leg.name} remembers its last repair, however long ago"
    for client in plan.client.legs:
        name = plan.chain[client.leg].name
        for guard in client.guards:
            if isinstance(guard, Ejection) and _grows_for_ever(guard):
                yield f"the ejection of {name} remembers how often it was ejected before: give it every and longest"
        if client.retry_budget is not None and not _has_traffic(plan, client.retry_budget, first):
            budget = plan.client.retry_budgets[client.retry_budget]
            if isinstance(budget, QuotaBudget | ThrottleBudget | BucketBudget):
                yield (
                    f"the retry budget of {name} is filled by its calls alone, so it remembers the last failover: "
                    "give it scope: chain"
                )
    for group in plan.client.groups:
        if group.routing.kind in ("least_latency", "cheapest") and len(group.legs) > 1:
            yield f"routing of {group.name} ({group.routing.kind}) remembers a leg's last calls until it is called"
    if plan.client.order.kind in ("least_latency", "cheapest") and len(plan.client.groups) > 1:
        yield f"the order of the chain ({plan.client.order.kind}) remembers an entry's last calls until it is called"
    yield from _lost_places(plan)
    if _hangs_until_killed(plan):
        yield "calls that hang without a timeout remember everything until an incident kills them: give a timeout"


def longest_period_s(plan: Plan) -> float:
    """The longest of what comes round again and again since it was first begun, such as a cooldown's window of calls.

    It is in any phase at any time. A warm-up that always began as long before would end in the same phase each time.
    """
    periods_s = [
        guard.window_s if guard.allowed_fails is None else guard.cooldown_s
        for client in plan.client.legs
        for guard in client.guards
        if isinstance(guard, Cooldown)
    ]
    cache = plan.policy.response_cache
    if cache is not None and cache.hit_rate is None:
        periods_s.append(cache.ttl_s)
    return max(periods_s, default=0.0)


def usual_walk_s(plan: Plan) -> float:
    """How long a request may usually be under way in trouble: a slow call of each leg, and every wait between calls."""
    policy, client = plan.policy, plan.client
    total_s = sum(longest_wait_s(policy.round_backoff, done) for done in range(policy.rounds - 1))
    for group in client.groups:
        calls_s = max(usual_call_s(plan, leg) for leg in group.legs)
        inner_s = max(sum(longest_waits_s(rule) for rule in client.legs[leg].inner) for leg in group.legs)
        total_s += calls_s + policy.rounds * (longest_waits_s(group.retry) + (group.retry.retries + 1) * inner_s)
    if policy.deadline_s is not None:
        total_s = min(total_s, policy.deadline_s)
    application = client.application
    if application is not None:
        bound_s = inf if application.timeout_s is None else application.timeout_s
        total_s = min(total_s * (application.retries + 1) + longest_waits_s(application), bound_s)
    return total_s


def longest_walk_of_all_s(plan: Plan) -> float:
    """An upper bound of how long a request may be under way, layers and waits of every kind included."""
    longest_s = longest_walk_s(plan, every_effect(plan)) + max(longest_call_s(plan, leg.index) for leg in plan.chain)
    told_s = _longest_told_s(plan)
    if isfinite(told_s):
        retries = sum(group.retry.retries + 1 for group in plan.client.groups) * plan.policy.rounds
        longest_s += told_s * retries
    queues_s = max((part for part, _ in _queues(plan)), default=0.0)
    calls = sum(group.retry.retries + 1 for group in plan.client.groups) * plan.policy.rounds
    longest_s += queues_s * calls
    if plan.policy.deadline_s is not None:
        longest_s = min(longest_s, plan.policy.deadline_s)
    application = plan.client.application
    if application is not None:
        bound_s = inf if application.timeout_s is None else application.timeout_s
        longest_s = min(longest_s * (application.retries + 1) + longest_waits_s(application), bound_s)
    return longest_s


def why_under_way_longer(plan: Plan, most_s: float) -> str:
    """Why a request may be under way for longer than that, by the name of the limit whose waits make it so; or empty.

    Each retry may wait for as long as the limit tells, which is up to its window.
    """
    longest_s = longest_walk_of_all_s(plan)
    if longest_s <= most_s:
        return ""
    telling = max((limit for limit in plan.limits if limit.sends_retry_after), key=_told_by_s, default=None)
    if telling is None or longest_walk_of_all_s(replace(plan, limits=())) > most_s:
        return f"a request may be under way for {longest_s / DAY_S:,.0f} days: give it a deadline, or calls a timeout"
    hours = _told_by_s(telling) / HOUR_S
    return (
        f"{limit_words(plan, telling)} remembers {hours:,.3g} h and may tell a call to wait as long, so that a request "
        f"with its retries may be under way for {longest_s / DAY_S:,.0f} days: give it a deadline"
    )


def limit_words(plan: Plan, limit: Limit) -> str:
    """`limit a (providers.a.limits)`: its name, and where the scenario writes it."""
    held = [endpoint for endpoint in plan.endpoints if limit.index in endpoint.limits]
    if not held:
        of = next((leg for leg in plan.chain if limit.index in leg.limits), None)
        own = limit.name.split(" ")[0].split("#")[0]
        if of is None or not own:
            return f"limit {limit.name}"
        return f"limit {limit.name} (budgets.{own.removesuffix(f'/{of.name}').removesuffix(f'/{_provider(plan, of)}')})"
    one = held[0]
    of_model = (limit.name + " ").startswith((f"{one.provider}/{one.model} ", f"{one.provider}/{one.model}#"))
    where = f"providers.{one.provider}{f'.models.{one.model}' if of_model else ''}.limits"
    return f"limit {limit.name} ({where})"


def _provider(plan: Plan, leg: Leg) -> str:
    return plan.endpoints[leg.endpoint].provider


def every_effect(plan: Plan) -> tuple[Effect, ...]:
    """What incidents of any class do, without repetition."""
    found = (effect for part in plan.components for incidents in part.incidents for effect in incidents.every_effect)
    return tuple(dict.fromkeys(found))


def request_rate_per_s(plan: Plan) -> float:
    """The mean rate of arrivals over a long time; 0 for users who wait for their answers."""
    arrivals = plan.workload.arrivals
    if isinstance(arrivals, ClosedArrivals):
        return 0.0
    if isinstance(arrivals, BatchArrivals):
        return arrivals.size / arrivals.every_s
    if isinstance(arrivals, OwnArrivals):
        return arrivals.expected_requests(plan.horizon_s) / plan.horizon_s
    if isinstance(arrivals, ReplayedArrivals):
        span_s = arrivals.period_s if arrivals.period_s is not None else plan.horizon_s
        return len(arrivals.arrival_s) / span_s
    return arrivals.rate_per_s


def usual_call_s(plan: Plan, leg: int) -> float:
    """A slow call of a leg: the 99 % quantile of its response at its worst, or its timeout where it may hang."""
    bounds = plan.chain[leg].timeout
    endpoint = plan.endpoints[plan.chain[leg].endpoint]
    effects = every_effect(plan)
    factor = max((effect.latency_factor for effect in effects), default=1.0)
    slow_s = _response_s(plan, leg, _USUAL) * max(1.0, factor)
    failures_s = [_quantile(effect.error_latency, _USUAL) for effect in effects]
    failures_s += [_quantile(error.latency, _USUAL) for error in endpoint.errors if error.outcome != "hang"]
    slow_s = max([slow_s, *failures_s])
    given = [each for each in (bounds.first_token_s, bounds.idle_s, bounds.total_s) if each is not None]
    if _may_hang(plan) and given:
        slow_s = max(slow_s, min(given))
    return slow_s if bounds.total_s is None else min(slow_s, bounds.total_s)


def chance_slower(plan: Plan, leg: int, bound_s: float) -> float:
    """The chance that a response takes longer without incidents; its parts are slow together."""
    if _response_s(plan, leg, 1.0 - 1e-9) <= bound_s:
        return 0.0
    faster, slower = 0.0, 1.0 - 1e-9
    for _ in range(30):
        share = (faster + slower) / 2.0
        faster, slower = (share, slower) if _response_s(plan, leg, share) <= bound_s else (faster, share)
    return 1.0 - faster


def longest_call_s(plan: Plan, leg: int) -> float:
    """An unbounded distribution counts with its quantile at 1 - 1e-9."""
    bound_s = plan.chain[leg].timeout.total_s
    factor = max((effect.latency_factor for effect in every_effect(plan)), default=1.0)
    longest_s = _response_s(plan, leg, 1.0 - 1e-9) * max(1.0, factor)
    return longest_s if bound_s is None else min(longest_s, bound_s)


def _parts(plan: Plan) -> Iterator[_Part]:
    for leg in plan.chain:
        for index in (*plan.endpoints[leg.endpoint].limits, *leg.limits):
            yield _of_limit(plan, plan.limits[index], leg.index), limit_words(plan, plan.limits[index])
        if leg.prompt_cache is not None:
            yield leg.prompt_cache.ttl_s, f"prompt cache of {leg.name}"
    for client in plan.client.legs:
        yield from _of_leg(plan, client)
    for group in plan.client.groups:
        if group.routing.kind == "usage_based":
            yield _MINUTE_S, f"routing of {group.name} (usage_based)"
    if plan.client.order.kind == "usage_based":
        yield _MINUTE_S, "order of the chain (usage_based)"
    cache = plan.policy.response_cache
    if cache is not None and cache.hit_rate is None:
        yield cache.ttl_s, "response cache"
    for surge in plan.surges:
        if surge.capacity_per_s is not None:
            yield _MINUTE_S, "own load in a surge"
    yield from _queues(plan)


def _of_limit(plan: Plan, limit: Limit, leg: int) -> float:
    call_s = usual_call_s(plan, leg)
    if limit.own is not None:
        return inf
    match limit.algorithm:
        case "concurrency":
            return call_s
        case "token_bucket":
            refill_s = limit.burst / max(abs(limit.rate_per_s - _load(plan, limit)), _CRITICAL * limit.rate_per_s)
            return refill_s if limit.counted == "dispatch" else refill_s + call_s
        case "acceleration":
            assert limit.window_s is not None
            return limit.window_s * (2.0 + _growing_windows(plan, limit))
        case _:
            assert limit.window_s is not None
            return limit.window_s if limit.counted == "dispatch" else limit.window_s + call_s


def _load(plan: Plan, limit: Limit) -> float:
    """What every request, called once, takes from the limit in a second."""
    tokens = {"input_tokens": plan.workload.input_tokens.mean, "output_tokens": plan.workload.output_tokens.mean}
    tokens["tokens"] = sum(tokens.values())
    return request_rate_per_s(plan) * tokens.get(limit.metric, 1.0)


def _growing_windows(plan: Plan, limit: Limit) -> float:
    """How many windows it takes from the floor to the load."""
    assert limit.growth is not None
    if limit.growth <= 1.0:
        return 0.0
    load = request_rate_per_s(plan) / limit.rate_per_s
    return ceil(log(load) / log(limit.growth)) if load > 1.0 else 0.0


def _of_leg(plan: Plan, client: LegClient) -> Iterator[_Part]:
    name = plan.chain[client.leg].name
    rate_per_s = request_rate_per_s(plan)
    for guard in client.guards:
        if isinstance(guard, OwnBreaker):
            continue  # `forgets_never`
        if isinstance(guard, Cooldown):
            told_s = _longest_told_s(plan) if guard.honours_retry_after else 0.0
            cooled_s = max(guard.cooldown_s, told_s if isfinite(told_s) else 0.0)
            yield guard.window_s + cooled_s, f"cooldown of {name}"
        elif isinstance(guard, Ejection):
            yield _of_ejection(guard), f"ejection of {name}"
        elif isinstance(guard, TimeWindowBreaker):
            yield guard.window_s + guard.open_s, f"breaker of {name}"
        elif isinstance(guard, CountWindowBreaker):
            yield guard.open_s + _divided(guard.calls, rate_per_s), f"breaker of {name}"
        else:
            yield guard.open_s + _divided(guard.failures, rate_per_s), f"breaker of {name}"
    if client.probes is not None:
        times = max(client.probes.unhealthy_after, client.probes.healthy_after)
        yield client.probes.every_s * (times + 1), f"probes of {name}"
    if client.throttle is not None:
        yield client.throttle.window_s, f"adaptive throttling of {name}"
    if client.ramp is not None:
        yield client.ramp.over_s + client.ramp.reset_after_s, f"ramp of {name}"
    if client.retry_budget is not None:
        yield _of_budget(plan.client.retry_budgets[client.retry_budget], rate_per_s), f"retry budget of {name}"


def _of_ejection(guard: Ejection) -> float:
    """The longest ejection, and the checks after which a leg is as good as new."""
    longest_s = guard.longest_s if isfinite(guard.longest_s) else guard.for_s
    told_s = 0.0 if guard.rate_limited_s is None else guard.rate_limited_s
    times = ceil(longest_s / guard.for_s)
    return guard.window_s + longest_s + told_s + guard.every_s * times


def _grows_for_ever(guard: Ejection) -> bool:
    """Whether each ejection lasts longer than the one before, and nothing shortens the next."""
    if guard.consecutive is None and guard.failure_share is None:
        return False
    return guard.longest_s > guard.for_s and (guard.every_s <= 0.0 or not isfinite(guard.longest_s))


def _of_budget(budget: RetryBudget, rate_per_s: float) -> float:
    match budget:
        case RatioBudget():
            return budget.ttl_s
        case QuotaBudget():
            return _divided(budget.capacity, budget.success * rate_per_s)
        case ThrottleBudget():
            return _divided(budget.max_tokens, budget.token_ratio * rate_per_s)
        case BucketBudget():
            return _divided(budget.capacity, budget.deposit * rate_per_s)
        case ActiveBudget():
            return 0.0


def _has_traffic(plan: Plan, budget: int, first: set[int]) -> bool:
    """Whether a leg that is called at all times shares the budget."""
    return any(leg.retry_budget == budget and leg.leg in first for leg in plan.client.legs)


def _queues(plan: Plan) -> Iterator[_Part]:
    """How long a call may wait in each queue."""
    for leg in plan.chain:
        client = plan.client.legs[leg.index]
        call_s = usual_call_s(plan, leg.index)
        if client.shaping is not None:
            shaping = plan.client.shapings[client.shaping]
            waits_s = [] if shaping.queue is None else [(shaping.queue + shaping.burst) / shaping.rate_per_s]
            waits_s += [] if shaping.max_wait_s is None else [shaping.max_wait_s + shaping.burst / shaping.rate_per_s]
            yield min(waits_s), f"shaping of {leg.name}"
        if client.bulkhead is not None:
            yield (client.bulkhead.max_wait_s or 0.0) + call_s, f"bulkhead of {leg.name}"
        capacity = plan.endpoints[leg.endpoint].capacity
        if capacity is not None:
            served = plan.capacities[capacity]
            yield call_s * (1.0 + served.queue / served.concurrent), f"capacity {served.name}"


def _longest_told_s(plan: Plan) -> float:
    """The longest Retry-After that is ever told; infinite where none is bounded, 0 where none is told."""
    told = [effect.told_s for effect in every_effect(plan)]
    told += [error.told_s for leg in plan.chain for error in plan.endpoints[leg.endpoint].errors]
    longest_s = max((each for each in told if isfinite(each)), default=0.0)
    return max([longest_s, *(_told_by_s(limit) for limit in plan.limits if limit.sends_retry_after)])


def _told_by_s(limit: Limit) -> float:
    """The longest Retry-After of a limit."""
    return 0.0 if limit.rate_per_s <= 0.0 else limit.window_s or limit.burst / limit.rate_per_s


def _may_hang(plan: Plan) -> bool:
    if any(effect.hang > 0.0 for effect in every_effect(plan)):
        return True
    return any(error.outcome == "hang" for leg in plan.chain for error in plan.endpoints[leg.endpoint].errors)


def _hangs_until_killed(plan: Plan) -> bool:
    if not _may_hang(plan) or plan.policy.deadline_s is not None:
        return False
    kills = any(effect.kills_in_flight and effect.error_rate > 0.0 for effect in every_effect(plan))
    unbounded = any(
        all(bound is None for bound in (leg.timeout.total_s, leg.timeout.first_token_s, leg.timeout.idle_s))
        and _unbounded(plan, leg.index)
        for leg in plan.chain
    )
    return kills and unbounded


def _lost_places(plan: Plan) -> Iterator[str]:
    """Places that calls without any bound keep for ever where they hang."""
    if not _may_hang(plan) or plan.policy.deadline_s is not None:
        return
    for leg in plan.chain:
        if any(bound is not None for bound in (leg.timeout.total_s, leg.timeout.first_token_s, leg.timeout.idle_s)):
            continue
        held = [
            plan.limits[index].name
            for index in (*plan.endpoints[leg.endpoint].limits, *leg.limits)
            if plan.limits[index].algorithm == "concurrency"
        ]
        held += [f"the bulkhead of {leg.name}"] if plan.client.legs[leg.index].bulkhead is not None else []
        for name in held:
            yield f"calls that hang without a timeout keep their places in {name} for ever: give {leg.name} a timeout"


def _unbounded(plan: Plan, leg: int) -> bool:
    group = next(group for group in plan.client.groups if leg in group.legs)
    rules = (group.retry, *plan.client.legs[leg].inner)
    return all(rule.timeout_s is None and rule.attempt_timeout_s is None for rule in rules)


def _response_s(plan: Plan, leg: int, share: float) -> float:
    latency = plan.endpoints[plan.chain[leg].endpoint].latency
    parts = [part for part in (latency.whole, latency.connect, latency.first_token) if part is not None]
    response_s = sum(_quantile(part, share) for part in parts)
    if latency.tokens_per_s is not None:
        slow = _quantile(latency.tokens_per_s, 1.0 - share)
        response_s += _quantile(plan.workload.output_tokens, share) / max(slow, 1e-6)
    return response_s


def _quantile(distribution: Distribution, share: float) -> float:
    return float(np.asarray(distribution.quantile(np.array([share]))).ravel()[0])


def _divided(amount: float, per_s: float) -> float:
    return amount / per_s if per_s > 0.0 else 0.0
