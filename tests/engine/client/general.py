"""Plans that take the general walk: the plain one's rules as a client, and clients made of parts."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from des.engine.kinds import Kinds
from des.scenario import plan
from engine.traced import Traced, plan_of, trace


def codes(of: plan.Plan, outcomes: Any) -> frozenset[int]:
    """Outcome kinds of these outcomes, whatever their status."""
    return frozenset(code for code, is_one in enumerate(Kinds(of).among(outcomes)) if is_one)


def plain_client(of: plan.Plan) -> plan.Client:
    """A client that does what the plain walk does."""
    groups, legs = [], []
    for leg in of.chain:
        rule = plan.RetryRule(
            retries=leg.retries,
            retry_on=codes(of, leg.retry_on),
            backoff=of.policy.retry_backoff,
            retry_after=plan.RetryAfter(
                honours=of.policy.honour_retry_after, on=frozenset(range(len(Kinds(of).names)))
            ),
        )
        groups.append(
            plan.Group(
                index=leg.index,
                name=leg.name,
                legs=(leg.index,),
                retry=rule,
                fallback_on=codes(of, leg.fallback_on),
            )
        )
        legs.append(plan.LegClient(leg=leg.index))
    return plan.Client(groups=tuple(groups), legs=tuple(legs))


def general(of: plan.Plan) -> plan.Plan:
    """The same plan, on the general walk."""
    return replace(of, client=plain_client(of))


def with_legs(of: plan.Plan, **parts: Any) -> plan.Plan:
    """The plan with a client that has these parts on every leg."""
    client = replace(plain_client(of) if of.client.plain else of.client, plain=False)
    return replace(of, client=replace(client, legs=tuple(replace(leg, **parts) for leg in client.legs)))


def with_client(of: plan.Plan, **parts: Any) -> plan.Plan:
    client = replace(plain_client(of) if of.client.plain else of.client, plain=False)
    return replace(of, client=replace(client, **parts))


def with_rule(of: plan.Plan, **parts: Any) -> plan.Plan:
    """The plan with these parts in the retry rule of every group."""
    client = replace(plain_client(of) if of.client.plain else of.client, plain=False)
    groups = tuple(replace(group, retry=replace(group.retry, **parts)) for group in client.groups)
    return replace(of, client=replace(client, groups=groups))


def grouped(of: plan.Plan, members: Sequence[Sequence[int]], **parts: Any) -> plan.Plan:
    """The plan with its legs in these groups, each with the rules of its first leg and the given parts."""
    client = replace(plain_client(of) if of.client.plain else of.client, plain=False)
    groups = []
    chain = list(of.chain)
    for index, legs in enumerate(members):
        first = client.groups[legs[0]]
        groups.append(replace(first, index=index, name=f"group {index}", legs=tuple(legs), **parts))
        for leg in legs:
            chain[leg] = replace(chain[leg], position=index)
    return replace(of, chain=tuple(chain), client=replace(client, groups=tuple(groups)))


def run_general(scenario: Any) -> Traced:
    return trace(general(plan_of(scenario)))


def timeline(traced: Traced, number: int = 0) -> list[tuple[str, float, float]]:
    """(leg, start, end) of the calls of one request, in order."""
    return [(call.leg, call.start_s, call.end_s) for call in traced.calls(number)]
