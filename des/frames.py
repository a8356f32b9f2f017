"""Figures as rows of frames, and frames as notebooks show them."""

from collections.abc import Mapping
from html import escape
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import pandas as pd


_NOTEBOOK: Final = "des.report.notebook"
"""The room above that draws. It is found by its name at the first chart, since results know nothing of charts."""


_TEXTS: Final = "des.report.texts"


class Told:
    """A result that `print` shows as its command does."""

    __slots__ = ()

    def __str__(self) -> str:
        return str(import_module(_TEXTS).text_of(self))


class Charted(Told):
    """A result that notebooks show with its table and charts."""

    if TYPE_CHECKING:

        @property
        def table(self) -> "pd.DataFrame": ...

    @property
    def charts(self) -> Mapping[str, Any]:
        """The charts of its report by name, as Altair charts: `result.charts["nines_against_cost"]`.

        Raises DesError where Altair is not installed (`des-fallback[report]`).
        """
        found: Mapping[str, Any] = import_module(_NOTEBOOK).charts_of(self)
        return found

    @property
    def _title(self) -> str:
        return repr(self)

    def _repr_html_(self) -> str:
        return str(import_module(_NOTEBOOK).shown(self, self._title, self.table))


def flat(figures: Mapping[str, Any]) -> dict[str, Any]:
    """`name`, `name_low` and `name_high` for a figure with an interval; other values unchanged."""
    row: dict[str, Any] = {}
    for name, figure in figures.items():
        if isinstance(figure, Mapping):
            row[name] = figure["mean"]
            row[f"{name}_low"] = figure["low"]
            row[f"{name}_high"] = figure["high"]
        else:
            row[name] = figure
    return row


def html(title: str, frame: "pd.DataFrame") -> str:
    """What a notebook shows of a result: a line of text above its table, whose texts are whole."""
    import pandas as pd

    with pd.option_context("display.max_colwidth", None):
        return f"<p>{escape(title)}</p>\n{frame.to_html()}"
