"""How commands end that judge what a scenario expects: the exit code, and the file for CI systems."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from des.cli.application import DONE, FAILED, INCONCLUSIVE, complain_of

if TYPE_CHECKING:
    from des.report.junit import Suite
    from des.study.verdicts import Verdict


def complain_of_verdicts(verdicts: "Iterable[Verdict]", point: str = "") -> None:
    """Say on standard error what is not met, or not judged."""
    from des.report.tables import expectation_sentence
    from des.study.verdicts import amiss

    complain_of(f"{point}{': ' if point else ''}{expectation_sentence(verdict)}" for verdict in amiss(verdicts))


def conclude(suites: "Sequence[Suite]", junit: Path | None, *, precise: bool = True) -> int:
    """Write the JUnit file, if one is asked for. Returns the exit code of the worst verdict.

    A precision that was asked for and not reached is inconclusive.
    """
    from des.estimate.estimate import MET, MISSED
    from des.report.junit import write_junit
    from des.study.verdicts import worst

    if junit is not None:
        write_junit(junit, suites)
    found = worst(verdict for suite in suites for verdict in suite.verdicts)
    if found == MISSED:
        return FAILED
    return DONE if precise and found == MET else INCONCLUSIVE
