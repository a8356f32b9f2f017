"""The table of a sweep: one row a point, or a point and an arm."""

import io
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from des.report import figures
from des.report.expectations import INCONCLUSIVE, MET, MISSED, verdicts
from des.report.lines import money, seconds, share
from des.report.tables import GAP

if TYPE_CHECKING:
    from des.study.sweep import Sweep
    from des.traces import Run


def print_sweep(sweep: "Sweep", console: Console) -> None:
    """Values, then the headlines: availability, cost, latency, fallback, and how often all are down."""
    first = sweep.runs[0].manifest
    _say(console, str(first["scenario"].get("title") or first["name"]), style="bold")
    _say(console, f"{len(sweep.points)} points, seed {first['seed']}; all points share their random numbers")
    several = any(len(run.summary["arms"]) > 1 for run in sweep.runs)
    known = any(joint["all_down"] is not None for of in sweep.joint for joint in of.values())
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, GAP, 0, 0))
    for name in (*sweep.over, *(["arm"] if several else [])):
        table.add_column(name, overflow="fold")
    for title in ("availability", "cost per\nrequest", "latency\np95", "fallback"):
        table.add_column(title, justify="right", no_wrap=True)
    if known:
        table.add_column("all down\n(exact)", justify="right", no_wrap=True)
        table.add_column("k_eff", justify="right", no_wrap=True)
    judged = any(run.manifest["scenario"].get("expect") for run in sweep.runs)
    if judged:
        table.add_column("expected", no_wrap=True)
    for point, run, joint in zip(sweep.points, sweep.runs, sweep.joint, strict=True):
        for number, (arm, metrics) in enumerate(run.summary["arms"].items()):
            cells: list[str] = [value if number == 0 else "" for value in point.values()]
            cells += [arm] if several else []
            cells += [figures.availability(metrics["availability"]), money(metrics["cost_usd_per_request"])]
            cells += [seconds(metrics["latency_s_p95"]), share(metrics["fallback_share"])]
            cells += _joint(joint[arm]) if known else []
            cells += [_as_expected(run, arm)] if judged else []
            table.add_row(*map(Text, cells))
    console.print()
    console.print(table)
    console.print()
    taken = sorted({run.manifest["replications"] for run in sweep.runs})
    if taken == [1]:
        _say(console, "one replication a point: no interval (--replications N gives one)")
    else:
        many = f"{taken[0]:,}" if len(taken) == 1 else f"{taken[0]:,} to {taken[-1]:,}"
        _say(console, f"intervals: 95 %, over {many} replications")
    for run in sweep.runs:
        if not run.summary.get("precision", {"reached": True})["reached"]:
            _say(console, f"precision NOT reached within {run.manifest['replications']:,} replications: {run.path}")
    console.print(
        Text(f"table: {sweep.path / 'sweep.csv'}; each point is a run in {sweep.runs[0].path.parent}"), soft_wrap=True
    )


def sweep_text(sweep: "Sweep") -> str:
    """The table as plain text."""
    out = io.StringIO()
    print_sweep(sweep, Console(file=out, width=120, highlight=False, color_system=None))
    return out.getvalue().rstrip("\n")


def _as_expected(run: "Run", arm: str) -> str:
    """The worst of what was expected of the arm."""
    results = [verdict.result for verdict in verdicts(run.manifest, run.summary) if verdict.arm == arm]
    return next((result for result in (MISSED, INCONCLUSIVE, MET) if result in results), figures.NOTHING)


def _joint(joint: Any) -> list[str]:
    down, redundancy = joint["all_down"], joint["k_eff"]
    return [
        figures.NOTHING if down is None else figures.percent(down, figures.significant(100.0 * down)),
        figures.NOTHING if redundancy is None else figures.plain(redundancy, 2),
    ]


def _say(console: Console, text: str, *, style: str = "") -> None:
    console.print(Text(text, style=style))
