"""What the catalogue knows about a model: its prices, and where and when they were read."""

from dataclasses import dataclass
from typing import Final

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
    """A model on a provider's list price.

    `price_fields` holds all of PRICE_FIELDS, in USD. `unit` is what `per_unit` counts ("image", "second of video",
    "second of audio", "character"), None where nothing is priced by the unit. `date` (ISO) is the day the price
    was in force or read, `source` where it stands.
    """

    provider: str
    model: str
    price_fields: dict[str, float]
    unit: str | None
    source: str
    date: str
    note: str


def price_fields(**prices: float) -> dict[str, float]:
    """All of PRICE_FIELDS, those not given at 0."""
    return {field: prices.get(field, 0.0) for field in PRICE_FIELDS}
