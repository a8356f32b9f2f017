"""What to write where a mapping or a list is wanted and something else is given: an example for each key."""

import re
from collections.abc import Callable
from typing import Any, Final

from des.catalogue.naming import listed_names
from des.catalogue.presets import preset
from des.scenario.text.names import is_named, mapping
from des.scenario.text.other_units import in_our_units
from des.scenario.text.places import Path
from des.scenario.text.units import read_count, read_duration, read_rate, read_share, read_usd, shown
from des.vocabulary import ATTEMPT_OUTCOMES, METRICS

_DAY: Final = "[1, 1, 1, 1, 1, 1, 1, 1, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 1, 1, 1, 1, 1, 1]"
_OUTAGES: Final = "[{kind: poisson, rate: 2/y, duration: 1h}]"
_BACKOFF: Final = "{kind: exponential, base: 500ms, factor: 2, cap: 8s}"
_OUTCOMES: Final = "[timeout, server_error, rate_limited]"

EXAMPLES: Final = {
    "workload": "{arrivals: {kind: poisson, rate: 10/s}}",
    "arrivals": "{kind: poisson, rate: 10/s}",
    "profile": f"{{hours: {_DAY}}}",
    "hours": _DAY,
    "days": "[1, 1, 1, 1, 1, 0.5, 0.5]",
    "weights": "[1, 1, 2, 3, ...] of 168 numbers, one an hour from Monday 00:00 UTC on",
    "tokens": "{input: 1000, output: 300}",
    "requirements": "[{share: 20%, tags: {region: eu}}]",
    "tags": "{region: eu}",
    "columns": "{time: timestamp}",
    "incidents.columns": "{start: started_at, end: resolved_at}",
    "where": "{status: resolved}",
    "values": "[1s, 2s, 5s]",
    "parts": "[{weight: 9, of: 2s}, {weight: 1, of: 20s}]",
    "components": f"{{cdn: {{incidents: {_OUTAGES}}}}}",
    "components.*": f"{{incidents: {_OUTAGES}}}",
    "depends_on": "[cdn, {dns: 80%}]",
    "incidents": _OUTAGES,
    "windows": "[{start: 30min, duration: 20min}]",
    "effect": "{error_rate: 100%}",
    "effects": "{major: {error_rate: 100%}}",
    "providers": "{openai: {models: {gpt-5-mini: {latency: 2s}}}}",
    "providers.*": "{models: {gpt-5-mini: {latency: 2s}}}",
    "models": "{gpt-5-mini: {latency: 2s}}",
    "models.*": "{latency: 2s}",
    "errors": "{server_error: 0.2%}",
    "mid_stream": "{rate: 1%}",
    "price": "{input_per_mtok: 3, output_per_mtok: 15}",
    "limits": "{requests: 4000/min}",
    "acceleration": "{growth: 1.5, over: 15min, floor: 500/min}",
    "capacity": "{concurrent: 10}",
    "common_cause": "{members: [anthropic, openai], fraction: 10%}",
    "members": "[anthropic, openai]",
    "surge": "{when: openai, to: anthropic, load: 1.4}",
    "budgets": "{team: {legs: [openai], requests: 60/min}}",
    "budgets.*": "{legs: [openai], requests: 60/min}",
    "legs": "[openai]",
    "chain": "[{provider: openai, timeout: 30s}]",
    "chain.legs": "[{provider: openai, timeout: 30s}]",
    "optimise.legs": "{least: 1, most: 3}",
    "breaker": "{kind: consecutive, failures: 5, open: 30s}",
    "counts": _OUTCOMES,
    "cooldown": "{allowed_fails: 3, for: 30s}",
    "on": "[rate_limited]",
    "also_on": "[rate_limited]",
    "counted_only": "[timeout]",
    "ejection": "{consecutive: 5}",
    "hedge": "{after: 2s}",
    "probes": "{every: 1min}",
    "shaping": "{rate: 50/s, queue: 100}",
    "bulkhead": "{concurrent: 10}",
    "retry_budget": "{kind: active, share: 20%}",
    "adaptive_throttling": "{k: 2}",
    "ramp": "{start: 10%, over: 1min, reset_after: 10min}",
    "clients": "[{retries: 2}]",
    "retry_on": _OUTCOMES,
    "application.retry_on": "[failed, rejected]",
    "fallback_on": _OUTCOMES,
    "backoff": _BACKOFF,
    "retry_backoff": _BACKOFF,
    "round_backoff": _BACKOFF,
    "throttled": "{base: 2s}",
    "prompt_cache": "{share: 50%, ttl: 5min}",
    "silent_rot": "{time_to_rot: 90d, repair: 1d}",
    "response_cache": "{kind: share, hit_rate: 20%}",
    "application": "{retries: 1}",
    "policy": "{retries: 2, timeout: 30s}",
    "arms": "{primary_only: {chain: [openai]}}",
    "arms.*": "{chain: [openai]}",
    "objective": "{availability: 99.95%, per: month}",
    "value": "{lost_request: $0.10}",
    "optimise": "{minimise: cost_usd_per_request}",
    "subject_to": '{availability: ">= 99.95%"}',
    "among": "[openai]",
    "over": "{policy.rounds: [1, 2, 3]}",
    "over.*": "[1, 2, 3]",
    "expect": '{availability: ">= 99.95%"}',
    "expect.*": '">= 99.95%"',
}
"""Values of keys; `parent.key` where the same key is another one elsewhere, `key.*` of a name below it."""


def _read_usd_per_time(text: str) -> None:
    usd, _, time = text.rpartition("/")
    read_usd(usd)
    read_rate(f"1/{time}")


_Own = tuple[Callable[[str], object], str, str]
_OWN: Final[dict[str, tuple[_Own, ...]]] = {
    "arrivals": ((read_rate, "", "{kind: poisson, rate: $}"),),
    "limits": ((read_rate, "/min", "{requests: $}"),),
    "incidents": ((read_rate, "/y", "{kind: poisson, rate: $, duration: 1h}"),),
    "shaping": ((read_rate, "/s", "{rate: $, queue: 100}"),),
    "objective": ((read_share, "%", "{availability: $, per: month}"),),
    "errors": ((read_share, "%", "{server_error: $}"),),
    "retry_budget": ((read_share, "%", "{kind: active, share: $}"),),
    "common_cause": ((read_share, "%", "{members: [anthropic, openai], fraction: $}"),),
    "value": ((read_usd, "", "{lost_request: $}"), (_read_usd_per_time, "", "{downtime: $}")),
    "hedge": ((read_duration, "s", "{after: $}"),),
    "cooldown": ((read_duration, "s", "{allowed_fails: 3, for: $}"),),
    "probes": ((read_duration, "s", "{every: $}"),),
    "bulkhead": ((lambda text: read_count(int(text)), "", "{concurrent: $}"),),
    "capacity": ((lambda text: read_count(int(text)), "", "{concurrent: $}"),),
    "application": ((lambda text: read_count(int(text)), "", "{retries: $}"),),
    "expect.*": ((read_share, "", '">= $"'), (read_duration, "", '"< $"'), (read_usd, "", '"< $"')),
}
"""Keys whose example has the author's own quantity: how it is read, the unit that it most likely has where none is
written, and the example with `$` in its place.
"""
_LISTED: Final = frozenset({"depends_on", "among", "legs"})
"""Lists of names, of which the author may have written one alone."""
_HANDLED: Final = frozenset({"counts", "on", "also_on", "counted_only", "retry_on", "fallback_on"})
"""Lists of outcomes and statuses."""
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_STATUS: Final = re.compile(r"[45]([0-9]{2}|xx)")
_BOUND: Final = re.compile(r"([0-9.]+)\s*([a-z]*)")
_SPELL: Final = re.compile(r"([0-9]{1,2})(?::00)?(?:\s*-\s*([0-9]{1,2})(?::00)?)?")
"""Hours of the day: 9, 9-17, 09:00-17:00."""


def as_text(value: object) -> str:
    """A scalar as its author wrote it; a number without measure is cut short."""
    return value if isinstance(value, str) else shown(value)


def example_of(path: Path) -> str:
    """An example of what may stand at a path; empty where none is known."""
    return _entry(EXAMPLES.get(_key(path), ""), path)


def with_own(path: Path, value: object) -> str:
    """The right form at a path with the author's own quantity or name in it; empty if it is none that fits there."""
    if path[:1] == ("expect",) and isinstance(value, dict):
        return ", ".join(
            f'{path[-1]}.{metric}: "{as_text(said)}"' for metric, said in value.items() if metric in METRICS
        )
    return _entry(_of_own(_key(path), value), path)


def misshapen(expected: str, value: object, path: Path) -> str:
    """The message on a value of another shape than `expected`: with the author's own quantity in the right form, or
    with an example.
    """
    own, example = with_own(path, value), example_of(path)
    if expected == "a list" and (own or example).startswith("{"):
        expected = "a mapping"  # a list of one is written without brackets
    if own:
        return f"expected {expected}; got {shown(value)}: write {own}"
    return f"expected {expected}{f' such as {example}' if example else ''}; got {shown(value)}"


def _entry(example: str, path: Path) -> str:
    """The example of a list, or of its entry where the path is that of one."""
    is_entry = path and isinstance(path[-1], int) and example.startswith("[")
    return example[1:-1] if is_entry else example


def spread_of(value: object) -> str:
    """The end of a message on two bounds in place of a distribution: `500-1500`, `[1s, 2s]`; empty for all others."""
    bounds = re.split(r"\s*(?:-|–|\bto\b)\s*", value.strip()) if isinstance(value, str) else value
    if not isinstance(bounds, list) or len(bounds) != 2:
        return ""
    low, high = (_BOUND.fullmatch(as_text(bound)) for bound in bounds)
    if low is None or high is None:
        return ""
    return f": write {{kind: uniform, low: {low[1]}{low[2] or high[2]}, high: {high[1]}{high[2]}}}"


def _key(path: Path) -> str:
    """The key of EXAMPLES for a path."""
    words = [str(part) for part in path if not isinstance(part, int)]
    if len(words) > 1 and (is_named(tuple(words[:-1])) or words[-2] in ("expect", "subject_to", "over")):
        of_names = {"subject_to": "expect"}.get(words[-2], words[-2])
        return f"{of_names}.*"
    beside = ".".join(words[-2:])
    return beside if beside in EXAMPLES else ".".join(words[-1:])


def _of_own(key: str, value: object) -> str:
    """The example with the author's own quantity or name; empty if the value is none that fits."""
    if key == "hours" and (weights := _hours(value)):
        return f"{weights}, one weight an hour from 00:00 UTC on"
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    text = as_text(value).strip()
    for read, unit, example in _OWN.get(key, ()) if re.search("[0-9]", text) else ():
        for said in (text, in_our_units(text), f"{text}{unit}"):
            if _can_read(read, said):
                return example.replace("$", said)
    if key in _HANDLED and (text in ATTEMPT_OUTCOMES or _STATUS.fullmatch(text)):
        return f"[{text}]"
    return _of_name(key, text) if _NAME.fullmatch(text) else ""


def _of_name(key: str, name: str) -> str:
    if key in ("chain", "chain.legs"):
        return f"[{name}]" if name in listed_names() else f"[{{provider: {name}}}]"
    if key == "arms.*":
        return f"{{chain: [{name}]}}"
    if key == "policy" and _can_read(preset, name):
        return f"{{preset: {name}}}"
    return f"[{name}]" if key in _LISTED else ""


def _can_read(read: Callable[[str], object], text: str) -> bool:
    try:
        read(text)
    except (ValueError, LookupError):
        return False
    return True


def _hours(value: object) -> str:
    """The 24 weights that `{9-17: 3}` or `9-17` stand for; empty for anything else."""
    weights: dict[str, Any] = {value: 3} if isinstance(value, str) else dict(mapping(value))
    day: list[int | float] = [1] * 24
    for hours, weight in weights.items():
        spell = _SPELL.fullmatch(hours.strip())
        if spell is None or isinstance(weight, bool) or not isinstance(weight, int | float):
            return ""
        begin, end = int(spell[1]), int(spell[2] or int(spell[1]) + 1)
        if max(begin, end) > 24:
            return ""
        for hour in range(begin, end if end > begin else end + 24):
            day[hour % 24] = weight
    return str(day) if weights else ""
