"""What is imported validates and runs as it stands."""

from pathlib import Path

import pytest
from engine.traced import Traced, trace

from des.scenario import load_scenario, plans
from tests.importers.configurations import TWO_REGIONS, configuration, deployment, imported

ORDERED = configuration(
    deployment("a", "openai/gpt-5", order=1, rpm=300, max_retries=1),
    deployment("a", "azure/gpt-5", order=2, num_retries=0, max_parallel_requests=50),
    deployment("b", "vertex_ai/gemini-2.5-pro", vertex_location="europe-west1", weight=2),
    deployment("b", "vertex_ai/gemini-2.5-pro", vertex_location="us-east1"),
    router_settings="{fallbacks: [{a: [b]}], num_retries: 0, retry_after: 6, disable_cooldowns: true}",
)
STANDING_BY = configuration(
    deployment("a", "openai/gpt-5", order=1, rpm=300),
    deployment("a", "azure/gpt-5"),
    router_settings="{num_retries: 0, cooldown_time: 60}",
)
USAGE_BASED = configuration(
    deployment("a", "openai/gpt-5", rpm=60, tpm=100000, api_key="one"),
    deployment("a", "openai/gpt-5", rpm=60, tpm=100000, api_key="two"),
    router_settings="{routing_strategy: usage-based-routing-v2, optional_pre_call_checks: [enforce_model_rate_limits], "
    "allowed_fails: 2, cooldown_time: 20}",
)
POLICIES = configuration(
    deployment("'team one'", "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0", aws_region_name="us-east-1"),
    deployment("'*'", "'openrouter/*'"),
    router_settings="{retry_policy: {RateLimitErrorRetries: 3, TimeoutErrorRetries: 0}, timeout: 45, "
    "routing_strategy: latency-based-routing, routing_strategy_args: {lowest_latency_buffer: 0.2}}",
    litellm_settings="{default_fallbacks: [meta-llama/llama-4], cache: true}",
)

CLASHING = configuration(
    deployment("openai", "openai/gpt-5", tpm=50),
    deployment("openai", "azure/gpt-5"),
    deployment("anthropic/m", "anthropic/m"),
    deployment("anthropic/m", "/"),
    router_settings="{fallbacks: [{openai: [anthropic/m]}]}",
)
"""Groups named as providers and models are, a limit of less than a request, a model without a name."""


def traced(folder: Path, text: str, horizon: str) -> Traced:
    found = imported(folder, text, assignments=[f"horizon={horizon}"])
    path = folder / "scenario.yaml"
    path.write_text(found.text, encoding="utf-8")
    return trace(plans(load_scenario(path))["as_modelled"])


@pytest.mark.parametrize("text", [TWO_REGIONS, ORDERED, STANDING_BY, USAGE_BASED, POLICIES, CLASHING])
def test_imported_scenarios_run(tmp_path: Path, text: str) -> None:
    found = traced(tmp_path, text, "2min")
    assert found.arrived > 0
    assert set(found.requests.outcome) == {"ok"}


def test_an_outage_of_one_region_sends_everybody_to_the_other(tmp_path: Path) -> None:
    found = traced(tmp_path, TWO_REGIONS, "25min")
    late = found.requests[found.requests.arrival_s > 1260.0]
    served = found.attempts[(found.attempts.outcome == "ok") & found.attempts.request_id.isin(late.request_id)]
    assert "azure-my-eu/gpt-4o-eu" not in set(served.leg)
    assert "azure-my-us/gpt-4o-us" in set(served.leg)


def test_orders_serve_one_after_the_other(tmp_path: Path) -> None:
    found = traced(tmp_path, ORDERED, "25min")
    down = found.attempts[(found.attempts.start_s > 1260.0) & (found.attempts.outcome == "ok")]
    assert down.leg.value_counts(normalize=True)["azure/gpt-5"] > 0.98  # but for errors at random
    assert "openai/gpt-5" not in set(down.leg)


def test_a_deployment_that_stands_by_is_called_only_while_the_ordered_one_cools(tmp_path: Path) -> None:
    found = traced(tmp_path, STANDING_BY, "10min")
    calls = found.attempts
    cooled = found.transitions[found.transitions.entity == "openai/gpt-5"]
    assert set(calls.leg) == {"openai/gpt-5"} or len(cooled) > 0
    failed = calls[(calls.leg == "openai/gpt-5") & (calls.outcome == "server_error")]
    assert len(failed) > 0
    assert set(found.requests[found.requests.request_id.isin(failed.request_id)].outcome) == {"failed"}
