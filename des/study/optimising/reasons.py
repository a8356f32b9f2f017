"""Why the rule of ascending cost per success is not the best: which bound it misses, and what would make it best.

The rule is best where calls fail independently of each other and nothing but their cost counts. So the rule and the
best candidate are compared again without what it leaves out: with nothing in common between endpoints, without the
deadline, without limits and whatever else makes requests depend on each other.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from des.errors import DesError
from des.estimate.common_incidents import CommonIncidents
from des.scenario.plan import Plan
from des.study.optimising.aim import Aim
from des.study.optimising.screening import Figures
from des.study.optimising.selecting import SAMPLES, Selected
from des.study.optimising.space import Candidate, Space

DEPENDENCE: Final = "what endpoints share"
DEADLINE: Final = "the deadline"
REQUESTS: Final = "what makes requests depend on each other"
_BLOCKS: Final = (1, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """The rule's chain beside the best.

    `misses` are the bounds that it misses. `worse_by` is the difference of the aims as a share of the best's, where it
    keeps its bounds. `because` lists what would make it as good as the best if it were left out; empty where nothing of
    it would, or where the rule is the best.
    """

    candidate: Candidate
    is_best: bool
    misses: tuple[str, ...]
    worse_by: float
    because: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        return {
            "is_best": self.is_best,
            "misses": list(self.misses),
            "worse_by": self.worse_by,
            "because": list(self.because),
        }


def rule_beside(space: Space, aim: Aim, selected: Selected, rule: Candidate) -> Rule | None:
    """None where there is no best to compare with."""
    best = selected.best
    if best is None:
        return None
    of_rule, of_best = selected.mean(rule), selected.mean(best)
    misses = tuple(bound.words for bound in aim.bounds if not bound.kept(of_rule, aim.tolerance))
    worse_by = (aim.of(of_rule) - aim.of(of_best)) / abs(aim.of(of_best)) if aim.of(of_best) else 0.0
    if rule == best or (not misses and worse_by <= aim.indifference):
        return Rule(candidate=rule, is_best=True, misses=misses, worse_by=worse_by, because=())
    because = tuple(_left_out(aim, space.plan(rule), space.plan(best), interacting=bool(selected.why_simulated)))
    return Rule(candidate=rule, is_best=False, misses=misses, worse_by=worse_by, because=because)


def _left_out(aim: Aim, rule: Plan, best: Plan, *, interacting: bool) -> Iterator[str]:
    """What would make the rule as good as the best if it were left out."""
    if interacting and _as_good_on(aim, rule, best):  # which leaves out what makes requests depend on each other
        yield REQUESTS
        return
    if rule.shared > 0.0 and _as_good_on(aim, replace(rule, shared=0.0), replace(best, shared=0.0)):
        yield DEPENDENCE
    timed = rule.policy.deadline_s is not None or best.policy.deadline_s is not None
    if timed and _as_good_on(aim, _patient(rule), _patient(best)):
        yield DEADLINE


def _as_good_on(aim: Aim, rule: Plan, best: Plan) -> bool:
    try:
        return all(
            _as_good(
                aim,
                CommonIncidents(rule, number, SAMPLES).figures(rule),
                CommonIncidents(best, number, SAMPLES).figures(best),
            )
            for number in _BLOCKS
        )
    except DesError:  # recorded incidents that cannot be set apart
        return False


def _as_good(aim: Aim, rule: Figures, best: Figures) -> bool:
    """Whether the rule keeps its bounds, and the best candidate is not better by more than the indifference."""
    if not aim.feasible(rule, tolerant=True):
        return False
    if not aim.feasible(best, tolerant=True):
        return True
    return aim.of(rule) <= aim.of(best) + aim.indifference * abs(aim.of(best))


def _patient(plan: Plan) -> Plan:
    return replace(plan, policy=replace(plan.policy, deadline_s=None))
