"""What makes requests depend on each other or on their exact times, so that only simulated ones tell: each by name."""

from collections.abc import Iterator

from des.scenario.plan import (
    BatchArrivals,
    BurstyArrivals,
    ClosedArrivals,
    Plan,
    PoissonArrivals,
    PoissonIncidents,
    Profile,
    RecordedIncidents,
    ReplayedArrivals,
)


def interactions(plan: Plan) -> tuple[str, ...]:
    """What makes requests depend on each other or on their exact times; nothing, where fast estimators apply."""
    return tuple(_interactions(plan))


def arrival_profile(plan: Plan) -> Profile | None:
    """The time-of-week profile of the arrivals, if they have one."""
    arrivals = plan.workload.arrivals
    return arrivals.profile if isinstance(arrivals, PoissonArrivals | BurstyArrivals) else None


def _is_stationary(plan: Plan) -> bool:
    """Whether failures look the same at every instant: in equilibrium, of any hour, nothing on record."""
    return not plan.start_up and not any(
        isinstance(incidents, RecordedIncidents) or (isinstance(incidents, PoissonIncidents) and incidents.profile)
        for component in plan.components
        for incidents in component.incidents
    )


def needs_whole_horizons(plan: Plan) -> bool:
    """Whether a long timeline is not a sequence of horizons, because something is decided once a replication."""
    if plan.start_up:
        return True
    for component in plan.components:
        for incidents in component.incidents:
            if isinstance(incidents, RecordedIncidents):
                return True
            if 0.0 < plan.shared < 1.0 and not isinstance(incidents, PoissonIncidents):
                return True
    return False


def _interactions(plan: Plan) -> Iterator[str]:
    for leg in plan.chain:
        for limit in plan.endpoints[leg.endpoint].limits:
            yield f"limit {plan.limits[limit].name}: requests share its tokens"
            break
        for limit in leg.limits:
            yield f"budget {plan.limits[limit].name}: requests share it"
            break
        capacity = plan.endpoints[leg.endpoint].capacity
        if capacity is not None:
            yield f"capacity {plan.capacities[capacity].name}: requests wait for one another"
        if leg.silent_rot is not None:
            yield f"silent rot of {leg.name}: it depends on the leg's use"
    if not plan.client.plain:
        yield "client policy: what it does depends on earlier requests, or goes beyond a plain walk of the chain"
    if plan.surges:
        yield "surge: it depends on the load"
    if plan.policy.response_cache is not None and plan.policy.response_cache.hit_rate is None:
        yield "response cache by popular keys: it depends on earlier requests"
    arrivals = plan.workload.arrivals
    if isinstance(arrivals, ClosedArrivals):
        yield "closed workload: users wait for their answers"
    elif isinstance(arrivals, BatchArrivals | ReplayedArrivals) and not _is_stationary(plan):
        yield "batch or replayed arrivals against incidents whose rate depends on the time"
