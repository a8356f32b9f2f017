"""One replication of one arm: simulated, traced and summed up, here or in another process."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from des.engine import simulate
from des.estimate.cascades import Cascade, may_cascade, triggers
from des.estimate.summary import Observed
from des.faults import draw_timeline
from des.pool import Report
from des.scenario.plan import Plan
from des.study.downtime import Spells, downtime, losing_intervals
from des.study.recorder import Recorder
from des.traces.writer import WrittenTrace


@dataclass(frozen=True, slots=True)
class Part:
    """What one process does in one go."""

    arm: str
    replication: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a replication leaves besides the files it wrote."""

    observed: Observed
    spells: Spells
    written: tuple[WrittenTrace, ...]
    cascade: Cascade | None = None


@dataclass(frozen=True, slots=True)
class Replicator:
    """Simulates any replication of any arm; what it leaves depends on the part alone, not on who does it.

    The traces of an arm are written for those that are the `same`, too.
    """

    plans: Mapping[str, Plan]
    directory: Path | None  # of the traces; None for none
    scenario: str  # canonical JSON, for the traces
    asks_for_cascades: bool = False  # also where there can be none
    same: Mapping[str, str] = field(default_factory=dict)  # arm -> the one that is simulated for it

    def __call__(self, part: Part, told: Report | None) -> Outcome:
        """Raises RunError where the replication breaks a conservation law."""
        plan = self.plans[part.arm]
        if told is not None:
            told(0.0)
        timeline = draw_timeline(plan, part.replication, plan.horizon_s)
        of_chain = np.zeros(len(timeline), np.bool_)
        for endpoint in {leg.endpoint for leg in plan.chain}:
            of_chain |= timeline.hits[:, endpoint]
        by_luck, on_record = losing_intervals(timeline, of_chain, shifted=plan.shared < 1.0)
        recorder = Recorder(
            plan,
            part.replication,
            by_luck,
            on_record=on_record,
            directory=self.directory,
            arms=list(self.plans),
            scenario=self.scenario,
            same=[arm for arm, simulated in self.same.items() if simulated == part.arm],
            triggers=triggers(plan, timeline) if self.asks_for_cascades or may_cascade(self.plans.values()) else None,
        )
        try:
            observed, cascade, written = recorder.close(simulate(plan, part.replication, recorder, told))
        except BaseException:
            recorder.abort()
            raise
        return Outcome(observed, downtime(plan, timeline), tuple(written), cascade)
