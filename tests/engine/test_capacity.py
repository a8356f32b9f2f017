"""A provider that serves a number of calls at once, first come, first served, with a bounded queue before them."""

from typing import Any

import numpy as np
import pytest

from engine.serving import arriving, first_calls, limit, limited_by, one_endpoint, serving
from engine.traced import Traced, plan_of, poisson, provider, scenario, trace, window


def played(concurrent: int, queue: int, at_s: Any, latency: Any = "10s", **rest: Any) -> Traced:
    return trace(serving(arriving(one_endpoint(latency, **rest), at_s), concurrent, queue))


def ends(of: Traced) -> list[float]:
    return [round(call.end_s, 9) for call in first_calls(of)]


def test_calls_wait_for_the_first_free_place_in_the_order_in_which_they_came() -> None:
    traced = played(2, 10, [0.0, 4.0, 5.0, 6.0, 7.0, 50.0])
    assert ends(traced) == [10.0, 14.0, 20.0, 24.0, 30.0, 60.0]
    assert set(traced.attempts.outcome) == {"ok"}
    assert set(traced.requests.queued_s) == {0.0}


def test_beyond_the_queue_calls_are_overloaded() -> None:
    traced = played(1, 2, [0.0, 1.0, 2.0, 3.0, 10.0, 11.0])
    assert [call.outcome for call in first_calls(traced)] == ["ok", "ok", "ok", "overloaded", "ok", "overloaded"]
    refused = first_calls(traced)[3]
    assert (refused.cause, refused.cause_id, refused.http_status, refused.end_s) == ("capacity", 0, 529, 3.05)
    assert np.isnan(refused.retry_after_s)
    assert set(traced.requests[traced.requests.outcome == "failed"].lost_to) == {"capacity c"}


def test_without_a_queue_a_call_is_served_at_once_or_overloaded() -> None:
    traced = played(2, 0, [0.0, 1.0, 9.9, 10.0, 10.5, 11.0])
    assert [call.outcome for call in first_calls(traced)] == ["ok", "ok", "overloaded", "ok", "overloaded", "ok"]


def test_work_given_up_keeps_its_place_in_the_queue_and_while_served() -> None:
    chain = [{"provider": "a", "timeout": "12s"}]
    traced = played(1, 10, [0.0, 1.0, 2.0, 30.0], chain=chain)
    assert [(call.outcome, round(call.end_s, 9)) for call in first_calls(traced)] == [
        ("ok", 10.0),
        ("timeout", 13.0),  # would be served from 10 s to 20 s
        ("timeout", 14.0),  # from 20 s to 30 s
        ("ok", 40.0),
    ]
    assert [call.cause for call in first_calls(traced)] == [None, "capacity", "capacity", None]


def test_a_timeout_that_the_queue_is_not_to_blame_for_is_not_put_down_to_it() -> None:
    traced = played(1, 10, [0.0, 1.0], chain=[{"provider": "a", "timeout": "9s"}])
    assert [(call.outcome, call.cause_id) for call in first_calls(traced)] == [("timeout", -1)] * 2


def test_the_queue_comes_before_the_first_token() -> None:
    streamed = {"connect": "1s", "first_token": "2s", "tokens_per_second": 10}
    workload = {"latency": streamed, "chain": [{"provider": "a"}]}
    for timeout, expected in (
        ({"connect": "2s"}, "ok"),
        ({"first_token": "5s"}, "timeout"),
        ({"idle": "5s"}, "timeout"),
        ({"total": "14s"}, "timeout"),
        ({"total": "30s"}, "ok"),
    ):
        workload["chain"] = [{"provider": "a", "timeout": timeout}]
        plan = one_endpoint(**workload)
        traced = trace(serving(arriving(plan, [0.0, 0.0], [1, 1], [100, 100]), 1, 5))
        assert traced.outcomes(0) == ["ok"]
        assert traced.outcomes(1) == [expected], timeout
    assert traced.calls(1)[0].end_s == 26.0


def test_no_output_is_made_in_the_queue() -> None:
    priced = {"output_per_mtok": 1, "input_per_mtok": 1}
    chain = [{"provider": "a", "timeout": "15s"}]
    for latency in ("10s", {"tokens_per_second": 10}):
        plan = one_endpoint(latency, chain=chain, price=priced)
        traced = trace(serving(arriving(plan, [0.0, 0.0, 0.0], [0] * 3, [100] * 3), 1, 5))
        assert [call.output_tokens for call in first_calls(traced)] == [100, 50, 0]


def test_failures_take_no_place() -> None:
    failing = window("0s", "5s")
    traced = played(1, 0, [0.0, 1.0, 5.0, 6.0], incidents=[failing])
    outcomes = [call.outcome for call in first_calls(traced)]
    assert outcomes == ["server_error", "server_error", "ok", "overloaded"]


def test_a_refused_call_takes_no_place() -> None:
    plan = limited_by(arriving(one_endpoint("10s"), [0.0, 1.0, 10.0]), limit("requests", rate_per_s=0.1, burst=1.0))
    traced = trace(serving(plan, 1, 0))
    assert [call.outcome for call in first_calls(traced)] == ["ok", "rate_limited", "ok"]


def test_a_call_that_is_overloaded_has_taken_its_tokens() -> None:
    plan = limited_by(arriving(one_endpoint("10s"), [0.0, 1.0, 2.0]), limit("requests", rate_per_s=1e-9, burst=2.0))
    traced = trace(serving(plan, 1, 0))
    assert [call.outcome for call in first_calls(traced)] == ["ok", "overloaded", "rate_limited"]


def test_a_broken_stream_keeps_its_place_until_it_breaks() -> None:
    broken = {"mid_stream": {"rate": 1, "after": 0.3}}
    traced = played(1, 5, [0.0, 0.0], errors=broken)
    assert ends(traced) == [3.0, 6.0]


def test_work_that_an_incident_kills_keeps_its_place() -> None:
    traced = played(1, 5, [0.0, 3.0, 4.0], incidents=[window("2s", "2500ms", kills_in_flight=True)])
    assert [(call.outcome, call.end_s) for call in first_calls(traced)] == [
        ("server_error", 2.0),
        ("ok", 20.0),
        ("ok", 30.0),
    ]


def test_an_incident_kills_calls_in_the_queue_too() -> None:
    traced = played(1, 5, [0.0, 1.0, 6.0], incidents=[window("5s", "5500ms", kills_in_flight=True)])
    assert [(call.outcome, call.end_s) for call in first_calls(traced)] == [
        ("server_error", 5.0),
        ("server_error", 5.0),
        ("ok", 30.0),
    ]


def test_retries_of_work_given_up_load_the_provider_further() -> None:
    """One place, 10 s of work every 20 s and one time-out: with retries the queue never drains, without it does."""
    at_s = [0.0, 5.0, *(20.0 * k for k in range(1, 50))]
    alone = played(1, 1000, at_s, chain=[{"provider": "a", "timeout": "11s"}])
    assert (alone.requests.outcome == "ok").sum() == 50
    storm = played(1, 1000, at_s, chain=[{"provider": "a", "timeout": "11s", "retries": 3}])
    assert (storm.requests.outcome == "ok").sum() < 25


def test_latency_grows_with_the_load_and_little_holds() -> None:
    """M/M/4 at load 0.8 with a service of 1 s: Erlang C 0.5964, mean wait 0.7455 s."""
    latency = {"kind": "exponential", "mean": "1s"}
    plan = plan_of(scenario({"a": provider(latency)}, arrivals=poisson("3.2/s"), horizon="15000s"))
    alone = trace(plan).attempts.sort_values("request_id").duration_s.to_numpy()
    traced = trace(serving(plan, 4, 10_000))
    calls = traced.attempts.sort_values("request_id")
    waits_s = calls.duration_s.to_numpy() - alone
    assert waits_s.min() > -1e-9
    assert waits_s.mean() == pytest.approx(0.7455, rel=0.1)
    assert (waits_s > 1e-9).mean() == pytest.approx(0.5964, rel=0.05)
    starts_s = calls.start_s.to_numpy() + waits_s
    assert (np.diff(starts_s) > -1e-9).all()  # first come, first served
    ends_s = np.sort(calls.end_s.to_numpy())
    served_at_once = np.arange(1, len(calls) + 1) - np.searchsorted(ends_s, starts_s + 1e-9, side="right")
    assert served_at_once.max() == 4

    def mean_present(from_s: Any, to_s: Any) -> float:
        """The time average of how many are between the two, over the run, by counting at even moments."""
        moments = np.linspace(0.0, 15_000.0, 100_001)
        here = np.searchsorted(np.sort(from_s), moments) - np.searchsorted(np.sort(to_s), moments)
        return float(here.mean())

    rate_per_s = len(calls) / 15_000.0
    queue = mean_present(calls.start_s.to_numpy(), starts_s)
    served = mean_present(starts_s, calls.end_s.to_numpy())
    assert queue == pytest.approx(rate_per_s * waits_s.mean(), rel=0.01)
    assert served == pytest.approx(rate_per_s * alone.mean(), rel=0.01)


def test_legs_of_one_provider_share_its_places() -> None:
    chain = [{"provider": "a", "timeout": "1s"}, {"provider": "a", "name": "again"}]
    traced = played(1, 5, [0.0], chain=chain)
    assert [(call.outcome, call.end_s) for call in traced.calls()] == [("timeout", 1.0), ("ok", 20.0)]
