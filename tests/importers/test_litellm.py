"""What of a LiteLLM proxy configuration stands in the scenario, and what is said to be left out."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from des.scenario.text.document import read_document
from tests.importers.configurations import (
    TWO_REGIONS,
    chain,
    configuration,
    deployment,
    imported,
    remarks,
)


def test_groups_come_of_model_names_and_the_chain_of_fallbacks(tmp_path: Path) -> None:
    found = imported(tmp_path, TWO_REGIONS)
    assert chain(found) == ["gpt-4o", "anthropic/claude-sonnet-4-5", "openai/gpt-5-mini"]
    assert found.content["chain"][0]["legs"] == [
        {"provider": "azure-my-eu", "model": "gpt-4o-eu", "rpm": 600, "timeout": "30s"},
        {"provider": "azure-my-us", "model": "gpt-4o-us", "rpm": 300},
    ]


def test_settings_override_the_preset(tmp_path: Path) -> None:
    found = imported(tmp_path, TWO_REGIONS)
    assert found.content["policy"] == {"preset": "litellm@1.109", "retries": 3, "cooldown": {"for": "30s"}}


def test_prices_are_the_catalogues_by_the_base_model(tmp_path: Path) -> None:
    models = imported(tmp_path, TWO_REGIONS).content["providers"]
    price = models["azure-my-eu"]["models"]["gpt-4o-eu"]["price"]
    assert (price["input_per_mtok"], price["output_per_mtok"]) == (2.5, 10)
    assert models["anthropic"]["models"]["claude-sonnet-4-5"]["price"]["output_per_mtok"] == 15


def test_a_price_of_the_configuration_prevails(tmp_path: Path) -> None:
    text = configuration(deployment("a", "openai/gpt-5", input_cost_per_token=1e-6, output_cost_per_token=0.000002))
    model = imported(tmp_path, text).content["providers"]["openai"]["models"]["gpt-5"]
    assert model["price"] == {"input_per_mtok": 1, "output_per_mtok": 2}


def test_rpm_and_tpm_become_the_limits_of_each_model(tmp_path: Path) -> None:
    providers = imported(tmp_path, TWO_REGIONS).content["providers"]
    assert providers["azure-my-us"]["models"]["gpt-4o-us"]["limits"] == {
        "requests": "300/min",
        "tokens": "280000/min",
        "burst": {"requests": 300},
    }


def test_half_of_what_is_allowed_is_asked(tmp_path: Path) -> None:
    found = imported(tmp_path, TWO_REGIONS)  # 600, and the 200 that 280,000 tokens of 1,400 allow
    assert found.content["workload"]["arrivals"]["rate"] == "400/min"
    assert "half of what the first group's rpm and tpm allow" in found.text


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


def test_the_text_reads_back_as_the_content(tmp_path: Path) -> None:
    found = imported(tmp_path, TWO_REGIONS)
    path = tmp_path / "scenario.yaml"
    path.write_text(found.text, encoding="utf-8")
    assert read_document(path).content == found.content
    assert max(map(len, found.text.splitlines())) <= 120


def test_assignments_change_a_field_and_its_assumption(tmp_path: Path) -> None:
    found = imported(tmp_path, TWO_REGIONS, assignments=["workload.arrivals.rate=7/s", "horizon=3h"])
    assert found.content["workload"]["arrivals"]["rate"] == "7/s"
    assert "horizon: 3h" in found.text
    assert "half of what" not in found.text
    assert "assumed: so long" not in found.text


def test_another_model_is_imported_on_request(tmp_path: Path) -> None:
    found = imported(tmp_path, TWO_REGIONS, model="local")
    assert chain(found) == ["ollama/llama3"]
    assert found.content["providers"]["ollama"]["models"]["llama3"]["price"] == {"per_request": 0}
    assert any("no price in the catalogue" in each for each in remarks(found))


def test_fallbacks_are_followed_each_group_once(tmp_path: Path) -> None:
    text = configuration(
        *(deployment(name, f"openai/{name}") for name in "abcd"),
        router_settings="{fallbacks: [{a: [b, c]}, {b: [d, a]}, {d: [c]}]}",
    )
    assert chain(imported(tmp_path, text)) == ["openai/a", "openai/b", "openai/d", "openai/c"]


def test_fallbacks_of_the_router_prevail_over_the_librarys(tmp_path: Path) -> None:
    text = configuration(
        *(deployment(name, f"openai/{name}") for name in "abc"),
        router_settings="{fallbacks: [{a: [b]}]}",
        litellm_settings="{fallbacks: [{a: [c]}]}",
    )
    assert chain(imported(tmp_path, text)) == ["openai/a", "openai/b"]


def test_the_list_of_the_router_replaces_the_whole_one_of_the_library(tmp_path: Path) -> None:
    text = configuration(
        *(deployment(name, f"openai/{name}") for name in "abc"),
        router_settings="{fallbacks: [{a: [b]}]}",
        litellm_settings="{fallbacks: [{b: [c]}]}",
    )
    found = imported(tmp_path, text)
    assert chain(found) == ["openai/a", "openai/b"]
    assert "6 litellm_settings.fallbacks: not carried over: the list of router_settings.fallbacks replaces it" in (
        remarks(found)
    )


def test_an_empty_list_of_the_router_replaces_nothing(tmp_path: Path) -> None:
    text = configuration(
        *(deployment(name, f"openai/{name}") for name in "ab"),
        router_settings="{fallbacks: []}",
        litellm_settings="{fallbacks: [{a: [b]}]}",
    )
    assert chain(imported(tmp_path, text)) == ["openai/a", "openai/b"]


def test_default_fallbacks_prevail_over_the_star_of_fallbacks(tmp_path: Path) -> None:
    text = configuration(
        *(deployment(name, f"openai/{name}") for name in "abc"),
        litellm_settings="{default_fallbacks: [c], fallbacks: [{'*': [b]}]}",
    )
    found = imported(tmp_path, text)
    assert chain(found) == ["openai/a", "openai/c"]
    assert any("replaces the '*' of fallbacks" in each for each in remarks(found))


def test_default_fallbacks_serve_groups_without_their_own(tmp_path: Path) -> None:
    text = configuration(
        *(deployment(name, f"openai/{name}") for name in "abc"),
        litellm_settings="{default_fallbacks: [c], fallbacks: [{a: [b]}]}",
    )
    assert chain(imported(tmp_path, text)) == ["openai/a", "openai/b", "openai/c"]


def test_no_fallbacks_of_fallbacks_are_looked_up_beyond_the_fifth(tmp_path: Path) -> None:
    names = "abcdefgh"
    links = ", ".join(f"{{{one}: [{other}]}}" for one, other in pairwise(names))
    text = configuration(
        *(deployment(name, f"openai/{name}") for name in names), router_settings=f"{{fallbacks: [{links}]}}"
    )
    assert chain(imported(tmp_path, text)) == [f"openai/{name}" for name in "abcdef"]


def test_a_long_list_of_fallbacks_is_tried_to_its_end(tmp_path: Path) -> None:
    text = configuration(
        *(deployment(name, f"openai/{name}") for name in "abcdefgh"),
        router_settings="{fallbacks: [{a: [b, c, d, e, f, g, h]}]}",
    )
    found = imported(tmp_path, text)
    assert len(chain(found)) == 8
    assert "fallback_depth" not in found.content["policy"]


def test_orders_of_a_group_come_before_its_fallbacks(tmp_path: Path) -> None:
    text = configuration(
        deployment("a", "openai/gpt-5", order=2),
        deployment("a", "azure/gpt-5", order=1),
        deployment("b", "anthropic/claude-sonnet-4-5"),
        router_settings="{fallbacks: [{a: [b]}]}",
    )
    assert chain(imported(tmp_path, text)) == ["azure/gpt-5", "openai/gpt-5", "anthropic/claude-sonnet-4-5"]


def tiers(entry: dict[str, Any]) -> list[tuple[str, int]]:
    return [(f"{leg['provider']}/{leg['model']}", leg.get("tier", 1)) for leg in entry["legs"]]


def test_deployments_without_order_stand_by_for_the_ordered_ones(tmp_path: Path) -> None:
    text = configuration(deployment("a", "openai/gpt-5"), deployment("a", "azure/gpt-5", order=1))
    found = imported(tmp_path, text)
    (entry,) = found.content["chain"]
    assert tiers(entry) == [("azure/gpt-5", 1), ("openai/gpt-5", 2)]
    assert entry.keys() == {"group", "legs"}
    assert remarks(found) == []


def test_deployments_without_order_stand_by_for_those_of_the_last_order(tmp_path: Path) -> None:
    text = configuration(
        deployment("a", "openai/gpt-5"),
        deployment("a", "azure/gpt-5", order=2),
        deployment("a", "azure_ai/gpt-5", order=1),
        deployment("a", "openai/gpt-5-mini"),
        deployment("b", "anthropic/claude-sonnet-4-5"),
        router_settings="{fallbacks: [{a: [b]}]}",
    )
    found = imported(tmp_path, text)
    assert chain(found) == ["azure_ai/gpt-5", "a order 2", "anthropic/claude-sonnet-4-5"]
    assert tiers(found.content["chain"][1]) == [("azure/gpt-5", 1), ("openai/gpt-5", 2), ("openai/gpt-5-mini", 2)]
    said = [each for each in remarks(found) if "has no order, but others of 'a' have" in each]
    assert [each.partition(":")[0] for each in said] == ["2 model_list[0]", "5 model_list[3]"]


def test_no_order_at_all_is_no_matter(tmp_path: Path) -> None:
    found = imported(tmp_path, configuration(deployment("a", "openai/gpt-5"), deployment("a", "azure/gpt-5")))
    assert (chain(found), remarks(found)) == (["a"], [])


def test_a_deployment_alone_in_its_order_is_treated_as_one_of_its_group(tmp_path: Path) -> None:
    text = configuration(
        deployment("a", "openai/gpt-5", order=2),
        deployment("a", "azure/gpt-5", order=1),
        router_settings="{cooldown_time: 30}",
    )
    for leg in imported(tmp_path, text).content["chain"]:
        assert (leg["retry_backoff"], leg["retry_after"]) == ("none", "ignore")
        assert leg["cooldown"]["one_of_several"] is True
        assert leg["cooldown"]["share"] == "50%"
        assert leg["cooldown"]["for"] == "30s"


def test_allowed_fails_stand_in_for_every_other_rule_of_a_cooldown(tmp_path: Path) -> None:
    text = configuration(
        deployment("a", "openai/gpt-5", order=2),
        deployment("a", "azure/gpt-5", order=1),
        router_settings="{allowed_fails: 3}",
    )
    found = imported(tmp_path, text)
    assert found.content["policy"]["cooldown"] == {"allowed_fails": 3}
    for leg in found.content["chain"]:
        assert (leg["cooldown"]["allowed_fails"], leg["cooldown"]["one_of_several"]) == (3, True)
        assert not {"share", "minimum", "all_failed", "window"} & leg["cooldown"].keys()


@pytest.mark.parametrize(
    ("params", "settings", "expected"),
    [
        ([{"weight": 2}, {"rpm": 9}], "{}", [{"weight": 2}, {"weight": 0}]),
        ([{"rpm": 9, "tpm": 1}, {"tpm": 2}], "{}", [{"rpm": 9}, {}]),
        ([{"tpm": 1}, {"tpm": 2}], "{}", [{"tpm": 1}, {"tpm": 2}]),
        ([{"rpm": 9, "tpm": 1}, {"weight": 1}], "{routing_strategy: usage-based-routing}", [{"rpm": 9, "tpm": 1}, {}]),
        ([{"rpm": 9}, {"weight": 1}], "{routing_strategy: least-busy}", [{}, {}]),
    ],
)
def test_deployments_keep_what_they_are_routed_by(
    tmp_path: Path, params: list[dict[str, int]], settings: str, expected: list[dict[str, int]]
) -> None:
    text = configuration(*(deployment("a", "openai/gpt-5", **said) for said in params), router_settings=settings)
    legs = imported(tmp_path, text).content["chain"][0]["legs"]
    assert [{key: leg[key] for key in ("weight", "rpm", "tpm") if key in leg} for leg in legs] == expected


def test_an_alias_stands_for_its_group(tmp_path: Path) -> None:
    text = configuration(
        deployment("a", "openai/gpt-5"),
        router_settings="{model_group_alias: {gpt-4: a, old: {model: a, hidden: true}}}",
    )
    assert chain(imported(tmp_path, text, model="old")) == ["openai/gpt-5"]


def test_a_wildcard_serves_what_fits_it(tmp_path: Path) -> None:
    text = configuration(deployment("'openai/*'", "'openai/*'"), deployment("a", "azure/a"))
    assert chain(imported(tmp_path, text, model="openai/gpt-5-mini")) == ["openai/gpt-5-mini"]
    assert chain(imported(tmp_path, text)) == ["azure/a"]


def test_accounts_are_told_apart_by_region_address_and_key(tmp_path: Path) -> None:
    text = configuration(
        deployment("a", "bedrock/m", aws_region_name="us-east-1"),
        deployment("a", "bedrock/m", aws_region_name="eu-west-1"),
        deployment("a", "openai/m", api_key="one"),
        deployment("a", "openai/m", api_key="two"),
        deployment("a", "openai/m", api_key="two"),
    )
    found = imported(tmp_path, text)
    assert [leg["provider"] for leg in found.content["chain"][0]["legs"]] == [
        "bedrock-us-east-1",
        "bedrock-eu-west-1",
        "openai",
        "openai-2",
        "openai-2",
    ]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("{routing_strategy: simple-shuffle}", {}),
        ("{routing_strategy: least-busy}", {"routing": "least_busy"}),
        ("{routing_strategy: usage-based-routing-v2}", {"routing": "usage_based"}),
        ("{routing_strategy: cost-based-routing}", {"routing": "cheapest"}),
        (
            "{routing_strategy: latency-based-routing, routing_strategy_args: {lowest_latency_buffer: 0.5}}",
            {"routing": {"kind": "least_latency", "buffer": 0.5}},
        ),
        ("{num_retries: 0, timeout: 12.5}", {"retries": 0, "timeout": "12.5s"}),
        ("{allowed_fails: 3, cooldown_time: 1}", {"cooldown": {"allowed_fails": 3, "for": "1s"}}),
        ("{disable_cooldowns: true}", {"cooldown": "none"}),
        ("{retry_after: 0}", {}),
        (
            "{retry_after: 5}",
            {"backoff": {"kind": "constant", "base": "5s", "jitter": "additive", "spread": "750ms"}},
        ),
        ("{retry_policy: {DefaultRetries: 4}}", {"retries": 4}),
        (
            "{retry_policy: {RateLimitErrorRetries: 0}}",
            {"retries": 2, "retry_on": [401, 403, 408, 409, "5xx", "timeout", "connection_error"]},
        ),
    ],
)
def test_router_settings_say_what_the_preset_does_not(tmp_path: Path, settings: str, expected: dict[str, Any]) -> None:
    two = [deployment("a", "openai/gpt-5"), deployment("a", "azure/gpt-5")]
    found = imported(tmp_path, configuration(*two, router_settings=settings))
    assert found.content["policy"] == {"preset": "litellm@1.109", **expected}


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


def test_the_timeout_of_an_attempt_is_the_librarys(tmp_path: Path) -> None:
    text = configuration(
        deployment("a", "openai/gpt-5"),
        router_settings="{timeout: 30}",
        litellm_settings="{request_timeout: 20}",
    )
    assert imported(tmp_path, text).content["policy"]["timeout"] == "20s"


def test_a_value_may_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = configuration(deployment("a", "os.environ/DES_TEST_MODEL", rpm="os.environ/DES_TEST_RPM"))
    monkeypatch.setenv("DES_TEST_MODEL", "azure/gpt-5")
    monkeypatch.setenv("DES_TEST_RPM", "90")
    found = imported(tmp_path, text)
    assert chain(found) == ["azure/gpt-5"]
    assert found.content["providers"]["azure"]["models"]["gpt-5"]["limits"]["requests"] == "90/min"


def test_max_retries_of_a_deployment_adds_no_calls(tmp_path: Path) -> None:
    text = configuration(deployment("a", "openai/gpt-5", max_retries=2))
    (leg,) = imported(tmp_path, text).content["chain"]
    assert "clients" not in leg


def test_max_parallel_requests_refuses_at_once_as_a_429(tmp_path: Path) -> None:
    text = configuration(deployment("a", "openai/gpt-5", max_parallel_requests=4))
    (leg,) = imported(tmp_path, text).content["chain"]
    assert leg["bulkhead"] == {"concurrent": 4, "refuses_as": "rate_limited"}


def test_an_alias_of_several_groups_is_remarked_upon(tmp_path: Path) -> None:
    text = configuration(deployment("a", "openai/gpt-5"), router_settings="{model_group_alias: {x: [a, a]}}")
    found = imported(tmp_path, text)
    assert chain(found) == ["openai/gpt-5"]
    (said,) = remarks(found)
    assert "router_settings.model_group_alias.x: not carried over: a list of groups" in said


def test_allowed_fails_spares_fallbacks_without_fallbacks_of_their_own(tmp_path: Path) -> None:
    text = configuration(
        *(deployment(name, f"openai/{name}") for name in "abc"),
        router_settings="{allowed_fails: 1, fallbacks: [{a: [b]}, {b: [c]}]}",
    )
    first, second, third = imported(tmp_path, text).content["chain"]
    assert second["cooldown"]["spares_fallbacks"] is False
    assert "cooldown" not in first
    assert "cooldown" not in third


def test_limits_that_the_proxy_enforces_are_budgets(tmp_path: Path) -> None:
    text = configuration(
        deployment("a", "openai/gpt-5", rpm=60),
        router_settings="{optional_pre_call_checks: [enforce_model_rate_limits]}",
    )
    (budget,) = imported(tmp_path, text).content["budgets"].values()
    assert budget == {"requests": "60/min", "algorithm": {"fixed_window": "1min"}, "legs": ["openai/gpt-5"]}
