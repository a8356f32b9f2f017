"""Arms whose replications differ by more than their random incidents, and how many replications an interval takes.

A mixture decides once a replication whether a shared class is common. Recorded incidents that are set apart are shifted
by other weeks in each replication. Episodes and lost requests of such an arm are then no independent sample; only whole
replications are.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from des.estimate.estimate import Estimate
from des.faults import sharing
from des.faults.independent_twin import recorded_endpoints
from des.faults.reach import Reach
from des.scenario.plan import Plan

_FEWEST: Final = 10
"""Fewest replications for Student's t; a mixture must also be expected to give this many of its rarer side.

With ten expected, the 95 % interval of the mean of two values covers it in 91 to 98 % of cases; with five, in 87 %.
"""
_BY_REPLICATION: Final = ("Clopper-Pearson",)
"""Intervals that count replications and are exact for any number of them."""

_Figures = TypeVar("_Figures")


@dataclass(frozen=True, slots=True)
class Heterogeneous:
    """Why the replications differ, in a word or two, and the fewest that have an interval."""

    what: str
    fewest: int

    @classmethod
    def of(cls, plan: Plan) -> "Heterogeneous | None":
        """None where replications differ by random incidents alone.

        Raises DesError where recorded incidents cannot be set apart.
        """
        if sharing(plan).mixture:
            return cls("mixture", math.ceil(round(_FEWEST / min(plan.shared, 1.0 - plan.shared), 6)))
        if plan.shared < 1.0 and len(recorded_endpoints(plan, Reach.of(plan))) > 1:
            return cls("shifted weeks", _FEWEST)
        return None

    def why_no_interval(self, replications: int) -> str:
        """Empty where there are enough replications. A single one has no interval anyway, with a reason of its own."""
        if not 1 < replications < self.fewest:
            return ""
        return f"none: {self.what}: fewer than {self.fewest} replications"


def without_intervals(found: _Figures, why: str) -> _Figures:
    """An estimate, or a mapping of them, with this reason in place of intervals, except those exact by replication."""
    stripped = _stripped(found, why)
    assert isinstance(stripped, type(found))
    return stripped


def _stripped(found: object, why: str) -> object:
    if isinstance(found, Mapping):
        return {key: _stripped(value, why) for key, value in found.items()}
    if not isinstance(found, Estimate) or found.low is None or found.interval in _BY_REPLICATION:
        return found
    return found.without_interval(why)
