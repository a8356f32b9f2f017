"""A path that begins too deep is answered with the whole one, in an override and in a file."""

from collections.abc import Callable

import pytest

from des.errors import ScenarioError
from des.scenario import Loaded, plans

Problems = Callable[..., list[str]]

SHORT = [
    ("rate=2/min", "workload.arrivals.rate=2/min"),
    ("rate=4,000 rpm", "workload.arrivals.rate=4000/min"),
    ("arrivals.rate=2/min", "workload.arrivals.rate=2/min"),
    ("tokens.input=500", "workload.tokens.input=500"),
    ("limits=4000/min", "providers.anthropic.limits={requests: 4000/min}"),
    ("limits.requests=4000/min", "providers.anthropic.limits.requests=4000/min"),
    ("requests=4,000/min", "providers.anthropic.limits.requests=4000/min"),
    ("rpm=4000/min", "providers.anthropic.limits.requests=4000/min"),
    ("availability=99%", "providers.anthropic.availability=99%"),
    ("openai.tags={region: us}", "providers.openai.tags={region: us}"),
    ("cdn.incidents=[]", "components.cdn.incidents=[]"),
    ("latency=2 seconds", "providers.anthropic.models.claude-sonnet-4-6.latency=2s"),
    ("errors=1%", "providers.anthropic.models.claude-sonnet-4-6.errors={server_error: 1%}"),
    ("retries=3", "policy.retries=3"),
    ("max_retries=3", "policy.retries=3"),
    ("timeout=10s", "policy.timeout=10s"),
    ("hedge=2s", "policy.hedge={after: 2s}"),
    ("lost_request=0.10", "value.lost_request=0.10"),
]


@pytest.mark.parametrize(("short", "whole"), SHORT)
def test_an_override_is_told_the_whole_path(two_providers: str, problems: Problems, short: str, whole: str) -> None:
    path = short.partition("=")[0]
    said = path.partition(".")[0]
    assert problems(two_providers, [short]) == [f"--set {short}: {path}: unknown key '{said}'; write {whole}"]


@pytest.mark.parametrize("whole", [whole for _, whole in SHORT if "incidents" not in whole and "availab" not in whole])
def test_the_whole_path_can_be_set(two_providers: str, load: Callable[..., Loaded], whole: str) -> None:
    plans(load(two_providers, [whole]))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("rate: 2/min", "rate: unknown key 'rate'; here it is workload: {arrivals: {rate: 2/min}}"),
        (
            "limits: 4000/min",
            "limits: unknown key 'limits'; here it is providers: {anthropic: {limits: {requests: 4000/min}}}",
        ),
        ("rounds: 2", "rounds: unknown key 'rounds'; here it is policy: {rounds: 2}"),
        (
            "arrivals: {kind: poisson, rate: 1/s}",
            "arrivals: unknown key 'arrivals'; here it is workload: {arrivals: {kind: poisson, rate: 1/s}}",
        ),
        (
            "openai: {availability: 99%}",
            "openai: unknown key 'openai'; here it is providers: {openai: {availability: 99%}}",
        ),
        (
            "incidents: [{start: 1h}]",
            "incidents: unknown key 'incidents'; here it is providers: {anthropic: {incidents: ...}}",
        ),
    ],
)
def test_a_key_at_the_top_of_a_file_is_told_where_it_belongs(
    two_providers: str, problems: Problems, line: str, told: str
) -> None:
    assert problems(f"{line}\n{two_providers}") == [f"s.yaml:1:1: {told}"]


def test_a_word_of_which_no_place_is_known_is_only_unknown(two_providers: str, problems: Problems) -> None:
    assert problems(two_providers, ["quux=3"]) == ["--set quux=3: quux: unknown key 'quux'"]


def test_a_path_that_exists_is_set(two_providers: str, load: Callable[..., Loaded]) -> None:
    assert load(two_providers, ["policy.rounds=3"]).scenario.policy.rounds == 3


def test_a_scenario_of_named_models_is_told_its_own_provider(load: Callable[..., Loaded]) -> None:
    text = "horizon: 1h\nworkload: {arrivals: {kind: poisson, rate: 1/min}}\nchain: [claude-sonnet-4-6]\n"
    with pytest.raises(ScenarioError, match=r"write providers\.anthropic\.availability=99%"):
        load(text, ["availability=99%"])
