"""From the workload to that of the plan, with profiles aligned with the start of the run."""

from pathlib import Path as FilePath

from des.scenario.plan import Workload
from des.scenario.schema.scenario import Scenario
from des.scenario.schema.workload import ArrivalFile, Arrivals
from des.scenario.text.places import Path
from des.scenario.text.problems import Finding

_FILE: Path = ("workload", "arrivals", "file")


def resolve_workload(scenario: Scenario, folder: FilePath) -> tuple[Workload | None, list[Finding]]:
    """The workload, or findings if recorded arrivals cannot be replayed."""
    said = scenario.workload
    try:
        arrivals = _arrivals(scenario, folder)
    except ValueError as error:
        return None, [Finding(_FILE, str(error))]
    return Workload(
        arrivals=arrivals,
        input_tokens=said.tokens.input,
        output_tokens=said.tokens.output,
        units=said.units,
        requirements=said.requirements,
    ), []


def _arrivals(scenario: Scenario, folder: FilePath) -> Arrivals:
    said = scenario.workload.arrivals
    if isinstance(said, ArrivalFile):
        from des.scenario.resolution.recorded_arrivals import replayed

        return replayed(said, scenario.workload.tokens, scenario.horizon, folder)
    return said.starting(scenario.start)
