"""The outage strip: components, legs, guards and limits against time, with what became of requests on the same axis."""

from typing import TYPE_CHECKING, Final

from des.report.charts.data import inline, labels
from des.report.charts.theme import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

OUTCOME_COLOURS: Final = {
    "served by the first leg": BLUE,
    "served by a later leg": SKY,
    "lost": VERMILION,
    "still open": GREY,
}
STATE_COLOURS: Final = {
    "down": VERMILION,
    "down (shared)": "#8F3A00",
    "impaired": ORANGE,
    "refusing": PURPLE,
    "kept out by the client": GREEN,
    "on trial": "#7FCDB4",
}
SPELL_COLUMNS: Final = ("entity", "state", "begin", "end", "note", "length")
_ROW: Final = 17
"""Height of a row, in pixels."""


def outage_strip(
    outcomes: "pd.DataFrame",
    spells: "pd.DataFrame",
    axis: "alt.Axis",
    ends: tuple[float, float],
    zoom: tuple[float, float] | None,
) -> "alt.VConcatChart":
    """The whole run above, and below it the span that is chosen in it by dragging; at first `zoom`, if any.

    All times are in ms. `outcomes` has begin, end, outcome, low, high (shares of the bin's requests) and requests;
    `spells` has SPELL_COLUMNS. `ends` are those of the run.
    """
    import altair as alt

    names = [name for name in OUTCOME_COLOURS if name in set(outcomes["outcome"])]
    colours = _colours([*names, *(name for name in STATE_COLOURS if name in set(spells["state"]))])
    brush = _brush(zoom)
    whole = alt.Scale(type="utc", domainMin=ends[0], domainMax=ends[1], nice=False)
    chosen = alt.Scale(type="utc", domain=brush, nice=False)
    parts = []
    for scale, title in ((whole, "Whole run: drag to choose a span"), (chosen, "The chosen span")):
        band = _outcomes(outcomes, alt.X("begin:T", scale=scale, axis=_bare(axis, spells)), colours)
        band = band.properties(title=title)
        rows = _spells(spells, alt.X("begin:T", scale=scale, axis=axis), colours) if len(spells) else None
        for number, chart in enumerate(part for part in (band, rows) if part is not None):
            parts.append(chart.add_params(brush) if scale is whole and number == 0 else chart)
    return alt.vconcat(*parts, spacing=6)


def spell_strip(
    spells: "pd.DataFrame", axis: "alt.Axis", ends: tuple[float, float], zoom: tuple[float, float] | None
) -> "alt.VConcatChart":
    """The same without requests. `spells` has some rows."""
    import altair as alt

    colours = _colours([name for name in STATE_COLOURS if name in set(spells["state"])])
    brush = _brush(zoom)
    whole = alt.Scale(type="utc", domainMin=ends[0], domainMax=ends[1], nice=False)
    chosen = alt.Scale(type="utc", domain=brush, nice=False)
    above, below = (
        _spells(spells, alt.X("begin:T", scale=scale, axis=axis), colours).properties(title=title)
        for scale, title in ((whole, "All of it: drag to choose a span"), (chosen, "The chosen span"))
    )
    return alt.vconcat(above.add_params(brush), below, spacing=6)


def _colours(names: "list[str]") -> "alt.Scale":
    import altair as alt

    return alt.Scale(domain=names, range=[(OUTCOME_COLOURS | STATE_COLOURS)[name] for name in names])


def _brush(zoom: tuple[float, float] | None) -> "alt.Parameter":
    import altair as alt

    look = alt.BrushConfig(fill=GREY)
    if zoom is None:
        return alt.selection_interval(name="zoom", encodings=["x"], mark=look)
    return alt.selection_interval(name="zoom", encodings=["x"], mark=look, value={"x": list(zoom)})


def _bare(axis: "alt.Axis", spells: "pd.DataFrame") -> "alt.Axis":
    """Without labels where the rows below have them."""
    import altair as alt

    return alt.Axis(labels=False, ticks=False, domain=False, title=None) if len(spells) else axis


def _outcomes(frame: "pd.DataFrame", x: "alt.X", colours: "alt.Scale") -> "alt.Chart":
    import altair as alt

    found: alt.Chart = (
        alt.Chart(inline(frame))
        .mark_rect(clip=True, strokeWidth=0.5)
        .encode(
            x=x,
            x2="end:T",
            y=alt.Y(
                "low:Q",
                title=None,
                axis=alt.Axis(format="%", values=[0, 0.5, 1], zindex=0),
                scale=alt.Scale(domain=[0, 1]),
            ),
            y2="high:Q",
            color=alt.Color("outcome:N", scale=colours),
            stroke=alt.Stroke("outcome:N", scale=colours),  # hides the seams between bins
            tooltip=["outcome:N", alt.Tooltip("share:Q", format=".2%"), alt.Tooltip("requests:Q", format=",")],
        )
        .properties(width="container", height=64)
    )
    return found


def _spells(frame: "pd.DataFrame", x: "alt.X", colours: "alt.Scale") -> "alt.Chart":
    import altair as alt

    entities = labels(frame["entity"])
    found: alt.Chart = (
        alt.Chart(inline(frame))
        .mark_rect(clip=True, strokeWidth=1)
        .encode(
            x=x,
            x2="end:T",
            y=alt.Y("entity:N", sort=entities, title=None, axis=alt.Axis(grid=True, zindex=0)),
            color=alt.Color("state:N", scale=colours),
            stroke=alt.Stroke("state:N", scale=colours),
            tooltip=["entity:N", "state:N", "note:N", "length:N"],
        )
        .properties(width="container", height={"step": _ROW})
    )
    return found
