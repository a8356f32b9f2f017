"""What `des optimise` prints: the best candidate beside the rule and the scenario as written, how sure, the front."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from rich.console import Console

from des.estimate.estimate import EXACT, Estimate
from des.estimate.selection import CONFIDENCE
from des.report import figures
from des.report.layout import Line, as_text, print_arms, say, table_of
from des.report.lines import money, per_thousand, seconds, share
from des.scenario.schema.optimise import TOTAL_COST
from des.study.optimised import Choice, Optimised
from des.study.optimising.reasons import Rule

_CONFIDENT: Final = f"{100.0 * CONFIDENCE:g} %"
_MOST_ON_FRONT: Final = 12
_MOST_NAMES: Final = 6
_MOST_REASONS: Final = 3

_ROWS: Final[Sequence[tuple[str, str, Callable[[Estimate | None], str]]]] = (
    ("availability", "availability", figures.availability),
    ("cost per 1,000 requests", "cost_usd_per_request", per_thousand),
    ("cost per 1,000 answered", "cost_usd_per_success", per_thousand),
    ("latency, mean", "latency_s_mean", seconds),
    ("latency, p95", "latency_s_p95", seconds),
    ("latency, 99th percentile", "latency_s_p99", seconds),
    ("answered by a fallback", "fallback_share", share),
    ("calls per request", "attempts_per_request", lambda found: figures.shown(found, figures.plain)),
)


def print_optimised(found: Optimised, console: Console) -> None:
    say(console, found.loaded.scenario.title, style="bold")
    say(console, found.aim.words)
    console.print()
    for text in _result(found):
        say(console, text, style="bold")
    columns = _columns(found)
    print_arms([*_lines(found, list(columns.values()))], list(columns), console)
    for text in (*_sure(found), *_of_the_written(found), *_of_the_rule(found)):
        say(console, text)
    console.print()
    _print_front(found, console)
    for text in _rests_on(found):
        say(console, text)


def optimised_text(found: Optimised, width: int = 80) -> str:
    """The same as plain text."""
    return as_text(lambda console: print_optimised(found, console), width)


def _result(found: Optimised) -> Iterator[str]:
    best, nearest = found.best, found.nearest
    if best is not None:
        yield f"best: {_name(best)}"
    elif nearest is not None:
        yield "no candidate keeps the bounds"
        yield f"nearest: {_name(nearest)}"
        means = found.selected.mean(found.nearest_candidate) if found.nearest_candidate is not None else {}
        for bound in found.aim.bounds:
            if not bound.kept(means):
                by = figures.percent(bound.miss(means) / bound.scale, 1)
                part = "what may be lost" if bound.metric == "availability" else "the bound"
                yield f"it misses {bound.words} by {by} of {part}"


def _name(choice: Choice) -> str:
    names = list(choice.chain)
    shown = names if len(names) <= _MOST_NAMES else [*names[: _MOST_NAMES - 1], f"{len(names) - _MOST_NAMES + 1} more"]
    values = ", ".join(f"{path}={value}" for path, value in choice.values.items() if path != "chain")
    return " > ".join(shown) + (f"; {values}" if values else "")


def _stacked(choice: Choice) -> str:
    """The name as short lines, which a narrow terminal does not break within a word."""
    return _name(choice).replace(" > ", " >\n").replace("; ", ";\n")


def _columns(found: Optimised) -> dict[str, Choice]:
    """The candidates side by side, each once."""
    columns: dict[str, Choice] = {}
    first = found.best or found.nearest
    if first is not None:
        columns["best" if found.best is not None else "nearest"] = first
    for name, choice in (("the rule", found.rule), ("as written", found.written)):
        if choice is not None and choice.simulated:
            columns[name] = choice
    return columns


def _lines(found: Optimised, of: Sequence[Choice]) -> Iterator[Line]:
    bounded = {bound.metric for bound in found.aim.bounds}
    if found.aim.metric == TOTAL_COST:
        yield Line("total cost a year", tuple(money(each.aimed) for each in of))
    for label, metric, write in _ROWS:
        mark = " *" if metric == found.aim.metric else ""
        yield Line(f"{label}{mark}", tuple(write(each.figures[metric]) for each in of))
    for metric in bounded - {metric for _, metric, _ in _ROWS}:
        yield Line(metric, tuple(figures.shown(each.figures[metric], figures.plain) for each in of))
    if found.aim.bounds:
        yield Line("bounds missed", tuple(str(len(each.misses)) if each.misses else "none" for each in of))


def _sure(found: Optimised) -> Iterator[str]:
    selected, aim = found.selected, found.aim
    many = len(selected.finalists)
    if found.best is None:
        yield f"none of the {many} simulated keeps the bounds (with {_CONFIDENT})"
        return
    close = f"{100.0 * aim.indifference:g} %"
    if not selected.decided:
        yield (
            f"not decided after {selected.replications:,} replications: the best leads; --replications gives more, "
            f"optimise.indifference says how close is close enough"
        )
        return
    if many == 1:
        yield "the only candidate within reach"
        return
    bounds = f", and misses no bound by {100.0 * aim.tolerance:g} % of it or more" if aim.bounds else ""
    yield (
        f"with {_CONFIDENT} confidence it is the best of the {many} simulated, or within {close} of the best{bounds} "
        f"({selected.replications:,} replications with common random numbers)"
    )


def _of_the_written(found: Optimised) -> Iterator[str]:
    """Where the search leaves out something better that there is already, and how it would be one of the candidates."""
    if not found.written_is_better:
        return
    space = found.space
    wanted = [] if space.grid is None else [f"give --over its values of {', '.join(space.grid.paths)}"]
    if space.varies_chain and not space.allows(space.written()):
        wanted.append("have its chain allowed by --legs, --least and --most")
    yield f"the scenario as written is better, but none of the candidates: {' and '.join(wanted)}"


def _of_the_rule(found: Optimised) -> Iterator[str]:
    rule, beside = found.rule, found.rule_beside
    if rule is None:
        return
    order = [f"{name} {per_thousand(Estimate(cost))}" for name, cost in found.order]
    more = f", {len(order) - _MOST_NAMES} more" if len(order) > _MOST_NAMES else ""
    yield f"the rule tries entries in ascending cost per 1,000 answered: {', '.join(order[:_MOST_NAMES])}{more}"
    if beside is not None:
        yield _beside(beside, _name(rule))


def _beside(beside: Rule, name: str) -> str:
    if beside.is_best:
        return f"it is as good as the best here: {name}"
    if beside.misses:
        worse = f"it is not the best here: {name} misses {' and '.join(beside.misses)}"
    else:
        worse = f"it is not the best here: {name} is {figures.percent(beside.worse_by, 1)} worse"
    if not beside.because:
        return f"{worse}; neither dependence nor a deadline nor limits explain it: the rule looks at cost alone"
    left_out = " and ".join(beside.because)
    return f"{worse}; without {left_out} it would be as good"


def _print_front(found: Optimised, console: Console) -> None:
    front = found.front
    say(console, "no other candidate simulated is both cheaper and more available", style="bold")
    table = table_of()
    table.add_column("per 1,000\nanswered", justify="right", no_wrap=True)
    table.add_column("availability", justify="right", no_wrap=True)
    table.add_column("95 %\nwithin", justify="right", no_wrap=True)
    table.add_column("bounds", no_wrap=True)
    table.add_column("chain", overflow="fold")
    for choice in front[:_MOST_ON_FRONT]:
        of = choice.figures
        table.add_row(
            per_thousand(_point(of["cost_usd_per_success"])),
            figures.availability(_point(of["availability"])),
            seconds(_point(of["latency_s_p95"])),
            "missed" if choice.misses else "kept",
            _stacked(choice),
        )
    console.print(table)
    if len(front) > _MOST_ON_FRONT:
        say(console, f"{len(front) - _MOST_ON_FRONT} more on the front; --out writes all of them")


def _point(figure: Estimate) -> Estimate:
    return figure.without_interval(None)


def _rests_on(found: Optimised) -> Iterator[str]:
    screened, selected, space = found.screened, found.selected, found.space
    told = f"{len(screened.figures):,} candidates ranked without simulated requests"
    if not screened.complete:
        told += (
            f" out of {screened.space:,.0f}: all chains of one entry, and each entry behind the {screened.width} most "
            "promising chains of each length; of the others a better one may have been missed (--screen ranks more)"
        )
    yield told
    if space.varies_chain and len(space.names) > 1:
        yield "the search takes the answers of all entries to be as good as each other"
    if len(set(space.alike)) < len(space.names) and space.varies_chain:
        yield "entries that differ in nothing but names count once"
    if selected.why_simulated:
        yield f"the ranking leaves out {_some(selected.why_simulated)}; the finalists are simulated with them"
    simulated = "every request of the horizon" if selected.why_simulated else "blocks of drawn years"
    reach = f" of {selected.within_reach:,} within reach" if selected.within_reach > len(selected.finalists) else ""
    yield f"{len(selected.finalists)}{reach} simulated: {simulated}"
    if screened.refused:
        yield f"{len(screened.refused):,} candidates contradict themselves: {next(iter(screened.refused.values()))}"
    exact = any(each.figures["availability"].estimator == EXACT for each in _columns(found).values())
    yield f"intervals: 95 %, over replications{'; availabilities without one are exact' if exact else ''}"
    yield f"took {figures.duration(found.wall_s)}"


def _some(reasons: Sequence[str]) -> str:
    names = list(dict.fromkeys(reason.split(":")[0] for reason in reasons))
    more = f" and {len(names) - _MOST_REASONS} more" if len(names) > _MOST_REASONS else ""
    return ", ".join(names[:_MOST_REASONS]) + more
