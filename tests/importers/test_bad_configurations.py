"""A file that is no LiteLLM configuration is refused with its place and what is wrong."""

from pathlib import Path

import pytest

from des.errors import ScenarioError
from des.importers import import_litellm
from tests.importers.configurations import configuration, deployment, imported

ONE = deployment("a", "openai/gpt-5")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "config.yaml: the file is empty"),
        ("# nothing\n", "config.yaml: the file is empty"),
        ("- a\n- b\n", "config.yaml: the file holds a list: a LiteLLM configuration is a mapping with model_list"),
        ("just words\n", "the file holds 'just words'"),
        ("model_list: [\n", "config.yaml:2:1: YAML: "),
        ("\tmodel_list: 3\n", "a tab where YAML wants spaces"),
        ("router_settings: {}\n", "no model_list"),
        ("model_list:\n", "no model_list"),
        ("model_list: []\n", "config.yaml:1:1: model_list: no deployment is listed"),
        ("model_list: 7\n", "model_list: expected a list; got 7"),
        ("model_list: [3]\n", "model_list[0]: expected a mapping; got 3"),
        ("model_list: [{model_name: a}]\n", "litellm_params.model is required, but missing"),
        ("model_list: [{litellm_params: {model: a}}]\n", "model_name is required, but missing"),
        ("model_list: []\nmodel_list: []\n", "config.yaml:2:1: duplicate key 'model_list'"),
        (configuration(deployment("a", "a", rpm="fast")), "rpm: expected a number; got 'fast'"),
        (configuration(deployment("a", "a", rpm=-1)), "rpm: expected a number from 0 to 1e15; got -1"),
        (configuration(deployment("a", "a", rpm=".inf")), "rpm: expected a number from 0 to 1e15"),
        (configuration(deployment("a", "a", order=1.5)), "order: expected a whole number; got 1.5"),
        (configuration(deployment("a", "a", rpm=0.5)), "rpm: expected at least 1 a minute; got 0.5"),
        (configuration(ONE, router_settings="{num_retries: 1e9, retry_after: 5}"), "expected at most 32766; got 1e+09"),
        (configuration(deployment("a", "[1]")), "model: expected text; got a list"),
        (
            configuration(deployment("a", "os.environ/DES_TEST_ABSENT")),
            "environment variable DES_TEST_ABSENT is not set",
        ),
        (configuration(deployment("a", "a", rpm="os.environ/DES_TEST_ABSENT")), "DES_TEST_ABSENT is not set"),
        (configuration(ONE, router_settings="[1]"), "router_settings: expected a mapping; got a list"),
        (configuration(ONE, router_settings="{num_retries: many}"), "num_retries: expected a number; got 'many'"),
        (configuration(ONE, router_settings="{fallbacks: {a: [b]}}"), "fallbacks: expected a list; got a mapping"),
        (configuration(ONE, router_settings="{fallbacks: [a]}"), "fallbacks[0]: expected {group: [fallback, ...]}"),
        (
            configuration(ONE, router_settings="{fallbacks: [{a: [aa]}]}"),
            "config.yaml:3:36: router_settings.fallbacks[0].a[0]: unknown group 'aa'; did you mean 'a'?",
        ),
        (configuration(ONE, router_settings="{fallbacks: [{a: 3}]}"), "expected a list of groups; got 3"),
        (configuration(ONE, router_settings="{model_group_alias: {b: c}}"), "model_group_alias.b: unknown group 'c'"),
        (configuration(ONE, router_settings="{disable_cooldowns: 3}"), "expected true or false; got 3"),
        (configuration(deployment("'*'", "'openai/*'")), "only wildcards are listed"),
    ],
)
def test_bad_configurations_are_refused(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(ScenarioError) as raised:
        imported(tmp_path, text)
    assert expected in str(raised.value)


def test_everything_wrong_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as raised:
        imported(tmp_path, configuration(deployment("a", "a", rpm="x"), router_settings="{fallbacks: [{a: [z]}]}"))
    assert len(raised.value.problems) == 2


def test_a_folder_is_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="this is a folder, not a LiteLLM configuration"):
        import_litellm(tmp_path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="no such file"):
        import_litellm(tmp_path / "config.yaml")


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ScenarioError, match="not UTF-8 text"):
        import_litellm(path)


def test_an_unknown_model_is_told_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="--model: unknown model 'gpt-4'; did you mean 'gpt-4o'"):
        imported(tmp_path, configuration(deployment("gpt-4o", "openai/gpt-4o")), model="gpt-4")


def test_an_assignment_that_leads_nowhere(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="--set chain"):
        imported(tmp_path, configuration(ONE), assignments=["chain[7].timeout=3s"])
