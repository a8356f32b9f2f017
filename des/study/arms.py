"""The arms of a comparison: which exist, which are the same model, and the availability of each."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from des.errors import DesError
from des.estimate.availability import AvailabilityAnswer, check_years, years_for
from des.estimate.availability import of_years as answer_for
from des.estimate.estimate import Estimate, as_json
from des.faults import sharing
from des.frames import Told, flat, html
from des.pool import Where
from des.scenario import Loaded, plans
from des.scenario.plan import Plan, remarks_of
from des.scenario.schema.setting import Setting
from des.study.options import Progress
from des.study.verdicts import Verdict, of_availability

if TYPE_CHECKING:
    import pandas as pd

_FIGURES: Final = ("availability", "all_down", "all_down_episodes_per_year")


@dataclass(frozen=True, eq=False)
class Available(Told):
    """The answer of each arm, and the reason where a built-in arm has none."""

    answers: Mapping[str, AvailabilityAnswer]
    left_out: Mapping[str, str]
    remarks: tuple[str, ...] = ()
    """About the files replayed."""
    expectations: tuple[Verdict, ...] = ()
    """Judged as far as availability tells."""
    same: Mapping[str, str] = field(default_factory=dict)
    """An arm that is the same model as another -> that one, an own arm rather than a built-in one."""

    @cached_property
    def table(self) -> "pd.DataFrame":
        """One row per arm: availability, P(all down) and total outages a year with their intervals, and the estimator.

        A figure is missing where the estimator has none. `same_as` names the arm that is the same model, if any.
        """
        import pandas as pd

        rows = [
            {"arm": arm}
            | flat({name: _ends(getattr(answer, name)) for name in _FIGURES})
            | {"years": answer.years, "estimator": answer.choice.estimator, "same_as": self.same.get(arm)}
            for arm, answer in self.answers.items()
        ]
        return pd.DataFrame(rows).set_index("arm")

    def _repr_html_(self) -> str:
        return html(repr(self), self.table)

    def __repr__(self) -> str:
        return f"<Available: arms {', '.join(self.answers)}>"

    def as_json(self) -> dict[str, Any]:
        return {
            "arms": {arm: as_json(answer) for arm, answer in self.answers.items()},
            "left_out": dict(self.left_out),
        } | {
            name: as_json(found)
            for name, found in (("remarks", self.remarks), ("expectations", self.expectations))
            if found
        }


def available(
    loaded: Loaded,
    years: float | None,
    *,
    estimator: str | None = None,
    workers: Where = 1,
    progress: Progress | None = None,
) -> Available:
    """The availability of the scenario's own arms and of the built-in ones, without simulated requests.

    Raises Inapplicable where the estimator asked for does not cover one of the scenario's own arms.
    """
    if years is not None:
        check_years(years)
    arms, left_out = compared_arms(loaded)
    same = same_by_own(arms, loaded.arms)
    answers: dict[str, AvailabilityAnswer] = {}
    for number, (arm, plan) in enumerate(sorted(arms.items(), key=lambda each: each[0] in same)):

        def report(share: float, arm: str = arm, number: int = number) -> None:
            if progress is not None:
                progress((number + share) / len(arms), arm)

        report(0.0)
        if arm in same and same[arm] in answers:
            answers[arm] = replace(answers[same[arm]], wall_s=0.0)
            continue
        try:
            answers[arm] = answer_for(
                plan, years_for(plan, years), estimator=estimator, workers=workers, progress=report
            )
        except DesError as reason:
            if arm in loaded.arms:
                raise
            left_out[arm] = str(reason)
    compared = loaded.with_arms()
    verdicts = of_availability(compared.resolved().get("expect"), list(compared.arms), answers, left_out)
    told = {arm: answers[arm] for arm in arms if arm in answers}
    same_as = {arm: other for arm, other in same.items() if arm in told and other in told}
    return Available(told, left_out, remarks_of(arms), verdicts, same_as)


def _ends(figure: Estimate | None) -> dict[str, float | None]:
    """The figure and the ends of its interval, each None if it is unknown."""
    if figure is None:
        return {"mean": None, "low": None, "high": None}
    return {"mean": figure.mean, "low": figure.low, "high": figure.high}


def compared_arms(loaded: Loaded) -> tuple[Mapping[str, Plan], dict[str, str]]:
    """The arms of a comparison, and the reasons why built-in ones cannot be drawn.

    A built-in arm cannot be drawn where there are too few weeks to set recorded incidents apart. Raises ScenarioError
    with the problems of the scenario's own arms.
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


def same_arms(plans: Mapping[str, Plan]) -> dict[str, str]:
    """Arms that differ from an earlier one only in their name -> that one. They are simulated once.

    Where no incidents are shared, `shared` makes no difference: the independent twin is then the model itself.
    """
    found: dict[str, str] = {}
    for arm, plan in plans.items():
        for earlier, other in plans.items():
            if earlier == arm:
                break
            if earlier not in found and _same(_nameless(plan), _nameless(other)):
                found[arm] = earlier
                break
    return found


def same_by_own(plans: Mapping[str, Plan], own: Collection[str]) -> dict[str, str]:
    """`same_arms` where a scenario's own arm goes before a built-in one that is the same."""
    return same_arms({arm: plans[arm] for arm in sorted(plans, key=lambda arm: arm not in own)})


def _nameless(plan: Plan) -> Plan:
    try:
        apart = plan.shared < 1.0 and bool(sharing(plan).classes)
    except DesError:  # drawing it will raise the same error
        apart = True
    return replace(plan, arm="", shared=plan.shared if apart else 1.0)


def _same(one: Any, other: Any) -> bool:
    """Equality of plain data that may hold arrays."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        return bool(np.array_equal(one, other))
    if is_dataclass(one):
        return all(_same(getattr(one, field.name), getattr(other, field.name)) for field in fields(one))
    if isinstance(one, Setting):
        return all(_same(getattr(one, name), getattr(other, name)) for name in type(one).model_fields)
    if isinstance(one, Mapping):
        return list(one) == list(other) and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)
