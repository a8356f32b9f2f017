"""Arms side by side: nines against cost, and a figure with its interval for each of several things."""

from typing import TYPE_CHECKING

import numpy as np

from des.report.charts.data import inline, labels
from des.report.charts.theme import GREEN, hues

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd


def nines_against_cost(frame: "pd.DataFrame") -> "alt.LayerChart | alt.FacetChart":
    """Each arm as a point with the ends of both intervals; the `best` one, if any, has a ring.

    Columns: arm, cost, cost_low, cost_high (USD per 1,000 requests), nines, nines_low, nines_high, best (bool). An end
    that is null has no line.
    """
    import altair as alt

    arms = labels(frame["arm"])
    legend = alt.Legend() if len(arms) > 1 else None
    colour = alt.Color("arm:N", scale=alt.Scale(domain=arms, range=hues(arms)), legend=legend)
    upright_scale = alt.Scale(domain=_around(frame, "nines"), nice=False, zero=False)
    nines = alt.Y("nines:Q", title="nines of availability", scale=upright_scale)
    scale = alt.Scale(domain=_around(frame, "cost"), nice=False, zero=False)
    cost = alt.X("cost:Q", title="USD per 1,000 requests", scale=scale, axis=alt.Axis(tickCount=6))
    frame = frame.assign(below=frame["cost"].rank(method="first") % 2 == 0)
    base = alt.Chart(inline(frame))
    tip = [
        alt.Tooltip("arm:N"),
        alt.Tooltip("nines:Q", format=".3f"),
        alt.Tooltip("nines_low:Q", format=".3f"),
        alt.Tooltip("nines_high:Q", format=".3f"),
        alt.Tooltip("cost:Q", format=".4g", title="USD per 1,000"),
        alt.Tooltip("cost_low:Q", format=".4g"),
        alt.Tooltip("cost_high:Q", format=".4g"),
    ]
    across = base.mark_rule(strokeWidth=1.5).encode(
        x=alt.X("cost_low:Q", scale=scale), x2="cost_high:Q", y=nines, color=colour
    )
    upright = base.mark_rule(strokeWidth=1.5).encode(
        x=cost, y=alt.Y("nines_low:Q", scale=upright_scale), y2="nines_high:Q", color=colour
    )
    points = base.mark_point(filled=True, size=90, opacity=1).encode(x=cost, y=nines, color=colour, tooltip=tip)
    ring = (
        base.transform_filter("datum.best")
        .mark_point(size=320, strokeWidth=2, color=GREEN, filled=False)
        .encode(x=cost, y=nines)
    )
    words = [  # neighbours have their names on different sides of their points
        base.transform_filter(f"datum.below == {str(below).lower()}")
        .mark_text(align="left", dx=9, dy=16 if below else -9, fontSize=11, limit=190)
        .encode(x=cost, y=nines, text="arm:N")
        for below in sorted(set(frame["below"]))
    ]
    parts = (  # a layer without rows makes Vega complain
        (across, frame["cost_low"].notna()),
        (upright, frame["nines_low"].notna()),
        (ring, frame["best"]),
    )
    return alt.layer(*(layer for layer, shown in parts if shown.any()), points, *words).properties(
        width="container", height=280
    )


def _around(frame: "pd.DataFrame", column: str) -> list[float]:
    """A column with its intervals, and a little more on both sides, but not below 0."""
    every = frame[[column, f"{column}_low", f"{column}_high"]].to_numpy(np.float64)
    low, high = float(np.nanmin(every)), float(np.nanmax(every))
    margin = 0.1 * (high - low) or 0.1 * high or 1.0
    return [max(0.0, low - margin), high + margin]


def intervals(
    frame: "pd.DataFrame", title: str, *, logarithmic: bool = False, number: str = ".4g"
) -> "alt.LayerChart | alt.FacetChart":
    """A point with its interval for each name and arm. Columns: name, arm, value, low, high.

    `title` is that of the axis, `number` a format of D3. On a logarithmic axis values of 0 are left out.
    """
    import altair as alt

    if logarithmic:
        frame = frame[frame["value"] > 0.0].assign(low=frame["low"].where(frame["low"] > 0.0))
    arms, names = labels(frame["arm"]), labels(frame["name"])
    scale = alt.Scale(type="log", padding=10) if logarithmic else alt.Scale(zero=False, padding=10)
    several = len(arms) > 1
    colour = alt.Color(
        "arm:N", scale=alt.Scale(domain=arms, range=hues(arms)), legend=alt.Legend() if several else None
    )
    place = alt.Y("name:N", sort=names, title=None)
    shift = alt.YOffset("arm:N", sort=arms)
    base = alt.Chart(inline(frame))
    tip = [alt.Tooltip("name:N"), alt.Tooltip("arm:N")]
    tip += [alt.Tooltip(f"{column}:Q", format=number) for column in ("value", "low", "high")]
    axis = alt.Axis(format=number) if not logarithmic else alt.Axis(format=number, tickCount=5)
    across = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("low:Q", title=title, scale=scale, axis=axis), x2="high:Q", y=place, yOffset=shift, color=colour
    )
    points = base.mark_point(filled=True, size=70, opacity=1).encode(
        x=alt.X("value:Q", title=title, scale=scale, axis=axis), y=place, yOffset=shift, color=colour, tooltip=tip
    )
    step = {"step": 16 if several else 24}
    layers = [across, points] if frame["low"].notna().any() else [points]
    return alt.layer(*layers).properties(width="container", height=step if several else {"step": 26})
