"""Rare losses are found by simulation, unbiased, and agree with closed forms and the timeline."""

import math
from typing import Any

import numpy as np
import pytest

from des.estimate.estimate import Estimate, Inapplicable
from des.estimate.exact import exact
from des.estimate.rare import rare
from des.estimate.timeline import timeline
from des.theory.retries import all_fail_in_outage
from estimate.exact_plans import outages, plan_of, provider, up_down


def assert_agrees(figure: Estimate, expected: float) -> None:
    error = (figure.high - figure.mean) / 2.02
    assert abs(figure.mean - expected) <= 4.0 * error, f"{figure}, expected {expected:.8g}"


def test_three_providers_at_a_tenth_and_a_half_per_mille_are_down_together_as_often_as_exactly_known() -> None:
    one = provider(availability="99.86%", episodes_per_year=12)
    answer = rare(plan_of(providers={"a": one, "b": one, "c": one}), 240_000)
    assert_agrees(answer.all_down, 1.4e-3**3)
    assert answer.all_down.high - answer.all_down.mean < 0.05 * 1.4e-3**3
    assert answer.lost.mean == pytest.approx(1.4e-3**3, rel=1e-4)


def test_with_retries_three_providers_lose_what_independent_outages_leave() -> None:
    """Each provider's own chance of failing a call and its retries has a closed form; their product is the loss."""
    up_h = 1.0 / 1.4e-3 - 1.0
    one = provider(incidents=[{**up_down(f"{up_h}h", "1h"), "error_latency": 0}])
    plan = plan_of(
        providers={"a": one, "b": one, "c": one},
        chain=[{"provider": name, "retries": 2} for name in "abc"],
        policy={"backoff": {"kind": "exponential", "base": "2min", "factor": 2}},
    )
    expected = all_fail_in_outage(up_h, 1.0, [1.0 / 30.0, 1.0 / 15.0]) ** 3
    answer = rare(plan, 240_000)
    assert_agrees(answer.lost, expected)
    assert answer.relative_half_width < 0.05


def test_retries_and_random_errors_agree_with_the_timeline() -> None:
    one = provider(errors={"server_error": {"rate": "5%", "latency": "2s"}}, latency="1s")
    plan = plan_of(
        components={"cdn": {"incidents": [outages("60/y", "3h", error_rate="70%")]}},
        providers={
            "a": {**one, "depends_on": [{"cdn": "80%"}], "incidents": [up_down("50h", "1h")]},
            "b": {**one, "depends_on": ["cdn"], "incidents": [outages("40/y", "5h", hang="20%", error_rate="90%")]},
        },
        chain=[{"provider": "a", "retries": 2, "timeout": "5min"}, {"provider": "b", "timeout": "5min"}],
        policy={"backoff": {"kind": "constant", "base": "20min"}, "rounds": 2, "deadline": "2h"},
    )
    tilted, drawn = rare(plan, 60_000), timeline(plan, 600.0, samples=3_000)
    errors = [(one.high - one.mean) / 2.02 for one in (tilted.availability, drawn.availability)]
    z = (tilted.availability.mean - drawn.availability.mean) / math.hypot(*errors)
    assert abs(z) < 4.0


def test_weights_are_unbiased_for_any_graph_and_both_kinds_of_incidents() -> None:
    plan = plan_of(
        components={
            "network": {"incidents": [up_down("400h", "5h")]},
            "cloud": {"incidents": [outages("10/y", "8h")], "depends_on": [{"network": "50%"}]},
        },
        providers={
            "a": provider(depends_on=[{"cloud": "80%"}], incidents=[outages("9/y", "20h")]),
            "b": provider(depends_on=["cloud"], incidents=[up_down("900h", "9h")]),
            "c": provider(depends_on=["network"], incidents=[outages("5/y", "40h")]),
        },
    )
    assert_agrees(rare(plan, 120_000).all_down, exact(plan).all_down)


@pytest.mark.parametrize(
    ("incidents", "named"),
    [
        ({"kind": "schedule", "windows": [{"start": "1d", "duration": "1h"}]}, "recorded windows"),
        ({**outages("9/y", "1h"), "profile": {"days": [1, 1, 1, 1, 1, 0, 0]}}, "a: incidents.0. follow a time-of-week"),
        (
            {"kind": "marked_renewal", "between": {"kind": "exponential", "mean": "9d"}, "duration": "1h"},
            "a: marked renewal",
        ),
    ],
)
def test_what_cannot_be_tilted_is_refused_by_name(incidents: dict[str, Any], named: str) -> None:
    with pytest.raises(Inapplicable, match=named):
        rare(plan_of(providers={"a": provider(incidents=[incidents])}))


def test_a_loss_far_from_rare_is_right_too() -> None:
    plan = plan_of(providers={"a": provider(incidents=[outages("900/y", "10h", error_rate="40%")])})
    expected = math.exp(-9000.0 / 8760.0 * 0.4)
    assert_agrees(rare(plan, 40_000).availability, expected)
    assert np.isfinite(rare(plan, 4_000).relative_half_width)
