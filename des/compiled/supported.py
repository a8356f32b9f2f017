"""What of a plan the compiled engine leaves to SimPy."""

from collections.abc import Iterator

from des.compiled.kept import Kept
from des.scenario.extensions import own_classes
from des.scenario.plan import Plan

_MOST_KINDS = 60
_MOST_LEGS = 60
"""Outcome kinds and legs: tables by them are bits of an integer."""
_STANDARD_KINDS = 11


def reasons_against(plan: Plan) -> list[str]:
    """The features of a plan that only the SimPy engine has, by their names in a scenario; none if it has no such."""
    return list(_kept_reasons(plan))


def _reasons(plan: Plan) -> Iterator[str]:
    yield from (f"kind: {name}" for name in own_classes(plan))
    if len(plan.statuses) > _MOST_KINDS - _STANDARD_KINDS:
        yield f"more than {_MOST_KINDS} kinds of outcome"
    if len(plan.chain) > _MOST_LEGS:
        yield f"more than {_MOST_LEGS} legs"


_kept_reasons = Kept(lambda plan: list(_reasons(plan)))
