"""Faults of all stages that can be told at once are told at once."""

from pathlib import Path
from typing import Any

import pytest
from study.small_scenario import small

from des.errors import Problem, ScenarioError
from des.scenario import from_mapping, plans

WRONG: dict[str, Any] = {
    "horizon": "1x",
    "arms": {"as_modelled": {}},
    "policy": {"preset": "openai-pyton"},
    "components": {"cdn": {"incidents": [{"kind": "replay", "file": "nothing.csv"}]}},
    "providers": {
        "openai": {"depends_on": ["cdm"], "latency": "1s", "models": {"gpt-5-mni": {}}},
        "anthropic": {"latency": "1s", "models": {"claude-sonnet-4-6": {"price": {"per_request": "-1"}}}},
    },
    "chain": [{"provider": "openai"}, {"provider": "anthropic", "model": "claude-sonet-4-6"}],
}
"""A mistake in each stage: values, presets, names, prices, files."""


def _paths(content: dict[str, Any], folder: Path) -> set[str]:
    with pytest.raises(ScenarioError) as caught:
        plans(from_mapping(content, folder))
    return {problem.path for problem in caught.value.problems}


def test_six_mistakes_of_five_stages_are_told_at_once(tmp_path: Path) -> None:
    assert _paths(small(**WRONG), tmp_path) == {
        "horizon",
        "policy.preset",
        "components.cdn.incidents[0].file",
        "providers.openai.depends_on[0]",
        "providers.openai.models.gpt-5-mni.price",
        "providers.anthropic.models.claude-sonnet-4-6.price.per_request",
        "chain[1].model",
    }


def test_they_are_told_as_where_nothing_else_is_wrong(tmp_path: Path) -> None:
    """The same path and the same words, at whatever stage."""
    alone = {**WRONG, "horizon": "1d", "policy": {}, "chain": ["gpt-5-mni"]}
    alone["providers"] = {"openai": {"latency": "1s", "models": {"gpt-5-mni": {}}}}
    wrong = {**alone, "horizon": "1x"}
    told: list[set[Problem]] = []
    for content in (alone, wrong):
        with pytest.raises(ScenarioError) as caught:
            plans(from_mapping(small(**content), tmp_path))
        told.append({problem for problem in caught.value.problems if problem.path != "horizon"})
    assert told[0] == told[1]
    assert len(told[0]) == 2


def test_what_has_a_price_or_a_file_is_not_told(tmp_path: Path) -> None:
    (tmp_path / "there.csv").write_text("start,end\n1,2\n")
    right = {
        **WRONG,
        "policy": {},
        "components": {"cdn": {"incidents": [{"kind": "replay", "file": "there.csv"}]}},
        "providers": {
            "a": {"catalogue": "openai", "latency": "1s", "models": {"gpt-4.1-mini": {}}},
            "b": {"latency": "1s", "models": {"mine": {"price": {"per_request": 0}}}},
        },
        "chain": [{"provider": "a"}, {"provider": "b"}],
    }
    assert _paths(small(**right), tmp_path) == {"horizon"}
