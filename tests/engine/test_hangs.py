"""Calls that never answer: what ends them, and what becomes of those that nothing ends."""

import math

import numpy as np

from engine.traced import at, poisson, provider, run, scenario, window

HANGING = {"errors": {"hang": 1}}


def test_a_timeout_ends_a_hang_and_the_chain_goes_on() -> None:
    providers = {"a": provider(**HANGING), "b": provider()}
    chain = [{"provider": "a", "timeout": "5s"}, {"provider": "b"}]
    traced = run(scenario(providers, arrivals=at("0s"), chain=chain))
    first, second = traced.calls()
    assert (first.outcome, first.cause, first.end_s) == ("timeout", "random", 5.0)
    assert (second.outcome, second.start_s) == ("ok", 5.0)


def test_a_deadline_ends_a_hang() -> None:
    traced = run(scenario({"a": provider(**HANGING)}, arrivals=at("0s"), policy={"deadline": "5s"}))
    (call,) = traced.calls()
    assert (call.outcome, call.cause, call.end_s) == ("cancelled", "deadline", 5.0)
    assert traced.request().outcome == "deadline"


def test_a_hang_that_nothing_ends_closes_its_request_without_an_end() -> None:
    traced = run(scenario({"a": provider(**HANGING), "b": provider()}, arrivals=at("0s")))
    request = traced.request()
    assert (request.outcome, request.error_type, request.attempts) == ("failed", "hang", 1)
    assert math.isnan(request.end_s)
    assert math.isnan(request.latency_s)
    (call,) = traced.calls()
    assert (call.outcome, call.http_status, call.cause) == ("timeout", -1, "random")
    assert math.isnan(call.end_s)
    assert math.isnan(call.duration_s)
    assert request.lost_to == "hang"


def test_a_hang_in_an_incident_is_put_down_to_its_component() -> None:
    traced = run(scenario({"a": provider(incidents=[window("0s", "1h", hang=1)])}, arrivals=at("0s")))
    request = traced.request()
    assert (request.outcome, request.error_type, request.lost_to) == ("failed", "hang", "a")


def test_a_killing_incident_ends_a_hang() -> None:
    killed = provider(**HANGING, incidents=[window("30s", "40s", kills_in_flight=True)])
    traced = run(scenario({"a": killed, "b": provider()}, arrivals=at("0s")))
    first, second = traced.calls()
    assert (first.outcome, first.cause, first.end_s) == ("server_error", "incident", 30.0)
    assert (second.outcome, second.start_s) == ("ok", 30.0)


def test_an_incident_that_spares_some_calls_lets_them_hang_on() -> None:
    kills = [window(f"{30 * k}s", f"{30 * k + 5}s", kills_in_flight=True, error_rate=0.5) for k in (1, 2)]
    traced = run(scenario({"a": provider(**HANGING, incidents=kills)}, arrivals=at("0s", size=2000)))
    ends = traced.attempts.end_s.fillna(-1.0).value_counts(normalize=True)
    for end_s, share in {30.0: 0.5, 60.0: 0.25, -1.0: 0.25}.items():
        assert abs(ends[end_s] - share) < 4 * math.sqrt(share * (1 - share) / 2000)


def test_rows_without_an_end_come_last_in_order_of_number() -> None:
    exponential = {"kind": "exponential", "mean": "3s"}
    mixed = provider(exponential, errors={"hang": 0.3})
    traced = run(scenario({"a": mixed}, arrivals=poisson("20/s"), horizon="200s"))
    for rows in (traced.requests, traced.attempts):
        endless = np.isnan(rows.end_s.to_numpy())
        assert 1000 < endless.sum() < 1500
        assert (np.diff(endless.astype(int)) >= 0).all()
        assert rows.request_id[endless].is_monotonic_increasing
        assert rows.end_s[~endless].is_monotonic_increasing


def test_an_idle_or_first_token_bound_ends_a_hang_and_a_bound_on_connecting_does_not() -> None:
    for timeout, end_s in (({"idle": "4s"}, 4.0), ({"first_token": "6s"}, 6.0)):
        chain = [{"provider": "a", "timeout": timeout}]
        assert run(scenario({"a": provider(**HANGING)}, arrivals=at("0s"), chain=chain)).calls()[0].end_s == end_s
    chain = [{"provider": "a", "timeout": {"connect": "1s"}}]
    traced = run(scenario({"a": provider(**HANGING)}, arrivals=at("0s"), chain=chain))
    assert traced.request().error_type == "hang"
