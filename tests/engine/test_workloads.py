"""Eligibility, drains, closed workloads, batches and runs that go on past the horizon."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from des.engine import simulate
from engine.traced import Collected, Traced, at, plan_of, poisson, provider, run, scenario, trace, window

EU = {"region": "eu"}


def requiring(share: Any, tags: dict[str, str]) -> dict[str, Any]:
    return {"requirements": [{"share": share, "tags": tags}]}


def test_a_request_takes_only_legs_with_the_tags_that_it_requires() -> None:
    failing = {"errors": {"server_error": 1}}
    providers = {"a": provider(**failing), "b": provider(tags=EU, **failing), "c": provider(), "d": provider(tags=EU)}
    traced = run(scenario(providers, arrivals=at("0s"), workload=requiring(1, EU)))
    assert traced.legs() == ["b/m", "d/m"]
    assert traced.request().chain_position == 3


def test_tags_of_provider_model_and_leg_count_together() -> None:
    tagged = provider(tags=EU, model={"tags": {"tier": "large"}})
    chain = [{"provider": "a"}, {"provider": "a", "tags": {"audited": "yes"}}]
    wanted = requiring(1, {"region": "eu", "tier": "large", "audited": "yes"})
    assert run(scenario({"a": tagged}, arrivals=at("0s"), chain=chain, workload=wanted)).legs() == ["a/m#2"]


def test_a_request_that_no_leg_may_take_is_rejected_on_arrival() -> None:
    providers = {"a": provider(tags=EU), "b": provider(tags={"tier": "large"})}
    wanted = requiring(1, {"region": "eu", "tier": "large"})
    traced = run(scenario(providers, arrivals=at("3s"), workload=wanted))
    request = traced.request()
    assert (request.outcome, request.error_type, request.lost_to) == ("rejected", "no_eligible_leg", "no_eligible_leg")
    assert (request.end_s, request.latency_s, request.attempts, request.rounds) == (3.0, 0.0, 0, 0)
    assert len(traced.attempts) == 0


def test_a_share_of_requests_has_requirements() -> None:
    providers = {"a": provider(), "b": provider(tags=EU)}
    served = run(scenario(providers, arrivals=at("0s", size=4000), workload=requiring(0.4, EU))).requests.provider
    assert (served == "b").mean() == pytest.approx(0.4, abs=4 * math.sqrt(0.24 / 4000))


def test_a_drain_leaves_open_requests_in_flight() -> None:
    traced = run(scenario({"a": provider("25s", price={"per_request": 1})}, drain="10s"))
    outcomes = traced.requests.sort_values("request_id").outcome
    assert list(outcomes) == ["ok"] * 9 + ["in_flight"]  # from 80 s to 105 s; from 90 s to 115 s
    left = traced.request(9)
    assert math.isnan(left.end_s)
    assert (left.attempts, left.cost_picousd, left.error_type, left.chain_position) == (0, 0, None, -1)
    assert 9 not in set(traced.attempts.request_id)
    assert traced.requests.request_id.iloc[-1] == 9


def test_a_drain_ends_what_ends_just_then() -> None:
    traced = run(scenario({"a": provider("20s")}, drain="10s"))
    assert set(traced.requests.outcome) == {"ok"}
    assert traced.requests.end_s.max() == 110.0


def test_a_request_that_waits_when_the_run_is_cut_keeps_the_attempts_it_made() -> None:
    failing = provider(price={"per_request": 1}, errors={"server_error": 1}, billing="per_attempt")
    chain = [{"provider": "a", "retries": 1}]
    traced = run(scenario({"a": failing}, chain=chain, policy={"backoff": "30s"}, drain="5s"))
    left = traced.request(9)
    assert (left.outcome, left.attempts, left.cost_usd) == ("in_flight", 1, 1.0)
    assert traced.outcomes(9) == ["server_error"]
    assert left.backoff_s == pytest.approx(105.0 - 90.2)


def test_without_a_drain_no_request_is_in_flight() -> None:
    traced = run(scenario({"a": provider("1000s")}))
    assert set(traced.requests.outcome) == {"ok"}
    assert traced.requests.end_s.max() == 1090.0


def test_a_user_of_a_closed_workload_waits_for_the_end_and_thinks_again() -> None:
    arrivals = {"kind": "closed", "users": 1, "think": "5s"}
    traced = run(scenario({"a": provider("2s")}, arrivals=arrivals, horizon="30s"))
    assert list(traced.requests.arrival_s) == [5.0, 12.0, 19.0, 26.0]


def test_a_closed_request_follows_the_end_of_the_one_before_by_its_thought() -> None:
    arrivals = {"kind": "closed", "users": 1, "think": {"kind": "exponential", "mean": "5s"}}
    latency = {"kind": "exponential", "mean": "3s"}
    requests = run(scenario({"a": provider(latency)}, arrivals=arrivals, horizon="4000s")).requests
    thought = requests.arrival_s.to_numpy()[1:] - requests.end_s.to_numpy()[:-1]
    assert thought.min() > 0.0
    assert thought.mean() == pytest.approx(5.0, abs=4 * 5.0 / math.sqrt(len(thought)))


def test_closed_requests_are_numbered_in_order_of_arrival_and_never_outnumber_the_users() -> None:
    arrivals = {"kind": "closed", "users": 7, "think": {"kind": "exponential", "mean": "2s"}}
    latency = {"kind": "exponential", "mean": "6s"}
    requests = run(scenario({"a": provider(latency)}, arrivals=arrivals, horizon="1000s")).requests
    by_number = requests.sort_values("request_id")
    assert list(by_number.request_id) == list(range(len(requests)))
    assert by_number.arrival_s.is_monotonic_increasing
    assert by_number.arrival_s.max() < 1000.0
    open_at = [((requests.arrival_s <= t) & (requests.end_s > t)).sum() for t in requests.arrival_s]
    assert max(open_at) == 7


def test_a_user_whose_request_never_ends_sends_no_other() -> None:
    arrivals = {"kind": "closed", "users": 3, "think": "5s"}
    traced = run(scenario({"a": provider(errors={"hang": 1})}, arrivals=arrivals))
    assert list(traced.requests.arrival_s) == [5.0, 5.0, 5.0]
    assert set(traced.requests.error_type) == {"hang"}


def test_batches_come_together() -> None:
    arrivals = {"kind": "batch", "every": "20s", "size": 3, "first": "5s"}
    traced = run(scenario({"a": provider()}, arrivals=arrivals, horizon="45s"))
    assert list(traced.requests.sort_values("request_id").arrival_s) == [5.0] * 3 + [25.0] * 3
    assert traced.arrived == 6


def test_arrivals_stop_at_the_horizon_and_none_comes_at_it() -> None:
    traced = run(scenario({"a": provider()}, horizon="100s"))
    assert traced.arrived == len(traced.requests) == 10
    assert traced.requests.arrival_s.max() == 90.0


def test_a_run_without_arrivals_ends_at_its_horizon() -> None:
    traced = run(scenario({"a": provider(incidents=[window("10s", "20s")])}, arrivals=at("500s")))
    assert traced.arrived == len(traced.requests) == 0
    assert list(traced.transitions.time_s) == [10.0, 20.0]


def test_a_run_that_goes_on_for_days_past_its_horizon_meets_the_incidents_there() -> None:
    """A leg that fails only in outages, retried once a day, is served once it is up."""
    hourly = {
        "kind": "renewal",
        "up": {"kind": "exponential", "mean": "2d"},
        "down": {"kind": "exponential", "mean": "2d"},
    }
    policy = {"retry_backoff": "1d"}
    chain = [{"provider": "a", "retries": 400, "fallback_on": []}]
    plan = plan_of(
        scenario(
            {"a": provider(incidents=[hourly])}, arrivals=at("0s", size=1), horizon="10s", chain=chain, policy=policy
        )
    )
    waited = []
    for replication in range(60):
        traced = trace(plan, replication)
        ups = traced.transitions
        for call in traced.calls():
            before = ups[ups.time_s <= call.start_s]
            is_down = len(before) > 0 and before.to.iloc[-1] == "down"
            assert (call.outcome == "ok") != is_down
            assert call.outcome == "ok" or traced.incidents.end_s[call.cause_id] > call.start_s
        waited.append(traced.request().end_s / 86_400.0)
        assert traced.request().outcome == "ok"
    assert sum(days > 1.5 for days in waited) >= 3  # beyond the first day that is drawn ahead


def test_no_incident_is_missed_where_more_are_drawn() -> None:
    """An incident every two seconds, and one request that takes longer than a day, as far as is drawn ahead."""
    steady = {"kind": "renewal", "up": "1.9s", "down": "100ms"}
    traced = run(
        scenario({"a": provider("87000s", incidents=[steady])}, arrivals=at("0s"), horizon="1s", start_state="up")
    )
    incidents = traced.incidents
    assert np.diff(incidents.start_s).max() < 2.001
    edges = np.sort(np.concatenate([np.maximum(incidents.start_s, 0.0), incidents.end_s]))
    assert traced.transitions.time_s.tolist() == edges[edges <= 87000.0].tolist()
    assert traced.transitions.time_s.max() > 86_998.0


def test_what_is_drawn_later_does_not_change_what_was_drawn_first() -> None:
    """The same run with a horizon past all of it, drawn in one go, sees the same incidents and calls."""
    hourly = {
        "kind": "renewal",
        "up": {"kind": "exponential", "mean": "2d"},
        "down": {"kind": "exponential", "mean": "2d"},
    }
    chain = [{"provider": "a", "retries": 400}]
    plan = plan_of(
        scenario(
            {"a": provider(incidents=[hourly])},
            arrivals=at("0s"),
            horizon="10s",
            chain=chain,
            policy={"retry_backoff": "1d"},
        )
    )
    for replication in range(20):
        short = trace(plan, replication)
        long = trace(replace(plan, horizon_s=40 * 86_400.0), replication)
        assert short.attempts.equals(long.attempts)
        shared = len(short.incidents)
        assert short.incidents[["start_s", "end_s"]].equals(long.incidents[["start_s", "end_s"]][:shared])


def test_rows_of_one_instant_come_in_order_of_number_whatever_happened_first() -> None:
    """At each second calls that have taken 2 s end, then waits of 2 s, of which some end in answers at once."""
    providers = {"a": provider("2s", errors={"server_error": {"rate": 0.5, "latency": 0}}), "b": provider(0)}
    arrivals = {"kind": "batch", "every": "1s", "size": 5}
    chain = [{"provider": "a", "retries": 1}, {"provider": "b"}]
    of = run(scenario(providers, arrivals=arrivals, horizon="2500s", chain=chain, policy={"backoff": "2s"}))
    assert len(of.blocks["requests"]) > 2
    requests, attempts = of.requests, of.attempts
    by_end = ["end_s", "request_id"]
    assert requests[by_end].equals(requests[by_end].sort_values(by_end, ignore_index=True))
    by_end = ["end_s", "request_id", "attempt"]
    assert attempts[by_end].equals(attempts[by_end].sort_values(by_end, ignore_index=True))
    assert sorted(requests.request_id) == list(range(of.arrived))


def test_progress_is_told_without_changing_the_run() -> None:
    plan = plan_of(scenario({"a": provider()}, arrivals=poisson("20/s"), horizon="1000s"))
    told: list[float] = []
    sink = Collected()
    arrived = simulate(plan, 0, sink, told.append)
    assert Traced(plan, arrived, sink.blocks).digest() == trace(plan).digest()
    assert len(told) >= 3
    assert told == sorted(told)
    assert np.isfinite(told).all()
