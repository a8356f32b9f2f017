"""From providers and models to the plan's endpoints: latency, random errors, limits, prices, billing."""

from dataclasses import dataclass

from des.catalogue import find_model, model_names, provider_names
from des.distributions import Constant
from des.scenario.plan import BrokenStreams, Capacity, Component, Endpoint, Latency, Limit, Price, RandomError
from des.scenario.resolution.resolve_limits import add_capacity, add_limits
from des.scenario.schema.providers import (
    BillingSpec,
    ErrorsSpec,
    ModelSpec,
    PriceSpec,
    ProviderSpec,
    StreamLatencySpec,
)
from des.scenario.schema.scenario import Scenario
from des.scenario.text.document import Path
from des.scenario.text.problems import Finding
from des.words import nearest


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
            errors = model.errors or provider.errors or ErrorsSpec()
            own = add_capacity(model.capacity, name, capacities)
            price = _price(provider_name, provider, model_name, model, findings)
            endpoints.append(
                Endpoint(
                    index=len(endpoints),
                    provider=provider_name,
                    model=model_name,
                    component=component[name],
                    latency=_latency(provider, model),
                    errors=_random_errors(errors),
                    broken_streams=_broken_streams(errors),
                    limits=(*account, *add_limits(model.limits or (), name, limits)),
                    capacity=shared if own is None else own,
                    price=price,
                    billing=_billing(scenario, provider, model).outcomes(),
                    quality=model.quality,
                    tags={**provider.tags, **model.tags},
                )
            )
    return Endpoints(tuple(endpoints), tuple(limits), tuple(capacities)), findings


def _latency(provider: ProviderSpec, model: ModelSpec) -> Latency:
    spec = model.latency or provider.latency
    assert spec is not None
    if isinstance(spec, StreamLatencySpec):
        return Latency(
            connect=spec.connect.distribution() if spec.connect else None,
            first_token=spec.first_token.distribution() if spec.first_token else None,
            tokens_per_s=spec.tokens_per_second.distribution() if spec.tokens_per_second else None,
        )
    return Latency(whole=spec.distribution())


def _random_errors(errors: ErrorsSpec) -> tuple[RandomError, ...]:
    found = [
        RandomError(
            outcome=outcome,
            rate=spec.rate,
            latency=spec.latency.distribution() if spec.latency else Constant(0.2),
            status=spec.status,
        )
        for outcome, spec in errors.at_once
        if spec.rate > 0.0
    ]
    if errors.hang > 0.0:
        found.append(RandomError(outcome="hang", rate=errors.hang))
    return tuple(found)


def _broken_streams(errors: ErrorsSpec) -> BrokenStreams | None:
    spec = errors.mid_stream
    if spec is None or spec.rate == 0.0:
        return None
    return BrokenStreams(rate=spec.rate, after=spec.after.distribution() if spec.after else Constant(0.5))


def _billing(scenario: Scenario, provider: ProviderSpec, model: ModelSpec) -> BillingSpec:
    return model.billing or provider.billing or scenario.policy.billing or BillingSpec()


def _price(
    provider_name: str, provider: ProviderSpec, model_name: str, model: ModelSpec, findings: list[Finding]
) -> Price:
    if model.price is not None:
        return _own_price(model.price)
    listed = provider.catalogue or provider_name
    entry = find_model(listed, model_name)
    if entry is not None:
        return Price(**entry.price_fields)
    path: Path = ("providers", provider_name, "models", model_name, "price")
    findings.append(Finding(path, _no_price(listed, model_name)))
    return Price()


def _own_price(spec: PriceSpec) -> Price:
    def per_token(usd_per_mtok: float | None, default: float = 0.0) -> float:
        return default if usd_per_mtok is None else usd_per_mtok / 1e6

    input_per_token = per_token(spec.input_per_mtok)
    return Price(
        input_per_token=input_per_token,
        cached_input_per_token=per_token(spec.cached_input_per_mtok, input_per_token),
        cache_write_per_token=per_token(spec.cache_write_per_mtok, input_per_token),
        output_per_token=per_token(spec.output_per_mtok),
        per_request=spec.per_request or 0.0,
        per_unit=spec.per_unit or 0.0,
    )


def _no_price(listed: str, model: str) -> str:
    remedy = "write price: {input_per_mtok: 3, output_per_mtok: 15}, or {per_request: 0} if it is free"
    if listed not in provider_names():
        near = nearest(listed, provider_names())
        hint = f" (did you mean catalogue: {near}?)" if near else ""
        return f"is required, since the catalogue has no provider '{listed}'{hint}: {remedy}"
    near = nearest(model, model_names(listed))
    hint = f" (did you mean '{near}'?)" if near else ""
    return f"is required, since the catalogue has no model '{model}' of {listed}{hint}: {remedy}"
