"""Plans whose clients have further parts, where a test wants them without a scenario."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from des.scenario import plan
from engine.traced import Traced


def with_legs(of: plan.Plan, **parts: Any) -> plan.Plan:
    """The plan with these parts on every leg of its client."""
    return with_client(of, legs=tuple(replace(leg, **parts) for leg in of.client.legs))


def with_client(of: plan.Plan, **parts: Any) -> plan.Plan:
    """The plan with these parts of its client."""
    return replace(of, client=replace(of.client, **parts))


def with_rule(of: plan.Plan, **parts: Any) -> plan.Plan:
    """The plan with these parts in the retry rule of every group."""
    groups = tuple(replace(group, retry=replace(group.retry, **parts)) for group in of.client.groups)
    return with_client(of, groups=groups)


def grouped(of: plan.Plan, members: Sequence[Sequence[int]], **parts: Any) -> plan.Plan:
    """The plan with its legs in these groups, each with the rules of its first leg and the given parts."""
    groups = []
    chain = list(of.chain)
    for index, legs in enumerate(members):
        first = of.client.groups[legs[0]]
        groups.append(replace(first, index=index, name=f"group {index}", legs=tuple(legs), **parts))
        for leg in legs:
            chain[leg] = replace(chain[leg], position=index)
    return with_client(replace(of, chain=tuple(chain)), groups=tuple(groups))


def timeline(traced: Traced, number: int = 0) -> list[tuple[str, float, float]]:
    """(leg, start, end) of the calls of one request, in order."""
    return [(call.leg, call.start_s, call.end_s) for call in traced.calls(number)]
