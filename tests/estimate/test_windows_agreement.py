"""The comparison of windows with brute force: what brute force is adjusted by, and what is kept of it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import windows as compared_with
from benchmarks import windows_brute_force
from benchmarks.windows_brute_force import brute_force
from benchmarks.windows_cases import scenarios
from des.estimate.estimate import Estimate
from des.estimate.sums import LogHistogram
from des.scenario import from_mapping, plans
from des.scenario.plan import Plan


def plan_of(name: str, **changes: Any) -> Plan:
    (plan,) = plans(from_mapping(scenarios()[name] | changes)).values()
    return plan


def test_controls_have_the_means_that_are_known() -> None:
    """Of each endpoint down, all of them, and the one with brownouts of its own; with a profile too."""
    plan = plan_of("profile")
    controls = compared_with._controls(plan, [{}] * 150)
    values = np.array(controls.values)
    assert values.shape == (4, 150)
    errors = values.std(axis=1, ddof=1) / np.sqrt(150)
    assert (np.abs(values.mean(axis=1) - controls.known) < 4.5 * errors).all()
    assert (errors < 0.1 * np.array(controls.known)).all()


def test_brute_force_is_kept_for_the_same_plan_and_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of("limits and cooldown", horizon="10min")
    made = brute_force(plan, 2, 1, tmp_path)
    assert len(made) == 2
    monkeypatch.setattr(windows_brute_force, "replicate", None)
    assert brute_force(plan, 2, 1, tmp_path) == made
    with pytest.raises(TypeError):
        brute_force(plan_of("limits and cooldown", horizon="11min"), 2, 1, tmp_path)
    with pytest.raises(TypeError):
        brute_force(plan, 3, 1, tmp_path)


def test_percentiles_are_compared_over_all_days() -> None:
    """By the share of brute force's requests: the percentile of all is right, a tenth more or less is not."""
    plan = plan_of("limits and cooldown")
    rng = np.random.default_rng(3)
    days, pooled = [], LogHistogram()
    for number in range(30):
        histogram = LogHistogram()
        histogram.add(rng.lognormal(0.1 * (number % 3), 0.5, 400))
        pooled.merge(histogram)
        days.append({windows_brute_force.LATENCY: histogram.as_json()})
    controls = compared_with._controls(plan, days)
    right = pooled.quantile(0.95)
    assert right is not None

    def apart(value: float) -> float:
        found = Estimate(value, value * 0.99, value * 1.01)
        (row,) = compared_with._percentile("latency_s_p95", 0.95, found, days, controls)
        assert row.brute == right
        return row.apart

    assert abs(apart(right)) < 1.0
    assert apart(right * 1.1) > 3.0
    assert apart(right / 1.1) < -3.0


def test_a_percentile_within_a_jump_is_right() -> None:
    """Half of the requests have one latency, so it is every percentile from the 25th to the 75th."""
    plan = plan_of("limits and cooldown")
    histogram = LogHistogram()
    histogram.add(np.array([1.0] * 25 + [2.0] * 50 + [3.0] * 25))
    days = [{windows_brute_force.LATENCY: histogram.as_json()}] * 30
    found = Estimate(2.0, 1.9, 2.1)
    (row,) = compared_with._percentile("latency_s_p50", 0.5, found, days, compared_with._controls(plan, days))
    assert row.apart == 0.0
