"""All cases of the check, and the spread of their scores."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from des.check import availability, calls, chains, clients, ledgers, limits, monte_carlo
from des.check.case import FULL, Case, Finding
from des.errors import DesError
from des.pool import Report, Workers

CASES: Final[tuple[Case, ...]] = (
    *availability.CASES,
    *ledgers.CASES,
    *chains.CASES,
    *calls.CASES,
    *monte_carlo.CASES,
    *limits.CASES,
    *clients.CASES,
)
BY_NAME: Final = {case.name: case for case in CASES}

FEWEST_SCORES: Final = 20
"""With fewer scores, the spread is not judged."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A case, its findings, and their processor time."""

    case: str
    by: str
    findings: tuple[Finding, ...]
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean square of the scores, each over the value that Student's t predicts for its number of samples: near 1.

    A squared score has a variance of about 2. Scores of one case are correlated, so they count as half their number.
    With too few scores any spread is accepted.
    """

    scores: int
    mean_square: float | None
    expected: float | None
    low: float | None
    high: float | None

    @property
    def ok(self) -> bool:
        if self.mean_square is None or self.low is None or self.high is None:
            return True
        return self.low <= self.mean_square <= self.high


def chosen(names: Sequence[str]) -> tuple[str, ...]:
    """The names of the cases asked for, in the order of the suite; all where none is given.

    Raises DesError for an unknown name.
    """
    unknown = [name for name in names if name not in BY_NAME]
    if unknown:
        raise DesError(f"--only: no check is called '{unknown[0]}'; `des check --list` names them")
    return tuple(name for name in BY_NAME if not names or name in names)


def check(
    only: Sequence[str] = (), *, workers: int = 1, progress: Callable[[float, str], None] | None = None
) -> tuple[Checked, ...]:
    """The same findings for any number of workers. Raises DesError for an unknown name."""
    names = chosen(only)
    done = []
    with Workers(_checked, workers) as pool:
        for one in pool.map(names):
            done.append(one)
            if progress is not None:
                progress(len(done) / len(names), one.case)
    return tuple(done)


def _checked(name: str, report: Report | None) -> Checked:
    case = BY_NAME[name]
    started = time.process_time()
    findings = tuple(case.find(FULL))
    return Checked(name, case.by, findings, time.process_time() - started)


def spread(findings: Sequence[Finding]) -> Spread:
    scored = [(finding.z, finding.n) for finding in findings if finding.z is not None]
    if len(scored) < FEWEST_SCORES:
        return Spread(len(scored), None, None, None, None)
    expected = sum((n - 1) / (n - 3) for _, n in scored) / len(scored)
    mean_square = sum(z * z for z, _ in scored) / len(scored)
    reach = 4.0 * math.sqrt(2.0 / (len(scored) / 2.0))
    return Spread(len(scored), mean_square, expected, max(0.0, expected * (1.0 - reach)), expected * (1.0 + reach))


def as_dict(checked: Sequence[Checked]) -> dict[str, Any]:
    """JSON-able: the rows, and the spread."""
    findings = [finding for one in checked for finding in one.findings]
    whole = spread(findings)
    rows = [
        {
            "check": one.case,
            "claim": claim,
            "by": one.by,
            "simulated": finding.simulated,
            "exact": finding.exact,
            "standard_error": finding.standard_error,
            "n": finding.n,
            "z": None if finding.z is None or math.isnan(finding.z) else finding.z,
            "ok": finding.ok,
        }
        for one in checked
        for claim, finding in zip(_whole_claims(one.findings), one.findings, strict=True)
    ]
    return {
        "ok": all_ok(checked),
        "rows": rows,
        "scores": whole.scores,
        "mean_squared_z": whole.mean_square,
        "mean_squared_z_expected": whole.expected,
        "mean_squared_z_low": whole.low,
        "mean_squared_z_high": whole.high,
        "cpu_s": sum(one.cpu_s for one in checked),
    }


def _whole_claims(findings: Sequence[Finding]) -> Iterator[str]:
    """The claims in full: an indented one continues the one above it."""
    subject = ""
    for finding in findings:
        if finding.claim.startswith(" "):
            yield f"{subject}: {finding.claim.strip()}"
        else:
            subject = finding.claim.rpartition(":")[0] or finding.claim
            yield finding.claim


def all_ok(checked: Sequence[Checked]) -> bool:
    findings = [finding for one in checked for finding in one.findings]
    return all(finding.ok for finding in findings) and spread(findings).ok
