"""The tables that `des run` prints: arms side by side, as many as the terminal is wide."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from des.report import figures
from des.report.cascade_lines import CASCADE_WRITTEN, cascade_lines, cascade_sentences
from des.report.expectations import INCONCLUSIVE, MET, Verdict
from des.report.lines import WRITTEN, Line, lines
from des.traces import Run

GAP = 2
"""Columns between two arms."""
NARROWED_FROM = 100
"""Columns of a terminal from which on arms side by side are worth intervals; a narrower one would keep hardly any."""


def print_run(run: Run, verdicts: Sequence[Verdict], *, reused: bool, console: Console) -> None:
    """Everything a person wants to know first, then where the rest is."""
    manifest, summary = run.manifest, run.summary
    arms = list(summary["arms"])
    print_heading(manifest, console)
    cascade = list(cascade_lines(summary, arms))
    table: Sequence[Line] = [*lines(summary, arms), *cascade]
    dropped = False
    if cascade:
        points = figures.without_intervals(summary)
        narrow = [*lines(points, arms), *cascade_lines(points, arms, narrow=True)]
        table, dropped = fitted(table, narrow, arms, console.width)
    print_arms(table, arms, console)
    for sentence in cascade_sentences(summary, arms):
        _say(console, sentence)
    if verdicts:
        print_verdicts(verdicts, console)
    many = manifest["replications"]
    if many == 1:
        _say(console, "one replication: no interval (--replications N gives one)")
    else:
        left_out = "; some rows go without for lack of width, summary.json has them all" if dropped else ""
        _say(console, f"intervals: 95 %, over {many} replications{left_out}")
        for sentence in uneven_sentences(summary):
            _say(console, sentence)
    for sentence in precision_sentence(summary):
        _say(console, sentence)
    print_where(run, reused, console)


def print_where(run: Run, reused: bool, console: Console) -> None:
    """Where the files are."""
    if reused:
        _say(console, "the same run as before: verified, not simulated again (--force does)")
    where = f"{'traces, ' if run.manifest['traces'] else ''}manifest and summary: {run.path}"
    console.print(Text(where), soft_wrap=True)  # a path is copied whole


def uneven_sentences(summary: Mapping[str, Any]) -> Iterator[str]:
    """Which arms have no interval although there are replications, and how many it takes."""
    for arm, metrics in summary["arms"].items():
        reasons = (str(found.get("interval", "")) for found in metrics.values() if found)
        for reason in [reason for reason in reasons if "fewer than" in reason][:1]:
            yield f"{arm} has no interval: {reason.removeprefix('none: ')}"


def precision_sentence(summary: Mapping[str, Any]) -> Iterator[str]:
    """What precision was asked for, whether it was reached, and how many replications that took."""
    found = summary.get("precision")
    if found is None:
        return
    asked = ", ".join(f"{name} ± {100.0 * share:g} %" for name, share in found["asked"].items())
    if found["reached"]:
        yield f"precision {asked}: reached after {found['replications']:,} replications"
        return
    so_far = ", ".join(
        f"{name} " + ("unknown" if w is None else f"± {100.0 * w:.3g} %") for name, w in found["half_widths"].items()
    )
    yield (
        f"precision {asked}: NOT reached after {found['replications']:,} replications, the most allowed "
        f"(--max-replications); so far {so_far}"
    )


def print_heading(manifest: Mapping[str, Any], console: Console) -> None:
    """What the run was of."""
    scenario = manifest["scenario"]
    _say(console, str(scenario.get("title") or manifest["name"]), style="bold")
    if scenario.get("question"):
        _say(console, " ".join(str(scenario["question"]).split()))
    many = manifest["replications"]
    parts = [
        f"horizon {scenario['horizon']}",
        f"seed {manifest['seed']}",
        f"{many} replication{'s' if many > 1 else ''}",
        f"simulated in {manifest['wall_s']:,.1f} s",
    ]
    _say(console, ", ".join(parts))


def fitted(
    table: Sequence[Line], narrow: Sequence[Line], arms: Sequence[str], width: int
) -> tuple[Sequence[Line], bool]:
    """The table with so many of the lowest of its rows `narrow` that all arms stand side by side, and whether any is.

    Rows are taken where they make a column as wide as it is; the table stays as it was if that does not help, and on
    terminals of less than `NARROWED_FROM` columns.
    """
    rows = list(table)
    while width >= NARROWED_FROM:
        _, *columns = widths = _widths(rows, arms)
        if sum(widths) + GAP * len(columns) <= width:
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
    columns = zip(arms, *(line.cells for line in rows), strict=True)
    return [max(cell_len(line.label) for line in rows), *(max(map(cell_len, column)) for column in columns)]


def print_arms(table: Sequence[Line], arms: Sequence[str], console: Console) -> None:
    """Arms side by side; those that do not fit the width come below, in tables of their own."""
    labels, *widths = _widths(table, arms)
    first = 0
    while first < len(arms):
        last, used = first + 1, labels + GAP + widths[first]
        while last < len(arms) and used + GAP + widths[last] <= console.width:
            used += GAP + widths[last]
            last += 1
        _print_some(table, arms, slice(first, last), [labels, *widths[first:last]], console)
        first = last


def _print_some(
    table: Sequence[Line], arms: Sequence[str], some: slice, widths: Sequence[int], console: Console
) -> None:
    """Set by hand: titles then widen no column, and a label too long for its figures has a line of its own."""
    whole = sum(widths) + GAP * (len(widths) - 1)

    def text(label: str, cells: Sequence[str]) -> str:
        aligned = (" " * (width - cell_len(cell)) + cell for cell, width in zip(cells, widths[1:], strict=True))
        gap = " " * GAP
        if whole > console.width:
            return f"{label}\n{gap}{gap.join(aligned)}"
        return label + " " * (widths[0] - cell_len(label)) + gap + gap.join(aligned)

    console.print()
    _say(console, text("", arms[some]), style="bold")
    _say(console, "─" * min(whole, console.width))
    for line in table:
        _say(
            console,
            text(line.label, line.cells[some]) if line.cells else line.label,
            style="" if line.cells else "bold",
        )
    console.print()


def print_verdicts(verdicts: Sequence[Verdict], console: Console) -> None:
    """Each expectation and how it was met."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, GAP, 0, 0))
    for title in ("expectation", "expected", "found", "met"):
        table.add_column(title, overflow="fold")
    for verdict in verdicts:
        colour = "green" if verdict.result == MET else "yellow" if verdict.result == INCONCLUSIVE else "bold red"
        met = Text({MET: "yes", INCONCLUSIVE: INCONCLUSIVE}.get(verdict.result, "no"), style=colour)
        table.add_row(Text(f"{verdict.arm}.{verdict.metric}"), Text(verdict.expected), Text(_found(verdict)), met)
    console.print(table)
    console.print()


def expectation_sentence(verdict: Verdict) -> str:
    """`as_modelled.availability: expected >= 99.95%, found 99.90 %: missed`."""
    return f"{verdict.arm}.{verdict.metric}: expected {verdict.expected}, found {_found(verdict)}: {verdict.result}"


def _found(verdict: Verdict) -> str:
    return {**WRITTEN, **CASCADE_WRITTEN}[verdict.metric](verdict.figure)


def _say(console: Console, text: str, *, style: str = "") -> None:
    console.print(Text(text, style=style))
