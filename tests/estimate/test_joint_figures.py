"""How likely a total outage is, also of replications that are not all alike, and figures of drawn incidents."""

from typing import Any

import numpy as np
import pytest

from des.estimate.exact import exact_or_none
from des.estimate.joint_figures import (
    DrawnIncidents,
    JointFigures,
    joint_figures,
    long_run_failure_share,
    mean_episode_s,
    p95_episode_s,
)
from des.faults import Downtime
from des.scenario.plan import Plan
from estimate.exact_plans import outages, plan_of, provider, up_down


def shared_cdn(shared: float, number: int = 1, **rest: Any) -> Plan:
    names = [f"cdn{one}" for one in range(number)]
    peer = provider(depends_on=names, incidents=[outages("12/y", "2h")])
    components = {name: {"incidents": [up_down("100d", "6h")]} for name in names}
    return plan_of(providers={"a": peer, "b": peer}, components=components, shared=shared, **rest)


def joint(plan: Plan) -> JointFigures:
    return joint_figures(exact_or_none(plan), DrawnIncidents.some(plan, 20, plan.horizon_s), plan)


def once(plan: Plan) -> float:
    return float(joint(plan).any_in_a_year.mean)


def test_a_mixture_has_one_as_often_as_its_two_halves_together() -> None:
    common, apart = once(shared_cdn(1.0)), once(shared_cdn(0.0))
    assert common > 0.9
    assert apart < 0.2
    assert once(shared_cdn(0.3)) == pytest.approx(0.3 * common + 0.7 * apart)


def test_two_mixtures_have_four_ways_to_turn_out() -> None:
    both, neither, mixed = (once(shared_cdn(shared, 2)) for shared in (1.0, 0.0, 0.5))
    assert 0.25 * both + 0.25 * neither < mixed < both
    assert mixed > 0.7  # three in four have a common class


def test_a_mixture_without_a_closed_form_has_no_figure_but_a_reason() -> None:
    found = joint(shared_cdn(0.3, start_state="up"))
    assert found.any_in_a_year is None
    assert found.any_in_a_year_reason.startswith("mixture")
    assert found.any_impaired_in_a_year is None


@pytest.mark.parametrize("shared", [0.0, 1.0])
def test_recorded_outages_of_everybody_do_not_come_at_random(shared: float) -> None:
    recorded = {"kind": "schedule", "windows": [{"start": "2d", "end": "3d"}]}
    peer = provider(depends_on=["cdn"])
    plan = plan_of(
        providers={"a": peer, "b": peer}, components={"cdn": {"incidents": [recorded]}}, shared=shared, horizon="28d"
    )
    found = joint(plan)
    assert found.any_in_a_year is None
    assert "recorded" in found.any_in_a_year_reason


def test_what_is_as_good_as_certain_has_no_interval() -> None:
    peer = provider(depends_on=["cdn"])
    plan = plan_of(
        providers={"a": peer, "b": peer}, components={"cdn": {"incidents": [outages("2000/y", "1h")]}}, start_state="up"
    )
    found = joint(plan).any_impaired_in_a_year
    assert (found.mean, found.low, found.high) == (1.0, None, None)


@pytest.mark.parametrize(
    ("components", "own", "rest", "estimator"),
    [
        ([outages("4/y", "2h")], [], {}, "exact"),  # whoever is down is down with everybody
        ([up_down("100d", "6h")], [], {}, "exact"),  # exponential times up
        ([outages("4/y", "2h")], [outages("12/y", "2h")], {}, "exact, Poisson approximation"),
        ([outages("4/y", "2h")], [], {"shared": 0.5}, "exact, Poisson approximation"),
        ([{"kind": "renewal", "up": "100d", "down": "6h"}], [], {}, "exact, Poisson approximation"),
        ([outages("4/y", "2h")], [], {"start_state": "up"}, "timeline, Poisson approximation"),
    ],
)
def test_one_in_a_year_is_exact_where_total_outages_are_a_poisson_process(
    components: list[Any], own: list[Any], rest: dict[str, Any], estimator: str
) -> None:
    peer = provider(depends_on=["cdn"], incidents=own)
    plan = plan_of(providers={"a": peer, "b": peer}, components={"cdn": {"incidents": components}}, **rest)
    assert joint(plan).any_in_a_year.estimator == estimator


def test_marks_spoil_the_memory_of_times_up_but_not_of_a_poisson_process() -> None:
    def often(incidents: dict[str, Any]) -> str:
        cloud = {"depends_on": [{"cdn": "50%"}]}
        plan = plan_of(providers={"a": provider(**cloud)}, components={"cdn": {"incidents": [incidents]}})
        return str(joint(plan).any_in_a_year.estimator)

    assert often(outages("4/y", "2h")) == "exact"
    assert often(up_down("100d", "6h")) == "exact, Poisson approximation"


YEAR_S = 365 * 86_400.0


def of(durations_s: list[float]) -> list[Downtime]:
    return [Downtime(YEAR_S, sum(durations_s), np.array(durations_s))]


def test_durations_that_are_all_alike_have_no_interval() -> None:
    rounded = [7_200.0, 7_200.0 + 1e-8] * 200
    for found in (p95_episode_s(of(rounded)), mean_episode_s(of(rounded))):
        assert found is not None
        assert found.mean == pytest.approx(7_200.0)
        assert (found.low, found.high) == (None, None)


def test_durations_that_differ_have_one() -> None:
    found = p95_episode_s(of([float(length) for length in range(1, 401)]))
    assert found is not None
    assert found.low < found.mean < found.high


@pytest.mark.parametrize("horizon", ["90s", "10s"])
def test_a_horizon_of_seconds_has_a_share_of_lost_requests_in_the_long_run(horizon: str) -> None:
    recorded = {"kind": "schedule", "windows": [{"start": "1s", "end": "4s"}]}
    plan = plan_of(providers={"a": provider(incidents=[recorded])}, horizon=horizon)
    found, reason = long_run_failure_share(plan)
    assert reason == ""
    assert found is not None
    assert found.mean == pytest.approx(0.033 if horizon == "90s" else 0.3, rel=0.3)
