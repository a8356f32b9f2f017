"""The tables that `des run` and `des sweep` print, and the verdicts on what the scenario expects."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from des.estimate.estimate import MET, MISSED
from des.report import figures
from des.report.layout import Line, fitted, print_arms, say, table_of
from des.report.lines import cascade_lines, cascade_sentences, horizon_s, lines, written
from des.report.run_sentence import run_sentence
from des.report.unseen_lines import unseen_sentences
from des.scenario.text.units import DAY_S
from des.study.verdicts import Verdict, of_run
from des.traces import Run
from des.traces.levels import FULL

if TYPE_CHECKING:
    pass


def print_run(run: Run, verdicts: Sequence[Verdict], *, reused: bool, console: Console) -> None:
    """The figures, the verdicts, and where the files are."""
    manifest, summary = run.manifest, run.summary
    arms = list(summary["arms"])
    print_heading(manifest, console)
    cascade = list(cascade_lines(summary, arms))
    brief = all(horizon_s(manifest["scenario"], arm) < DAY_S for arm in arms)
    table: Sequence[Line] = [*lines(summary, arms, brief=brief), *cascade]
    dropped = False
    if sentence := run_sentence(summary, arms):
        console.print()
        say(console, sentence[0].upper() + sentence[1:])
    if cascade:
        points = figures.without_intervals(summary)
        narrow = [*lines(points, arms, brief=brief), *cascade_lines(points, arms, narrow=True)]
        table, dropped = fitted(table, narrow, arms, console.width)
    print_arms(table, arms, console)
    for sentence in (*unseen_sentences(summary, arms), *cascade_sentences(summary, arms)):
        say(console, sentence)
    if verdicts:
        print_verdicts(verdicts, console)
    many = manifest["replications"]
    if many == 1:
        say(console, "one replication: no interval (--replications N gives one)")
    else:
        left_out = "; rows too wide for the terminal are shown without, summary.json has them all" if dropped else ""
        say(console, f"intervals: 95 %, over {many} replications{left_out}")
        for sentence in interval_sentences(summary):
            say(console, sentence)
    for sentence in precision_sentence(summary):
        say(console, sentence)
    print_where(run, reused, console)


def verdicts(run: Run) -> tuple[Verdict, ...]:
    """On every expectation of the run's scenario."""
    return of_run(run.manifest["scenario"].get("expect"), run.manifest["arms"], run.summary)


def print_where(run: Run, reused: bool, console: Console) -> None:
    """Where the files are."""
    if reused:
        say(console, "the same run as before: verified, not simulated again (--force simulates it again)")
    if not reused and (engine := _engine(run.manifest)):
        say(console, engine)
    level = run.trace_level
    kept = f"traces{'' if level == FULL else f' ({level})'}, " if run.manifest["traces"] else ""
    where = f"{kept}manifest and summary: {run.path}"
    say(console, where, whole=True)


def _engine(manifest: Mapping[str, Any]) -> str:
    """What simulated the run; nothing where SimPy did so as ever."""
    by = manifest.get("engine", {})
    compiled = [arm for arm, engine in by.items() if engine["name"] == "compiled"]
    if not compiled:
        return ""
    others = {engine["why"] for engine in by.values() if engine["name"] != "compiled"}
    rest = f"; other arms by SimPy: {'; '.join(sorted(others))}" if others else ""
    return f"simulated by the compiled engine: {by[compiled[0]]['why']}{rest}"


def interval_sentences(summary: Mapping[str, Any]) -> Iterator[str]:
    """Arms without an interval in spite of several replications, and how many replications it takes."""
    for arm, metrics in summary["arms"].items():
        reasons = (str(found.get("interval", "")) for found in metrics.values() if found)
        for reason in [reason for reason in reasons if "fewer than" in reason][:1]:
            yield f"{arm} has no interval: {reason.removeprefix('none: ')}"


def precision_reached(summary: Mapping[str, Any]) -> bool:
    """Whether the run reached the precision asked for, if any."""
    return bool(summary.get("precision", {"reached": True})["reached"])


def precision_sentence(summary: Mapping[str, Any]) -> Iterator[str]:
    """The precision asked for, whether it was reached, and the number of replications."""
    found = summary.get("precision")
    if found is None:
        return
    asked = ", ".join(f"{name} ± {100.0 * share:g} %" for name, share in found["asked"].items())
    if found["reached"]:
        yield f"precision {asked}: reached after {found['replications']:,} replications"
        return
    so_far = ", ".join(
        f"{name} " + ("unknown" if w is None else f"± {100.0 * w:.3g} %") for name, w in found["half_widths"].items()
    )
    yield (
        f"precision {asked}: NOT reached after {found['replications']:,} replications, the most allowed "
        f"(--max-replications); so far {so_far}"
    )


def print_heading(manifest: Mapping[str, Any], console: Console) -> None:
    """The scenario, seed and size of the run."""
    scenario = manifest["scenario"]
    say(console, str(scenario.get("title") or manifest["name"]), style="bold")
    if scenario.get("question"):
        say(console, " ".join(str(scenario["question"]).split()))
    many = manifest["replications"]
    parts = [
        f"horizon {scenario['horizon']}",
        f"seed {manifest['seed']}",
        f"{many} replication{'s' if many > 1 else ''}",
        f"simulated in {manifest['wall_s']:,.1f} s",
    ]
    say(console, ", ".join(parts))


def print_verdicts(verdicts: Sequence[Verdict], console: Console) -> None:
    """Each expectation and its verdict."""
    table = table_of()
    for title in ("expectation", "expected", "found", "met"):
        table.add_column(title, overflow="fold")
    for verdict in verdicts:
        colour = {MET: "green", MISSED: "bold red"}.get(verdict.result, "yellow")
        met = Text({MET: "yes", MISSED: "no"}.get(verdict.result, verdict.result), style=colour)
        table.add_row(Text(f"{verdict.arm}.{verdict.metric}"), Text(verdict.expected), Text(_found(verdict)), met)
    console.print(table)
    for reason in dict.fromkeys(verdict.reason for verdict in verdicts if verdict.reason):
        of = [f"{each.arm}.{each.metric}" for each in verdicts if each.reason == reason]
        result = next(each.result for each in verdicts if each.reason == reason)
        say(console, f"{', '.join(dict.fromkeys(of))}: {result}: {reason}")
    console.print()


def expectation_sentence(verdict: Verdict) -> str:
    """`as_modelled.availability: expected >= 99.95%, found 99.90 %: missed`."""
    reason = f" ({verdict.reason})" if verdict.reason else ""
    found = "" if verdict.figure is None else f", found {_found(verdict)}"
    return f"{verdict.arm}.{verdict.metric}: expected {verdict.expected}{found}: {verdict.result}{reason}"


def _found(verdict: Verdict) -> str:
    return figures.NOTHING if verdict.figure is None else written(verdict.metric, verdict.figure)
