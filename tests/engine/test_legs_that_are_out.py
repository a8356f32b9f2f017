"""What becomes of an entry whose legs are out, and of calls that the client itself keeps back."""

from typing import Any

import pytest

from des.errors import ScenarioError
from des.scenario import from_mapping
from engine.traced import Traced, at, provider, run, scenario

FAILING = {"errors": {"server_error": {"rate": "100%", "latency": "1s"}}}
GROUP = [{"group": "g", "legs": [{"provider": "a"}, {"provider": "b"}]}]


def every_10_s(providers: dict[str, Any], **rest: Any) -> Traced:
    return run(scenario(providers, **rest))


@pytest.mark.parametrize(
    "guard",
    [
        {"breaker": {"kind": "consecutive", "failures": 1, "open": "1000s"}},
        {"cooldown": {"allowed_fails": 0, "for": "1000s"}},
        {"ejection": {"consecutive": 1, "for": "1000s"}},
    ],
)
def test_every_guard_may_be_bypassed_where_all_legs_are_out(guard: dict[str, Any]) -> None:
    ((name, settings),) = guard.items()
    providers = {name: provider("1s", model=FAILING) for name in "ab"}
    refused = every_10_s(providers, chain=GROUP, policy={name: settings})
    assert len(refused.attempts) == 2
    bypassed = every_10_s(providers, chain=GROUP, policy={name: {**settings, "all_open": "bypass"}})
    assert len(bypassed.attempts) == 10


def test_an_entry_without_a_leg_left_may_end_at_once() -> None:
    providers = {"a": provider("1s", model=FAILING), "b": provider("1s")}
    policy = {"retries": 3, "retry_backoff": "20s", "cooldown": {"allowed_fails": 0, "for": "50s"}}
    waited = run(scenario(providers, arrivals=at("0s"), policy=policy))
    assert waited.request().end_s == pytest.approx(22.0)  # the wait, and then nobody to call
    at_once = run(scenario(providers, arrivals=at("0s"), policy={**policy, "end_when_all_out": True}))
    assert at_once.request().end_s == pytest.approx(2.0)
    assert at_once.legs() == ["a/m", "b/m"]


def test_a_breaker_of_retries_lets_first_attempts_through() -> None:
    breaker = {"kind": "consecutive", "failures": 2, "open": "1000s", "stops": "retries"}
    traced = every_10_s({"a": provider("1s", model=FAILING)}, policy={"retries": 2, "breaker": breaker})
    assert [len(traced.calls(number)) for number in range(10)] == [2, *[1] * 9]


def test_a_full_bulkhead_may_refuse_as_a_429_would() -> None:
    providers = {"a": provider("5s"), "b": provider("1s")}
    bulkhead = {"concurrent": 1, "refuses_as": "rate_limited"}
    policy = {"retries": 1, "retry_backoff": "2s"}
    chain = [{"provider": "a", "bulkhead": bulkhead}, {"provider": "b"}]
    traced = run(scenario(providers, arrivals=at("0s", size=2), chain=chain, policy=policy))
    assert traced.legs(0) == ["a/m"]
    assert traced.legs(1) == ["b/m"]
    assert traced.request(1).end_s == pytest.approx(3.0)  # refused, two seconds of back-off, refused again
    one = run(scenario(providers, arrivals=at("0s", size=2), chain=chain[:1], policy={**policy, "retries": 0}))
    assert one.request(1).outcome == "rejected"
    assert one.request(1).error_type == "client_limit"


def test_no_guard_learns_of_a_call_that_the_bulkhead_refuses() -> None:
    bulkhead = {"concurrent": 1, "refuses_as": "rate_limited"}
    policy = {"bulkhead": bulkhead, "cooldown": {"also_on": [429], "for": "1000s"}}
    traced = run(scenario({"a": provider("5s")}, arrivals=at("0s", size=3), policy=policy))
    assert len(traced.transitions) == 0


def test_ties_go_to_the_first_leg_if_they_are_said_to() -> None:
    chain = [{**GROUP[0], "routing": "least_busy"}]
    providers = {name: provider("1s") for name in "ab"}
    assert set(every_10_s(providers, chain=chain, policy={"ties": "first"}).attempts.leg) == {"a/m"}
    assert set(every_10_s(providers, chain=chain).attempts.leg) == {"a/m", "b/m"}


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ({"end_when_all_out": True}, "nothing takes a leg out of use"),
        (
            {"breaker": {"kind": "consecutive", "failures": 1, "open": "1s", "stops": "retries"}},
            "stops: retries needs retries",
        ),
    ],
)
def test_a_field_that_does_nothing_is_refused(policy: dict[str, Any], message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        from_mapping(scenario({"a": provider("1s")}, policy=policy))
