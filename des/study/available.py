"""How available a scenario's arms are, those that a comparison adds included, without simulating requests."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from des.errors import DesError
from des.estimate.availability import AvailabilityAnswer, check_years
from des.estimate.availability import availability as answer_for
from des.estimate.estimate import as_json
from des.faults import sharing
from des.scenario import Loaded, plans
from des.scenario.plan import Plan
from des.study.same_arms import same_arms
from des.study.study import Progress


@dataclass(frozen=True, slots=True)
class Available:
    """The answer for each arm, and why a built-in arm has none."""

    answers: Mapping[str, AvailabilityAnswer]
    left_out: Mapping[str, str]

    def as_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {
            "arms": {arm: as_json(answer) for arm, answer in self.answers.items()},
            "left_out": dict(self.left_out),
        }


def available(
    loaded: Loaded,
    years: float,
    *,
    estimator: str | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> Available:
    """Of the scenario's own arms and of those built in that can be answered for.

    Raises Inapplicable where the estimator asked for does not cover one of the scenario's own arms.
    """
    check_years(years)
    arms, left_out = compared_arms(loaded)
    same = same_arms(arms)
    answers: dict[str, AvailabilityAnswer] = {}
    for number, (arm, plan) in enumerate(arms.items()):

        def told(share: float, arm: str = arm, number: int = number) -> None:
            if progress is not None:
                progress((number + share) / len(arms), arm)

        told(0.0)
        if arm in same and same[arm] in answers:
            answers[arm] = replace(answers[same[arm]], wall_s=0.0)
            continue
        try:
            answers[arm] = answer_for(plan, years, estimator=estimator, workers=workers, progress=told)
        except DesError as reason:
            if arm in loaded.arms:
                raise
            left_out[arm] = str(reason)
    return Available(answers, left_out)


def compared_arms(loaded: Loaded) -> tuple[Mapping[str, Plan], dict[str, str]]:
    """The arms of a comparison, and why a built-in one cannot be drawn: too few weeks to set recorded incidents apart.

    Raises ScenarioError with the problems of the scenario's own arms.
    """
    own = plans(loaded)
    arms, left_out = dict(plans(loaded.with_arms())), {}
    for arm in [arm for arm in arms if arm not in own]:
        try:
            sharing(arms[arm])
        except DesError as reason:
            left_out[arm] = str(reason)
            del arms[arm]
    return arms, left_out
