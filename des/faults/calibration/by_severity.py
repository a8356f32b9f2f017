"""A history as classes of incidents for one provider: one for each severity, with its own times and effect."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from des.faults.calibration.calibrate import ServiceCalibration, calibrate_service
from des.faults.calibration.cautions import counted, date
from des.faults.calibration.fragment import LEAST_INCIDENTS, distribution_text
from des.faults.calibration.service_history import ServiceHistory
from des.words import printable

ASSUMED_ERROR_RATES: Final = {
    "minor": "5%",
    "major": "30%",
    "critical": "100%",
    "0": "1%",
    "1": "5%",
    "2": "12%",
    "3": "30%",
    "4": "60%",
}
"""Shares of calls that fail while an incident is open, by its severity. Assumed: status pages do not say it."""
_WORST: Final = "100%"


@dataclass(frozen=True, slots=True)
class SeverityClasses:
    """The lines of `incidents:`, without indentation, and remarks on what they leave out or assume."""

    lines: tuple[str, ...]
    remarks: tuple[str, ...]


def severity_classes(
    history: ServiceHistory,
    source: str,
    error_rates: Mapping[str, str],
    between: str | None = None,
    repair: str | None = None,
) -> SeverityClasses:
    """A `marked_renewal` for each severity of the history, or one where no severity is recorded.

    `error_rates` are written by the author, by severity; others are those of the history, else assumed. Severities with
    fewer than two incidents are left out. Without any class, `lines` is empty.
    """
    parts = _parts(history)
    told = {name: _class(name, part, error_rates, between, repair) for name, part in parts}
    lines = [line for found in told.values() for line in found]
    remarks = [
        f"{_called(name)}: left out, too few for a rate ({counted(calibrate_service(part).incidents, 'incidents')})"
        for name, part in parts
        if not told[name]
    ]
    if any("# assumed" in line for line in lines):
        remarks.append("error rates are assumed: a history of open incidents does not say how many calls failed")
    if not lines:
        return SeverityClasses((), tuple(remarks))
    window = f"{history.name}, {date(history.from_s)} to {date(history.until_s)}"
    heading = _comment(f"Fitted to {source} ({window}) by maximum likelihood with location 0.")
    return SeverityClasses(("incidents:", *(f"  {line}" for line in (heading, *lines))), tuple(remarks))


def _parts(history: ServiceHistory) -> list[tuple[str, ServiceHistory]]:
    names = np.array(history.severity, dtype=object)
    return [(name, _only(history, names == name)) for name in sorted(set(names[history.inside].tolist()))]


def _only(history: ServiceHistory, some: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> ServiceHistory:
    chosen = np.flatnonzero(some)
    return replace(
        history,
        start_s=history.start_s[chosen],
        end_s=history.end_s[chosen],
        severity=tuple(history.severity[index] for index in chosen),
        incident_id=tuple(history.incident_id[index] for index in chosen),
        error_rate=None if history.error_rate is None else history.error_rate[chosen],
    )


def _class(
    name: str, part: ServiceHistory, error_rates: Mapping[str, str], between: str | None, repair: str | None
) -> Sequence[str]:
    found = calibrate_service(part)
    times = (distribution_text(found.between, between), distribution_text(found.repair, repair))
    if found.incidents < LEAST_INCIDENTS or None in times:
        return ()
    noted = f"{_called(name)}: {counted(found.incidents, 'incidents')}"
    return (
        f"- kind: marked_renewal  {_comment(noted)}",
        f"  between: {times[0]}",
        f"  duration: {times[1]}",
        f"  error_rate: {_error_rate(name, found, error_rates)}",
    )


def _error_rate(name: str, found: ServiceCalibration, error_rates: Mapping[str, str]) -> str:
    if name in error_rates:
        return error_rates[name]
    if found.error_rate is not None:
        return f"{100.0 * found.error_rate:.4g}%"
    return f"{ASSUMED_ERROR_RATES.get(name.casefold(), _WORST)}  # assumed"


def _comment(text: str) -> str:
    """On one line, whatever the names in it contain."""
    return f"# {printable(' '.join(text.split()))}"


def _called(name: str) -> str:
    return f"severity {name}" if name else "no severity"


def unknown_severities(history: ServiceHistory, error_rates: Mapping[str, str]) -> Iterator[str]:
    """Severities with an error rate that the history does not have."""
    known = {history.severity[index] for index in np.flatnonzero(history.inside)}
    return (name for name in error_rates if name not in known)
