"""The base of all settings: reading from documents, construction in code, shorthands, contradictions by field.

A setting is one frozen class. Its attributes are what the rest of the program reads: their names carry units, their
values are in base units, and their defaults are the ones in effect. Authors of scenarios write the names without units
(`rate: 2/min` is `rate_per_s`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf
from typing import Annotated, Any, Literal, Self, TypeVar, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    StrictStr,
    Tag,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, PydanticKnownError, PydanticOmit, core_schema

from des.scenario.schema.statuses import Handled
from des.scenario.text.quantities import Duration, PositiveDuration, Share, written_as
from des.scenario.text.units import read_positive_duration, shown

Text = StrictStr
Value = TypeVar("Value")
Of = TypeVar("Of")


def _written_name(attribute: str) -> str:
    """The name that authors write. It has no unit, because the value carries one."""
    for unit in ("_per_s", "_s"):
        if attribute.endswith(unit):
            return attribute.removesuffix(unit)
    return attribute


@dataclass(frozen=True, slots=True)
class BelongsTo:
    """Marks a field that has a meaning only beside another field: with one of these values, or with any value."""

    field: str
    values: tuple[str, ...] = ()


class Setting(BaseModel):
    """A setting. Documents are read by `model_validate`, with units and every check."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        defer_build=True,
        hide_input_in_errors=True,
        serialize_by_alias=True,
        alias_generator=_written_name,
    )

    def __init__(self, **values: Any) -> None:
        """A setting made by code: by attribute, in base units, not validated. Raises TypeError for wrong names."""
        fields = type(self).model_fields
        kinds = get_args(fields["kind"].annotation) if "kind" in fields else ()
        if len(kinds) == 1:
            values = {"kind": kinds[0], **values}
        unknown = values.keys() - fields.keys()
        missing = {name for name, field in fields.items() if field.is_required()} - values.keys()
        if unknown or missing:
            raise TypeError(f"{type(self).__name__}: unknown {sorted(unknown)}, missing {sorted(missing)}")
        attributes: dict[str, Any] = {}
        for name, field in fields.items():
            default = (
                None if name in values else field.get_default(call_default_factory=True, validated_data=attributes)
            )
            attributes[name] = values.get(name, default)
        object.__setattr__(self, "__dict__", attributes)
        object.__setattr__(self, "__pydantic_fields_set__", {*values})
        object.__setattr__(self, "__pydantic_extra__", None)
        object.__setattr__(self, "__pydantic_private__", None)

    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]  # documents are read past it

    @model_validator(mode="after")
    def _belongs(self) -> Self:
        """Refuses fields that have no meaning beside the others."""
        for name in self.model_fields_set:
            for mark in type(self).model_fields[name].metadata:
                if isinstance(mark, BelongsTo) and not self._has(mark):
                    value = f": {' or '.join(mark.values)}" if mark.values else ""
                    message = f"{self.written(name)} belongs to {self.written(mark.field)}{value}"
                    raise contradiction(message, self.written(name))
        return self

    def _has(self, mark: BelongsTo) -> bool:
        return getattr(self, mark.field) in mark.values if mark.values else mark.field in self.model_fields_set

    @classmethod
    def written(cls, name: str) -> str:
        """The name that users write for an attribute."""
        return cls.model_fields[name].alias or name


class _Unwritable:
    """A derived attribute. In a scenario its name is an unknown key."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def refuse(value: Any) -> Any:
            raise PydanticKnownError("extra_forbidden")

        return core_schema.no_info_plain_validator_function(refuse)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        raise PydanticOmit


WorkedOut = Annotated[Value, _Unwritable(), Field(exclude=True)]
"""An attribute that scenarios cannot set."""


class ReadAs:
    """A field whose value differs from its written form: `read` converts from `form`, `write` back to it.

    `form` is the type of the written form. `write` returns plain data that `form` accepts.
    """

    def __init__(self, form: Any, read: Callable[[Any], Any], write: Callable[[Any], Any]) -> None:
        self.form = form
        self._read = read
        self._write = write

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(
            self._read,
            handler.generate_schema(self.form),
            serialization=core_schema.plain_serializer_function_ser_schema(self._write),
        )


class Shorthand:
    """A short way to write a field: `expand` turns the short form into the full one.

    `expand` must return unchanged what it does not recognise. `schema` describes the short form to editors.
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
        super().__init__(lambda value: [value] if isinstance(value, dict | Setting) else value, {})

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        entries = handler(schema)
        return {"anyOf": [entries, entries["items"]]}


def scalar_as(field: str, schema: Mapping[str, Any], **fixed: object) -> Shorthand:
    """Reads anything but a mapping as the value of one field (`timeout: 30s` as `timeout: {total: 30s}`)."""

    def expand(value: object) -> object:
        return value if isinstance(value, dict | Setting) else {**fixed, field: value}

    return Shorthand(expand, schema)


def list_of_one(schema: Mapping[str, Any]) -> Shorthand:
    """Lets a list of one value be written as that value."""
    return Shorthand(lambda value: value if isinstance(value, list | tuple) else [value], schema)


def mapping_or_word(value: object) -> str:
    """The tag of a field that takes a mapping, or a word or number instead: `mapping` or `word`."""
    return "mapping" if isinstance(value, dict | Setting) else "word"


def contradiction(message: str, *field: str | int) -> PydanticCustomError:
    """The error that a model validator raises: our own message, at a field of the model as authors name it."""
    return PydanticCustomError("contradiction", "{message}", {"message": message, "at": tuple(field)})


def _flag(value: object) -> object:
    if not isinstance(value, bool):
        raise ValueError(f"expected true or false; got {shown(value)}")
    return value


def _nothing_special(value: object) -> object:
    return {} if value is None else value


MAY_BE_EMPTY = Shorthand(_nothing_special, {"type": "null"})
"""A name without settings of its own."""

Flag = Annotated[bool, BeforeValidator(_flag)]
DURATION_SCHEMA = written_as(Duration)
SHARE_SCHEMA = written_as(Share)

Off = Annotated[Literal["none"], Tag("word")]
OrNone = Annotated[Annotated[Of, Tag("mapping")] | Off, Discriminator(mapping_or_word)]
"""A setting, or `none`, which removes what is set elsewhere."""


def _bound_text(bound_s: float) -> str | None:
    return None if bound_s == inf else f"{bound_s!r}s"


Bound = Annotated[
    float,
    BeforeValidator(read_positive_duration),
    PlainSerializer(_bound_text),
    WithJsonSchema(written_as(PositiveDuration)),
]
"""An upper bound in seconds; infinite by default."""

Failures = tuple[Handled, ...]
"""Failed outcomes, each by name, by status or by class of statuses (`5xx`)."""
