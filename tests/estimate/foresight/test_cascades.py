"""Cascades and hedges: a trigger starts what is foretold, and it goes on when the trigger is over."""

from typing import Any

import pytest
from engine.traced import poisson, provider, scenario, window

from estimate.foresight.faulty import faults, lost_share, only_fault, run

COUNTING = {"requests": "180/min", "burst": 18, "counts_refused": True}


def _refused(rate: str = "2/s", **rest: Any) -> dict[str, Any]:
    return scenario(
        {"a": provider("1s", incidents=[window("2min", "4min")], limits=COUNTING)},
        horizon="30min",
        arrivals=poisson(rate),
        chain=[{"provider": "a", "retries": 8}],
        policy={"backoff": {"kind": "constant", "base": "20s", "jitter": "full"}, **rest.pop("policy", {})},
        **rest,
    )


def test_refusals_that_count_keep_a_limit_exhausted_as_foretold() -> None:
    faulty = _refused()
    found, traced = only_fault(faulty), run(faulty)
    assert found.code == "refusals_keep_limit_exhausted"
    assert found.path == ("providers", "a", "limits", 0, "counts_refused")
    assert lost_share(traced, after_s=600.0) == pytest.approx(found.figures["lost_share"], abs=0.06)
    calm = dict(faulty, providers={"a": provider("1s", limits=COUNTING)})
    assert lost_share(run(calm)) == pytest.approx(found.figures["lost_by_itself_share"], abs=0.01)


def test_less_load_fewer_retries_and_refusals_that_do_not_count_recover() -> None:
    uncounted = {"a": provider("1s", incidents=[window("2min", "4min")], limits={**COUNTING, "counts_refused": False})}
    for mended in (_refused(rate="0.7/s"), dict(_refused(), chain=["a"]), dict(_refused(), providers=uncounted)):
        if mended["chain"] == ["a"]:
            mended["chain"] = [{"provider": "a"}]
        assert faults(mended) == {}
        assert lost_share(run(mended), after_s=600.0) < 0.02


def test_of_clients_that_hold_back_calls_no_collapse_is_foretold() -> None:
    assert faults(_refused(policy={"breaker": {"kind": "consecutive", "failures": 5, "open": "30s"}})) == {}


def _queued(rate: str = "28/s", queue: int = 60, **leg: Any) -> dict[str, Any]:
    slow = window("20s", "40s", error_rate=0, latency_factor=3)
    return scenario(
        {"a": provider("1s", capacity={"concurrent": 30, "queue": queue}, incidents=[slow])},
        horizon="3min",
        arrivals=poisson(rate),
        chain=[{"provider": "a", **leg}],
    )


def test_abandoned_calls_keep_a_queue_full_as_foretold() -> None:
    faulty = _queued(timeout="2.5s", retries=1)
    found, traced = only_fault(faulty), run(faulty)
    assert (found.code, found.path) == ("abandoned_calls_keep_queue_full", ("chain", 0, "retries"))
    assert lost_share(traced, after_s=100.0) > 0.5
    late = traced.attempts[traced.attempts.start_s >= 100.0]
    assert len(late) / 80.0 == pytest.approx(found.figures["offered_per_s"], rel=0.1)


@pytest.mark.parametrize(
    "mended",
    [
        _queued(rate="14/s", timeout="2.5s", retries=1),
        _queued(rate="22/s", timeout="2.5s"),
        _queued(timeout="4s", retries=1),
        _queued(timeout="2.5s", retries=1, queue=20),
    ],
    ids=["less load", "no retries", "patience", "a short queue"],
)
def test_with_less_load_no_retries_patience_or_a_short_queue_it_recovers(mended: dict[str, Any]) -> None:
    assert faults(mended) == {}
    assert lost_share(run(mended), after_s=120.0) < 0.1


def test_hedges_keep_a_queue_full_as_foretold() -> None:
    faulty = _queued(queue=200, hedge={"after": "3s"})
    found, traced = faults(faulty)["hedges_keep_queue_full"], run(faulty)
    assert found.path == ("chain", 0, "hedge", "after")
    late = traced.attempts[traced.attempts.start_s >= 120.0]
    arrived = int((traced.requests.arrival_s >= 120.0).sum())
    assert len(late) / arrived == pytest.approx(found.figures["offered_per_s"] / 28.0, abs=0.1)
    assert lost_share(traced, after_s=120.0) == pytest.approx(found.figures["refused_share"], abs=0.08)
    without = _queued(queue=200)
    assert "hedges_keep_queue_full" not in faults(without)
    assert lost_share(run(without), after_s=120.0) < 0.1


def test_layers_of_retries_multiply_as_foretold() -> None:
    faulty = scenario(
        {"a": provider("1s", incidents=[window("0s", "1h")])},
        arrivals=poisson("1/s"),
        chain=[{"provider": "a", "retries": 3}],
        policy={"clients": [{"retries": 2}]},
    )
    found = only_fault(faulty)
    assert (found.code, found.path) == ("retry_amplification", ("chain", 0, "retries"))
    traced = run(faulty)
    assert len(traced.attempts) / len(traced.requests) == found.figures["calls_per_request"] == 12.0
    patient = {**faulty, "policy": {"clients": [{"retries": 2}], "backoff": "1min"}}
    assert faults(patient) == {}


def test_the_copies_of_a_hedge_are_foretold() -> None:
    latency = {"kind": "lognormal", "median": "1s", "p95": "4s"}
    faulty = scenario(
        {"a": provider(latency)},
        horizon="20min",
        arrivals=poisson("5/s"),
        chain=[{"provider": "a", "hedge": {"after": "1s", "at_most": 2}}],
    )
    found, traced = only_fault(faulty), run(faulty)
    assert (found.code, found.path) == ("hedge_load", ("chain", 0, "hedge", "after"))
    calls, copies = ((traced.attempts.kind == kind).sum() for kind in ("call", "hedge"))
    assert copies / calls == pytest.approx(found.figures["copies_per_call"], abs=0.03)
    assert (
        faults({**faulty, "chain": [{"provider": "a", "hedge": {"after": found.remedy.split()[1].strip(",")}}]}) == {}
    )


def test_a_hedge_that_doubles_the_load_of_slow_answers_is_foretold() -> None:
    slow = [window("0s", "1h", error_rate=0, latency_factor=4)]
    faulty = scenario(
        {"a": provider({"kind": "lognormal", "median": "1s", "p95": "3s"}, incidents=slow)},
        horizon="10min",
        arrivals=poisson("5/s"),
        chain=[{"provider": "a", "hedge": {"after": "3s"}}],
    )
    found, traced = only_fault(faulty), run(faulty)
    assert found.figures["copies_per_call"] == pytest.approx(0.05, abs=0.001)
    calls, copies = ((traced.attempts.kind == kind).sum() for kind in ("call", "hedge"))
    assert copies / calls == pytest.approx(found.figures["copies_per_call_in_incident"], abs=0.04)
