"""Hedged calls: when a copy is sent, who wins, what becomes of the loser and what it costs."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from des.engine.draws import CallDraws
from des.scenario import plan
from engine.clients import timeline, with_legs
from engine.traced import Traced, at, plan_of, poisson, provider, scenario, trace

PRICED = {"price": {"per_request": 1}}


def hedged(hedge: plan.Hedge, *providers: Any, arrivals: Any = None, **rest: Any) -> plan.Plan:
    named = dict(zip("abc", providers, strict=False))
    of = plan_of(scenario(named, arrivals=arrivals or at("0s"), **rest))
    return with_legs(of, hedge=hedge)


def hung(billed: str = "full") -> Any:
    """Never answers; a cancelled call is billed as said."""
    return provider("1s", errors={"hang": 1}, billing={"cancelled": billed}, **PRICED)


def test_a_copy_goes_to_the_next_leg_after_the_delay_and_wins() -> None:
    traced = trace(hedged(plan.Hedge(after_s=2.0, to="next"), hung(), provider("1s", **PRICED)))
    first, second = traced.calls()
    assert timeline(traced) == [("a/m", 0.0, 3.0), ("b/m", 2.0, 3.0)]
    assert (first.kind, first.outcome, first.cause) == ("call", "cancelled", "hedge_lost")
    assert (second.kind, second.outcome) == ("hedge", "ok")
    request = traced.request()
    assert (request.outcome, request.provider, request.end_s, request.attempts) == ("ok", "b", 3.0, 2)
    assert request.cost_usd == first.cost_usd + second.cost_usd
    assert request.wasted_cost_usd == first.cost_usd == 1.0


def test_a_loser_that_is_not_billed_costs_nothing() -> None:
    traced = trace(hedged(plan.Hedge(after_s=2.0, to="next", billed=False), hung(), provider("1s", **PRICED)))
    assert traced.request().cost_usd == 1.0


def test_a_call_that_ends_before_the_delay_is_not_hedged() -> None:
    failing = provider(errors={"server_error": {"rate": 1, "latency": "1s"}})
    traced = trace(hedged(plan.Hedge(after_s=2.0), failing))
    assert len(traced.calls()) == 1
    assert len(trace(hedged(plan.Hedge(after_s=2.0), provider("2s"))).calls()) == 1


def test_at_most_so_many_copies_are_sent_each_after_another_delay() -> None:
    of = hedged(plan.Hedge(after_s=2.0, at_most=3), provider("20s"))
    traced = trace(of)
    assert [call.start_s for call in traced.calls()] == [0.0, 2.0, 4.0, 6.0]
    assert [call.kind for call in traced.calls()] == ["call"] + ["hedge"] * 3
    assert traced.request().end_s == 20.0  # the first of equals


def test_a_copy_that_fails_leaves_the_call_under_way() -> None:
    failing = provider(errors={"server_error": {"rate": 1, "latency": "1s"}})
    traced = trace(hedged(plan.Hedge(after_s=2.0, to="next"), provider("5s"), failing))
    assert timeline(traced) == [("a/m", 0.0, 5.0), ("b/m", 2.0, 3.0)]
    assert traced.request().provider == "a"


def test_where_all_copies_fail_the_last_counts() -> None:
    slow = provider("10s", errors={"server_error": {"rate": 1, "latency": "5s"}})
    fast = provider("10s", errors={"rate_limited": {"rate": 1, "latency": "1s"}})
    traced = trace(hedged(plan.Hedge(after_s=2.0, to="next"), slow, fast))
    assert traced.calls()[0].outcome == "server_error"
    assert traced.calls()[2].start_s == 5.0  # b, as the fallback


def test_a_loser_may_run_on_to_its_end_and_is_paid() -> None:
    of = hedged(
        plan.Hedge(after_s=2.0, to="next", loser="run"),
        provider("30s", **PRICED),
        provider("1s", **PRICED),
        horizon="5s",
    )
    traced = trace(of)
    assert timeline(traced) == [("a/m", 0.0, 30.0), ("b/m", 2.0, 3.0)]
    assert (traced.request().end_s, traced.request().cost_usd) == (3.0, 2.0)
    assert traced.outcomes() == ["ok", "ok"]


def running_on(every: str, **of_first: Any) -> Traced:
    """A slow leg that is given up after 10 s, hedged by a fast one after 1 s."""
    of = hedged(
        plan.Hedge(after_s=1.0, to="next", loser="run"),
        provider("30s"),
        provider("1s"),
        arrivals={"kind": "batch", "every": every, "size": 1},
        horizon="30s",
        chain=[{"provider": "a", "timeout": "10s"}, {"provider": "b"}],
    )
    first, second = of.client.legs
    return trace(replace(of, client=replace(of.client, legs=(replace(first, **of_first), second))))


def test_guards_learn_of_a_loser_that_runs_on_when_it_ends() -> None:
    breaker = plan.ConsecutiveBreaker(kind="consecutive", failures=1, open_s=5.0, counts=("timeout",))
    traced = running_on("20s", guards=(breaker,))
    turns = traced.transitions[traced.transitions.kind == "breaker"]
    assert list(zip(turns.time_s, turns["to"], strict=True))[:2] == [(10.0, "open"), (15.0, "closed")]


def test_a_loser_that_runs_on_keeps_its_place_behind_the_bulkhead() -> None:
    traced = running_on("4s", bulkhead=plan.Bulkhead(concurrent=1))
    slow = traced.attempts[traced.attempts.leg == "a/m"].sort_values("start_s")
    assert slow.start_s.tolist() == [0.0, 12.0, 24.0]
    assert slow.end_s.tolist() == [10.0, 22.0, 34.0]


def test_a_loser_that_runs_on_is_cut_with_the_run() -> None:
    of = hedged(
        plan.Hedge(after_s=2.0, to="next", loser="run"), provider("30s"), provider("1s"), horizon="5s", drain="10s"
    )
    assert timeline(trace(of)) == [("a/m", 0.0, 15.0), ("b/m", 2.0, 3.0)]


def test_a_run_cut_between_copies_leaves_no_row_of_them() -> None:
    of = hedged(plan.Hedge(after_s=2.0, at_most=2), provider("30s", **PRICED), horizon="5s", drain="0s")
    traced = trace(of)
    assert len(traced.attempts) == 0
    request = traced.request()
    assert (request.outcome, request.attempts, request.cost_usd) == ("in_flight", 0, 0.0)


def test_the_deadline_cuts_all_copies() -> None:
    of = hedged(plan.Hedge(after_s=2.0), provider("30s"), policy={"deadline": "7s"})
    traced = trace(of)
    assert [call.end_s for call in traced.calls()] == [7.0, 7.0]
    assert {call.cause for call in traced.calls()} == {"deadline"}
    assert traced.request().outcome == "deadline"


def test_copies_that_can_never_end_never_end() -> None:
    traced = trace(hedged(plan.Hedge(after_s=2.0), hung()))
    assert len(traced.calls()) == 2
    assert traced.attempts.end_s.isna().all()
    assert (traced.request().outcome, traced.request().error_type) == ("failed", "hang")


@pytest.mark.parametrize("loser", ["cancel", "run"])
def test_latency_is_that_of_the_earlier_of_two_exponential_calls(loser: str) -> None:
    """Mean of min(L1, h + L2) for L exponential of mean 1 s and h = 1 s: (1 - e^-1) + e^-1 / 2; copies e^-1."""
    answering = provider({"kind": "exponential", "mean": "1s"})
    traced: Traced = trace(
        hedged(plan.Hedge(after_s=1.0, loser=loser), answering, arrivals=poisson("50/s"), horizon="200s")
    )
    latency = traced.requests.latency_s
    error = latency.std() / np.sqrt(len(latency))
    assert abs(latency.mean() - (1 - np.exp(-1) / 2)) < 4 * error
    share = (traced.attempts.kind == "hedge").sum() / len(traced.requests)
    assert abs(share - np.exp(-1)) < 4 * np.sqrt(0.37 * 0.63 / len(traced.requests))


def test_copies_that_never_end_are_all_paid() -> None:
    endless = provider("1s", errors={"hang": 1}, billing={"timeout": "full"}, **PRICED)
    traced = trace(hedged(plan.Hedge(after_s=2.0), endless))
    assert traced.request().cost_usd == traced.attempts.cost_usd.sum() == 2.0


def test_a_leg_that_loses_to_hedges_elsewhere_neither_fails_nor_succeeds_for_its_breaker() -> None:
    flaky = provider("10s", errors={"server_error": {"rate": 0.5, "latency": 0}})
    of = hedged(plan.Hedge(after_s=2.0, to="next"), flaky, provider("1s"), arrivals=poisson("1/s"), horizon="30s")
    breaker = plan.ConsecutiveBreaker(kind="consecutive", failures=3, open_s=1000.0, counts=("server_error",))
    traced = trace(with_legs(of, guards=(breaker,)))
    opened = traced.transitions[traced.transitions.kind == "breaker"]
    failed = traced.attempts[(traced.attempts.leg == "a/m") & (traced.attempts.outcome == "server_error")]
    assert opened.entity.tolist() == ["a/m"]
    assert opened.time_s.tolist() == [sorted(failed.end_s)[2]]


def test_a_copy_on_the_same_leg_is_the_leg_s_next_call() -> None:
    answering = provider({"kind": "exponential", "mean": "9s"})
    of = hedged(plan.Hedge(after_s=0.001, loser="run"), answering, arrivals=at("0s", size=9))
    traced = trace(of)
    drawn = [CallDraws(of.seed, 0, of.chain[0], of.endpoints[0], nth).whole for nth in (0, 1)]
    for number in range(9):
        durations_s = [call.end_s - call.start_s for call in traced.calls(number)]
        assert durations_s == pytest.approx([stream.at(number) for stream in drawn if stream is not None])
