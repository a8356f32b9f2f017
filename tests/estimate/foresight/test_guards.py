"""Guards that black out an entry at random, or never act: as foretold."""

from typing import Any

import pytest
from engine.traced import Traced, poisson, provider, scenario, window

from estimate.foresight.faulty import faults, only_fault, run

REFUSING = {"errors": {"rate_limited": {"rate": 0.05, "latency": "10ms"}}}


def _kept_out(traced: Traced) -> float:
    return float((traced.requests.error_type == "circuit_open").mean())


def _cooled(legs: int, rate: str = "3/s", **policy: Any) -> dict[str, Any]:
    names = "abc"[:legs]
    return scenario(
        {name: provider("50ms", **REFUSING) for name in names},
        horizon="30min",
        arrivals=poisson(rate),
        chain=[{"group": "g", "legs": [{"provider": name} for name in names], "routing": "least_busy"}],
        policy={"cooldown": {"also_on": ["rate_limited"], "for": "5s"}, **policy},
    )


@pytest.mark.parametrize("legs", [1, 2])
def test_a_cooldown_blacks_out_the_foretold_share_of_the_requests(legs: int) -> None:
    faulty = _cooled(legs)
    found = only_fault(faulty)
    assert (found.code, found.path) == ("guard_blackout", ("policy", "cooldown", "also_on"))
    assert _kept_out(run(faulty)) == pytest.approx(found.figures["blackout_share"], abs=0.05)


def test_a_breaker_of_a_leg_alone_does_the_same() -> None:
    breaker = {"kind": "consecutive", "failures": 1, "open": "10s"}
    faulty = scenario(
        {"a": provider("50ms", **REFUSING)}, horizon="1h", arrivals=poisson("2/s"), policy={"breaker": breaker}
    )
    found = only_fault(faulty)
    assert found.path == ("policy", "breaker", "failures")
    assert _kept_out(run(faulty)) == pytest.approx(found.figures["blackout_share"], abs=0.06)
    patient = {**faulty, "policy": {"breaker": {**breaker, "failures": 5}}}
    assert faults(patient) == {}
    assert _kept_out(run(patient)) < 0.02


def test_cooldowns_that_bypass_or_allow_fails_or_meet_little_load_black_out_nothing() -> None:
    spared = {"also_on": ["rate_limited"], "for": "5s", "all_open": "bypass"}
    allowed = {"allowed_fails": 10, "for": "5s"}
    for mended in (_cooled(2, cooldown=spared), _cooled(2, cooldown=allowed), _cooled(3, rate="6/min")):
        assert faults(mended) == {}
        assert _kept_out(run(mended)) < 0.02


def _guarded(rate: str, **policy: Any) -> dict[str, Any]:
    return scenario(
        {"a": provider("1s", incidents=[window("10min", "50min")]), "b": provider("1s")},
        horizon="1h",
        arrivals=poisson(rate),
        policy=policy,
    )


BREAKER = {"kind": "time_window", "window": "10s", "failure_share": 0.5, "minimum": 20, "open": "30s"}


def test_a_breaker_that_needs_more_calls_than_come_never_opens() -> None:
    faulty = _guarded("6/min", breaker=BREAKER)
    found, traced = faults(faulty)["guard_never_acts"], run(faulty)
    assert found.path == ("policy", "breaker", "minimum")
    assert found.figures["calls_in_window"] == pytest.approx(1.0)
    assert not (traced.transitions.kind == "breaker").any()


def test_a_breaker_that_gets_enough_calls_opens() -> None:
    busy = _guarded("3/s", breaker=BREAKER)
    assert "guard_never_acts" not in faults(busy)
    opened = run(busy).transitions
    assert ((opened.kind == "breaker") & (opened["to"] == "open")).any()


def test_a_breaker_that_does_not_count_the_outages_failures_never_opens() -> None:
    faulty = _guarded("1/s", breaker={"kind": "consecutive", "failures": 2, "open": "30s", "counts": ["timeout"]})
    found, traced = only_fault(faulty), run(faulty)
    assert (found.code, found.path) == ("guard_never_acts", ("policy", "breaker", "counts"))
    assert not (traced.transitions.kind == "breaker").any()
    assert faults(_guarded("1/s", breaker={"kind": "consecutive", "failures": 2, "open": "30s"})) == {}
