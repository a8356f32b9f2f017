"""The JSON Schema of scenario files, for editors."""

import ast
import inspect
import json
import sys
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from des.scenario.schema.own_classes import IN_JSON_SCHEMA
from des.scenario.schema.scenario import Scenario
from des.scenario.schema.setting import Setting

TITLE: Final = "des scenario"


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a scenario, shorthands included."""
    schema = _with_short_names(Scenario.model_json_schema(mode="validation", schema_generator=_AsWritten))
    definitions = {"Scenario": schema, **schema["$defs"]}
    for model in _models(Setting):
        _describe(definitions.get(_short(model.__name__), {}), model)
    schema = _with_one_own_class(schema)
    schema["required"].remove("providers")  # a chain that names models brings them
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": TITLE}


def _with_one_own_class(schema: dict[str, Any]) -> dict[str, Any]:
    """Classes of users as one definition."""
    shared: dict[str, Any] = _referring(schema)
    shared["$defs"]["OwnClass"] = IN_JSON_SCHEMA
    return shared


def _referring(part: Any) -> Any:
    if part == IN_JSON_SCHEMA:
        return {"$ref": "#/$defs/OwnClass"}
    if isinstance(part, dict):
        return {key: _referring(each) for key, each in part.items()}
    return [_referring(each) for each in part] if isinstance(part, list) else part


class _AsWritten(GenerateJsonSchema):
    """Shows defaults as users would write them (`5.0s`, not 5.0), and allows empty values where there is a default."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        found = super().default_schema(schema)
        if {"type": "null"} in found.get("anyOf", ()):
            return found
        default = {"default": found.pop("default")} if "default" in found else {}
        return {"anyOf": [found, {"type": "null"}], **default}

    def get_default_value(self, schema: core_schema.WithDefaultSchema) -> Any:
        default = super().get_default_value(schema)
        if isinstance(default, Setting):
            type(default).model_rebuild()  # its serializer is built late, and older versions do not wait for it
        inner: Any = schema["schema"]
        while "serialization" not in inner and "schema" in inner:
            inner = inner["schema"]
        write = inner.get("serialization", {}).get("function")
        return write(default) if write and "default" in schema and default is not None else default


def _short(title: str) -> str:
    return title.removesuffix("Spec").removesuffix("Form").removeprefix("_")


def _with_short_names(schema: dict[str, Any]) -> dict[str, Any]:
    """Renames definitions to their titles."""
    names = {name: _short(str(definition.get("title", name))) for name, definition in schema["$defs"].items()}
    assert len(set(names.values())) == len(names), "two definitions of one title"
    text = json.dumps({key: value for key, value in schema.items() if key != "$defs"})
    definitions = json.dumps(list(schema["$defs"].values()))
    for name, short in names.items():
        text = text.replace(f'"#/$defs/{name}"', f'"#/$defs/{short}"')
        definitions = definitions.replace(f'"#/$defs/{name}"', f'"#/$defs/{short}"')
    return {**json.loads(text), "$defs": dict(zip(names.values(), json.loads(definitions), strict=True))}


def _models(model: type[Setting]) -> Iterator[type[Setting]]:
    for each in model.__subclasses__():
        yield each
        yield from _models(each)


def _describe(definition: dict[str, Any], model: type[Setting]) -> None:
    """Describes a model by its docstring, and its properties by the docstrings below its fields."""
    if definition and (text := inspect.getdoc(model)):
        definition.setdefault("description", text)
    said = {field: text for each in reversed(model.__mro__) for field, text in _field_docstrings(each).items()}
    aliases = {name: each.alias for name, each in model.model_fields.items() if each.alias}
    for field, text in ((aliases.get(name, name), text) for name, text in said.items()):
        if field in definition.get("properties", {}):
            definition["properties"][field]["description"] = text


def _field_docstrings(model: type) -> dict[str, str]:
    return _docstrings(model.__module__).get(model.__qualname__, {}) if issubclass(model, Setting) else {}


@cache
def _docstrings(module: str) -> dict[str, dict[str, str]]:
    """Docstrings below fields, by class and field.

    They are read from the source here. Pydantic would read them on import, which takes longer than the rest of it.
    """
    try:
        tree = ast.parse(inspect.getsource(sys.modules[module]))
    except (OSError, TypeError):
        return {}
    return {each.name: _below_fields(each) for each in tree.body if isinstance(each, ast.ClassDef)}


def _below_fields(definition: ast.ClassDef) -> dict[str, str]:
    docstrings: dict[str, str] = {}
    for field, below in pairwise(definition.body):
        if not (isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)):
            continue
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and isinstance(below.value.value, str):
            docstrings[field.target.id] = inspect.cleandoc(below.value.value)
    return docstrings
