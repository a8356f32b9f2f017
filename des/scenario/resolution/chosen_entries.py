"""A plan whose chain has some of the entries of another plan's chain, in any order."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from des.scenario.plan import Client, Endpoint, Group, Leg, LegClient, Plan

_ORDERED: Final = "ordered"


def with_entries(plan: Plan, entries: Sequence[int]) -> Plan:
    """The plan of the chain of these entries (positions in the given one), as resolving the scenario would make it.

    Legs keep their names, and so their draws. Takes a chain whose `entries_move_freely`.
    """
    chain: list[Leg] = []
    clients: list[LegClient] = []
    groups: list[Group] = []
    for position, entry in enumerate(entries):
        group = plan.client.groups[entry]
        members = tuple(range(len(chain), len(chain) + len(group.legs)))
        for index, old in zip(members, group.legs, strict=True):
            chain.append(replace(plan.chain[old], index=index, position=position))
            clients.append(replace(plan.client.legs[old], leg=index))
        groups.append(replace(group, index=position, legs=members))
    return replace(plan, chain=tuple(chain), client=_pooled(plan.client, tuple(groups), clients))


def entries_move_freely(plan: Plan) -> bool:
    """Whether no entry's settings depend on its place: a policy's ramp spares the first, weights order the others."""
    return plan.client.order.kind == _ORDERED and not any(leg.ramp for leg in plan.client.legs)


def _pooled(client: Client, groups: tuple[Group, ...], legs: Sequence[LegClient]) -> Client:
    """The client with those shared budgets and buckets that are still used, numbered by their first use."""
    budgets = _used(leg.retry_budget for leg in legs)
    shapings = _used(leg.shaping for leg in legs)
    return replace(
        client,
        groups=groups,
        legs=tuple(
            replace(
                leg,
                retry_budget=None if leg.retry_budget is None else budgets.index(leg.retry_budget),
                shaping=None if leg.shaping is None else shapings.index(leg.shaping),
            )
            for leg in legs
        ),
        retry_budgets=tuple(client.retry_budgets[number] for number in budgets),
        shapings=tuple(client.shapings[number] for number in shapings),
    )


def _used(numbers: Iterable[int | None]) -> list[int]:
    return list(dict.fromkeys(number for number in numbers if number is not None))


def interchangeable(plan: Plan) -> list[int]:
    """A number for each entry of the chain; entries with the same number may be exchanged without any effect but names.

    They are alike in every setting, and so are the providers and models behind them and what these depend on. Entries
    that share something by name (a limit, a capacity, a surge) are like no other.
    """
    users: dict[int, int] = {}
    for group in plan.client.groups:
        for endpoint in {plan.chain[leg].endpoint for leg in group.legs}:
            users[endpoint] = users.get(endpoint, 0) + 1
    kinds: dict[str, int] = {}
    found = []
    for group in plan.client.groups:
        alone = all(users[plan.chain[leg].endpoint] == 1 for leg in group.legs)
        words = _description(plan, group) if alone and len(group.legs) == 1 else None
        found.append(kinds.setdefault(f"only {group.index}" if words is None else words, len(kinds)))
    return found


def _description(plan: Plan, group: Group) -> str | None:
    """All of an entry of one leg but names and numbers; None where it shares something by name."""
    leg, client = plan.chain[group.legs[0]], plan.client.legs[group.legs[0]]
    endpoint = plan.endpoints[leg.endpoint]
    by_name = (endpoint.limits, leg.limits, endpoint.capacity, client.retry_budget, client.shaping)
    in_surges = any(leg.endpoint in (*surge.when, *surge.to) for surge in plan.surges)
    if in_surges or any(each not in (None, ()) for each in by_name):
        return None
    return repr(
        (
            replace(group, index=0, name="", legs=()),
            replace(leg, index=0, name="", endpoint=0, position=0),
            replace(client, leg=0),
            _nameless(endpoint),
            _causes(plan, endpoint.component, leg.endpoint),
        )
    )


def _nameless(endpoint: Endpoint) -> Endpoint:
    return replace(endpoint, index=0, provider="", model="", component=0)


def _causes(plan: Plan, component: int, endpoint: int) -> object:
    """The incidents of a component and of what it depends on, by number where they reach other endpoints too."""
    if any(other.index != endpoint and component in _behind(plan, other.component) for other in plan.endpoints):
        return component
    of = plan.components[component]
    return of.incidents, [(edge.share, _causes(plan, edge.component, endpoint)) for edge in of.depends_on]


def _behind(plan: Plan, component: int) -> set[int]:
    """The component and all that it depends on."""
    found, waiting = {component}, [component]
    while waiting:
        for edge in plan.components[waiting.pop()].depends_on:
            if edge.component not in found:
                found.add(edge.component)
                waiting.append(edge.component)
    return found
