"""A comparison: do the endpoints fail alike in every arm, how they fail together, and the nines leg by leg."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from des.estimate.estimate import Estimate
from des.report import figures
from des.report.comparison_tables import difference_lines, joint_lines, matching
from des.report.page.blocks import NOTE, Block, Figure, Paragraph, Row, Section, Table
from des.report.page.findings import Findings

_MOST_ENDPOINTS: Final = 12


def comparison_section(findings: Findings) -> Section | None:
    """The marginals first, then the joint; None for what is no comparison."""
    found = findings.summary.get("comparison")
    if not found:
        return None
    arms = findings.arms
    baseline = found["baseline"]
    blocks: list[Block] = [_marginals(found, arms)]
    blocks += [
        Paragraph(f"{arm}: {matching(of, baseline)}.", NOTE) for arm, of in found["match"].items() if arm in arms
    ]
    left_out = len(_endpoints(found, arms)) - _MOST_ENDPOINTS
    if left_out > 0:
        blocks.append(Paragraph(f"{left_out} more endpoints are in summary.json.", NOTE))
    if figure := _all_down(found, arms):
        blocks.append(figure)
    blocks += _waterfalls(findings, found)
    lines = list(joint_lines(findings.summary, arms, findings.scenario))
    blocks.append(Table.of_lines("All endpoints of the chain together", lines, arms, findings.marks))
    others = [arm for arm in arms if arm != baseline]
    if others:
        caption = f"Against {baseline}, replication by replication"
        blocks.append(Table.of_lines(caption, list(difference_lines(found, others)), others))
    return Section("comparison", "What the comparison says", tuple(blocks))


def _endpoints(found: Mapping[str, Any], arms: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(name for arm in arms for name in found["marginals"][arm]))


def _marginals(found: Mapping[str, Any], arms: Sequence[str]) -> Figure:
    rows = [
        _point(name, arm, Estimate.from_json(found["marginals"][arm][name]["unavailability"]))
        for name in _endpoints(found, arms)[:_MOST_ENDPOINTS]
        for arm in arms
        if name in found["marginals"][arm]
    ]
    return _intervals(
        "marginals",
        "Each endpoint by itself",
        "The share of the time that each endpoint is down, in each arm. A fair comparison leaves these alike and "
        "changes only what fails together.",
        "share of the time down",
        rows,
    )


def _all_down(found: Mapping[str, Any], arms: Sequence[str]) -> Figure | None:
    rows = [
        _point("all down at once", arm, figure)
        for arm in arms
        if (figure := figures.read(found["joint"][arm].get("all_down"))) is not None and figure.mean
    ]
    if not rows:
        return None
    return _intervals(
        "all_down",
        "All endpoints down at once",
        "The share of the time in which every endpoint of the chain is down, in each arm. The axis is logarithmic.",
        "share of the time",
        rows,
    )


def _point(name: str, arm: str, figure: Estimate) -> dict[str, Any]:
    shown = figures.shown(figure, figures.percent, scale=100.0)
    ends = {"value": figure.mean, "low": figure.low, "high": figure.high}
    return {"name": name, "arm": arm, **ends, "shown": shown, "estimator": figure.estimator}


def _intervals(name: str, title: str, summary: str, axis: str, rows: Sequence[Mapping[str, Any]]) -> Figure:
    def draw() -> Any:
        import pandas as pd

        from des.report.charts.arms import intervals

        return intervals(pd.DataFrame(rows), axis, logarithmic=True, number=".2~p")

    cells = [(row["name"], row["arm"], row["shown"], row["estimator"]) for row in rows]
    return Figure(name, title, summary, draw, Table.of(title, ("", "arm", axis, "estimator"), cells))


def _waterfalls(findings: Findings, found: Mapping[str, Any]) -> Iterator[Block]:
    baseline = found["baseline"]
    marginals, joint = found["marginals"][baseline], found["joint"][baseline]
    shares = {name: of["unavailability"]["mean"] for name, of in marginals.items()}
    together, lost = ((joint.get(name) or {}).get("mean") for name in ("all_down", "failure_share"))
    figure = waterfall_of(baseline, shares, together, lost)
    if figure is None:
        yield Paragraph(f"The nines of {baseline} cannot be said leg by leg: not all of its figures are known.", NOTE)
    else:
        yield figure


def waterfall_of(
    arm: str,
    shares: Mapping[str, float | None],
    together: float | None,
    lost: float | None,
    name: str = "waterfall",
    *,
    independent: float | None = None,
) -> Figure | None:
    """The nines of an arm leg by leg; None where a figure is not known.

    `shares` are those of the time that each endpoint is down, `together` that of all at once, `lost` is of requests.
    With `independent`, the share of requests that the arm's independent twin loses, shared causes come last, and take
    what the two arms differ by.
    """
    steps = waterfall_steps(shares, together, lost, independent)
    if not steps:
        return None

    def draw() -> Any:
        import pandas as pd

        from des.report.charts.parts import waterfall

        return waterfall(pd.DataFrame(steps))

    rows = [Row((each["step"], f"{each['nines']:+.3f}", f"{each['end']:.3f}")) for each in steps]
    besides = "what requests lose besides, to random errors, waits and deadlines"
    taken = "what shared causes take back"
    told = f"{besides}, and {taken}" if independent else f"{taken}, and {besides}"
    return Figure(
        name,
        f"The nines of {arm}, leg by leg",
        f"What each leg would add if it failed independently of the others, {told}.",
        draw,
        Table(f"Nines of {arm} leg by leg", ("step", "nines", "up to here"), tuple(rows)),
    )


def waterfall_steps(
    shares: Mapping[str, float | None],
    together: float | None,
    lost: float | None,
    independent: float | None = None,
) -> list[dict[str, Any]]:
    """From 0 nines to those of P(all down), and to those of requests where their loss in the long run is known.

    Nines are -log10, so those of independent endpoints add up. Empty where a figure is missing or 0.
    """
    if not together or not shares or not all(shares.values()):
        return []
    steps: list[dict[str, Any]] = []
    reached = 0.0
    for name, share in shares.items():
        nines = figures.nines_of_lost(share or 1.0)
        steps.append({"step": name, "kind": "leg", "begin": reached, "end": reached + nines, "nines": nines})
        reached += nines
    if lost and independent:
        levels = [
            ("lost otherwise", figures.nines_of_lost(independent)),
            ("shared causes", figures.nines_of_lost(lost)),
        ]
    else:
        levels = [("shared causes", figures.nines_of_lost(together))]
        if lost:
            levels.append(("lost otherwise", figures.nines_of_lost(lost)))
    for step, level in levels:
        kind = "loss" if level < reached else "leg"
        steps.append({"step": step, "kind": kind, "begin": reached, "end": level, "nines": level - reached})
        reached = level
    what = "availability of requests" if lost else "all down at once"
    steps.append({"step": what, "kind": "total", "begin": 0.0, "end": reached, "nines": reached})
    return steps
