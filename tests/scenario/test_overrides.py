"""`--set` and arms change what they name, and answer for it."""

from collections.abc import Callable
from typing import Any

import pytest

from des.errors import ScenarioError
from des.scenario import from_mapping, load_scenario, plans
from des.scenario.text.overrides import Assignment, UnknownPathError, find_path

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
        ("...", "is not a path"),
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
    assert "the value is not valid YAML" in found[3]


def test_set_makes_new_arms(two_providers: str, load: Load) -> None:
    overrides = ["arms.a.chain=[openai]", "arms.a.policy.rounds=3", "arms.primary_onl.policy.rounds=4"]
    resolved = plans(load(two_providers, [*overrides, "expect.a.latency_s_p95=< 2s"]))
    assert list(resolved) == ["as_modelled", "primary_only", "a", "primary_onl"]
    assert [leg.name for leg in resolved["a"].chain] == ["openai/gpt-5-mini"]
    assert (resolved["a"].policy.rounds, resolved["primary_onl"].policy.rounds) == (3, 4)
    loaded = load(two_providers, [*overrides, "expect.a.latency_s_p95=< 2s"])
    assert loaded.resolved()["expect"]["a.latency_s_p95"] == "< 2s"
    assert ("a", "latency_s_p95", 2.0) in [(each.arm, each.metric, each.value) for each in loaded.expectations()]


def test_set_makes_the_first_arms_and_expectations(images: str, load: Load) -> None:
    loaded = load(images, ["arms.second.chain=[two]", "expect.availability=> 50%"], name="s.toml")
    assert [leg.name for leg in plans(loaded)["second"].chain] == ["two/image"]
    assert loaded.expectations()[0].arm == "second"


def test_set_reaches_into_the_legs_of_an_arm(two_providers: str, load: Load) -> None:
    resolved = plans(load(two_providers, ["arms.a.chain[0].retries=4", "arms.a.chain.openai.timeout.total=90s"]))
    assert [group.retry.retries for group in resolved["a"].client.groups] == [4, 0]
    assert resolved["a"].chain[1].timeout.total_s == 90.0
    assert resolved["as_modelled"].client.groups[0].retry.retries == 1


def test_set_makes_new_components_providers_and_models(two_providers: str, load: Load) -> None:
    overrides = [
        "components.network.mttf=30d",
        "components.network.mttr=1h",
        "components.cdn2={mttf: 90d, mttr: 1h}",
        "providers.openai.depends_on=[network, cdn2]",
        "providers.openai.models.huge.latency=3s",
        "providers.openai.models.huge.price.per_request=0",
        "providers.third.models.small={latency: 1s, price: {per_request: 0}}",
        "chain=[{provider: openai, model: huge}, {provider: third}]",
        "arms.primary_only=",
        "expect=",
    ]
    plan = plans(load(two_providers, overrides))["as_modelled"]
    assert [leg.name for leg in plan.chain] == ["openai/huge", "third/small"]
    assert {"network", "cdn2"} <= {component.name for component in plan.components}


@pytest.mark.parametrize(
    ("override", "path"),
    [("components.cdnn.mttf=1d", "components.cdnn"), ("providers.opnai.latency=1s", "providers.opnai")],
)
def test_a_new_name_that_is_nearly_an_old_one_is_taken_for_a_slip(
    override: str, path: str, two_providers: str, problems: Problems
) -> None:
    (line,) = problems(two_providers, [override])
    assert line.startswith(f"--set {override}: {path}: unknown name '")
    assert line.endswith(f"'? (to add one, set it as a whole: {path}={{...}})")


def test_an_assignment_is_called_what_its_author_wrote(two_providers: str, load: Load) -> None:
    load(two_providers)
    assert load_scenario("s.yaml", [Assignment("seed=3", "--seed 3")]).scenario.seed == 3
    with pytest.raises(ScenarioError) as refused:
        load_scenario("s.yaml", [Assignment("replications=0", "--replications 0"), Assignment("seed=-1", "--seed -1")])
    assert sorted(str(refused.value).splitlines()) == [
        "--replications 0: replications: expected a whole number of at least 1; got 0",
        "--seed -1: seed: expected a whole number that is not negative; got -1",
    ]


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
    backoff = patient.client.groups[0].retry.backoff
    assert (backoff.base_s, backoff.cap_s) == (1.0, 8.0)
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
        ("{seed: 3}", "38:18: arms.primary_only.seed: 'seed' must be the same in all arms"),
        (
            "{chain.9.retries: 3}",
            "38:18: arms.primary_only.chain.9.retries: chain[9]: chain has 2 entries, counted from 0",
        ),
        (
            "{providers: {openai: null}}",
            "38:3: arms.primary_only: chain[1].provider: unknown provider 'openai'; there is: anthropic",
        ),
        (
            "{components: {cnd: null}}",
            "38:31: arms.primary_only.components.cnd: unknown component 'cnd'; did you mean 'cdn'? "
            "(null removes an existing one)",
        ),
        (
            "{components.cnd: null}",
            "38:18: arms.primary_only.components.cnd: unknown component 'cnd'; did you mean 'cdn'? "
            "(null removes an existing one)",
        ),
        ("[1]", "38:17: arms.primary_only: expected a mapping such as {chain: [openai]}; got a list"),
    ],
)
def test_a_problem_of_an_arm_is_reported_at_its_own_line(
    arm: str, message: str, two_providers: str, problems: Problems
) -> None:
    assert problems(two_providers.replace("{chain: [anthropic]}", arm)) == [f"s.yaml:{message}"]


def test_set_takes_out_no_component_that_is_not_there(two_providers: str, load: Load) -> None:
    with pytest.raises(ScenarioError, match=r"--set components.cnd=null: .*did you mean 'cdn'"):
        load(two_providers, ["components.cnd=null"])


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
    assert (latency.arm, latency.metric, latency.comparison) == ("primary_only", "latency_s_p95", "<")
    assert latency.value == 1.5


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


def test_an_arm_that_reaches_into_an_empty_entry_is_refused_for_the_entry(
    two_providers: str, problems: Problems
) -> None:
    text = two_providers.replace("chain:\n", "chain:\n  -\n").replace(
        "as_modelled: {}", "as_modelled: {chain[0].name: x}"
    )
    assert any("chain[0]" in line for line in problems(text))
