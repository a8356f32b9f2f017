"""Rate limits in a run: what is admitted, what is refused, and what a client that is told to wait makes of it."""

from typing import Any

import numpy as np
import pytest

from engine.traced import at, poisson, provider, run, scenario


def refusing(refusal: Any = "100ms", **limits: Any) -> dict[str, Any]:
    return provider(0, limits={"refusal_latency": refusal, **limits})


def test_a_full_bucket_admits_its_burst_at_once() -> None:
    traced = run(scenario({"a": refusing(requests="1/d", burst=7)}, arrivals=at("0s", size=10)))
    by_number = traced.attempts.sort_values("request_id")
    assert list(by_number.outcome) == ["ok"] * 7 + ["rate_limited"] * 3
    assert set(by_number.end_s[7:]) == {0.1}
    assert set(traced.requests[traced.requests.outcome == "failed"].lost_to) == {"limit a"}


def test_without_a_burst_a_bucket_holds_the_requests_of_one_second_and_at_least_one() -> None:
    for requests, admitted in (("5/s", 5), ("1/min", 1)):
        traced = run(scenario({"a": refusing(requests=requests)}, arrivals=at("0s", size=10)))
        assert (traced.attempts.outcome == "ok").sum() == admitted


def test_a_refusal_says_when_a_token_is_there() -> None:
    traced = run(scenario({"a": refusing(requests="3/min", burst=1)}, horizon="15s"))
    assert traced.calls(1)[0].retry_after_s == 10.0
    assert np.isnan(traced.calls(0)[0].retry_after_s)


@pytest.mark.parametrize(("requests", "refill_s"), [("6/min", 10.0), ("20/min", 3.0), ("3/s", 1 / 3)])
@pytest.mark.parametrize("every", ["0.7s", "1.3s", "7s", "10s"])
def test_no_refusal_asks_for_more_than_a_token_s_time(requests: str, refill_s: float, every: str) -> None:
    batches = {"kind": "batch", "every": every, "size": 15, "first": "1s"}
    traced = run(scenario({"a": refusing(requests=requests, burst=10)}, arrivals=batches, horizon="90s"))
    asked_s = traced.attempts.retry_after_s[traced.attempts.outcome == "rate_limited"]
    assert len(asked_s) > 20
    assert asked_s.between(0.0, refill_s, inclusive="right").all()


def test_refusals_cost_no_token() -> None:
    """A token every 20 s: however often the client asks in between."""
    chain = [{"provider": "a", "retries": 18}]
    traced = run(
        scenario(
            {"a": refusing(requests="3/min", burst=1)}, arrivals=at("0s", size=2), chain=chain, policy={"backoff": "1s"}
        )
    )
    assert traced.calls(1)[-1].outcome == "rate_limited"
    assert traced.calls(1)[-1].start_s == pytest.approx(18 * 1.1)
    longer = [{"provider": "a", "retries": 19}]
    traced = run(
        scenario(
            {"a": refusing(requests="3/min", burst=1)},
            arrivals=at("0s", size=2),
            chain=longer,
            policy={"backoff": "1s"},
        )
    )
    assert traced.calls(1)[-1].outcome == "ok"


@pytest.mark.parametrize("refusal", ["100ms", 0])
@pytest.mark.parametrize("requests", ["3/min", "7/min", "11/min", "13/min", "1.7/s", "0.3/s"])
def test_a_lone_client_that_waits_as_long_as_it_is_told_is_served_at_once(requests: str, refusal: Any) -> None:
    chain = [{"provider": "a", "retries": 5}]
    policy = {"retry_after": "honour", "backoff": "1ms"}
    providers = {"a": refusing(refusal, requests=requests, burst=1)}
    for first in ("0s", "1.3s", "17.1s"):
        traced = run(scenario(providers, arrivals=at(first, size=2), chain=chain, policy=policy))
        assert traced.outcomes(1) == ["rate_limited", "ok"]
        refused, served = traced.calls(1)
        assert served.start_s == pytest.approx(refused.end_s + max(refused.retry_after_s, 0.001))


def test_a_longer_back_off_than_asked_for_is_kept() -> None:
    policy = {"retry_after": "honour", "backoff": "30s"}
    chain = [{"provider": "a", "retries": 1}]
    providers = {"a": refusing(requests="3/min", burst=1)}
    traced = run(scenario(providers, arrivals=at("0s", size=2), chain=chain, policy=policy))
    assert traced.calls(1)[1].start_s == pytest.approx(30.1)


def test_retry_after_is_ignored_unless_honoured() -> None:
    chain = [{"provider": "a", "retries": 1}]
    providers = {"a": refusing(requests="3/min", burst=1)}
    traced = run(scenario(providers, arrivals=at("0s", size=2), chain=chain, policy={"backoff": "1s"}))
    assert traced.calls(1)[1].start_s == pytest.approx(1.1)
    assert traced.outcomes(1) == ["rate_limited", "rate_limited"]


def test_legs_of_one_account_share_its_limit() -> None:
    account = {
        "latency": 0,
        "limits": {"requests": "1/d", "burst": 5},
        "models": {name: {"price": {"per_request": 0}, "errors": {"server_error": 1}} for name in "xy"},
    }
    chain = [{"provider": "a", "model": "x"}, {"provider": "a", "model": "y"}]
    traced = run(scenario({"a": account}, arrivals=at("0s", size=6), chain=chain))
    assert (traced.attempts.outcome == "server_error").sum() == 5


def test_providers_do_not_share_limits() -> None:
    providers = {"a": refusing(requests="1/d", burst=2), "b": refusing(requests="1/d", burst=3)}
    traced = run(scenario(providers, arrivals=at("0s", size=6)))
    assert (traced.requests.outcome == "ok").sum() == 5


def test_no_window_admits_more_than_its_rate_and_burst() -> None:
    traced = run(scenario({"a": refusing(requests="2/s", burst=6)}, arrivals=poisson("4/s"), horizon="500s"))
    admitted = np.sort(traced.attempts.start_s[traced.attempts.outcome == "ok"].to_numpy())
    assert len(admitted) > 900
    # For any i < j: (j - i + 1) <= burst + rate x (t_j - t_i), that is: j - rate x t_j never rises by burst or more.
    ahead = np.arange(len(admitted)) - 2.0 * admitted
    assert (ahead - np.minimum.accumulate(ahead)).max() <= 6.0 - 1.0 + 1e-9


def test_nothing_is_refused_while_there_is_a_token() -> None:
    traced = run(scenario({"a": refusing(requests="2/s", burst=6)}, arrivals=poisson("4/s"), horizon="500s"))
    tokens, since = 6.0, 0.0
    for call in traced.attempts.sort_values(["start_s", "request_id"]).itertuples():
        tokens = min(6.0, tokens + 2.0 * (call.start_s - since))
        since = call.start_s
        assert (call.outcome == "ok") == (tokens >= 1.0 - 1e-9)
        if call.outcome == "ok":
            tokens -= 1.0
        else:
            assert call.retry_after_s == pytest.approx((1.0 - tokens) / 2.0, abs=1e-9)
