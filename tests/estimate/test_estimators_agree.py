"""On the shipped scenarios the estimators agree with each other and with requests simulated one by one."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from des.draws import generator
from des.engine import simulate
from des.errors import ScenarioError
from des.estimate.availability import choose
from des.estimate.estimate import Estimate
from des.estimate.interaction import interactions
from des.estimate.rare import rare, why_not_rare
from des.estimate.timeline import lost_along, reach_s, timeline
from des.faults import draw_timeline
from des.scenario import load_scenario, plans
from des.scenario.plan import Plan, PoissonArrivals
from estimate.exact_plans import Lost

SCENARIOS = sorted((Path(__file__).parents[2] / "scenarios").glob("*.yaml"))
REQUESTS = 2_500.0
MOST_STEPS = 10


def _first_arm(path: Path) -> Plan:
    try:
        arms = plans(load_scenario(path))
    except ScenarioError as error:
        if "DES_DATA" in str(error):
            pytest.skip("its data is not here")
        raise
    return arms.get("as_modelled") or next(iter(arms.values()))


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_requests_are_lost_as_often_as_their_own_incidents_say(path: Path) -> None:
    """Given the incidents, losses of Poisson arrivals are a Poisson number with the mean that the timeline tells."""
    plan = _first_arm(path)
    arrivals = plan.workload.arrivals
    if interactions(plan) or not isinstance(arrivals, PoissonArrivals):
        pytest.skip("its requests interact, or do not come at random")
    horizon_s = min(plan.horizon_s, 90 * 86_400.0)
    plan = replace(
        plan,
        horizon_s=horizon_s,
        workload=replace(plan.workload, arrivals=arrivals.model_copy(update={"rate_per_s": REQUESTS / horizon_s})),
    )
    expected, lost = 0.0, Lost()
    for replication in range(2):
        simulate(plan, replication, lost)
        beyond_s = reach_s(plan)
        drawn = draw_timeline(plan, replication, horizon_s + beyond_s)
        share = lost_along(plan, drawn, horizon_s, beyond_s, 6_000, generator(1, replication, "agree"))
        expected += share * REQUESTS
    assert abs(lost.count - expected) <= 4.0 * math.sqrt(expected) + 2.0, f"{lost.count} lost, {expected:.2f} expected"


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_timeline_rare_events_and_closed_form_agree(path: Path) -> None:
    plan = _first_arm(path)
    if interactions(plan) or why_not_rare(plan):
        pytest.skip("one of the estimators does not apply")
    if len(plan.chain) * plan.policy.rounds > MOST_STEPS:
        pytest.skip("its walks take too long for a test of every day; the simulation of requests is compared above")
    drawn, tilted = timeline(plan, 100.0, samples=500), rare(plan, 8_000)
    errors = [_error(one) for one in (drawn.availability, tilted.availability)]
    difference = drawn.availability.mean - tilted.availability.mean
    assert abs(difference) <= 4.5 * math.hypot(*errors) + 1e-12
    closed = choose(plan).exact
    assert closed is not None
    for one in (drawn.all_down, tilted.all_down):
        assert abs(one.mean - closed.all_down) <= 4.0 * _error(one) + 1e-6


def _error(figure: Estimate) -> float:
    """Standard error; 0 where all blocks agree."""
    return 0.0 if figure.high is None else (figure.high - figure.mean) / 2.02
