"""List prices per token (and of speech models per unit) from the genai-prices package, at one date.

The package is read at a fixed moment, so its prices, which carry the dates they came into force, do not change under
a scenario as time goes by. It takes a third of a second to import: that is put off until a price is looked up.
"""

from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Final

from des.catalogue.model import CatalogueModel, price_fields

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, TieredPrices

PRICES_AT: Final = datetime(2026, 11, 1, tzinfo=UTC)
"""The moment whose prices are used."""

NAMED_MODELS: Final = {
    "anthropic": ("claude-opus-4-7", "claude-sonnet-4-6", "claude-haiku-4-5"),
    "openai": ("gpt-5", "gpt-5-mini", "o4-mini", "tts-1", "tts-1-hd", "whisper-1"),
    "google": ("gemini-2.5-pro", "gemini-3.5-flash", "gemini-2.5-flash", "gemini-2.5-flash-lite"),
}
"""Models the catalogue lists; every other one that genai-prices has of these providers is found by its exact id."""

# Charges by something else than a request's tokens or units, which a scenario does not count.
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
    """The model of exactly this id, or None; also None where no price of it is per token, request or unit."""
    if provider not in NAMED_MODELS:
        return None
    from importlib.metadata import version

    from genai_prices.data import providers

    listed = next((one for one in providers if one.id == provider), None)
    found = next((one for one in listed.models if one.id == model), None) if listed is not None else None
    if found is None:
        return None
    return _read(provider, found, f"genai-prices {version('genai-prices')}")


def _read(provider: str, info: "ModelInfo", source: str) -> CatalogueModel | None:
    listed: dict[str, Decimal | TieredPrices] = {
        name: price for name, price in vars(info.get_prices(PRICES_AT)).items() if price is not None
    }
    base = {name: _base_tier(price) for name, price in listed.items()}
    unit, per_unit = _unit_price(base)
    if unit is None and not base.keys() & {"input_mtok", "output_mtok", "requests_kcount"}:
        return None
    per_input = base.get("input_mtok", Decimal(0))
    prices = price_fields(
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
