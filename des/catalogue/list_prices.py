"""List prices of models: per token from the genai-prices package, per unit from providers' pages.

Prices of genai-prices carry dates. They are taken at a fixed date, so that the prices of a scenario do not change over
time. The package has few image, video and speech models. Their rows here name the provider's page, or a price table and
the page that it cites, and the day on which it was read.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Final

from des.catalogue.price_table import providers

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, TieredPrices

PRICE_FIELDS: Final = (
    "input_per_token",
    "cached_input_per_token",
    "cache_write_per_token",
    "output_per_token",
    "per_request",
    "per_unit",
)


@dataclass(frozen=True, slots=True)
class CatalogueModel:
    """A model with its list price.

    `price_fields` holds all of PRICE_FIELDS, in USD. `unit` is what `per_unit` counts ("image", "second of video",
    "second of audio", "character"), or None without a price per unit. `date` (ISO) is the day on which the price was in
    force or was read. `source` is where it is published.
    """

    provider: str
    model: str
    price_fields: dict[str, float]
    unit: str | None
    source: str
    date: str
    note: str


def _price_fields(**prices: float) -> dict[str, float]:
    """All of PRICE_FIELDS; those not given are 0."""
    return {field: prices.get(field, 0.0) for field in PRICE_FIELDS}


# Per token

PRICES_AT: Final = datetime(2026, 11, 1, tzinfo=UTC)
"""The time at which prices are taken."""

NAMED_MODELS: Final = {
    "anthropic": ("claude-opus-4-7", "claude-sonnet-4-6", "claude-haiku-4-5"),
    "openai": ("gpt-5", "gpt-5-mini", "o4-mini", "tts-1", "tts-1-hd", "whisper-1"),
    "google": ("gemini-2.5-pro", "gemini-3.5-flash", "gemini-2.5-flash", "gemini-2.5-flash-lite"),
}
"""Models that the catalogue lists. Other models of these providers in genai-prices are found by their exact id."""

# Charges that depend on neither tokens nor units of a request. A scenario does not count them.
_NOT_COUNTED = {
    "web_searches_kcount": "web searches",
    "storage_searches_kcount": "file searches",
    "input_audio_mtok": "audio input",
    "output_audio_mtok": "audio output",
    "input_image_mtok": "image input",
    "output_image_mtok": "image output",
}


@cache
def token_priced_model(provider: str, model: str) -> CatalogueModel | None:
    """The model with exactly this id, or None. Also None if it has no price per token, request or unit."""
    if provider not in NAMED_MODELS:
        return None
    from importlib.metadata import version

    listed = next((one for one in providers() if one.id == provider), None)
    found = next((one for one in listed.models if one.id == model), None) if listed is not None else None
    if found is None:
        return None
    return _read(provider, found, f"genai-prices {version('genai-prices')}")


@cache
def further_models() -> tuple[CatalogueModel, ...]:
    """The models of these providers in genai-prices that the catalogue does not list, by provider and name."""
    names = sorted(
        (provider.id, info.id)
        for provider in providers()
        if provider.id in NAMED_MODELS
        for info in provider.models
        if info.id not in NAMED_MODELS[provider.id]
    )
    found = (token_priced_model(provider, model) for provider, model in names)
    return tuple(model for model in found if model is not None)


def _read(provider: str, info: "ModelInfo", source: str) -> CatalogueModel | None:
    listed: dict[str, Decimal | TieredPrices] = {
        name: price for name, price in vars(info.get_prices(PRICES_AT)).items() if price is not None
    }
    base = {name: _base_tier(price) for name, price in listed.items()}
    unit, per_unit = _unit_price(base)
    if unit is None and not base.keys() & {"input_mtok", "output_mtok", "requests_kcount"}:
        return None
    per_input = base.get("input_mtok", Decimal(0))
    prices = _price_fields(
        input_per_token=_per_token(per_input),
        cached_input_per_token=_per_token(base.get("cache_read_mtok", per_input)),
        cache_write_per_token=_per_token(base.get("cache_write_mtok", per_input)),
        output_per_token=_per_token(base.get("output_mtok", Decimal(0))),
        per_request=float(base.get("requests_kcount", Decimal(0)).scaleb(-3)),
        per_unit=per_unit,
    )
    return CatalogueModel(provider, info.id, prices, unit, source, PRICES_AT.date().isoformat(), _note(listed))


def _base_tier(price: "Decimal | TieredPrices") -> Decimal:
    return price if isinstance(price, Decimal) else price.base


def _per_token(per_million: Decimal) -> float:
    return float(per_million.scaleb(-6))


def _unit_price(base: dict[str, Decimal]) -> tuple[str | None, float]:
    if "input_mchars" in base:
        return "character", float(base["input_mchars"].scaleb(-6))
    hourly = base.get("audio_hours", base.get("input_audio_hours"))
    return (None, 0.0) if hourly is None else ("second of audio", float(hourly / 3600))


def _note(listed: "dict[str, Decimal | TieredPrices]") -> str:
    notes = []
    starts = sorted({tier.start for price in listed.values() if not isinstance(price, Decimal) for tier in price.tiers})
    if starts:
        over = " and ".join(f"{start:,}" for start in starts)
        notes.append(f"the base tier is used; requests of over {over} input tokens have other prices")
    if "cache_write_1h_mtok" in listed:
        notes.append("cache writes are those kept for five minutes")
    left_out = [what for name, what in _NOT_COUNTED.items() if name in listed]
    if left_out:
        notes.append(f"not counted: {', '.join(left_out)}")
    return "; ".join(notes)


# Per unit

_READ_ON: Final = "2026-11-21"

_TABLE = "model_prices_and_context_window.json of LiteLLM 1.109.1, citing "
_BFL_PAGE = "https://docs.bfl.ml/flux_models/flux_1_1_pro"
_BFL_GUIDE = "https://github.com/black-forest-labs/skills (skills/bfl-api/SKILL.md)"
_FAL_ULTRA = "https://fal.ai/docs/model-api-reference/image-generation-api/flux-pro-v1.1-ultra"
_STABILITY = "https://developer.puter.com/tutorials/stability-ai-api-pricing/ (June 2026; 1 credit is 0.01 USD)"

# Provider, model, unit, USD a unit, source, note.
_ROWS: Final = (
    ("black-forest-labs", "flux-2-pro", "image", 0.03, _BFL_GUIDE, "one megapixel; each further one 0.015"),
    ("black-forest-labs", "flux-pro-1.1", "image", 0.04, _BFL_PAGE, ""),
    ("black-forest-labs", "flux-pro-1.1-ultra", "image", 0.06, _BFL_GUIDE, "up to four megapixels"),
    ("fal", "fal-ai/flux/dev", "image", 0.025, _TABLE + "https://fal.ai/models/fal-ai/flux/dev", "one megapixel"),
    ("fal", "fal-ai/flux-pro/v1.1-ultra", "image", 0.06, _FAL_ULTRA, "up to four megapixels"),
    ("recraft", "recraftv3", "image", 0.04, _TABLE + "https://www.recraft.ai/docs#pricing", "raster"),
    ("stability", "stable-image-core", "image", 0.03, _STABILITY, ""),
    ("stability", "sd3.5-large-turbo", "image", 0.04, _STABILITY, ""),
    ("stability", "sd3.5-large", "image", 0.065, _STABILITY, ""),
    ("stability", "stable-image-ultra", "image", 0.08, _STABILITY, ""),
    (
        "google",
        "veo-3.1-generate-001",
        "second of video",
        0.40,
        _TABLE + "https://ai.google.dev/gemini-api/docs/pricing",
        "4K costs more",
    ),
    (
        "google",
        "veo-3.1-fast-generate-001",
        "second of video",
        0.10,
        _TABLE + "https://ai.google.dev/gemini-api/docs/pricing",
        "4K costs more",
    ),
    ("openai", "sora-2", "second of video", 0.10, _TABLE + "https://developers.openai.com/api/docs/pricing", "720p"),
    (
        "openai",
        "sora-2-pro",
        "second of video",
        0.30,
        _TABLE + "https://developers.openai.com/api/docs/pricing",
        "720p; higher resolutions cost more",
    ),
    ("runway", "gen4_turbo", "second of video", 0.05, _TABLE + "https://docs.dev.runwayml.com/guides/pricing/", ""),
    ("runway", "gen4.5", "second of video", 0.12, _TABLE + "https://docs.dev.runwayml.com/guides/pricing/", ""),
    (
        "elevenlabs",
        "eleven_multilingual_v2",
        "character",
        8e-5,
        _TABLE + "https://elevenlabs.io/pricing/api",
        "",
    ),
    (
        "elevenlabs",
        "eleven_flash_v2_5",
        "character",
        4e-5,
        _TABLE + "https://elevenlabs.io/pricing/api",
        "",
    ),
    ("amazon-polly", "standard", "character", 4e-6, _TABLE + "https://aws.amazon.com/polly/pricing/", ""),
    ("amazon-polly", "neural", "character", 1.6e-5, _TABLE + "https://aws.amazon.com/polly/pricing/", ""),
)


@cache
def unit_priced_models() -> tuple[CatalogueModel, ...]:
    return tuple(
        CatalogueModel(provider, model, _price_fields(per_unit=usd), unit, source, _READ_ON, note)
        for provider, model, unit, usd, source, note in _ROWS
    )
