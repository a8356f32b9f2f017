"""From limits, capacities and budgets to those of the plan, one limit per metric."""

from collections.abc import Sequence
from dataclasses import fields

from des.scenario.plan import Capacity, Limit
from des.scenario.schema.limits import Budget, Limits, MetricLimit
from des.scenario.schema.limits import Capacity as Served


def add_limits(specs: Sequence[Limits], name: str, limits: list[Limit], share: float = 1.0) -> tuple[int, ...]:
    """Appends the limits of `specs`, scaled to a `share`, and returns their indices.

    The first limit on requests has the plain name. Others add their metric, and repeats add #2.
    """
    added = []
    for granted in (each for spec in specs for each in spec.by_metric(share)):
        settings = {field.name: getattr(granted, field.name) for field in fields(granted)}
        added.append(Limit(index=len(limits), name=_free_name(name, granted, limits), **settings))
        limits.append(added[-1])
    return tuple(limit.index for limit in added)


def _free_name(name: str, granted: MetricLimit, limits: Sequence[Limit]) -> str:
    of = "acceleration" if granted.algorithm == "acceleration" else granted.metric
    wanted = name if of == "requests" else f"{name} {of}"
    taken = {limit.name for limit in limits}
    return next(each for each in (wanted, *(f"{wanted}#{n}" for n in range(2, len(limits) + 3))) if each not in taken)


def add_capacity(capacity: Served | None, name: str, capacities: list[Capacity]) -> int | None:
    """Appends the capacity and returns its index."""
    if capacity is None:
        return None
    capacities.append(Capacity(index=len(capacities), name=name, **dict(capacity)))
    return capacities[-1].index


def add_budget(name: str, spec: Budget, limits: list[Limit]) -> dict[str, tuple[int, ...]]:
    """Appends the budget's limits and returns their indices by the names of its legs."""
    if spec.split == "shared":
        return dict.fromkeys(spec.legs, add_limits((spec,), name, limits))
    return {over: add_limits((spec,), f"{name}/{over}", limits, share) for over, share in spec.shares.items()}
