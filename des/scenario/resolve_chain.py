"""From the chain and the policy to the plan's legs and policy."""

from des.scenario.chain import LegSpec, SilentRotSpec, TimeoutSpec
from des.scenario.laws import Constant
from des.scenario.plan import Backoff, Endpoint, Leg, Policy, PromptCache, ResponseCache, SilentRot, Timeout
from des.scenario.policy import BackoffSpec, PolicySpec, ShareCacheSpec
from des.scenario.scenario import Scenario
from des.vocabulary import DEFAULT_RETRIED


def resolve_chain(scenario: Scenario, endpoints: tuple[Endpoint, ...]) -> tuple[Leg, ...]:
    """The legs of the chain, in order."""
    by_name = {(endpoint.provider, endpoint.model): endpoint for endpoint in endpoints}
    seen: dict[str, int] = {}
    legs = []
    for index, spec in enumerate(scenario.chain):
        model = spec.model or next(iter(scenario.providers[spec.provider].models))
        endpoint = by_name[spec.provider, model]
        legs.append(_leg(index, spec, endpoint, _rejected(scenario, spec, model), _name(spec, endpoint, seen)))
    return tuple(legs)


def _name(spec: LegSpec, endpoint: Endpoint, seen: dict[str, int]) -> str:
    if spec.name is not None:
        return spec.name
    name = f"{endpoint.provider}/{endpoint.model}"
    seen[name] = seen.get(name, 0) + 1
    return name if seen[name] == 1 else f"{name}#{seen[name]}"


def _rejected(scenario: Scenario, spec: LegSpec, model: str) -> float:
    """Share of complete responses rejected, by what is said of the leg and of its model, one apart from the other."""
    provider = scenario.providers[spec.provider]
    errors = provider.models[model].errors or provider.errors
    of_model = errors.invalid_output if errors else 0.0
    if of_model == 0.0 or spec.invalid_output == 0.0:
        return of_model or spec.invalid_output
    return 1.0 - (1.0 - of_model) * (1.0 - spec.invalid_output)


def _leg(index: int, spec: LegSpec, endpoint: Endpoint, invalid_output: float, name: str) -> Leg:
    cache = spec.prompt_cache
    return Leg(
        index=index,
        name=name,
        endpoint=endpoint.index,
        timeout=_timeout(spec.timeout),
        retries=spec.retries,
        retry_on=frozenset(DEFAULT_RETRIED if spec.retry_on is None else spec.retry_on),
        fallback_on=frozenset(DEFAULT_RETRIED if spec.fallback_on is None else spec.fallback_on),
        invalid_output=invalid_output,
        prompt_cache=PromptCache(share=cache.share, ttl_s=cache.ttl) if cache else None,
        silent_rot=_silent_rot(spec.silent_rot),
        tags={**endpoint.tags, **spec.tags},
    )


def _timeout(spec: TimeoutSpec | None) -> Timeout:
    if spec is None:
        return Timeout()
    return Timeout(connect_s=spec.connect, first_token_s=spec.first_token, idle_s=spec.idle, total_s=spec.total)


def _silent_rot(spec: SilentRotSpec | None) -> SilentRot | None:
    if spec is None:
        return None
    return SilentRot(
        time_to_rot=spec.time_to_rot.law(),
        repair=spec.repair.law(),
        outcome=spec.outcome,
        error_latency=spec.error_latency.law() if spec.error_latency else Constant(0.2),
        probe_every_s=spec.probe_every,
    )


def resolve_policy(spec: PolicySpec) -> Policy:
    """The client's policy."""
    return Policy(
        rounds=spec.rounds,
        retry_backoff=_backoff(spec.retry_backoff or spec.backoff),
        round_backoff=_backoff(spec.round_backoff or spec.backoff),
        honour_retry_after=spec.retry_after == "honour",
        deadline_s=spec.deadline,
        response_cache=_response_cache(spec),
    )


def _backoff(spec: BackoffSpec | None) -> Backoff:
    if spec is None or spec.kind == "none":
        return Backoff()
    return Backoff(
        kind=spec.kind,
        base_s=spec.base or 0.0,
        factor=2.0 if spec.factor is None else spec.factor,
        cap_s=float("inf") if spec.cap is None else spec.cap,
        jitter=spec.jitter,
        spread_s=spec.spread or 0.0,
    )


def _response_cache(policy: PolicySpec) -> ResponseCache | None:
    spec = policy.response_cache
    if spec is None:
        return None
    latency = spec.latency.law() if spec.latency else Constant(0.0)
    if isinstance(spec, ShareCacheSpec):
        return ResponseCache(hit_rate=spec.hit_rate, latency=latency)
    return ResponseCache(keys=spec.keys, exponent=spec.exponent, ttl_s=spec.ttl, latency=latency)
