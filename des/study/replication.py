"""One replication of one arm: simulated, traced and summed up, here or in another process."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from des.estimate.totals import Metrics
from des.model import simulate
from des.scenario.plan import Plan
from des.study.downtime import Spells, downtime
from des.study.recorder import Recorder
from des.study.workers import Told
from des.traces.writer import WrittenTrace


@dataclass(frozen=True, slots=True)
class Part:
    """What one process does in one go."""

    arm: str
    replication: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a replication leaves besides the files it wrote."""

    metrics: Metrics
    spells: Spells
    written: tuple[WrittenTrace, ...]


@dataclass(frozen=True, slots=True)
class Replicator:
    """Simulates any replication of any arm; what it leaves depends on the part alone, not on who does it."""

    plans: Mapping[str, Plan]
    directory: Path | None  # of the traces; None for none
    scenario: str  # canonical JSON, for the traces

    def __call__(self, part: Part, told: Told | None) -> Outcome:
        """Raises RunError where the replication breaks a conservation law."""
        plan = self.plans[part.arm]
        if told is not None:
            told(0.0)
        recorder = Recorder(
            plan, part.replication, directory=self.directory, arms=list(self.plans), scenario=self.scenario
        )
        try:
            metrics, written = recorder.close(simulate(plan, part.replication, recorder, told))
        except BaseException:
            recorder.abort()
            raise
        return Outcome(metrics, downtime(plan, part.replication), tuple(written))
