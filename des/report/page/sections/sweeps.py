"""A sweep: each metric against the swept value, with a band for its interval."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from des.estimate.estimate import Estimate
from des.report.lines import written
from des.report.page.blocks import NOTE, Block, Figure, Paragraph, Section, Table
from des.report.page.findings import Findings
from des.scenario.text.units import read_duration

_METRICS: Final = ("availability", "cost_usd_per_request", "latency_s_p95", "fallback_share")


def sweep_section(findings: Findings, metrics: Sequence[str] = _METRICS) -> Section | None:
    """Curves over the first swept field; other fields make curves of their own."""
    if not findings.sweep:
        return None
    points, over = findings.sweep["points"], list(findings.sweep["over"])
    blocks: list[Block] = []
    for metric in metrics:
        rows = list(_rows(points, over, metric))
        if rows:
            blocks.append(_figure(metric, over[0], rows))
    if not blocks:
        blocks.append(Paragraph("None of the figures that are drawn is known at any point.", NOTE))
    return Section("sweep", f"Over {' and '.join(over)}", tuple(blocks))


def _rows(points: Sequence[Mapping[str, Any]], over: Sequence[str], metric: str) -> Iterator[dict[str, Any]]:
    for point in points:
        values = point["values"]
        others = ", ".join(f"{path}={values[path]}" for path in over[1:])
        for arm, of in point["arms"].items():
            found = of.get(metric)
            if not isinstance(found, Mapping) or found.get("mean") is None:
                continue
            figure = Estimate.from_json(found)
            curve = ", ".join(part for part in (arm if len(point["arms"]) > 1 else "", others) if part) or arm
            ends = {"mean": figure.mean, "low": figure.low, "high": figure.high}
            yield {"value": values[over[0]], "arm": curve, **ends, "shown": written(metric, found)}


def _figure(metric: str, path: str, rows: Sequence[Mapping[str, Any]]) -> Figure:
    numbers = [_number(str(row["value"])) for row in rows]
    are_numbers = all(number is not None for number in numbers)
    placed = [
        {**row, "value": number if are_numbers else str(row["value"])}
        for row, number in zip(rows, numbers, strict=True)
    ]
    title = metric.replace("_", " ")

    def draw() -> Any:
        import pandas as pd

        from des.report.charts.curves import sweep

        return sweep(pd.DataFrame(placed), path, title, number=are_numbers)

    cells = [(str(row["value"]), row["arm"], row["shown"]) for row in rows]
    return Figure(
        f"sweep_{metric}",
        title.capitalize(),
        f"{title.capitalize()} against {path}; the band is the 95 % interval, where there is one.",
        draw,
        Table.of(title, (path, "arm", title), cells),
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
