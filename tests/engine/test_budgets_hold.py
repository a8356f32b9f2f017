"""Retry budgets: retries never exceed what the budget is worth."""

import numpy as np

from des.scenario import plan
from engine.clients import with_client, with_legs, with_rule
from engine.traced import plan_of, poisson, provider, scenario, trace, window

DOWN = provider("1s", errors={"server_error": {"rate": 1, "latency": "1s"}})
HALF = provider("1s", errors={"server_error": {"rate": 0.5, "latency": "1s"}})


def storm(of: object, budget: plan.RetryBudget, rate: str = "20/s") -> plan.Plan:
    made = plan_of(scenario({"a": of}, arrivals=poisson(rate)))
    made = with_client(with_rule(made, retries=3), retry_budgets=(budget,))
    return with_legs(made, retry_budget=0)


def test_retries_stay_within_their_share_of_what_is_active() -> None:
    traced = trace(storm(DOWN, plan.ActiveBudget(kind="active", share=0.2, minimum=3)))
    calls = traced.attempts
    retries = calls[calls.attempt > 0]
    first = calls[calls.attempt == 0]
    ends = traced.requests.set_index("request_id").end_s.loc[first.request_id].to_numpy()
    assert len(retries) > 100
    for moment in np.linspace(5.0, 95.0, 50):
        under_way = ((retries.start_s <= moment) & (retries.end_s > moment)).sum()
        active = ((first.start_s <= moment) & (ends > moment)).sum()
        assert under_way <= max(3, int(0.2 * (active + 5)))  # admitted by what was active a moment before


def test_a_ratio_of_10_percent_makes_the_load_1_10() -> None:
    traced = trace(storm(DOWN, plan.RatioBudget(kind="ratio", share=0.1, per_second=0.0, ttl_s=10.0), "50/s"))
    load = len(traced.attempts) / len(traced.requests)
    assert abs(load - 1.10) < 0.01


def test_a_quota_is_used_up_and_stays_empty_in_an_outage() -> None:
    budget = plan.QuotaBudget(kind="quota", capacity=500.0, retry_cost=14.0, throttle_cost=5.0, success=1.0)
    traced = trace(storm(DOWN, budget))
    assert (traced.attempts.attempt > 0).sum() == 500 // 14


def test_a_throttle_stops_retries_at_half_of_its_tokens() -> None:
    traced = trace(storm(DOWN, plan.ThrottleBudget(kind="throttle", max_tokens=10.0, token_ratio=0.1)))
    calls = traced.attempts
    assert 0 < (calls.attempt > 0).sum() <= 5


def test_legs_with_budgets_of_their_own_do_not_share() -> None:
    made = plan_of(scenario({"a": DOWN, "b": DOWN}, arrivals=poisson("20/s")))
    budget = plan.QuotaBudget(kind="quota", capacity=140.0, retry_cost=14.0, throttle_cost=5.0, success=1.0)
    made = with_client(with_rule(made, retries=3), retry_budgets=(budget, budget))
    legs = tuple(plan.LegClient(leg=index, retry_budget=index) for index in range(2))
    traced = trace(with_client(made, legs=legs))
    calls = traced.attempts
    assert len(calls) - 2 * len(traced.requests) == 20


def test_a_budget_leaves_first_attempts_alone() -> None:
    traced = trace(storm(HALF, plan.ThrottleBudget(kind="throttle", max_tokens=10.0, token_ratio=0.1)))
    assert (traced.attempts.attempt == 0).sum() == len(traced.requests)


def test_a_retry_that_succeeds_gives_back_what_it_took_from_a_quota() -> None:
    down = [window(f"{second}s", f"{second}.5s", error_latency="100ms") for second in (0, 10, 20)]
    of = plan_of(scenario({"a": provider("1s", incidents=down)}, horizon="30s"))
    budget = plan.QuotaBudget(kind="quota", capacity=14.0, retry_cost=14.0, throttle_cost=14.0, success=1.0)
    of = with_rule(of, retries=1, backoff=plan.Backoff(kind="constant", base_s=1.0))
    traced = trace(with_legs(with_client(of, retry_budgets=(budget,)), retry_budget=0))
    assert traced.requests.outcome.tolist() == ["ok"] * 3
    assert len(traced.attempts) == 6


def test_what_a_retry_took_is_forgotten_with_its_visit_to_the_entry() -> None:
    """A first attempt that succeeds in a second round returns 1, not what the retry of the first round took."""
    down = [window(f"{second}s", f"{second + 2}.5s", error_latency="100ms") for second in (0, 10, 20)]
    policy = {"rounds": 2, "round_backoff": {"kind": "constant", "base": "5s"}}
    of = plan_of(scenario({"a": provider("1s", incidents=down)}, horizon="30s", policy=policy))
    budget = plan.QuotaBudget(kind="quota", capacity=28.0, retry_cost=14.0, throttle_cost=14.0, success=1.0)
    of = with_rule(of, retries=1, backoff=plan.Backoff(kind="constant", base_s=1.0))
    traced = trace(with_legs(with_client(of, retry_budgets=(budget,)), retry_budget=0))
    assert traced.requests.outcome.tolist() == ["ok"] * 3
    assert traced.attempts.groupby("request_id").size().tolist() == [3, 3, 2]  # 28 - 14 + 1 - 14 + 1 is not enough
