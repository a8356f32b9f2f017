"""The catalogue as `des catalogue` prints it: models with their prices, and the policies of SDKs and gateways."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from des.catalogue import CatalogueModel, models
from des.catalogue.presets import Preset, presets
from des.report.figures import NOTHING, dollars
from des.report.layout import say, table_of

_PER_MTOK: Final = 1e6
_GUARDS: Final = (
    "breaker",
    "cooldown",
    "ejection",
    "retry_budget",
    "adaptive_throttling",
    "hedge",
)
_COLUMNS: Final = ("preset", "kind", "retries", "retried", "back-off", "Retry-After", "timeout", "guards")


def print_catalogue(console: Console) -> None:
    """Models priced by the token, then models priced by the unit, each table with its sources below."""
    listed = models()
    by_token = [model for model in listed if model.unit is None]
    by_unit = [model for model in listed if model.unit is not None]
    if by_token:
        table = table_of("provider", "model")
        for title in ("input", "cached input", "cache write", "output"):
            table.add_column(title, justify="right")
        for model in by_token:
            prices = ("input_per_token", "cached_input_per_token", "cache_write_per_token", "output_per_token")
            cells = (_price(model.price_fields[price] * _PER_MTOK) for price in prices)
            table.add_row(Text(model.provider), Text(model.model), *cells)
        say(console, "USD per million tokens", style="bold")
        console.print(table)
        _print_sources(by_token, console)
    if by_unit:
        table = table_of("provider", "model")
        table.add_column("price", justify="right")
        table.add_column("per", overflow="fold")
        for model in by_unit:
            table.add_row(
                Text(model.provider), Text(model.model), _price(model.price_fields["per_unit"]), Text(model.unit or "")
            )
        say(console, "USD per unit", style="bold")
        console.print(table)
        _print_sources(by_unit, console)
    say(console, "A scenario may override any price, and name models that are not listed.")


def print_presets(console: Console) -> None:
    """A table of every preset, then the source of each and what it does not model."""
    table = table_of()
    for title in _COLUMNS:
        table.add_column(title, overflow="fold", no_wrap=title == "preset")
    for each in presets():
        table.add_row(*map(Text, _row(each)))
    console.print(table)
    console.print()
    for each in presets():
        say(console, f"{each.full_name}: {each.title}", style="bold", whole=True)
        say(console, f"  {each.source}, {each.date}", whole=True)
        for sentence in each.not_modelled:
            say(console, f"  {sentence}", whole=True)
    console.print()
    say(console, "policy: {preset: litellm@1.109} uses one; fields beside it override those of the preset.")


def presets_as_json() -> list[dict[str, Any]]:
    """Every preset with its whole policy, its source and what it does not model."""
    return [
        {
            "name": each.full_name,
            "kind": each.kind,
            "title": each.title,
            "policy": each.policy,
            "source": each.source,
            "date": each.date,
            "not_modelled": list(each.not_modelled),
        }
        for each in presets()
    ]


def _price(value: float) -> Text:
    if value == 0.0:
        return Text(NOTHING)
    value = float(f"{value:.12g}")  # removes the rounding error of a price per token times a million
    decimals = next((d for d in range(2, 13) if round(value, d) == value), 12)
    return Text(dollars(value, decimals))


def _print_sources(listed: list[CatalogueModel], console: Console) -> None:
    for source, date in dict.fromkeys((model.source, model.date) for model in listed):
        say(console, f"  {source}, {date}", whole=True)
    for model in listed:
        if model.note:
            say(console, f"  {model.model}: {model.note}", whole=True)
    console.print()


def _row(preset: Preset) -> tuple[str, ...]:
    policy = preset.policy
    said = {name: policy[name] for name in _GUARDS if name in policy}
    retries = policy.get("retries")
    return (
        preset.full_name,
        preset.kind,
        NOTHING if retries is None else str(retries),
        _words(policy.get("retry_on")) if retries is None or policy.get("retry_on") else NOTHING,
        _backoff(policy.get("backoff")),
        _retry_after(policy.get("retry_after")),
        _timeout(policy),
        "; ".join(f"{_spaced(name)}: {_guard(guard)}" for name, guard in said.items()) or NOTHING,
    )


def _words(words: Sequence[object] | None) -> str:
    return NOTHING if words is None else ", ".join(_spaced(str(word)) for word in words)


def _spaced(word: str) -> str:
    return word.replace("_", " ")


def _backoff(backoff: Any) -> str:
    if not isinstance(backoff, Mapping):
        return NOTHING if backoff is None else str(backoff)
    base, factor = backoff["base"], backoff.get("factor", 2)
    growth = {"exponential": f"{base} x {factor}^k", "envoy": f"{base} x ({factor}^(k+1) - 1)"}
    text = growth.get(backoff["kind"], str(base))
    if "cap" in backoff and not backoff.get("cap_jitter"):
        text = f"min({text}, {backoff['cap']})"
    jitter = {
        "full": " x U",
        "additive": f" + {backoff.get('spread')} x U",
        "scaled": f" x U({backoff.get('low')}, {backoff.get('high')})",
    }
    text += jitter.get(backoff.get("jitter", ""), "")
    if backoff.get("cap_jitter"):
        text = f"min({text}, {backoff['cap']})"
    if throttled := backoff.get("throttled"):
        text += f"; throttled: base {throttled['base']}"
    return text


def _retry_after(rule: Any) -> str:
    if not isinstance(rule, Mapping):
        return NOTHING if rule is None else str(rule)
    parts = [str(rule["mode"])]
    if bounds := [f"{name} {rule[name]}" for name in ("cap", "total") if name in rule]:
        parts += [*bounds, f"above: {rule['above']}"]
    if "spread" in rule:
        parts.append(f"+ {rule['spread']} x U")
    if "on" in rule:
        parts.append(f"on {_words(rule['on'])}")
    return ", ".join(parts)


def _timeout(policy: Mapping[str, Any]) -> str:
    timeout = policy.get("timeout")
    parts = [f"{_spaced(name)} {value}" for name, value in timeout.items()] if isinstance(timeout, Mapping) else []
    if isinstance(timeout, str):
        parts.append(timeout)
    if "deadline" in policy:
        parts.append(f"in all {policy['deadline']}")
    return ", ".join(parts) or NOTHING


def _guard(guard: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{_spaced(name)} {_words(value) if isinstance(value, Sequence) and not isinstance(value, str) else value}"
        if name != "kind"
        else _spaced(str(value))
        for name, value in guard.items()
        if value is not True
    )
