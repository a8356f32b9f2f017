"""The catalogue as `des catalogue` prints it: models with their prices and what is assumed of them, and policies."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from des.catalogue import CatalogueModel, assumed, models
from des.catalogue.failures import failure_figures
from des.catalogue.list_prices import further_models
from des.catalogue.presets import Preset
from des.report.figures import NOTHING, dollars
from des.report.layout import say, say_indented, table_of

_PER_MTOK: Final = 1e6
_GUARDS: Final = (
    "breaker",
    "cooldown",
    "ejection",
    "retry_budget",
    "adaptive_throttling",
    "hedge",
)
_LABELS: Final = ("retries", "retried", "back-off", "Retry-After", "timeout")
_LABEL_WIDTH: Final = 15
_GUARD_LABELS: Final = {"adaptive_throttling": "throttling"}
"""Labels of guards whose names are too long for the column."""


def print_catalogue(console: Console) -> None:
    """All listed models, and how many more are known."""
    print_models(models(), console)
    more = len(further_models())
    say(
        console,
        f"{more} more models of Anthropic, OpenAI and Google are known by name: des catalogue NAME. A scenario may "
        "override any price, and name models that are not known if it has their price.",
    )


def print_models(listed: Sequence[CatalogueModel], console: Console) -> None:
    """Models priced by the token, models priced by the unit, then how fast and how often down they are taken to be.

    Each table has its sources below.
    """
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
    _print_latencies(listed, console)
    _print_failures(listed, console)


def models_as_json(listed: Sequence[CatalogueModel]) -> list[dict[str, Any]]:
    """Every model with its prices, the latency that is assumed of it, and the outages of its provider."""
    return [
        {
            **asdict(model),
            "latency": assumed.latency_of(model.model, model.unit),
            "latency_source": assumed.LATENCY_SOURCE,
            "failures": asdict(failure_figures(model.provider)),
        }
        for model in listed
    ]


def _print_latencies(listed: Sequence[CatalogueModel], console: Console) -> None:
    """What `des new` and the service assume of how long answers take, a line for all models with the same."""
    alike: dict[str, list[str]] = {}
    for model in listed:
        names = alike.setdefault(_latency(model), [])
        if (name := model.model if model.unit is None else "models priced by the unit") not in names:
            names.append(name)
    say(console, "Latency, until yours is known", style="bold")
    for text, names in alike.items():
        say_indented(console, f"{text}: {', '.join(names)}", indent="  ", inside="    ")
    say_indented(console, assumed.LATENCY_SOURCE, indent="  ")
    console.print()


def _latency(model: CatalogueModel) -> str:
    latency = assumed.latency_of(model.model, model.unit)
    if "first_token" not in latency:
        return f"whole answer {latency['median']} (95th percentile {latency['p95']})"
    first = latency["first_token"]
    return (
        f"first token {first['median']} (99th percentile {first['p99']}), then {latency['tokens_per_second']} tokens/s"
    )


def _print_failures(listed: Sequence[CatalogueModel], console: Console) -> None:
    found = {model.provider: failure_figures(model.provider) for model in listed}
    table = table_of("provider")
    for title in ("availability", "outages a year"):
        table.add_column(title, justify="right")
    if any(figures.assumed for figures in found.values()):
        table.add_column("source")
    sources: dict[str, list[str]] = {}
    for provider, figures in found.items():
        share = f"{100.0 * figures.availability:.12g} %"
        says = ["placeholder" if figures.assumed else "below"] if len(table.columns) > 3 else []
        table.add_row(Text(provider), share, f"{figures.episodes_per_year:g}", *says)
        sources.setdefault(f"{figures.source} ({figures.date})", []).append(provider)
    say(console, "Outages, until yours are known: those of shared causes among them", style="bold")
    console.print(table)
    for source, names in sources.items():
        say_indented(console, f"{', '.join(names)}: {source}", indent="  ", inside="    ")
    say_indented(console, "des fit HISTORY --into FILE puts your own history in their place", indent="  ")
    console.print()


def print_presets(listed: Sequence[Preset], console: Console) -> None:
    """A block for each preset: what it does, where that was read, and what it leaves out."""
    for each in listed:
        say(console, f"{each.full_name}: {each.title}", style="bold", whole=True)
        for label, text in _facts(each):
            inside = " " * (_LABEL_WIDTH + 2)
            say_indented(console, f"{label:{_LABEL_WIDTH}}{text}", indent="  ", inside=inside)
        console.print()
    say(console, "policy: {preset: litellm@1.109} uses one; fields beside it override those of the preset.")


def presets_as_json(listed: Sequence[Preset]) -> list[dict[str, Any]]:
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
        for each in listed
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


def _facts(preset: Preset) -> Iterator[tuple[str, str]]:
    """Label and text of each line of a preset's block. What it does not set has no line."""
    yield "kind", preset.kind
    yield from ((label, text) for label, text in zip(_LABELS, _retrying(preset.policy), strict=True) if text != NOTHING)
    for name in _GUARDS:
        if name in preset.policy:
            yield _GUARD_LABELS.get(name, _spaced(name)), _guard(preset.policy[name])
    yield "read", f"{preset.date}, {preset.source}"
    yield from (("" if at else "not modelled", sentence) for at, sentence in enumerate(preset.not_modelled))


def _retrying(policy: Mapping[str, Any]) -> tuple[str, ...]:
    """The texts of `_LABELS`."""
    retries = policy.get("retries")
    return (
        NOTHING if retries is None else str(retries),
        _words(policy.get("retry_on")) if retries is None or policy.get("retry_on") else NOTHING,
        _backoff(policy.get("backoff")),
        _retry_after(policy.get("retry_after")),
        _timeout(policy),
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
        _spaced(str(value)) if name == "kind" else _setting(_spaced(name), value)
        for name, value in guard.items()
        if value is not True
    )


def _setting(name: str, value: object) -> str:
    if value is False:
        return f"not {name}"
    return f"{name} {_words(value) if isinstance(value, Sequence) and not isinstance(value, str) else value}"
