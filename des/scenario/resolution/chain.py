"""From the chain and the policy to the plan's legs and policy."""

from collections.abc import Mapping

from des.scenario.plan import Endpoint, Leg, Policy
from des.scenario.resolution.inheritance import deadline_of, policy_backoff, timeout_of
from des.scenario.schema.chain import GroupSpec, LegSpec
from des.scenario.schema.policy import PolicySpec
from des.scenario.schema.scenario import Scenario


def resolve_chain(
    scenario: Scenario,
    endpoints: tuple[Endpoint, ...],
    budgets: Mapping[str, tuple[int, ...]] | None = None,
) -> tuple[Leg, ...]:
    """The legs of the chain, in order. `budgets` are indices of limits by the names of legs that they cover."""
    by_name = {(endpoint.provider, endpoint.model): endpoint for endpoint in endpoints}
    seen: dict[str, int] = {}
    legs = []
    for index, placed in enumerate(scenario.legs):
        spec, entry = placed.spec, scenario.chain[placed.entry]
        model = spec.model or next(iter(scenario.providers[spec.provider].models))
        endpoint = by_name[spec.provider, model]
        name = _name(spec, endpoint, seen)
        words = (name, spec.provider, *((entry.group,) if isinstance(entry, GroupSpec) else ()))
        over = budgets or {}
        legs.append(
            Leg(
                index=index,
                name=name,
                endpoint=endpoint.index,
                timeout=timeout_of(scenario, placed.entry, spec),
                invalid_output=_rejected(scenario, spec, model),
                prompt_cache=spec.prompt_cache,
                silent_rot=spec.silent_rot,
                tags={**endpoint.tags, **spec.tags},
                limits=tuple(dict.fromkeys(limit for word in words for limit in over.get(word, ()))),
                position=placed.entry,
            )
        )
    return tuple(legs)


def _name(spec: LegSpec, endpoint: Endpoint, seen: dict[str, int]) -> str:
    if spec.name is not None:
        return spec.name
    name = f"{endpoint.provider}/{endpoint.model}"
    seen[name] = seen.get(name, 0) + 1
    return name if seen[name] == 1 else f"{name}#{seen[name]}"


def _rejected(scenario: Scenario, spec: LegSpec, model: str) -> float:
    """Share of complete responses rejected. The shares of the leg and of its model apply independently."""
    provider = scenario.providers[spec.provider]
    errors = provider.models[model].errors or provider.errors
    of_model = errors.invalid_output if errors else 0.0
    if of_model == 0.0 or spec.invalid_output == 0.0:
        return of_model or spec.invalid_output
    return 1.0 - (1.0 - of_model) * (1.0 - spec.invalid_output)


def resolve_policy(spec: PolicySpec) -> Policy:
    """The client's policy."""
    return Policy(
        rounds=spec.rounds,
        round_backoff=policy_backoff(spec, "round_backoff").usual,
        deadline_s=deadline_of(spec),
        response_cache=spec.response_cache,
    )
