"""What a scenario writes that does nothing in it is remarked on, and really does nothing."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from engine.traced import trace

from des.catalogue.presets import presets
from des.catalogue.presets.preset import Preset
from des.scenario import from_mapping, plans
from des.scenario.text.strict_yaml import read_yaml
from tests.command import des

BASE = """\
horizon: 40s
seed: 3
workload: {arrivals: {kind: poisson, rate: 1/s}, tokens: {input: 100, output: 20}}
providers:
  a: {latency: 1s, errors: {server_error: 40%, rate_limited: 20%}, models: {m: {price: {per_request: 1}}}}
  b: {latency: 1s, errors: {server_error: 40%, hang: 10%}, models: {m: {price: {per_request: 2}}}}
"""
ALONE = "chain: [{provider: a}, {provider: b, timeout: 20s}]"
GROUP = "chain: [{group: g, legs: [{provider: a}, {provider: b, timeout: 20s}]}]"
RETRIES = "retries: 1, backoff: 1s"

IDLE = [
    ("policy.ties", GROUP, "{ties: first, routing: least_latency}", "no group of several legs is routed by least_busy"),
    ("policy.ties", GROUP, "{ties: first, routing: {kind: least_busy, choices: 2}}", "least_busy among all of them"),
    ("policy.wait_with_healthy_peer", ALONE, f"{{wait_with_healthy_peer: false, {RETRIES}}}", "a group of several"),
    ("policy.wait_with_healthy_peer", GROUP, "{wait_with_healthy_peer: false, retries: 2}", "there is no wait"),
    ("policy.wait_after_last", ALONE, "{wait_after_last: true, retries: 1}", "there is no wait: write retry_backoff"),
    (
        "policy.wait_after_last",
        ALONE,
        "{wait_after_last: after_retries, backoff: 1s, rounds: 2}",
        "only where there are",
    ),
    ("policy.retry_on", ALONE, "{retry_on: [5xx]}", "without retries nothing is tried again"),
    ("policy.retry_backoff", ALONE, "{retry_backoff: 1s}", "without retries nothing is tried again"),
    ("policy.retry_after", ALONE, "{retry_after: honour}", "without retries nothing is tried again"),
    ("policy.backoff", ALONE, "{backoff: 1s}", "without retries and further rounds there is no wait"),
    ("policy.round_backoff", ALONE, "{round_backoff: 1s}", "there is one round: write rounds: 2"),
    ("policy.fallback_depth", ALONE, "{fallback_depth: 1}", "entries after the first one: 1"),
    ("policy.order", GROUP, "{order: weighted}", "the chain has one entry"),
    ("policy.order.once", ALONE, "{order: {kind: weighted, once: true}}", "each entry is tried once a round"),
    ("policy.fallback_on", GROUP, "{fallback_on: [5xx]}", "nothing follows the last entry: there is one round"),
    ("policy.cooldown.share", ALONE, "{cooldown: {share: 10%, all_failed: 2}}", "a group of several"),
    (
        "policy.cooldown.one_of_several",
        GROUP,
        "{cooldown: {on: [429], one_of_several: true}}",
        "one of several already",
    ),
    ("policy.cooldown.spares_fallbacks", ALONE, "{cooldown: {all_failed: 2, spares_fallbacks: true}}", "allowed_fails"),
    (
        "policy.cooldown.counted_only",
        ALONE,
        "{cooldown: {allowed_fails: 1, counted_only: [4xx]}}",
        "share and all_failed",
    ),
    ("policy.cooldown.own_windows", ALONE, "{cooldown: {allowed_fails: 1, own_windows: true}}", "share and all_failed"),
    ("policy.ejection.counts", GROUP, "{ejection: {on_rate_limited: 5s, counts: [5xx]}}", "counts no failures"),
    ("policy.ejection.always_eject_one", GROUP, "{ejection: {consecutive: 1, always_eject_one: false}}", "most: 50%"),
    (
        "policy.breaker.all_open",
        ALONE,
        "{breaker: {kind: consecutive, failures: 1, open: 5s, stops: retries, all_open: bypass}, retries: 1}",
        "refuses no call",
    ),
    (
        "policy.clients[0].attempt_timeout.first_token",
        ALONE,
        "{clients: [{retries: 1, attempt_timeout: {first_token: 100ms, total: 9s}}, {retries: 1}]}",
        "only the innermost client bounds the parts of a call: give total",
    ),
    ("policy.clients[0].backoff", ALONE, "{clients: [{retries: 0, backoff: 1s, timeout: 9s}]}", "without retries"),
    (
        "policy.retry_backoff.factor",
        ALONE,
        "{retries: 2, retry_backoff: {kind: exponential, base: 1s, factor: 5, jitter: decorrelated}}",
        "decorrelated jitter draws between base and three times",
    ),
    ("policy.retries", "chain: [{provider: a, retries: 1}]", "{retries: 3}", "each entry of the chain has its own"),
    ("policy.timeout", "chain: [{provider: b, timeout: 20s}]", "{timeout: 2s}", "each leg has its own"),
    (
        "policy.breaker",
        "chain: [{provider: a, breaker: none}]",
        "{breaker: {kind: consecutive, failures: 1, open: 5s}}",
        "its own",
    ),
    (
        "policy.routing",
        "chain: [{group: g, legs: [{provider: a}]}]",
        "{routing: weighted}",
        "no group has several legs",
    ),
    (
        "chain[0].weight",
        "chain: [{provider: a, weight: 5}, {provider: b, timeout: 20s}]",
        "{}",
        "ordered does not use it",
    ),
    (
        "chain[0].legs[1].weight",
        "chain: [{group: g, legs: [{provider: a}, {provider: b, timeout: 20s, weight: 9}]}]",
        "{routing: round_robin}",
        "routing: round_robin does not use it; weighted does",
    ),
    (
        "chain[0].legs[1].rpm",
        "chain: [{group: g, legs: [{provider: a}, {provider: b, timeout: 20s, weight: 9, rpm: 5}]}]",
        "{routing: weighted}",
        "does not use it, because weight is given",
    ),
    (
        "chain[0].routing",
        "chain: [{group: g, routing: weighted, legs: [{provider: a}]}]",
        "{}",
        "the group has one leg",
    ),
    ("chain[0].retry_on", "chain: [{provider: a, retry_on: [5xx]}]", "{}", "without retries nothing is tried again"),
    (
        "chain[0].retry_budget.scope",
        "chain: [{provider: a, retries: 2, retry_budget: {kind: active, share: 0, minimum: 1, scope: leg}}]",
        "{}",
        "it is written for one leg",
    ),
    (
        "workload.units",
        ALONE + "\nworkload: {arrivals: {kind: poisson, rate: 1/s}, units: 3}",
        "{}",
        "no price is per_unit",
    ),
    (
        "providers.a.incidents[0].outcome",
        ALONE + "\nproviders.a.incidents: [{kind: schedule, error_rate: 0, latency_factor: 3, outcome: overloaded, "
        "windows: [{start: 5s, end: 25s}]}]",
        "{}",
        "no call fails (error_rate is 0)",
    ),
    (
        "providers.a.incidents[0].kills_in_flight",
        ALONE + "\nproviders.a.incidents: [{kind: schedule, error_rate: 0, latency_factor: 3, kills_in_flight: true, "
        "windows: [{start: 5s, end: 25s}]}]",
        "{}",
        "no call fails (error_rate is 0)",
    ),
    ("providers.a.latency", ALONE + "\nproviders.a.models.m.latency: 2s", "{}", "each model has its own"),
]


def content(chain: str, policy: str) -> dict[str, Any]:
    """The base with a chain, a policy and values by path."""
    base: dict[str, Any] = read_yaml(BASE)[0]
    for line in [*chain.split("\n"), f"policy: {policy}"]:
        path, _, value = line.partition(": ")
        *above, last = path.split(".")
        here = base
        for part in above:
            here = here[part]
        here[last] = read_yaml(value)[0]
    return base


def without(said: dict[str, Any], path: str) -> dict[str, Any]:
    changed = copy.deepcopy(said)
    *above, last = path.replace("[", ".").replace("]", "").split(".")
    here: Any = changed
    for part in above:
        here = here[int(part) if part.isdigit() else part]
    del here[last]
    return changed


@pytest.mark.parametrize(("path", "chain", "policy", "message"), IDLE, ids=[f"{each[0]} {each[3]}" for each in IDLE])
def test_what_does_nothing_is_remarked_on_and_does_nothing(path: str, chain: str, policy: str, message: str) -> None:
    said = content(chain, policy)
    loaded = from_mapping(said)
    (remark,) = [each for each in loaded.remarks if each.startswith(f"{path}: does nothing here: ")]
    assert message in remark
    left = from_mapping(without(said, path))
    assert not [each for each in left.remarks if each.startswith(f"{path}:")]
    first, second = (trace(plans(each)["as_modelled"]) for each in (loaded, left))
    assert first.requests.equals(second.requests)
    assert first.attempts.equals(second.attempts)


@pytest.mark.parametrize("preset", presets(), ids=lambda preset: f"{preset.name}@{preset.version}")
def test_a_preset_written_out_is_no_error(preset: Preset) -> None:
    said = {**content(GROUP, "{}"), "policy": dict(preset.policy)}
    assert from_mapping(said).scenario.chain


def test_what_only_the_preset_says_is_not_remarked_on() -> None:
    assert from_mapping(content(ALONE, "{preset: litellm@1.109, retries: 0}")).remarks == ()


@pytest.mark.parametrize("policy", ["{wait_after_last: false}", "{retry_after: ignore, clients: none}", "{retries: 0}"])
def test_what_is_switched_off_is_not_remarked_on(policy: str) -> None:
    assert from_mapping(content(ALONE, policy)).remarks == ()


ARMS = f"""{BASE}
chain: [{{provider: a}}, {{provider: b, timeout: 20s}}]
policy: {{fallback_depth: 1, retries: 1, retry_on: [5xx]}}
"""


def test_what_acts_in_one_arm_is_not_remarked_on(load: Callable[..., Any]) -> None:
    assert load(f"{ARMS}arms: {{plain: {{}}, never: {{policy.retries: 0}}}}\n").remarks == (
        "policy.fallback_depth: does nothing here: entries after the first one: 1",
    )


def test_what_an_arm_writes_is_remarked_on_at_the_arm(load: Callable[..., Any]) -> None:
    remarks = load(f"{ARMS}arms: {{plain: {{}}, wide: {{policy: {{fallback_depth: 0, round_backoff: 1s}}}}}}\n").remarks
    assert remarks == (
        "policy.fallback_depth: does nothing here: entries after the first one: 1",  # in `wide` it is replaced
        "arms.wide.policy.round_backoff: does nothing here: there is one round: write rounds: 2, for example",
    )


def test_remarks_are_told_by_validate_and_explain(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(f"{BASE}{ALONE}\npolicy: {{fallback_depth: 1}}\n", encoding="utf-8")
    remark = "policy.fallback_depth: does nothing here: entries after the first one: 1"
    told = des("validate", "s.yaml", folder=tmp_path)
    assert (told.returncode, told.stdout, told.stderr) == (0, "s.yaml: ok\n", f"s.yaml:8:26: {remark}\n")
    told = des("explain", "s.yaml", "--json", folder=tmp_path)
    assert json.loads(told.stdout)["remarks"] == [remark]
    assert remark in told.stderr
