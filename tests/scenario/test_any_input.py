"""Whatever stands anywhere in a scenario, it loads or is refused in words: no other exception, no foreign words."""

import copy
from typing import Any

import pytest
from examples import TIMES
from hypothesis import given, settings
from hypothesis import strategies as st

from des.errors import Problem, ScenarioError
from des.estimate.interaction import client_interactions
from des.scenario import from_mapping, plans
from des.scenario.text.strict_yaml import read_yaml

from .conftest import TWO_PROVIDERS

SHARED = """\
common_cause:
  - {members: [anthropic/claude-sonnet-4-6, openai], fraction: 10%, name: fire}
surge: {when: anthropic, to: [openai], load: 1.4, capacity: 50/s}
shared: 30%
"""
INCIDENTS = "incidents: [{kind: poisson, rate: 4/y, duration: 1h}]"
CONTENT = read_yaml(
    TWO_PROVIDERS.replace("        errors:", f"        {INCIDENTS}\n        errors:").replace(
        "    models:\n      gpt", f"    {INCIDENTS}\n    models:\n      gpt"
    )
    + SHARED
)[0]
CLIENTS = read_yaml("""\
budgets: {own: {requests: 50/s, legs: [main, openai], split: {main: 70%, openai: 30%}}}
chain:
  - group: main
    routing: {kind: least_latency, buffer: 0.5, samples: 3}
    retries: 2
    legs:
      - {provider: anthropic, weight: 3, rpm: 60, timeout: 30s, clients: [openai-python, {retries: 1, backoff: 1s}]}
      - {provider: anthropic, hedge: {after: 2s}, bulkhead: {concurrent: 5, queue: 3, max_wait: 1s}, breaker: none}
  - {provider: openai, retry_on: [429, 5xx], ramp: {start: 10%, over: 10min, reset_after: 1min}}
policy:
  preset: litellm@1.109
  cooldown: {for: 60s, also_on: [401]}
  retry_after: {cap: 30s, on: [rate_limited], total: 1min}
  retry_budget: {kind: quota, capacity: 500, retry_cost: 14, scope: leg}
  breaker: {kind: time_window, window: 30s, failure_share: 10%, open: 5s, counts: [5xx]}
  ejection: {share: 10%, minimum: 20, for: 30s, longest: 5min}
  shaping: {rate: 10/s, queue: 9}
  probes: {every: 30s, timeout: 5s}
  adaptive_throttling: {k: 2, window: 2min}
  backoff: {throttled: {base: 1s}}
  application: {retries: 2, retry_on: [failed], backoff: 5s, timeout: 10min}
""")[0]
OF_CLIENTS = copy.deepcopy(CONTENT) | CLIENTS
OF_CLIENTS["arms"]["primary_only"] = {"chain": ["main"], "policy.cooldown.for": "9s", "chain[main].legs[0].weight": 2}
OF_CLIENTS["providers"]["anthropic"]["capacity"] = {"concurrent": 30, "queue": 60}
OF_CLIENTS["providers"]["anthropic"]["limits"] = [
    {"requests": "9/s", "tokens": "9000/s", "burst": {"requests": 9}, "counting": {"estimate": 99}},
    {"concurrency": 9, "acceleration": {"growth": 2, "over": "1min", "floor": "60/min"}},
    {"output_tokens": "900/s", "algorithm": {"sliding_log": "1min"}, "counting": "success"},
]
FOREIGN = ("pydantic", "Input should", "Value error", "NoneType", "Traceback", "<class", "Annotated", "Spec")

JUNK: Any = st.one_of(
    st.sampled_from(
        [None, True, 0, -1, 3, 0.5, 1e308, 10**400, float("nan"), float("-inf"), "", "x", "3s", "-3s", "1e400d", "50%"]
    ),
    st.sampled_from(
        ["5/s", "0/s", "cdn", "anthropic", "none", "2025-01-01T00:00Z", "${NOWHERE}/x.csv", "a.b", "[", "\0"]
    ),
    st.sampled_from(
        [[], {}, [None], [[]], {"kind": "lognormal"}, {"kind": []}, {"": None}, {"x": {"y": 1}}, ["anthropic"]]
    ),
    st.sampled_from(
        [
            {"kind": "replay", "file": "none.csv", "columns": {"time": "t", "start": "a", "end": "b"}},
            {"kind": "empirical", "values": [0]},
            {"kind": "weibull", "shape": 0.01, "scale": "1y"},
            {"kind": "gamma", "mean": "1s", "cv": 1e6},
            {"cdn": {}},
        ]
    ),
)


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(below for key, child in children for below in paths(child, (*path, key)))][0 if path else 1 :]


PATHS = paths(CONTENT)
CLIENT_PATHS = [path for path in paths(OF_CLIENTS) if path[0] in CLIENTS or path not in PATHS]
KEYS = ["kind", "name", "duration", "errors", "effect", "hang", "mttf", "profile", "policy", "chain", "nonsense"]


def changed(path: tuple[Any, ...], key: str | None, junk: Any, base: dict[str, Any] | None = None) -> dict[str, Any]:
    content: dict[str, Any] = copy.deepcopy(CONTENT if base is None else base)
    here: Any = content
    for part in path[:-1]:
        here = here[part]
    if key is not None and isinstance(here[path[-1]], dict):
        here[path[-1]][key] = junk
    else:
        here[path[-1]] = junk
    return content


@settings(max_examples=300 * TIMES)
@given(path=st.sampled_from(PATHS), key=st.none() | st.sampled_from(KEYS), junk=JUNK)
def test_anything_anywhere_loads_or_is_refused_in_words(path: tuple[Any, ...], key: str | None, junk: Any) -> None:
    loads_or_is_refused(changed(path, key, junk))


@settings(max_examples=200 * TIMES)
@given(path=st.sampled_from(CLIENT_PATHS), key=st.none() | st.sampled_from([*KEYS, "group", "legs", "for"]), junk=JUNK)
def test_so_does_anything_anywhere_in_what_clients_do(path: tuple[Any, ...], key: str | None, junk: Any) -> None:
    loads_or_is_refused(changed(path, key, junk, OF_CLIENTS))


def loads_or_is_refused(content: dict[str, Any]) -> None:
    refused: tuple[Problem, ...] = ()
    try:
        plans(from_mapping(content))
    except ScenarioError as error:
        refused = error.problems
    for problem in refused:
        assert "\n" not in str(problem)
        assert not any(word in problem.message for word in FOREIGN), problem.message


def test_the_scenario_itself_loads() -> None:
    assert plans(from_mapping(CONTENT))
    assert all(client_interactions(plan) for plan in plans(from_mapping(OF_CLIENTS)).values())


@pytest.mark.parametrize("junk", [None, [], "x", 3])
def test_a_scenario_that_is_all_junk_is_refused(junk: Any) -> None:
    with pytest.raises(ScenarioError):
        from_mapping(dict.fromkeys(CONTENT, junk))
