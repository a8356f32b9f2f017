"""How many incidents a run is to be expected to meet follows from the plan, and how many it met from its timelines."""

import math
from dataclasses import replace
from typing import Any

import pytest

from des.estimate.exact import exact
from des.estimate.unseen import EVERY_LEG, FEWEST, Unseen, unseen
from des.scenario.plan import Plan
from estimate.exact_plans import outages, plan_of, provider, up_down

SEEDS = 40
EVERY_HOUR_OF_NIGHT = {"hours": [6] * 4 + [0] * 20}
CLASSES: dict[str, dict[str, Any]] = {
    "poisson": outages("50/y", "10h"),
    "renewal": up_down("190h", "10h"),
    "marked renewal": {
        "kind": "marked_renewal",
        "between": {"kind": "weibull", "scale": "180h", "shape": 0.8},
        "duration": {"kind": "exponential", "mean": "10h"},
    },
    "with a profile": outages("50/y", "10h", profile=EVERY_HOUR_OF_NIGHT),
}


def behind_a_cdn(incidents: dict[str, Any], share: str = "100%", **rest: Any) -> Plan:
    return plan_of(
        components={"cdn": {"incidents": [incidents]}},
        providers={name: provider(depends_on=[{"cdn": share}]) for name in ("a", "b")},
        **rest,
    )


def of_class(found: tuple[Unseen, ...], component: str) -> Unseen:
    (one,) = [each for each in found if each.component == component and each.number == 0]
    return one


@pytest.mark.parametrize("shared", [1.0, 0.5, 0.0])
@pytest.mark.parametrize("share", ["100%", "40%"])
@pytest.mark.parametrize("kind", CLASSES)
def test_as_many_are_expected_as_timelines_hold_on_average(kind: str, share: str, shared: float) -> None:
    plan = replace(behind_a_cdn(CLASSES[kind], share, horizon="2d", start="2024-01-01T00:00Z"), shared=shared)
    found = [of_class(unseen(replace(plan, seed=seed), 2), "cdn") for seed in range(SEEDS)]
    expected = found[0].expected
    met = [one.met for one in found]
    mean = sum(met) / SEEDS
    error = math.sqrt(sum((count - mean) ** 2 for count in met) / (SEEDS - 1) / SEEDS)
    assert 0.0 < expected < FEWEST
    assert abs(mean - expected) < 4.5 * error


def test_a_component_that_starts_up_has_no_incident_open_before() -> None:
    plan = behind_a_cdn(outages("100/y", "100h"), horizon="2d")
    from_equilibrium = of_class(unseen(plan, 2), "cdn").expected
    after_a_start = of_class(unseen(replace(plan, start_up=True), 2), "cdn").expected
    assert after_a_start == pytest.approx(2 * 100 * 2 / 365)
    assert from_equilibrium == pytest.approx(2 * 100 * (2 + 100 / 24) / 365)


def test_what_they_can_cost_is_the_share_of_the_time_that_one_is_open() -> None:
    found = of_class(unseen(behind_a_cdn(outages("2/y", "10h"), horizon="1d"), 1), "cdn")
    assert found.unavailability == pytest.approx(1.0 - math.exp(-20 / 8760))
    assert found.unavailability == pytest.approx(exact(behind_a_cdn(outages("2/y", "10h"))).all_down)
    renewal = of_class(unseen(behind_a_cdn(up_down("990h", "10h"), horizon="1d"), 1), "cdn")
    assert renewal.unavailability == pytest.approx(0.01)


def test_classes_that_are_met_often_enough_are_not_named() -> None:
    assert unseen(behind_a_cdn(outages("20/y", "1h")), 1) == ()
    assert of_class(unseen(behind_a_cdn(outages("3/y", "1h")), 1), "cdn").expected < FEWEST


@pytest.mark.parametrize(
    "incidents",
    [
        {"kind": "schedule", "windows": [{"start": "1h", "duration": "30min"}]},
        outages("1/y", "1h", error_rate=0, latency_factor=1),
    ],
    ids=["known beforehand", "does nothing"],
)
def test_incidents_that_are_no_surprise_are_not_named(incidents: dict[str, Any]) -> None:
    assert unseen(behind_a_cdn(incidents, horizon="1d"), 1) == ()


def test_components_that_the_chain_does_not_reach_are_not_named() -> None:
    providers = {"a": provider(), "b": provider(incidents=[outages("1/y", "1h")])}
    plan = plan_of(providers=providers, horizon="1d", chain=[{"provider": "a"}])
    assert unseen(plan, 1) == ()


def test_a_failover_that_surges_towards_the_chain_counts() -> None:
    providers = {"a": provider(), "b": provider(incidents=[outages("1/y", "1h")])}
    surge = [{"when": "b", "to": "a", "load": 1.4}]
    plan = plan_of(providers=providers, horizon="1d", chain=[{"provider": "a"}], surge=surge)
    assert [one.component for one in unseen(plan, 1)] == ["b"]


def test_outages_that_coincide_too_seldom_are_named_where_each_is_frequent() -> None:
    """Each of two peers is out 40 times a year, both at once every few years."""
    plan = plan_of(providers={name: provider(incidents=[outages("40/y", "1h")]) for name in ("a", "b")})
    (found,) = unseen(plan, 2)
    closed = exact(plan)
    assert (found.component, found.number, found.endpoints) == (EVERY_LEG, None, ("a/model", "b/model"))
    assert found.unavailability == pytest.approx(closed.all_down)
    assert found.expected == pytest.approx(2 * (closed.all_down_episodes_per_year + closed.all_down))
    assert unseen(plan, 200) == ()


def test_coincidences_without_a_closed_form_are_counted_on_other_timelines() -> None:
    night = outages("100/y", "1h", profile=EVERY_HOUR_OF_NIGHT)
    plan = plan_of(providers={name: provider(incidents=[night]) for name in ("a", "b")}, horizon="30d")
    by_day = plan_of(providers={n: provider(incidents=[outages("100/y", "1h")]) for n in ("a", "b")}, horizon="30d")
    (found,), (flat,) = unseen(plan, 1), unseen(by_day, 1)
    # four hours of the night have six times the rate of each peer
    assert 3.0 < found.expected / flat.expected < 7.0


def test_where_requests_interact_the_first_two_of_three_matter() -> None:
    providers = {name: provider(incidents=[outages("40/y", "1h")]) for name in ("a", "b", "c")}
    alone = unseen(plan_of(providers=providers), 1)
    providers["c"]["limits"] = {"requests": "1/h", "burst": 1}
    (limited,) = unseen(plan_of(providers=providers), 1)
    assert [one.component for one in alone] == [EVERY_LEG]
    assert limited.component == "the first 2 endpoints"
    assert limited.unavailability > 100 * alone[0].unavailability


@pytest.mark.parametrize(
    ("expected", "number", "component", "words"),
    [
        (0.002, 0, "cloudflare", "0 of 0.002 expected outages of cloudflare"),
        (3.14159, 1, "cdn", "0 of 3.1 expected outages of cdn"),
        (0.0000123, 0, "cdn", "0 of 0.000012 expected outages of cdn"),
        (0.48, None, EVERY_LEG, "0 of 0.48 expected outages of every leg at once"),
    ],
)
def test_words(expected: float, number: int | None, component: str, words: str) -> None:
    one = Unseen(
        component=component, number=number, endpoints=(), outages=True, expected=expected, met=0, unavailability=0.1
    )
    assert one.words == words
    assert replace(one, outages=False).words == words.replace("outages", "incidents")
