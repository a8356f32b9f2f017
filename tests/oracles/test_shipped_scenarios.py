"""Shipped scenarios whose answer has a closed form, arm by arm, on a shortened horizon."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from des.check.case import QUICK, compared
from des.check.replications import availability, cost_per_request, replicate, served_share
from des.distributions import Exponential
from des.scenario import load_scenario, plans
from des.theory import chains
from des.theory.chains import DeadlineLeg, paid_per_attempt, served_before_deadline

SCENARIOS = Path(__file__).parents[2] / "scenarios"

IMAGES = [paid_per_attempt(success, cost) for success, cost in ((0.97, 0.04), (0.94, 0.03), (0.91, 0.05))]
CALCULATOR = [DeadlineLeg(share, 0.05, Exponential(mean)) for share, mean in ((0.08, 0.9), (0.05, 0.7), (0.03, 0.543))]


def agree(what: str, samples: Sequence[float], exact: float) -> None:
    finding = compared(what, samples, exact)
    assert finding.ok, finding


@pytest.mark.parametrize(("arm", "order"), [("as_modelled", (0, 1, 2)), ("cheapest_order", (1, 0, 2))])
def test_the_image_chain_costs_its_expected_cost(arm: str, order: tuple[int, ...]) -> None:
    plan = plans(load_scenario(SCENARIOS / "image_chain.yaml", ["horizon=2000s"]))[arm]
    legs = [IMAGES[k] for k in order]
    agree("cost", replicate(QUICK, plan, {"cost": cost_per_request})["cost"], chains.expected_cost(legs, 3))
    assert chains.cheapest_order(IMAGES) == (1, 0, 2)


@pytest.mark.parametrize(("arm", "hit_rate"), [("as_modelled", 0.8), ("no_cache", 0.0)])
def test_the_cached_image_chain_costs_what_misses_cost(arm: str, hit_rate: float) -> None:
    plan = plans(load_scenario(SCENARIOS / "image_chain_cached.yaml", ["horizon=2000s", "seed=8"]))[arm]
    exact = chains.expected_cost(IMAGES, 3, cache_hit_rate=hit_rate)
    agree("cost", replicate(QUICK, plan, {"cost": cost_per_request})["cost"], exact)


@pytest.mark.parametrize(
    ("arm", "order", "deadline_s"),
    [("as_modelled", (0, 1, 2), 1.0), ("fastest_first", (2, 1, 0), 1.0), ("two_seconds", (0, 1, 2), 2.0)],
)
def test_the_calculator_succeeds_as_often_as_it_should(arm: str, order: tuple[int, ...], deadline_s: float) -> None:
    plan = plans(load_scenario(SCENARIOS / "published_calculator.yaml", ["horizon=2000s"]))[arm]
    exact = served_before_deadline([CALCULATOR[k] for k in order], deadline_s)
    got = replicate(QUICK, plan, {"success": availability, "second": served_share(1)})
    agree("success", got["success"], sum(exact))
    agree("served by the second", got["second"], exact[1])
