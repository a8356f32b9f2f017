"""The rows of a history by role: the role of each column, which columns are services, which rows are failures."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from des.files.formats import column_names, read_columns, read_sound_rows
from des.files.roles import (
    ROLES,
    holds_flags,
    holds_times,
    is_no_failure,
    is_open,
    stages_told_by_names,
    told_by_names,
)
from des.files.table import RecordedFileError, Table, as_text
from des.words import did_you_mean, unknown

_ALL: Final = "all"
_IN_A_SCENARIO: Final = "columns: {start: ..., end: ...}"
_SET: Final = frozenset({"1", "true", "yes"})
_UNSET: Final = frozenset({"", "0", "false", "no"})


@dataclass(frozen=True, slots=True)
class Rows:
    """The unparsed columns of a history by role. `still_open`: a missing end means that the incident is still open."""

    place: Callable[[int], str]
    columns: Mapping[str, str]
    start: Sequence[Any]
    end: Sequence[Any]
    still_open: Sequence[bool]
    provider: Sequence[str]
    service: Sequence[str]
    severity: Sequence[str]
    id: Sequence[str]
    error_rate: Sequence[str]
    stages: Mapping[str, Sequence[Any]]
    """The times of the stages that an incident went through, by column and in their order."""
    last_seen: Sequence[object]
    remarks: tuple[str, ...]

    def name(self, row: int) -> str:
        return f"{self.provider[row]}/{self.service[row]}" if self.provider[row] else self.service[row]


def read_rows(
    path: Path,
    named: Mapping[str, str],
    flags: Sequence[str],
    where: Mapping[str, Sequence[str]],
    open_ends: bool,
    format: str | None,  # noqa: A002
) -> Rows:
    there = column_names(path, format)
    told = told_by_names(there)
    may_be = {role: [column] for role, column in named.items()} or told
    if "status" in told:
        may_be.setdefault("status", told["status"])
    if not {"start", "end"} <= set(may_be):
        raise RecordedFileError(_says_nowhere(path, there, format))
    candidates = [column for columns in may_be.values() for column in columns]
    stages = [] if named else stages_told_by_names(there)  # columns that are named are taken as they are
    table = read_columns(path, [*candidates, *flags, *where, *stages], format).where(where)
    columns = {role: _first_filled(table, names) for role, names in may_be.items()}
    if flags:
        columns.pop("service", None)
    rows, flagged = _flagged(table, flags)
    remarks = [*table.remarks]
    if flags and (without := len(table.rows) - len(set(rows))):
        remarks.append(f"{without} row{'s' if without != 1 else ''} left out, in which none of {', '.join(flags)} is 1")
    elif not named and not flags and "service" not in columns and (seen := _flag_columns(path, there, columns, format)):
        remarks.append(
            f"all rows count as one service; columns of 0 and 1 may be services: --flags {','.join(seen[:6])}"
        )

    def cells(name: str) -> list[Any]:
        column = table.columns[name].to_pylist()
        return [column[row] for row in rows]

    def texts(role: str) -> list[str]:
        return [as_text(value) for value in cells(columns[role])] if role in columns else [""] * len(rows)

    services = flagged or (texts("service") if "service" in columns else [path.stem] * len(rows))
    return Rows(
        place=lambda row: table.place(rows[row]),
        columns=columns,
        start=cells(columns["start"]),
        end=cells(columns["end"]),
        still_open=[open_ends or is_open(status) for status in texts("status")],
        provider=texts("provider"),
        service=services,
        severity=texts("severity"),
        id=texts("id"),
        error_rate=texts("error_rate"),
        stages={name: cells(name) for name in stages},
        last_seen=table.last_seen,
        remarks=tuple(remarks),
    )


def incident_columns(path: Path, format: str | None = None) -> dict[str, str]:  # noqa: A002
    """{role: column} by the names, including start and end. Raises RecordedFileError."""
    there = column_names(path, format)
    may_be = told_by_names(there)
    if not {"start", "end"} <= set(may_be):
        raise RecordedFileError(
            _says_nowhere(path, there, format).replace("--columns start=...,end=...", _IN_A_SCENARIO)
        )
    table = read_sound_rows(path, [column for columns in may_be.values() for column in columns], format)
    return {role: _first_filled(table, names) for role, names in may_be.items()}


def _first_filled(table: Table, names: Sequence[str]) -> str:
    """The first of these columns that is not empty."""
    return next((name for name in names if table.columns[name].null_count < len(table.rows)), names[0])


def _flagged(table: Table, flags: Sequence[str]) -> tuple[Sequence[int], list[str]]:
    """One row for each flag set in a row, with the flag as its service. Without flags, every row once."""
    if not flags:
        return range(len(table.rows)), []
    texts = {flag: table.texts(flag) for flag in flags}
    rows: list[int] = []
    services: list[str] = []
    for row in range(len(table.rows)):
        for flag in flags:
            text = texts[flag][row].strip().lower()
            if text not in _SET and text not in _UNSET:
                raise RecordedFileError(f"{table.place(row)}: {flag} {texts[flag][row]!r} is not a flag (0 or 1)")
            if text in _SET:
                rows.append(row)
                services.append(flag)
    if not rows:
        raise RecordedFileError(f"{table.path}: no row has a flag set: {', '.join(flags)}")
    return rows, services


def _flag_columns(path: Path, there: Sequence[str], columns: Mapping[str, str], format: str | None) -> list[str]:  # noqa: A002
    """Columns that may flag the services of an incident: at least two, with 0 and 1 only."""
    others = [name for name in there if name not in columns.values() and not name.endswith("_flag")]
    found = [name for name in others if holds_flags(_values(path, name, format))]
    return found if len(found) > 1 else []


def _time_columns(path: Path, there: Sequence[str], format: str | None) -> list[str]:  # noqa: A002
    return [name for name in there if holds_times(_values(path, name, format))]


def _values(path: Path, name: str, format: str | None) -> Sequence[object]:  # noqa: A002
    """The values of a column, for a hint in a message; empty if it cannot be read."""
    try:
        values: Sequence[object] = read_columns(path, [name], format).columns[name].to_pylist()
    except RecordedFileError:
        return ()
    return values


def _says_nowhere(path: Path, there: Sequence[str], format: str | None) -> str:  # noqa: A002
    times = _time_columns(path, there, format)
    of_times = f"; times are in {', '.join(map(repr, times))}" if times else ""
    page = "; it has no list of `incidents` as a status page's incidents.json has" * (path.suffix.lower() == ".json")
    return (
        f"{path}: no columns with start and end of incidents were recognised; name them: --columns start=...,end=..."
        f"[,service=...,provider=...,severity=...,id=...] (there are: {', '.join(map(repr, there))}){of_times}{page}"
    )


def other_ends(path: Path, rows: Rows, format: str | None) -> str:  # noqa: A002
    """A hint on other columns with times, if the column of ends has missing values."""
    known = {rows.columns["start"], rows.columns["end"]}
    others = [name for name in _time_columns(path, column_names(path, format), format) if name not in known]
    if not others:
        return ""
    return (
        f"\nthe end was read from {rows.columns['end']!r}; times are also in {', '.join(map(repr, others))}: "
        f"--columns start={rows.columns['start']},end=..."
    )


def of_services(path: Path, rows: Rows, services: Sequence[str]) -> list[int]:
    """The rows of the services named."""
    every = range(len(rows.start))
    if not services:
        return list(every)
    there = sorted({rows.name(row) for row in every})
    known = {name.lower() for name in there} | {name.lower() for name in rows.service}
    for wanted in services:
        if wanted.lower() not in known:
            listed = f" (there are: {', '.join(there)})"
            raise RecordedFileError(f"{path}: no service '{wanted}'{did_you_mean(wanted, sorted(known))}{listed}")
    named = {name.lower() for name in services}
    return [row for row in every if rows.name(row).lower() in named or rows.service[row].lower() in named]


def of_severities(
    path: Path, rows: Rows, chosen: Sequence[int], wanted: Sequence[str]
) -> tuple[list[int], tuple[str, ...]]:
    """The rows of the wanted severities, and remarks on rows left out by default."""
    if any(each.lower() == _ALL for each in wanted):
        return list(chosen), ()
    if wanted:
        names = {each.lower() for each in wanted}
        kept = [row for row in chosen if rows.severity[row].lower() in names]
        if not kept:
            there = sorted({rows.severity[row] or "(nothing)" for row in chosen})
            raise RecordedFileError(
                f"{path}: no incident of severity {' or '.join(wanted)}; there are: {', '.join(there)}"
            )
        return kept, ()
    kept = [row for row in chosen if not is_no_failure(rows.severity[row])]
    counts = Counter(rows.severity[row] for row in chosen if is_no_failure(rows.severity[row]))
    if not counts:
        return kept, ()
    told = ", ".join(f"{count} of severity '{severity}'" for severity, count in sorted(counts.items()))
    if not kept:
        raise RecordedFileError(f"{path}: no failures: {told}; choose severities by --severity, or all")
    return kept, (f"left out because they are not failures: {told}; choose severities by --severity, or all",)


def parse_columns(texts: Sequence[str]) -> dict[str, str]:
    """{role: column} of `role=column` pairs, separated by commas or given separately."""
    named: dict[str, str] = {}
    for pair in (pair.strip() for text in texts for pair in text.split(",")):
        role, equals, column = (part.strip() for part in pair.partition("="))
        if not equals or not column:
            raise RecordedFileError(f"--columns {pair!r}: expected pairs such as start=started_at,end=resolved_at")
        if role not in ROLES:
            raise RecordedFileError(f"--columns {pair!r}: {unknown('role', role, ROLES)}")
        if role in named:
            raise RecordedFileError(f"--columns: {role} is given twice ({named[role]!r} and {column!r})")
        named[role] = column
    if named and not {"start", "end"} <= set(named):
        raise RecordedFileError("--columns needs at least start=... and end=...")
    return named


def parse_where(texts: Sequence[str]) -> dict[str, list[str]]:
    wanted: dict[str, list[str]] = {}
    for text in texts:
        column, equals, value = text.partition("=")
        if not equals or not column.strip():
            raise RecordedFileError(f"--where {text!r}: expected a column and its value, such as region=eu")
        wanted.setdefault(column.strip(), []).append(value.strip())
    return wanted


def listed(texts: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(each.strip() for text in texts for each in text.split(",") if each.strip()))
