"""The JSON Schema of scenario files, for editors."""

from typing import Any

from des.scenario.scenario import Scenario


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a scenario, shorthands included."""
    schema = Scenario.model_json_schema(mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "des scenario"}
