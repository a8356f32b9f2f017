"""Quantities as a scenario writes them (`45min`, `12/y`, `99.95%`), read into base units.

Base units are seconds, events per second, shares of one, USD and plain counts. A year is 365 days. Every reader
raises ValueError with a message that says what was expected and what was found. NaN, infinities and negative
quantities are always refused.
"""

import math
import re
from datetime import UTC, datetime
from typing import Final

from des.scenario.text.other_units import in_our_units

SECONDS: Final = {
    "ms": 1e-3,
    "s": 1.0,
    "min": 60.0,
    "h": 3600.0,
    "d": 86400.0,
    "w": 604800.0,
    "y": 31536000.0,
}
MINUTE_S: Final = SECONDS["min"]
HOUR_S: Final = SECONDS["h"]
DAY_S: Final = SECONDS["d"]
WEEK_S: Final = SECONDS["w"]
YEAR_S: Final = SECONDS["y"]

LONGEST_S: Final = 200.0 * YEAR_S
"""The longest duration: nanoseconds in an int64 end after 292 years."""
_LONGEST_HORIZON_S: Final = 1000.0 * YEAR_S
_SLOWEST_PER_S: Final = 0.01 / YEAR_S
"""The lowest rate of requests, or of anything that they wait for."""
_MAY_BE_MS: Final = 100.0
"""A number without a unit from which on milliseconds may be meant."""
_FIRST_YEAR: Final = 1700
_LAST_YEAR: Final = 2199
"""Timestamps are nanoseconds since 1970 in an int64, which ends in 1677 and in 2262."""

NUMBER: Final = r"[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?|\.[0-9]+(?:[eE][-+]?[0-9]+)?"
UNIT: Final = "|".join(sorted(SECONDS, key=len, reverse=True))
"""Patterns of a number that is not negative, and of a unit of time."""
_DURATION_PART: Final = re.compile(rf"({NUMBER})\s*({UNIT})(?![A-Za-z])")
_DURATION: Final = re.compile(rf"(?:(?:{NUMBER})\s*(?:{UNIT})\s*)+")
_RATE: Final = re.compile(rf"({NUMBER})\s*/\s*({NUMBER})?\s*({UNIT})")
_PERCENT: Final = re.compile(rf"({NUMBER})\s*%")
_USD: Final = re.compile(rf"\$\s*({NUMBER})|({NUMBER})\s*USD")
_USD_OR_PLAIN: Final = re.compile(rf"{_USD.pattern}|{NUMBER}")
_PLAIN: Final = re.compile(NUMBER)
_WHOLE: Final = re.compile(r"0|[1-9][0-9]*")


def shown(value: object) -> str:
    """How a message quotes a value of the scenario."""
    if isinstance(value, str):
        return f"'{value}'" if len(value) <= 60 else f"'{value[:57]}...'"
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    try:
        text = str(value)
    except ValueError:  # Python writes no number of thousands of digits
        return "a number of thousands of digits"
    return text if len(text) <= 60 else f"{text[:57]}..."


def _meant(value: object, form: re.Pattern[str]) -> str:
    """The end of a message on a text that can be read in other words; empty for all others."""
    meant = in_our_units(value) if isinstance(value, str) else ""
    return f": write {meant}" if form.fullmatch(meant) else ""


def _number(value: object, expected: str, form: re.Pattern[str] | None = None) -> float:
    """A finite, non-negative number; text that reads as one counts as well. `form` is how else it may be written."""
    if isinstance(value, str):
        _refuse_negative(value.strip(), expected)
    given = float(value) if isinstance(value, str) and _PLAIN.fullmatch(value.strip()) else value
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise ValueError(f"expected {expected}; got {shown(value)}{_meant(value, form or _PLAIN)}")
    number = _as_float(given)
    if not math.isfinite(number):
        is_written_so = type(value) is float  # `.inf` or `.nan`, and no number of many digits
        why = "not a finite number" if is_written_so else "too large" if number > 0.0 else "negative"
        raise ValueError(f"expected {expected}; got {shown(value)}, which is {why}")
    if number < 0.0:
        raise ValueError(f"expected {expected}; got {shown(value)}, which is negative")
    return number


def _as_float(value: int | float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _finite(number: float, text: str) -> float:
    if math.isinf(number):
        raise ValueError(f"{shown(text)} is too large")
    return number


def _refuse_negative(text: str, expected: str) -> None:
    if re.match(r"(-\s*\$?|\$\s*-)\s*[0-9.]", text):
        raise ValueError(f"expected {expected}; got {shown(text)}, which is negative")


def read_duration(value: object, most_s: float = LONGEST_S) -> float:
    """Seconds of `30s`, `45min`, `1h 30min`, `90d`; a bare number is refused unless it is 0."""
    expected = "a duration such as 30s, 45min or 90d"
    if isinstance(value, str):
        text = value.strip()
        if _DURATION.fullmatch(text):
            parts = [float(number) * SECONDS[unit] for number, unit in _DURATION_PART.findall(text)]
            duration_s = _finite(math.fsum(parts) if all(map(math.isfinite, parts)) else math.inf, text)
            if duration_s > most_s:
                raise ValueError(f"expected at most {most_s / YEAR_S:.0f}y; got {shown(value)}, which is too large")
            return duration_s
        _refuse_negative(text, expected)
        if re.fullmatch(rf"(?:{NUMBER})\s*[mM]", text):
            raise ValueError(f"expected {expected}; got {shown(value)}: minutes are written 'min', a month 30d")
        if meant := _meant(text, _DURATION):
            raise ValueError(f"expected {expected}; got {shown(value)}{meant}")
        if re.fullmatch(rf"(?:{NUMBER})\s*[A-Za-z]+", text):
            raise ValueError(
                f"expected {expected}; got {shown(value)}: the units are ms, s, min, h, d, w and y (365 days)"
            )
        if not _PLAIN.fullmatch(text):
            raise ValueError(f"expected {expected}; got {shown(value)}")
    number = _number(value, expected)
    if number:
        written = f"{number:g}ms or {number:g}s" if number >= _MAY_BE_MS else f"{number:g}s for seconds"
        raise ValueError(f"expected {expected}; got {shown(value)}, which has no unit: write {written}")
    return 0.0


def read_positive_duration(value: object) -> float:
    duration_s = read_duration(value)
    if duration_s <= 0.0:
        raise ValueError("expected a duration above zero, such as 30s, 45min or 90d; got 0")
    return duration_s


def read_horizon(value: object) -> float:
    horizon_s = read_duration(value, _LONGEST_HORIZON_S)
    return horizon_s or read_positive_duration(value)


def read_rate(value: object) -> float:
    """Events per second of `2/min`, `50/s`, `12/y`, `20/4h`; a bare number is refused unless it is 0."""
    expected = "a rate such as 50/s, 2/min or 12/y"
    if isinstance(value, str):
        text = value.strip()
        if match := _RATE.fullmatch(text):
            count, periods, unit = match.groups()
            period_s = float(periods or 1.0) * SECONDS[unit]
            if period_s == 0.0:
                raise ValueError(f"expected {expected}; got {shown(value)}, whose period is zero")
            return _finite(float(count) / period_s, text)
        _refuse_negative(text, expected)
        if re.fullmatch(rf"(?:{NUMBER})\s*/\s*[mM]", text):
            raise ValueError(f"expected {expected}; got {shown(value)}: per minute is written '/min', per month '/30d'")
        if not _PLAIN.fullmatch(text):
            raise ValueError(f"expected {expected}; got {shown(value)}{_meant(text, _RATE)}")
    number = _number(value, expected)
    if number:
        written = f"{number:g}/s, {number:g}/min or {number:g}/y"
        raise ValueError(f"expected {expected}; got {shown(value)}, which has no unit: write {written}")
    return 0.0


def read_positive_rate(value: object) -> float:
    rate_per_s = read_rate(value)
    if rate_per_s <= 0.0:
        raise ValueError("expected a rate above zero, such as 50/s, 2/min or 12/y; got 0")
    return rate_per_s


def read_frequent_rate(value: object) -> float:
    """A rate at which requests arrive or are admitted."""
    rate_per_s = read_positive_rate(value)
    if rate_per_s < _SLOWEST_PER_S * (1.0 - 1e-9):
        raise ValueError(f"expected at least 1/100y; got {shown(value)}, which is too rare to wait for")
    return rate_per_s


def read_share(value: object) -> float:
    """A share of one: `0.2%` or 0.002."""
    expected = "a share such as 0.2% or 0.002"
    if isinstance(value, str):
        text = value.strip()
        if match := _PERCENT.fullmatch(text):
            # Dividing by 100 keeps 99.95% the float nearest to 0.9995; multiplying by 0.01 would not.
            return _share(float(match.group(1)) / 100.0, value)
        _refuse_negative(text, expected)
    return _share(_number(value, expected, _PERCENT), value)


def read_ratio(value: object) -> float:
    """A share that may exceed 1: `50%`, 0.5 or `150%`."""
    percent = _PERCENT.fullmatch(value.strip()) if isinstance(value, str) else None
    return _number(float(percent.group(1)) / 100.0 if percent else value, "a share such as 50% or 0.5", _PERCENT)


def _share(share: float, value: object) -> float:
    if share > 1.0:
        hint = f": write {share:g}% for per cent" if "%" not in str(value) else ""
        raise ValueError(f"expected a share between 0 and 1 (0% to 100%); got {shown(value)}{hint}")
    return share


def read_usd(value: object) -> float:
    """USD of 0.04, `$0.04` or `0.04 USD`."""
    if isinstance(value, str) and (match := _USD.fullmatch(value.strip())):
        return float(match.group(1) or match.group(2))
    return _number(value, "an amount in USD such as 0.04 or $0.04", _USD_OR_PLAIN)


def read_amount(value: object) -> float:
    return _number(value, "a number that is not negative, such as 1.5")


def read_positive(value: object) -> float:
    number = _number(value, "a number above zero, such as 2.5")
    if number <= 0.0:
        raise ValueError("expected a number above zero; got 0")
    return number


def read_real(value: object) -> float:
    """Any finite number, of either sign (a lognormal's mu)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"expected a number such as 0.248; got {shown(value)}")
    if not math.isfinite(number := _as_float(value)):
        raise ValueError(f"expected a finite number; got {shown(value)}")
    return number


def read_factor(value: object) -> float:
    """A slowdown factor of 1 or more."""
    number = _number(value, "a factor of 1 or more, such as 2.5")
    if number < 1.0:
        raise ValueError(f"expected a factor of 1 or more; got {shown(value)}")
    return number


def read_speed(value: object) -> float:
    """Tokens per second: 60 or `60/s`."""
    if isinstance(value, str) and _RATE.fullmatch(value.strip()):
        value = read_rate(value)
    number = _number(value, "a speed in tokens per second such as 60 or 60/s", _RATE)
    if number <= 0.0:
        raise ValueError("expected a speed above zero, in tokens per second; got 0")
    return number


def read_count(value: object) -> int:
    is_whole = isinstance(value, int) or (isinstance(value, float) and (value.is_integer() or math.isinf(value)))
    if isinstance(value, bool) or not isinstance(value, int | float) or not is_whole:
        raise ValueError(f"expected a whole number such as 3; got {shown(value)}{_meant(value, _WHOLE)}")
    if value < 0:
        raise ValueError(f"expected a whole number that is not negative; got {shown(value)}")
    if value >= 2**63:
        raise ValueError(f"expected a whole number below 2^63; got {shown(value)}, which is too large")
    return int(value)


def read_positive_count(value: object) -> int:
    count = read_count(value)
    if count < 1:
        raise ValueError("expected a whole number of at least 1; got 0")
    return count


def read_timestamp(value: object) -> datetime:
    """The UTC time of an ISO 8601 timestamp with its zone, such as 2025-01-01T00:00Z."""
    expected = "a timestamp with its zone, such as 2025-01-01T00:00Z"
    moment = value
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value.strip())
        except ValueError:
            raise ValueError(f"expected {expected}; got {shown(value)}") from None
    if not isinstance(moment, datetime):
        raise ValueError(f"expected {expected}; got {shown(value)}")
    if moment.tzinfo is None:
        raise ValueError(f"expected {expected}; got {shown(str(value))}, which has no zone (append Z for UTC)")
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        moment = datetime.min.replace(tzinfo=UTC)
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise ValueError(f"expected a timestamp between {_FIRST_YEAR} and {_LAST_YEAR}; got {shown(str(value))}")
    return moment


def read_moment(value: object) -> float | datetime:
    """Seconds since the start of the run (`90d`), or a timestamp."""
    if isinstance(value, datetime):
        return read_timestamp(value)
    if isinstance(value, str) and re.match(r"\s*[0-9]{4}-[0-9]{2}", value):
        return read_timestamp(value)
    try:
        return read_duration(value, _LONGEST_HORIZON_S)
    except ValueError as error:
        raise ValueError(f"{error}; a timestamp such as 2025-01-01T00:00Z is possible too") from None


def read_word(value: object) -> str:
    """A tag or a cell of a table: text, or a number or truth value as written."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise ValueError(f"expected text; got {shown(value)}")
