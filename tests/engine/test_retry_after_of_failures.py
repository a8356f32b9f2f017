"""Failures may come with a Retry-After, whatever their status; that of limits may be told in whole seconds."""

from itertools import pairwise
from typing import Any

import pytest

from des.errors import ScenarioError
from des.rules.limits import rounded_up_s
from des.scenario import from_mapping
from engine.traced import Traced, at, poisson, provider, run, scenario, window

HONOUR = {"retries": 1, "retry_after": "honour"}


def failing(**error: Any) -> dict[str, Any]:
    return {"errors": {error.pop("outcome", "overloaded"): {"rate": "100%", "latency": "1s", **error}}}


def waits(traced: Traced, number: int = 0) -> list[float]:
    return [after.start_s - before.end_s for before, after in pairwise(traced.calls(number))]


@pytest.mark.parametrize("outcome", ["server_error", "overloaded", "rate_limited", "client_error"])
def test_a_random_error_is_waited_for_as_it_asks(outcome: str) -> None:
    error = failing(outcome=outcome, retry_after="7s")
    policy = {**HONOUR, "retry_on": ["server_error", "overloaded", "rate_limited", "client_error"]}
    traced = run(scenario({"a": provider("1s", model=error)}, arrivals=at("0s"), policy=policy))
    assert waits(traced) == pytest.approx([7.0])
    assert [call.retry_after_s for call in traced.calls()] == [7.0, 7.0]


def test_so_is_the_failure_of_an_incident() -> None:
    incident = window("0s", "5s", outcome="overloaded", error_latency="1s", retry_after="9s")
    traced = run(scenario({"a": provider("1s", incidents=[incident])}, arrivals=at("0s"), policy=HONOUR))
    assert traced.outcomes() == ["overloaded", "ok"]
    assert waits(traced) == pytest.approx([9.0])


def test_a_retry_after_of_0_is_told_but_leaves_the_back_off() -> None:
    policy = {**HONOUR, "retry_backoff": "3s"}
    model = failing(retry_after="0s")
    traced = run(scenario({"a": provider("1s", model=model)}, arrivals=at("0s"), policy=policy))
    assert [call.retry_after_s for call in traced.calls()] == [0.0, 0.0]
    assert waits(traced) == pytest.approx([3.0])


def test_a_cooldown_of_0_is_none() -> None:
    cooldown = {"also_on": [429], "for": "60s", "retry_after": True}
    for told, calls in (("0s", 10), (None, 2)):
        model = failing(outcome="rate_limited", **({} if told is None else {"retry_after": told}))
        traced = run(scenario({"a": provider("1s", model=model)}, policy={"cooldown": cooldown}))
        assert len(traced.attempts) == calls


def test_the_guards_of_a_hedged_leg_heed_it_too() -> None:
    cooldown = {"also_on": [429], "for": "60s", "retry_after": True}
    for told, calls in (("15s", 5), ("95s", 1)):
        model = failing(outcome="rate_limited", retry_after=told)
        policy = {"cooldown": cooldown, "hedge": {"after": "9s"}}
        traced = run(scenario({"a": provider("1s", model=model)}, policy=policy))
        assert len(traced.attempts) == calls


def test_a_connection_error_carries_none() -> None:
    with pytest.raises(ScenarioError, match="no response"):
        from_mapping(scenario({"a": provider("1s", model=failing(outcome="connection_error", retry_after="1s"))}))


def test_a_limit_may_say_whole_seconds() -> None:
    waited = {}
    for told in (True, {"round_up": "1s"}):
        limits = {"requests": "300/min", "retry_after": told}
        of = scenario(
            {"p": provider("1s", limits=limits)}, arrivals=poisson("300/min"), horizon="10min", policy={**HONOUR}
        )
        refused = run(of).attempts.query("outcome == 'rate_limited'").retry_after_s
        waited[str(told)] = refused
    assert (waited["True"] % 1.0 > 1e-6).any()
    assert set(waited["{'round_up': '1s'}"]) == {1.0}


@pytest.mark.parametrize(("wait_s", "told_s"), [(0.2, 1.0), (1.0, 1.0), (1.0 + 1e-9, 1.0), (1.1, 2.0), (0.0, 0.0)])
def test_rounding_up_keeps_what_is_whole_but_for_rounding(wait_s: float, told_s: float) -> None:
    assert rounded_up_s(wait_s, 1.0) == told_s
    assert rounded_up_s(float("inf"), 1.0) == float("inf")


@pytest.mark.parametrize(("wait_s", "told_s"), [(0.0, 0.0), (7.2, 10.0), (10.0, 10.0), (10.1, 15.0)])
def test_a_wait_is_told_in_steps_of_any_length(wait_s: float, told_s: float) -> None:
    assert rounded_up_s(wait_s, 5.0) == told_s


def test_a_wait_that_is_refused_takes_nothing_of_what_all_waits_may_add_up_to() -> None:
    policy = {"retries": 1, "retry_after": {"mode": "honour", "cap": "30s", "above": "refuse", "total": "30s"}}
    providers = {name: provider("1s", model=failing(retry_after=told)) for name, told in (("a", "99s"), ("b", "9s"))}
    traced = run(scenario(providers, arrivals=at("0s"), policy=policy))
    assert traced.legs() == ["a/m", "b/m", "b/m"]
    assert waits(traced) == pytest.approx([0.0, 9.0])


def test_a_spread_makes_each_wait_longer_by_a_part_of_it() -> None:
    policy = {"retries": 1, "retry_after": {"mode": "honour", "spread": "10s"}}
    traced = run(
        scenario({"a": provider("1s", model=failing(retry_after="7s"))}, arrivals=at("0s", size=50), policy=policy)
    )
    waited = sorted(waits(traced, number)[0] for number in range(50))
    assert 7.0 <= waited[0] < 8.5
    assert 15.5 < waited[-1] < 17.0
