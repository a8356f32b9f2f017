import subprocess
import sys
from datetime import date
from decimal import Decimal

import pytest
from genai_prices.data import providers
from genai_prices.types import TieredPrices

from des.catalogue import PRICE_FIELDS, PRICES_AT, find_model, model_names, models, provider_names
from des.catalogue.list_prices import CatalogueModel
from des.scenario.plan import Price

TEXT_MODELS = [
    ("anthropic", "claude-opus-4-7"),
    ("anthropic", "claude-sonnet-4-6"),
    ("anthropic", "claude-haiku-4-5"),
    ("openai", "gpt-5"),
    ("openai", "gpt-5-mini"),
    ("openai", "o4-mini"),
    ("google", "gemini-2.5-pro"),
    ("google", "gemini-3.5-flash"),
    ("google", "gemini-2.5-flash"),
    ("google", "gemini-2.5-flash-lite"),
]


def found(provider: str, model: str) -> CatalogueModel:
    entry = find_model(provider, model)
    assert entry is not None, (provider, model)
    return entry


def listed_per_mtok(provider: str, model: str) -> dict[str, Decimal]:
    info = next(m for p in providers if p.id == provider for m in p.models if m.id == model)
    prices = vars(info.get_prices(PRICES_AT))
    return {k: v.base if isinstance(v, TieredPrices) else v for k, v in prices.items() if v is not None}


@pytest.mark.parametrize(("provider", "model"), TEXT_MODELS)
def test_token_prices_are_those_of_genai_prices_at_the_pinned_date(provider: str, model: str) -> None:
    listed = listed_per_mtok(provider, model)
    prices = found(provider, model).price_fields
    expected = {
        "input_per_token": listed["input_mtok"],
        "cached_input_per_token": listed["cache_read_mtok"],
        "cache_write_per_token": listed.get("cache_write_mtok", listed["input_mtok"]),
        "output_per_token": listed["output_mtok"],
    }
    for field, per_mtok in expected.items():
        assert prices[field] == float(per_mtok / 10**6), field
        assert prices[field] > 0
    assert prices["per_request"] == prices["per_unit"] == 0.0
    assert found(provider, model).unit is None


def test_a_price_per_million_tokens_is_rounded_once() -> None:
    cached = found("anthropic", "claude-sonnet-4-6").price_fields["cached_input_per_token"]
    assert cached == float(Decimal("0.3") / 10**6) == 3e-7


def test_the_base_tier_is_used_and_said_so() -> None:
    entry = found("google", "gemini-2.5-pro")
    assert entry.price_fields["input_per_token"] == 1.25e-6
    assert "base tier" in entry.note
    assert "200,000" in entry.note
    assert "tier" not in found("google", "gemini-2.5-flash").note


def test_an_absent_cache_price_is_the_input_price() -> None:
    openai = found("openai", "gpt-5").price_fields
    assert openai["cache_write_per_token"] == openai["input_per_token"]
    embedding = found("openai", "text-embedding-3-small").price_fields
    assert embedding["cached_input_per_token"] == embedding["input_per_token"] > 0


def test_models_beyond_the_listed_ones_are_found_by_exact_id() -> None:
    assert "claude-sonnet-4-5" not in model_names("anthropic")
    assert found("anthropic", "claude-sonnet-4-5").price_fields["input_per_token"] == 3e-6


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("anthropic", "claude-sonnet-4-6-typo"),  # genai-prices alone would match it by its beginning
        ("anthropic", "gpt-5"),
        ("opnai", "gpt-5"),
        ("openai", ""),
        ("google", "gemma-3"),  # known, but without a price
        ("fal", "gpt-5"),
    ],
)
def test_what_is_unknown_or_unpriced_is_none(provider: str, model: str) -> None:
    assert find_model(provider, model) is None


def test_every_listed_model_is_priced_sourced_and_dated() -> None:
    entries = models()
    assert [(entry.provider, entry.model) for entry in entries] == [
        (provider, model) for provider in provider_names() for model in model_names(provider)
    ]
    assert set(TEXT_MODELS) <= {(entry.provider, entry.model) for entry in entries}
    for entry in entries:
        assert entry.source
        date.fromisoformat(entry.date)
        assert any(entry.price_fields.values()), entry
        assert all(price >= 0 for price in entry.price_fields.values())
        assert (entry.unit is None) == (entry.price_fields["per_unit"] == 0.0), entry


def test_prices_have_exactly_the_fields_of_a_resolved_price() -> None:
    names = set(Price.model_fields)
    assert set(PRICE_FIELDS) == names
    for entry in models():
        assert set(entry.price_fields) == names
        Price(**entry.price_fields)


def test_images_video_and_speech_are_all_there_by_the_unit() -> None:
    units = {entry.unit for entry in models()}
    assert {"image", "second of video", "second of audio", "character"} <= units
    image_providers = {entry.provider for entry in models() if entry.unit == "image"}
    assert len(image_providers) >= 3


def test_speech_prices_are_per_character_and_per_second() -> None:
    assert found("openai", "tts-1").price_fields["per_unit"] == 15e-6
    whisper = listed_per_mtok("openai", "whisper-1")["audio_hours"]
    assert found("openai", "whisper-1").price_fields["per_unit"] == float(whisper / 3600)


def test_listing_names_does_not_import_the_price_table() -> None:
    code = (
        "import sys, des.catalogue as c; c.provider_names(); c.model_names('openai'); "
        "c.find_model('fal', 'fal-ai/flux/dev'); assert 'genai_prices' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_price_table_leaves_out_what_fetches_another() -> None:
    code = (
        "import sys; from des.catalogue.price_table import providers; assert len(providers()) > 20; "
        "import genai_prices; assert 'httpx2' not in sys.modules, set(sys.modules); "
        "fetching = genai_prices.update_prices; updater = genai_prices.UpdatePrices(); import httpx2; "
        "assert type(updater.request_timeout) is httpx2.Timeout; assert fetching.httpx2.get is httpx2.get; "
        "import httpx2._client"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_price_table_leaves_modules_alone_that_are_imported_already() -> None:
    code = (
        "import httpx2, sys; from des.catalogue.price_table import providers; providers(); "
        "assert sys.modules['httpx2'] is httpx2; "
        "import genai_prices; assert genai_prices.update_prices.httpx2 is httpx2"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
