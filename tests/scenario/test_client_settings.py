"""A setting is described once: read by the names that users write, used by names with units, and written again."""

import pickle
from math import inf
from typing import Any

import pytest

from des.catalogue.presets import names, preset
from des.distributions import Constant, Distribution, Empirical, Exponential, Gamma, Lognormal, Uniform, Weibull
from des.errors import ScenarioError
from des.scenario import from_mapping, json_schema, plan
from des.scenario.schema.calls import SilentRot
from des.scenario.schema.distribution_forms import Form
from des.scenario.schema.own_classes import OwnClass
from des.scenario.schema.policy import PolicySpec
from des.scenario.schema.retries import Backoff
from des.scenario.schema.setting import Setting

CONTENT: dict[str, Any] = {
    "horizon": "1d",
    "workload": {"arrivals": {"kind": "poisson", "rate": "1/s"}},
    "providers": {"a": {"latency": "1s", "models": {"m": {"price": {"per_request": 0}}}}},
    "chain": [{"provider": "a"}],
}
POLICY: dict[str, Any] = {
    "retries": 2,
    "backoff": {"kind": "exponential", "base": "500ms", "cap": "8s", "jitter": "additive", "spread": "1s"},
    "retry_after": {"mode": "honour", "cap": "60s", "on": [429, "5xx"]},
    "breaker": {"kind": "count_window", "calls": 10, "failure_share": "50%", "open": "5s"},
    "cooldown": {"on": ["rate_limited"], "for": "9s"},
    "retry_budget": {"kind": "quota", "capacity": 500, "retry_cost": 14},
    "timeout": {"connect": "5s", "total": "30s"},
    "response_cache": {"kind": "zipf", "keys": 9, "exponent": 1, "ttl": "1h"},
}


def settings() -> list[type[Setting]]:
    def below(setting: type[Setting]) -> list[type[Setting]]:
        return [each for one in setting.__subclasses__() for each in (one, *below(one))]

    return below(Setting)


def test_what_is_read_has_base_units_and_the_defaults_that_hold() -> None:
    policy = PolicySpec.model_validate(POLICY)
    assert policy.backoff == Backoff(
        kind="exponential", base_s=0.5, factor=2.0, cap_s=8.0, jitter="additive", spread_s=1.0
    )
    assert policy.backoff is not None
    assert policy.backoff.most_s == inf
    assert isinstance(policy.breaker, plan.CountWindowBreaker)
    assert (policy.breaker.open_s, policy.breaker.minimum) == (5.0, 10)
    assert isinstance(policy.retry_budget, plan.QuotaBudget)
    assert (policy.retry_budget.throttle_cost, policy.retry_budget.success) == (14.0, 1.0)
    assert isinstance(policy.cooldown, plan.Cooldown)
    assert (policy.cooldown.cooldown_s, policy.cooldown.window_s) == (9.0, 60.0)
    assert policy.retry_after is not None
    assert policy.retry_after.total_s == inf


@pytest.mark.parametrize("name", names())
def test_the_policy_of_every_preset_is_written_as_it_was_read(name: str) -> None:
    policy = PolicySpec.model_validate(preset(name).policy)
    written = policy.model_dump(mode="json", by_alias=True, exclude_unset=True)
    assert PolicySpec.model_validate(written) == policy
    assert written.keys() == preset(name).policy.keys()


def test_a_whole_dump_by_the_names_that_users_write_reads_as_the_same() -> None:
    policy = PolicySpec.model_validate(POLICY)
    written = policy.model_dump(mode="json", by_alias=True)
    assert written["backoff"]["cap"] == "8.0s"
    assert written["retry_after"] == {
        "mode": "honour",
        "cap": "60.0s",
        "above": "clip",
        "on": ["429", "5xx"],
        "combine": "max",
        "spread": "0.0s",
        "total": None,
    }
    said = policy.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    assert PolicySpec.model_validate(said) == policy


@pytest.mark.parametrize(
    "distribution",
    [
        Constant(0.2),
        Uniform(1.0, 2.0),
        Exponential(3.0),
        Lognormal(0.1, 1.2),
        Gamma(2.0, 3.0),
        Weibull(0.7, 9.0),
        Empirical((1.0, 2.5)),
    ],
)
def test_a_distribution_is_written_as_it_is_read(distribution: Distribution) -> None:
    rot = SilentRot(time_to_rot=distribution, repair=Constant(1.0))
    assert SilentRot.model_validate(rot.model_dump(mode="json", by_alias=True, exclude_unset=True)) == rot


def test_users_do_not_write_the_names_of_attributes() -> None:
    with pytest.raises(ScenarioError) as caught:
        from_mapping({**CONTENT, "policy": {"retries": 1, "backoff": {"kind": "constant", "base_s": "1s"}}})
    assert "policy.backoff.base_s: unknown key 'base_s'; did you mean 'base'?" in str(caught.value)


def test_messages_name_what_users_write() -> None:
    policy = {"retries": 1, "backoff": {"kind": "constant", "base": 3}, "ejection": {"consecutive": 2, "for": "x"}}
    with pytest.raises(ScenarioError) as caught:
        from_mapping({**CONTENT, "policy": policy})
    paths = {line.split(": ")[0] for line in str(caught.value).splitlines()}
    assert paths == {"policy.backoff.base", "policy.ejection.for"}


@pytest.mark.parametrize(("quota", "missing"), [({"capacity": 5}, "retry_cost"), ({"retry_cost": 5}, "capacity")])
def test_a_default_of_another_field_draws_no_message_of_its_own(quota: dict[str, Any], missing: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        from_mapping({**CONTENT, "policy": {"retries": 1, "retry_budget": {"kind": "quota", **quota}}})
    assert (
        str(caught.value) == f"policy.retry_budget.{missing}: is required, but missing: write {missing}: 1, for example"
    )


def test_settings_made_in_code_are_trusted_but_for_their_names() -> None:
    assert plan.Shaping(rate_per_s=2.0).queue is None
    with pytest.raises(TypeError, match="base"):
        plan.Backoff(base=1.0)  # type: ignore[call-arg]


def test_settings_can_be_sent_to_another_process() -> None:
    policy = PolicySpec.model_validate(POLICY)
    assert pickle.loads(pickle.dumps(policy)) == policy


def test_every_attribute_with_a_unit_is_written_without_it() -> None:
    for setting in settings():
        for name in setting.model_fields:
            assert not setting.written(name).endswith(("_s", "_per_s")), (setting, name)


def test_the_json_schema_has_every_field_by_the_name_that_users_write() -> None:
    schema = json_schema()
    definitions = {"Scenario": schema, **schema["$defs"]}
    for setting in settings():
        name = setting.__name__.removesuffix("Spec").removesuffix("Form")
        if (
            issubclass(setting, OwnClass)
            or (issubclass(setting, Form) and setting.__name__.endswith("Form"))  # of no unit yet
            or name in {"RetrySettings", "CallSettings"}
            or setting.__pydantic_generic_metadata__["origin"] is not None
        ):
            continue
        if setting.__module__.startswith("des.scenario.schema") and not name.startswith("_"):
            written = {setting.written(name) for name, field in setting.model_fields.items() if not field.exclude}
            assert written == set(definitions[name]["properties"]), name
    assert definitions["Cooldown"]["properties"]["for"]["default"] == "5.0s"
    assert definitions["Backoff"]["properties"]["cap"]["default"] is None
