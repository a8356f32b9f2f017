"""Fallbacks that are none: excluded by tags, never called, not taken, or down with what they stand in for."""

import math
from collections.abc import Iterator
from typing import Final

from des.estimate.call import kind_names, kind_of
from des.estimate.foresight.foreseen import Foretold
from des.estimate.foresight.load import calls_if
from des.estimate.foresight.outlook import Outlook
from des.estimate.foresight.words import duration, listed, share
from des.estimate.offered_load import eligible
from des.estimate.sources import hit_sets
from des.scenario.plan import (
    Component,
    Group,
    IncidentClass,
    MarkedRenewalIncidents,
    OwnIncidents,
    PoissonIncidents,
    RecordedIncidents,
    RenewalIncidents,
    Requirement,
)
from des.scenario.schema.statuses import kinds_handled
from des.scenario.text.places import Path
from des.scenario.text.units import YEAR_S
from des.vocabulary import CLIENT_ERROR, CONNECTION_ERROR, OVERLOADED, RATE_LIMITED, SERVER_ERROR, TIMEOUT

_MOST_OF_IT: Final = 0.5
"""Share of the time with everything down from which on one component is named as its cause."""
_KINDS: Final = (SERVER_ERROR, OVERLOADED, RATE_LIMITED, TIMEOUT, CONNECTION_ERROR, CLIENT_ERROR)
_IN_ORDER: Final = "ordered"


def tags_exclude_legs(outlook: Outlook) -> Iterator[Foretold]:
    """Requests whose requirements leave them no leg, or no fallback in a chain that has some."""
    plan = outlook.plan
    *required, _ = eligible(plan)
    for place, (requirement, (part, legs)) in enumerate(zip(plan.workload.requirements, required, strict=True)):
        path: Path = ("workload", "requirements", place, "tags")
        groups = [group for group in plan.client.groups if legs & {*group.legs}]
        if part <= 0.0 or len(groups) > 1 or (groups and len(plan.client.groups) == 1):
            continue
        if not groups:
            yield Foretold(
                code="requirement_without_leg",
                path=path,
                sentence=f"{share(part)} of the requests require {_tags(requirement)}, which no leg has: they are "
                "rejected",
                remedy="a leg with these tags, or tags of a provider that say so",
                figures={"rejected_share": part},
            )
        elif len(legs) == 1:
            left_out = [leg.name for leg in plan.chain if leg.index not in legs]
            (leg,) = legs
            yield Foretold(
                code="requirement_without_fallback",
                path=path,
                sentence=f"{share(part)} of the requests require {_tags(requirement)}, which {plan.chain[leg].name} "
                f"alone has: {listed(left_out)} {'is' if len(left_out) == 1 else 'are'} no fallback for them",
                remedy="another leg with these tags",
                figures={"without_fallback_share": part},
            )


def _tags(requirement: Requirement) -> str:
    return ", ".join(f"{key}: {value}" for key, value in requirement.tags.items())


def leg_never_called(outlook: Outlook) -> Iterator[Foretold]:
    """Legs that no request calls, whatever fails: beyond the depth, without weight, behind a leg always picked."""
    if outlook.plan.client.order.kind != _IN_ORDER:
        return
    called: set[int] = set()
    for kind in _KINDS:
        called |= {leg for leg, calls in calls_if(outlook, {kind: 1.0}).items() if calls > 0.0}
    for leg in outlook.legs:
        group = outlook.group_of(leg)
        if leg.index in called or _lets_others_in(outlook, group):
            continue
        path, why, remedy = _why_never(outlook, group, leg.index)
        yield Foretold(
            code="leg_never_called",
            path=path,
            sentence=f"no request ever calls {leg.name}: {why}",
            remedy=remedy,
            figures={"calls_per_request": 0.0},
        )


def _lets_others_in(outlook: Outlook, group: Group) -> bool:
    """Whether a leg of the group may be passed over, so that a later one is picked."""
    if len(group.legs) == 1:
        return False
    clients = [outlook.plan.client.legs[leg] for leg in group.legs]
    return any(
        each.guards or each.probes is not None or each.bulkhead is not None or each.shaping is not None
        or each.throttle is not None or each.ramp is not None or each.tier > 1
        for each in clients
    )  # fmt: skip


def _why_never(outlook: Outlook, group: Group, leg: int) -> tuple[Path, str, str]:
    depth = outlook.plan.client.fallback_depth
    if depth is not None and group.index > depth:
        return (
            ("policy", "fallback_depth"),
            f"fallback_depth is {depth}",
            f"fallback_depth: {group.index}, or leave it out",
        )
    if outlook.plan.client.legs[leg].weight <= 0.0:
        return (
            (*outlook.path_of(outlook.legs[leg]), "weight"),
            "its weight is 0",
            "a weight above 0",
        )
    if leg != group.legs[0] and group.routing.kind == _IN_ORDER:
        first = outlook.legs[group.legs[0]].name
        why = f"{first} comes first in its group, and nothing takes that out of use"
        return ("chain", group.index), why, "a routing, a cooldown or a breaker, or a chain without the group"
    if any(outlook.plan.workload.requirements):
        return (
            outlook.path_of(outlook.legs[leg]),
            "no request has the tags for it",
            "tags that are required",
        )
    return outlook.path_of(outlook.legs[leg]), "no failure before it leads here", "fallback_on of the entries before"


def outage_not_fallen_back(outlook: Outlook) -> Iterator[Foretold]:
    """Incidents whose failures are not among those that fall back: the next entry is there and is not called."""
    plan = outlook.plan
    for before, entry in outlook.entries_before():
        group = before[-1]
        falls_back = kinds_handled(group.fallback_on, plan.statuses)
        for endpoint in sorted(outlook.endpoints_of(group)):
            for effect in outlook.effects_at(endpoint):
                kind = kind_of(plan, effect)
                if effect.error_rate <= 0.0 or kind in falls_back:
                    continue
                failing = (1.0 - effect.hang) * effect.error_rate
                name = f"{plan.endpoints[endpoint].provider}/{plan.endpoints[endpoint].model}"
                yield Foretold(
                    code="outage_without_fallback",
                    path=outlook.retry_path(group, "fallback_on"),
                    sentence=f"in incidents of {name} {share(failing)} of its calls fail with "
                    f"{kind_names(plan)[kind]}, which is not in fallback_on: the request is lost, and {entry.name} is "
                    "not called",
                    remedy=f"{kind_names(plan)[kind]} in fallback_on",
                    figures={"lost_in_incident_share": failing},
                )
                break


def shared_outages(outlook: Outlook) -> Iterator[Foretold]:
    """A component whose outages take down every leg at once, and make up most of the time that nothing answers."""
    plan = outlook.plan
    endpoints = {leg.endpoint for leg in plan.chain}
    if len(endpoints) < 2 or plan.shared < 1.0:
        return
    exact = outlook.exact
    if exact is None or exact.all_down <= 0.0:
        return
    mask = sum(1 << endpoint for endpoint in endpoints)
    for component in plan.components:
        together = _down_share(component, plan.horizon_s) * _hits_all(outlook, component, mask)
        if together < _MOST_OF_IT * exact.all_down:
            continue
        hours = together * YEAR_S / 3600.0
        yield Foretold(
            code="shared_outages",
            path=_where_shared(outlook, component),
            sentence=f"outages of {component.name} take down every leg at once, for {duration(hours * 3600.0)} a year: "
            f"{share(min(1.0, together / exact.all_down))} of the time in which all are down"
            + _worth(exact.k_eff, len(endpoints)),
            remedy=f"a leg that does not depend on {component.name}; more legs behind it change nothing",
            figures={"down_share": together, "all_down_share": exact.all_down, "hours_per_year": hours},
        )


def _worth(k_eff: float | None, legs: int) -> str:
    return "" if k_eff is None else f"; the {legs} legs are worth {k_eff:.2f} independent ones"


def _down_share(component: Component, horizon_s: float) -> float:
    """Long-run share of time with an outage of the component's own open."""
    up = [1.0 - _class_share(incidents, horizon_s) for incidents in component.incidents]
    return 1.0 - math.prod(up)


def _class_share(incidents: IncidentClass, horizon_s: float) -> float:
    if not all(effect.outage for effect in incidents.every_effect):
        return 0.0
    match incidents:
        case PoissonIncidents():
            return -math.expm1(-incidents.rate_per_s * incidents.duration.mean)
        case RenewalIncidents():
            return incidents.down.mean / (incidents.up.mean + incidents.down.mean)
        case MarkedRenewalIncidents():
            return min(1.0, incidents.duration.mean / incidents.between.mean)
        case OwnIncidents():
            return min(1.0, incidents.starts_per_s * incidents.mean_duration_s)
        case RecordedIncidents():
            ends = zip(incidents.start_s, incidents.end_s, strict=True)
            open_s = math.fsum(max(0.0, min(end_s, horizon_s) - max(start_s, 0.0)) for start_s, end_s in ends)
            return min(1.0, open_s / horizon_s)


def _hits_all(outlook: Outlook, component: Component, mask: int) -> float:
    """The chance that an incident of a component hits all endpoints of the chain."""
    if not component.incidents:
        return 0.0
    return math.fsum(chance for hits, chance in hit_sets(outlook.plan, component.index) or () if hits & mask == mask)


def _where_shared(outlook: Outlook, component: Component) -> Path:
    last = outlook.legs[-1]
    provider = outlook.plan.endpoints[last.endpoint].provider
    if component.kind == "component" and component.name in outlook.scenario.components:
        return ("providers", provider, "depends_on")
    return ("common_cause",) if component.kind == "component" else (*outlook.path_of(last), "provider")


CHECKS: Final = (tags_exclude_legs, leg_never_called, outage_not_fallen_back, shared_outages)
