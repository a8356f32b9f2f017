"""The OpenAPI document: bodies with examples that work as they stand, and every status that an endpoint may answer."""

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, ConfigDict
from pydantic.json_schema import models_json_schema

from des.service.bodies import RunBody, ScenarioBody, SimulateBody
from des.service.problems import MEDIA_TYPE, Problem

_EVERYWHERE: Final = (401, 403, 405, 421, 500, 503)
_TITLES: Final = {
    400: "The body is no JSON, or no text",
    401: "The token is missing or wrong",
    403: "A page elsewhere asks",
    404: "There is no such thing, or no more",
    405: "Another method is meant",
    408: "The body came too slowly",
    409: "It is not there yet",
    413: "The body is too large",
    415: "Another type of content is meant",
    421: "The service is not known by that Host",
    422: "The body has faults, each with its place, or goes beyond a limit",
    429: "A limit of what may wait is met: try again later",
    500: "The service failed",
    503: "Too busy: try again later",
}
_BODIES: Final = (SimulateBody, ScenarioBody, RunBody)
_REF: Final = "#/components/schemas/{model}"


class Chart(BaseModel):
    """A chart, as a specification of Vega-Lite and as a table."""

    model_config = ConfigDict(frozen=True)

    name: str
    title: str
    summary: str
    spec: dict[str, Any]
    table: dict[str, Any]


class Charts(BaseModel):
    """The charts of an answer."""

    model_config = ConfigDict(frozen=True)

    charts: list[Chart]


class Valid(BaseModel):
    """Of a scenario that can be run: its arms, and the requests that a run of it simulates."""

    model_config = ConfigDict(frozen=True)

    valid: bool
    title: str
    arms: list[str]
    requests: float
    remarks: list[str]


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The statuses of an endpoint that tell a problem, besides those that every one has."""
    found: dict[int | str, dict[str, Any]] = {}
    for status in sorted({*statuses, *_EVERYWHERE}):
        content = {MEDIA_TYPE: {"schema": {"$ref": _REF.format(model=Problem.__name__)}}}
        found[status] = {"description": _TITLES[status], "content": content}
        if status in (429, 503):
            found[status]["headers"] = {
                "Retry-After": {"schema": {"type": "integer"}, "description": "Seconds", "required": False}
            }
    return found


def body_of(model: type[BaseModel], *, yaml: bool = False) -> dict[str, Any]:
    """The body of an endpoint that reads it by itself. With `yaml`, the scenario alone may be sent as YAML."""
    examples = {f"example {number}": {"value": each} for number, each in enumerate(_examples(model), 1)}
    content: dict[str, Any] = {
        "application/json": {"schema": {"$ref": _REF.format(model=model.__name__)}, "examples": examples}
    }
    if yaml:
        text = next(iter(examples.values()))["value"]["scenario"]
        content["application/yaml"] = {"schema": {"type": "string"}, "example": text}
    return {"requestBody": {"required": True, "content": content}}


def _examples(model: type[BaseModel]) -> list[Any]:
    extra = model.model_config.get("json_schema_extra")
    assert isinstance(extra, dict)
    examples = extra["examples"]
    assert isinstance(examples, list)
    return examples


def openapi_of(app: FastAPI) -> dict[str, Any]:
    """The document, made once."""
    if app.openapi_schema is None:
        found = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
        _, definitions = models_json_schema(
            [*((model, "validation") for model in _BODIES), (Problem, "serialization")],
            ref_template=_REF,
        )
        schemas = found.setdefault("components", {}).setdefault("schemas", {})
        schemas.update(definitions["$defs"])
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        found["components"]["securitySchemes"] = {
            "token": {"type": "http", "scheme": "bearer", "description": "Where the service has one"}
        }
        found["security"] = [{}, {"token": []}]
        app.openapi_schema = found
    return app.openapi_schema
