"""Paths that begin too deep: `--set rate=5/s`, and the whole path that is most likely meant."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from des.scenario.text.names import mapping, models_of
from des.scenario.text.other_units import in_our_units
from des.scenario.text.other_words import our_key
from des.scenario.text.places import Path
from des.scenario.text.right_forms import as_text, with_own

_PROVIDER: Final = "the first provider"
_MODEL: Final = "its first model"
_ABOVE: Final[Mapping[str, Path]] = {
    **dict.fromkeys(("arrivals", "tokens", "units", "requirements"), ("workload",)),
    **dict.fromkeys(("rate", "profile", "cv", "users", "think"), ("workload", "arrivals")),
    **dict.fromkeys(("input", "output"), ("workload", "tokens")),
    **dict.fromkeys(("availability", "episodes_per_year", "incidents", "limits", "capacity"), ("providers", _PROVIDER)),
    **dict.fromkeys(("requests", "concurrency", "burst"), ("providers", _PROVIDER, "limits")),
    **dict.fromkeys(("latency", "errors", "price", "quality"), ("providers", _PROVIDER, "models", _MODEL)),
    **dict.fromkeys(("server_error", "overloaded"), ("providers", _PROVIDER, "models", _MODEL, "errors")),
    **dict.fromkeys(
        (
            *("retries", "timeout", "rounds", "deadline", "retry_on", "fallback_on", "retry_after", "preset"),
            *("backoff", "retry_backoff", "round_backoff", "hedge", "breaker", "cooldown", "ejection", "probes"),
            *("shaping", "bulkhead", "retry_budget", "ramp", "routing", "billing", "application", "response_cache"),
        ),
        ("policy",),
    ),
    **dict.fromkeys(("lost_request", "downtime"), ("value",)),
    **dict.fromkeys(("members", "fraction"), ("common_cause",)),
    **dict.fromkeys(("minimise", "maximise", "subject_to"), ("optimise",)),
}
"""Where a key stands that is none of the whole scenario."""


def whole_path(path: Sequence[str | int], content: Mapping[str, Any]) -> Path | None:
    """The path from the top of the scenario; None if nothing is known of it."""
    first = str(path[0])
    for section in ("providers", "components"):
        if first in mapping(content.get(section)):
            return (section, *path)
    key = first if first in _ABOVE else our_key(first, _ABOVE)
    if key is None:
        return None
    providers = list(mapping(content.get("providers")))
    provider = providers[0] if providers else "openai"
    model = next(iter(models_of(content, provider)), "gpt-5-mini")
    names = {_PROVIDER: provider, _MODEL: model}
    return (*(names.get(str(part), part) for part in _ABOVE[key]), key, *path[1:])


def as_meant(path: Path, value: str) -> str:
    """A value as it is to be written at a path: in its right form, and in our units."""
    if own := with_own(path, value):
        return own
    return in_our_units(value) if value[:1].isdigit() else value


def nested(path: Path, value: object) -> str:
    """A value below the keys of a path, as a file has it: `workload: {arrivals: {rate: 5/s}}`."""
    text = _as_written(path, value)
    for part in reversed(path[1:]):
        text = f"{{{part}: {text}}}"
    return f"{path[0]}: {text}"


def _as_written(path: Path, value: object) -> str:
    if isinstance(value, str | int | float):
        return as_meant(path, as_text(value))
    if isinstance(value, dict) and all(isinstance(each, str | int | float) for each in value.values()):
        return f"{{{', '.join(f'{key}: {as_text(each)}' for key, each in value.items())}}}"
    return "..."
