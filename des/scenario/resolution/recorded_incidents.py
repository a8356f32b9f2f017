"""From a file of recorded incidents to the class of the plan that replays them."""

from collections.abc import Sequence
from pathlib import Path as FilePath

from des.files import RecordedRows, incident_columns, is_no_failure, outside, read_incidents
from des.scenario.plan import Effect, IncidentClass
from des.scenario.resolution.incident_windows import recorded
from des.scenario.schema.incidents import EFFECT_FIELDS, IncidentColumns, IncidentFile
from des.scenario.schema.scenario import Scenario
from des.scenario.text.locations import located
from des.scenario.text.places import Path, path_text
from des.scenario.text.problems import Finding
from des.words import meant


def replayed(
    said: IncidentFile, path: Path, scenario: Scenario, folder: FilePath, findings: list[Finding]
) -> IncidentClass | None:
    """None and a finding for a file that cannot be replayed."""
    try:
        file = located(said.file, folder)
        columns = said.columns or _told_columns(file, said)
        rows = read_incidents(
            file,
            start=columns.start,
            end=columns.end,
            where=said.where,
            severity=columns.severity,
            error_rate=columns.error_rate,
            unit=said.unit,
            origin=scenario.start,
            format=said.format,
        )
    except ValueError as error:
        findings.append(Finding((*path, "file"), str(error)))
        return None
    effects = _effects(said, rows, path, findings)
    if effects is None:
        return None
    windows = [
        (float(start_s), float(end_s), effects[severity])
        for start_s, end_s, severity in zip(rows.start_s, rows.end_s, rows.severity, strict=True)
    ]
    if rows.error_rate is not None:
        windows = _with_shares(windows, rows.error_rate.tolist())
    told = [
        *rows.remarks,
        outside(rows.start_s, rows.end_s, scenario.horizon, by_clock=rows.by_clock, unit=said.unit),
        _planned(said, rows),
    ]
    return recorded("replay", windows, tuple(f"{path_text(path)}: {file.name}: {text}" for text in told if text))


def _told_columns(file: FilePath, said: IncidentFile) -> IncidentColumns:
    """The columns recognised by their names. Without effects by severity, every row has the same effect."""
    told = incident_columns(file, said.format)
    if said.effects and "severity" not in told:
        raise ValueError(f"{file}: effects by severity need a column of severities: write columns: {{severity: ...}}")
    return IncidentColumns(start=told["start"], end=told["end"], severity=told.get("severity"))


def _with_shares(
    windows: Sequence[tuple[float, float, Effect]], shares: Sequence[float]
) -> list[tuple[float, float, Effect]]:
    """The windows, each with its own share of failing calls as effect."""
    known: dict[tuple[int, float], Effect] = {}
    made = []
    for (start_s, end_s, effect), share in zip(windows, shares, strict=True):
        key = (id(effect), share)
        if key not in known:
            known[key] = effect.model_copy(update={"error_rate": share})
        made.append((start_s, end_s, known[key]))
    return made


def _planned(said: IncidentFile, rows: RecordedRows) -> str:
    """A remark on rows whose severity is not a failure but which are replayed as one."""
    planned = [severity for severity in rows.severity if is_no_failure(severity)]
    if said.effects or not planned:
        return ""
    of = " or ".join(sorted(set(planned)))
    return f"rows of severity {of} are replayed as failures ({len(planned):,}); `where:` can leave them out"


def _effects(said: IncidentFile, rows: RecordedRows, path: Path, findings: list[Finding]) -> dict[str, Effect] | None:
    """The effect of each severity in the file. A severity without an effect is an error, not an outage."""
    default_said = bool(EFFECT_FIELDS & said.model_fields_set)
    effects: dict[str, Effect] = {}
    for severity in dict.fromkeys(rows.severity):
        if severity in said.effects:
            effects[severity] = said.effects[severity].over(said.effect if default_said else Effect())
        elif default_said or not said.effects:
            effects[severity] = said.effect
        else:
            message = f"effects has no entry for severity '{severity}' of the file{meant(severity, said.effects)}"
            findings.append(Finding((*path, "effects"), message))
            return None
    return effects
