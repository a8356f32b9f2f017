"""A sweep: each metric against the swept value, with a band for its interval."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from des.estimate.estimate import Estimate
from des.report.figures import availability, read, scaled
from des.report.lines import written
from des.report.page.blocks import LEAD, NOTE, WARNING, Block, Figure, Paragraph, Section, Table
from des.report.page.findings import Findings
from des.report.page.sections.opening import missed_words
from des.scenario.text.units import read_duration


@dataclass(frozen=True, slots=True)
class _Curve:
    """A metric, and how it is drawn: a figure times `factor`, or of what it is short of 1."""

    metric: str
    title: str
    axis: str
    factor: float = 1.0
    complement: bool = False

    def value(self, figure: Estimate) -> Estimate:
        return scaled(figure.complement() if self.complement else figure, self.factor)


_FEWEST: Final = 2
"""Figures that can be lower and higher."""
_CURVES: Final = (
    _Curve("availability", "Requests lost", "% of requests lost", 100.0, complement=True),
    _Curve("all_down", "All endpoints down at once", "% of the time", 100.0),
    _Curve("cost_usd_per_request", "Cost", "USD per 1,000 requests", 1000.0),
    _Curve("latency_s_p95", "Latency, p95", "seconds"),
    _Curve("fallback_share", "Answered by a fallback", "% of answered requests", 100.0),
)


def sweep_section(findings: Findings) -> Section | None:
    """Curves over the first swept field; other fields make curves of their own."""
    if not findings.sweep:
        return None
    points, over = findings.sweep["points"], list(findings.sweep["over"])
    blocks: list[Block] = [Paragraph(words, LEAD) for words in _sentence(points, over)]
    before = len(blocks)
    for curve in _CURVES:
        rows = list(_rows(points, over, curve))
        if rows:
            blocks.append(_figure(curve, over[0], rows))
    if len(blocks) == before:
        blocks.append(Paragraph("None of the figures that are drawn is known at any point.", NOTE))
    blocks += [Paragraph(f"{words}.", WARNING) for words in _warnings(points)]
    return Section("sweep", f"Over {' and '.join(over)}", tuple(blocks))


def _sentence(points: Sequence[Mapping[str, Any]], over: Sequence[str]) -> Iterator[str]:
    """`Of 6 points over ..., availability is lowest, 99.95 % (two_stages), at ...=30% and highest, ..., at ...`."""
    rows = [
        (Estimate.from_json(found), arm if len(point["arms"]) > 1 else "", point["values"], of)
        for point in points
        for arm, of in point["arms"].items()
        if isinstance(found := of.get("availability"), Mapping) and found.get("mean") is not None
    ]
    if len(rows) < _FEWEST:
        return
    ends = []
    for word, (_, arm, values, of) in (
        ("lowest", min(rows, key=lambda row: row[0].known)),
        ("highest", max(rows, key=lambda row: row[0].known)),
    ):
        shown = availability(read(of["availability"]), read(of.get("failure_share")))
        where = ", ".join(f"{path}={value}" for path, value in values.items())
        ends.append(f"{word} at {where}{f' with {arm}' if arm else ''}: {shown}")
    yield f"{len(points):,} points over {' and '.join(over)}. The availability is {', and '.join(ends)}."


def _warnings(points: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What has no figures and what was not met, each with the points of which it is true."""
    said: dict[str, list[str]] = {}
    for point in points:
        where = ", ".join(f"{path}={value}" for path, value in point["values"].items())
        for arm, why in (point.get("refused") or {}).items():
            said.setdefault(f"{arm} has no figures of requests, because {why}", []).append(where)
        for not_seen in (point.get("not_seen") or {}).values():
            for missed in not_seen if isinstance(not_seen, list) else not_seen.get("incidents", ()):
                said.setdefault(missed_words(missed), []).append(where)
        for of in (point.get("unseen") or {}).values():
            said.setdefault(f"{of['words']}: too few to tell the availability", []).append(where)
    for words, places in said.items():
        yield f"{'; '.join(dict.fromkeys(places))}: {words}"


def _rows(points: Sequence[Mapping[str, Any]], over: Sequence[str], curve: _Curve) -> Iterator[dict[str, Any]]:
    for point in points:
        values = point["values"]
        others = ", ".join(f"{path}={values[path]}" for path in over[1:])
        for arm, of in point["arms"].items():
            found = of.get(curve.metric)
            if not isinstance(found, Mapping) or found.get("mean") is None:
                continue
            figure = curve.value(Estimate.from_json(found))
            name = ", ".join(part for part in (arm if len(point["arms"]) > 1 else "", others) if part) or arm
            ends = {"mean": figure.mean, "low": figure.low, "high": figure.high}
            yield {"value": values[over[0]], "arm": name, **ends, "shown": written(curve.metric, found)}


def _figure(curve: _Curve, path: str, rows: Sequence[Mapping[str, Any]]) -> Figure:
    numbers = [_number(str(row["value"])) for row in rows]
    are_numbers = all(number is not None for number in numbers)
    placed = [
        {**row, "value": number if are_numbers else str(row["value"])}
        for row, number in zip(rows, numbers, strict=True)
    ]

    def draw() -> Any:
        import pandas as pd

        from des.report.charts.curves import sweep

        return sweep(pd.DataFrame(placed), path, curve.axis, number=are_numbers)

    cells = [(str(row["value"]), row["arm"], row["shown"]) for row in rows]
    several = len({row["value"] for row in rows}) < len(rows)
    each = "; a curve for each arm and each value of the other fields" if several else ""
    return Figure(
        f"sweep_{curve.metric}",
        curve.title,
        f"{curve.title} against {path}; the band is the 95 % interval, where there is one{each}.",
        draw,
        Table.of(curve.title, (path, "arm", curve.metric), cells),
    )


def _number(text: str) -> float | None:
    """A number, a share in per cent or a duration in seconds; None for another value."""
    try:
        return float(text.removesuffix("%")) / (100.0 if text.endswith("%") else 1.0)
    except ValueError:
        pass
    try:
        return read_duration(text)
    except ValueError:
        return None
