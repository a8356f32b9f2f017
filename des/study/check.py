"""The check, case by case over processes."""

import time
from collections.abc import Callable, Sequence

from des.check.case import FULL
from des.check.suite import BY_NAME, Checked, chosen
from des.pool import Report, Workers


def check(
    only: Sequence[str] = (), *, workers: int = 1, progress: Callable[[float, str], None] | None = None
) -> tuple[Checked, ...]:
    """Raises DesError for a name that no case has. The same findings for any number of workers."""
    names = chosen(only)
    done = []
    with Workers(_checked, workers) as working:
        for one in working.map(names):
            done.append(one)
            if progress is not None:
                progress(len(done) / len(names), one.case)
    return tuple(done)


def _checked(name: str, report: Report | None) -> Checked:
    case = BY_NAME[name]
    started = time.process_time()
    findings = tuple(case.find(FULL))
    return Checked(name, case.by, findings, time.process_time() - started)
