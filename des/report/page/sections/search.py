"""A search over chains and settings: what is best, and the front of cost and availability."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from des.estimate.estimate import Estimate
from des.report import figures
from des.report.lines import per_thousand, written
from des.report.marks import Marks
from des.report.page.blocks import LEAD, NOTE, WARNING, Block, Figure, Paragraph, Row, Section, Table
from des.report.page.findings import Findings

_COST = "cost_usd_per_success"
_LOST = "failure_share"


def search_section(findings: Findings) -> Section | None:
    """Of the candidates that were simulated."""
    found = findings.search
    if not found:
        return None
    aim = found["aim"]
    bounds = " and ".join(f"{bound['metric']} {bound['text']}" for bound in aim["subject_to"])
    asked = f"{aim['direction']} {aim['metric']}{f', subject to {bounds}' if bounds else ''}"
    blocks: list[Block] = [Paragraph(_sentence(found), LEAD), Paragraph(f"Asked for: {asked}.", NOTE)]
    blocks += [Paragraph(words, WARNING) for words in _reservations(found)]
    rows = list(_rows(found))
    if rows:
        blocks.append(_front(found, rows))
    return Section("search", "What the search found", tuple(blocks))


def _sentence(found: Mapping[str, Any]) -> str:
    """The best candidate, or the one that comes nearest to the bounds."""
    best, nearest = found["best"], found["nearest"]
    if best is not None:
        return f"The best is {_name(best)}: {_headlines(best)}."
    if nearest is not None:
        return f"Nothing keeps the bounds; nearest is {_name(nearest)}, which misses {', '.join(nearest['misses'])}."
    return "Nothing keeps the bounds."


def _headlines(choice: Mapping[str, Any]) -> str:
    available = written("availability", choice["figures"]["availability"])
    cost = per_thousand(figures.read(choice["figures"][_COST]))
    return f"{available} of the requests are answered, at {cost} per 1,000 answered"


def _reservations(found: Mapping[str, Any]) -> Iterator[str]:
    space, selection = found["space"], found["selection"]
    if not space["complete"]:
        yield f"Not every candidate was ranked: {space['screened']:,} were. A better one may have been missed."
    if not selection["decided"]:
        yield f"{selection['replications']:,} replications were not enough to decide between the finalists."
    if left_out := found["screen"]["leaves_out"]:
        yield f"The ranking without simulated requests leaves out {', '.join(left_out)}."


def _rows(found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Finalists and the front, each once."""
    front = [_name(choice) for choice in found["front"]]
    best = None if found["best"] is None else _name(found["best"])
    seen: set[str] = set()
    for choice in (*found["front"], *found["selection"]["finalists"]):
        name = _name(choice)
        cost, lost = (figures.read(choice["figures"].get(metric)) for metric in (_COST, _LOST))
        if name in seen or cost is None or cost.mean is None:
            continue
        seen.add(name)
        row = {"name": name, "cost": 1000.0 * cost.mean, "nines": _nines(lost), "front": name in front}
        yield row | {"best": name == best, "choice": choice}


def _front(found: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Figure:
    drawn = [
        {name: row[name] for name in ("name", "cost", "nines", "front", "best")}
        for row in rows
        if row["nines"] is not None
    ]

    def draw() -> Any:
        import pandas as pd

        from des.report.charts.curves import pareto

        return pareto(pd.DataFrame(drawn), "USD per 1,000 answered")

    best = next((row["name"] for row in rows if row["best"]), None)
    cells = tuple(
        Row(
            (
                row["name"],
                written("availability", row["choice"]["figures"]["availability"]),
                per_thousand(figures.read(row["choice"]["figures"][_COST])),
                "yes" if row["front"] else "no",
                ", ".join(row["choice"]["misses"]) or figures.NOTHING,
            ),
            "best" if row["best"] else "",
        )
        for row in sorted(rows, key=lambda row: row["cost"])
    )
    return Figure(
        "front",
        "Cost against availability",
        "The candidates that were simulated; those than which no other is both cheaper and more available are joined. "
        "One that lost nothing has no end of nines and no point.",
        draw,
        Table(
            "Candidates simulated",
            ("candidate", "availability", "cost per 1,000 answered", "on the front", "misses"),
            cells,
            marks=Marks.of_best("the best by what was asked for", best),
            marks_rows=True,
        ),
    )


def _name(choice: Mapping[str, Any]) -> str:
    values = [f"{path}={value}" for path, value in choice["values"].items()]
    return ", ".join([" > ".join(choice["chain"]), *values])


def _nines(lost: Estimate | None) -> float | None:
    return None if lost is None or not lost.mean else figures.nines_of_lost(lost.mean)
