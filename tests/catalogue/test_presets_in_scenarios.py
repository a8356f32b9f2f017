"""Every preset is a policy that a scenario may take over, alone, overridden, and as a client inside another."""

from typing import Any

import pytest

from des.catalogue.presets import names, preset
from des.errors import ScenarioError
from des.scenario import from_mapping, plans

SDKS = [name for name in names() if preset(name).kind == "sdk"]
PEERS = {"group": "peers", "legs": [{"provider": "a"}, {"provider": "b"}]}


def scenario(policy: dict[str, Any]) -> dict[str, Any]:
    model = {"latency": "1s", "models": {"m": {"price": {"per_request": 0}}}}
    return {
        "title": "test",
        "horizon": "10s",
        "seed": 1,
        "workload": {"arrivals": {"kind": "poisson", "rate": "1/s"}},
        "providers": dict.fromkeys("abc", model),
        "chain": [PEERS, {"provider": "c"}],
        "policy": policy,
    }


@pytest.mark.parametrize("name", names())
def test_each_preset_makes_a_plan(name: str) -> None:
    plan = plans(from_mapping(scenario({"preset": name})))["as_modelled"]
    retries = preset(name).policy.get("retries", 0)
    assert {group.retry.retries for group in plan.client.groups} == {retries}


@pytest.mark.parametrize("name", names())
def test_a_preset_is_its_own_policy_written_out(name: str) -> None:
    taken = plans(from_mapping(scenario({"preset": name})))["as_modelled"]
    written = plans(from_mapping(scenario(dict(preset(name).policy))))["as_modelled"]
    assert taken.client == written.client
    assert taken.chain == written.chain


@pytest.mark.parametrize("name", [each for each in SDKS if "retry_budget" not in preset(each).policy])
def test_an_sdk_goes_into_a_gateway(name: str) -> None:
    plan = plans(from_mapping(scenario({"preset": "litellm@1.109", "clients": [name]})))["as_modelled"]
    assert {leg.inner[0].retries for leg in plan.client.legs} == {preset(name).policy["retries"]}


def test_a_quota_does_not_go_into_a_gateway() -> None:
    with pytest.raises(ScenarioError, match="a client inside a call only retries"):
        from_mapping(scenario({"preset": "litellm@1.109", "clients": ["aws-standard@1.44"]}))
