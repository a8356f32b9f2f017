from pathlib import Path
from typing import Any

import numpy as np

import des
from des.faults import draw_timeline
from des.scenario import from_mapping, plans
from des.study.downtime import losing_intervals
from study.small_scenario import small as with_arms

SCHEDULE: dict[str, Any] = {"kind": "schedule", "windows": [{"start": "1h", "duration": "30min"}]}
AT_RANDOM: dict[str, Any] = {"kind": "poisson", "rate": "6/d", "duration": "10min"}


def small(**changes: Any) -> dict[str, Any]:
    scenario = with_arms(**changes)
    del scenario["arms"]
    return scenario


def _intervals(*incidents: dict[str, Any], shifted: bool = False) -> list[tuple[float, float]]:
    scenario = small()
    scenario["providers"]["first"]["incidents"] = list(incidents)
    plan = plans(from_mapping(scenario))["as_modelled"]
    timeline = draw_timeline(plan, 0, plan.horizon_s)
    found, _ = losing_intervals(timeline, np.ones(len(timeline), np.bool_), shifted=shifted)
    return list(zip(found.start_s.tolist(), found.end_s.tolist(), strict=True))


def test_incidents_on_record_are_not_chance_unless_their_record_is_shifted() -> None:
    assert _intervals(SCHEDULE) == []
    assert _intervals(SCHEDULE, shifted=True) == [(3600.0, 5400.0)]
    brownout = SCHEDULE | {"error_rate": "50%"}
    assert _intervals(brownout) == _intervals(brownout, shifted=True) == []


def test_incidents_at_random_count_beside_a_record_as_they_do_alone() -> None:
    alone = _intervals(AT_RANDOM)
    assert alone
    assert _intervals(AT_RANDOM, SCHEDULE) == alone


def test_requests_lost_in_a_scheduled_window_have_students_interval(tmp_path: Path) -> None:
    lossy = {"horizon": "3h", "chain": [{"provider": "first", "timeout": "5s", "retries": 1}], "replications": 3}
    summary = des.run(small(**lossy), out=tmp_path / "run").summary
    figures = summary["arms"]["as_modelled"]
    lost = figures["lost_by_cause"]["first"]
    assert lost["mean"] > 20.0
    assert "interval" not in lost
    assert "interval" not in figures["availability"]
    assert 0.5 * lost["mean"] < lost["low"] < lost["high"] < 1.5 * lost["mean"]


def test_requests_lost_in_few_outages_at_random_have_an_interval_over_them(tmp_path: Path) -> None:
    scenario = small(horizon="12h", chain=[{"provider": "first", "timeout": "5s", "retries": 1}], replications=3)
    scenario["providers"]["first"]["incidents"] = [AT_RANDOM | {"duration": "30min"}]
    figures = des.run(scenario, out=tmp_path / "run").summary["arms"]["as_modelled"]
    assert figures["availability"]["interval"].startswith("bootstrap-t over")
    assert figures["lost_by_cause"]["first"]["interval"] == "poisson, of what lost them"
