"""List prices of image, video and speech models that are billed by the unit they make.

genai-prices has few of these. Each row names the provider's own page, or the price table that carries the figure and
the page it cites, and the day on which that was read.
"""

from functools import cache
from typing import Final

from des.catalogue.model import CatalogueModel, price_fields

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
        "4K is dearer",
    ),
    (
        "google",
        "veo-3.1-fast-generate-001",
        "second of video",
        0.10,
        _TABLE + "https://ai.google.dev/gemini-api/docs/pricing",
        "4K is dearer",
    ),
    ("openai", "sora-2", "second of video", 0.10, _TABLE + "https://developers.openai.com/api/docs/pricing", "720p"),
    (
        "openai",
        "sora-2-pro",
        "second of video",
        0.30,
        _TABLE + "https://developers.openai.com/api/docs/pricing",
        "720p; higher resolutions are dearer",
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
        CatalogueModel(provider, model, price_fields(per_unit=usd), unit, source, _READ_ON, note)
        for provider, model, unit, usd, source, note in _ROWS
    )
