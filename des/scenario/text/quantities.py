"""The types of fields that hold a quantity: read by `units`, described to editors, and written back with a unit."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Final, get_args

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from des.scenario.text.units import (
    NUMBER,
    UNIT,
    read_amount,
    read_count,
    read_duration,
    read_factor,
    read_frequent_rate,
    read_horizon,
    read_moment,
    read_positive,
    read_positive_count,
    read_positive_duration,
    read_positive_rate,
    read_rate,
    read_ratio,
    read_real,
    read_share,
    read_speed,
    read_timestamp,
    read_usd,
    read_word,
)

_Form = dict[str, object]


class Quantity:
    """Marks the type of a field: what reads a value, and what editors are told of it. It is written as it is.

    `forms` are the JSON Schemas of its written forms. `read` takes the value alone. Pydantic's own marks would look
    that up again for each of hundreds of fields.
    """

    def __init__(self, read: Callable[[Any], Any], description: str, examples: list[object], *forms: _Form) -> None:
        form = dict(forms[0]) if len(forms) == 1 else {"anyOf": list(forms)}
        self.json_schema: Final[dict[str, Any]] = {**form, "description": description, "examples": examples}
        self._read = read

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._read, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return dict(self.json_schema)


class AsText(Quantity):
    """A quantity that is written as a text, made by `text`: seconds as `30.0s`."""

    def __init__(
        self,
        read: Callable[[Any], Any],
        text: Callable[[Any], str],
        description: str,
        examples: list[object],
        *forms: _Form,
    ) -> None:
        super().__init__(read, description, examples, *forms)
        self._text = text

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        written = core_schema.plain_serializer_function_ser_schema(self._text)
        return core_schema.no_info_before_validator_function(self._read, handler(source), serialization=written)


def written_as(quantity: Any) -> dict[str, Any]:
    """The JSON Schema of a quantity of this module."""
    return dict(next(each for each in get_args(quantity) if isinstance(each, Quantity)).json_schema)


_DURATION: Final[_Form] = {"type": "string", "pattern": rf"^\s*((?:{NUMBER})\s*(?:{UNIT})\s*)+$"}
_RATE: Final[_Form] = {"type": "string", "pattern": rf"^\s*(?:{NUMBER})\s*/\s*(?:{NUMBER})?\s*(?:{UNIT})\s*$"}
_SHARE: Final[_Form] = {"type": "string", "pattern": rf"^\s*(?:{NUMBER})\s*%?\s*$"}
_USD: Final[_Form] = {"type": "string", "pattern": rf"^\s*(?:\$\s*(?:{NUMBER})|(?:{NUMBER})(?:\s*USD)?)\s*$"}
_TIMESTAMP: Final[_Form] = {
    "type": "string",
    "pattern": r"^\s*[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]+(?:Z|[+-][0-9]{2}:?[0-9]{2})\s*$",
}
_ZERO: Final[_Form] = {"const": 0}
_AT_LEAST_0: Final[_Form] = {"type": "number", "minimum": 0}
_ABOVE_0: Final[_Form] = {"type": "number", "exclusiveMinimum": 0}


def _in_seconds(duration_s: float) -> str:
    return f"{duration_s!r}s"


def _per_second(rate_per_s: float) -> str:
    return f"{rate_per_s!r}/s"


def _moment_text(moment: float | datetime) -> str:
    return moment.isoformat() if isinstance(moment, datetime) else _in_seconds(moment)


def _duration_above_zero(read: Callable[[Any], float]) -> AsText:
    said = "A duration above zero in ms, s, min, h, d, w or y (365 days)"
    return AsText(read, _in_seconds, said, ["30s", "4h", "1y"], _DURATION)


def _rate_above_zero(read: Callable[[Any], float]) -> AsText:
    said = "A rate above zero per ms, s, min, h, d, w or y"
    return AsText(read, _per_second, said, ["50/s", "2/min"], _RATE)


Duration = Annotated[
    float,
    AsText(
        read_duration,
        _in_seconds,
        "A duration in ms, s, min, h, d, w or y (365 days)",
        ["500ms", "45min", "90d"],
        _DURATION,
        _ZERO,
    ),
]
PositiveDuration = Annotated[float, _duration_above_zero(read_positive_duration)]
Horizon = Annotated[float, _duration_above_zero(read_horizon)]
Rate = Annotated[
    float,
    AsText(
        read_rate,
        _per_second,
        "A rate per ms, s, min, h, d, w or y",
        ["50/s", "2/min", "12/y"],
        _RATE,
        _ZERO,
    ),
]
PositiveRate = Annotated[float, _rate_above_zero(read_positive_rate)]
FrequentRate = Annotated[float, _rate_above_zero(read_frequent_rate)]
Share = Annotated[
    float,
    Quantity(
        read_share,
        "A share: per cent, or a number from 0 to 1",
        ["0.2%", 0.002],
        _SHARE,
        {"type": "number", "minimum": 0, "maximum": 1},
    ),
]
Usd = Annotated[float, Quantity(read_usd, "An amount in USD", [0.04, "$0.04"], _AT_LEAST_0, _USD)]
Ratio = Annotated[float, Quantity(read_ratio, "A share, above 1 too", ["50%", 1.5], _SHARE, _AT_LEAST_0)]
Amount = Annotated[float, Quantity(read_amount, "A number of at least 0", [0, 1.5], _AT_LEAST_0)]
Positive = Annotated[float, Quantity(read_positive, "A number above 0", [1, 2.5], _ABOVE_0)]
Real = Annotated[float, Quantity(read_real, "A number", [0.248, -0.543], {"type": "number"})]
Factor = Annotated[float, Quantity(read_factor, "A factor of 1 or more", [1, 2.5], {"type": "number", "minimum": 1})]
Speed = Annotated[float, Quantity(read_speed, "Tokens per second", [60, "60/s"], _ABOVE_0, _RATE)]
Count = Annotated[int, Quantity(read_count, "A whole number of at least 0", [0, 3], {"type": "integer", "minimum": 0})]
PositiveCount = Annotated[
    int, Quantity(read_positive_count, "A whole number of at least 1", [1, 20], {"type": "integer", "minimum": 1})
]
Timestamp = Annotated[
    datetime,
    AsText(read_timestamp, datetime.isoformat, "A timestamp with its zone", ["2025-01-01T00:00Z"], _TIMESTAMP),
]
Moment = Annotated[
    float | datetime,
    AsText(
        read_moment,
        _moment_text,
        "Time since the start of the run, or a timestamp with its zone",
        ["90d", "2025-01-01T00:00Z"],
        _DURATION,
        _ZERO,
        _TIMESTAMP,
    ),
]
Word = Annotated[str, Quantity(read_word, "Text", ["eu"], {"type": ["string", "number", "boolean"]})]
