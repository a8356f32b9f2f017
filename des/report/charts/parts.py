"""Wholes and their parts: who served what, what was lost to which cause, what was spent on what, nines leg by leg."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from des.report.charts.data import inline, labels
from des.report.charts.theme import BLUE, GREEN, GREY, VERMILION, hues
from des.words import printable

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd


def shares(frame: "pd.DataFrame", title: str, colours: Sequence[str] = (), *, whole: bool = True) -> "alt.Chart":
    """A bar for each arm, cut into parts. Columns: arm, part, share (of the arm's whole), count.

    `colours` are those of the parts in the order of the rows. The axis ends at 100 % if the parts are the `whole`.
    """
    import altair as alt

    arms, parts = labels(frame["arm"]), labels(frame["part"])
    order = {part: number for number, part in enumerate(dict.fromkeys(frame["part"]))}
    data = inline(frame.assign(order=frame["part"].map(order)))
    found: alt.Chart = (
        alt.Chart(data)
        .mark_bar()
        .encode(
            y=alt.Y("arm:N", sort=arms, title=None),
            x=alt.X(
                "share:Q",
                title=title,
                axis=alt.Axis(format="%" if whole else "~p", tickCount=5),
                stack="zero",
                scale=alt.Scale(domainMax=1) if whole else alt.Scale(),
            ),
            color=alt.Color("part:N", scale=alt.Scale(domain=parts, range=list(colours) or hues(parts))),
            order=alt.Order("order:Q"),
            tooltip=["arm:N", "part:N", alt.Tooltip("share:Q", format=".3%"), alt.Tooltip("count:Q", format=",")],
        )
        .properties(width="container", height={"step": 30})
    )
    return found


def bars(frame: "pd.DataFrame", title: str, number: str = ",.4~g", every: Sequence[str] = ()) -> "alt.Chart":
    """A bar for each name and arm. Columns: name, arm, value. `title` is that of the axis.

    `every` are all arms in their order, also those without a bar, so that each has its colour of other charts.
    """
    import altair as alt

    arms, names = [printable(arm) for arm in every] or labels(frame["arm"]), labels(frame["name"])
    several = len(arms) > 1
    found: alt.Chart = (
        alt.Chart(inline(frame))
        .mark_bar()
        .encode(
            y=alt.Y("name:N", sort=names, title=None),
            yOffset=alt.YOffset("arm:N", sort=arms, scale=alt.Scale(domain=arms)),
            x=alt.X("value:Q", title=title, axis=alt.Axis(tickCount=6)),
            color=alt.Color(
                "arm:N", scale=alt.Scale(domain=arms, range=hues(arms)), legend=alt.Legend() if several else None
            ),
            tooltip=["name:N", "arm:N", alt.Tooltip("value:Q", format=number)],
        )
        .properties(width="container", height={"step": 13 if several else 24})
    )
    return found


def waterfall(frame: "pd.DataFrame") -> "alt.LayerChart | alt.FacetChart":
    """Nines as a sum: a bar from `begin` to `end` for each step, in the order of the rows.

    Columns: step, kind (`leg`, `loss` or `total`), begin, end, nines (the step's own).
    """
    import altair as alt

    steps = labels(frame["step"])
    base = alt.Chart(inline(frame))
    place = alt.Y("step:N", sort=steps, title=None)
    colour = alt.Color(
        "kind:N", scale=alt.Scale(domain=["leg", "loss", "total"], range=[BLUE, VERMILION, GREEN]), legend=None
    )
    tip = ["step:N", alt.Tooltip("nines:Q", format="+.3f"), alt.Tooltip("end:Q", format=".3f", title="up to here")]
    bars_ = base.mark_bar().encode(
        y=place, x=alt.X("begin:Q", title="nines", axis=alt.Axis(tickCount=6)), x2="end:Q", color=colour, tooltip=tip
    )
    words = base.mark_text(align="left", dx=5, fontSize=11).encode(
        y=place, x=alt.X("right:Q"), text=alt.Text("shown:N")
    )
    words = words.transform_calculate(
        right="max(datum.begin, datum.end)",
        shown="abs(datum.nines) < 0.005 ? '0.00' : format(datum.nines, '+.2f')",
    )
    return alt.layer(bars_, words).properties(width="container", height={"step": 28})


def histogram(frame: "pd.DataFrame", title: str) -> "alt.Chart":
    """Shares of requests by value, a panel for each arm. Columns: arm, low, high, share.

    The axis of shares has a square-root scale, on which one in a hundred is still seen beside ninety-nine.
    """
    import altair as alt

    arms = labels(frame["arm"])
    found: alt.Chart = (
        alt.Chart(inline(frame))
        .mark_rect(color=BLUE, stroke=GREY, strokeWidth=0.3)
        .encode(
            x=alt.X(
                "low:Q", title=title, scale=alt.Scale(zero=False, nice=False), axis=alt.Axis(tickCount=6, format="~g")
            ),
            x2="high:Q",
            y=alt.Y(
                "share:Q",
                title="share of requests",
                scale=alt.Scale(type="sqrt", domain=[0, 1]),
                axis=alt.Axis(format="%", values=[0.01, 0.1, 0.25, 0.5, 1.0]),
            ),
            y2=alt.Y2Datum(0),
            tooltip=[
                alt.Tooltip("low:Q", format=".5g", title="from USD"),
                alt.Tooltip("high:Q", format=".5g", title="to USD"),
                alt.Tooltip("share:Q", format=".3%"),
            ],
        )
        .properties(width="container", height=110)
        .facet(row=alt.Row("arm:N", sort=arms, title=None, header=alt.Header(labelAngle=0, labelOrient="top")))
    )
    return found
