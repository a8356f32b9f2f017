"""The figures of a comparison, on windows whose answers can be read off."""

import math
from dataclasses import replace

import numpy as np
import pytest
from fault_plans import BROWNOUT, OUTAGE, plan_of, shocks
from test_down_episodes import recorded

from des.distributions import Exponential
from des.faults import Marginals, draw_timeline, marginals, marginals_over
from des.faults.marginals import chain_endpoints, total
from des.scenario.plan import Leg, Plan
from des.scenario.text.units import YEAR_S

HORIZON_S = 100.0


def chained(plan: Plan, *endpoints: int) -> Plan:
    legs = tuple(Leg(index=index, name=str(index), endpoint=endpoint) for index, endpoint in enumerate(endpoints))
    return replace(plan, chain=legs)


def of_windows(*chain: int) -> Marginals:
    plan = plan_of(
        {
            "a/m": [recorded((-5.0, 5.0, OUTAGE), (10.0, 20.0, OUTAGE), (20.0, 30.0, OUTAGE), (90.0, 130.0, OUTAGE))],
            "b/m": [recorded((4.0, 12.0, OUTAGE), (25.0, 27.0, OUTAGE), (28.0, 40.0, OUTAGE), (60.0, 70.0, BROWNOUT))],
            "c/m": [],
        },
        endpoints=["a/m", "b/m", "c/m"],
    )
    return marginals(draw_timeline(plan, 0, HORIZON_S), HORIZON_S, chain)


def test_an_endpoint_is_down_for_its_share_of_the_horizon_and_its_episodes_count_where_they_start() -> None:
    first, second, third = of_windows(0, 1).endpoints
    assert first.unavailability == pytest.approx(0.35)
    assert first.durations_s.tolist() == [20.0, 40.0]
    assert second.unavailability == pytest.approx(0.22)
    assert second.episodes_per_year == pytest.approx(3 * YEAR_S / 100.0)
    assert second.mean_episode_s == pytest.approx(22.0 / 3)
    assert second.p95_episode_s == pytest.approx(8.0 + 0.9 * 4.0)
    assert (third.unavailability, third.episodes) == (0.0, 0)
    assert math.isnan(third.mean_episode_s)
    assert math.isnan(third.p95_episode_s)


def test_a_total_outage_is_when_every_endpoint_of_the_chain_is_down() -> None:
    both = of_windows(0, 1)
    assert both.all_down.unavailability == pytest.approx(0.07)
    assert both.all_down.durations_s.tolist() == [1.0, 2.0, 2.0, 2.0]
    assert both.all_down_if_independent == pytest.approx(0.35 * 0.22)
    assert of_windows(1).all_down.unavailability == of_windows(1).endpoints[1].unavailability
    assert of_windows(0, 1, 2).all_down.episodes == 0


def test_brownouts_impair_and_take_nothing_down() -> None:
    plan = plan_of(
        {"a/m": [recorded((10.0, 20.0, BROWNOUT), (15.0, 30.0, OUTAGE))], "b/m": [recorded((0.0, 12.0, BROWNOUT))]},
        endpoints=["a/m", "b/m"],
    )
    drawn = marginals(draw_timeline(plan, 0, HORIZON_S), HORIZON_S, (0, 1))
    assert [one.unavailability for one in drawn.endpoints] == [0.15, 0.0]
    assert [one.unavailability for one in drawn.impaired] == pytest.approx([0.2, 0.12])
    assert (drawn.all_down.down_s, drawn.all_impaired.down_s) == pytest.approx((0.0, 2.0))
    outages = of_windows(0, 1).impaired
    assert outages[0].unavailability == of_windows(0, 1).endpoints[0].unavailability


def test_parts_add_up() -> None:
    one, other = of_windows(0, 1), of_windows(0, 1)
    both = one + other
    assert both.all_down.observed_s == 200.0
    assert both.endpoints[0].unavailability == pytest.approx(0.35)
    assert both.endpoints[1].episodes == 6
    assert both.all_down.mean_episode_s == one.all_down.mean_episode_s
    assert total([one, other, one]).endpoints[0].down_s == pytest.approx(105.0)


def test_replications_are_drawn_one_after_the_other_and_summed() -> None:
    plan = plan_of(
        {"net": [shocks(1e-3, Exponential(200.0))], "a/m": [], "b/m": [shocks(1e-3, Exponential(50.0))]},
        {"a/m": {"net": 1.0}, "b/m": {"net": 0.5}},
        ["a/m", "b/m"],
        shared=0.3,
    )
    plan = chained(plan, 1, 0, 1)
    assert chain_endpoints(plan) == (1, 0)
    summed = marginals_over(plan, range(5), 1e5)
    apart = [marginals(draw_timeline(plan, replication, 1e5), 1e5, (1, 0)) for replication in range(5)]
    assert summed.all_down.unavailability == pytest.approx(np.mean([one.all_down.unavailability for one in apart]))
    assert summed.all_down.observed_s == 5e5
    assert summed.endpoints[1].episodes == sum(one.endpoints[1].episodes for one in apart)
