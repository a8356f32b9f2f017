"""`--set` and arms change what they name, and answer for it."""

from collections.abc import Callable
from typing import Any

import pytest

from des.errors import ScenarioError
from des.scenario import from_mapping, plans
from des.scenario.overrides import UnknownPathError, find_path

Load = Callable[..., Any]
Problems = Callable[..., list[str]]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("policy.rounds", ("policy", "rounds")),
        ("chain[0].retries", ("chain", 0, "retries")),
        ("chain.0.retries", ("chain", 0, "retries")),
        ("chain.anthropic.retries", ("chain", 0, "retries")),
        ("chain[openai/gpt-4.1].retries", ("chain", 1, "retries")),
        ("providers.openai.models.gpt-4.1.latency", ("providers", "openai", "models", "gpt-4.1", "latency")),
        ('providers.openai.models["gpt-4.1"].latency', ("providers", "openai", "models", "gpt-4.1", "latency")),
        ("drain", ("drain",)),
    ],
)
def test_paths_reach_values_even_through_names_with_dots(text: str, path: tuple[str | int, ...]) -> None:
    content = {
        "policy": {"rounds": 1},
        "providers": {"anthropic": {"models": {"m": {}}}, "openai": {"models": {"gpt-4.1": {}}}},
        "chain": [{"provider": "anthropic"}, {"provider": "openai"}],
    }
    assert find_path(content, text) == path


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("chain[7].retries", "chain has 1 entry"),
        ("providers.opnai.latency", "did you mean 'openai'"),
        ("horizon.x", "horizon is '3d', not a mapping"),
        ("chain.opnai.retries", "'opnai' is not the name of a leg"),
        ("...", "is no path"),
    ],
)
def test_paths_that_lead_nowhere_say_so(text: str, words: str) -> None:
    content = {"horizon": "3d", "providers": {"openai": {"models": {"m": None}}}, "chain": [{"provider": "openai"}]}
    with pytest.raises(UnknownPathError) as error:
        find_path(content, text)
    assert words in str(error.value)


def test_set_values_are_yaml(two_providers: str, load: Load) -> None:
    overrides = ["policy.rounds=3", "chain[1].timeout={total: 5s}", "seed=1", "drain=10min", "expect.requests=> 1"]
    loaded = load(two_providers, overrides)
    plan = plans(loaded)["as_modelled"]
    assert (plan.policy.rounds, plan.chain[1].timeout.total_s, plan.seed, plan.drain_s) == (3, 5.0, 1, 600.0)
    assert loaded.resolved()["policy"]["rounds"] == 3
    assert loaded.resolved()["expect"]["requests"] == "> 1"


def test_a_later_set_wins(two_providers: str, load: Load) -> None:
    loaded = load(two_providers, ["policy={rounds: 5}", "policy.rounds=6", "policy.deadline=9s"])
    assert plans(loaded)["as_modelled"].policy.rounds == 6
    assert plans(loaded)["as_modelled"].policy.deadline_s == 9.0


def test_problems_of_set_are_reported_at_it(two_providers: str, problems: Problems) -> None:
    assert problems(two_providers, ["policy.rouns=3"]) == [
        "--set policy.rouns=3: policy.rouns: unknown key 'rouns'; did you mean 'rounds'?"
    ]
    assert set(problems(two_providers, ["chain[0].retries=-1", "horizon=-1d"])) == {
        "--set chain[0].retries=-1: chain[0].retries: expected a whole number that is not negative; got -1",
        "--set horizon=-1d: horizon: expected a duration such as 30s, 45min or 90d; got '-1d', which is negative",
    }


def test_sets_that_lead_nowhere_are_all_named(two_providers: str, problems: Problems) -> None:
    found = problems(two_providers, ["rounds", "chain[9].retries=1", "providers.opnai.latency=1s", "policy.rounds=["])
    assert len(found) == 4
    assert found[0] == "--set rounds: expected path=value, such as policy.rounds=3"
    assert "the value is no YAML" in found[3]


def test_no_arms_is_one_arm(images: str, load: Load) -> None:
    assert list(plans(load(images, name="s.toml"))) == ["as_modelled"]


def test_arms_merge_deeply_and_leave_each_other_alone(two_providers: str, load: Load) -> None:
    arms = """
  patient:
    policy: {deadline: null, backoff: {base: 1s}}
    policy.rounds: 5
    chain.1.timeout.total: 90s
    workload: {arrivals: {rate: 4/min}}
    providers: {openai: {models: {gpt-5-mini: {errors: {hang: 1%}}}}}
"""
    resolved = plans(load(two_providers.replace("  as_modelled: {}\n", "  as_modelled: {}" + arms)))
    patient, modelled = resolved["patient"], resolved["as_modelled"]
    assert patient.policy.deadline_s is None
    assert (patient.policy.retry_backoff.base_s, patient.policy.retry_backoff.cap_s) == (1.0, 8.0)
    assert patient.policy.rounds == 5
    assert (patient.chain[1].timeout.total_s, patient.chain[1].timeout.first_token_s) == (90.0, 10.0)
    assert patient.workload.arrivals.rate_per_s == pytest.approx(4 / 60)
    assert [error.outcome for error in patient.endpoints[1].errors] == ["hang"]
    assert modelled.policy.deadline_s == 120.0
    assert modelled.policy.rounds == 2
    assert modelled.chain[1].timeout.total_s == 60.0
    assert modelled.endpoints[1].errors == ()


def test_another_kind_replaces_the_old_one_whole(two_providers: str, load: Load) -> None:
    text = two_providers.replace("{chain: [anthropic]}", "{workload: {arrivals: {kind: batch, every: 4h, size: 20}}}")
    assert plans(load(text))["primary_only"].workload.arrivals.size == 20


def test_an_arm_selects_legs_by_name_or_provider(two_providers: str, load: Load) -> None:
    text = two_providers.replace("policy:\n", "  - {provider: anthropic, timeout: 5s}\npolicy:\n", 1).replace(
        "{chain: [anthropic]}", "{chain: [openai/gpt-5-mini, anthropic/claude-sonnet-4-6#2]}"
    )
    text = text.replace("expect:", "  twice: {chain: [anthropic]}\nexpect:")
    resolved = plans(load(text))
    assert [leg.name for leg in resolved["primary_only"].chain] == [
        "openai/gpt-5-mini",
        "anthropic/claude-sonnet-4-6#2",
    ]
    assert [leg.name for leg in resolved["twice"].chain] == [
        "anthropic/claude-sonnet-4-6",
        "anthropic/claude-sonnet-4-6#2",
    ]
    assert [leg.index for leg in resolved["primary_only"].chain] == [0, 1]


def test_null_takes_a_component_out(two_providers: str, load: Load) -> None:
    text = two_providers.replace(
        "{chain: [anthropic]}",
        "{components: {cdn: null}, providers: {anthropic: {depends_on: []}, openai: {depends_on: []}}}",
    )
    resolved = plans(load(text))
    assert [each.name for each in resolved["primary_only"].components][:2] == ["anthropic", "openai"]
    assert resolved["as_modelled"].components[0].name == "cdn"


@pytest.mark.parametrize(
    ("arm", "message"),
    [
        ("{policy: {rouns: 3}}", "38:27: arms.primary_only.policy.rouns: unknown key 'rouns'; did you mean 'rounds'?"),
        ("{policy.rouns: 3}", "38:18: arms.primary_only.policy.rouns: unknown key 'rouns'; did you mean 'rounds'?"),
        (
            "{chain: [antropic]}",
            "38:26: arms.primary_only.chain[0]: unknown leg or provider 'antropic' in the chain; "
            "did you mean 'anthropic'?",
        ),
        ("{chain: []}", "38:25: arms.primary_only.chain: is empty: at least one entry is needed"),
        ("{seed: 3}", "38:18: arms.primary_only.seed: 'seed' is the same in all arms"),
        (
            "{chain.9.retries: 3}",
            "38:18: arms.primary_only.chain.9.retries: chain[9]: chain has 2 entries, counted from 0",
        ),
        (
            "{providers: {openai: null}}",
            "38:3: arms.primary_only: chain[1].provider: unknown provider 'openai'; there is: anthropic",
        ),
        ("[1]", "38:17: arms.primary_only: expected a mapping; got a list"),
    ],
)
def test_a_problem_of_an_arm_is_reported_at_its_own_line(
    arm: str, message: str, two_providers: str, problems: Problems
) -> None:
    assert problems(two_providers.replace("{chain: [anthropic]}", arm)) == [f"s.yaml:{message}"]


def test_a_problem_of_the_scenario_is_not_repeated_by_its_arms(two_providers: str, problems: Problems) -> None:
    assert len(problems(two_providers.replace("timeout: 30s", "timeout: soon"))) == 1


def test_a_price_missing_in_one_arm_names_the_arm(two_providers: str, problems: Problems) -> None:
    text = two_providers.replace(
        "{chain: [anthropic]}", "{providers: {openai: {models: {mine: {latency: 1s}}}}, chain: [anthropic]}"
    )
    (line,) = problems(text)
    assert line.startswith("s.yaml:38:48: arms.primary_only.providers.openai.models.mine.price: is required")


def test_expectations_are_of_the_modelled_arm_unless_they_name_one(two_providers: str, load: Load) -> None:
    availability, latency = load(two_providers).expectations()
    assert (availability.arm, availability.metric, availability.comparison) == ("as_modelled", "availability", ">=")
    assert availability.value == 0.9995
    assert (latency.arm, latency.metric, latency.value) == ("primary_only", "latency_s_p95", 1.5)
    assert latency.met_by(1.4)
    assert not latency.met_by(1.5)
    assert not latency.met_by(float("nan"))


def test_plain_data_makes_a_scenario_too() -> None:
    content = {
        "horizon": "1d",
        "workload": {"arrivals": {"kind": "poisson", "rate": "1/s"}},
        "providers": {"a": {"models": {"m": {"latency": "1s", "price": {"per_request": 0}}}}},
        "chain": ({"provider": "a"},),
        "arms": {"as_modelled": {}, "again": {"chain": ["a", "a"]}},
    }
    resolved = plans(from_mapping(content))
    assert [leg.name for leg in resolved["again"].chain] == ["a/m", "a/m#2"]
    with pytest.raises(ScenarioError, match=r"^horizon: expected a duration"):
        from_mapping({**content, "horizon": 3})


def test_the_resolved_scenario_says_the_same_again(two_providers: str, load: Load) -> None:
    loaded = load(two_providers, ["policy.rounds=3"])
    assert plans(from_mapping(loaded.resolved())) == plans(loaded)
