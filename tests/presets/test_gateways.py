"""Gateways as their sources say: how many calls, after what, to whom, and when."""

from typing import Any

import pytest
from engine.traced import provider

from tests.presets.scripted import (
    MANY,
    all_gaps,
    exactly,
    failing,
    fill,
    gaps,
    hanging,
    played,
    refusing_for,
    serving,
    telling,
)

LITELLM = "litellm@1.109"
PORTKEY = "portkey@2026-05"


def group(*names: str, **rest: Any) -> dict[str, Any]:
    """One entry of the chain, of these providers."""
    return {"group": "-".join(names), "legs": [{"provider": name} for name in names], **rest}


def every(seconds: int, horizon_s: int) -> dict[str, Any]:
    return {"horizon": f"{horizon_s}s", "arrivals": {"kind": "batch", "every": f"{seconds}s", "size": 1}}


def test_litellm_calls_each_of_three_failing_groups_three_times() -> None:
    traced = played(LITELLM, {name: failing() for name in "abc"}, requests=300)  # a thousand failures would cool
    assert traced.legs() == [f"{name}/m" for name in "aaabbbccc"]
    waits = all_gaps(traced, calls=9)
    for hop in range(3):
        fill(waits[:, 3 * hop], 0.5, 1.25)
        fill(waits[:, 3 * hop + 1], 1.0, 1.75)
    for hop in range(2):
        fill(waits[:, 3 * hop + 2], 2.0, 2.75)


def test_litellm_sleeps_after_the_very_last_failure_too() -> None:
    traced = played(LITELLM, {"a": failing()})
    assert 2.0 <= traced.request().end_s - traced.calls()[-1].end_s <= 2.75


def test_litellm_without_retries_sleeps_not_at_all() -> None:
    traced = played(LITELLM, {"a": failing(), "b": serving()}, retries=0)
    assert traced.legs() == ["a/m", "b/m"]
    assert gaps(traced) == exactly([0.0])


def test_litellm_does_not_wait_with_a_healthy_peer() -> None:
    traced = played(LITELLM, {"a": failing(), "b": failing()}, chain=[group("a", "b")])
    assert len(traced.calls()) == 3
    assert gaps(traced) == exactly([0.0, 0.0])


@pytest.mark.parametrize(
    ("outcome", "status", "calls"),
    [
        ("client_error", 400, 1),
        ("client_error", 408, 3),
        ("client_error", 409, 3),
        ("rate_limited", None, 3),
        ("overloaded", None, 3),
        ("connection_error", None, 3),
    ],
)
def test_what_litellm_retries_and_that_any_error_falls_back(outcome: str, status: int | None, calls: int) -> None:
    traced = played(LITELLM, {"a": failing(outcome, status), "b": serving()})
    assert traced.legs() == ["a/m"] * calls + ["b/m"]
    assert traced.request().outcome == "ok"


@pytest.mark.parametrize("outcome", ["rate_limited", "server_error"])
def test_a_retry_after_of_0_leaves_litellms_back_off(outcome: str) -> None:
    waits = all_gaps(played(LITELLM, {"a": telling(outcome, "0s")}, requests=MANY, cooldown="none"), calls=3)
    fill(waits[:, 0], 0.5, 1.25)
    fill(waits[:, 1], 1.0, 1.75)


def test_a_retry_after_of_0_leaves_portkeys_back_off() -> None:
    assert gaps(played(PORTKEY, {"a": telling("rate_limited", "0s")}, retries=2)) == exactly([1.0, 2.0])
    assert gaps(played(PORTKEY, {"a": telling("rate_limited", "7s")}, retries=2)) == exactly([7.0, 7.0])


def test_litellm_waits_for_a_retry_after_of_a_minute_at_most() -> None:
    short = played(LITELLM, {"a": refusing_for("40s")}, requests=2)
    asked_s = short.calls(1)[0].retry_after_s
    assert asked_s <= gaps(short, 1)[0] <= asked_s + 0.75
    long = played(LITELLM, {"a": refusing_for("90s")}, requests=2)
    assert 0.5 <= gaps(long, 1)[0] <= 1.25


def test_litellm_walks_a_list_of_seven_fallbacks_to_its_end() -> None:
    traced = played(LITELLM, {**{name: failing() for name in "abcdefg"}, "h": serving()}, retries=0)
    assert traced.legs() == [f"{name}/m" for name in "abcdefgh"]
    assert traced.request().outcome == "ok"


def test_litellm_cools_a_deployment_of_two_by_one_429_for_five_seconds() -> None:
    traced = played(LITELLM, {"a": failing("rate_limited"), "b": serving()}, chain=[group("a", "b")], **every(1, 40))
    cooled = traced.transitions[(traced.transitions["to"] == "cooling")]
    back = traced.transitions[(traced.transitions["from"] == "cooling")]
    assert len(cooled) > 2
    lasted = back.time_s.to_numpy() - cooled.time_s.to_numpy()[: len(back)]
    assert lasted == exactly([5.0] * len(back))
    assert set(traced.requests.outcome) == {"ok"}
    starts = traced.attempts[traced.attempts.leg == "a/m"].start_s.to_numpy()
    for moment in cooled.time_s:
        assert not ((starts > moment) & (starts < moment + 5.0 - 1e-9)).any()


def test_litellm_with_all_deployments_cooling_calls_nobody() -> None:
    traced = played(
        LITELLM,
        {"a": failing("rate_limited"), "b": failing("rate_limited"), "c": serving()},
        chain=[group("a", "b"), {"provider": "c"}],
        **every(3, 6),
    )
    assert sorted(traced.legs(0)[:2]) == ["a/m", "b/m"]  # the third attempt finds nobody: on to c at once
    assert traced.legs(0)[2:] == ["c/m"]
    assert traced.legs(1) == ["c/m"]


def test_litellm_never_cools_a_single_deployment_by_429() -> None:
    traced = played(LITELLM, {"a": failing("rate_limited")}, **every(1, 60))
    assert not (traced.transitions["to"] == "cooling").any()


@pytest.mark.parametrize("status", [401, 404])
def test_litellm_cools_even_a_single_deployment_by_401_and_404(status: int) -> None:
    traced = played(LITELLM, {"a": failing("client_error", status), "b": serving()}, **every(2, 8))
    assert [len(traced.calls(number)) for number in range(4)] == [2, 1, 1, 2]  # every 2 s: it cools from 1 to 6 s


def test_litellm_cools_a_deployment_of_two_that_fails_more_than_half_of_five_calls() -> None:
    traced = played(
        LITELLM,
        {"a": failing(), "b": serving()},
        chain=[{**group("a", "b"), "routing": "ordered"}],
        retries=1,
        **every(2, 60),
    )
    first = traced.transitions[traced.transitions["to"] == "cooling"].time_s.min()
    calls = traced.attempts[(traced.attempts.leg == "a/m") & (traced.attempts.end_s <= first)]
    assert len(calls) == 5


def test_litellm_counts_allowed_fails_within_the_cooldown() -> None:
    traced = played(
        LITELLM,
        {"a": failing(), "b": serving()},
        retries=0,
        cooldown={"allowed_fails": 2, "for": "60s"},
        **every(2, 20),
    )
    assert traced.legs(2) == ["a/m", "b/m"]
    assert traced.legs(3) == ["b/m"]


def test_litellm_never_cools_a_deployment_alone_without_fallbacks_by_allowed_fails() -> None:
    """The Router serves 99.3 % of a deployment that fails a fifth of its calls, and half of one that refuses half."""
    allowed = {"allowed_fails": 3, "for": "60s"}
    arrivals = {"kind": "poisson", "rate": "5/s"}
    for outcome, rate, retries, served in (("server_error", "20%", 2, 0.992), ("rate_limited", "50%", 0, 0.5)):
        error = {"errors": {outcome: {"rate": rate, "latency": "100ms"}}}
        traced = played(
            LITELLM,
            {"a": provider("100ms", model=error)},
            arrivals=arrivals,
            horizon="10min",
            retries=retries,
            cooldown=allowed,
        )
        assert (traced.requests.outcome == "ok").mean() == pytest.approx(served, abs=0.03)


def test_litellm_loses_a_third_where_two_deployments_refuse_a_fifth_of_their_calls() -> None:
    """At 5 requests/s and a cooldown of 1 s the Router loses 32.9 +- 0.8 %."""
    error = {"errors": {"rate_limited": {"rate": "20%", "latency": "20ms"}}}
    traced = played(
        LITELLM,
        {name: provider("20ms", model=error) for name in "ab"},
        chain=[group("a", "b")],
        arrivals={"kind": "poisson", "rate": "5/s"},
        horizon="1h",
        cooldown={"for": "1s"},
    )
    assert (traced.requests.outcome != "ok").mean() == pytest.approx(0.329, abs=0.02)


def test_portkey_waits_one_to_sixteen_seconds_without_jitter() -> None:
    traced = played(PORTKEY, {"a": failing()}, retries=5)
    assert gaps(traced) == exactly([1.0, 2.0, 4.0, 8.0, 16.0])


def test_portkey_makes_one_call_by_default_and_falls_back_on_any_error() -> None:
    traced = played(PORTKEY, {"a": failing("client_error", 401), "b": serving()})
    assert traced.legs() == ["a/m", "b/m"]


@pytest.mark.parametrize(
    ("outcome", "status", "calls"),
    [
        ("overloaded", None, 1),
        ("client_error", 408, 1),
        ("server_error", 501, 1),
        ("server_error", 504, 2),
        ("rate_limited", None, 2),
        ("connection_error", None, 2),
    ],
)
def test_what_portkey_retries(outcome: str, status: int | None, calls: int) -> None:
    assert len(played(PORTKEY, {"a": failing(outcome, status)}, retries=1).calls()) == calls


def test_portkey_honours_a_retry_after_of_a_minute_in_all() -> None:
    short = played(PORTKEY, {"a": refusing_for("50s")}, requests=2, retries=3)
    assert gaps(short, 1) == exactly([short.calls(1)[0].retry_after_s])
    assert played(PORTKEY, {"a": refusing_for("70s")}, requests=2, retries=3).outcomes(1) == ["rate_limited"]
    both = played(PORTKEY, {"a": refusing_for("35s")}, requests=3, retries=5)
    assert [len(both.calls(number)) for number in range(3)] == [1, 2, 2]  # the third would wait 35 s twice


def test_portkey_draws_one_target_by_weight_and_no_second() -> None:
    traced = played(PORTKEY, {"a": failing(), "b": serving()}, chain=[group("a", "b")], requests=MANY, retries=2)
    called = traced.attempts.groupby("request_id").leg.agg(["nunique", "count", "first"])
    assert (called["nunique"] == 1).all()
    assert called.groupby("first", observed=True)["count"].unique().map(list).to_dict() == {"a/m": [3], "b/m": [1]}
    assert called["first"].eq("a/m").mean() == pytest.approx(0.5, abs=0.1)


def test_portkeys_breaker_opens_for_thirty_seconds_and_is_bypassed_when_all_are_open() -> None:
    traced = played(
        "portkey-hosted@2026-05",
        {"a": failing(), "b": failing()},
        chain=[group("a", "b", routing="ordered")],
        **every(1, 30),
    )
    opened = traced.transitions[traced.transitions["to"] == "open"]
    assert opened.time_s.to_list() == exactly([10.0, 20.0])  # ten failures of a, then ten of b
    assert len(traced.attempts) == 30  # and then calls in spite of both
    closed = traced.transitions[traced.transitions["to"] == "closed"]
    assert closed.time_s.min() == pytest.approx(40.0) if len(closed) else True


def test_bifrost_grows_to_five_seconds_a_fifth_more_or_less() -> None:
    waits = all_gaps(played("bifrost@2026", {"a": failing()}, requests=MANY, retries=5), calls=6)
    for k, wait_s in enumerate((0.5, 1.0, 2.0, 4.0, 5.0)):
        fill(waits[:, k], 0.8 * wait_s, 1.2 * wait_s)


def test_bifrost_gives_up_after_thirty_seconds_without_retries() -> None:
    traced = played("bifrost@2026", {"a": hanging(), "b": serving()})
    assert traced.legs() == ["a/m", "b/m"]
    assert traced.calls()[0].end_s == pytest.approx(30.0)


def test_kong_tries_its_targets_six_times_at_once() -> None:
    targets = [group("a", "b", routing="weighted")]
    traced = played("kong-ai@3.13", {"a": failing("connection_error"), "b": failing("connection_error")}, chain=targets)
    assert len(traced.calls()) == 6
    assert gaps(traced) == exactly([0.0] * 5)


@pytest.mark.parametrize("outcome", ["server_error", "rate_limited"])
def test_kong_returns_statuses_as_they_are(outcome: str) -> None:
    traced = played("kong-ai@3.13", {"a": failing(outcome), "b": serving()})
    assert traced.outcomes() == [outcome]


def test_cloudflare_makes_five_calls() -> None:
    traced = played("cloudflare-ai@2026", {"a": failing()})
    assert gaps(traced) == exactly([0.1, 0.2, 0.4, 0.8])


def test_helicone_ejects_what_fails_more_than_a_tenth_of_twenty_calls() -> None:
    traced = played("helicone@2025-07", {"a": failing(), "b": serving()}, chain=[group("a", "b")], **every(1, 90))
    ejected = traced.transitions[traced.transitions["to"] == "ejected"].time_s.to_numpy()
    assert len(ejected) >= 1
    assert ejected[0] % 5.0 == pytest.approx(0.0)
    calls = traced.attempts[(traced.attempts.leg == "a/m") & (traced.attempts.end_s <= ejected[0])]
    assert len(calls) >= 20
    starts = traced.attempts[traced.attempts.leg == "a/m"].start_s.to_numpy()
    assert not ((starts > ejected[0]) & (starts < ejected[0] + 30.0)).any()


def test_helicone_removes_a_provider_for_a_minute_by_a_429_without_retry_after() -> None:
    traced = played(
        "helicone@2025-07",
        {"a": failing("rate_limited"), "b": serving()},
        chain=[group("a", "b", routing="ordered")],
        **every(1, 100),
    )
    out = traced.transitions[traced.transitions["to"] == "ejected"].time_s.min()
    back = traced.transitions[traced.transitions["from"] == "ejected"].time_s.min()
    assert out == pytest.approx(1.0)
    assert 60.0 <= back - out <= 65.0
