"""What a LiteLLM configuration becomes."""

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


def test_limits_that_the_proxy_enforces_are_budgets(tmp_path: Path) -> None:
    text = configuration(
        deployment("a", "openai/gpt-5", rpm=60),
        router_settings="{optional_pre_call_checks: [enforce_model_rate_limits]}",
    )
    (budget,) = imported(tmp_path, text).content["budgets"].values()
    assert budget == {"requests": "60/min", "algorithm": {"fixed_window": "1min"}, "legs": ["openai/gpt-5"]}
