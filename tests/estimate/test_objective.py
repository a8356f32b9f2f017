"""Windows of an objective, the exact chance of meeting it, and windows of simulated requests counted."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from des.estimate.availability import choose
from des.estimate.estimate import Inapplicable
from des.estimate.objective import WindowCounter, counted_objective, exact_objective, window_edges
from des.faults import draw_timeline
from des.faults.episodes import down_share, endpoint_down
from des.scenario import from_mapping, plans
from des.scenario.plan import Plan
from des.scenario.schema.objective import Objective
from des.vocabulary import REQUEST_FAILED, REQUEST_IN_FLIGHT, REQUEST_OK

DAY_S = 86_400.0
ONE = {
    "horizon": "1y",
    "workload": {"arrivals": {"kind": "poisson", "rate": "2/s"}},
    "providers": {
        "one": {
            "availability": "99.5%",
            "episodes_per_year": 60,
            "models": {"m": {"latency": "1s", "price": {"per_request": 0}}},
        }
    },
    "chain": [{"provider": "one", "timeout": "30s"}],
}


def plan_of(changes: Mapping[str, Any]) -> Plan:
    return plans(from_mapping({**ONE, **changes}))["as_modelled"]


def chance(plan: Plan, availability: float, per: float | str = "month") -> float:
    found = exact_objective(plan, choose(plan), Objective(availability=availability, per=per))
    assert found.mean is not None
    return found.mean


def test_months_are_those_of_the_calendar_where_the_start_is_known() -> None:
    plan = plan_of({"start": "2024-01-15T00:00Z"})
    days = np.diff(window_edges(plan, "month")) / DAY_S
    assert days.tolist() == [29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]  # February of a leap year to December


def test_months_are_thirty_days_elsewhere_and_windows_are_whole() -> None:
    assert len(window_edges(plan_of({}), "month")) == 13
    assert np.diff(window_edges(plan_of({}), 7 * DAY_S)).tolist() == [7 * DAY_S] * 52
    assert not len(window_edges(plan_of({"horizon": "10d"}), "month"))


def test_the_exact_chance_is_the_share_of_drawn_months() -> None:
    plan = plan_of({})
    drawn = []
    for replication in range(40):
        timeline = draw_timeline(plan, replication, 360 * DAY_S)
        spans = endpoint_down(timeline, 0)
        for month in range(12):
            low, high = month * 30 * DAY_S, (month + 1) * 30 * DAY_S
            within = np.minimum(spans.end_s, high) - np.maximum(spans.start_s, low)
            drawn.append(float(within[within > 0.0].sum()) / (30 * DAY_S))
        assert down_share(spans, 360 * DAY_S) == pytest.approx(np.mean(drawn[-12:]), abs=1e-9)
    for allowed in (0.002, 0.01):
        exact = chance(plan, 1.0 - allowed)
        share = np.mean(np.array(drawn) <= allowed)
        assert abs(share - exact) < 4.0 * np.sqrt(exact * (1.0 - exact) / len(drawn))


def test_renewals_after_exponential_times_have_an_exact_chance_and_others_not() -> None:
    def renewal(up: Any) -> Plan:
        incidents = [{"kind": "renewal", "up": up, "down": "30min"}]
        model = {"latency": "1s", "price": {"per_request": 0}}
        return plan_of({"providers": {"one": {"incidents": incidents, "models": {"m": model}}}})

    assert 0.0 < chance(renewal({"kind": "exponential", "mean": "20d"}), 0.9995) < 1.0
    with pytest.raises(Inapplicable, match="exponential times up"):
        chance(renewal({"kind": "weibull", "shape": 2, "scale": "20d"}), 0.9995)


def test_retries_or_a_profile_leave_no_closed_form() -> None:
    with pytest.raises(Inapplicable, match="retries"):
        chance(plan_of({"policy": {"retries": 1}}), 0.999)
    weekly = {"kind": "poisson", "rate": "2/s", "profile": {"days": [2, 2, 2, 2, 2, 1, 1]}}
    with pytest.raises(Inapplicable, match="constant rate"):
        chance(plan_of({"workload": {"arrivals": weekly}}), 0.999)


def test_a_lower_objective_and_random_errors_move_the_chance_as_they_should() -> None:
    plan = plan_of({})
    assert chance(plan, 0.99) > chance(plan, 0.999) > chance(plan, 0.9999)
    model = {"latency": "1s", "price": {"per_request": 0}, "errors": {"server_error": "0.2%"}}
    broken = plan_of({"providers": {"one": {**ONE["providers"]["one"], "models": {"m": model}}}})  # type: ignore[index]
    assert chance(broken, 0.999) < 1e-6  # two in a thousand are lost without any outage
    assert 0.0 < chance(broken, 0.99) < chance(plan, 0.99)


def test_requests_count_in_the_window_they_arrive_in_and_open_ones_not() -> None:
    counter = WindowCounter(np.array([0.0, 10.0, 20.0, 30.0]))
    outcomes = [REQUEST_OK, REQUEST_FAILED, REQUEST_OK, REQUEST_IN_FLIGHT, REQUEST_FAILED]
    counter.requests({"arrival_s": np.array([1.0, 9.9, 10.0, 12.0, 30.0]), "outcome": np.array(outcomes)})
    assert counter.met(0.5) == (3, 3)
    assert counter.met(0.6) == (2, 3)  # the first has lost one of two; the third is empty


def test_few_missed_windows_have_a_binomial_interval() -> None:
    found = counted_objective([(12, 12), (12, 12), (11, 12)])
    assert found.mean == pytest.approx(35 / 36)
    assert (found.low, found.high) == pytest.approx((0.8527, 1.0), abs=1e-4)  # no narrower than over replications
    assert counted_objective([(0, 12)]).high == pytest.approx(0.2646, abs=1e-3)  # Clopper and Pearson 1934
