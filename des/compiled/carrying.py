"""Jobs that take the choice of the engine with them into other processes, which are fresh and know nothing of it."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Generic, TypeVar

from des.compiled import compiling
from des.compiled.choice import SIMPY, chosen, load_for, using
from des.compiled.supported import reasons_against
from des.pool import Report
from des.scenario.plan import Plan

Task = TypeVar("Task")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Carried(Generic[Task, Result]):
    """A job with the name of the engine that was asked for where it was made.

    `loaded_for` is a plan for which the compiled engine is loaded first, as it was there, or none.
    """

    job: Callable[[Task, Report | None], Result]
    engine: str
    loaded_for: tuple[Plan, ...] = ()

    def __call__(self, task: Task, report: Report | None = None) -> Result:
        with using(self.engine):
            load_for(self.loaded_for)
            return self.job(task, report)


def carried(job: Callable[[Task, Report | None], Result], plans: Collection[Plan] = ()) -> Carried[Task, Result]:
    """The job for worker processes: they simulate the plans by the engine that this process simulates them by.

    Call it after `prepare`. Without plans, the job itself prepares the engine for what it simulates.
    """
    name = chosen()
    loaded = name != SIMPY and compiling.is_loaded()
    return Carried(job, name, tuple(plan for plan in plans if not reasons_against(plan))[:1] if loaded else ())
