"""What an answer can draw of requests and outages: a drawn year, distributions, who served, what was lost.

An answer keeps no traces. What each simulated request stands for is known, so there are distributions and shares, but
no request against time.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from des.estimate.shape import Shape
from des.report import figures, lines
from des.report.charts.time import moment, since
from des.report.lines import of_a_million, round_count
from des.report.page.blocks import NOTE, Block, Figure, Paragraph, Section, Table
from des.report.page.findings import Findings
from des.report.page.sections.drawn import (
    QUANTILES,
    Rows,
    cost_figures,
    drawn_bars,
    drawn_cumulative,
    drawn_shares,
)
from des.report.page.sections.outages import spell_row, spell_rows, thinned
from des.report.series.outages import DOWN, Outages, Spell, spells_of
from des.study.pictured import DrawnYear

_MOST_STRIPS: Final = 4
_MOST_ARMS: Final = 6
_MOST_LISTED: Final = 30
_AROUND: Final = 1.0
_MILLION: Final = 1e6
_OLDER: Final = (
    "This answer has no charts.json, in which des keeps what its page draws of requests and outages: it was made by an "
    "older version, or the file was removed. des answer makes it again."
)


def answered_sections(findings: Findings) -> Iterator[Section]:
    """Of an answer: outages of a drawn year, cost, latency, and who served."""
    if not findings.answer:
        return
    if not findings.pictured:
        yield Section("outages", "Outages, cost and latency", (Paragraph(_OLDER, NOTE),))
        return
    yield Section("outages", "Outages of one year, as drawn", tuple(_outages(findings)))
    yield Section("cost", "Cost per request", tuple(_cost(findings)))
    yield Section("latency", "Latency", tuple(_latency(findings)))
    yield Section("served", "Who served, and what was lost", tuple(_served(findings)))


def _outages(findings: Findings) -> Iterator[Block]:
    drawn: dict[DrawnYear, list[str]] = {}
    for arm, of in findings.pictured.items():
        if of.year is not None:
            drawn.setdefault(of.year, []).append(arm)
    for number, (year, arms) in enumerate(list(drawn.items())[:_MOST_STRIPS]):
        yield from _of_year(findings, year, ", ".join(arms), number)
    if others := [arm for arms in list(drawn.values())[_MOST_STRIPS:] for arm in arms]:
        yield Paragraph(f"Not drawn: {', '.join(others)}; name --arms to answer fewer.", NOTE)
    yield Paragraph(
        "An answer keeps what its simulated requests come to, not the requests. So what became of them, and when "
        "guards and limits were at work, is not drawn against time: des run keeps both, and its report draws them.",
        NOTE,
    )


def _of_year(findings: Findings, year: DrawnYear, title: str, number: int) -> Iterator[Block]:
    length = figures.duration(year.length_s)
    rows = [(one.component, one.shared, one.down, one.start_s, one.end_s, one.endpoints) for one in year.incidents]
    found = spells_of(rows)
    if not rows:
        yield Paragraph(f"{title}: no incident reached the chain in the {length} drawn.", NOTE)
        return
    spells, left_out = spell_rows(found, (), year.endpoints)
    summary = (
        f"When components and the chain's endpoints were down or impaired in the first {length} that the seed draws. "
        "They are not chosen for what happens in them, and the figures rest on more than this one draw."
    )
    if left_out:
        summary += f" The {len({spell.entity for spell in spells})} rows with most time out are shown."
    if year.left_out:
        summary += f" Of its incidents the {len(rows):,} longest are drawn, without {lines.others(year.left_out)}."
    yield Figure(
        f"outages_{number}",
        title,
        summary,
        lambda: _drawn_year(findings, year, found, spells),
        _listed(findings, found, year.length_s),
    )


def _drawn_year(findings: Findings, year: DrawnYear, found: Outages, spells: Sequence[Spell]) -> Any:
    import pandas as pd

    from des.report.charts.outage_strip import SPELL_COLUMNS, spell_strip
    from des.report.charts.time import in_ms, time_axis

    start, end_s = findings.start, year.length_s
    rows = pd.DataFrame(
        [spell_row(each, lambda at: in_ms(at, start)) for each in thinned(spells)], columns=SPELL_COLUMNS
    )
    down = [each for each in found.endpoints if each.state == DOWN]
    longest = max(down, key=lambda each: (each.shared, each.end_s - each.start_s), default=None)
    zoom = None
    if longest is not None:
        around = _AROUND * (longest.end_s - longest.start_s)
        zoom = in_ms(max(0.0, longest.start_s - around), start), in_ms(min(end_s, longest.end_s + around), start)
    return spell_strip(rows, time_axis(start, end_s), (in_ms(0.0, start), in_ms(end_s, start)), zoom)


def _listed(findings: Findings, found: Outages, length_s: float) -> Table:
    every = [*found.endpoints, *(spell for spell in found.components if spell.shared)]
    longest = sorted(every, key=lambda spell: spell.start_s - spell.end_s)[:_MOST_LISTED]
    rows = [
        (
            each.entity,
            each.state,
            moment(each.start_s, findings.start, length_s),
            figures.duration(each.end_s - each.start_s),
            _yes(each.shared),
        )
        for each in sorted(longest, key=lambda spell: (spell.start_s, spell.entity))
    ]
    more = f", the {len(longest)} longest of {len(every)}" if len(every) > len(longest) else ""
    return Table.of(
        f"Times out of endpoints and shared components{more}",
        ("what", "state", since(findings.start), "length", "shared"),
        rows,
    )


def _yes(shared: bool) -> str:
    return "yes" if shared else "no"


def _shapes(findings: Findings, of: str) -> dict[str, Shape]:
    found = {arm: getattr(each, of) for arm, each in list(findings.pictured.items())[:_MOST_ARMS]}
    return {arm: shape for arm, shape in found.items() if shape is not None}


def _without(findings: Findings, shown: Mapping[str, Any]) -> Iterator[Block]:
    """Why an arm has no requests to show."""
    arms = findings.answer.get("arms", {})
    for arm in findings.arms:
        if arm not in shown and (why := arms.get(arm, {}).get("refused")):
            yield Paragraph(f"{arm}: no requests were simulated. {why}", NOTE)
    if others := findings.arms[_MOST_ARMS:]:
        yield Paragraph(f"Not drawn: {', '.join(others)}.", NOTE)


def _cost(findings: Findings) -> Iterator[Block]:
    shapes = _shapes(findings, "cost")
    if shapes:
        bins = [
            {"arm": arm, "low": low, "high": high, "share": share}
            for arm, of in shapes.items()
            for low, high, share in of.bins
        ]
        columns = ("arm", "mean", *(f"{100 * share:g} %" for share in QUANTILES), "greatest")
        cells = [
            (arm, _usd(of.mean), *(_usd(of.quantile(share)) for share in QUANTILES), _usd(of.greatest))
            for arm, of in shapes.items()
        ]
        table = Table.of(
            "USD per request: the mean, and the cost that a share of requests do not exceed", columns, cells
        )
        billed = "what all of their calls were billed, without probes"
        yield from cost_figures(bins, _points(shapes), table, billed=billed)
    yield from _without(findings, shapes)


def _latency(findings: Findings) -> Iterator[Block]:
    shapes = _shapes(findings, "latency")
    if shapes:
        columns = ("arm", "mean", *(f"{100 * share:g} %" for share in QUANTILES), "greatest")
        cells = [
            (arm, _seconds(of.mean), *(_seconds(of.quantile(share)) for share in QUANTILES), _seconds(of.greatest))
            for arm, of in shapes.items()
        ]
        points = _points(shapes)
        yield Figure(
            "latency",
            "From arrival to answer",
            "The cumulative distribution of the latency of requests that were served, on a logarithmic axis. The "
            "report of a run has it by the leg that served.",
            lambda: drawn_cumulative(points, "seconds", logarithmic=True, panels=False),
            Table.of("Latency that a share of the served requests do not exceed", columns, cells),
        )
    yield from _without(findings, shapes)


def _points(shapes: Mapping[str, Shape]) -> Rows:
    return [
        {"arm": arm, "curve": arm, "value": value, "share": share}
        for arm, of in shapes.items()
        for value, share in of.points
    ]


def _served(findings: Findings) -> Iterator[Block]:
    arms = findings.arms[:_MOST_ARMS]
    rows: Rows = []
    for arm in arms:
        served, lost = findings.by_name(arm, "served_share"), findings.lost_share(arm)
        if not served or lost is None:
            continue
        kept = 1.0 - lost.known
        parts = {**{leg: kept * of.known for leg, of in served.items()}, "not served": lost.known}
        rows += [
            {"arm": arm, "part": part, "share": share, "count": round(_MILLION * share)}
            for part, share in parts.items()
            if share
        ]
    if rows:
        cells = [(row["arm"], row["part"], _percent(row["share"])) for row in rows]
        yield Figure(
            "served",
            "Who served what",
            "Each arm's requests by the leg that served them.",
            lambda: drawn_shares(rows, "share of requests", not_served=True),
            Table.of("Requests by who served them", ("arm", "served by", "share"), cells),
        )
    causes: Rows = [
        {"name": cause, "arm": arm, "value": figure.known, "shown": round_count(figure)}
        for arm in arms
        for cause, figure in of_a_million(findings.metrics[arm], shares=True).items()
        if figure.mean
    ]
    if causes:
        causes.sort(key=lambda row: -row["value"])
        yield Figure(
            "lost",
            "What requests were lost to",
            "Requests lost, of a million, by the cause of their last failure: the component, the limit, or what else.",
            lambda: drawn_bars(causes, "requests lost, of a million", arms),
            Table.of(
                "Requests lost, of a million",
                ("cause", "arm", "lost"),
                [(r["name"], r["arm"], r["shown"]) for r in causes],
            ),
        )
    elif rows:
        yield Paragraph("No simulated request was lost.", NOTE)
    yield from _without(findings, {row["arm"]: row for row in rows})


def _usd(value: float) -> str:
    return figures.money(value)


def _seconds(value: float) -> str:
    return figures.seconds(value, figures.significant(value))


def _percent(share: float) -> str:
    return figures.percent(share, figures.significant(100.0 * share))
