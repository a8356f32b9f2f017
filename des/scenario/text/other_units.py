"""Quantities as people and other programs write them (`4,000 rpm`, `30 seconds`, `99,5 percent`), and how we do."""

import re
from collections.abc import Callable
from typing import Final

_UNITS: Final = {
    **dict.fromkeys(("millisecond", "milliseconds", "msec", "msecs"), "ms"),
    **dict.fromkeys(("second", "seconds", "sec", "secs"), "s"),
    **dict.fromkeys(("minute", "minutes", "mins"), "min"),
    **dict.fromkeys(("hour", "hours", "hr", "hrs"), "h"),
    **dict.fromkeys(("day", "days"), "d"),
    **dict.fromkeys(("week", "weeks"), "w"),
    **dict.fromkeys(("year", "years", "yr", "yrs"), "y"),
}
_PERIODS: Final = {"s": "s", "m": "min", "h": "h", "d": "d"}
"""Of `rpm` and its like, and after a slash."""
_DIGITS: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_THOUSANDS: Final = {"k": 1_000, "m": 1_000_000}

_NUMBER: Final = r"[0-9]+(?:\.[0-9]+)?"
_COUNTED: Final = "requests?|reqs?|calls?|tokens?|tok"

_Step = tuple[str, str | Callable[[re.Match[str]], str]]
_STEPS: Final[tuple[_Step, ...]] = (
    (r"^(?:>=|<=|==?|>|<|~|≥|≤)\s*", ""),
    (r"(?<![0-9.,])[1-9][0-9]{0,2}(?:[,_' ][0-9]{3})+(?![0-9])", lambda found: re.sub(r"[^0-9]", "", found[0])),
    (r"(?<=[0-9]),(?=[0-9])", "."),
    (r"\s*/\s*", "/"),
    (rf"^(?:{'|'.join(_DIGITS)})\b", lambda found: str(_DIGITS.index(found[0]))),
    (r"(?<=[0-9])\s*(?:per ?cent|pct)$", "%"),
    (rf"^({_NUMBER})\s*(?:cents?|ct|c|¢)$", lambda found: f"${float(found[1]) / 100.0:.2f}"),
    (r"\s*(?:dollars?|usd|us\$)(?=$|/|\s)", " USD"),
    (r"(?:/|\s*\bper\s*)(?:1m|mtok|million)(?:\s*tokens)?$", ""),
    (
        rf"^({_NUMBER})\s*([km])(?=/|\s*per\b|\s+(?:{_COUNTED}|[rtq]p[smhd])\b|$)",
        lambda found: _in_full(found[1], found[2]),
    ),
    (rf"(?<=[0-9])\s*(?:{_COUNTED})(?=/|\s*(?:per|an?)\b|$)", ""),
    (r"(?<=[0-9])\s*[rtq]p([smhd])$", lambda found: f"/{_PERIODS[found[1]]}"),
    (r"(?<=\w)\s*\b(?:per|an?)\s+", "/"),
    (r"/([smhd])$", lambda found: f"/{_PERIODS[found[1]]}"),
    (rf"(?<![a-z])(?:{'|'.join(_UNITS)})\b", lambda found: _UNITS[found[0]]),
    (rf"({_NUMBER})\s*(?:months?|mo)$", lambda found: f"{30.0 * float(found[1]):g}d"),
    (r"/(?:months?|mo)$", "/30d"),
    (rf"(?<=[0-9])\s+(?=(?:{'|'.join({*_UNITS.values()})})\b)", ""),
)
"""Each pattern, and what stands for it: comparisons, separators, words for numbers, money, thousands, time."""


def in_our_units(text: str) -> str:
    """What a text most likely means, written as a scenario writes it.

    Nothing says that this is a quantity of the kind that is wanted: the caller reads it.
    """
    said = text.strip().casefold()
    for pattern, replacement in _STEPS:
        said = re.sub(pattern, replacement, said)
    return said


def _in_full(number: str, thousands: str) -> str:
    return f"{float(number) * _THOUSANDS[thousands]:.15g}"
