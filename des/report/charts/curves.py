"""Curves: cumulative distributions, requests over time, sweeps with bands, the Pareto front."""

from typing import TYPE_CHECKING, Final

from des.report.charts.data import inline, labels
from des.report.charts.theme import BLUE, GREY, ORANGE, VERMILION, hues

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

_DASHES: Final = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [3, 1], [10, 4])
"""Line styles, so that curves differ in more than colour."""
_STYLES: Final = (
    ("offered", GREY, [4, 2]),
    ("served", BLUE, [1, 0]),
    ("not served", VERMILION, [1, 0]),
    ("calls refused", ORANGE, [1, 0]),
)
"""Colour and line of each series over time."""


def cumulative(
    frame: "pd.DataFrame", title: str, *, logarithmic: bool = False, panels: bool = False
) -> "alt.Chart | alt.FacetChart":
    """The share of requests at or below each value. Columns: arm, curve, value, share.

    On a `logarithmic` axis values of 0 are left out. With `panels` there is one for each arm.
    """
    import altair as alt

    if logarithmic:
        frame = frame[frame["value"] > 0.0]
    scale = alt.Scale(type="log", nice=False) if logarithmic else alt.Scale(zero=False, nice=False)
    curves = labels(frame["curve"])
    dashes = [_DASHES[number % len(_DASHES)] for number in range(len(curves))]
    chart: alt.Chart = (
        alt.Chart(inline(frame))
        .mark_line(interpolate="step-after", strokeWidth=2)
        .encode(
            x=alt.X(
                "value:Q",
                title=title,
                scale=scale,
                axis=alt.Axis(tickCount=6, format="~g", grid=False),
            ),
            y=alt.Y("share:Q", title="share of requests", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1])),
            color=alt.Color("curve:N", scale=alt.Scale(domain=curves, range=hues(curves))),
            strokeDash=alt.StrokeDash("curve:N", scale=alt.Scale(domain=curves, range=dashes)),
            tooltip=["arm:N", "curve:N", alt.Tooltip("value:Q", format=".4g"), alt.Tooltip("share:Q", format=".2%")],
        )
        .properties(width="container", height=170 if panels else 240)
    )
    if not panels:
        return chart
    arms = labels(frame["arm"])
    found: alt.FacetChart = chart.facet(
        row=alt.Row("arm:N", sort=arms, title=None, header=alt.Header(labelAngle=0, labelOrient="top"))
    )
    return found


def over_time(frame: "pd.DataFrame", axis: "alt.Axis", unit: str) -> "alt.FacetChart":
    """Rates over time, a panel for each arm. Columns: arm, series, at (ms), value; `axis` is that of time.

    A series is `offered`, `served`, `not served` or `calls refused`.
    """
    import altair as alt

    arms, series = labels(frame["arm"]), labels(frame["series"])
    styles = {name: (colour, dashes) for name, colour, dashes in _STYLES}
    found: alt.FacetChart = (
        alt.Chart(inline(frame))
        .mark_line(interpolate="step-after", strokeWidth=1.5)
        .encode(
            x=alt.X("at:T", axis=axis, scale=alt.Scale(type="utc", nice=False)),
            y=alt.Y("value:Q", title=unit, scale=alt.Scale(zero=True)),
            color=alt.Color("series:N", scale=alt.Scale(domain=series, range=[styles[name][0] for name in series])),
            strokeDash=alt.StrokeDash(
                "series:N", scale=alt.Scale(domain=series, range=[styles[name][1] for name in series])
            ),
            tooltip=["arm:N", "series:N", alt.Tooltip("value:Q", format=",.4~g", title=unit)],
        )
        .properties(width="container", height=120)
        .facet(row=alt.Row("arm:N", sort=arms, title=None, header=alt.Header(labelAngle=0, labelOrient="top")))
        .resolve_scale(y="independent")
    )
    return found


_DECADE: Final = 10.0
"""Times the least figure, from which curves near it would lie on each other."""


def sweep(frame: "pd.DataFrame", path: str, metric: str, *, number: bool) -> "alt.LayerChart | alt.FacetChart":
    """A metric against a swept value, with a band for its interval. Columns: value, arm, mean, low, high.

    `number` says whether the values are numbers; else they are names in the order of the rows. The axis is logarithmic
    where the metric spans more than a decade; ends of intervals at 0 are then drawn a decade below the least figure.
    """
    import altair as alt

    frame, scale = _by_decades(frame)
    arms = labels(frame["arm"])
    colour = alt.Color(
        "arm:N", scale=alt.Scale(domain=arms, range=hues(arms)), legend=None if len(arms) == 1 else alt.Legend()
    )
    x = alt.X("value:Q", title=path, scale=alt.Scale(zero=False)) if number else alt.X("value:N", title=path, sort=None)
    base = alt.Chart(inline(frame))
    tip = [alt.Tooltip("value:Q" if number else "value:N", title=path), "arm:N", alt.Tooltip("mean:Q", format=".6~g")]
    tip += [alt.Tooltip("low:Q", format=".6~g"), alt.Tooltip("high:Q", format=".6~g")]
    band = base.mark_area(opacity=0.22).encode(
        x=x, y=alt.Y("bottom:Q", title=metric, scale=scale), y2="top:Q", color=colour
    )
    line = base.mark_line(point=True).encode(
        x=x, y=alt.Y("mean:Q", title=metric, scale=scale), color=colour, tooltip=tip
    )
    return alt.layer(band, line).properties(width="container", height=240)


def _by_decades(frame: "pd.DataFrame") -> "tuple[pd.DataFrame, alt.Scale]":
    """The rows with the `bottom` and the `top` of the band, and the scale of their axis."""
    import altair as alt

    least, most = float(frame["mean"].min()), float(frame["mean"].max())
    if not 0.0 < least < most / _DECADE:
        return frame.assign(bottom=frame["low"], top=frame["high"]), alt.Scale(zero=False)
    bottom, top = (frame[end].astype(float).clip(lower=least / _DECADE) for end in ("low", "high"))
    return frame.assign(bottom=bottom, top=top), alt.Scale(type="log")


def pareto(frame: "pd.DataFrame", title: str) -> "alt.LayerChart | alt.FacetChart":
    """Candidates by cost and nines; those on the front are joined, the best one has a name.

    Columns: name, cost, nines, front (bool), best (bool). `title` is that of the axis of cost.
    """
    import altair as alt

    base = alt.Chart(inline(frame))
    x = alt.X("cost:Q", title=title, scale=alt.Scale(zero=False, padding=20))
    y = alt.Y("nines:Q", title="nines of availability", scale=alt.Scale(zero=False, padding=20))
    tip = ["name:N", alt.Tooltip("cost:Q", format=".5g"), alt.Tooltip("nines:Q", format=".3f")]
    every = base.mark_point(filled=True, size=28, opacity=0.45, color=GREY).encode(x=x, y=y, tooltip=tip)
    front = base.transform_filter("datum.front")
    line = front.mark_line(interpolate="step-after", color=BLUE).encode(x=x, y=y)
    points = front.mark_point(filled=True, size=70, opacity=1, color=BLUE).encode(x=x, y=y, tooltip=tip)
    best = base.transform_filter("datum.best")
    ring = best.mark_point(size=320, strokeWidth=2, color=VERMILION).encode(x=x, y=y, tooltip=tip)
    name = best.mark_text(align="left", dx=12, dy=-10, limit=360).encode(x=x, y=y, text="name:N")
    layers = [every, line, points, *([ring, name] if frame["best"].any() else [])]
    return alt.layer(*layers).properties(width="container", height=300)
