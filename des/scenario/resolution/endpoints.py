"""From providers and models to the plan's endpoints, with limits, capacities and prices; and surges between them."""

from collections.abc import Sequence
from dataclasses import dataclass

from des.catalogue import find_model
from des.scenario.checks.unresolved import no_price
from des.scenario.plan import Capacity, Component, Endpoint, Limit, Price, Surge
from des.scenario.resolution.limits import add_capacity, add_limits
from des.scenario.schema.providers import BILLED_BY_PROVIDER, Errors, Provider
from des.scenario.schema.scenario import Scenario
from des.scenario.text.places import Path
from des.scenario.text.problems import Finding


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Endpoints with their limits and capacities, in the order of providers and models."""

    endpoints: tuple[Endpoint, ...]
    limits: tuple[Limit, ...]
    capacities: tuple[Capacity, ...]


def resolve_endpoints(scenario: Scenario, components: tuple[Component, ...]) -> tuple[Endpoints, list[Finding]]:
    """The endpoints, and the models that have no price."""
    component = {each.name: each.index for each in components}
    endpoints: list[Endpoint] = []
    limits: list[Limit] = []
    capacities: list[Capacity] = []
    findings: list[Finding] = []
    for provider_name, provider in scenario.providers.items():
        account = add_limits(provider.limits or (), provider_name, limits)
        shared = add_capacity(provider.capacity, provider_name, capacities)
        for model_name, model in provider.models.items():
            name = f"{provider_name}/{model_name}"
            errors = model.errors or provider.errors or Errors()
            own = add_capacity(model.capacity, name, capacities)
            latency = model.latency or provider.latency
            assert latency is not None
            endpoints.append(
                Endpoint(
                    index=len(endpoints),
                    provider=provider_name,
                    model=model_name,
                    component=component[name],
                    latency=latency,
                    errors=errors.at_random,
                    broken_streams=errors.broken_streams,
                    limits=(*account, *add_limits(model.limits or (), name, limits)),
                    capacity=shared if own is None else own,
                    price=model.price or _listed_price(provider_name, provider, model_name, findings),
                    billing=model.billing or provider.billing or scenario.policy.billing or BILLED_BY_PROVIDER,
                    quality=model.quality,
                    tags={**provider.tags, **model.tags},
                )
            )
    return Endpoints(tuple(endpoints), tuple(limits), tuple(capacities)), findings


def _listed_price(provider_name: str, provider: Provider, model_name: str, findings: list[Finding]) -> Price:
    listed = provider.catalogue or provider_name
    entry = find_model(listed, model_name)
    if entry is not None:
        return Price(**entry.price_fields)
    path: Path = ("providers", provider_name, "models", model_name, "price")
    findings.append(Finding(path, no_price(listed, model_name)))
    return Price()


def resolve_surges(scenario: Scenario, endpoints: Sequence[Endpoint]) -> tuple[Surge, ...]:
    """The surges, with the endpoints that their names mean."""
    return tuple(
        Surge(
            when=_meant(surge.when, endpoints),
            to=_meant(surge.to, endpoints),
            load=surge.load,
            capacity_per_s=surge.capacity_per_s,
        )
        for surge in scenario.surge
    )


def _meant(names: Sequence[str], endpoints: Sequence[Endpoint]) -> tuple[int, ...]:
    return tuple(each.index for each in endpoints if each.provider in names or f"{each.provider}/{each.model}" in names)
