"""Clients, drawn: any mix of layers, groups, guards, budgets, queues, hedges and routings over a drawn scenario."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from des.engine.guards import guard_kind
from des.scenario import plan

Draw = Any
FAILURES = ("server_error", "overloaded", "rate_limited", "timeout", "connection_error", "invalid_output")


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), strategy)


def made(setting: Any, **parts: Any) -> st.SearchStrategy[Any]:
    """A setting by its attributes; `st.builds` would go by the names that users write."""
    return st.fixed_dictionaries(parts).map(lambda drawn: setting(**drawn))


backoffs = made(
    plan.Backoff,
    kind=st.sampled_from(["none", "constant", "exponential", "envoy"]),
    base_s=st.sampled_from([0.1, 1.0]),
    cap_s=st.sampled_from([2.0, 8.0]),
    jitter=st.sampled_from(["none", "full", "additive", "decorrelated"]),
    spread_s=st.just(0.5),
)


@st.composite
def rules(draw: Draw, of: plan.Plan) -> plan.RetryRule:
    failures = tuple(FAILURES)
    return plan.RetryRule(
        retries=draw(st.integers(0, 2)),
        retry_on=failures,
        backoff=draw(backoffs),
        throttled_backoff=draw(maybe(backoffs)),
        retry_after=plan.RetryAfter(
            honours=draw(st.booleans()),
            cap_s=draw(st.sampled_from([2.0, 60.0])),
            above=draw(st.sampled_from(["clip", "refuse", "ignore"])),
            on=("rate_limited",),
            combine=draw(st.sampled_from(["max", "replace"])),
            spread_s=draw(st.sampled_from([0.0, 0.75])),
            total_s=draw(st.sampled_from([5.0, float("inf")])),
        ),
        waits_after_last=draw(st.booleans()),
        waits_with_healthy_peer=draw(st.booleans()),
        timeout_s=draw(maybe(st.sampled_from([2.0, 10.0]))),
        attempt_timeout_s=draw(maybe(st.sampled_from([0.7, 5.0]))),
    )


def breaker(kind: str, *, failures: int = 0, calls: int = 0, window_s: float = 0.0, **rest: Any) -> plan.Breaker:
    """A breaker of any kind, with what that kind takes of all this."""
    match kind:
        case "consecutive":
            return plan.ConsecutiveBreaker(kind=kind, failures=failures, **rest)
        case "count_window":
            return plan.CountWindowBreaker(kind=kind, calls=calls, failure_share=0.5, minimum=3, **rest)
    return plan.TimeWindowBreaker(kind=kind, window_s=window_s, failure_share=0.5, minimum=3, **rest)


@st.composite
def guards(draw: Draw, of: plan.Plan) -> plan.Guard:
    failures = tuple(FAILURES)
    match draw(st.sampled_from(["consecutive", "count_window", "time_window", "cooldown", "ejection"])):
        case "cooldown":
            return plan.Cooldown(
                at_once=("rate_limited",),
                always=("client_error",),
                counts=failures,
                failure_share=0.5,
                minimum=2,
                all_failed=4,
                allowed_fails=draw(st.sampled_from([None, None, 1])),
                honours_retry_after=draw(st.booleans()),
            )
        case "ejection":
            return plan.Ejection(
                consecutive=draw(maybe(st.just(2))),
                failure_share=0.3,
                minimum=3,
                for_s=5.0,
                longest_s=15.0,
                every_s=draw(st.sampled_from([0.0, 4.0])),
                most=draw(st.sampled_from([0.1, 1.0])),
                rate_limited_s=draw(maybe(st.just(3.0))),
                counts=failures,
            )
        case kind:
            half_open = draw(st.sampled_from([None, 1, 2]))
            return breaker(kind, open_s=6.0, half_open=half_open, counts=failures, failures=2, calls=4, window_s=20.0)


hedges = made(
    plan.Hedge,
    after_s=st.sampled_from([0.2, 1.0]),
    at_most=st.integers(1, 2),
    loser=st.sampled_from(["cancel", "run"]),
    billed=st.booleans(),
    to=st.sampled_from(["same", "next"]),
)
budgets = st.sampled_from(
    [
        plan.ActiveBudget(kind="active", share=0.2, minimum=1),
        plan.RatioBudget(kind="ratio", share=0.2, per_second=0.1, ttl_s=10.0),
        plan.QuotaBudget(kind="quota", capacity=50.0, retry_cost=14.0, throttle_cost=5.0, success=1.0),
        plan.ThrottleBudget(kind="throttle", max_tokens=10.0, token_ratio=0.1),
    ]
)
shapings = made(
    plan.Shaping,
    rate_per_s=st.sampled_from([0.3, 2.0]),
    burst=st.sampled_from([1.0, 3.0]),
    queue=st.sampled_from([None, 0, 2]),
    max_wait_s=st.sampled_from([None, 3.0]),
)
bulkheads = made(
    plan.Bulkhead,
    concurrent=st.integers(1, 3),
    queue=st.sampled_from([0, 2]),
    max_wait_s=st.sampled_from([None, 2.0]),
)
routings = made(
    plan.Routing,
    kind=st.sampled_from(
        ["ordered", "round_robin", "weighted", "cheapest", "least_latency", "least_busy", "usage_based"]
    ),
    samples=st.just(3),
    choices=st.sampled_from([None, 2]),
)


@st.composite
def clients(draw: Draw, of: plan.Plan) -> plan.Client:
    indices = list(range(len(of.chain)))
    cut = draw(st.integers(1, len(indices)))
    members = [indices[:cut]] + [[index] for index in indices[cut:]]
    groups = [
        replace(
            of.client.groups[legs[0]],
            index=place,
            name=f"group {place}",
            legs=tuple(legs),
            routing=draw(routings),
            retry=draw(rules(of)),
        )
        for place, legs in enumerate(members)
    ]
    legs = tuple(
        plan.LegClient(
            leg=index,
            inner=tuple(draw(st.lists(rules(of), max_size=1))),
            guards=tuple(draw(st.lists(guards(of), max_size=2, unique_by=guard_kind))),
            hedge=draw(maybe(hedges)),
            probes=draw(maybe(st.just(plan.Probes(every_s=7.0, timeout_s=1.0, unhealthy_after=2, healthy_after=1)))),
            shaping=draw(st.sampled_from([None, None, 0])),
            bulkhead=draw(maybe(bulkheads)),
            throttle=draw(maybe(st.just(plan.AdaptiveThrottling(k=2.0, window_s=30.0)))),
            retry_budget=draw(st.sampled_from([None, 0])),
            ramp=draw(maybe(st.just(plan.Ramp(start=0.1, over_s=30.0, reset_after_s=10.0)))),
            weight=draw(st.sampled_from([1.0, 2.0])),
            rpm=draw(maybe(st.just(20.0))),
        )
        for index in indices
    )
    application = draw(rules(of))
    return plan.Client(
        groups=tuple(groups),
        legs=legs,
        application=draw(maybe(st.just(replace(application, retry_on=("failed", "rejected"))))),
        retry_budgets=(draw(budgets),),
        shapings=(draw(shapings),),
        order=draw(routings),
        fallback_depth=draw(st.sampled_from([None, 1])),
    )


def with_positions(of: plan.Plan, client: plan.Client) -> plan.Plan:
    position = {leg: group.index for group in client.groups for leg in group.legs}
    chain = tuple(replace(leg, position=position[leg.index]) for leg in of.chain)
    return replace(of, chain=chain, client=client)
