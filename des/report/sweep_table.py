"""The table of a sweep: a row for each point and arm, whose values stand there at any width."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from des.estimate.estimate import MET, REQUEST_LEVEL, TIMELINE, Estimate
from des.report import figures
from des.report.figures import read
from des.report.layout import as_text, say, table_of
from des.report.lines import count, money, per_thousand, seconds, share, written
from des.report.unseen_lines import unseen_by_point, unseen_cells
from des.study.sweep_record import BEST, Sweep, gravest, verdicts_of, words_of
from des.vocabulary import CASCADE_METRICS, METRICS
from des.words import printable

_DEFAULT: Final = (
    "availability",
    "cost_usd_per_request",
    "latency_s_p95",
    "fallback_share",
    "objective",
    "total_cost_usd_per_year",
    "all_down",
    "k_eff",
)
"""The most important first: the last ones are left out where the terminal is too narrow."""
_TITLES: Final[Mapping[str, str]] = {
    "cost_usd_per_request": "cost per\n1,000",
    "cost_usd_per_success": "cost per\n1,000 answered",
    "latency_s_p95": "latency\np95",
    "fallback_share": "fallback",
    "objective": "meets the\nobjective",
    "total_cost_usd_per_year": "total cost\na year",
    "all_down": "all down",
}
_OPTIONAL: Final = ("objective", "total_cost_usd_per_year", "all_down", "k_eff")
"""Not shown where no point has them and nobody asked."""
_PER_THOUSAND: Final = ("cost_usd_per_request", "cost_usd_per_success")
_BY_LINES: Final = frozenset((*METRICS, *CASCADE_METRICS, "failure_share", "all_down"))
_WRITTEN: Final[Mapping[str, Callable[[Estimate | None], str]]] = {
    "_usd": money,
    "_usd_per_year": money,
    "_share": share,
    "_s_mean": seconds,
    "_s_p50": seconds,
    "_s_p95": seconds,
    "_s_max": seconds,
    "objective": figures.shown_chance,
}
"""By the ending of the name, how metrics are written that no other table shows."""
_GAP: Final = 3
"""Between two columns of a Rich table, its divider included."""
_NARROWEST: Final = 8
"""Columns of a value that is folded; with less, the table becomes a list."""
_TITLE_WIDTH: Final = 14
_VERDICT: Final = "expected"

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Column:
    """`name` is what a sentence calls it; a title may have several lines."""

    name: str
    title: str
    cells: tuple[str, ...]

    @property
    def width(self) -> int:
        return max(cell_len(line) for text in (self.title, *self.cells) for line in text.split("\n"))


def print_sweep(sweep: Sweep, console: Console, metrics: Sequence[str] = ()) -> None:
    """Values, then the figures named, by default the headlines; then what they rest on and where they are."""
    say(console, str(sweep.content.get("title") or sweep.content.get("name")), style="bold")
    say(
        console,
        f"{len(sweep.points):,} points, seed {sweep.content['seed']}; {_shared(sweep)}",
    )
    console.print()
    left_out = _print_table(sweep, console, metrics)
    console.print()
    if left_out:
        names = ", ".join(column.name for column in left_out)
        say(console, f"left out, as {console.width} columns are too few: {names}; sweep.csv has all (--metric NAME)")
    for sentence in (*_basis(sweep), *_unseen(sweep), *_refused(sweep), *_precision(sweep)):
        say(console, sentence)
    if sweep.reused:
        say(console, "the same sweep as before: verified, not made again (--force makes it again)")
    say(console, _where(sweep), whole=True)


def sweep_text(sweep: Sweep, metrics: Sequence[str] = (), width: int = 120) -> str:
    """The same as plain text."""
    return as_text(lambda console: print_sweep(sweep, console, metrics), width)


def _print_table(sweep: Sweep, console: Console, metrics: Sequence[str]) -> list[_Column]:
    """Returns the columns for which there is no room."""
    keys, found = _keys(sweep), list(_columns(sweep, metrics))
    others = [column for column in found if column.name != _VERDICT]
    verdicts = [column for column in found if column.name == _VERDICT]
    widths = _key_widths(keys, console.width - _taken([*others, *verdicts]), whole=True)
    shown = len(others)
    if widths is None:
        verdicts = [_shorter(column) for column in verdicts]
        widths = _key_widths(keys, console.width - _taken([*others[:1], *verdicts]), whole=False)
        if widths is None:
            _print_list(keys, found, console)
            return []
        shown = 1
        while shown < len(others) and _taken([*others[: shown + 1], *verdicts]) + _taken_by(widths) <= console.width:
            shown += 1
    table = table_of()
    for key, width in zip(keys, widths, strict=True):
        table.add_column(_folded(key.title, width), overflow="fold", width=width)
    for column in others[:shown]:
        table.add_column(column.title, justify="right", no_wrap=True)
    for column in verdicts:
        table.add_column(column.title, no_wrap=True)
    for row in zip(*(column.cells for column in (*keys, *others[:shown], *verdicts)), strict=True):
        table.add_row(*map(Text, row))
    console.print(table)
    return others[shown:]


def _shorter(column: _Column) -> _Column:
    """Verdicts without what they are on, which standard error tells."""
    return replace(column, title=_VERDICT, cells=tuple(cell.split(":")[0] for cell in column.cells))


def _taken_by(widths: Sequence[int]) -> int:
    """With a gap after each."""
    return sum(widths) + _GAP * len(widths)


def _taken(columns: Sequence[_Column]) -> int:
    """Of the width, with the gaps between them."""
    return sum(column.width for column in columns) + _GAP * max(0, len(columns) - 1)


def _key_widths(keys: Sequence[_Column], room: int, *, whole: bool) -> list[int] | None:
    """Widths of the values with a gap after each, the widest folded as far as it takes; None without room for that.

    Their titles are `whole` where there is room for it, else broken at their dots.
    """
    wanted = [key.width if whole else _narrow(key) for key in keys]
    room -= _GAP * len(keys)
    least = [min(width, _NARROWEST) for width in wanted]
    if sum(least) > room:
        return None
    if whole and sum(wanted) > room:
        return None
    while sum(wanted) > room:
        wanted[wanted.index(max(wanted))] -= 1
    return wanted


def _narrow(key: _Column) -> int:
    """The width of its values, or of a title in several lines."""
    cells = max(cell_len(line) for cell in key.cells for line in cell.split("\n"))
    return max(cells, min(_TITLE_WIDTH, cell_len(key.title)))


def _folded(title: str, width: int) -> str:
    """A path in lines that end at its dots where they can."""
    lines = [""]
    for part in title.replace(".", ".\0").replace("[", "\0[").split("\0"):
        if lines[-1] and cell_len(lines[-1] + part) > width:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)


def _print_list(keys: Sequence[_Column], columns: Sequence[_Column], console: Console) -> None:
    """For terminals that are too narrow for a table."""
    for number in range(len(keys[0].cells)):
        say(console, ", ".join(f"{key.title}={key.cells[number]}" for key in keys), style="bold")
        for column in columns:
            say(console, f"{' '.join(column.title.split())}: {' '.join(column.cells[number].split())}")


def _rows(sweep: Sweep) -> Iterator[tuple[Record, str, Record]]:
    return ((record, arm, of) for record in sweep.records for arm, of in record["arms"].items())


def _keys(sweep: Sweep) -> list[_Column]:
    rows = list(_rows(sweep))
    found = [
        _Column(path, printable(path), tuple(printable(record["values"][path]) for record, _, _ in rows))
        for path in sweep.over
    ]
    if any(len(record["arms"]) > 1 for record in sweep.records):
        found.append(_Column("arm", "arm", tuple(printable(arm) for _, arm, _ in rows)))
    return found


def _columns(sweep: Sweep, metrics: Sequence[str]) -> Iterator[_Column]:
    """In the order of their importance; the verdicts last."""
    rows = list(_rows(sweep))
    for metric in dict.fromkeys(metrics or _DEFAULT):
        cells = tuple(_cell(metric, of) for _, _, of in rows)
        if not metrics and metric in _OPTIONAL and set(cells) == {figures.NOTHING}:
            continue
        title = _TITLES.get(metric, metric if len(metric) <= _TITLE_WIDTH else _broken(metric))
        exact = metric == "all_down" and sweep.estimator == REQUEST_LEVEL
        yield _Column(metric, f"{title}\n(exact)" if exact else title, cells)
    if not metrics and any("unseen" in record for record in sweep.records):
        cells_of = [unseen_cells(record, arm) for record, arm, _ in rows]
        for number, title in enumerate(("incidents\nmet", "in the\nlong run")):
            yield _Column(title.replace("\n", " "), title, tuple(cells[number] for cells in cells_of))
    if any(record.get("expectations") for record in sweep.records):
        yield _Column(_VERDICT, _verdict_title(sweep), tuple(_verdict(record, arm) for record, arm, _ in rows))


def _cell(metric: str, of: Record) -> str:
    """A figure of an arm at a point as text."""
    exact = of["joint"].get(metric)
    if metric == "k_eff":
        return figures.NOTHING if exact is None else figures.plain(exact, 2)
    if metric == "all_down" and metric not in of:
        return figures.NOTHING if exact is None else figures.percent(exact, figures.significant(100.0 * exact))
    if metric not in of:
        return figures.NOTHING
    if metric == "availability":
        return figures.availability(read(of[metric]), read(of.get("failure_share")))
    if metric in _PER_THOUSAND:
        return per_thousand(read(of[metric]))
    if metric in _BY_LINES:
        return written(metric, of[metric])
    return next((write for ending, write in _WRITTEN.items() if metric.endswith(ending)), count)(read(of[metric]))


def _broken(metric: str) -> str:
    """`cost_usd_per_success` in two lines of about the same length."""
    parts = metric.split("_")
    lines = [("_".join(parts[:cut]) + "_", "_".join(parts[cut:])) for cut in range(1, len(parts))]
    return "\n".join(min(lines, key=lambda two: max(map(len, two)), default=(metric,)))


def _verdict_title(sweep: Sweep) -> str:
    """With the expectation, where there is one."""
    names = {f"{each.metric}\n{each.expected}" for record in sweep.records for each in verdicts_of(record)}
    return f"{_VERDICT}\n{printable(names.pop())}" if len(names) == 1 else _VERDICT


def _verdict(record: Record, arm: str) -> str:
    """The gravest verdict; of several, the metrics that it is on."""
    of_arm = [each for each in verdicts_of(record) if each.arm == arm]
    worst = gravest(each.result for each in of_arm)
    if len(of_arm) < 2 or worst == MET:
        return worst or figures.NOTHING
    return "\n".join([f"{worst}:", *dict.fromkeys(f"  {each.metric}" for each in of_arm if each.result == worst)])


def _shared(sweep: Sweep) -> str:
    """What differs between points by more than chance."""
    if sweep.estimator == BEST:
        return "all points share the random numbers of their availability"
    return "all points share their random numbers"


def _basis(sweep: Sweep) -> Iterator[str]:
    """The estimators, and whether there are intervals."""
    taken = sorted({record["replications"] for record in sweep.records} - {None})
    if sweep.estimator == BEST:
        yield "; ".join(_estimators(sweep)) or "nothing was answered"
        over = f", of cost and latency over {taken[0]} replications (--rounds N makes more)" if taken else ""
        yield f"intervals: 95 %{over}; a figure without one is exact"
        return
    if taken == [1]:
        yield "one replication a point: no interval (--replications N gives one)"
    elif taken:
        many = f"{taken[0]:,}" if len(taken) == 1 else f"{taken[0]:,} to {taken[-1]:,}"
        yield f"intervals: 95 %, over {many} replications"


def _estimators(sweep: Sweep) -> Iterator[str]:
    """Of the availability, with the years that each drew, and of the rest."""
    for label, metric in (("availability", "availability"), ("cost and latency", "cost_usd_per_request")):
        names = dict.fromkeys(of[metric]["estimator"] for _, _, of in _rows(sweep) if metric in of)
        if names:
            yield f"{label}: {', '.join(name + (_drawn(sweep, name) if metric == label else '') for name in names)}"


def _drawn(sweep: Sweep, estimator: str) -> str:
    """` of 10,000 years of incidents (--years N draws another number)`, or from the least to the most of all rows."""
    every = (of for _, _, of in _rows(sweep) if "drawn" in of and of["availability"]["estimator"] == estimator)
    years = [of["drawn"]["years"] for of in every if of["drawn"]["years"] is not None]
    if not years:
        return ""
    least, most = (f"{each:,.0f}" if each >= 2.0 else f"{each:.2g}" for each in (min(years), max(years)))
    by_default = sweep.content.get("years") is None and estimator == TIMELINE
    more = " (--years N draws another number)" if by_default else ""
    return f" of {least if least == most else f'{least} to {most}'} years of incidents{more}"


def _unseen(sweep: Sweep) -> Iterator[str]:
    """Of which incidents too few were met, and where."""
    yield from unseen_by_point({words_of(record["values"]): record for record in sweep.records})
    few = [words_of(record["values"]) for record in sweep.records if "not_seen" in record]
    if few:
        where = "every point" if len(few) == len(sweep.records) else _some(few)
        yield (
            f"{where}: the simulated requests met too few incidents of some classes to tell how these move cost and "
            "latency (sweep.json names them under not_seen)"
        )


def _refused(sweep: Sweep) -> Iterator[str]:
    said: dict[str, list[str]] = {}
    for record in sweep.records:
        for arm, why in record.get("refused", {}).items():
            said.setdefault(f"{arm} has no figures of requests: {why}", []).append(words_of(record["values"]))
    for why, points in said.items():
        yield f"{'every point' if len(points) == len(sweep.records) else _some(points)}: {why}"


def _precision(sweep: Sweep) -> Iterator[str]:
    for record in sweep.records:
        if not record.get("precision", {"reached": True})["reached"]:
            yield (
                f"{words_of(record['values'])}: precision NOT reached within {record['replications']:,} replications"
            )


def _some(points: Sequence[str], most: int = 3) -> str:
    more = len(points) - most
    return "; ".join(points[:most]) + (f" and {more:,} more points" if more > 0 else "")


def _where(sweep: Sweep) -> str:
    where = f"table: {sweep.path / 'sweep.csv'}"
    if sweep.estimator == BEST:
        return where
    first = str(sweep.records[0]["run"])
    return f"{where}; each point is a run in {(sweep.path / first if '/' in first else sweep.path).parent}"
