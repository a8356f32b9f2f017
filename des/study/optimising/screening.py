"""Figures of candidates without simulated requests, many at a time, in any process."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from des.errors import ScenarioError
from des.estimate.common_incidents import CommonIncidents
from des.pool import Report, Workers
from des.scenario.plan import Plan
from des.study.optimising.space import Candidate, Space

SAMPLES: Final = 1_024
"""Requests walked for each candidate in the screen."""
_CHUNK: Final = 25
"""Candidates in a task of a process."""

Figures = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Task:
    """Candidates to be walked over one block of incidents."""

    number: int
    candidates: tuple[Candidate, ...]


@dataclass(slots=True)
class Walker:
    """The figures of candidates along a block. Whatever process it runs in, the figures are the same.

    A candidate whose values contradict each other has the message in place of figures.
    """

    space: Space
    samples: int = SAMPLES
    _blocks: dict[tuple[int, str], CommonIncidents] = field(default_factory=dict, repr=False)

    def __getstate__(self) -> tuple[Any, ...]:
        return self.space, self.samples

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.space, self.samples = state
        self._blocks = {}

    def __call__(self, task: Task, report: Report | None = None) -> list[Figures | str]:
        found: list[Figures | str] = []
        for done, candidate in enumerate(task.candidates):
            try:
                plan = self.space.plan(candidate)
            except ScenarioError as error:
                found.append(str(error))
            else:
                found.append(self._block(plan, task.number).figures(plan))
            if report is not None:
                report(float(done + 1))
        return found

    def _block(self, plan: Plan, number: int) -> CommonIncidents:
        """The block of a plan. Plans whose incidents are the same share it; only the last block is kept."""
        key = (number, _incidents(plan))
        if key not in self._blocks:
            if any(other != number for other, _ in self._blocks) or len(self._blocks) >= _MOST_BLOCKS:
                self._blocks.clear()
            self._blocks[key] = CommonIncidents(plan, number, self.samples)
        return self._blocks[key]


_MOST_BLOCKS: Final = 4


def _incidents(plan: Plan) -> str:
    """All that a block depends on."""
    reach = [endpoint.component for endpoint in plan.endpoints]
    profile = plan.workload.arrivals.weekly
    return repr((plan.components, reach, plan.shared, plan.horizon_s, plan.start_up, plan.seed, profile))


def screened(
    pool: "Workers[Task, list[Figures | str]]",
    candidates: Sequence[Candidate],
    number: int = 0,
    watch: "Tally | None" = None,
) -> dict[Candidate, Figures | str]:
    """The figures of every candidate along one block, or why there are none."""
    ordered = sorted(candidates)
    tasks = [Task(number, tuple(ordered[at : at + _CHUNK])) for at in range(0, len(ordered), _CHUNK)]
    found: dict[Candidate, Figures | str] = {}
    for task, figures in zip(tasks, pool.map(tasks), strict=True):
        found |= zip(task.candidates, figures, strict=True)
        if watch is not None:
            watch.add(len(task.candidates))
    return found


class Tally:
    """Counts candidates, and tells how many of those expected are done."""

    def __init__(self, expected: float, tell: Any) -> None:
        self._expected, self._tell, self._done = max(1.0, expected), tell, 0

    def add(self, count: int) -> None:
        self._done += count
        self._tell(min(1.0, self._done / self._expected))
