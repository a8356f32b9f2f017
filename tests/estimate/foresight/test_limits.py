"""Limits that the load exceeds: the share of refused calls is foretold, and mended scenarios have no fault."""

from typing import Any

import pytest
from engine.traced import poisson, provider, scenario, window

from estimate.foresight.faulty import faults, lost_share, only_fault, run, share_of

DOWN = [window("0s", "1d")]


def _failover(limits: dict[str, Any], rate: str = "2/s", retries: int = 0, **rest: Any) -> dict[str, Any]:
    return scenario(
        {"a": provider("1s", incidents=DOWN), "b": provider("1s", limits=limits)},
        horizon="20min",
        arrivals=poisson(rate),
        chain=[{"provider": "a"}, {"provider": "b", "retries": retries}],
        **rest,
    )


def test_a_limit_below_the_load_refuses_the_foretold_share() -> None:
    faulty = scenario(
        {"a": provider("1s", limits={"requests": "60/min", "burst": 5})}, horizon="20min", arrivals=poisson("2/s")
    )
    found = only_fault(faulty)
    assert (found.code, found.path) == ("limit_exceeded", ("providers", "a", "limits", 0, "requests"))
    assert share_of(run(faulty), "a/m", "rate_limited") == pytest.approx(found.figures["refused_share"], abs=0.03)
    assert found.figures["refused_share"] == pytest.approx(0.5)
    enough = {"a": provider("1s", limits={"requests": "240/min", "burst": 50})}
    assert faults({**faulty, "providers": enough}) == {}


def test_what_a_failover_brings_to_the_next_leg_is_held_against_its_limit() -> None:
    faulty = _failover({"requests": "60/min", "burst": 5})
    found = only_fault(faulty)
    assert (found.code, found.path) == ("limit_exceeded_in_failover", ("providers", "b", "limits", 0, "requests"))
    assert found.figures["first_calls_per_s"] == pytest.approx(2.0)
    assert share_of(run(faulty), "b/m", "rate_limited") == pytest.approx(found.figures["refused_share"], abs=0.03)
    assert faults(_failover({"requests": "240/min", "burst": 50})) == {}


def test_without_an_outage_of_the_leg_before_there_is_no_failover() -> None:
    calm = _failover({"requests": "60/min", "burst": 5})
    calm["providers"]["a"].pop("incidents")
    assert faults(calm) == {}
    assert "b/m" not in set(run(calm).attempts.leg)


def test_retries_of_refused_calls_are_offered_to_the_limit_again() -> None:
    backoff = {"kind": "constant", "base": "5s", "jitter": "full"}
    faulty = _failover({"requests": "60/min", "burst": 5}, retries=2, policy={"backoff": backoff})
    found, traced = only_fault(faulty), run(faulty)
    calls = traced.attempts[traced.attempts.leg == "b/m"]
    assert found.figures["refused_share"] > found.figures["refused_at_first_share"] + 0.1
    assert share_of(traced, "b/m", "rate_limited") == pytest.approx(found.figures["refused_share"], abs=0.03)
    assert len(calls) / 1200.0 == pytest.approx(found.figures["offered_per_s"], rel=0.06)


def test_limits_on_tokens_are_held_against_the_tokens_of_the_failover() -> None:
    sizes = {"tokens": {"input": 900, "output": {"kind": "exponential", "mean": 100}}}
    faulty = _failover({"tokens": "60000/min"}, workload=sizes)
    found = only_fault(faulty)
    assert found.path == ("providers", "b", "limits", 0, "tokens")
    assert found.figures["first_calls_per_s"] == pytest.approx(2000.0)
    refused = share_of(run({**faulty, "horizon": "1h"}), "b/m", "rate_limited")
    assert refused == pytest.approx(found.figures["refused_share"], abs=0.03)


def test_of_calls_that_count_when_refused_the_share_admitted_has_a_closed_form() -> None:
    counting = {"requests": "60/min", "burst": 5, "counts_refused": True}
    faulty = scenario({"a": provider("1s", limits=counting)}, horizon="1h", arrivals=poisson("2/s"))
    found = only_fault(faulty)
    assert found.figures["refused_share"] == pytest.approx(0.7968, abs=1e-4)  # 1 - y, y = exp(-2 (1 - y))
    assert share_of(run(faulty), "a/m", "rate_limited") == pytest.approx(found.figures["refused_share"], abs=0.015)


def test_the_busiest_hour_decides_where_load_follows_the_clock() -> None:
    hours = [0.5] * 23 + [12.5]
    profiled = {"kind": "poisson", "rate": "1/s", "profile": {"hours": hours}}
    faulty = scenario({"a": provider("1s", limits={"requests": "5/s"})}, horizon="1d", arrivals=profiled)
    found = only_fault(faulty)
    assert found.figures["first_calls_per_s"] == pytest.approx(12.5)
    assert "at the busiest hour" in found.sentence


def test_a_batch_larger_than_the_burst_is_refused_by_the_foretold_share() -> None:
    faulty = scenario(
        {"a": provider("1s", limits={"requests": "60/min", "burst": 10})},
        horizon="1h",
        arrivals={"kind": "batch", "every": "10min", "size": 40},
    )
    found = only_fault(faulty)
    assert (found.code, found.path) == ("batch_exceeds_burst", ("providers", "a", "limits", 0, "requests"))
    assert lost_share(run(faulty)) == pytest.approx(found.figures["refused_share"])
    waits = {**faulty, "chain": [{"provider": "a", "retries": 100}], "policy": {"retry_after": "honour"}}
    last_s = run(waits).requests.latency_s.max()
    assert last_s >= found.figures["rest_s"]


def test_places_too_few_for_the_load_refuse_the_foretold_share() -> None:
    faulty = scenario({"a": provider("10s", model={"capacity": 10})}, horizon="1h", arrivals=poisson("2/s"))
    found = only_fault(faulty)
    assert (found.code, found.path) == ("capacity_exceeded", ("providers", "a", "models", "m", "capacity"))
    refused = share_of(run(faulty), "a/m", "overloaded")
    assert refused == pytest.approx(found.figures["refused_share"], abs=0.06)
    assert faults({**faulty, "providers": {"a": provider("10s", model={"capacity": 60})}}) == {}


def test_a_surge_turns_away_the_foretold_share_of_the_fallbacks_calls() -> None:
    faulty = scenario(
        {"a": provider("1s", incidents=DOWN), "b": provider("1s")},
        horizon="20min",
        arrivals=poisson("2/s"),
        surge={"when": "a", "to": "b", "load": 1.6},
    )
    found = only_fault(faulty)
    assert (found.code, found.path) == ("surge_overloads_fallback", ("chain", 1, "retries"))
    assert share_of(run(faulty), "b/m", "overloaded") == pytest.approx(found.figures["refused_share"], abs=0.04)


def test_guards_that_pass_over_a_refusing_leg_make_no_figure() -> None:
    guarded = scenario(
        {"a": provider("1s", limits={"requests": "60/min", "burst": 5}), "b": provider("1s")},
        arrivals=poisson("2/s"),
        chain=[{"group": "g", "legs": [{"provider": "a"}, {"provider": "b"}]}],
        policy={"cooldown": {"on": ["rate_limited"], "for": "5s"}, "retries": 1},
    )
    assert "limit_exceeded" not in faults(guarded)
