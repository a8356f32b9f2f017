"""Which leg of a group is called, and how probes take legs out and bring them back."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from des.engine.draws import ClientDraws
from des.engine.guards import Health
from des.rules.routing import weighted
from des.scenario import plan
from engine.clients import grouped, with_client, with_legs, with_rule
from engine.traced import plan_of, poisson, provider, scenario, trace, window


def routed(kind: str, *providers: Any, rate: str = "20/s", **routing: Any) -> plan.Plan:
    named = dict(zip("abc", providers, strict=False))
    of = plan_of(scenario(named, arrivals=poisson(rate), horizon="200s"))
    return grouped(of, [list(range(len(providers)))], routing=plan.Routing(kind=kind, **routing))


def shares(of: plan.Plan) -> dict[str, float]:
    return trace(of).attempts.leg.value_counts(normalize=True).to_dict()


def weighing(of: plan.Plan, **by_leg: Any) -> plan.Plan:
    (name, values), *_ = by_leg.items()
    legs = tuple(replace(leg, **{name: value}) for leg, value in zip(of.client.legs, values, strict=True))
    return with_client(of, legs=legs)


def test_weights_share_calls_out() -> None:
    of = weighing(routed("weighted", provider(), provider()), weight=(3.0, 1.5))
    assert shares(of)["a/m"] == pytest.approx(2 / 3, abs=0.03)


def test_a_leg_of_a_higher_tier_is_called_only_while_all_of_the_lower_ones_are_out() -> None:
    down = provider(incidents=[window("20s", "60s", error_latency="0s")])
    of = weighing(routed("weighted", provider(), down, down), tier=(2, 1, 1))
    breaker = plan.ConsecutiveBreaker(kind="consecutive", failures=2, open_s=10.0, counts=("server_error",))
    traced = trace(with_legs(of, guards=(breaker,)))
    out: set[str] = set()
    turns = [
        (row.time_s, row.entity, row.to == "open") for row in traced.transitions.itertuples() if row.kind == "breaker"
    ]
    standing_by = traced.attempts[traced.attempts.leg == "a/m"].start_s
    assert standing_by.between(20.0, 75.0).all()
    assert len(standing_by) > 100
    for (since_s, leg, opens), (until_s, _, _) in pairwise(turns):
        out = out | {leg} if opens else out - {leg}
        if len(out) < 2:
            assert not standing_by.between(since_s, until_s, inclusive="neither").any()


def test_legs_take_turns_and_a_retry_takes_the_next() -> None:
    found = shares(routed("round_robin", provider(), provider(), provider()))
    assert max(found.values()) - min(found.values()) < 0.01


def test_the_cheapest_is_called() -> None:
    dear, cheap = provider(price={"per_request": 2}), provider(price={"per_request": 1})
    assert shares(routed("cheapest", dear, cheap)) == {"b/m": 1.0}


def test_the_cheapest_per_success_is_called_where_failures_are_paid() -> None:
    dear = provider(price={"per_request": 2})
    failing = provider(price={"per_request": 1}, errors={"server_error": 0.8}, billing="per_attempt")
    assert shares(routed("cheapest", dear, failing))["a/m"] > 0.6


def test_the_fastest_is_called_and_a_timeout_counts_long() -> None:
    assert shares(routed("least_latency", provider("2s"), provider("1s")))["b/m"] > 0.98


def test_a_buffer_shares_calls_among_the_fastest() -> None:
    of = routed("least_latency", provider("1.1s"), provider("1s"), provider("3s"), buffer=0.2)
    found = shares(of)
    assert found["a/m"] == pytest.approx(0.5, abs=0.05)
    assert found["c/m"] < 0.02


@pytest.mark.parametrize("choices", [None, 2])
def test_the_least_busy_is_called(choices: int | None) -> None:
    found = shares(routed("least_busy", provider("3s"), provider("1s"), choices=choices))
    assert found["b/m"] == pytest.approx(0.75, abs=0.03)


def test_usage_keeps_to_the_requests_of_a_clock_minute() -> None:
    of = weighing(routed("usage_based", provider("10ms"), provider("10ms"), rate="1/s"), rpm=(11.0, 21.0))
    traced = trace(of)
    a_minute = traced.attempts.groupby([(traced.attempts.start_s // 60), "leg"]).size().unstack()
    assert a_minute["a/m"].max() == 11
    assert a_minute["b/m"].max() == 21
    assert (traced.requests.error_type.dropna() == "client_limit").all()


def test_groups_are_ordered_by_a_routing_too() -> None:
    of = plan_of(scenario({"a": provider("2s"), "b": provider("1s")}, arrivals=poisson("20/s"), horizon="100s"))
    of = with_client(of, order=plan.Routing(kind="weighted"))
    assert shares(of)["a/m"] == pytest.approx(0.5, abs=0.05)


def test_fallbacks_go_no_deeper_than_they_may() -> None:
    failing = provider(errors={"server_error": 1})
    of = plan_of(scenario({"a": failing, "b": failing, "c": provider()}, arrivals=poisson("1/s"), horizon="10s"))
    assert set(trace(with_client(of, fallback_depth=1)).attempts.leg) == {"a/m", "b/m"}


def test_probes_take_a_leg_out_late_and_bring_it_back_late() -> None:
    down = provider("100ms", incidents=[window("25s", "65s", error_latency="0s")], price={"per_request": 1})
    of = plan_of(scenario({"a": down, "b": provider("100ms")}, arrivals=poisson("5/s"), horizon="100s"))
    probes = plan.Probes(every_s=10.0, timeout_s=5.0, unhealthy_after=2, healthy_after=2)
    traced = trace(with_client(of, legs=(plan.LegClient(leg=0, probes=probes), plan.LegClient(leg=1))))
    turns = traced.transitions[traced.transitions.kind == "health"]
    assert list(zip(turns.entity, turns.time_s, turns["from"], turns["to"], strict=True)) == [
        ("a/m", 40.0, "healthy", "unhealthy"),
        ("a/m", 80.1, "unhealthy", "healthy"),
    ]
    calls = traced.attempts[(traced.attempts.kind == "call") & (traced.attempts.leg == "a/m")]
    assert not calls.start_s.between(40.0, 80.1, inclusive="neither").any()
    assert calls[calls.outcome != "ok"].start_s.between(25.0, 40.0).all()
    probed = traced.attempts[traced.attempts.kind == "probe"]
    assert probed.start_s.tolist() == [10.0 * nth for nth in range(1, 10)]
    assert probed.cost_usd.sum() == (probed.outcome == "ok").sum()


def test_a_policy_moves_no_draw_of_calls() -> None:
    flaky = provider({"kind": "exponential", "mean": "1s"}, errors={"server_error": 0.2})
    of = plan_of(scenario({"a": flaky, "b": flaky}, arrivals=poisson("5/s"), horizon="60s"))
    plain = trace(with_rule(of))
    parts = {
        "hedge": plan.Hedge(after_s=1000.0),
        "guards": (plan.ConsecutiveBreaker(kind="consecutive", failures=1000, open_s=1.0),),
        "bulkhead": plan.Bulkhead(concurrent=1000),
        "ramp": plan.Ramp(start=1.0, over_s=1.0, reset_after_s=1.0),
    }
    busy = trace(with_legs(grouped(of, [[0], [1]], routing=plan.Routing(kind="weighted")), **parts))
    assert plain.attempts.equals(busy.attempts)


def test_calls_that_may_be_hedged_count_as_under_way() -> None:
    of = with_legs(routed("least_busy", provider("3s"), provider("1s")), hedge=plan.Hedge(after_s=1000.0))
    assert shares(of)["b/m"] == pytest.approx(0.75, abs=0.03)


def test_a_leg_is_healthy_until_enough_probes_in_a_row_have_failed() -> None:
    turns: list[tuple[str, str]] = []
    health = Health(
        plan.Probes(every_s=1.0, unhealthy_after=2, healthy_after=3),
        lambda before, after: turns.append((before, after)),
    )
    states = [health.healthy]
    for passed in (False, True, False, False, True, True, False, True, True, True):
        health.learn(passed=passed)
        states.append(health.healthy)
    assert states == [True] * 4 + [False] * 6 + [True]
    assert turns == [("healthy", "unhealthy"), ("unhealthy", "healthy")]


def test_picks_of_a_request_read_draws_of_their_own_from_the_first_on() -> None:
    failing = provider(errors={"server_error": {"rate": 1, "latency": 0}})
    of = with_rule(routed("weighted", failing, failing), retries=2)
    traced = trace(of)
    streams = [ClientDraws(of.seed, 0).stream("route", "group 0", nth) for nth in range(3)]
    for number in range(50):
        picked = [("a/m", "b/m")[weighted([1.0, 1.0], stream.at(number))] for stream in streams]
        assert traced.legs(number) == picked


def test_a_group_that_is_picked_from_once_keeps_its_leg_and_the_next_group_picks_its_own() -> None:
    failing = provider(errors={"server_error": {"rate": 1, "latency": 0}})
    of = plan_of(scenario(dict.fromkeys("abcd", failing), horizon="300s"))
    of = with_rule(grouped(of, [[0, 1], [2, 3]], routing=plan.Routing(kind="weighted", once=True)), retries=1)
    traced = trace(of)
    walked = {tuple(traced.legs(number)) for number in range(30)}
    assert walked == {(one, one, other, other) for one in ("a/m", "b/m") for other in ("c/m", "d/m")}
