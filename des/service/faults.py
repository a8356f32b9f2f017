"""What is wrong with a body, in words: each fault at its place, with what to write instead."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticCustomError

from des.scenario.text.units import shown
from des.service.problems import Fault, pointer
from des.words import meant, printable

_BEYOND: Final = "beyond"
"""The type of the errors that name a limit."""
_MOST_NAMES: Final = 30
"""Fields that are listed where none is like the one that was written."""


def beyond_most(limit: str, most: float, detail: str) -> PydanticCustomError:
    """For a validator to raise: a value above the limit of that name."""
    return PydanticCustomError(_BEYOND, "{detail}", {"limit": limit, "most": float(most), "detail": detail})


def below_least(limit: str, least: float, detail: str) -> PydanticCustomError:
    """For a validator to raise: a value below the limit of that name."""
    return PydanticCustomError(_BEYOND, "{detail}", {"limit": limit, "least": float(least), "detail": detail})


def faults_of_model(error: ValidationError, model: type[BaseModel]) -> list[Fault]:
    """Every fault that the model finds."""
    return faults_of(error.errors(include_url=False), model)


def faults_of(errors: Iterable[Mapping[str, Any]], model: type[BaseModel] | None = None) -> list[Fault]:
    """Of pydantic's errors; with their model, a field that is unknown has its nearest known one."""
    return [_fault(each, model) for each in errors]


def _fault(error: Mapping[str, Any], model: type[BaseModel] | None) -> Fault:
    place: Sequence[str | int] = error["loc"]
    context: Mapping[str, Any] = error.get("ctx", {})
    where = pointer(place)
    if error["type"] == _BEYOND:
        numbers = {name: context.get(name) for name in ("most", "least")}
        return Fault(pointer=where, detail=context["detail"], limit=context["limit"], **numbers)
    if error["type"] == "extra_forbidden":
        known = _fields_at(model, place[:-1])
        return Fault(
            pointer=where, detail=f"unknown field {_quoted(place[-1])}{meant(str(place[-1]), known, _MOST_NAMES)}"
        )
    write = _WORDS.get(error["type"])
    if write is None:
        return Fault(pointer=where, detail=_plain(str(error["msg"])))
    return Fault(pointer=where, detail=write(error.get("input"), context))


def _got(expected: str) -> Callable[[Any, Mapping[str, Any]], str]:
    return lambda value, context: f"expected {expected}; got {said(value)}"


def _one_of(value: Any, context: Mapping[str, Any]) -> str:
    expected = context["expected"]
    known = [each.strip(" '") for each in expected.replace(" or ", ", ").split(",")]
    near = meant(value, known, 0) if isinstance(value, str) else ""
    return f"expected {expected}; got {said(value)}{near}"


def _too_few(value: Any, context: Mapping[str, Any]) -> str:
    return f"expected at least {context['min_length']} in the list; got {context['actual_length'] or 'none'}"


_OBJECT: Final = _got("an object of fields")
_TEXT: Final = _got("a text")
_WHOLE: Final = _got("a whole number")
_WORDS: Final[Mapping[str, Callable[[Any, Mapping[str, Any]], str]]] = {
    "missing": lambda value, context: "is required, but missing",
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "dict_type": _OBJECT,
    "list_type": _got("a list"),
    "string_type": _TEXT,
    "int_type": _WHOLE,
    "int_from_float": _WHOLE,
    "int_parsing": _WHOLE,
    "literal_error": _one_of,
    "too_short": _too_few,
    "string_pattern_mismatch": lambda value, context: f"expected an id of 24 digits of 0-9 and a-f; got {said(value)}",
    "string_too_long": lambda value, context: (
        f"expected at most {context['max_length']} characters; got {len(str(value)):,}"
    ),
}


def said(value: Any) -> str:
    """How a problem quotes a value of a body."""
    return {"a mapping": "an object"}.get(text := printable(shown(value)), text)


def number_words(value: float) -> str:
    """`1,000,000`, `0.1`."""
    return f"{int(value):,}" if float(value).is_integer() else f"{value:g}"


def _quoted(name: str | int) -> str:
    return printable(shown(str(name)))


def _plain(message: str) -> str:
    """Without pydantic's prefix of errors of validators."""
    for prefix in ("Value error, ", "Assertion failed, "):
        message = message.removeprefix(prefix)
    return message


def _fields_at(model: type[BaseModel] | None, place: Sequence[str | int]) -> list[str]:
    """The names of the fields that stand there."""
    part: Any = model
    for key in place:
        part = part_of(part, key)
    return list(part.model_fields) if is_model(part) else []


def part_of(part: Any, key: str | int) -> Any:
    """The type of a field of a model, or of the items of a list; None where it has no such part."""
    if isinstance(key, int):
        return unwrapped(get_args(part)[0]) if get_origin(part) is list else None
    field = part.model_fields.get(key) if is_model(part) else None
    return None if field is None else unwrapped(field.annotation)


def is_model(part: Any) -> bool:
    return isinstance(part, type) and issubclass(part, BaseModel)


def unwrapped(of: Any) -> Any:
    """A type without its annotations, and without None where that is its only alternative."""
    while (origin := get_origin(of)) in (Annotated, Union, UnionType):
        of = next(each for each in get_args(of) if origin is Annotated or each is not type(None))
    return of
