"""How an answer is made in a second or two: which of its alternatives are compared, and whether it is a quick one.

The work is counted in calls that are simulated, and in other work as long as so many calls take. It does not depend on
the machine: the same body always has the same alternatives.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from des.estimate.availability import Choice
from des.estimate.effort import calls_of_replications, longest_down, most_calls
from des.estimate.estimate import EXACT, RARE, REQUEST_LEVEL
from des.estimate.timeline import incidents_per_year
from des.scenario.plan import Plan
from des.scenario.text.units import YEAR_S
from des.study.long_run import QUICK_CALLS

_MOST: Final = 60_000.0
"""Of all alternatives; as long as a second or two."""
_REPLICATIONS: Final = 2
_SMALL: Final = 10_000.0
"""Requests in a replication from which windows of busy time are simulated."""
_WINDOWS: Final = 15_000.0
_BUSY: Final = 70_000.0
"""Windows of requests that depend on each other, with the tests of how long they remember."""
_QUICK_WINDOWS: Final = 6_000.0
_QUICK_BUSY: Final = 28_000.0
KEPT: Final = ("as_modelled", "independent", "first_alone")
"""Alternatives that every answer has."""


@dataclass(frozen=True, slots=True)
class Effort:
    """Whether the answer is a quick one, and which alternatives it leaves out."""

    quick: bool = False
    left_out: frozenset[str] = frozenset()


def effort_of(every: Mapping[str, Plan], choices: Mapping[str, Choice]) -> Effort:
    """For the alternatives, those that are always kept with the estimators of their availability.

    All are answered in full where that is soon done. Else the answer is quick. Of what does not fit then, the chains
    without one of the legs are left out first.
    """
    usual = choices["as_modelled"]
    if sum(_work(plan, choices.get(arm, usual), quick=False) for arm, plan in every.items()) <= _MOST:
        return Effort()
    work = {arm: _work(plan, choices.get(arm, usual), quick=True) for arm, plan in every.items()}
    names = list(every)
    spent = sum(work[arm] for arm in names if arm in KEPT)
    left_out = set()
    for arm in sorted(
        (arm for arm in names if arm not in KEPT), key=lambda arm: (arm.startswith("without"), -names.index(arm))
    ):
        if spent + work[arm] > _MOST:
            left_out.add(arm)
        else:
            spent += work[arm]
    return Effort(quick=True, left_out=frozenset(left_out))


def _work(plan: Plan, choice: Choice, *, quick: bool) -> float:
    return _of_availability(plan, choice, quick=quick) + _of_requests(plan, choice, quick=quick)


def _of_availability(plan: Plan, choice: Choice, *, quick: bool) -> float:
    """As was measured of drawn incidents and of rare events, whose steps are as many as the calls."""
    calls = most_calls(plan)
    if choice.estimator in (EXACT, REQUEST_LEVEL):
        return 0.0
    if choice.estimator == RARE and (calls <= QUICK_CALLS or not quick):
        return 3_000.0 + 1_500.0 * calls
    return 5_000.0 + 50.0 * calls if quick else 3_000.0 * calls + incidents_per_year(plan) * 100.0


def _of_requests(plan: Plan, choice: Choice, *, quick: bool) -> float:
    if choice.estimator == REQUEST_LEVEL:
        return _QUICK_BUSY if quick else _BUSY
    if (plan.workload.arrivals.expected_requests(plan.horizon_s) or 0.0) > _SMALL:
        return _QUICK_WINDOWS if quick else _WINDOWS
    incidents = 2.0 * _REPLICATIONS * incidents_per_year(plan) * plan.horizon_s / YEAR_S
    return calls_of_replications(plan, longest_down(choice.exact), _REPLICATIONS) + incidents
