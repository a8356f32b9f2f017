"""What all settings have in common: how a document is read, how code makes one, shorthands, contradictions by field.

A setting is one frozen class. Its attributes are what the rest of the program reads: units stand in their names, their
values are in base units, their defaults are those that hold. A scenario's author writes the names without units
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
from des.scenario.text.units import Duration, PositiveDuration, Share, read_positive_duration, shown, written_as

Text = StrictStr
Value = TypeVar("Value")
Of = TypeVar("Of")


def _written_name(attribute: str) -> str:
    """The name that authors write: without its unit, which their value has."""
    for unit in ("_per_s", "_s"):
        if attribute.endswith(unit):
            return attribute.removesuffix(unit)
    return attribute


@dataclass(frozen=True, slots=True)
class BelongsTo:
    """Marks a field of a setting that means something only beside another: one of these values, or any at all."""

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
        """A setting made by code: by attribute, in base units, taken as it is; raises TypeError for wrong names."""
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
        """Refuses what is written, but means nothing beside the rest."""
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
    """An attribute that is worked out: to authors it is an unknown key."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def refuse(value: Any) -> Any:
            raise PydanticKnownError("extra_forbidden")

        return core_schema.no_info_plain_validator_function(refuse)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        raise PydanticOmit


WorkedOut = Annotated[Value, _Unwritable(), Field(exclude=True)]
"""An attribute that no author writes."""


class ReadAs:
    """A field that holds something else than what is written: `read` makes it from `form`, `write` the reverse.

    `form` is the type of what is written; `write` gives plain data that `form` takes.
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
    """What a model validator raises: a message of our own, placed at a field within the model, as authors name it."""
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

Off = Annotated[Literal["none"], Tag("word")]
OrNone = Annotated[Annotated[Of, Tag("mapping")] | Off, Discriminator(mapping_or_word)]
"""A setting, or `none`, which takes away what is said elsewhere."""


def _bound_text(bound_s: float) -> str | None:
    return None if bound_s == inf else f"{bound_s!r}s"


Bound = Annotated[
    float,
    BeforeValidator(read_positive_duration),
    PlainSerializer(_bound_text),
    WithJsonSchema(written_as(PositiveDuration)),
]
"""The most seconds that something may take; infinite where nothing is said."""

Failures = tuple[Handled, ...]
"""Failed outcomes, each by its name, by status or by hundred."""
