"""Arms that are the same model are simulated once, and nobody can tell."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import des
from des.faults import Timeline
from des.scenario import from_mapping, plans
from des.study import replication
from des.study.arms import same_arms
from study.small_scenario import small

SCHEDULE = {"kind": "schedule", "windows": [{"start": "1d", "end": "2d"}]}
SHARED = {"cdn": {"incidents": [{"kind": "poisson", "rate": "2/d", "duration": "10min"}]}}


def content(**changes: Any) -> dict[str, Any]:
    arms = {"as_modelled": {}, "independent": {"shared": 0}, "primary_only": {"chain": ["first"]}, "again": {}}
    return small(arms=arms, replications=2, **changes)


def behind_a_cdn() -> dict[str, Any]:
    scenario = content(components=SHARED)
    for provider in scenario["providers"].values():
        provider["depends_on"] = ["cdn"]
    return scenario


@pytest.mark.parametrize(
    ("scenario", "same"),
    [
        (content(), {"independent": "as_modelled", "again": "as_modelled"}),
        (behind_a_cdn(), {"again": "as_modelled"}),
    ],
)
def test_independent_is_the_model_itself_where_nothing_is_shared(
    scenario: dict[str, Any], same: Mapping[str, str]
) -> None:
    assert same_arms(plans(from_mapping(scenario))) == same


def test_they_leave_what_simulating_each_would_leave(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []
    draw = replication.draw_timeline

    def counted(plan: Any, *rest: Any) -> Timeline:
        drawn.append(plan.arm)
        return draw(plan, *rest)

    monkeypatch.setattr(replication, "draw_timeline", counted)
    once = des.compare(content(horizon="3h"), out=tmp_path / "once").run
    assert drawn == ["as_modelled"] * 2 + ["primary_only"] * 2
    monkeypatch.setattr("des.study.study.same_arms", lambda plans: {})
    each = des.compare(content(horizon="3h"), out=tmp_path / "each").run
    assert drawn[4:] == [arm for arm in once.manifest["arms"] for _ in range(2)]
    assert once.manifest["traces"] == each.manifest["traces"]
    assert once.summary["comparison"].pop("same") == {"independent": "as_modelled", "again": "as_modelled"}
    assert each.summary["comparison"].pop("same") == {}
    assert once.summary == each.summary


def test_an_arm_that_cannot_be_drawn_is_none_of_these() -> None:
    scenario = content(horizon="7d", components={"cdn": {"incidents": [SCHEDULE]}})
    for provider in scenario["providers"].values():
        provider["depends_on"] = ["cdn"]
    assert same_arms(plans(from_mapping(scenario))) == {"again": "as_modelled"}
