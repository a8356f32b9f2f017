"""When the chance that one call per leg serves a request has a closed form, and when it is the request's own."""

from collections.abc import Iterator, Sequence

from des.estimate.clear_sky import hangs_on_output
from des.estimate.exact_sources import Source
from des.estimate.hit_sets import union
from des.scenario.plan import BatchArrivals, ClosedArrivals, Effect, Leg, Plan, ReplayedArrivals, Timeout

MOST_STREAMING_LEGS = 6


def why_not_one_call(plan: Plan, sources: Sequence[Source], recorded: Sequence[Effect]) -> str:
    """What stands in the way of a closed form; empty if nothing does."""
    if plan.workload.requirements:
        return "some requests may not use every leg (requirements)"
    if not plan.client.plain:
        return "the client's policy decides which legs a request calls"
    if len(plan.chain) > MOST_STREAMING_LEGS and any(hangs_on_output(plan, leg) for leg in plan.chain):
        return f"the time-outs of more than {MOST_STREAMING_LEGS} legs hang on the same output"
    effects = [(source.effect, union(source.sets)) for source in sources]
    effects += [(effect, -1) for effect in recorded]
    for position, leg in enumerate(plan.chain):
        met = [effect for effect, hits in effects if hits >> leg.endpoint & 1]
        if any(effect.kills_in_flight for effect in met):
            return f"incidents kill calls in flight at {leg.name}"
        if is_bounded(leg.timeout) and any(effect.latency_factor > 1.0 for effect in met):
            return f"incidents slow {leg.name} down towards its time-out"
        if leg.silent_rot is not None:
            return f"{leg.name} rots silently, depending on its use"
        if position + 1 < len(plan.chain):
            ends = sorted(_outcomes(plan, leg, met) - leg.fallback_on)
            if ends:
                return f"{leg.name} does not fall back on {ends[0]}"
            if not is_bounded(leg.timeout) and _hangs(plan, leg, met):
                return f"a call of {leg.name} that hangs has no time-out, so nothing follows it"
    return ""


def why_one_call_differs(plan: Plan) -> tuple[str, ...]:
    """What gives the scenario's own requests another availability than one call per leg at the arrival has."""
    return tuple(_differences(plan))


def is_bounded(timeout: Timeout) -> bool:
    return any(
        bound is not None for bound in (timeout.connect_s, timeout.first_token_s, timeout.idle_s, timeout.total_s)
    )


def _differences(plan: Plan) -> Iterator[str]:
    if any(leg.retries for leg in plan.chain):
        yield "retries"
    if plan.policy.rounds > 1:
        yield "rounds"
    if plan.policy.deadline_s is not None:
        yield "the deadline"
    if any(plan.endpoints[leg.endpoint].limits for leg in plan.chain):
        yield "limits"
    if any(leg.limits for leg in plan.chain):
        yield "budgets"
    if any(plan.endpoints[leg.endpoint].capacity is not None for leg in plan.chain):
        yield "capacity"
    if not plan.client.plain:
        yield "the client's policy"
    if plan.surges:
        yield "surge"
    if plan.policy.response_cache is not None:
        yield "the response cache"
    if any(leg.silent_rot is not None for leg in plan.chain):
        yield "silent rot"
    if isinstance(plan.workload.arrivals, ClosedArrivals):
        yield "the closed workload"
    elif isinstance(plan.workload.arrivals, BatchArrivals | ReplayedArrivals):
        yield "arrivals at certain times"


def _outcomes(plan: Plan, leg: Leg, effects: Sequence[Effect]) -> set[str]:
    """Every failure that a call of the leg can end in."""
    endpoint = plan.endpoints[leg.endpoint]
    found = {error.outcome for error in endpoint.errors if error.rate > 0.0}
    found |= {effect.outcome for effect in effects if effect.error_rate > 0.0}
    if leg.invalid_output > 0.0:
        found.add("invalid_output")
    if endpoint.broken_streams is not None and endpoint.broken_streams.rate > 0.0:
        found.add("connection_error")
    if is_bounded(leg.timeout) or _hangs(plan, leg, effects):
        found.add("timeout")
    return found - {"hang"}


def _hangs(plan: Plan, leg: Leg, effects: Sequence[Effect]) -> bool:
    errors = plan.endpoints[leg.endpoint].errors
    return any(effect.hang > 0.0 for effect in effects) or any(e.outcome == "hang" and e.rate > 0.0 for e in errors)
