"""From limits, budgets, groups and policies to the plan: what each says, and what overrides what."""

from typing import Any

import pytest

from des.catalogue.presets import names
from des.errors import ScenarioError
from des.estimate.interaction import client_interactions
from des.scenario import from_mapping, plans
from des.scenario.plan import (
    Backoff,
    Breaker,
    Capacity,
    Client,
    Cooldown,
    Limit,
    Plan,
    RatioBudget,
    RetryAfter,
    RetryRule,
    Shaping,
)
from des.scenario.schema.statuses import kinds_handled
from des.vocabulary import ATTEMPT_OUTCOMES, DEFAULT_RETRIED

CODE = {name: code for code, name in enumerate(ATTEMPT_OUTCOMES)}
FREE = {"price": {"per_request": 0}}
GROUP = {"group": "main", "legs": [{"provider": "a", "weight": 3}, {"provider": "b", "model": "m"}]}


def content(**rest: Any) -> dict[str, Any]:
    return {
        "horizon": "1d",
        "workload": {"arrivals": {"kind": "poisson", "rate": "10/s"}, "tokens": {"input": 100, "output": 20}},
        "providers": {
            "a": {"latency": "1s", "models": {"m": FREE}, **rest.pop("a", {})},
            "b": {"latency": "1s", "models": {"m": FREE, "n": FREE}},
        },
        "chain": [{"provider": "a"}, {"provider": "b", "model": "m"}],
        **rest,
    }


def arms(**rest: Any) -> dict[str, Plan]:
    return plans(from_mapping(content(**rest)))


def plan(**rest: Any) -> Plan:
    (only,) = arms(**rest).values()
    return only


def client(**rest: Any) -> Client:
    resolved = plan(**rest).client
    assert resolved is not None
    return resolved


def limits(spec: Any, **rest: Any) -> tuple[Limit, ...]:
    return plan(a={"limits": spec}, **rest).limits


def test_each_metric_is_a_limit_of_its_own() -> None:
    requests, tokens, calls = limits({"requests": "120/min", "input_tokens": "60000/min", "concurrency": 50})
    assert (requests.name, requests.metric, requests.rate_per_s, requests.burst) == ("a", "requests", 2.0, 2.0)
    assert (tokens.name, tokens.rate_per_s, tokens.burst) == ("a input_tokens", 1000.0, pytest.approx(60_000.0))
    assert (calls.metric, calls.algorithm, calls.rate_per_s, calls.burst) == ("concurrency", "concurrency", 0.0, 50.0)
    assert plan(a={"limits": {"requests": "1/s"}}).chain[0].limits == ()


def test_windows_admit_what_their_rate_allows() -> None:
    (fixed,) = limits({"requests": "60/min", "algorithm": {"fixed_window": "1min"}})
    (sliding,) = limits({"requests": "7/s", "algorithm": {"sliding_log": "10s"}})
    assert (fixed.algorithm, fixed.burst, fixed.window_s) == ("fixed_window", 60.0, 60.0)
    assert (sliding.algorithm, sliding.burst, sliding.window_s) == ("sliding_log", 70.0, 10.0)


def test_an_estimate_is_of_output_tokens_alone() -> None:
    requests, tokens = limits({"requests": "9/s", "output_tokens": "900/s", "counting": {"estimate": 512}})
    assert (requests.counted, requests.estimated_output) == ("dispatch", None)
    assert (tokens.counted, tokens.estimated_output) == ("estimate", 512)


def test_limits_counted_differently_are_a_list() -> None:
    first, second = limits([{"requests": "9/s"}, {"requests": "90/min", "counting": "success", "retry_after": False}])
    assert (first.name, second.name, second.counted, second.sends_retry_after) == ("a", "a#2", "success", False)


def test_acceleration_grows_from_its_floor() -> None:
    (limit,) = limits({"acceleration": {"growth": 2, "over": "1min", "floor": "60/min"}})
    assert (limit.algorithm, limit.growth, limit.burst, limit.window_s) == ("acceleration", 2.0, 60.0, 60.0)


def test_a_models_capacity_is_its_own_instead_of_the_providers() -> None:
    resolved = plan(
        a={"capacity": 300, "models": {"m": FREE, "n": {**FREE, "capacity": {"concurrent": 3, "queue": 9}}}},
        chain=[{"provider": "a", "model": "n"}],
    )
    assert resolved.capacities == (
        Capacity(index=0, name="a", concurrent=300),
        Capacity(index=1, name="a/n", concurrent=3, queue=9),
    )
    assert [endpoint.capacity for endpoint in resolved.endpoints] == [0, 1, None, None]


@pytest.mark.parametrize(
    ("split", "names_", "rates", "legs"),
    [
        ("shared", ["own"], [10.0], [(0,), (0,)]),
        ("equal", ["own/a", "own/b"], [5.0, 5.0], [(0,), (1,)]),
        ({"a": "70%", "b": "30%"}, ["own/a", "own/b"], [7.0, 3.0], [(0,), (1,)]),
    ],
)
def test_a_budget_is_shared_or_split_over_its_legs(
    split: Any, names_: list[str], rates: list[float], legs: list[tuple[int, ...]]
) -> None:
    resolved = plan(budgets={"own": {"requests": "10/s", "legs": ["a", "b"], "split": split}})
    assert [limit.name for limit in resolved.limits] == names_
    assert [limit.rate_per_s for limit in resolved.limits] == pytest.approx(rates)
    assert [leg.limits for leg in resolved.chain] == legs
    assert not client_interactions(resolved)


def test_a_budget_may_be_over_legs_that_an_arm_leaves_out() -> None:
    budget = {"own": {"requests": "10/s", "legs": ["a", "b/m"]}}
    alone = arms(budgets=budget, arms={"alone": {"chain": ["a"]}})["alone"]
    assert [leg.limits for leg in alone.chain] == [(0,)]


def test_statuses_beyond_the_usual_ones_are_outcome_kinds() -> None:
    errors = {"client_error": {"rate": "1%", "status": 401}, "server_error": {"rate": "1%", "status": 500}}
    incident = {"kind": "poisson", "rate": "1/y", "duration": "1h", "status": 503}
    resolved = plan(a={"errors": errors, "incidents": [incident]}, policy={"retries": 1, "retry_on": [503, "429"]})
    assert resolved.statuses == (("server_error", 503), ("client_error", 401))
    retried = resolved.client.groups[0].retry.retry_on
    assert kinds_handled(retried, resolved.statuses) == {CODE["rate_limited"], 9}  # other server errors are not


def test_a_policy_holds_for_every_leg_that_says_nothing_else() -> None:
    policy = {"retries": 2, "retry_on": ["timeout", 429], "timeout": "30s", "backoff": "1s", "retry_after": "honour"}
    resolved = plan(policy=policy, chain=[{"provider": "a", "retries": 1}, {"provider": "b", "model": "m"}])
    first, second = (group.retry for group in resolved.client.groups)
    assert not client_interactions(resolved)
    assert (first.retries, second.retries) == (1, 2)
    assert kinds_handled(second.retry_on, resolved.statuses) == {CODE["timeout"], CODE["rate_limited"]}
    assert resolved.chain[1].timeout.total_s == 30.0
    assert second.retry_after.honours


@pytest.mark.parametrize(
    "policy",
    [
        {"breaker": {"kind": "consecutive", "failures": 5, "open": "30s"}},
        {"cooldown": {"all_failed": 5}},
        {"hedge": {"after": "2s"}},
        {"probes": {"every": "30s"}},
        {"shaping": {"rate": "10/s", "queue": 9}},
        {"bulkhead": {"concurrent": 5}},
        {"retries": 1, "retry_budget": {"kind": "active", "share": "20%"}},
        {"adaptive_throttling": {}},
        {"ramp": {"start": "10%", "over": "1min", "reset_after": "1min"}},
        {"clients": [{"retries": 1}]},
        {"application": {"retries": 1}},
        {"order": "weighted"},
        {"fallback_depth": 0},
        {"wait_after_last": True},
        {"retry_after": {"cap": "60s"}},
        {"retry_after": {"on": ["overloaded"]}},
        {"backoff": {"kind": "envoy", "base": "25ms"}},
        {"retry_backoff": {"kind": "constant", "base": "1s", "throttled": {"base": "2s"}}},
    ],
    ids=lambda policy: "-".join(policy),
)
def test_every_policy_changes_the_client_and_none_takes_it_away(policy: dict[str, Any]) -> None:
    (name, value) = list(policy.items())[-1]
    without = client(policy={said: policy[said] for said in policy if said != name})
    assert client(policy=policy) != without
    if isinstance(value, dict) and name not in ("retry_after", "backoff", "retry_backoff", "application"):
        assert client(policy={**policy, name: "none"}) == without


def test_what_a_leg_says_comes_before_its_group_and_the_policy() -> None:
    def breaker(failures: int) -> dict[str, Any]:
        return {"kind": "consecutive", "failures": failures, "open": "30s"}

    group = {**GROUP, "breaker": breaker(2), "legs": [{"provider": "a", "breaker": breaker(1)}, GROUP["legs"][1]]}
    alone = {"provider": "b", "model": "n"}
    off = {"provider": "b", "model": "n", "name": "off", "breaker": "none"}
    guards = [leg.guards for leg in client(policy={"breaker": breaker(3)}, chain=[group, alone, off]).legs]
    assert [[guard.failures for guard in each if isinstance(guard, Breaker)] for each in guards] == [[1], [2], [3], []]


def test_a_group_retries_as_one_entry() -> None:
    resolved = plan(chain=[{**GROUP, "retries": 2, "routing": "weighted"}, {"provider": "b", "model": "n"}])
    main, last = resolved.client.groups
    assert (main.name, main.legs, main.routing.kind, main.retry.retries) == ("main", (0, 1), "weighted", 2)
    assert (last.name, last.legs, last.retry.retries) == ("b/n", (2,), 0)
    assert main.retry.retry_on == DEFAULT_RETRIED
    assert [leg.weight for leg in resolved.client.legs] == [3.0, 1.0, 1.0]
    assert [leg.position for leg in resolved.chain] == [0, 0, 1]


def test_weights_are_those_of_rpm_where_no_leg_has_one() -> None:
    legs = [{"provider": "a", "rpm": 600}, {"provider": "b", "model": "m", "rpm": 200, "tpm": 9}]
    assert [leg.weight for leg in client(chain=[{"group": "g", "legs": legs}]).legs] == [600.0, 200.0]


def test_pools_are_shared_by_the_chain_or_each_legs_own() -> None:
    budget = {"kind": "ratio", "share": "20%", "per_second": 10, "ttl": "10s"}
    shaping = {"rate": "10/s", "queue": 100, "scope": "leg"}
    resolved = client(policy={"retries": 1, "retry_budget": budget, "shaping": shaping})
    assert resolved.retry_budgets == (RatioBudget(kind="ratio", share=0.2, per_second=10.0, ttl_s=10.0),)
    assert [leg.retry_budget for leg in resolved.legs] == [0, 0]
    assert resolved.shapings == (Shaping(rate_per_s=10.0, queue=100, scope="leg"),) * 2
    assert [leg.shaping for leg in resolved.legs] == [0, 1]


def test_the_policys_ramp_is_not_for_the_first_entry() -> None:
    ramp = {"start": "10%", "over": "10min", "reset_after": "1min"}
    assert [leg.ramp is None for leg in client(policy={"ramp": ramp}).legs] == [True, False]


def test_an_sdk_inside_a_gateway_bounds_the_call_and_the_gateway_its_attempt() -> None:
    resolved = plan(policy={"timeout": "90s", "retries": 1, "clients": ["openai-python@3.54", {"retries": 3}]})
    outer, inner = resolved.client.legs[0].inner
    assert (outer.retries, outer.attempt_timeout_s) == (2, None)
    assert outer.retry_after == RetryAfter(
        honours=True, cap_s=120.0, above="refuse", on=outer.retry_after.on, combine="replace"
    )
    assert inner == RetryRule(retries=3, retry_on=DEFAULT_RETRIED)
    assert resolved.client.groups[0].retry.attempt_timeout_s == 90.0
    single = plan(policy={"timeout": "90s", "clients": ["openai-python@3.54"]})
    assert (single.chain[0].timeout.connect_s, single.chain[0].timeout.idle_s) == (5.0, 600.0)


def test_a_throttled_backoff_differs_in_what_it_says() -> None:
    backoff = {"kind": "exponential", "base": "50ms", "cap": "20s", "jitter": "full", "throttled": {"base": "1s"}}
    rule = client(policy={"retries": 2, "backoff": backoff}).groups[0].retry
    assert rule.backoff == Backoff(kind="exponential", base_s=0.05, cap_s=20.0, jitter="full")
    assert rule.throttled_backoff == Backoff(kind="exponential", base_s=1.0, cap_s=20.0, jitter="full")


@pytest.mark.parametrize("name", names())
def test_every_preset_resolves_alone_and_around_an_sdk(name: str) -> None:
    chain = [GROUP, {"provider": "b", "model": "n"}]
    assert plan(policy={"preset": name}).chain
    assert client(policy={"preset": name, "clients": ["anthropic-sdk"]}, chain=chain).legs[0].inner


def test_what_is_written_beside_a_preset_overrides_it_deeply() -> None:
    policy: dict[str, Any] = {"preset": "litellm@1.109"}
    (as_listed,) = client(policy=policy).legs[0].guards
    (longer,) = client(policy={**policy, "cooldown": {"for": "60s"}}).legs[0].guards
    assert isinstance(as_listed, Cooldown)
    assert isinstance(longer, Cooldown)
    assert (as_listed.cooldown_s, longer.cooldown_s, longer.failure_share) == (5.0, 60.0, 0.5)
    assert client(policy={**policy, "cooldown": "none"}).legs[0].guards == ()
    rounds = client(policy={**policy, "retry_backoff": "2s"})
    assert rounds.groups[0].retry.backoff == Backoff(kind="constant", base_s=2.0)
    jitter = client(policy={**policy, "backoff": {"jitter": "full"}}).groups[0].retry.backoff
    assert jitter == Backoff(kind="exponential", base_s=0.5, cap_s=8.0, jitter="full")
    capped = client(policy={**policy, "retry_after": {"cap": "30s"}}).groups[0].retry.retry_after
    assert (capped.cap_s, capped.above, capped.spread_s) == (30.0, "ignore", 0.75)
    (fewer,) = client(policy={**policy, "cooldown": {"share": None, "minimum": None}}).legs[0].guards
    assert isinstance(fewer, Cooldown)
    assert (fewer.failure_share, fewer.all_failed) == (None, 1000)


def test_arms_and_paths_reach_into_presets_and_groups() -> None:
    chain = [{**GROUP, "retries": 2}, {"provider": "b", "model": "n"}]
    resolved = arms(
        chain=chain,
        policy={"preset": "litellm@1.109"},
        arms={
            "cold": {"policy.cooldown.for": "60s"},
            "group": {"chain": ["main"]},
            "first": {"chain": ["a"]},
            "heavy": {"chain[main].legs[a].weight": 9},
            "named": {"chain[b/m].weight": 5},
        },
    )
    colder = resolved["cold"].client
    assert colder is not None
    (cold,) = colder.legs[0].guards
    assert isinstance(cold, Cooldown)
    assert cold.cooldown_s == 60.0
    assert [leg.name for leg in resolved["group"].chain] == ["a/m", "b/m"]
    first = resolved["first"].client
    assert first is not None
    assert [(group.name, group.legs, group.retry.retries) for group in first.groups] == [("main", (0,), 2)]
    weights = {arm: [leg.weight for leg in each.client.legs] for arm, each in resolved.items() if each.client}
    assert weights["heavy"] == [9.0, 1.0, 1.0]
    assert weights["named"] == [3.0, 5.0, 1.0]


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ({"preset": "litelm@1.109"}, "policy.preset: unknown preset 'litelm@1.109'; did you mean 'litellm@1.110'?"),
        ({"preset": "litellm@1.2"}, "policy.preset: unknown version of preset 'litellm@1.2'; known: litellm@1.109"),
        (
            {"clients": ["opnai-python"]},
            "policy.clients[0]: unknown preset 'opnai-python'; did you mean 'openai-python@",
        ),
        ({"clients": ["helicone"]}, "a client inside a call only retries, but 'helicone' also has ejection, routing"),
        (
            {"preset": "polly-hedging@8", "deadline": "1s"},
            "policy.preset: policy.hedge.after of the preset: the deadline",
        ),
        ({"preset": "litellm@1.109", "cooldown": {"for": "5"}}, "policy.cooldown.for: expected a duration"),
        ({"preset": "litellm@1.109", "cooldwn": 1}, "policy.cooldwn: unknown key 'cooldwn'; did you mean 'cooldown'?"),
    ],
)
def test_what_is_wrong_with_a_preset_is_told_where_it_is_named(policy: dict[str, Any], message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        plan(policy=policy)
    (line,) = str(caught.value).splitlines()
    assert message in line


@pytest.mark.parametrize(("written", "buffer"), [("50%", 0.5), (0.5, 0.5), ("150%", 1.5), (2, 2.0)])
def test_the_buffer_of_a_routing_is_a_share_or_a_number(written: object, buffer: float) -> None:
    routing = {"kind": "least_latency", "buffer": written}
    client = plan(policy={"order": routing}).client
    assert client is not None
    assert client.order.buffer == buffer


def test_clients_none_takes_away_the_policys_clients() -> None:
    assert client(policy={"clients": "none"}) == client()
