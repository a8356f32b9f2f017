"""Figures as rows of frames, and frames as notebooks show them."""

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


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
    """What a notebook shows of a result: a line of text above its table."""
    return f"<p>{escape(title)}</p>\n{frame.to_html()}"
