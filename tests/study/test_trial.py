"""A short piece of a replication tells what the whole writes."""

from pathlib import Path
from typing import Any

import pytest

from des.scenario import from_mapping, plans
from des.scenario.plan import Plan
from des.study.replication import Part, Replicator
from des.study.trial import Trial, busier, size_of, trial
from des.traces.levels import FULL, NONE, TraceLevel
from study.small_scenario import small

REQUESTS = TraceLevel("requests")


def _plan(**changes: Any) -> Plan:
    return dict(plans(from_mapping(small(**changes))))["as_modelled"]


@pytest.fixture(scope="module")
def longer() -> Plan:
    return _plan(horizon="20d")


@pytest.mark.parametrize("level", [FULL, REQUESTS])
def test_a_fortieth_of_a_replication_tells_the_bytes_of_all_of_it(
    longer: Plan, level: TraceLevel, tmp_path: Path
) -> None:
    trials = [trial(longer, longer.horizon_s / part, level) for part in (400, 40)]
    Replicator({longer.arm: longer}, tmp_path, "{}", level=level)(Part(longer.arm, 0), None)
    written = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    assert size_of(trials, longer) == pytest.approx(written, rel=0.3)


def test_fewer_rows_take_fewer_bytes_and_none_take_none(longer: Plan) -> None:
    full, requests, none = (trial(longer, longer.horizon_s / 40, level).size for level in (FULL, REQUESTS, NONE))
    assert full > requests > none == 0


def test_a_trial_of_the_whole_is_not_extrapolated(longer: Plan) -> None:
    assert size_of([Trial(longer.horizon_s, 30_000, 1.0, 12_345)], longer) == 12_345
    assert size_of([], longer) == 0.0


def test_a_trial_in_the_night_is_extrapolated_to_the_day() -> None:
    plan = _plan(horizon="20d")  # 28,800 requests
    expected = plan.workload.arrivals.expected_requests(plan.horizon_s)
    assert expected == pytest.approx(28_800)
    night = [Trial(plan.horizon_s / 10, 1_440, 1.0, 100_000)]  # half as many as on average
    assert busier(night, plan) == pytest.approx(2.0)
    assert size_of(night, plan) == pytest.approx(2_000_000)
    assert busier([Trial(plan.horizon_s / 100, 144, 1.0, 10_000)], plan) == 1.0  # chance
