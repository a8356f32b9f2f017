"""A chain of chosen entries is the plan that the scenario would resolve to, and entries that are alike are known."""

import random
from pathlib import Path

import pytest

from des.scenario import from_mapping, load_scenario, plans
from des.scenario.plan import Plan
from des.scenario.resolution.chosen_entries import entries_move_freely, interchangeable, with_entries
from des.study.arms import _same

SCENARIOS = Path(__file__).parents[2] / "scenarios"


def plan_of(name: str, chain: list[str] | None = None) -> Plan:
    content = load_scenario(SCENARIOS / f"{name}.yaml").resolved()
    content.pop("expect", None)
    content["arms"] = {"only": {} if chain is None else {"chain": chain}}
    return plans(from_mapping(content, SCENARIOS))["only"]


@pytest.mark.parametrize(
    "name", ["three_stage_correlated", "litellm_router", "research_pipeline", "rate_limit_cascade"]
)
def test_chosen_entries_make_the_plan_that_an_arm_with_this_chain_has(name: str) -> None:
    whole, dice = plan_of(name), random.Random(3)
    names = [group.name for group in whole.client.groups]
    assert entries_move_freely(whole)
    for _ in range(3):
        chosen = dice.sample(range(len(names)), dice.randint(1, len(names)))
        assert _same(with_entries(whole, chosen), plan_of(name, [names[entry] for entry in chosen]))


def test_entries_that_differ_in_names_alone_are_alike_and_no_others() -> None:
    of = interchangeable(plan_of("forty_providers"))
    assert [of.count(kind) for kind in dict.fromkeys(of)] == [14, 13, 13]
    assert interchangeable(plan_of("three_stage_correlated")) == [0, 1, 2]
    assert interchangeable(plan_of("rate_limit_cascade")) == [0, 1]


def test_a_ramp_of_the_policy_depends_on_the_place() -> None:
    whole = plan_of("shared_cdn")
    content = load_scenario(SCENARIOS / "shared_cdn.yaml").resolved()
    content["arms"] = {"only": {"policy.ramp": {"start": "10%", "over": "10min", "reset_after": "1min"}}}
    content.pop("expect")
    assert entries_move_freely(whole)
    assert not entries_move_freely(plans(from_mapping(content))["only"])
