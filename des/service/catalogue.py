"""GET /catalogue: what a chain can be made of, the defaults with their sources, and the bounds of the service."""

from functools import cache
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from des.catalogue import CatalogueModel, assumed, find_model, model_names, provider_names
from des.catalogue.failures import failure_figures
from des.catalogue.presets import presets
from des.service.bodies import EXAMPLE
from des.service.bounds import FIXED, Bounds
from des.service.sources import HORIZON, OBJECTIVE, RATE, SOURCES, TIMEOUT
from des.study.identity import package_version

_PER_MILLION: Final = 1e6
_TITLES: Final = {
    "anthropic": "Anthropic",
    "openai": "OpenAI",
    "google": "Google",
    "black-forest-labs": "Black Forest Labs",
    "fal": "fal",
    "recraft": "Recraft",
    "stability": "Stability AI",
    "runway": "Runway",
    "elevenlabs": "ElevenLabs",
    "amazon-polly": "Amazon Polly",
}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Model(_Part):
    """A model with its list price in USD; `unit` is what `per_unit` counts, null for tokens."""

    name: str
    unit: str | None
    input_per_mtok: float
    output_per_mtok: float
    cached_input_per_mtok: float
    per_request: float
    per_unit: float
    source: str
    date: str
    note: str
    latency: dict[str, Any]
    latency_source: str


class Provider(_Part):
    """A provider with its models, and how often it is assumed to fail."""

    name: str
    title: str
    availability: float
    episodes_per_year: float
    source: str
    date: str
    models: list[Model]


class PresetSaid(_Part):
    """A client's policy, as a version of the client has it; `name` has the version too."""

    name: str
    version: str
    kind: str
    title: str
    policy: dict[str, Any]
    source: str
    date: str
    not_modelled: list[str]


class Catalogue(_Part):
    """Everything that a body of POST /simulate may name."""

    providers: list[Provider]
    presets: list[PresetSaid]
    defaults: dict[str, Any]
    limits: dict[str, float]
    version: str


def catalogue(bounds: Bounds) -> Catalogue:
    """What GET /catalogue answers."""
    return Catalogue(
        providers=list(_providers()),
        presets=[
            PresetSaid(
                name=each.full_name,
                version=each.full_name.partition("@")[2],
                kind=each.kind,
                title=each.title,
                policy=dict(each.policy),
                source=each.source,
                date=each.date,
                not_modelled=list(each.not_modelled),
            )
            for each in presets()
        ],
        defaults={
            "chain": EXAMPLE["chain"],
            "timeout": TIMEOUT,
            "retries": 0,
            "rounds": 1,
            "rate": RATE,
            "horizon": HORIZON,
            "seed": 7,
            "input_tokens": assumed.INPUT_TOKENS["median"],
            "output_tokens": assumed.OUTPUT_TOKENS["median"],
            "server_error": assumed.SERVER_ERROR,
            "objective": OBJECTIVE,
            "sources": dict(SOURCES),
        },
        limits={**bounds.as_json(), **FIXED},
        version=package_version(),
    )


@cache
def _providers() -> tuple[Provider, ...]:
    return tuple(_provider(name) for name in provider_names())


def _provider(name: str) -> Provider:
    failures = failure_figures(name)
    found = (find_model(name, model) for model in model_names(name))
    return Provider(
        name=name,
        title=_TITLES.get(name, name),
        availability=failures.availability,
        episodes_per_year=failures.episodes_per_year,
        source=failures.source,
        date=failures.date,
        models=[_model(model) for model in found if model is not None],
    )


def _model(listed: CatalogueModel) -> Model:
    price = listed.price_fields
    return Model(
        name=listed.model,
        unit=listed.unit,
        input_per_mtok=round(price["input_per_token"] * _PER_MILLION, 9),
        output_per_mtok=round(price["output_per_token"] * _PER_MILLION, 9),
        cached_input_per_mtok=round(price["cached_input_per_token"] * _PER_MILLION, 9),
        per_request=price["per_request"],
        per_unit=price["per_unit"],
        source=listed.source,
        date=listed.date,
        note=listed.note,
        latency=assumed.latency_of(listed.model, listed.unit),
        latency_source=SOURCES["latency"],
    )
