"""Arms side by side: nines against cost, the price of failing, and every figure."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from des.estimate.estimate import Estimate
from des.report import figures
from des.report.layout import Line
from des.report.lines import cascade_lines, lines
from des.report.page.blocks import NOTE, Block, Figure, Paragraph, Row, Section, Table
from des.report.page.findings import Findings
from des.report.page.sections.comparison import waterfall_of
from des.report.page.sections.opening import per_thousand
from des.scenario.text.units import DAY_S
from des.study.value import Money
from des.study.yearly import places_of, rounded, written

_FEWEST_LEGS: Final = 2
_MOST_WATERFALLS: Final = 2
_MONEY: Final = (("answers", "answers"), ("failing", "failing"), ("total", "in all"))


def arms_section(findings: Findings) -> Section | None:
    """Availability against cost; who is cheapest where failing has a price; the table of all figures."""
    if not findings.metrics:
        return None
    least = findings.cheapest
    best = least[0] if len(least) == 1 else None
    blocks: list[Block] = []
    if figure := _nines_against_cost(findings, best):
        blocks.append(figure)
    blocks += _leg_by_leg(findings)
    if lossless := [arm for arm in findings.arms if (of := findings.lost_share(arm)) and not of.mean]:
        blocks.append(Paragraph(f"No request of {', '.join(lossless)} was lost: no end of nines, so no point.", NOTE))
    if least:
        told = f"{best} is the cheapest" if best else f"it is not resolved which is the cheapest: {' or '.join(least)}"
        blocks += [Paragraph(f"Counting what failing costs, {told}.", NOTE), _money(findings, best)]
        if findings.answer.get("steps"):
            blocks.append(_steps(findings.answer["steps"]))
    blocks.append(Table.of_lines("All figures", _lines(findings), findings.arms, findings.marks))
    title = "Arms side by side" if len(findings.arms) > 1 else "Figures"
    return Section("arms", title, tuple(blocks))


def _leg_by_leg(findings: Findings) -> Iterator[Figure]:
    """Of the arms of an answer with several legs whose endpoints' own figures are known."""
    told = 0
    for arm in findings.arms:
        of = findings.answer.get("arms", {}).get(arm, {})
        shares = {name: each["mean"] for name, each in (of.get("unavailability") or {}).items()}
        if len(shares) < _FEWEST_LEGS or told == _MOST_WATERFALLS:
            continue
        together, lost = ((of.get(name) or {}).get("mean") for name in ("all_down", "lost"))
        name = "waterfall" if told == 0 else f"waterfall_{told + 1}"
        if figure := waterfall_of(arm, shares, together, lost, name):
            told += 1
            yield figure


def _nines_against_cost(findings: Findings, best: str | None) -> Figure | None:
    rows, cells = [], []
    for arm in findings.arms:
        lost, cost = findings.lost_share(arm), findings.figure(arm, "cost_usd_per_request")
        if lost is None or cost is None or not lost.mean:
            continue
        nines = figures.nines_of_lost(lost.mean)
        usd = figures.scaled(cost, 1000.0)
        row = {"arm": arm, "cost": usd.mean, "cost_low": usd.low, "cost_high": usd.high, "nines": nines}
        row |= {"nines_low": _nines(lost.high), "nines_high": _nines(lost.low), "best": arm == best}
        rows.append(row)
        available = figures.availability(findings.availability(arm), findings.lost.get(arm))
        words = (arm, available, lost.estimator, f"{nines:.2f}", per_thousand(cost))
        cells.append(Row(words, "best" if arm == best else ""))
    if not rows:
        return None
    columns = ("arm", "availability", "estimator", "nines", "per 1,000 requests")
    ring = " The ring marks the cheapest, counting what failing costs." if best else ""
    return Figure(
        "nines_against_cost",
        "Nines against cost",
        f"Each arm by the nines of its availability and by what 1,000 requests cost; lines are 95 % intervals.{ring}",
        lambda: _draw(rows),
        Table("Nines against cost", columns, tuple(cells), marks=findings.marks, marks_rows=True),
    )


def _draw(rows: Sequence[Mapping[str, Any]]) -> Any:
    import pandas as pd

    from des.report.charts.arms import nines_against_cost

    return nines_against_cost(pd.DataFrame(rows))


def _nines(lost: float | None) -> float | None:
    if lost is None:
        return None
    found = figures.nines_of_lost(lost)
    return found if math.isfinite(found) else None


def _steps(steps: Sequence[Mapping[str, Any]]) -> Table:
    """What the next more available arm costs more, and what it saves."""
    rows = [
        (step["arm"], step["next"], *(_usd(Estimate.from_json(step[name])) for name in ("spends", "saves", "worth")))
        for step in steps
    ]
    columns = ("from", "to", "answers cost more", "failing costs less", "worth")
    return Table.of("From one arm to the next more available one, USD a year", columns, rows)


def _money(findings: Findings, best: str | None) -> Table:
    """Rows add up, as on a terminal."""
    rows = []
    found = {arm: money for arm in findings.arms if (money := findings.answer["arms"][arm].get("money"))}
    known = {arm: Money(**{key: Estimate.from_json(each) for key, each in of.items()}) for arm, of in found.items()}
    places = places_of(known)
    for arm, money in known.items():
        sums = rounded(money, places)
        cells = tuple(written(getattr(sums, key), getattr(money, key), places) for key, _ in _MONEY)
        rows.append(Row((arm, *cells), "best" if arm == best else ""))
    columns = ("arm", *(title for _, title in _MONEY))
    return Table("USD a year", columns, tuple(rows), marks=findings.marks, marks_rows=True)


def _usd(figure: Estimate) -> str:
    return figures.shown(figure, figures.dollars)


def _lines(findings: Findings) -> list[Line]:
    """As a terminal shows them."""
    brief = all(findings.horizon_s(arm) < DAY_S for arm in findings.arms)
    if findings.summary:
        return [*lines(findings.summary, findings.arms, brief=brief), *cascade_lines(findings.summary, findings.arms)]
    return list(lines({"arms": findings.metrics}, findings.arms, brief=brief, lost_as_shares=True))
