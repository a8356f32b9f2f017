"""What `des explain` says of the faults that it foresees: each once, with the arms that have it."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from rich.console import Console

from des.estimate.foresight.foreseen import Foreseen
from des.report.layout import say

_INDENT: Final = "  "
_NONE: Final = "foreseen: none of the faults that this command looks for"


def print_foreseen(foreseen: Mapping[str, Sequence[Foreseen]], console: Console) -> None:
    """In the order of the arms. What several arms have in common is said once, at the place of the first."""
    arms_of: dict[tuple[str, str, str], list[str]] = {}
    first: dict[tuple[str, str, str], Foreseen] = {}
    for arm, found in foreseen.items():
        for one in found:
            said = (one.code, one.sentence, one.remedy)
            first.setdefault(said, one)
            arms_of.setdefault(said, []).append(arm)
    console.print()
    if not first:
        say(console, _NONE)
        return
    say(console, "foreseen", style="bold")
    for said, one in first.items():
        arms = list(dict.fromkeys(arms_of[said]))
        console.print()
        for line in _lines(one, arms if len(arms) < len(foreseen) else [], console.width):
            say(console, line, whole=True)


def _lines(one: Foreseen, arms: Sequence[str], width: int) -> Iterator[str]:
    yield from _wrapped(one.code + (f" ({', '.join(arms)})" if arms else ""), width, "")
    yield _INDENT + one.place
    yield from _wrapped(one.sentence, width, _INDENT)
    yield from _wrapped(f"instead: {one.remedy}", width, _INDENT)


def _wrapped(text: str, width: int, indent: str) -> Iterator[str]:
    inside = _INDENT * 2 if text.startswith("instead") or not indent else indent
    yield from textwrap.wrap(
        text, width, initial_indent=indent, subsequent_indent=inside, break_long_words=False, break_on_hyphens=False
    )
