"""Keys known from SDKs, gateways and load tests, and what a scenario writes instead."""

import re
from collections.abc import Collection
from typing import Final

_WRITTEN: Final = re.compile(r"[0-9]+(\.[0-9]+)?")
_Ours = tuple[tuple[str, str], ...]
"""Our keys, each with an example of its use. The first that may stand at the place of the unknown key is meant."""

_RETRIES: Final[_Ours] = (("retries", "retries: 2"),)
_ATTEMPTS: Final[_Ours] = (("retries", "retries: 2 for three attempts"),)
_TIMEOUT: Final[_Ours] = (("timeout", "timeout: 30s"), ("total", "total: 30s"))
_REQUESTS: Final[_Ours] = (("requests", "requests: 60/min"), ("limits", "limits: {requests: 60/min}"))
_DAILY: Final[_Ours] = (("requests", "requests: 1000/d"), ("limits", "limits: {requests: 1000/d}"))
_TOKENS: Final[_Ours] = (("tokens", "tokens: 100000/min"), ("limits", "limits: {tokens: 100000/min}"))
_CONCURRENCY: Final[_Ours] = (
    ("concurrency", "concurrency: 10"),
    ("limits", "limits: {concurrency: 10}"),
    ("bulkhead", "bulkhead: {concurrent: 10}"),
)
_RATE: Final[_Ours] = (("rate", "rate: 10/s"), ("arrivals", "arrivals: {kind: poisson, rate: 10/s}"))
_BASE: Final[_Ours] = (("base", "base: 500ms"), ("backoff", "backoff: {kind: exponential, base: 500ms, factor: 2}"))
_CAP: Final[_Ours] = (("cap", "cap: 8s"),)
_FACTOR: Final[_Ours] = (("factor", "factor: 2"),)
_AVAILABILITY: Final[_Ours] = (("availability", "availability: 99.5% and episodes_per_year: 10"),)
_FALLBACKS: Final[_Ours] = (("chain", "chain: [first-model, second-model]"),)
_HORIZON: Final[_Ours] = (("horizon", "horizon: 1y"),)
_COOLDOWN: Final[_Ours] = (("for", "for: 30s"), ("cooldown", "cooldown: {for: 30s}"))

_HOURS: Final[_Ours] = (("hours", "hours: [1, 1, ...], 24 weights from 00:00 UTC on"),)

_OURS: Final[dict[str, _Ours]] = {
    "rpm": _REQUESTS,
    "requests_per_minute": _REQUESTS,
    "rpm_limit": _REQUESTS,
    "rpd": _DAILY,
    "requests_per_day": _DAILY,
    "tpm": _TOKENS,
    "tokens_per_minute": _TOKENS,
    "tpm_limit": _TOKENS,
    "max_parallel_requests": _CONCURRENCY,
    "max_concurrency": _CONCURRENCY,
    "max_connections": _CONCURRENCY,
    "retry": (("retries", "retries"),),
    "max_retries": _RETRIES,
    "num_retries": _RETRIES,
    "retry_count": _RETRIES,
    "attempts": _ATTEMPTS,
    "max_attempts": _ATTEMPTS,
    "timeout_ms": _TIMEOUT,
    "timeout_s": _TIMEOUT,
    "timeout_seconds": _TIMEOUT,
    "request_timeout": _TIMEOUT,
    "stream_timeout": (("first_token", "first_token: 10s"), ("timeout", "timeout: {first_token: 10s}")),
    "connect_timeout": (("connect", "connect: 5s"), ("timeout", "timeout: {connect: 5s}")),
    "cooldown_time": _COOLDOWN,
    "allowed_fails": (("cooldown", "cooldown: {allowed_fails: 3, for: 5s}"),),
    "qps": _RATE,
    "rps": _RATE,
    "requests_per_second": _RATE,
    "initial_backoff": _BASE,
    "initial_delay": _BASE,
    "base_delay": _BASE,
    "retry_delay": _BASE,
    "max_backoff": _CAP,
    "max_delay": _CAP,
    "multiplier": _FACTOR,
    "exponential_base": _FACTOR,
    "uptime": _AVAILABILITY,
    "sla": _AVAILABILITY,
    "slo": (("objective", "objective: {availability: 99.9%, per: month}"), *_AVAILABILITY),
    "mtbf": (("mttf", "mttf: 30d and mttr: 2h"),),
    "fallbacks": _FALLBACKS,
    "fallback": _FALLBACKS,
    "models": _FALLBACKS,
    "model_list": _FALLBACKS,
    "sim_time": _HORIZON,
    "duration": _HORIZON,
    **dict.fromkeys(("day", "night", "daytime", "nighttime", "day_night", "hour", "hourly"), _HOURS),
    "p50": (("median", "median"),),
    "p_50": (("median", "median"),),
}

_BY_PROVIDER: Final = "limits belong to a provider or a model: providers: {{openai: {{limits: {{{}}}}}}}"
_BY_CLIENT: Final = "{0} belong to the client: policy: {{{1}}}, or the same key of an entry of the chain"
_ELSEWHERE: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    **dict.fromkeys(
        ("rpm", "requests_per_minute", "rpm_limit", "requests"),
        (("retries", "providers"), _BY_PROVIDER.format("requests: 60/min")),
    ),
    **dict.fromkeys(
        ("tpm", "tokens_per_minute", "tpm_limit", "tokens"),
        (("retries", "providers"), _BY_PROVIDER.format("tokens: 100000/min")),
    ),
    "limits": (("retries",), _BY_PROVIDER.format("requests: 60/min")),
    **dict.fromkeys(
        ("retry", "retries", "max_retries", "num_retries", "retry_count"),
        (("models", "providers", "latency"), _BY_CLIENT.format("retries", "retries: 2")),
    ),
    **dict.fromkeys(
        ("timeout", "timeout_ms", "timeout_s", "timeout_seconds", "request_timeout"),
        (("models", "providers", "latency"), _BY_CLIENT.format("time-outs", "timeout: 30s")),
    ),
}
"""Words that have no place where they stand: the keys that tell such a place, and where they belong."""


_COUNTED: Final = frozenset(
    {
        *("rpm", "requests_per_minute", "rpm_limit", "rpd", "requests_per_day"),
        *("tpm", "tokens_per_minute", "tpm_limit", "qps", "rps", "requests_per_second"),
        *("max_parallel_requests", "max_concurrency", "max_connections"),
        *("max_retries", "num_retries", "retry_count", "timeout_s", "timeout_seconds", "request_timeout"),
    }
)
"""Words whose number is that of our example, in the same unit."""

_KINDS: Final = dict.fromkeys(
    ("daily", "diurnal", "day_night", "weekly", "seasonal", "sinusoidal", "sine", "profile", "hourly"),
    ("poisson", "for day and night write kind: poisson, and profile: {hours: [1, 1, ...]} of 24 weights"),
)
"""Words for a kind that a field of another kind gives: that kind, and what to write."""


def other_kind(word: str, known: Collection[str]) -> str:
    """The end of a message on a kind that there is in other words; empty for all others."""
    kind, words = _KINDS.get(_folded(word), ("", ""))
    return f"; {words}" if {kind, "closed"} <= {*known} else ""


def belonging_elsewhere(word: str, known: Collection[str], value: object = None) -> str:
    """The end of a message on a word that belongs to another part of a scenario; empty for all others."""
    places, words = _ELSEWHERE.get(_folded(word), ((), ""))
    return f"; {_with_number(word, words, value)}" if any(place in known for place in places) else ""


def our_key(word: str, known: Collection[str]) -> str | None:
    """Our key for another program's word, where it may stand; None if there is none."""
    return next((key for key, _ in _OURS.get(_folded(word), ()) if key in known), None)


def in_our_words(word: str, known: Collection[str], value: object = None) -> str:
    """The end of a message that says what a scenario writes instead, with the value; empty if that is not known."""
    for key, example in _OURS.get(_folded(word), ()):
        if key in known:
            return (
                f"; did you mean '{key}'?" if example == key else f"; here it is {_with_number(word, example, value)}"
            )
    return ""


def _with_number(word: str, example: str, value: object) -> str:
    """The example with the author's own number, where it counts the same."""
    text = "" if isinstance(value, bool) else str(value).strip()
    if _folded(word) not in _COUNTED or not _WRITTEN.fullmatch(text):
        return example
    return _WRITTEN.sub(text, example, count=1)


def _folded(word: str) -> str:
    return word.casefold().replace("-", "_")
