"""`des fit`: a history read, fitted, cautioned about and written as a piece of scenario."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from des.faults.calibration import (
    KINDS,
    Calibration,
    ServiceHistory,
    calibrate,
    cautions,
    fragment,
    observed,
)
from des.faults.calibration.fragment import LEAST_INCIDENTS
from des.files.history import History, read_history, read_moment
from des.files.history_json import HistoryError
from des.study.destination import WriteError


@dataclass(frozen=True, slots=True)
class Fit:
    """What a history says, what to beware of, and the YAML to paste."""

    history: History
    calibration: Calibration
    cautions: tuple[str, ...]
    fragment: str


def fit(
    path: Path,
    *,
    columns: Sequence[str] = (),
    services: Sequence[str] = (),
    since: str | None = None,
    until: str | None = None,
    skip_bad: bool = False,
    open_ends: bool = False,
    between: str | None = None,
    repair: str | None = None,
    permutations: int | None = None,
    seed: int = 0,
    out: Path | None = None,
) -> Fit:
    """Fit a history from `since` to `until` (dates or timestamps), and write the piece of scenario to `out`.

    `between` and `repair` choose the kind of law for the scenario, in place of the lowest AIC. Raises HistoryError,
    and WriteError if `out` exists or cannot be written.
    """
    for option, kind in (("--between", between), ("--repair", repair)):
        if kind not in (None, *KINDS):
            near = difflib.get_close_matches(str(kind).lower(), KINDS, n=1)
            meant = f"; did you mean {near[0]!r}?" if near else ""
            raise HistoryError(f"{option} {kind!r}: unknown law{meant} (the laws are {', '.join(KINDS)})")
    if permutations is not None and permutations < 1:
        raise HistoryError(f"--permutations {permutations}: at least 1")
    if out is not None and out.exists():
        raise HistoryError(f"{out}: exists already; choose another name or remove it")
    since_s = None if since is None else read_moment(since, "--since")
    until_s = None if until is None else read_moment(until, "--until")
    if since_s is not None and until_s is not None and since_s >= until_s:
        raise HistoryError(f"--since {since} is not before --until {until}")
    history = read_history(path, columns=columns, services=services, skip_bad=skip_bad, open_ends=open_ends)
    windows = [observed(service, since_s, until_s) for service in history.services]
    seen = [service for service in windows if service.from_s <= service.until_s]
    if not any(len(service.starts_s) for service in seen):
        raise HistoryError(f"{path}: no incident starts between {since or 'the beginning'} and {until or 'the end'}")
    if all(len(service.starts_s) < LEAST_INCIDENTS for service in seen):
        raise HistoryError(
            f"{path}: {_singles(seen)}: no rate can be estimated; a service needs two incidents at least"
        )
    calibration = calibrate(seen, permutations=permutations, seed=seed)
    unseen = [
        f"{service.name}: not recorded between these dates, left out"
        for service in windows
        if service.from_s > service.until_s
    ]
    relative = (
        ["times are seconds from a start of their own: second 0 is taken for a Monday 00:00 UTC, shown as 1970-01-05"]
        if history.relative
        else []
    )
    text = fragment(calibration, history.source, between, repair)
    if out is not None:
        _write(out, text)
    return Fit(history, calibration, (*relative, *unseen, *cautions(calibration, between, repair)), text)


def _singles(services: Sequence[ServiceHistory]) -> str:
    names = [service.name for service in services if len(service.starts_s)]
    each = f" each of {len(names)} services" if len(names) > 1 else f" of {names[0]}"
    return f"one incident only{each}"


def _write(out: Path, text: str) -> None:
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise WriteError(f"{out}: cannot be written: {error.strerror or error}") from error
