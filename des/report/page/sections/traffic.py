"""What requests met: cost and latency as distributions, flow over time, who served, what was lost and wasted."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np

from des.estimate.shape import SHARES, equal_bins, weighed
from des.estimate.sums import LogHistogram
from des.report import figures
from des.report.lines import of_a_million, round_count
from des.report.page.blocks import NOTE, Block, Figure, Paragraph, Section, Table
from des.report.page.findings import Findings, chosen_arms
from des.report.page.sections.drawn import (
    QUANTILES,
    Rows,
    cost_figures,
    drawn_bars,
    drawn_cumulative,
    drawn_shares,
)
from des.report.series.attempts import Billed, billed
from des.report.series.flow import even_edges, refused_calls
from des.report.series.requests import Flow, RequestSeries, request_series
from des.traces import Run

_MOST_ARMS: Final = 6
_BINS_OF_TIME: Final = 160
_MINUTE_S: Final = 60.0
_SERVED: Final = "calls that served"
_UNITS: Final = (("a minute", 60.0), ("an hour", 3600.0), ("a day", 86_400.0))
"""Of rates: the first in which there is at least one request on average, else the last."""


def traffic_sections(findings: Findings) -> Iterator[Section]:
    """Of a run that kept all requests: one pass over them and one over the attempts of each arm."""
    run = findings.run
    if run is None or not run.manifest.get("traces") or run.trace_level.is_sample:
        return
    arms, others = chosen_arms(findings, _MOST_ARMS)
    series: dict[str, RequestSeries] = {}
    refused: dict[str, Any] = {}
    for arm in arms:
        edges_s = even_edges(findings.horizon_s(arm), _BINS_OF_TIME, _MINUTE_S if _is_long(findings, arm) else 1.0)
        series[arm] = request_series(run, arm, edges_s)
        refused[arm] = refused_calls(run, arm, edges_s) if _has_minutes(run) and _is_long(findings, arm) else None
    left_out = [Paragraph(f"Not drawn: {', '.join(others)}.", NOTE)] if others else []
    yield Section("cost", "Cost per request", (*_cost(series), _wasted(run, arms, series), *left_out))
    yield Section("latency", "Latency", (*_latency(series), *left_out))
    yield Section("flow", "Requests over time", (*_flow(findings, series, refused), *left_out))
    yield Section(
        "served", "Who served, and what was lost", (*_served(series), *_lost(findings, arms, series), *left_out)
    )


def _is_long(findings: Findings, arm: str) -> bool:
    """Whether bins of whole minutes are fine enough."""
    return findings.horizon_s(arm) >= 30 * _MINUTE_S


def _has_minutes(run: Run) -> bool:
    return any(name.startswith("minutes/") for name in run.manifest["traces"])


def cumulative_points(histogram: LogHistogram) -> Iterator[tuple[float, float]]:
    """(value, share of the values at or below it): from the least value at 0 on, at shares up to 100 %."""
    least = histogram.quantile(0.0)
    if least is not None:
        yield least, 0.0
    for share in SHARES.tolist():
        value = histogram.quantile(share)
        if value is not None:
            yield value, share


def _cost(series: Mapping[str, RequestSeries]) -> Iterator[Block]:
    bins = [
        {"arm": arm, "low": low, "high": high, "share": share}
        for arm, of in series.items()
        for low, high, share in equal_bins(*weighed(of.cost))
    ]
    points: Rows = [
        {"arm": arm, "curve": arm, "value": value, "share": share}
        for arm, of in series.items()
        for value, share in cumulative_points(of.cost)
    ]
    if not bins:
        return
    columns = ("arm", "mean", *(f"{100 * share:g} %" for share in QUANTILES), "greatest")
    table = Table.of(
        "USD per request: the mean, and the cost that a share of requests do not exceed",
        columns,
        [
            (arm, _usd(of.cost_usd / of.requests), *_quantiles(of.cost, _usd), _usd(of.cost.quantile(1.0)))
            for arm, of in series.items()
            if of.requests
        ],
    )
    yield from cost_figures(bins, points, table, billed="what all of their calls were billed")


def _latency(series: Mapping[str, RequestSeries]) -> Iterator[Block]:
    points: Rows = []
    cells = []
    for arm, of in series.items():
        curves = {"all served": of.latency_of_all, **(of.latency if len(of.latency) > 1 else {})}
        for name, histogram in curves.items():
            points += [
                {"arm": arm, "curve": name, "value": value, "share": share}
                for value, share in cumulative_points(histogram)
            ]
            cells.append((arm, name, f"{histogram.count:,}", *_quantiles(histogram, _seconds)))
    if not any(row["value"] > 0.0 for row in points):
        yield Paragraph("No request was served, so none has a latency.", NOTE)
        return
    columns = ("arm", "served by", "requests", *(f"{100 * share:g} %" for share in QUANTILES))
    yield Figure(
        "latency",
        "From arrival to answer",
        "The cumulative distribution of the latency of requests that were served, by the leg that served and for all, "
        "on a logarithmic axis.",
        lambda: drawn_cumulative(points, "seconds", logarithmic=True, panels=len(series) > 1),
        Table.of("Latency that a share of the served requests do not exceed", columns, cells),
    )


def _flow(findings: Findings, series: Mapping[str, RequestSeries], refused: Mapping[str, Any]) -> Iterator[Block]:
    offered: dict[tuple[str, str], Any] = {}
    for arm, of in series.items():
        offered[arm, "offered"] = of.flow.offered
        offered[arm, "served"] = of.flow.served
        offered[arm, "not served"] = of.flow.offered - of.flow.served
    yield _over_time(
        findings,
        "flow",
        "Offered and served",
        "Requests {unit} by when they arrived, the mean over replications: offered, served in the end, not served.",
        series,
        offered,
    )
    kept_away = {(arm, "calls refused"): counts for arm, counts in refused.items() if counts is not None}
    if any(counts.any() for counts in kept_away.values()):
        yield _over_time(
            findings,
            "refused",
            "Calls refused",
            "Calls {unit} that a limit, a capacity, a budget or the client refused, the mean over replications.",
            series,
            kept_away,
        )


def _over_time(
    findings: Findings,
    name: str,
    title: str,
    summary: str,
    series: Mapping[str, RequestSeries],
    counts: Mapping[tuple[str, str], Any],
) -> Figure:
    rows: Rows = []
    cells = []
    unit, unit_s = _unit(findings, series)
    for (arm, what), many in counts.items():
        flow = series[arm].flow
        units = np.diff(np.minimum(flow.edges_s, findings.horizon_s(arm))) / unit_s * findings.manifest["replications"]
        rows += _flow_rows(findings, arm, what, flow, many / units)
        cells.append((arm, what, f"{int(many.sum()):,}", _rate(many.sum() / units.sum()), _rate((many / units).max())))
    columns = ("arm", "what", "in all", unit, f"at most {unit}")
    said = summary.format(unit=unit)
    return Figure(name, title, said, lambda: _drawn_flow(findings, rows, unit), Table.of(title, columns, cells))


def _unit(findings: Findings, series: Mapping[str, RequestSeries]) -> tuple[str, float]:
    rates = [of.requests / findings.horizon_s(arm) / findings.manifest["replications"] for arm, of in series.items()]
    return next((unit for unit in _UNITS if max(rates) * unit[1] >= 1.0), _UNITS[-1])


def _flow_rows(findings: Findings, arm: str, name: str, flow: Flow, rates: Any) -> Rows:
    from des.report.charts.time import in_ms

    start = findings.start
    return [
        {"arm": arm, "series": name, "at": in_ms(at, start), "value": value}
        for at, value in zip(flow.edges_s[:-1].tolist(), rates.tolist(), strict=True)
    ]


def _served(series: Mapping[str, RequestSeries]) -> Iterator[Block]:
    rows: Rows = []
    for arm, of in series.items():
        parts = {**of.served, "not served": of.requests - sum(of.served.values())}
        rows += [
            {"arm": arm, "part": part, "share": many / of.requests, "count": many}
            for part, many in parts.items()
            if many
        ]
    if rows:
        cells = [(row["arm"], row["part"], f"{row['count']:,}", _percent(row["share"])) for row in rows]
        yield Figure(
            "served",
            "Who served what",
            "Each arm's requests by the leg that served them.",
            lambda: drawn_shares(rows, "share of requests", not_served=True),
            Table.of("Requests by who served them", ("arm", "served by", "requests", "share"), cells),
        )


def _lost(findings: Findings, arms: Sequence[str], series: Mapping[str, RequestSeries]) -> Iterator[Block]:
    rows: Rows = [
        {"name": cause, "arm": arm, "value": figure.known, "shown": round_count(figure)}
        for arm in arms
        for cause, figure in of_a_million(findings.metrics[arm]).items()
        if figure.mean
    ]
    if not rows:
        yield Paragraph("No request was lost.", NOTE)
        return
    rows.sort(key=lambda row: -row["value"])
    yield Figure(
        "lost",
        "What requests were lost to",
        "Requests lost, of a million, by the cause of their last failure: the component, the limit, or what else.",
        lambda: drawn_bars(rows, "requests lost, of a million", arms),
        Table.of(
            "Requests lost, of a million", ("cause", "arm", "lost"), [(r["name"], r["arm"], r["shown"]) for r in rows]
        ),
    )
    errors = [(arm, name, f"{many:,}") for arm in arms for name, many in series[arm].errors.items()]
    yield Table.of("Last failures of lost requests", ("arm", "error", "requests"), errors)


def _wasted(run: Run, arms: Sequence[str], series: Mapping[str, RequestSeries]) -> Block:
    if not run.trace_level.keeps("attempts"):
        told = (
            f"This run kept no attempts (trace level {run.trace_level}), so calls that did not serve are not shown by "
            "how they ended: des run --traces full keeps them."
        )
        return Paragraph(told, NOTE)
    bills = {arm: billed(run, arm) for arm in arms}
    rows = [row for arm, of in bills.items() for row in _spent(arm, of, series[arm])]
    if not rows:
        return Paragraph("Nothing was billed.", NOTE)
    cells = [(r["arm"], r["part"], _usd(r["usd"]), _percent(r["share"]), f"{r['count']:,}") for r in rows]
    table = Table.of("The bill", ("arm", "spent on", "USD", "share", "calls"), cells)
    wasted = [row for row in rows if row["part"] != _SERVED]
    if not wasted:
        return table
    return Figure(
        "wasted",
        "Spent on calls that did not serve",
        "The part of each arm's bill that paid for calls that did not serve the request, by how they ended.",
        lambda: drawn_shares(wasted, "share of the bill", not_served=False),
        table,
    )


def _spent(arm: str, of: Sequence[Billed], series: RequestSeries) -> Rows:
    """Parts of the bill, without what cost nothing: answers that served, failed calls by outcome, probes."""
    total = sum(each.cost_usd for each in of)
    parts: dict[str, tuple[float, int]] = {}
    for each in of:
        name = "probes" if each.kind == "probe" else _SERVED if each.outcome == "ok" else each.outcome
        usd, calls = parts.get(name, (0.0, 0))
        parts[name] = (usd + each.cost_usd, calls + each.calls)
    unused = series.wasted_usd - sum(usd for name, (usd, _) in parts.items() if name not in ("probes", _SERVED))
    if _SERVED in parts and unused > 1e-9 * max(total, 1e-12):
        usd, calls = parts[_SERVED]
        parts[_SERVED] = (usd - unused, calls)
        parts["answers that came too late"] = (unused, 0)
    return [
        {"arm": arm, "part": name.replace("_", " "), "usd": usd, "share": usd / total, "count": calls}
        for name, (usd, calls) in sorted(parts.items(), key=lambda part: -part[1][0])
        if usd > 0.0
    ]


def _drawn_flow(findings: Findings, rows: Rows, unit: str) -> Any:
    import pandas as pd

    from des.report.charts.curves import over_time
    from des.report.charts.time import time_axis

    return over_time(pd.DataFrame(rows), time_axis(findings.start, max(map(findings.horizon_s, findings.arms))), unit)


def _quantiles(histogram: LogHistogram, write: Any) -> tuple[str, ...]:
    return tuple(write(histogram.quantile(share)) for share in QUANTILES)


def _usd(value: float | None) -> str:
    return figures.NOTHING if value is None else figures.money(value)


def _seconds(value: float | None) -> str:
    return figures.NOTHING if value is None else figures.seconds(value, figures.significant(value))


def _percent(share: float) -> str:
    return figures.percent(share, figures.significant(100.0 * share))


def _rate(value: float) -> str:
    return figures.plain(value, figures.significant(value))
