"""The JSON Schema accepts what the loader accepts, and warns of what it refuses."""

from pathlib import Path
from typing import Any

import pytest

from des.scenario import json_schema
from des.scenario.text.document import read_document
from des.scenario.text.strict_yaml import read_yaml

jsonschema = pytest.importorskip("jsonschema")

SHIPPED = sorted((Path(__file__).parents[2] / "scenarios").glob("*.yaml"))


@pytest.fixture(scope="module")
def validator() -> Any:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_every_definition_is_described_and_named_for_readers(validator: Any) -> None:
    definitions = validator.schema["$defs"]
    assert {"Leg", "Policy", "Provider", "Model", "LognormalDuration", "LognormalCount"} <= set(definitions)
    assert (
        definitions["Leg"]["properties"]["retries"]["description"] == "Further attempts on this entry within one round."
    )
    assert not any("Annotated" in name for name in definitions)
    assert all(definition.get("description") for definition in definitions.values())


def test_every_field_is_described(validator: Any) -> None:
    definitions = {"Scenario": validator.schema, **validator.schema["$defs"]}
    missing = [
        f"{name}.{field}"
        for name, definition in definitions.items()
        for field, value in definition["properties"].items()
        if not value.get("description", "").endswith(".")  # a description of its unit alone has no full stop
    ]
    assert len(definitions) > 90
    assert missing == []


def test_shorthands_are_accepted(validator: Any, two_providers: str) -> None:
    content = read_yaml(two_providers)[0]
    assert [error.message for error in validator.iter_errors(content)] == []
    content["policy"]["backoff"] = "1s"
    content["policy"]["billing"] = {"timeout": "full"}
    content["providers"]["openai"]["models"]["gpt-5-mini"] = None
    content["providers"]["openai"]["latency"] = "3s"
    content["arms"]["nothing"] = None
    content["common_cause"] = {"members": ["anthropic", "openai"], "fraction": "10%"}
    content["surge"] = {"when": "anthropic", "to": "openai", "load": 1.4}
    assert [error.message for error in validator.iter_errors(content)] == []
    content["common_cause"] = [content["common_cause"]]
    content["surge"] = [{**content["surge"], "to": ["openai"], "capacity": "50/s"}]
    assert [error.message for error in validator.iter_errors(content)] == []


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("horizon: 30d", "horizon: 30"),
        ("rounds: 2", "rouns: 2"),
        ("rate: 2/min", "rate: -2/min"),
        ("server_error: 0.2%", "server_error: 2"),
        ("kind: poisson, rate: 2/min", "kind: poison, rate: 2/min"),
        ("retries: 1", "retries: -1"),
        ("jitter: full", "jitter: fll"),
        ("seed: 7", "seed: 7\nshared: 2"),
        ("seed: 7", "seed: 7\ncommon_cause: {members: [a, b]}"),
        ("seed: 7", "seed: 7\nsurge: {when: a, to: b, load: 0}"),
    ],
)
def test_what_is_wrong_is_marked(validator: Any, two_providers: str, good: str, bad: str) -> None:
    assert not validator.is_valid(read_yaml(two_providers.replace(good, bad))[0])


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_shipped_scenarios_satisfy_the_schema(validator: Any, path: Path) -> None:
    assert [f"{error.json_path}: {error.message}" for error in validator.iter_errors(read_document(path).content)] == []
