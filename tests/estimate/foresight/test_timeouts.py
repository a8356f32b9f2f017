"""Faults of time-outs: what is foretold is what a run shows, and mended scenarios have none."""

from typing import Any

import pytest
from engine.traced import poisson, provider, scenario, window

from estimate.foresight.faulty import faults, lost_share, only_fault, run, share_of

TOKENS = {"tokens": {"output": {"kind": "lognormal", "median": 129, "p99": 601}}}
STREAMED = {"first_token": {"kind": "lognormal", "median": "900ms", "p99": "4s"}, "tokens_per_second": 60}
HANGS = {"incidents": [window("0s", "1h", hang=1.0)]}


def _slow(**leg: Any) -> dict[str, Any]:
    return scenario(
        {"a": provider(STREAMED)},
        horizon="1h",
        arrivals=poisson("4/s"),
        workload=TOKENS,
        chain=[{"provider": "a", **leg}],
    )


def test_answers_that_exceed_their_timeout_are_foretold_and_so_are_their_retries() -> None:
    faulty = _slow(timeout="8s", retries=1)
    found, traced = only_fault(faulty), run(faulty)
    assert found.code == "slow_answers"
    assert found.path == ("chain", 0, "timeout")
    once = share_of(traced, "a/m", "timeout", attempt=0)
    again = share_of(traced, "a/m", "timeout", attempt=1)
    assert 0.03 < once < 0.08
    assert once == pytest.approx(found.figures["timed_out_share"], abs=0.006)
    assert again == pytest.approx(found.figures["timed_out_again_share"], abs=0.08)
    assert again > 10.0 * once
    assert "same tokens" in found.sentence


def test_the_timeout_that_the_remedy_names_lets_nearly_all_answers_through() -> None:
    found = only_fault(_slow(timeout="8s"))
    mended = _slow(timeout=found.remedy.split()[1])
    assert faults(mended) == {}
    assert share_of(run(mended), "a/m", "timeout") < 0.003


def test_a_slow_first_token_names_its_own_field() -> None:
    found = only_fault(_slow(timeout={"first_token": "2s", "total": "60s"}))
    assert found.path == ("chain", 0, "timeout", "first_token")
    traced = run(_slow(timeout={"first_token": "2s", "total": "60s"}))
    assert share_of(traced, "a/m", "timeout") == pytest.approx(found.figures["timed_out_share"], abs=0.012)


def test_retries_that_do_not_depend_on_tokens_are_as_slow_as_first_calls() -> None:
    faulty = scenario(
        {"a": provider({"kind": "exponential", "mean": "1s"})},
        arrivals=poisson("1/s"),
        chain=[{"provider": "a", "timeout": "2s", "retries": 1}],
    )
    figures = only_fault(faulty).figures
    assert figures["timed_out_again_share"] == pytest.approx(figures["timed_out_share"])
    assert figures["timed_out_share"] == pytest.approx(0.1353, abs=1e-4)


def test_answers_that_take_longer_than_the_deadline_are_foretold() -> None:
    faulty = scenario(
        {"a": provider({"kind": "exponential", "mean": "1s"})},
        horizon="1h",
        arrivals=poisson("2/s"),
        policy={"deadline": "2s"},
    )
    found = only_fault(faulty)
    assert (found.code, found.path) == ("answers_past_deadline", ("policy", "deadline"))
    assert lost_share(run(faulty)) == pytest.approx(found.figures["past_deadline_share"], abs=0.016)


def test_hangs_without_any_bound_are_lost_as_foretold() -> None:
    faulty = scenario({"a": provider("1s", errors={"hang": 0.2})}, horizon="1h", arrivals=poisson("1/s"))
    found = only_fault(faulty)
    assert (found.code, found.path) == ("hang_without_timeout", ("chain", 0, "timeout"))
    assert lost_share(run(faulty)) == pytest.approx(found.figures["hang_share"], abs=0.03)
    for bound in ({"chain": [{"provider": "a", "timeout": "5s"}]}, {"policy": {"deadline": "60s"}}):
        assert "hang_without_timeout" not in faults({**faulty, **bound})


def _hanging_first(timeout: str, **rest: Any) -> dict[str, Any]:
    return scenario(
        {"a": provider("1s", **HANGS), "b": provider("1s")},
        horizon="10min",
        arrivals=poisson("1/s"),
        chain=[{"provider": "a", "timeout": timeout, "retries": 2}, {"provider": "b"}],
        **rest,
    )


def test_a_deadline_that_comes_before_the_fallback_loses_every_request_of_a_hang() -> None:
    backoff = {"kind": "exponential", "base": "1s", "factor": 2, "jitter": "full"}
    faulty = _hanging_first("10s", policy={"deadline": "20s", "backoff": backoff})
    found, traced = only_fault(faulty), run(faulty)
    assert (found.code, found.path) == ("fallback_after_deadline", ("chain", 0, "timeout"))
    assert found.figures["mean_s"] == pytest.approx(31.5)
    assert found.figures["most_s"] == pytest.approx(33.0)
    assert lost_share(traced) == 1.0
    assert "b/m" not in set(traced.attempts.leg)


def test_the_time_until_the_fallback_is_foretold() -> None:
    backoff = {"kind": "exponential", "base": "1s", "factor": 2, "jitter": "full"}
    with_time = _hanging_first("10s", policy={"deadline": "40s", "backoff": backoff})
    assert "fallback_after_deadline" not in faults(with_time)
    traced = run(with_time)
    calls = traced.attempts[traced.attempts.leg == "b/m"].set_index("request_id")
    arrived = traced.requests.set_index("request_id").arrival_s
    waited_s = (calls.start_s - arrived.reindex(calls.index)).mean()
    assert waited_s == pytest.approx(only_fault(with_time).figures["fallback_after_s"], rel=0.01)


def test_errors_and_their_back_off_may_use_up_the_deadline_too() -> None:
    faulty = scenario(
        {"a": provider("1s", incidents=[window("0s", "1h")]), "b": provider("1s")},
        horizon="10min",
        arrivals=poisson("1/s"),
        chain=[{"provider": "a", "retries": 3}, {"provider": "b"}],
        policy={"deadline": "20s", "backoff": "10s"},
    )
    found = only_fault(faulty)
    assert (found.code, found.path) == ("fallback_after_deadline", ("chain", 0, "retries"))
    assert found.figures["mean_s"] == pytest.approx(30.8)
    assert lost_share(run(faulty)) == 1.0
    assert faults({**faulty, "policy": {"deadline": "20s", "backoff": "2s"}}) == {}
    assert lost_share(run({**faulty, "policy": {"deadline": "20s", "backoff": "2s"}})) == 0.0


def test_a_timeout_far_beyond_all_answers_makes_the_fallback_late() -> None:
    faulty = _hanging_first("60s")
    found = only_fault(faulty)
    assert (found.code, found.path) == ("late_fallback", ("chain", 0, "timeout"))
    traced = run(faulty)
    assert traced.requests.latency_s.min() == pytest.approx(found.figures["fallback_after_s"] + 1.0)
    assert faults(_hanging_first("3s")) == {}
    guarded = {"kind": "consecutive", "failures": 3, "open": "10s"}
    assert faults(_hanging_first("60s", policy={"breaker": guarded})) == {}
