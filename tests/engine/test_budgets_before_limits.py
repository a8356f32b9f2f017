"""A client's budget is asked before the provider's limits: what it refuses never reaches the provider."""

from dataclasses import replace

from des.distributions import Constant
from des.scenario.plan import Limit
from engine.serving import arriving, limit, one_endpoint
from engine.traced import Traced, trace


def played(provider: Limit, budget: Limit, at_s: list[float]) -> Traced:
    """Requests to an endpoint with limit 0, over a leg with budget 1."""
    plan = arriving(one_endpoint(), at_s)
    limits = (replace(provider, index=0, name="provider"), replace(budget, index=1, name="budget"))
    endpoints = tuple(replace(each, limits=(0,)) for each in plan.endpoints)
    return trace(
        replace(plan, limits=limits, endpoints=endpoints, chain=tuple(replace(leg, limits=(1,)) for leg in plan.chain))
    )


def blamed(traced: Traced) -> list[int]:
    """Of each request's call the limit that refused it; -1 where none did."""
    return [call.cause_id for number in range(len(traced.requests)) for call in traced.calls(number)]


def test_a_call_that_neither_has_room_for_is_refused_by_the_budget() -> None:
    assert blamed(played(limit(rate_per_s=1e-6, burst=1.0), limit(rate_per_s=1e-6, burst=1.0), [0.0, 1.0])) == [-1, 1]


def test_a_limit_that_counts_refusals_does_not_count_those_of_the_budget() -> None:
    counting = limit(rate_per_s=0.1, burst=1.0, counts_refused=True)
    budget = limit(rate_per_s=0.1, burst=1.0)
    assert blamed(played(counting, budget, [0.0, 4.0, 8.0, 10.5])) == [-1, 1, 1, -1]


def test_a_limit_that_counts_refusals_counts_its_own() -> None:
    counting = limit(rate_per_s=0.1, burst=1.0, counts_refused=True)
    generous = limit(rate_per_s=10.0, burst=10.0)
    assert blamed(played(counting, generous, [0.0, 4.0, 8.0, 10.5])) == [-1, 0, 0, 0]


def test_a_call_that_the_provider_refuses_has_spent_the_budget() -> None:
    spent = limit(rate_per_s=1e-6, burst=3.0)
    none_left = limit(rate_per_s=1e-6, burst=1.0)
    assert blamed(played(none_left, spent, [0.0, 1.0, 2.0, 3.0])) == [-1, 0, 0, 1]


def test_a_budget_that_does_not_count_failures_gets_back_what_the_provider_refused() -> None:
    lenient = limit(rate_per_s=1e-6, burst=3.0, counts_failed=False)
    none_left = limit(rate_per_s=1e-6, burst=1.0)
    assert blamed(played(none_left, lenient, [0.0, 1.0, 2.0, 3.0, 4.0])) == [-1, 0, 0, 0, 0]


def test_it_gets_it_back_when_the_refusal_has_come() -> None:
    lenient = limit(rate_per_s=1e-6, burst=2.0, counts_failed=False)
    none_left = limit(rate_per_s=1e-6, burst=1.0, refusal_latency=Constant(0.5))
    assert blamed(played(none_left, lenient, [0.0, 1.0, 1.2, 1.6])) == [-1, 0, 1, 0]
