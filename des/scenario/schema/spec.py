"""What all parts of a scenario share: no unknown keys, no later changes, shorthands, contradictions by field."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, StrictStr
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from des.scenario.text.units import Duration, Share, shown, written_as

Text = StrictStr


class Spec(BaseModel):
    """A part of a scenario as its author writes it."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, serialize_by_alias=True)


class Shorthand:
    """Lets a field be written shorter than it is: `expand` turns the short form into the full one.

    It must return whatever it does not recognise unchanged. `schema` describes the short form to editors.
    """

    def __init__(self, expand: Callable[[Any], Any], schema: Mapping[str, Any]) -> None:
        self.expand = expand
        self.schema = dict(schema)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self.expand, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [handler(schema), self.schema]}


class OneAlone(Shorthand):
    """Lets a list of one mapping be written as that mapping."""

    def __init__(self) -> None:
        super().__init__(lambda value: [value] if isinstance(value, dict | Spec) else value, {})

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        entries = handler(schema)
        return {"anyOf": [entries, entries["items"]]}


def scalar_as(field: str, schema: Mapping[str, Any], **fixed: object) -> Shorthand:
    """Reads anything but a mapping as the value of one field (`timeout: 30s` as `timeout: {total: 30s}`)."""

    def expand(value: object) -> object:
        return value if isinstance(value, dict | Spec) else {**fixed, field: value}

    return Shorthand(expand, schema)


def mapping_or_word(value: object) -> str:
    """The tag of a field that takes a mapping, or a word or number instead: `mapping` or `word`."""
    return "mapping" if isinstance(value, dict | Spec) else "word"


def contradiction(message: str, *field: str | int) -> PydanticCustomError:
    """What a model validator raises: a message of our own, placed at a field within the model."""
    return PydanticCustomError("contradiction", "{message}", {"message": message, "at": tuple(field)})


def _flag(value: object) -> object:
    if not isinstance(value, bool):
        raise ValueError(f"expected true or false; got {shown(value)}")
    return value


def _nothing_special(value: object) -> object:
    return {} if value is None else value


MAY_BE_EMPTY = Shorthand(_nothing_special, {"type": "null"})
"""A name of which nothing special is said."""

Flag = Annotated[bool, BeforeValidator(_flag)]
DURATION_SCHEMA = written_as(Duration)
SHARE_SCHEMA = written_as(Share)
