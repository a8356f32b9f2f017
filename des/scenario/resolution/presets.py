"""Expansion of presets: `policy.preset` and named clients become the fields that they stand for.

Fields written beside a preset override it one by one, at any depth. `null` removes a field.
"""

import copy
from collections.abc import Iterator, Mapping
from typing import Any, Final

from des.catalogue.presets import preset
from des.scenario.text.names import at, chain_legs, is_group, items, mapping
from des.scenario.text.places import Path, path_text
from des.scenario.text.problems import Finding

_LAYER: Final = {
    "retries": "retries",
    "retry_on": "retry_on",
    "backoff": "backoff",
    "retry_backoff": "backoff",
    "retry_after": "retry_after",
    "timeout": "attempt_timeout",
    "deadline": "timeout",
}
"""Fields that a client inside a call takes from a preset's policy -> their names in the client."""
_HARMLESS: Final = ("fallback_on", "round_backoff")
_TELLING: Final = ("kind", "mode")
_JITTERED: Final = ("spread", "low", "high")


def with_presets(content: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[Finding]]:
    """The content with presets expanded, and findings for presets that are unknown or do not fit."""
    findings: list[Finding] = []
    named = [path for path in _layers(content) if _preset_of(at(content, path)) is not None]
    if not named and not isinstance(mapping(content.get("policy")).get("preset"), str):
        return content, findings
    expanded = copy.deepcopy(dict(content))
    for path in named:
        at(expanded, path[:-1])[path[-1]] = _layer(at(content, path), path, findings)
    policy = expanded.get("policy")
    if isinstance(policy, dict) and isinstance(policy.get("preset"), str):
        own = {key: value for key, value in policy.items() if key != "preset"}
        of_preset = _policy_of(policy["preset"], ("policy", "preset"), findings)
        expanded["policy"] = _overriding(_without_rivals(of_preset, own), own)
    return expanded, findings


def at_the_preset(finding: Finding, written: Mapping[str, Any], expanded: Mapping[str, Any]) -> Finding:
    """Moves a finding on a field of a preset to the place where the preset is named."""
    path = finding.path
    if written is expanded or not _exists(expanded, path) or _exists(written, path):
        return finding
    for length in range(len(path) - 1, 0, -1):
        place = at(written, path[:length])
        if _preset_of(place) is not None:
            named: Path = (*path[:length], "preset") if isinstance(place, dict) else path[:length]
            return Finding(named, f"{path_text(path)} of the preset: {finding.message}")
    return finding


def _exists(content: Mapping[str, Any], path: Path) -> bool:
    above = at(content, path[:-1])
    last = path[-1] if path else None
    return last in above if isinstance(above, dict) else isinstance(last, int) and last < len(items(above))


def _preset_of(value: object) -> str | None:
    name = value if isinstance(value, str) else mapping(value).get("preset")
    return name if isinstance(name, str) else None


def _layers(content: Mapping[str, Any]) -> Iterator[Path]:
    """Paths of the clients inside calls."""
    places: list[Path] = [("policy",)]
    chain = items(content.get("chain"))
    places += [("chain", position) for position, entry in enumerate(chain) if is_group(entry)]
    places += [("chain", *path) for path, _ in chain_legs(chain)]
    for place in places:
        for position, _ in enumerate(items(mapping(at(content, place)).get("clients"))):
            yield (*place, "clients", position)


def _policy_of(name: str, path: Path, findings: list[Finding]) -> dict[str, Any]:
    try:
        policy = dict(preset(name).policy)
    except LookupError as error:
        findings.append(Finding(path, str(error.args[0])))
        return {}
    if isinstance(policy.get("timeout"), str):
        policy["timeout"] = {"total": policy["timeout"]}
    return policy


def _layer(value: Any, path: Path, findings: list[Finding]) -> dict[str, Any]:
    own = {key: each for key, each in value.items() if key != "preset"} if isinstance(value, dict) else {}
    name = _preset_of(value) or ""
    here = path if isinstance(value, str) else (*path, "preset")
    policy = _policy_of(name, here, findings)
    beyond = [field for field in policy if field not in _LAYER and field not in _HARMLESS]
    if beyond:
        message = f"a client inside a call only retries, but '{name}' also has {', '.join(beyond)}: use it as "
        findings.append(Finding(here, f"{message}policy: {{preset: {name}}}, or write the retries of this client"))
        return own
    layer: dict[str, Any] = _overriding({_LAYER[field]: each for field, each in policy.items() if field in _LAYER}, own)
    return layer


def _without_rivals(policy: dict[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The preset's policy without back-offs that compete with those written beside it."""
    parts = ("retry_backoff", "round_backoff")
    if "backoff" in own:
        return {field: value for field, value in policy.items() if field not in parts}
    if "backoff" in policy and any(part in own for part in parts):
        both = policy.pop("backoff")
        rounds = {field: each for field, each in both.items() if field != "throttled"} if mapping(both) else both
        return {"retry_backoff": both, "round_backoff": rounds, **policy}
    return policy


def _overriding(base: Any, own: Any) -> Any:
    """Mappings merge; other values replace. A mapping of another kind or mode replaces too."""
    if not isinstance(base, dict) or not isinstance(own, dict):
        return copy.deepcopy(own)
    if any(key in own and own[key] != base.get(key) for key in _TELLING):
        return copy.deepcopy(own)
    kept = dict(base)
    if own.get("jitter", base.get("jitter")) != base.get("jitter"):
        kept = {key: value for key, value in kept.items() if key not in _JITTERED}
    for key, value in own.items():
        kept[key] = _overriding(kept.get(key), value)
    return kept
