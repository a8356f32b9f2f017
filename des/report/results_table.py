"""What `des results` prints."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Console

from des.report.figures import NOTHING
from des.report.layout import say
from des.study.store import DAMAGED, UNFINISHED, WHOLE, Stored
from des.vocabulary import FULL_TRACES

_UNITS: Final = ("kB", "MB", "GB", "TB")


def print_results(stored: Sequence[Stored], directory: Path, console: Console, *, verified: bool) -> None:
    """A line of facts for each, and one of its arms and the scenario's title. Names are never broken into lines."""
    if not stored:
        say(console, f"{directory}: no runs, sweeps or answers")
        return
    rows = [(one.name, what(one), size(one.bytes), _when(one.created_at)) for one in stored]
    name, kind, large = (max(len(row[column]) for row in rows) for column in range(3))
    for one, (called, is_a, takes, when) in zip(stored, rows, strict=True):
        say(console, f"{called:<{name}}  {is_a:<{kind}}  {takes:>{large}}  {when}", whole=True)
        for text in (_scenario(one), one.why):
            if text:
                say(console, f"  {text}", style="dim")
    say(console, "")
    states = Counter(one.state for one in stored)
    told = ", ".join(f"{count:,} {state}" for state, count in states.items())
    say(console, f"{directory}: {told}; {size(sum(one.bytes for one in stored))}")
    if states[UNFINISHED]:
        say(console, "the command that began what is unfinished continues it; --remove-unfinished removes it")
    if states[DAMAGED]:
        say(console, "damaged runs are simulated again by their command with --force")
    if states[WHOLE] and not verified:
        say(console, "whole by their sizes; --verify compares the checksum of every trace")


def what(one: Stored) -> str:
    """`run, whole`, `sweep of 6, damaged`, or how much of it is finished: `run, unfinished: 3 of 20`."""
    kind = one.kind if one.points is None else f"{one.kind} of {one.points:,}"
    if one.done is None:
        return f"{kind}, {one.state}"
    return f"{kind}, {one.state}: {one.done:,} of {'?' if one.parts is None else f'{one.parts:,}'}"


def size(count: int) -> str:
    """In the largest unit that leaves at least 1: `12.3 MB`."""
    if count < 1_000:
        return f"{count} B"
    value = float(count)
    for unit in _UNITS:
        value /= 1_000.0
        if value < 1_000.0 or unit == _UNITS[-1]:
            return f"{value:.3g} {unit}" if value < 999.5 else f"{value:,.0f} {unit}"
    raise AssertionError("the last unit returns")


def _scenario(one: Stored) -> str:
    several = [
        f"{count:,} {word}{'' if count == 1 else 's'}"
        for count, word in ((len(one.arms), "arm"), (one.replications or 0, "replication"))
        if count
    ]
    if one.trace_level not in ("", FULL_TRACES):
        several.append(f"traces {one.trace_level}")
    return ": ".join(part for part in (", ".join(several), one.title) if part)


def _when(created_at: str | None) -> str:
    return NOTHING if created_at is None else f"{created_at[:16].replace('T', ' ')} UTC"
