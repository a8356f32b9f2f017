"""On the shipped scenarios the estimators agree with each other and with requests simulated one by one."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from des.draws import generator
from des.engine import simulate
from des.estimate.availability import choose
from des.estimate.estimate import Estimate
from des.estimate.interaction import interactions
from des.estimate.rare import rare, why_not_rare
from des.estimate.timeline import lost_along, reach_s, timeline
from des.faults import draw_timeline
from des.scenario import load_scenario, plans
from des.scenario.plan import Plan, PoissonArrivals
from estimate.exact_plans import Lost

SCENARIOS = Path(__file__).parents[2] / "scenarios"
AT_RANDOM = (
    "cost_overhead",
    "forty_providers",
    "hang_without_timeout",
    "hedged",
    "history_fitted",
    "openai_sdk_hang",
    "prompt_cache_cold_fallback",
    "twenty_minute_outage",
)
"""Those whose requests do not interact and come as a Poisson process, but not all of the next."""
OF_SHOCKS = (
    "aws_region",
    "common_cause_sweep",
    "eu_only",
    "image_chain",
    "image_chain_cached",
    "price_of_downtime",
    "published_calculator",
    "research_pipeline",
    "same_provider_fallback",
    "shared_cdn",
    "single_provider",
    "three_stage",
    "three_stage_correlated",
    "two_stage",
)
"""Those to which rare events apply as well."""
TILTED = (*OF_SHOCKS, "cost_overhead", "hedged")
REQUESTS = 1_500.0
MOST_STEPS = 10
"""Of the chain in all rounds: longer walks take too long for a test of every day."""


def _first_arm(name: str) -> Plan:
    arms = plans(load_scenario(SCENARIOS / f"{name}.yaml"))
    return arms.get("as_modelled") or next(iter(arms.values()))


def test_no_scenario_is_left_out_to_which_the_estimators_apply() -> None:
    at_random, tilted = set(), set()
    for path in SCENARIOS.glob("*.yaml"):
        if "${DES_DATA}" in path.read_text(encoding="utf-8"):
            continue  # replays, which no rare event stands for
        plan = _first_arm(path.stem)
        if interactions(plan):
            continue
        if isinstance(plan.workload.arrivals, PoissonArrivals):
            at_random.add(path.stem)
        if not why_not_rare(plan) and len(plan.chain) * plan.policy.rounds <= MOST_STEPS:
            tilted.add(path.stem)
    assert at_random == {*AT_RANDOM, *OF_SHOCKS}
    assert tilted == set(TILTED)


@pytest.mark.parametrize("name", [*AT_RANDOM, *OF_SHOCKS])
def test_requests_are_lost_as_often_as_their_own_incidents_say(name: str) -> None:
    """Given the incidents, losses of Poisson arrivals are a Poisson number with the mean that the timeline tells."""
    plan = _first_arm(name)
    arrivals = plan.workload.arrivals
    assert isinstance(arrivals, PoissonArrivals)
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
        share = lost_along(plan, drawn, horizon_s, beyond_s, 4_000, generator(1, replication, "agree"))
        expected += share * REQUESTS
    assert abs(lost.count - expected) <= 4.0 * math.sqrt(expected) + 2.0, f"{lost.count} lost, {expected:.2f} expected"


@pytest.mark.parametrize("name", TILTED)
def test_timeline_rare_events_and_closed_form_agree(name: str) -> None:
    plan = _first_arm(name)
    drawn, tilted = timeline(plan, 50.0, samples=300), rare(plan, 5_000)
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
