"""A value of the wrong shape is answered with an example, which is valid at its place, or with its own quantity."""

import typing
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from des.scenario.schema.scenario import Scenario
from des.scenario.text.places import Path
from des.scenario.text.right_forms import EXAMPLES, misshapen
from des.scenario.text.strict_yaml import read_yaml

Problems = Callable[..., list[str]]

SHAPES = {"model_type", "model_attributes_type", "dict_type", "tuple_type", "list_type"}
"""Pydantic's errors on a value that is no mapping or no list."""
ABBREVIATED = "ProfileForm.weights"
"""Its example is not written in full."""
OF_DURATIONS = ("values", "parts")
"""Their examples are in the unit of durations."""


def settings() -> list[type[BaseModel]]:
    """Every setting of a scenario."""
    found: dict[type[BaseModel], None] = {}

    def walk(annotation: Any) -> None:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel) and annotation not in found:
            found[annotation] = None
            for field in annotation.model_fields.values():
                for each in (field.annotation, *field.metadata):
                    walk(each)
        for each in (*typing.get_args(annotation), getattr(annotation, "form", None)):
            if each is not None:
                walk(each)

    walk(Scenario)
    return list(found)


def refusals(setting: type[BaseModel], key: str, value: object) -> set[str]:
    """The kinds of errors at a key of a setting."""
    try:
        setting.model_validate({key: value})
    except ValidationError as error:
        found = [each for each in error.errors() if each["loc"][:1] == (key,)]
        return {"or_none" if each.get("ctx", {}).get("expected") == "'none'" else each["type"] for each in found}
    return set()


def shaped() -> Iterator[Any]:
    """The keys at which a word is refused because it is no mapping or no list."""
    for setting in settings():
        for field in setting.model_fields.values():
            key, name = field.alias or "", f"{setting.__name__}.{field.alias}"
            is_other_unit = key in OF_DURATIONS and not setting.__name__.endswith("Duration")
            if {"or_none", *SHAPES} & refusals(setting, key, "nonsense") and not is_other_unit and name != ABBREVIATED:
                yield pytest.param(setting, key, id=name)


def test_the_settings_with_shapes_are_found() -> None:
    found = {str(each.id) for each in shaped()}
    assert {"Scenario.chain", "PoissonArrivals.profile", "Provider.limits", "LegSpec.hedge"} <= found
    assert len(found) > 80


@pytest.mark.parametrize(("setting", "key"), list(shaped()))
def test_every_mapping_and_list_has_an_example_that_is_valid(setting: type[BaseModel], key: str) -> None:
    forms = [form for name, form in EXAMPLES.items() if name.rpartition(".")[2] == key]
    assert any(not refusals(setting, key, read_yaml(form)[0]) for form in forms), forms


@pytest.mark.parametrize(
    ("path", "value", "written"),
    [
        (("providers", "one", "limits"), "4000/min", "{requests: 4000/min}"),
        (("providers", "one", "limits"), "4,000 rpm", "{requests: 4000/min}"),
        (("providers", "one", "limits"), 4000, "{requests: 4000/min}"),
        (("providers", "one", "limits", 0), "4000/min", "{requests: 4000/min}"),
        (("objective",), "99.95%", "{availability: 99.95%, per: month}"),
        (("objective",), 99.95, "{availability: 99.95%, per: month}"),
        (("objective",), 0.9995, "{availability: 0.9995, per: month}"),
        (("value",), "$0.10", "{lost_request: $0.10}"),
        (("value",), "$1000/h", "{downtime: $1000/h}"),
        (("workload", "arrivals"), "2/min", "{kind: poisson, rate: 2/min}"),
        (("components", "cdn", "incidents", 0), "2/y", "{kind: poisson, rate: 2/y, duration: 1h}"),
        (("providers", "one", "models", "m", "errors"), "0.2%", "{server_error: 0.2%}"),
        (("common_cause",), "20%", "{members: [anthropic, openai], fraction: 20%}"),
        (("policy", "hedge"), "2s", "{after: 2s}"),
        (("policy", "cooldown"), "45s", "{allowed_fails: 3, for: 45s}"),
        (("policy", "bulkhead"), 12, "{concurrent: 12}"),
        (("policy", "retry_on"), 429, "[429]"),
        (("policy", "retry_on"), "timeout", "[timeout]"),
        (("policy",), "openai-python", "{preset: openai-python}"),
        (("chain",), "openai", "[{provider: openai}]"),
        (("chain",), "gpt-5-mini", "[gpt-5-mini]"),
        (("arms", "without"), "openai", "{chain: [openai]}"),
        (("providers", "one", "depends_on"), "cdn", "[cdn]"),
        (("expect", "availability"), 0.999, '">= 0.999"'),
    ],
)
def test_the_authors_own_quantity_is_put_into_the_right_form(path: Path, value: object, written: str) -> None:
    assert misshapen("a mapping", value, path).endswith(f": write {written}")


@pytest.mark.parametrize(
    ("value", "spells"),
    [
        ({"9-17": 3}, {(9, 17): 3}),
        ({"09:00-17:00": 3, "22": 0.5}, {(9, 17): 3, (22, 23): 0.5}),
        ({"22-2": 0}, {(22, 24): 0, (0, 2): 0}),
        ("9-17", {(9, 17): 3}),
    ],
)
def test_spells_of_a_day_are_written_as_its_weights(value: object, spells: dict[tuple[int, int], float]) -> None:
    day = [next((weight for (low, high), weight in spells.items() if low <= hour < high), 1) for hour in range(24)]
    told = misshapen("a list", value, ("workload", "arrivals", "profile", "hours"))
    assert told.endswith(f": write {day}, one weight an hour from 00:00 UTC on")


@pytest.mark.parametrize("value", [{"morning": 3}, {"9-30": 3}, {"9-17": "busy"}, {}, 9, True, "office"])
def test_what_is_no_spell_of_a_day_gets_the_example(value: object) -> None:
    told = misshapen("a list", value, ("workload", "arrivals", "profile", "hours"))
    assert f"expected a list such as {EXAMPLES['hours']}; got" in told


@pytest.mark.parametrize("value", ["daytime", ["a"], {}, True, pytest.param(9**9999, id="huge")])
def test_a_value_of_which_nothing_is_known_gets_the_example(value: object) -> None:
    assert "expected a mapping such as {requests: 4000/min}; got" in misshapen(
        "a list", value, ("providers", "one", "limits")
    )


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "rate: 2/min",
            "rate: 2/min, profile: daytime",
            f"6:51: workload.arrivals.profile: expected a mapping such as {EXAMPLES['profile']}; got 'daytime'",
        ),
        (
            "{requests: 4000/min, burst: 50}",
            "4000/min",
            "19:13: providers.anthropic.limits: expected a mapping; got '4000/min': write {requests: 4000/min}",
        ),
        (
            "jitter: full}",
            "jitter: full}\n  hedge: 2s",
            "35:10: policy.hedge: expected none or a mapping; got '2s': write {after: 2s}",
        ),
        (
            "{kind: lognormal, median: 1020, p99: 4142}",
            "500-1500",
            "8:12: workload.tokens.input: expected a number that is not negative, such as 1.5; got '500-1500': "
            "write {kind: uniform, low: 500, high: 1500}",
        ),
        (
            "{first_token: 900ms, tokens_per_second: 60}",
            "[1, 2s]",
            "23:18: providers.anthropic.models.claude-sonnet-4-6.latency: expected a duration such as 30s, 45min or "
            "90d; got a list: write {kind: uniform, low: 1s, high: 2s}",
        ),
        (
            "{kind: poisson, rate: 1.2/y, duration: {kind: exponential, mean: 1h}}",
            "{start: 1h, duration: 20min}",
            "13:9: components.cdn.incidents[0]: its kind is missing: write "
            "{kind: schedule, windows: [{start: ..., duration: ...}]}",
        ),
        (
            'primary_only.latency_s_p95: "< 1.5s"',
            'primary_only: {latency_s_p95: "< 1.5s"}',
            '41:17: expect.primary_only: expected text; got a mapping: write primary_only.latency_s_p95: "< 1.5s"',
        ),
        (
            "{kind: exponential, base: 500ms, cap: 8s, jitter: full}",
            "exponential",
            "34:12: policy.backoff: a back-off of kind exponential needs its base, such as 500ms",
        ),
    ],
)
def test_a_message_shows_the_right_form_at_its_place(
    two_providers: str, problems: Problems, old: str, new: str, told: str
) -> None:
    assert problems(two_providers.replace(old, new, 1)) == [f"s.yaml:{told}"]


@pytest.mark.parametrize(
    ("assignment", "told"),
    [
        ("objective=99.95%", "objective: expected a mapping; got '99.95%': write {availability: 99.95%, per: month}"),
        (
            "providers.anthropic.limits=4000/min",
            "providers.anthropic.limits: expected a mapping; got '4000/min': write {requests: 4000/min}",
        ),
        (
            "policy.cooldown=30s",
            "policy.cooldown: expected none or a mapping; got '30s': write {allowed_fails: 3, for: 30s}",
        ),
    ],
)
def test_an_override_is_told_the_right_form(two_providers: str, problems: Problems, assignment: str, told: str) -> None:
    assert problems(two_providers, [assignment]) == [f"--set {assignment}: {told}"]
