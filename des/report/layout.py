"""Layout of tables: arms side by side as far as the terminal's width allows, and plain tables of rows.

Everything printed passes through here or `des.cli.application.say`. Names and titles are always plain text, so Rich's
markup and terminal escapes in them have no effect.
"""

import io
import re
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from des.words import printable

_GAP: Final = 2
"""Columns between two arms."""
_INSIDE: Final = "  "
_LEAST_WIDTH: Final = 20
_QUANTITY: Final = re.compile(r"(\d) (?=(?:%|ms|s|min|h|d)\b|%)")
_NARROWED_FROM: Final = 100
"""Least width of a terminal, in columns, on which rows are narrowed. Below it hardly any interval would be left."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a table with a column for each arm. A title has no cells."""

    label: str
    cells: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "label", printable(self.label))
        object.__setattr__(self, "cells", tuple(map(printable, self.cells)))


class _PlainTable(Table):
    """A table whose cells and titles are text, not markup."""

    def add_column(self, header: RenderableType = "", *args: Any, **kwargs: Any) -> None:
        super().add_column(_plain(header), *args, **kwargs)

    def add_row(self, *cells: RenderableType | None, **kwargs: Any) -> None:
        super().add_row(*map(_plain, cells), **kwargs)


def _plain(cell: RenderableType | None) -> RenderableType:
    if isinstance(cell, Text):
        return Text(printable(cell.plain), style=cell.style)
    return Text(printable(cell)) if isinstance(cell, str) else cell or ""


def say(console: Console, text: str, *, style: str = "", whole: bool = False) -> None:
    """Print a sentence. A `whole` one is not broken into lines, so that a path in it can be copied."""
    console.print(Text(printable(text), style=style), soft_wrap=whole)


def say_indented(console: Console, text: str, *, indent: str = "", inside: str = _INSIDE) -> None:
    """Print a sentence, its later lines indented as `inside`. Words stay whole, and numbers stay with their units."""
    lines = textwrap.wrap(
        _QUANTITY.sub(r"\1" "\N{NO-BREAK SPACE}", text),
        max(console.width, _LEAST_WIDTH),
        initial_indent=indent,
        subsequent_indent=inside,
        break_long_words=False,
        break_on_hyphens=False,
    )
    for line in lines:
        say(console, line.replace("\N{NO-BREAK SPACE}", " "), whole=True)


def table_of(*names: str) -> Table:
    """A table whose first columns have these names."""
    table = _PlainTable(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, _GAP, 0, 0))
    for name in names:
        table.add_column(name, overflow="fold")
    return table


def as_text(show: Callable[[Console], None], width: int = 120) -> str:
    """What `show` prints, as plain text."""
    out = io.StringIO()
    show(Console(file=out, width=width, highlight=False, color_system=None))
    return out.getvalue().rstrip("\n")


def fitted(
    table: Sequence[Line], narrow: Sequence[Line], arms: Sequence[str], width: int
) -> tuple[Sequence[Line], bool]:
    """The table with enough of its rows `narrow`, from the bottom, for all arms to fit; and whether any row is narrow.

    Only rows that determine a column's width are replaced. The table is unchanged where that does not help, and on
    terminals of less than `_NARROWED_FROM` columns.
    """
    rows = list(table)
    while width >= _NARROWED_FROM:
        _, *columns = widths = _widths(rows, arms)
        if sum(widths) + _GAP * len(columns) <= width:
            return rows, rows != list(table)
        place = next(
            (
                place
                for place in reversed(range(len(rows)))
                if any(
                    cell_len(shorter) < cell_len(cell) == columns[number]
                    for number, (cell, shorter) in enumerate(zip(rows[place].cells, narrow[place].cells, strict=True))
                )
            ),
            None,
        )
        if place is None:
            break
        rows[place] = narrow[place]
    return table, False


def _widths(table: Sequence[Line], arms: Sequence[str]) -> list[int]:
    """Of the labels, and of each arm."""
    rows = [line for line in table if line.cells]
    columns = zip(map(printable, arms), *(line.cells for line in rows), strict=True)
    return [max(cell_len(line.label) for line in rows), *(max(map(cell_len, column)) for column in columns)]


def print_arms(table: Sequence[Line], arms: Sequence[str], console: Console) -> None:
    """Arms side by side. Those that do not fit the width follow below, in tables of their own."""
    labels, *widths = _widths(table, arms)
    first = 0
    while first < len(arms):
        last, used = first + 1, labels + _GAP + widths[first]
        while last < len(arms) and used + _GAP + widths[last] <= console.width:
            used += _GAP + widths[last]
            last += 1
        _print_some(table, arms, slice(first, last), [labels, *widths[first:last]], console)
        first = last


def _print_some(
    table: Sequence[Line], arms: Sequence[str], some: slice, widths: Sequence[int], console: Console
) -> None:
    """Not a Rich table: titles widen no column, and a label too long for its figures has a line of its own."""
    whole = sum(widths) + _GAP * (len(widths) - 1)

    def text(label: str, cells: Sequence[str]) -> str:
        aligned = (" " * (width - cell_len(cell)) + cell for cell, width in zip(cells, widths[1:], strict=True))
        gap = " " * _GAP
        if whole > console.width:
            return f"{label}\n{gap}{gap.join(aligned)}"
        return label + " " * (widths[0] - cell_len(label)) + gap + gap.join(aligned)

    console.print()
    say(console, text("", [printable(arm) for arm in arms[some]]), style="bold")
    say(console, "─" * min(whole, console.width))
    for line in table:
        say(
            console,
            text(line.label, line.cells[some]) if line.cells else line.label,
            style="" if line.cells else "bold",
        )
    console.print()
