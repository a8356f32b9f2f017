"""Settings by which requests depend on each other or on their exact times, so that only simulation answers."""

from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Final

from des.estimate.binding import Binding, bindings, without_limits
from des.scenario.extensions import own_classes
from des.scenario.plan import (
    ClosedArrivals,
    Cooldown,
    Ejection,
    LegClient,
    OwnBreaker,
    Plan,
    PoissonIncidents,
    Profile,
    RecordedIncidents,
)

_WHY: Final[Mapping[str, str]] = {
    "breaker": "it remembers the calls of other requests",
    "cooldown": "it remembers the calls of other requests",
    "ejection": "it remembers the calls of other requests",
    "probes": "their results apply to later requests",
    "hedge": "copies of a call race each other",
    "shaping": "calls wait for each other",
    "bulkhead": "calls wait for each other",
    "adaptive throttling": "it counts the calls of other requests",
    "retry budget": "requests share it",
    "ramp": "it depends on when the leg was called before",
    "routing": "it depends on the calls of other requests",
    "order of the chain": "requests try it in different orders",
    "application": "it calls the whole chain again",
}
_WITHOUT_MEMORY: Final = ("ordered", "weighted")


_Found = tuple[Plan, tuple[Binding, ...], tuple[str, ...]]
_REMEMBERED: Final = 8
_asked: tuple[tuple[Plan, _Found], ...] = ()


def interactions(plan: Plan) -> tuple[str, ...]:
    """Why requests depend on each other or on their exact times. Empty where the fast estimators apply.

    Limits, capacities and queues of the client do not count where they are known never to matter: see `binding`.
    """
    return relieved_and_interactions(plan)[2]


def relieved(plan: Plan) -> tuple[Plan, tuple[Binding, ...]]:
    """(the plan without the limits that are known never to matter, these limits).

    All of them go or none: where one matters, what it refuses changes the load of the others.
    """
    return relieved_and_interactions(plan)[:2]


def relieved_and_interactions(plan: Plan) -> _Found:
    """What `relieved` and `interactions` tell, for one search of the limits that matter.

    The last few plans are remembered: each is asked about several times in one answer.
    """
    global _asked  # replaced as a whole, so threads may share it
    for known, found in _asked:
        if known is plan:
            return found
    found = _searched(plan)
    _asked = ((plan, found), *_asked[: _REMEMBERED - 1])
    return found


def _searched(plan: Plan) -> _Found:
    free = without_limits(plan)
    if free is plan or _every(free):
        return plan, (), _every(plan)
    found = bindings(plan)
    if all(one.is_negligible for one in found):
        return free, found, ()
    return plan, (), _every(without_limits(plan, [one.name for one in found if one.is_negligible]))


def _every(plan: Plan) -> tuple[str, ...]:
    return (*_of_endpoints(plan), *_of_headers(plan), *client_interactions(plan).values(), *_of_workload(plan))


def client_interactions(plan: Plan) -> dict[str, str]:
    """Settings of the client, by name, that keep state, queue or hedge calls, or change the walk. Values say why."""
    where: dict[str, list[str]] = {}
    client = plan.client
    for leg in client.legs:
        for name in _settings(leg):
            where.setdefault(name, []).append(plan.chain[leg.leg].name)
    for group in client.groups:
        kind = group.routing.kind
        if group.routing.own is None and kind not in _WITHOUT_MEMORY and (len(group.legs) > 1 or kind == "usage_based"):
            where.setdefault("routing", []).append(f"{group.name} ({kind})")
    if client.order.kind != "ordered" and client.order.own is None and len(client.groups) > 1:
        where["order of the chain"] = []
    if client.application is not None:
        where["application"] = []
    told = {name: f"{name}{_of(where[name])}: {_WHY[name]}" for name in where}
    own = own_classes(plan)
    if own:
        of_one = "a class of your own, which only" if len(own) == 1 else "classes of your own, which only"
        told["own classes"] = f"{', '.join(own)}: {of_one} a simulation in SimPy runs"
    return told


def arrival_profile(plan: Plan) -> Profile | None:
    """The time-of-week profile of the arrivals, if they have one."""
    return plan.workload.arrivals.weekly


def needs_whole_horizons(plan: Plan) -> bool:
    """Whether something is decided once a replication, so that a long timeline is not a sequence of horizons."""
    if plan.start_up:
        return True
    for component in plan.components:
        for incidents in component.incidents:
            if isinstance(incidents, RecordedIncidents):
                return True
            if 0.0 < plan.shared < 1.0 and not isinstance(incidents, PoissonIncidents):
                return True
    return False


def _of_endpoints(plan: Plan) -> Iterator[str]:
    for leg in plan.chain:
        for limit in plan.endpoints[leg.endpoint].limits:
            yield f"limit {plan.limits[limit].name}: requests share its tokens"
            break
        for limit in leg.limits:
            yield f"budget {plan.limits[limit].name}: requests share it"
            break
        capacity = plan.endpoints[leg.endpoint].capacity
        if capacity is not None:
            yield f"capacity {plan.capacities[capacity].name}: requests wait for each other"
        if leg.silent_rot is not None:
            yield f"silent rot of {leg.name}: it depends on the leg's use"


def _of_headers(plan: Plan) -> Iterator[str]:
    """Failures with a Retry-After that the client waits for. The fast estimators only know back-offs."""
    client = plan.client
    honoured = {
        leg
        for group in client.groups
        for leg in group.legs
        if any(rule.retry_after.honours for rule in (group.retry, *client.legs[leg].inner))
    }
    if not honoured:
        return
    told = any(
        isfinite(effect.told_s)
        for component in plan.components
        for incidents in component.incidents
        for effect in incidents.every_effect
    ) or any(isfinite(error.told_s) for leg in honoured for error in plan.endpoints[plan.chain[leg].endpoint].errors)
    if told:
        yield "Retry-After of errors or incidents: it decides how long a retry waits"


def _settings(leg: LegClient) -> Iterator[str]:
    for guard in leg.guards:
        if isinstance(guard, OwnBreaker):
            continue  # told as a class of a user
        yield "cooldown" if isinstance(guard, Cooldown) else "ejection" if isinstance(guard, Ejection) else "breaker"
    if leg.probes is not None:
        yield "probes"
    if leg.hedge is not None:
        yield "hedge"
    if leg.shaping is not None:
        yield "shaping"
    if leg.bulkhead is not None:
        yield "bulkhead"
    if leg.throttle is not None:
        yield "adaptive throttling"
    if leg.retry_budget is not None:
        yield "retry budget"
    if leg.ramp is not None:
        yield "ramp"


def _of(names: list[str]) -> str:
    if not names:
        return ""
    return f" of {', '.join(names[:3])}" + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _of_workload(plan: Plan) -> Iterator[str]:
    if plan.surges:
        yield "surge: it depends on the load"
    if plan.policy.response_cache is not None and plan.policy.response_cache.hit_rate is None:
        yield "response cache by popular keys: it depends on earlier requests"
    arrivals = plan.workload.arrivals
    if isinstance(arrivals, ClosedArrivals):
        yield "closed workload: users wait for their answers"
    elif arrivals.is_timed and not _is_stationary(plan):
        yield "batch or replayed arrivals with incidents whose rate depends on the time"


def _is_stationary(plan: Plan) -> bool:
    """Whether failures look the same at every instant: in equilibrium, with no hourly profile or recorded windows."""
    return not plan.start_up and not any(
        isinstance(incidents, RecordedIncidents) or (isinstance(incidents, PoissonIncidents) and incidents.profile)
        for component in plan.components
        for incidents in component.incidents
    )
