"""The exact estimator: unavailability, total outages and one call per leg, from the distributions alone."""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import product
from typing import Final

import numpy as np

from des.distributions import Exponential
from des.estimate.call import hangs_on_output, is_bounded, kind_names, kind_of, kinds_of, outputs, success
from des.estimate.estimate import EXACT, Inapplicable
from des.estimate.interaction import client_interactions
from des.estimate.joint_failure import Caller, Joint
from des.estimate.sources import MARKED, RENEWAL, RecordedStates, Source, Sources, recorded_states, sources_of, union
from des.faults.marginals import chain_endpoints
from des.scenario.plan import ClosedArrivals, Effect, Leg, Plan
from des.scenario.schema.statuses import broken_stream_kind
from des.scenario.text.units import YEAR_S
from des.theory.availability import effective_redundancy
from des.vocabulary import INVALID_OUTPUT, TIMEOUT

_MOST_MIXTURES: Final = 10
_MOST_STREAMING_LEGS: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointAnswer:
    """The marginals of one endpoint's failures. They are the same for every share of common incidents.

    An episode's mean duration is None where there are no episodes. Its 95th percentile is also None where episodes come
    from several classes or from overlapping incidents, whose distribution has no closed form.
    """

    name: str
    unavailability: float
    episodes_per_year: float
    mean_duration_s: float | None
    p95_duration_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactAnswer:
    """Long-run figures of one plan, time-weighted; years have 365 days.

    `k_eff` is None where an endpoint never fails, or where all are never down together. `availability` is that of
    requests which call each leg once, at the instant of their arrival. It is None, with the reason, where that has no
    closed form. `lost` is 1 - availability, precise down to 1e-300.

    `all_down_any_in_a_year` takes total outages for a Poisson process in the time between them, averaged over the
    outcomes of mixtures. `all_down_any_exact` says whether they are one. `differs` lists why the scenario's own
    requests have another availability; it is empty where they do not.
    """

    estimator: str
    endpoints: tuple[EndpointAnswer, ...]  # of the chain, without repetition
    all_down: float
    all_down_episodes_per_year: float
    all_down_mean_s: float | None
    all_down_any_in_a_year: float
    all_down_any_exact: bool
    k_eff: float | None
    frechet_low: float
    frechet_high: float
    availability: float | None
    lost: float | None
    availability_reason: str
    differs: tuple[str, ...]


def exact(plan: Plan) -> ExactAnswer:
    """Raises Inapplicable, naming the obstacle, where P(all down) has no closed form."""
    sources = sources_of(plan)
    if len(sources.mixtures) > _MOST_MIXTURES:
        raise Inapplicable(f"{len(sources.mixtures)} shared renewal classes at a share between 0 and 1")
    chained = chain_endpoints(plan)
    states = recorded_states(sources.recorded, plan)
    outages = [(weight, _Outages(kept, states)) for weight, kept in _assignments(sources, outages_only=True)]
    endpoints = tuple(_endpoint(plan, endpoint, outages, sources) for endpoint in chained)
    together = [(weight, model.all_down(chained), model.episode_rate(chained)) for weight, model in outages]
    down = _mean([(weight, share) for weight, share, _ in together])
    episodes = _mean([(weight, rate) for weight, _, rate in together])
    unavailabilities = [endpoint.unavailability for endpoint in endpoints]
    reason = _why_not_one_call(
        plan, tuple(sources.all()), [effect for one, _ in sources.recorded for effect in one.effects]
    )
    lost = None if reason else _all_calls_fail(plan, sources, states)
    return ExactAnswer(
        estimator=EXACT,
        endpoints=endpoints,
        all_down=down,
        all_down_episodes_per_year=episodes * YEAR_S,
        all_down_mean_s=down / episodes if episodes > 0.0 else None,
        all_down_any_in_a_year=_mean([(w, any_in_a_year(share, rate * YEAR_S)) for w, share, rate in together]),
        all_down_any_exact=down == 0.0 or _memoryless(sources, chained),
        k_eff=k_eff(down, unavailabilities),
        frechet_low=max(0.0, math.fsum(unavailabilities) - len(unavailabilities) + 1.0),
        frechet_high=min(unavailabilities),
        availability=None if lost is None else 1.0 - lost,
        lost=lost,
        availability_reason=reason,
        differs=tuple(_differences(plan)),
    )


def exact_or_none(plan: Plan) -> ExactAnswer | None:
    try:
        return exact(plan)
    except Inapplicable:
        return None


def down_together(plan: Plan, endpoints: Sequence[int]) -> tuple[float, float]:
    """(share of the time, times a second) in which all of these endpoints are down at once.

    Raises Inapplicable, naming the obstacle, where there is no closed form.
    """
    of = DownTogether(plan)
    return of.share(endpoints), of.episode_rate(endpoints)


class DownTogether:
    """How often any endpoints of a plan are down at once. What several sets have in common is summed once.

    Raises Inapplicable, naming the obstacle, where there is no closed form.
    """

    def __init__(self, plan: Plan) -> None:
        sources = sources_of(plan)
        if len(sources.mixtures) > _MOST_MIXTURES:
            raise Inapplicable(f"{len(sources.mixtures)} shared renewal classes at a share between 0 and 1")
        states = recorded_states(sources.recorded, plan)
        self._outages = [(weight, _Outages(kept, states)) for weight, kept in _assignments(sources, outages_only=True)]

    def share(self, endpoints: Sequence[int]) -> float:
        """Of the time."""
        return _mean([(weight, model.all_down(endpoints)) for weight, model in self._outages])

    def episode_rate(self, endpoints: Sequence[int]) -> float:
        """Times a second at which it begins."""
        return _mean([(weight, model.episode_rate(endpoints)) for weight, model in self._outages])


def k_eff(all_down: float, unavailabilities: Sequence[float]) -> float | None:
    """ln P(all down) / mean ln U_i.

    None where an endpoint is never or always down, or where all are never down together.
    """
    if all_down <= 0.0 or not all(0.0 < u < 1.0 for u in unavailabilities):
        return None
    return effective_redundancy(all_down, unavailabilities)


def any_in_a_year(share: float, episodes_per_year: float) -> float:
    """P(at least one in a year) of episodes that take this share of the time, Poisson in the time between them."""
    if share >= 1.0:
        return 1.0
    return -math.expm1(math.log1p(-share) - episodes_per_year / (1.0 - share))


def _assignments(sources: Sources, *, outages_only: bool) -> list[tuple[float, tuple[Source, ...]]]:
    """(probability, sources) of every joint outcome of the mixtures."""
    result = []
    for chosen in product((True, False), repeat=len(sources.mixtures)):
        weight, kept = 1.0, list(sources.always)
        for mixture, common in zip(sources.mixtures, chosen, strict=True):
            weight *= mixture.phi if common else 1.0 - mixture.phi
            kept += [mixture.common] if common else list(mixture.apart)
        result.append((weight, tuple(s for s in kept if s.outage or not outages_only)))
    return result


def _memoryless(sources: Sources, endpoints: Sequence[int]) -> bool:
    """Whether the times between total outages are memoryless, so that total outages are a Poisson process.

    They are where each outage that hits one of the endpoints hits all of them, and comes in a Poisson process or after
    an exponential time up. Overlaps of separate outages are not a Poisson process, nor are recorded windows.
    """
    endpoints_mask = reduce(int.__or__, (1 << endpoint for endpoint in endpoints))
    if any(hits & endpoints_mask for _, hits in sources.recorded):
        return False
    for source in sources.all():
        hitting = [hits & endpoints_mask for hits, _ in source.sets if hits & endpoints_mask]
        if not source.outage or not hitting:
            continue
        if set(hitting) != {endpoints_mask} or source.kind == MARKED:
            return False
        if source.kind == RENEWAL:
            always = math.fsum(share for hits, share in source.sets if hits & endpoints_mask) >= 1.0
            if not (always and isinstance(source.up, Exponential)):
                return False
    return True


class _Outages:
    """Which endpoints are down: sources in equilibrium, over the states of recorded windows."""

    def __init__(self, sources: tuple[Source, ...], states: RecordedStates) -> None:
        self._sources = sources
        self._states = states
        self._joint = Joint(sources)

    def all_down(self, endpoints: Sequence[int]) -> float:
        return math.fsum(weight * self._down(endpoints, down) for weight, down in self._states.down_sets())

    def episode_rate(self, endpoints: Sequence[int]) -> float:
        """Total outages that start per second: the rate of incidents and windows that take the last endpoints down."""
        endpoints_mask = reduce(int.__or__, (1 << endpoint for endpoint in endpoints))
        rate = 0.0
        for weight, down in self._states.down_sets():
            for source in self._sources:
                before = self._down(endpoints, down, source)
                for hits, share in source.sets:
                    if hits & endpoints_mask:
                        after = self._down(endpoints, down | hits, source)
                        rate += weight * source.rate_per_s * share * max(0.0, after - before)
        for starts_per_s, before_set, after_set in self._states.steps():
            if endpoints_mask & after_set & ~before_set:
                after = self._down(endpoints, after_set)
                rate += starts_per_s * max(0.0, after - self._down(endpoints, after_set & before_set))
        return rate

    def _down(self, endpoints: Sequence[int], already: int, starting: Source | None = None) -> float:
        return self._joint.all_fail([Caller(e) for e in endpoints if not already >> e & 1], starting)


def _endpoint(plan: Plan, endpoint: int, outages: Sequence[tuple[float, _Outages]], sources: Sources) -> EndpointAnswer:
    unavailability = _mean([(weight, model.all_down([endpoint])) for weight, model in outages])
    rate = _mean([(weight, model.episode_rate([endpoint])) for weight, model in outages])
    of = plan.endpoints[endpoint]
    return EndpointAnswer(
        name=f"{of.provider}/{of.model}",
        unavailability=unavailability,
        episodes_per_year=rate * YEAR_S,
        mean_duration_s=unavailability / rate if rate > 0.0 else None,
        p95_duration_s=_p95(endpoint, sources),
    )


def _p95(endpoint: int, sources: Sources) -> float | None:
    """For a single renewal class. Its incidents never overlap, so each is an episode."""
    hitting = {
        (source.component, source.kind, source.duration)
        for source in sources.all()
        if source.outage and union(source.sets) >> endpoint & 1
    }
    recorded = any(hits >> endpoint & 1 for _, hits in sources.recorded)
    if len(hitting) != 1 or recorded:
        return None
    ((_, kind, duration),) = hitting
    return float(duration.quantile(np.array([0.95]))[0]) if kind == RENEWAL else None


def _all_calls_fail(plan: Plan, sources: Sources, states: RecordedStates) -> float:
    endpoints = [leg.endpoint for leg in plan.chain]
    chances: dict[tuple[float, ...], float] = defaultdict(float)
    cells = outputs(plan)
    tokens = np.array([output for _, output in cells])
    by_leg = [success(plan, leg, tokens).tolist() for leg in plan.chain]
    for (share, _), successes in zip(cells, zip(*by_leg, strict=True), strict=True):
        chances[successes] += share
    total = 0.0
    for weight, kept in _assignments(sources, outages_only=False):
        joint = Joint(kept)
        for lasting, factor in states.factors():
            for successes, share in chances.items():
                callers = [Caller(e, chance * factor[e]) for e, chance in zip(endpoints, successes, strict=True)]
                total += weight * lasting * share * joint.all_fail(callers)
    return min(1.0, total)  # chances that sum to 1 may miss it by a rounding


def _mean(weighted: Sequence[tuple[float, float]]) -> float:
    return math.fsum(weight * value for weight, value in weighted)


def _why_not_one_call(plan: Plan, sources: Sequence[Source], recorded: Sequence[Effect]) -> str:
    """Why there is no closed form; empty where there is one."""
    if plan.workload.requirements:
        return "some requests may not use every leg (requirements)"
    if reason := _why_not_each_leg(plan):
        return reason
    if len(plan.chain) > _MOST_STREAMING_LEGS and any(hangs_on_output(plan, leg) for leg in plan.chain):
        return f"the timeouts of more than {_MOST_STREAMING_LEGS} legs depend on the same output"
    effects = [(source.effect, union(source.sets)) for source in sources]
    effects += [(effect, -1) for effect in recorded]
    for position, leg in enumerate(plan.chain):
        met = [effect for effect, hits in effects if hits >> leg.endpoint & 1]
        if any(effect.kills_in_flight for effect in met):
            return f"incidents kill calls in flight at {leg.name}"
        if is_bounded(leg.timeout) and any(effect.latency_factor > 1.0 for effect in met):
            return f"incidents slow {leg.name} down, which has a timeout"
        if leg.silent_rot is not None:
            return f"{leg.name} rots silently, which depends on its use"
        if position + 1 < len(plan.chain):
            names, falls_back = kind_names(plan), kinds_of(plan, plan.client.groups[position].fallback_on)
            ends = sorted(names[kind] for kind in _outcomes(plan, leg, met) - falls_back)
            if ends:
                return f"{leg.name} does not fall back on {ends[0]}"
            if not is_bounded(leg.timeout) and _hangs(plan, leg, met):
                return f"a call of {leg.name} that hangs has no timeout, so nothing follows it"
    return ""


def _why_not_each_leg(plan: Plan) -> str:
    """Why the client does not call every leg in turn with the leg's own time-outs alone; empty where it does."""
    client = plan.client
    if clients := client_interactions(plan):
        return f"the client decides which legs a request calls: {next(iter(clients.values()))}"
    for group in client.groups:
        if len(group.legs) > 1:
            return f"a visit to {group.name} calls only some of its legs"
        layers = [group.retry, *client.legs[group.legs[0]].inner]
        if any(rule.timeout_s is not None or rule.attempt_timeout_s is not None for rule in layers):
            return f"a client around the calls of {group.name} has a timeout"
    if client.fallback_depth is not None and client.fallback_depth + 1 < len(client.groups):
        return f"at most {client.fallback_depth} fallbacks are tried (fallback_depth)"
    return ""


def _differences(plan: Plan) -> Iterator[str]:
    """Reasons why the scenario's own requests have another availability than one call per leg at the arrival."""
    rules = [*(group.retry for group in plan.client.groups), *(r for leg in plan.client.legs for r in leg.inner)]
    if any(rule.retries for rule in rules):
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
    yield from client_interactions(plan)
    if plan.surges:
        yield "surge"
    if plan.policy.response_cache is not None:
        yield "the response cache"
    if any(leg.silent_rot is not None for leg in plan.chain):
        yield "silent rot"
    if isinstance(plan.workload.arrivals, ClosedArrivals):
        yield "the closed workload"
    elif plan.workload.arrivals.is_timed:
        yield "arrivals at fixed times"


def _outcomes(plan: Plan, leg: Leg, effects: Sequence[Effect]) -> set[int]:
    """The outcome kinds of every failure of the leg's calls."""
    endpoint = plan.endpoints[leg.endpoint]
    found = {kind_of(plan, error) for error in endpoint.errors if error.rate > 0.0 and error.outcome != "hang"}
    found |= {kind_of(plan, effect) for effect in effects if effect.error_rate > 0.0}
    if leg.invalid_output > 0.0:
        found.add(INVALID_OUTPUT)
    if endpoint.broken_streams is not None and endpoint.broken_streams.rate > 0.0:
        found.add(broken_stream_kind(plan.statuses))
    if is_bounded(leg.timeout) or _hangs(plan, leg, effects):
        found.add(TIMEOUT)
    return found


def _hangs(plan: Plan, leg: Leg, effects: Sequence[Effect]) -> bool:
    errors = plan.endpoints[leg.endpoint].errors
    return any(effect.hang > 0.0 for effect in effects) or any(e.outcome == "hang" and e.rate > 0.0 for e in errors)
