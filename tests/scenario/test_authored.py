"""Scenarios built in Python are those of files: the same settings, the same identity, the same problems."""

import inspect
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import des
from des.scenario.schema.scenario import Scenario as Settings
from des.scenario.text.strict_yaml import read_yaml
from des.scenario.text.yaml_text import yaml_text
from des.study.study import Study

SHIPPED = sorted((Path(__file__).parents[2] / "scenarios").glob("*.yaml"))
PARTS: dict[str, Any] = {
    "horizon": "1h",
    "workload": {"arrivals": {"kind": "poisson", "rate": "1/min"}},
    "providers": {"one": {"models": {"m": {"latency": "1s", "price": {"per_request": 0}}}}},
    "chain": [{"provider": "one", "retries": 1}],
}


def test_each_field_of_a_scenario_is_a_keyword() -> None:
    keywords = inspect.signature(des.Scenario).parameters
    assert set(keywords) - {"folder"} == set(Settings.model_fields)
    required = {name for name, of in keywords.items() if of.default is inspect.Parameter.empty}
    assert required == {name for name, field in Settings.model_fields.items() if field.is_required()}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_scenario_is_the_same_as_yaml_and_as_keywords(path: Path, tmp_path: Path) -> None:
    loaded = des.Scenario.load(path)
    copy = tmp_path / path.name
    copy.write_text(loaded.to_yaml(), encoding="utf-8")
    assert des.Scenario.load(copy).to_dict() == loaded.to_dict()
    assert des.Scenario(**loaded.to_dict(), folder=path.parent) == loaded


def test_a_built_scenario_has_the_key_of_its_file(tmp_path: Path) -> None:
    file = tmp_path / "it.yaml"
    file.write_text(json.dumps(PARTS), encoding="utf-8")
    built = des.Scenario(**PARTS)
    of_file = des.Scenario.load(file)
    keys = [Study.of(each.loaded, traces=True).identity.key() for each in (built, of_file)]
    assert keys[0] == keys[1]
    assert built.to_dict() == of_file.to_dict()


def test_a_changed_scenario_is_another_and_leaves_the_first_alone() -> None:
    first = des.Scenario(**PARTS)
    second = first.with_("policy.rounds", 3).with_(**{"chain[0].timeout": "10s", "seed": 4})
    assert (second.settings.policy.rounds, second.settings.seed) == (3, 4)
    assert second.to_dict()["chain"] == [{"provider": "one", "retries": 1, "timeout": "10s"}]
    assert first.to_dict() == PARTS
    assert first == des.Scenario(**PARTS) != second
    assert len({first, des.Scenario(**PARTS), second}) == 2
    assert second.with_(policy=None, seed=0).with_("chain[0].timeout", None).settings == first.settings


def test_a_change_is_that_of_the_command_line() -> None:
    from des.study.options import RunOptions

    by_text = RunOptions(overrides=("providers.one.models.m.latency={kind: exponential, mean: 2s}",)).load(PARTS)
    latency = {"kind": "exponential", "mean": "2s"}
    by_value = des.Scenario(**PARTS, title="x").with_("providers.one.models.m.latency", latency).with_(title="10")
    assert by_value.to_dict()["providers"] == by_text.resolved()["providers"]
    assert by_value.title == "10"


def test_all_problems_are_told_with_their_places(tmp_path: Path) -> None:
    with pytest.raises(des.ScenarioError) as caught:
        des.Scenario(**{**PARTS, "horizon": "soon", "chain": [{"provider": "on"}]})
    assert {problem.path for problem in caught.value.problems} == {"horizon", "chain[0].provider"}
    with pytest.raises(des.ScenarioError, match=r"with_\('policy.rounds'\).*policy.rounds"):
        des.Scenario(**PARTS).with_("policy.rounds", -1)
    with pytest.raises(des.ScenarioError, match="did you mean 'rounds'"):
        des.Scenario(**PARTS).with_("policy.round", 2)
    with pytest.raises(TypeError, match="horizn"):
        des.Scenario(**PARTS, horizn="1h")  # type: ignore[call-arg]


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1, max_size=6), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(min_size=1, max_size=6), PLAIN, min_size=1, max_size=3))
def test_any_plain_data_comes_back_from_its_yaml(content: dict[str, Any]) -> None:
    assert read_yaml(yaml_text(content, {}))[0] == content
