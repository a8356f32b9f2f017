"""The catalogue as `des catalogue` prints it."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from des.catalogue import CatalogueModel, models
from des.report.figures import NOTHING, dollars

PER_MTOK = 1e6


def print_catalogue(console: Console) -> None:
    """One table of the models priced by the token and one of those priced by the unit, each with its sources below."""
    listed = models()
    by_token = [model for model in listed if model.unit is None]
    by_unit = [model for model in listed if model.unit is not None]
    if by_token:
        table = _table("provider", "model")
        for title in ("input", "cached input", "cache write", "output"):
            table.add_column(title, justify="right")
        for model in by_token:
            prices = ("input_per_token", "cached_input_per_token", "cache_write_per_token", "output_per_token")
            cells = (_price(model.price_fields[price] * PER_MTOK) for price in prices)
            table.add_row(Text(model.provider), Text(model.model), *cells)
        console.print(Text("USD per million tokens", style="bold"))
        console.print(table)
        _print_sources(by_token, console)
    if by_unit:
        table = _table("provider", "model")
        table.add_column("price", justify="right")
        table.add_column("per", overflow="fold")
        for model in by_unit:
            table.add_row(
                Text(model.provider), Text(model.model), _price(model.price_fields["per_unit"]), Text(model.unit or "")
            )
        console.print(Text("USD per unit", style="bold"))
        console.print(table)
        _print_sources(by_unit, console)
    console.print(Text("A scenario may override any price, and name models that are not listed."))


def _table(*names: str) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 2, 0, 0))
    for name in names:
        table.add_column(name, overflow="fold")
    return table


def _price(value: float) -> Text:
    if value == 0.0:
        return Text(NOTHING)
    value = float(f"{value:.12g}")  # a price per token times a million is not quite the price per million
    decimals = next((d for d in range(2, 13) if round(value, d) == value), 12)
    return Text(dollars(value, decimals))


def _print_sources(listed: list[CatalogueModel], console: Console) -> None:
    for source, date in dict.fromkeys((model.source, model.date) for model in listed):
        console.print(Text(f"  {source}, {date}"), soft_wrap=True)
    for model in listed:
        if model.note:
            console.print(Text(f"  {model.model}: {model.note}"), soft_wrap=True)
    console.print()
