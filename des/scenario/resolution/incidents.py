"""From what a component says of its incidents to the plan's classes: windows placed in the run, files read."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path as FilePath

from des.files import RecordedRows, read_incidents
from des.scenario.files import located
from des.scenario.plan import Effect, IncidentClass, PoissonIncidents, RecordedIncidents
from des.scenario.schema.incidents import EFFECT_FIELDS, IncidentFile, Incidents, Schedule
from des.scenario.text.places import Path
from des.scenario.text.problems import Finding
from des.words import meant


def incident_class(
    incidents: Incidents, path: Path, start: datetime | None, folder: FilePath, findings: list[Finding]
) -> IncidentClass | None:
    """The class of a setting in a run that starts then; none, and a finding, for a file that cannot be replayed."""
    if isinstance(incidents, Schedule):
        return _recorded("schedule", [(*window.bounds(start), incidents.effect) for window in incidents.windows])
    if isinstance(incidents, IncidentFile):
        return _replayed(incidents, path, start, folder, findings)
    if isinstance(incidents, PoissonIncidents) and incidents.profile is not None:
        return incidents.model_copy(update={"profile": incidents.profile.starting(start)})
    return incidents


def _recorded(kind: str, windows: Sequence[tuple[float, float, Effect]]) -> RecordedIncidents:
    """Windows that are over when the run starts are dropped; one that is open then keeps its true start."""
    kept = sorted((window for window in windows if window[1] > 0.0), key=lambda window: window[:2])
    return RecordedIncidents(
        kind=kind,
        start_s=tuple(start_s for start_s, _, _ in kept),
        end_s=tuple(end_s for _, end_s, _ in kept),
        effects=tuple(effect for _, _, effect in kept),
    )


def _replayed(
    said: IncidentFile, path: Path, start: datetime | None, folder: FilePath, findings: list[Finding]
) -> IncidentClass | None:
    try:
        rows = read_incidents(
            located(said.file, folder),
            start=said.columns.start,
            end=said.columns.end,
            where=said.where,
            severity=said.columns.severity,
            origin=start,
            format=said.format,
        )
    except ValueError as error:
        findings.append(Finding((*path, "file"), str(error)))
        return None
    effects = _effects(said, rows, path, findings)
    if effects is None:
        return None
    return _recorded(
        "replay",
        [
            (float(start_s), float(end_s), effects[severity])
            for start_s, end_s, severity in zip(rows.start_s, rows.end_s, rows.severity, strict=True)
        ],
    )


def _effects(said: IncidentFile, rows: RecordedRows, path: Path, findings: list[Finding]) -> dict[str, Effect] | None:
    """The effect of each severity in the file; a severity that nothing is said about is an error, not an outage."""
    default_said = bool(EFFECT_FIELDS & said.model_fields_set)
    effects: dict[str, Effect] = {}
    for severity in dict.fromkeys(rows.severity):
        if severity in said.effects:
            effects[severity] = said.effects[severity].over(said.effect if default_said else Effect())
        elif default_said or not said.effects:
            effects[severity] = said.effect
        else:
            message = f"the file has the severity '{severity}', of which nothing is said{meant(severity, said.effects)}"
            findings.append(Finding((*path, "effects"), message))
            return None
    return effects
