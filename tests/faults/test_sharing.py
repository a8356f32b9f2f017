"""What a report is told of an arm: which incidents `shared` acts on, and what its independence is worth."""

from dataclasses import replace

import pytest
from fault_plans import OUTAGE, plan_of, shocks, up_down
from test_down_episodes import recorded

from des.distributions import Constant, Exponential
from des.faults import SharedClass, Sharing, sharing
from des.scenario.plan import IncidentClass, Profile

SHOCKS = shocks(1e-5, Exponential(600.0))
RENEWAL = up_down(Exponential(1e5), Exponential(600.0))
WINDOWS = recorded((5.0, 6.0, OUTAGE))
BY_THE_HOUR = shocks(1e-5, Constant(600.0), Profile(weights=(0.5, 1.5) * 84))
WEEK_S = 7 * 86_400.0


def of(*common: IncidentClass, phi: float, own: tuple[IncidentClass, ...] = (), share: float = 0.5) -> Sharing:
    return sharing(
        plan_of(
            {"net": common, "a/m": own, "b/m": own},
            {"a/m": {"net": 1.0}, "b/m": {"net": share}},
            ["a/m", "b/m"],
            shared=phi,
            horizon_s=2.5 * WEEK_S,
        )
    )


def test_classes_that_can_hit_two_endpoints_are_shared() -> None:
    described = of(SHOCKS, RENEWAL, phi=0.0, own=(SHOCKS,))
    assert described.classes == (
        SharedClass("net", 0, "poisson", ("a/m", "b/m"), mixture=False),
        SharedClass("net", 1, "renewal", ("a/m", "b/m"), mixture=True),
    )
    assert of(SHOCKS, phi=0.0, share=0.0).classes == ()


@pytest.mark.parametrize(
    ("described", "label"),
    [
        (of(SHOCKS, phi=1.0), "as modelled"),
        (of(phi=0.0, own=(SHOCKS,)), "as modelled: no incidents are shared"),
        (of(SHOCKS, RENEWAL, phi=0.0), "independent"),
        (of(SHOCKS, phi=0.3), "30 % of shared incidents common, the rest independent"),
        (of(SHOCKS, RENEWAL, phi=0.3), "mixture, 30 % of shared incidents common, the rest independent"),
        (of(WINDOWS, phi=0.0), "independent given the time of week"),
        (of(BY_THE_HOUR, phi=0.0), "independent given the time of week"),
        (of(SHOCKS, phi=0.0, own=(BY_THE_HOUR,)), "independent given the time of week"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_label_says_what_is_independent_of_what(described: Sharing, label: str) -> None:
    assert described.label == label


def test_shifted_histories_compare_over_whole_weeks() -> None:
    assert of(WINDOWS, phi=0.0).comparable_s == 2 * WEEK_S
    assert of(WINDOWS, phi=1.0).comparable_s == of(SHOCKS, phi=0.0).comparable_s == 2.5 * WEEK_S


def test_histories_of_separate_endpoints_are_shared_once_there_are_two() -> None:
    apart = of(phi=0.0, own=(WINDOWS,))
    assert [one.endpoints for one in apart.classes] == [("a/m",), ("b/m",)]
    plan = plan_of({"a/m": [WINDOWS], "b/m": []}, endpoints=["a/m", "b/m"], shared=0.0)
    assert sharing(plan).classes == ()
    assert sharing(replace(plan, shared=0.5)).label == "as modelled: no incidents are shared"
