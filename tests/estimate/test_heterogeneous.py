"""Where replications differ by more than chance incidents, nothing but whole replications is a sample."""

from dataclasses import replace
from typing import Any

import pytest

from des.estimate.estimate import Estimate
from des.estimate.heterogeneous import Heterogeneous, without_intervals
from des.estimate.joint_figures import DrawnIncidents, joint_figures
from des.estimate.timeline import poisson_rate, timeline
from des.scenario.plan import Plan
from estimate.exact_plans import plan_of, provider, up_down


def shared_cloud(shared: float, **rest: Any) -> Plan:
    peer = provider(depends_on=["cloud"])
    components = {"cloud": {"incidents": [up_down("20d", "1d")]}}
    return plan_of(providers={"a": peer, "b": peer}, components=components, shared=shared, **rest)


def recorded(shared: float) -> Plan:
    windows = {"kind": "schedule", "windows": [{"start": "2d", "end": "3d"}, {"start": "30d", "end": "31d"}]}
    peer = provider(depends_on=["cloud"])
    return plan_of(
        providers={"a": peer, "b": peer}, components={"cloud": {"incidents": [windows]}}, shared=shared, horizon="70d"
    )


@pytest.mark.parametrize(
    ("plan", "fewest"),
    [
        (shared_cloud(1.0), None),
        (shared_cloud(0.0), None),
        (shared_cloud(0.5), 20),
        (shared_cloud(0.9), 100),
        (recorded(1.0), None),
        (recorded(0.0), 10),
    ],
)
def test_the_rarer_side_of_a_mixture_says_how_many_replications_it_takes(plan: Plan, fewest: int | None) -> None:
    found = Heterogeneous.of(plan)
    assert (None if found is None else found.fewest) == fewest


def test_figures_exact_by_replication_keep_their_interval() -> None:
    student = Estimate(1.0, 0.5, 1.5, 3)
    exact = replace(student, interval="Clopper-Pearson")
    found = without_intervals({"cost": student, "named": {"metastable": exact}}, "none: so")
    assert found["cost"] == Estimate(1.0, None, None, 3, interval="none: so")
    assert found["named"] == {"metastable": exact}


def test_total_outages_of_a_mixture_are_no_poisson_count() -> None:
    plan = shared_cloud(0.5, start_state="up")
    found = timeline(plan, 200.0, samples=400)
    plain = poisson_rate(found.all_down_episodes, found.years)
    rate = found.all_down_episodes_per_year
    assert rate.mean == pytest.approx(plain.mean)
    assert rate.high - rate.low > 2.0 * (plain.high - plain.low)


def test_a_few_horizons_of_a_mixture_have_no_interval() -> None:
    found = timeline(shared_cloud(0.5, start_state="up"), 15.0, samples=400)
    for figure in (found.availability, found.all_down, found.all_down_episodes_per_year):
        assert (figure.low, figure.high) == (None, None)
        assert figure.interval == "none: mixture: fewer than 20 replications"


def test_drawn_horizons_of_a_mixture_are_what_its_interval_counts() -> None:
    plan = shared_cloud(0.5, start_state="up")
    few, enough = (
        joint_figures(None, DrawnIncidents.some(plan, horizons, plan.horizon_s), plan) for horizons in (15, 40)
    )
    assert few.all_down.low is None
    assert few.episodes_per_year.low is None
    assert enough.all_down.low < 0.024 < enough.all_down.high
    half = enough.episodes_per_year.high - enough.episodes_per_year.mean
    assert half > 0.2 * enough.episodes_per_year.mean  # of some 350 episodes, taken for a sample: a tenth
