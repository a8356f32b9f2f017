"""What a scenario writes of services, incidents and requests that does nothing is remarked on, and does nothing."""

import copy
from typing import Any

import pytest
from engine.traced import trace

from des.scenario import from_mapping, plans

BASE: dict[str, Any] = {
    "horizon": "60s",
    "seed": 3,
    "workload": {"arrivals": {"kind": "poisson", "rate": "1/s"}},
    "providers": {
        "a": {"models": {"m": {"latency": "1s", "errors": {"server_error": "40%"}, "price": {"per_request": 1}}}},
        "b": {"models": {"m": {"latency": "1s", "price": {"per_request": 2}}}},
    },
    "chain": [{"provider": "a"}, {"provider": "b"}],
}
OUTAGES = [{"kind": "poisson", "rate": "30/h", "duration": "10s"}]
WINDOWS = [{"kind": "schedule", "windows": [{"start": "10s", "duration": "10s"}]}]
TOKENS = {"input": 100, "output": 20}
CDN = {"components.cdn": {"incidents": OUTAGES}}
BEHIND_ONE = {**CDN, "providers.a.depends_on": ["cdn"]}
BEHIND_BOTH = {**BEHIND_ONE, "providers.b.depends_on": ["cdn"]}
REQUIRED = {"workload.requirements": [{"share": "50%", "tags": {"region": "eu"}}], "providers.a.tags": {"region": "eu"}}
PRICE = "providers.a.models.m.price"
CACHE = {"workload.tokens": TOKENS, "chain": [{"provider": "a", "prompt_cache": {"share": "80%", "ttl": "1min"}}]}
SPEED = {"first_token": "1s", "tokens_per_second": 50}

IDLE: list[tuple[str, dict[str, Any], str]] = [
    ("shared", {"shared": 0}, "no incident hits two endpoints of the chain"),
    ("shared", {"shared": 0.5, **BEHIND_ONE}, "no incident hits two endpoints of the chain"),
    ("start_state", {"start_state": "up"}, "no incident comes at random"),
    ("start_state", {"start_state": "up", "providers.a.incidents": WINDOWS}, "no incident comes at random"),
    ("components.cdn", CDN, "no provider or model depends on it"),
    ("components.cdn", {"components.cdn": {}, "providers.a.depends_on": ["cdn"]}, "it has no incidents"),
    ("surge", {"surge": {"when": "a", "to": "b", "load": 1.4}}, "no incident reaches a, so it is never down"),
    ("providers.a.tags", {"providers.a.tags": {"region": "eu"}}, "no request requires a tag"),
    ("providers.a.models.m.tags", {"providers.a.models.m.tags": {"region": "eu"}}, "no request requires a tag"),
    ("chain[0].tags", {"chain": [{"provider": "a", "tags": {"region": "eu"}}]}, "no request requires a tag"),
    (
        "providers.b.tags.tier",
        {**REQUIRED, "providers.b.tags": {"region": "eu", "tier": "gold"}},
        "no requirement of the workload asks for it",
    ),
    (f"{PRICE}.input_per_mtok", {f"{PRICE}.input_per_mtok": 3}, "requests have no input tokens"),
    (f"{PRICE}.output_per_mtok", {f"{PRICE}.output_per_mtok": 3}, "requests have no output tokens"),
    ("providers.a.limits.tokens", {"providers.a.limits": {"tokens": "1/min"}}, "requests have no input tokens"),
    ("budgets.own.tokens", {"budgets.own": {"legs": ["a"], "tokens": "1/min"}}, "requests have no input tokens"),
    ("providers.a.models.m.latency.tokens_per_second", {"providers.a.models.m.latency": SPEED}, "no output tokens"),
    ("chain[0].prompt_cache", {**CACHE, "workload.tokens": {"output": 20}}, "requests have no input tokens"),
    (
        f"{PRICE}.cached_input_per_mtok",
        {"workload.tokens": TOKENS, PRICE: {"input_per_mtok": 3, "cached_input_per_mtok": 1}},
        "no leg that calls it has a prompt_cache",
    ),
    (
        "providers.a.limits.counts_cached",
        {"workload.tokens": TOKENS, "providers.a.limits": {"tokens": "3000/min", "counts_cached": False}},
        "no leg that it is about has a prompt_cache",
    ),
]
ACTING: list[dict[str, Any]] = [
    {"shared": 0, **BEHIND_BOTH},
    {"shared": 0, "common_cause": {"members": ["a", "b"], "fraction": "10%"}}
    | {f"providers.{name}.incidents": OUTAGES for name in "ab"},
    {"start_state": "up", "providers.a.incidents": OUTAGES},
    {"start_state": "up", "providers.a.availability": "90%", "providers.a.episodes_per_year": 12},
    {"surge": {"when": "a", "to": "b", "load": 1.4}, "providers.a.incidents": WINDOWS},
    {"surge": {"when": "a", "to": "b", "load": 1.4}, **BEHIND_ONE},
    {"components.cloud": {"incidents": OUTAGES}, "components.cdn": {"depends_on": ["cloud"]}}
    | {"providers.a.depends_on": ["cdn"]},
    REQUIRED,
    {"workload.tokens": TOKENS, PRICE: {"input_per_mtok": 3, "output_per_mtok": 5}},
    {"workload.tokens": TOKENS, "providers.a.limits": {"tokens": "3000/min"}},
    {**CACHE, PRICE: {"input_per_mtok": 3, "cached_input_per_mtok": 1}},
    {**CACHE, "providers.a.limits": {"tokens": "3000/min", "counts_cached": False}},
]


def _with(values: dict[str, Any]) -> dict[str, Any]:
    content = copy.deepcopy(BASE)
    for path, value in values.items():
        *above, last = path.split(".")
        here = content
        for part in above:
            here = here.setdefault(part, {})
        here[last] = copy.deepcopy(value)
    return content


def _without(content: dict[str, Any], path: str) -> dict[str, Any]:
    content = copy.deepcopy(content)
    *above, last = path.replace("[0]", ".0").split(".")
    here: Any = content
    for part in above:
        here = here[int(part)] if isinstance(here, list) else here[part]
    del here[last]
    return content


@pytest.mark.parametrize(("path", "values", "message"), IDLE, ids=[f"{path}-{n}" for n, (path, *_) in enumerate(IDLE)])
def test_what_does_nothing_is_told(path: str, values: dict[str, Any], message: str) -> None:
    remarks = from_mapping(_with(values)).remarks
    assert [each for each in remarks if each.startswith(f"{path}: does nothing here: ") and message in each], remarks


@pytest.mark.parametrize(
    ("path", "values"),
    [(path, values) for path, values, _ in IDLE if not path.startswith("components") and not path.endswith("tokens")],
)
def test_what_is_told_to_do_nothing_changes_no_run(path: str, values: dict[str, Any]) -> None:
    written = _with(values)
    (one,), (other,) = (plans(from_mapping(each)).values() for each in (written, _without(written, path)))
    assert trace(one).digest() == trace(other).digest()


@pytest.mark.parametrize("values", ACTING)
def test_what_acts_is_not_told(values: dict[str, Any]) -> None:
    assert from_mapping(_with(values)).remarks == ()


def test_the_arms_of_a_comparison_are_no_setting_of_the_scenario() -> None:
    loaded = from_mapping(_with({}))
    assert loaded.with_arms().remarks == ()
    own = from_mapping(_with({"arms": {"independent": {"shared": 0}}}))
    assert [remark.partition(":")[0] for remark in own.remarks] == ["arms.independent.shared"]


def test_a_setting_that_acts_in_one_arm_is_not_told() -> None:
    asked = {"as_modelled": {}, "strict": {"workload": {"requirements": REQUIRED["workload.requirements"]}}}
    assert from_mapping(_with({"providers.a.tags": {"region": "eu"}, "arms": asked})).remarks == ()
