"""The values of bodies: durations, shares, amounts, names and counts, each as people write it and within its bounds."""

import math
import re
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from des.scenario.text.units import (
    read_amount,
    read_duration,
    read_positive_duration,
    read_rate,
    read_share,
    read_usd,
)
from des.service.bounds import FIXED
from des.service.faults import below_least, beyond_most, number_words, said

_NAME: Final = r"^[A-Za-z0-9][A-Za-z0-9 ._:@/#-]*$"
_CAUSE: Final = r"^[A-Za-z][A-Za-z0-9_ -]{0,39}$"
_TEXT_OR_NUMBER: Final = [{"type": "number", "minimum": 0}, {"type": "string", "maxLength": 40}]


def _within(found: float, value: object, words: str, *, most: str | None = None, least: str | None = None) -> None:
    """Raises the error that names the limit."""
    if most is not None and found > FIXED[most]:
        raise beyond_most(most, FIXED[most], f"at most {words.format(number_words(FIXED[most]))}; got {said(value)}")
    if least is not None and found < FIXED[least]:
        raise below_least(
            least, FIXED[least], f"at least {words.format(number_words(FIXED[least]))}; got {said(value)}"
        )


def _seconds(value: object, *, may_be_zero: bool = False) -> float:
    written = f"{value!r}s" if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0 else value
    found = read_duration(written, math.inf)
    if not found and not may_be_zero:
        read_positive_duration(written)
    _within(found, value, "1h", most="call_s")
    return found


def _wait(value: object) -> float:
    return _seconds(value, may_be_zero=True)


def _share(value: object) -> float:
    """Per cent where a number is above 1."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 1.0 < value <= 100.0:
        return float(value) / 100.0
    return read_share(value)


def _availability(value: object) -> float:
    found = _share(value)
    if found < FIXED["least_availability"]:
        words = f"an availability of at least {FIXED['least_availability']:.0%}; got {said(value)}"
        raise below_least("least_availability", FIXED["least_availability"], words)
    return found


def _rate(value: object) -> float:
    found = read_rate(value)
    if not found:
        raise ValueError(f"expected a rate above 0; got {said(value)}")
    _within(found, value, "{}/s", most="rate_per_s")
    if found < FIXED["least_rate_per_s"] * (1.0 - 1e-9):
        raise below_least("least_rate_per_s", FIXED["least_rate_per_s"], f"at least 1/100y; got {said(value)}")
    return found


def _tokens(value: object) -> int:
    found = _whole(value, 1)
    _within(found, value, "{} tokens", most="tokens")
    return found


def _usd(value: object) -> float:
    found = read_usd(value)
    _within(found, value, "{} USD", most="usd")
    return found


def _episodes(value: object) -> float:
    found = read_amount(value)
    _within(found, value, "{} outages a year", most="outages_per_year", least="least_outages_per_year")
    return found


def _speed(value: object) -> float:
    found = read_amount(value)
    _within(found, value, "{} tokens a second", most="tokens_per_second", least="least_tokens_per_second")
    return found


def _seed(value: object) -> int:
    found = _whole(value, 0)
    _within(found, value, "{}", most="seed")
    return found


def _whole(value: object, least: int) -> int:
    """Of any size, so that a bound can be named."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"expected a whole number; got {said(value)}")
    if value < least:
        raise ValueError(f"expected a whole number of at least {least}; got {said(value)}")
    return value


def _text(value: object, expected: str, pattern: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"expected {expected}; got {said(value)}")
    most = FIXED["name_characters"]
    if len(value) > most:
        raise beyond_most("name_characters", most, f"at most {most} characters; got {len(value):,}")
    if not re.search(pattern, value):
        raise ValueError(f"expected {expected}; got {said(value)}")
    return value


def _name(value: object) -> str:
    return _text(value, "a name of letters, digits, spaces and ._:@/#-", _NAME)


def _cause(value: object) -> str:
    return _text(value, "a name of at most 40 letters, digits, spaces, _ and -, a letter first", _CAUSE)


def _preset(value: object) -> str:
    return _text(value, "the name of a preset", "")


def _schema(description: str, *examples: object, forms: Any = _TEXT_OR_NUMBER) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": forms, "description": description, "examples": list(examples)})


Seconds = Annotated[
    float,
    BeforeValidator(_seconds),
    _schema("A time above zero, of at most an hour: seconds, or text with a unit", "30s", 30, "900ms"),
]
Wait = Annotated[
    float,
    BeforeValidator(_wait),
    _schema("A time of at most an hour: seconds, or text with a unit", "500ms", 0),
]
SharePart = Annotated[float, BeforeValidator(_share), _schema("A share: per cent, or a number from 0 to 1", "10%", 0.1)]
Availability = Annotated[
    float,
    BeforeValidator(_availability),
    _schema("A share of the time: per cent, or a number from 0.5 to 1", "99.5%", 0.995, 99.5),
]
RequestRate = Annotated[
    float,
    BeforeValidator(_rate),
    PlainSerializer(lambda per_s: f"{per_s!r}/s"),
    WithJsonSchema({"type": "string", "maxLength": 40, "description": "A rate", "examples": ["5/d", "2/min", "3/s"]}),
]
Tokens = Annotated[
    int,
    BeforeValidator(_tokens),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": FIXED["tokens"], "examples": [1020]}),
]
Usd = Annotated[float, BeforeValidator(_usd), _schema("An amount in USD", 0.1, "$0.10")]
Episodes = Annotated[
    float,
    BeforeValidator(_episodes),
    WithJsonSchema({"type": "number", "minimum": 0.01, "maximum": FIXED["outages_per_year"], "examples": [10]}),
]
Speed = Annotated[
    float,
    BeforeValidator(_speed),
    WithJsonSchema({"type": "number", "minimum": 0.1, "maximum": 1e6, "examples": [60]}),
]
Retries = Annotated[
    int, BeforeValidator(lambda value: _whole(value, 0)), WithJsonSchema({"type": "integer", "minimum": 0})
]
Rounds = Annotated[
    int, BeforeValidator(lambda value: _whole(value, 1)), WithJsonSchema({"type": "integer", "minimum": 1})
]
Seed = Annotated[
    int, BeforeValidator(_seed), WithJsonSchema({"type": "integer", "minimum": 0, "maximum": FIXED["seed"]})
]
Name = Annotated[
    str,
    BeforeValidator(_name),
    WithJsonSchema({"type": "string", "maxLength": FIXED["name_characters"], "pattern": _NAME}),
]
Cause = Annotated[str, BeforeValidator(_cause), WithJsonSchema({"type": "string", "pattern": _CAUSE})]
Preset = Annotated[
    str, BeforeValidator(_preset), WithJsonSchema({"type": "string", "maxLength": FIXED["name_characters"]})
]
