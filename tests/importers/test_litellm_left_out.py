"""What of a LiteLLM configuration is not carried over is named."""

from pathlib import Path

import pytest

from tests.importers.configurations import (
    TWO_REGIONS,
    chain,
    configuration,
    deployment,
    imported,
    remarks,
)


def test_what_is_left_out_is_said_with_its_line(tmp_path: Path) -> None:
    said = remarks(imported(tmp_path, TWO_REGIONS))
    assert [each.partition(": ")[0] for each in said] == [
        "22 model_list[2].litellm_params.stream_timeout",
        "25 model_list[4]",
        "32 litellm_settings.context_window_fallbacks",
        "33 litellm_settings.success_callback",
        "35 general_settings.master_key",
    ]
    assert "group 'local' is not reached by requests for 'gpt-4o'" in said[1]


@pytest.mark.parametrize(
    ("sections", "path", "message"),
    [
        ({"router_settings": "{retry_after: 1}"}, "router_settings.retry_after", "a minimum wait below the maximum"),
        ({"router_settings": "{routing_strategy: fastest}"}, "router_settings.routing_strategy", "unknown strategy"),
        ({"router_settings": "{no_such_thing: 7}"}, "router_settings.no_such_thing", "its value is 7"),
        (
            {"router_settings": "{retry_policy: {RateLimitErrorRetries: 9}}"},
            "router_settings.retry_policy",
            "retries differ",
        ),
        ({"litellm_settings": "{cache: true}"}, "litellm_settings.cache", "add policy.response_cache"),
        ({"litellm_settings": "{allowed_fails: 3}"}, "litellm_settings.allowed_fails", "without effect"),
        ({"litellm_settings": "{fallbacks: [{z: [a]}]}"}, "litellm_settings.fallbacks[0].z", "no group is called 'z'"),
        ({"include": "[other.yaml]"}, "include", "only this file is read"),
        (
            {"router_settings": "{redis_host: cache}"},
            "router_settings.redis_host",
            "not carried over: it does not change",
        ),
        (
            {"router_settings": "{new_flag: false}"},
            "router_settings.new_flag",
            "not carried over: unknown to this import",
        ),
        (
            {"router_settings": "{routing_strategy_args: {ttl: 5}}"},
            "router_settings.routing_strategy_args.ttl",
            "not carried over: simple-shuffle here has no such argument",
        ),
        ({"litellm_settings": "{telemetry: false}"}, "litellm_settings.telemetry", "not carried over"),
        (
            {"general_settings": "{master_key: sk-1}"},
            "general_settings.master_key",
            "not carried over: the proxy itself",
        ),
        ({"environment_variables": "{A: b}"}, "environment_variables", "not carried over: not a section"),
        (
            {"router_settings": "{num_retries: 1}", "litellm_settings": "{num_retries: 2}"},
            "litellm_settings.num_retries",
            "not carried over: router_settings.num_retries replaces it",
        ),
        (
            {"litellm_settings": "{request_timeout: 20}", "router_settings": "{timeout: 30}"},
            "router_settings.timeout",
            "not carried over: for attempts, LiteLLM 1.109 uses litellm_settings.request_timeout",
        ),
        (
            {"router_settings": "{optional_pre_call_checks: [prompt_caching]}"},
            "router_settings.optional_pre_call_checks[0]",
            "not carried over: 'prompt_caching' is not simulated",
        ),
    ],
)
def test_what_cannot_be_carried_over_is_named(
    tmp_path: Path, sections: dict[str, str], path: str, message: str
) -> None:
    found = imported(tmp_path, configuration(deployment("a", "openai/gpt-5"), **sections))
    assert [each.path for each in found.remarks] == [path]
    assert message in found.remarks[0].message
    assert found.remarks[0].line == 2 + len(sections)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("mock_response", "hello", "responses depend on the provider here"),
        ("api_version", "2024-06-01", "it does not change what is simulated"),
        ("brand_new", "7", "unknown to this import (its value is 7)"),
        ("other_api_key", "sk-7", "unknown to this import"),
        ("max_retries", "2", "it has no effect in LiteLLM 1.109"),
    ],
)
def test_parameters_that_are_not_carried_over_are_named(tmp_path: Path, key: str, value: str, message: str) -> None:
    text = configuration(deployment("a", "anthropic/claude-sonnet-4-5", **{key: value}))
    (said,) = remarks(imported(tmp_path, text))
    assert said.startswith(f"2 model_list[0].litellm_params.{key}: not carried over: {message}")
    assert "sk-7" not in said


def test_limits_within_model_info_are_named_as_without_effect(tmp_path: Path) -> None:
    text = "model_list: [{model_name: a, litellm_params: {model: openai/gpt-5}, model_info: {rpm: 9}}]\n"
    (said,) = remarks(imported(tmp_path, text))
    assert said.startswith("1 model_list[0].model_info.rpm: not carried over")


def test_an_alias_of_several_groups_is_remarked_upon(tmp_path: Path) -> None:
    text = configuration(deployment("a", "openai/gpt-5"), router_settings="{model_group_alias: {x: [a, a]}}")
    found = imported(tmp_path, text)
    assert chain(found) == ["openai/gpt-5"]
    (said,) = remarks(found)
    assert "router_settings.model_group_alias.x: not carried over: a list of groups" in said
