"""A number of calls at once: each keeps its place until the provider is done with it, whoever still waits for it."""

from typing import Any

import numpy as np
import pytest

from engine.serving import admitted, arriving, limit, limited_by, one_endpoint, retry_afters
from engine.traced import Traced, plan_of, poisson, provider, scenario, trace, window


def at_once(most: int) -> Any:
    return limit("concurrency", algorithm="concurrency", burst=float(most))


def played(most: int, at_s: Any, latency: str = "10s", **rest: Any) -> Traced:
    return trace(limited_by(arriving(one_endpoint(latency, **rest), at_s), at_once(most)))


def test_places_are_free_again_at_the_natural_end() -> None:
    traced = played(2, [0.0, 1.0, 2.0, 9.5, 10.0, 10.5, 11.0])
    assert admitted(traced) == [True, True, False, False, True, False, True]
    assert retry_afters(traced) == [None, None, 8.0, 0.5, None, 0.5, None]


def test_work_given_up_keeps_its_place() -> None:
    chain = [{"provider": "a", "timeout": "1s"}]
    traced = played(1, [0.0, 5.0, 10.0], chain=chain)
    assert [traced.outcomes(number) for number in range(3)] == [["timeout"], ["rate_limited"], ["timeout"]]


def test_work_that_an_incident_kills_keeps_its_place() -> None:
    kill = window("2s", "3s", kills_in_flight=True)
    traced = played(1, [0.0, 5.0, 10.0], incidents=[kill])
    assert [traced.outcomes(number) for number in range(3)] == [["server_error"], ["rate_limited"], ["ok"]]
    assert traced.calls(0)[0].end_s == 2.0


def test_a_hang_keeps_its_place_as_long_as_the_client_bears_it() -> None:
    hanging = {"errors": {"hang": 1}}
    bounded = played(1, [0.0, 4.0, 5.0], chain=[{"provider": "a", "timeout": "5s"}], **hanging)
    assert admitted(bounded) == [True, False, True]
    assert retry_afters(bounded)[1] == 1.0
    by_deadline = played(1, [0.0, 2.0, 3.0], policy={"deadline": "3s"}, **hanging)
    assert admitted(by_deadline) == [True, False, True]
    unbounded = played(1, [0.0, 50.0], **hanging)
    assert admitted(unbounded) == [True, False]
    assert retry_afters(unbounded) == [None, None]


def test_a_failing_call_keeps_its_place_until_it_is_answered() -> None:
    failing = {"errors": {"server_error": {"rate": 1, "latency": "3s"}}}
    assert admitted(played(1, [0.0, 2.9, 3.0], **failing)) == [True, False, True]


@pytest.mark.parametrize("most", [1, 4])
def test_never_more_at_once_than_admitted(most: int) -> None:
    latency = {"kind": "exponential", "mean": "2s"}
    plan = plan_of(scenario({"a": provider(latency)}, arrivals=poisson("2/s"), horizon="1000s"))
    traced = trace(limited_by(plan, at_once(most)))
    served = traced.attempts[traced.attempts.outcome == "ok"].sort_values("start_s")
    ends_s = np.sort(served.end_s.to_numpy())
    under_way = np.arange(1, len(served) + 1) - np.searchsorted(ends_s, served.start_s.to_numpy(), side="right")
    assert under_way.max() == most
    refused = traced.attempts[traced.attempts.outcome == "rate_limited"].start_s.to_numpy()
    busy = np.searchsorted(served.start_s.to_numpy(), refused) - np.searchsorted(ends_s, refused, side="right")
    assert (busy == most).all()
