"""The table of `des check`."""

import math
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from des.check.case import LARGEST_SCORE, Case, Finding
from des.check.suite import Checked, all_ok, spread
from des.report.figures import NOTHING
from des.report.layout import say, table_of


def print_check(checked: Sequence[Checked], console: Console, *, wall_s: float) -> None:
    """A row for every claim, and the spread of all scores below."""
    table = table_of("claim", "by")
    for title in ("simulated", "exact", "std. error", "z", ""):
        table.add_column(title, justify="right", no_wrap=True)
    for one in checked:
        for finding in one.findings:
            table.add_row(
                Text(finding.claim),
                Text(one.by),
                Text(_number(finding.simulated)),
                Text(_number(finding.exact)),
                Text(NOTHING if finding.z is None else f"{finding.standard_error:.2g}"),
                Text(_score(finding)),
                Text("ok" if finding.ok else "FAILS", style="" if finding.ok else "bold red"),
            )
    console.print(table)
    console.print()
    findings = [finding for one in checked for finding in one.findings]
    failed = sum(not finding.ok for finding in findings)
    whole = spread(findings)
    say(console, f"{len(findings)} claims, {failed} beyond {LARGEST_SCORE:g} standard errors")
    if whole.mean_square is not None:
        say(
            console,
            f"mean squared z {whole.mean_square:.2f}, expected {whole.expected:.2f} "
            f"({whole.low:.2f} to {whole.high:.2f} plausible)",
        )
    cpu_s = sum(one.cpu_s for one in checked)
    verdict = "all agree" if all_ok(checked) else "SOMETHING IS WRONG"
    say(console, f"{verdict}; {wall_s:.0f} s elapsed, {cpu_s:.0f} s of processor time")


def print_cases(cases: Sequence[Case], console: Console) -> None:
    table = table_of("check", "by")
    for case in cases:
        table.add_row(Text(case.name), Text(case.by))
    console.print(table)


def _number(value: float) -> str:
    return f"{value:.6g}"


def _score(finding: Finding) -> str:
    if finding.z is None:
        return NOTHING
    return "none" if math.isnan(finding.z) else f"{finding.z:+.2f}"
