"""Words of SDKs, gateways and load tests are answered with what a scenario writes instead."""

from typing import Any

import pytest

from des.errors import ScenarioError
from des.scenario import from_mapping, plans
from des.scenario.loading import changed

WHOLE: dict[str, Any] = {
    "horizon": "1h",
    "workload": {"arrivals": {"kind": "poisson", "rate": "1/min"}},
    "providers": {"one": {"models": {"m": {"latency": "1s", "price": {"per_request": 0}}}}},
    "chain": [{"provider": "one"}],
    "policy": {},
}


def told(section: str, *path: str | int, **keys: object) -> str:
    """The problems of a scenario with more keys at a place."""
    content = {**WHOLE, section: _with(WHOLE[section], path, keys)}
    with pytest.raises(ScenarioError) as refused:
        plans(from_mapping(content))
    return str(refused.value)


def _with(value: Any, path: tuple[str | int, ...], keys: dict[str, object]) -> Any:
    if not path:
        return {**value, **keys}
    copied = list(value) if isinstance(value, list) else dict(value)
    copied[path[0]] = _with(value[path[0]], path[1:], keys)
    return copied


@pytest.mark.parametrize(
    ("place", "key", "instead"),
    [
        (("providers", "one"), "rpm", "limits: {requests: 60/min}"),
        (("providers", "one", "models", "m"), "tpm", "limits: {tokens: 100000/min}"),
        (("chain", 0), "max_retries", "retries: 2"),
        (("policy",), "num_retries", "retries: 2"),
        (("policy",), "max-attempts", "retries: 2 for three attempts"),
        (("chain", 0), "timeout_ms", "timeout: 30s"),
        (("policy",), "request_timeout", "timeout: 30s"),
        (("chain", 0), "stream_timeout", "timeout: {first_token: 10s}"),
        (("policy",), "allowed_fails", "cooldown: {allowed_fails: 3, for: 5s}"),
        (("providers", "one"), "uptime", "availability: 99.5% and episodes_per_year: 10"),
        (("providers", "one"), "max_parallel_requests", "limits: {concurrency: 10}"),
    ],
)
def test_a_word_is_answered_with_ours_for_its_place(place: tuple[str, ...], key: str, instead: str) -> None:
    assert f"unknown key '{key}'; here it is {instead}" in told(*place, **{key: "x"})


@pytest.mark.parametrize(
    ("place", "key", "instead"),
    [
        (
            ("policy",),
            "rpm",
            "limits belong to a provider or a model: providers: {openai: {limits: {requests: 60/min}}}",
        ),
        (
            ("policy",),
            "tpm",
            "limits belong to a provider or a model: providers: {openai: {limits: {tokens: 100000/min}}}",
        ),
        (("policy",), "limits", "limits belong to a provider or a model"),
        (("providers", "one"), "max_retries", "retries belong to the client: policy: {retries: 2}, or the same key of"),
        (("providers", "one", "models", "m"), "retries", "retries belong to the client: policy: {retries: 2}"),
        (("providers", "one"), "timeout", "time-outs belong to the client: policy: {timeout: 30s}"),
    ],
)
def test_a_word_in_the_wrong_part_is_told_where_it_belongs(place: tuple[str, ...], key: str, instead: str) -> None:
    assert f"unknown key '{key}'; {instead}" in told(*place, **{key: "x"})


@pytest.mark.parametrize("key", ["rpm", "max_retries"])
def test_a_word_at_the_top_is_told_where_it_belongs(key: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        from_mapping({**WHOLE, key: 3})
    assert f"unknown key '{key}'; " in str(refused.value)
    assert "belong to" in str(refused.value)


@pytest.mark.parametrize(
    ("name", "ours"),
    [("anthropic-python", "anthropic-sdk"), ("openai-pyhton", "openai-python"), ("polly-hedge", "polly")],
)
def test_an_unknown_preset_is_answered_with_one_of_the_same_maker(name: str, ours: str) -> None:
    assert f"unknown preset '{name}'; did you mean '{ours}" in told("policy", preset=name)


def test_limits_of_a_whole_scenario_are_sent_to_the_provider() -> None:
    with pytest.raises(ScenarioError) as refused:
        from_mapping({**WHOLE, "limits": {"requests": "60/min"}})
    assert "unknown key 'limits'; here it is providers: {one: {limits: {requests: 60/min}}}" in str(refused.value)


def test_limits_themselves_need_no_more_than_their_key() -> None:
    assert "unknown key 'rpm'; here it is requests: 60/min" in told("providers", "one", limits={"rpm": 60})


def test_what_is_told_instead_is_valid() -> None:
    policy = {"retries": 2, "timeout": {"first_token": "10s"}, "cooldown": {"allowed_fails": 3, "for": "5s"}}
    one = WHOLE["providers"]["one"] | {"availability": "99.5%", "episodes_per_year": 10}
    one |= {"limits": {"requests": "60/min", "tokens": "100000/min", "concurrency": 10}}
    plans(from_mapping({**WHOLE, "policy": policy, "providers": {"one": one}}))


def test_our_own_word_of_that_name_is_no_problem() -> None:
    plans(from_mapping({**WHOLE, "chain": [{"provider": "one", "rpm": 60}]}))


def test_a_word_that_has_no_place_there_gets_the_nearest_of_ours() -> None:
    assert "unknown key 'rpm'" in told("workload", rpm=3)
    assert "here it is" not in told("workload", rpm=3)


@pytest.mark.parametrize(
    ("place", "key", "value", "instead"),
    [
        (("providers", "one"), "rpm", 4000, "here it is limits: {requests: 4000/min}"),
        (("providers", "one"), "tpm", "2000000", "here it is limits: {tokens: 2000000/min}"),
        (("chain", 0), "max_retries", 5, "here it is retries: 5"),
        (("policy",), "timeout_s", 2.5, "here it is timeout: 2.5s"),
        (
            ("policy",),
            "rpm",
            4000,
            "limits belong to a provider or a model: providers: {openai: {limits: {requests: 4000/min}",
        ),
        (("policy",), "timeout_ms", 2500, "here it is timeout: 30s"),
        (("policy",), "max_attempts", 5, "here it is retries: 2 for three attempts"),
        (("providers", "one"), "rpm", True, "here it is limits: {requests: 60/min}"),
    ],
)
def test_the_authors_number_is_written_where_it_counts_the_same(
    place: tuple[str, ...], key: str, value: object, instead: str
) -> None:
    assert f"unknown key '{key}'; {instead}" in told(*place, **{key: value})


def test_a_common_cause_is_set_field_by_field_where_its_members_are() -> None:
    """The members may come in the same command, in any order."""
    fraction = "common_cause.fraction=30%"
    loaded = from_mapping(WHOLE)
    with pytest.raises(ScenarioError, match="there is no common_cause in this scenario"):
        changed(loaded, [fraction])
    with pytest.raises(ScenarioError) as refused:
        changed(loaded, [fraction, "common_cause.members=[nobody, two]"])
    assert "no common_cause" not in str(refused.value)


def test_day_and_night_are_a_profile() -> None:
    arrivals = {"kind": "daily", "rate": "1/s"}
    words = "unknown kind 'daily'; for day and night write kind: poisson, and profile: {hours: [1, 1, ...]}"
    assert words in told("workload", arrivals=arrivals)
    profiled = {"kind": "poisson", "rate": "1/s", "profile": {"day": 2, "night": 1}}
    said = told("workload", arrivals=profiled)
    assert "unknown key 'day'; here it is hours: [1, 1, ...], 24 weights" in said
    assert "unknown key 'night'; here it is hours: [1, 1, ...], 24 weights" in said
