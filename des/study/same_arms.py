"""Arms that are one and the same model: simulated once, and written for each."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np

from des.errors import DesError
from des.faults import sharing
from des.scenario.plan import Plan
from des.scenario.schema.spec import Spec


def same_arms(plans: Mapping[str, Plan]) -> dict[str, str]:
    """Arms that nothing but their name tells from an earlier one, by name: that one.

    Where no incidents are shared, `shared` makes no difference either: the independent twin is the model itself.
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


def _nameless(plan: Plan) -> Plan:
    try:
        apart = plan.shared < 1.0 and bool(sharing(plan).classes)
    except DesError:  # it cannot be drawn, which drawing it will say
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
    if isinstance(one, Spec):
        return all(_same(getattr(one, name), getattr(other, name)) for name in type(one).model_fields)
    if isinstance(one, Mapping):
        return list(one) == list(other) and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)
