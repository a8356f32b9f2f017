"""What is finished of a run or sweep under way, wherever it is kept, and the job that makes a replication of it."""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from des.compiled import prepare
from des.pool import Report
from des.study.outcome_json import outcome_text
from des.study.replication import Part, Replicator
from des.traces.writer import WrittenTrace


class Pieces(Protocol):
    """Finished replications of a run, or points of a sweep: beside its place on disk, or at an address."""

    def begin(self, facts: Mapping[str, Any]) -> None:
        """Say what is being run. Later facts replace earlier ones."""
        ...

    def elsewhere(self) -> "Pieces":
        """As a process with another working directory, perhaps on another machine, finds them."""
        ...

    def scratch(self) -> AbstractContextManager[Path]:
        """A directory of its own for the traces of a replication that is being simulated."""
        ...

    def keep(self, part: Part, outcome: str, written: Iterable[WrittenTrace], scratch: Path) -> None:
        """Take over the traces of a part, then its outcome."""
        ...

    def finished(self, part: Part, same: Iterable[str] = ()) -> str | None:
        """The outcome of a part that is whole. Its traces are also those of the arms that are the `same`."""
        ...

    def outcome(self, part: Part) -> str:
        """What another process has just kept of a part. Raises RunError where it is gone."""
        ...

    def hand_over(self, written: Iterable[WrittenTrace], target: Path) -> None:
        """Put the traces where the run belongs."""
        ...

    def amiss(self, target: Path, manifest: Mapping[str, Any]) -> list[str]:
        """How the traces in their place differ from the manifest."""
        ...

    def keep_point(self, number: int, text: str) -> None:
        """One line of JSON: all that is found at a point of a sweep."""
        ...

    def finished_point(self, number: int) -> str | None:
        """What was kept of a point that is whole."""
        ...


@dataclass(frozen=True, slots=True)
class Keeping:
    """A job: simulates a part, keeps it as a piece where pieces are kept, returns the outcome as JSON.

    Where it does not return it, whoever gave the task reads the piece, so that large studies pass through no scheduler.
    """

    replicator: Replicator
    pieces: Pieces | None
    returns: bool = True
    requests: float = 0.0
    """About how many this and other tasks simulate, where a worker has to load the engine for them itself."""

    def __call__(self, part: Part, report: Report | None) -> str:
        """Raises RunError where the replication breaks a conservation rule."""
        if self.requests:
            prepare(list(self.replicator.plans.values()), self.requests)
        if self.pieces is None:
            return outcome_text(self.replicator(part, report))
        with self.pieces.scratch() as scratch:
            here = self.replicator
            if here.directory is not None:
                here = replace(here, directory=scratch)
            outcome = here(part, report)
            text = outcome_text(outcome)
            self.pieces.keep(part, text, outcome.written, scratch)
        return text if self.returns else ""
