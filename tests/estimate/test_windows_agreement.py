"""The comparison of windows with brute force: what brute force is adjusted by, and what is kept of it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import windows as compared_with
from benchmarks import windows_brute_force
from benchmarks.windows_brute_force import brute_force
from benchmarks.windows_cases import scenarios
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
