"""What is assumed of a model until its own figures are known; `failures` has how often providers fail.

`des new`, the service and a chain that names a model without its provider all take these values, and say so.
"""

from typing import Any, Final

SERVER_ERROR: Final = "0.2%"
"""The share of calls that fail at random."""

LATENCY_SOURCE: Final = "assumed, as in the shipped scenarios: measure your own"
STREAMED: Final = {"first_token": {"kind": "lognormal", "median": "900ms", "p99": "4s"}, "tokens_per_second": 60}
"""Latency of a model with a price per token."""
_FASTER: Final = {
    "gpt-5-mini": ("700ms", "4s", 80),
    "claude-haiku-4-5": ("800ms", "4s", 120),
    "gemini-2.5-flash": ("500ms", "3s", 150),
}
"""Models that shipped scenarios assume to be faster: median and 99th percentile to the first token, tokens a second."""
WHOLE: Final = {"kind": "lognormal", "median": "8s", "p95": "20s"}
"""Latency of a model with a price per image, second or character, whose answer comes in one piece."""

INPUT_TOKENS: Final = {"kind": "lognormal", "median": 1020, "p99": 4142}
OUTPUT_TOKENS: Final = {"kind": "lognormal", "median": 129, "p99": 601}
"""Of AzureLLMInferenceTrace_conv of 2023-11-16 (Azure public data set, CC-BY 4.0; Patel et al., ISCA 2024)."""


def latency(unit: str | None) -> dict[str, Any]:
    """The latency assumed of a model, by what its price counts (None: tokens)."""
    return dict(STREAMED if unit is None else WHOLE)


def latency_of(model: str, unit: str | None) -> dict[str, Any]:
    """The latency assumed of a model by its name, as in the shipped scenarios, or by what its price counts."""
    if model not in _FASTER:
        return latency(unit)
    median, p99, speed = _FASTER[model]
    return {"first_token": {"kind": "lognormal", "median": median, "p99": p99}, "tokens_per_second": speed}
