"""What `des explain` says of the faults that it foresees: each once, with the arms that have it."""

from collections.abc import Mapping, Sequence
from typing import Final

from rich.console import Console

from des.estimate.foresight.foreseen import Foreseen
from des.report.layout import say, say_indented

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
        named = f" ({', '.join(arms)})" if len(arms) < len(foreseen) else ""
        say_indented(console, one.code + named, inside="    ")
        say(console, f"  {one.place}", whole=True)
        say_indented(console, one.sentence, indent="  ")
        say_indented(console, f"instead: {one.remedy}", indent="  ", inside="    ")
