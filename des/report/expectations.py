"""How a finished run meets what its scenario expected of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from des.estimate.estimate import INCONCLUSIVE, MET, MISSED, Estimate, judge
from des.scenario.schema.expectations import read_expectation

__all__ = ["INCONCLUSIVE", "MET", "MISSED", "Verdict", "verdicts"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """One expectation: as written, the figure found, and whether that is met, missed or inconclusive."""

    arm: str
    metric: str
    expected: str
    figure: Mapping[str, Any]
    result: str


def verdicts(manifest: Mapping[str, Any], summary: Mapping[str, Any]) -> tuple[Verdict, ...]:
    """Every expectation of the scenario; with one replication the point estimate decides."""
    arms = tuple(manifest["arms"])
    found = []
    for name, written in (manifest["scenario"].get("expect") or {}).items():
        for text in _texts(written):
            expectation = read_expectation(name, text, arms)
            figure = summary["arms"][expectation.arm][expectation.metric]
            result = judge(expectation.comparison, expectation.value, Estimate.from_json(figure))
            found.append(Verdict(expectation.arm, expectation.metric, text.strip(), figure, result))
    return tuple(found)


def _texts(written: str | Sequence[str]) -> Sequence[str]:
    return [written] if isinstance(written, str) else written
