"""From a component's incident settings to the plan's classes: windows placed in the run."""

from pathlib import Path as FilePath

from des.scenario.plan import IncidentClass, PoissonIncidents
from des.scenario.resolution.incident_windows import recorded
from des.scenario.schema.incidents import IncidentFile, Incidents, Schedule
from des.scenario.schema.scenario import Scenario
from des.scenario.text.places import Path
from des.scenario.text.problems import Finding


def incident_class(
    incidents: Incidents, path: Path, scenario: Scenario, folder: FilePath, findings: list[Finding]
) -> IncidentClass | None:
    """The incident class for a setting; None and a finding for a file that cannot be replayed."""
    if isinstance(incidents, Schedule):
        start = scenario.start
        return recorded("schedule", [(*window.bounds(start), incidents.effect) for window in incidents.windows])
    if isinstance(incidents, IncidentFile):
        from des.scenario.resolution.recorded_incidents import replayed

        return replayed(incidents, path, scenario, folder, findings)
    if isinstance(incidents, PoissonIncidents) and incidents.profile is not None:
        return incidents.model_copy(update={"profile": incidents.profile.starting(scenario.start)})
    return incidents
