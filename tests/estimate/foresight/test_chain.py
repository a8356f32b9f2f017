"""Fallbacks that are none: what is foretold of them is what a run shows."""

from typing import Any

import pytest
from engine.traced import poisson, provider, scenario, window

from des.faults.marginals import marginals_over
from des.scenario import from_mapping, plans
from des.scenario.text.units import YEAR_S
from estimate.foresight.faulty import faults, lost_share, only_fault, run

DOWN = [window("0s", "1d")]


def _tagged(*requirements: dict[str, Any], b: str = "us") -> dict[str, Any]:
    return scenario(
        {"a": provider("1s", tags={"region": "eu"}, incidents=DOWN), "b": provider("1s", tags={"region": b})},
        horizon="1h",
        arrivals=poisson("1/s"),
        workload={"requirements": list(requirements)},
        chain=[{"provider": "a"}, {"provider": "b"}],
    )


def test_requests_whose_tags_exclude_the_fallback_are_lost_in_an_outage() -> None:
    faulty = _tagged({"share": 0.3, "tags": {"region": "eu"}})
    found = only_fault(faulty)
    assert found.code == "requirement_without_fallback"
    assert found.path == ("workload", "requirements", 0, "tags")
    assert lost_share(run(faulty)) == pytest.approx(found.figures["without_fallback_share"], abs=0.03)
    assert faults(_tagged({"share": 0.3, "tags": {"region": "eu"}}, b="eu")) == {}


def test_requests_that_no_leg_may_serve_are_rejected() -> None:
    faulty = _tagged({"share": 0.3, "tags": {"region": "ap"}})
    faulty["providers"]["c"] = provider("1s", tags={"region": "ap"})
    found = only_fault(faulty)
    assert found.code == "requirement_without_leg"
    outcomes = run(faulty).requests.outcome
    assert (outcomes == "rejected").mean() == pytest.approx(found.figures["rejected_share"], abs=0.03)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"policy": {"fallback_depth": 0}}, ("policy", "fallback_depth")),
        ({"chain": [{"group": "g", "legs": [{"provider": "a"}, {"provider": "b"}]}]}, ("chain", 0)),
        (
            {
                "chain": [{"group": "g", "legs": [{"provider": "a", "weight": 1}, {"provider": "b", "weight": 0}]}],
                "policy": {"routing": "weighted"},
            },
            ("chain", 0, "legs", 1, "weight"),
        ),
    ],
    ids=["depth", "always second", "no weight"],
)
def test_a_leg_that_is_never_called_is_foretold(changes: dict[str, Any], path: tuple[str | int, ...]) -> None:
    faulty = {**scenario({"a": provider("1s", incidents=DOWN), "b": provider("1s")}), **changes}
    found = only_fault(faulty)
    assert (found.code, found.path) == ("leg_never_called", path)
    assert set(run(faulty).attempts.leg) == {"a/m"}


def test_a_cooldown_lets_later_legs_of_a_group_in() -> None:
    cooled = scenario(
        {"a": provider("1s", incidents=DOWN), "b": provider("1s")},
        chain=[{"group": "g", "legs": [{"provider": "a"}, {"provider": "b"}], "cooldown": {"on": ["server_error"]}}],
        policy={"retries": 1},
    )
    assert "leg_never_called" not in faults(cooled)
    assert "b/m" in set(run(cooled).attempts.leg)


def test_an_outage_whose_failures_do_not_fall_back_loses_what_is_foretold() -> None:
    incident = window("0s", "1d", outcome="client_error", error_rate=0.6)
    faulty = scenario(
        {"a": provider("1s", incidents=[incident]), "b": provider("1s")}, horizon="1h", arrivals=poisson("1/s")
    )
    found = only_fault(faulty)
    assert (found.code, found.path) == ("outage_without_fallback", ("chain", 0, "fallback_on"))
    assert lost_share(run(faulty)) == pytest.approx(found.figures["lost_in_incident_share"], abs=0.04)
    mended = {**faulty, "policy": {"fallback_on": ["client_error"]}}
    assert faults(mended) == {}
    assert lost_share(run(mended)) == 0.0


def _behind_cdn(*behind: str) -> dict[str, Any]:
    own = [{"kind": "poisson", "rate": "10/y", "duration": "1h"}]
    shared = {"cdn": {"incidents": [{"kind": "poisson", "rate": "2/y", "duration": "2h"}]}}
    return scenario(
        {name: provider("1s", incidents=own, depends_on=["cdn"] if name in behind else []) for name in ("a", "b", "c")},
        horizon="1y",
        arrivals=poisson("1/d"),
        components=shared,
    )


def test_outages_that_all_legs_share_are_foretold_with_their_part_of_the_loss() -> None:
    found = only_fault(_behind_cdn("a", "b", "c"))
    assert (found.code, found.path) == ("shared_outages", ("providers", "c", "depends_on"))
    together, alone = (
        marginals_over(plans(from_mapping(each))["as_modelled"], [0], 300.0 * YEAR_S).all_down.unavailability
        for each in (_behind_cdn("a", "b", "c"), _behind_cdn("a", "b"))
    )
    assert together == pytest.approx(found.figures["all_down_share"], rel=0.15)
    assert together == pytest.approx(found.figures["down_share"], rel=0.15)
    assert alone < 0.1 * together
    assert faults(_behind_cdn("a", "b")) == {}


def test_models_of_one_provider_share_its_outages() -> None:
    model = {"price": {"per_request": 0}}
    of_provider = [{"kind": "poisson", "rate": "10/y", "duration": "1h"}]
    faulty = scenario(
        {"a": {"latency": "1s", "incidents": of_provider, "models": {"m": model, "n": model}}},
        chain=[{"provider": "a", "model": "m"}, {"provider": "a", "model": "n"}],
        horizon="1y",
        arrivals=poisson("1/d"),
    )
    found = only_fault(faulty)
    assert (found.code, found.path) == ("shared_outages", ("chain", 1, "provider"))
    assert found.figures["hours_per_year"] == pytest.approx(10.0, rel=0.01)
