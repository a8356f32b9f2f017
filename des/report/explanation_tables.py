"""What `des explain` prints: arms side by side, a sentence on each estimator, times, and the faults foreseen."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from rich.console import Console

from des.estimate.estimate import REQUEST_LEVEL, Estimate
from des.estimate.exact import ExactAnswer
from des.report import figures
from des.report.availability_tables import because, each, figure, limits_left_out, number, redundancy, same_words
from des.report.foreseen_lines import print_foreseen
from des.report.layout import Line, print_arms, say, say_indented
from des.report.lines import share
from des.scenario.text.units import read_positive_duration
from des.study.answer import WITHIN
from des.study.explanation import NOT_COMPILED_YET, Explained, Explanation

_ANSWER_S: Final = read_positive_duration(WITHIN)
_EVERY_LEG: Final = "every leg down at once"


def print_explanation(title: str, explained: Explained, console: Console) -> None:
    """One column per arm, then what several arms have in common, each once, then the time of each command."""
    arms, of = list(explained.arms), list(explained.arms.values())
    say(console, title, style="bold")
    print_arms(list(_telling([*_size(of), *_incidents(of)])), arms, console)
    _print_reasons(explained.arms, console)
    taken = {"answer": _ANSWER_S, **explained.seconds}
    takes = ", ".join(f"des {command} {figures.duration(seconds)}" for command, seconds in taken.items())
    say_indented(console, f"estimated processor time of all arms together on this machine: {takes}")
    if any(one.engine_reason == NOT_COMPILED_YET for one in of):
        say_indented(console, f"compiled engine: {NOT_COMPILED_YET}")
    if cascading := [arm for arm, one in explained.arms.items() if one.undisturbed]:
        named = f" ({', '.join(cascading)})" if len(cascading) < len(arms) else ""
        say_indented(
            console,
            f"des run and des compare may take several times as long if a cascade starts{named}: only calls outside "
            "incidents were timed, and incidents meet limits, capacities or a client's policy",
        )
    of_others = [arm for arm in explained.compared if arm not in explained.arms]
    if further := [arm for arm in of_others if arm not in explained.same]:
        say_indented(console, f"des availability and des compare also have {' and '.join(further)}")
    for arm in of_others:
        if arm in explained.same:
            say_indented(console, same_words(arm, explained.same[arm]))
    for arm, reason in explained.left_out.items():
        say_indented(console, f"{arm} is left out by des availability, and des compare refuses it: {reason}")
    print_foreseen(explained.foreseen, console)


def _size(of: Sequence[Explanation]) -> Iterator[Line]:
    """The size of a run, and the time that commands take."""
    how = {one.requests_how for one in of}
    if len(how) == 1:
        yield Line(f"requests a replication, {how.pop()}", tuple(number(one.requests) for one in of))
    else:
        yield Line("requests a replication", tuple(f"{number(one.requests)} ({one.requests_how})" for one in of))
    yield Line("replications", tuple(number(one.replications) for one in of))
    yield Line("requests simulated a second, probed", tuple(number(one.requests_per_s) for one in of))
    if any(one.left_to_simpy for one in of):
        yield Line("left to SimPy for", tuple(", ".join(one.left_to_simpy) for one in of))
    yield Line("engine of des run", tuple(one.engine for one in of))
    yield Line("processor time, about")
    yield Line("  des answer, of all arms", tuple(f"{figures.duration(_ANSWER_S)} (--within)" for _ in of))
    yield Line("  des run", tuple(figures.duration(one.run_s) for one in of))
    yield Line("  des availability", tuple(figures.duration(one.availability_s) for one in of))
    yield Line("  des compare", tuple(figures.duration(one.compare_s) for one in of))
    if any(one.run_bytes for one in of):
        yield Line("traces of des run on disk, about", tuple(figures.size(one.run_bytes) for one in of))


def _incidents(of: Sequence[Explanation]) -> Iterator[Line]:
    """Incidents, and what is known exactly of the time in which endpoints are down."""
    names = list(dict.fromkeys(name for one in of for name in one.incidents))
    closed = [one.choice.exact for one in of]
    precision = f"{100.0 * of[0].precision:g} %"
    endpoints = list(dict.fromkeys(endpoint.name for one in closed if one for endpoint in one.endpoints))
    yield Line("estimator of availability", tuple(one.choice.estimator for one in of))
    yield Line("incidents expected in the horizon")
    yield from (Line(f"  {name}", tuple(number(one.incidents.get(name)) for one in of)) for name in names)
    yield Line("unavailable, share of time")
    yield from (Line(f"  {name}", tuple(_marginal(one, name) for one in closed)) for name in endpoints)
    yield Line(_EVERY_LEG)
    yield Line("  share of time", each(closed, lambda one: share(Estimate(one.all_down))))
    if any(one.all_down > 0.0 for one in closed if one is not None):
        yield Line("  episodes a year", each(closed, lambda one: figure(one.all_down_episodes_per_year)))
        yield from redundancy(closed)
        yield Line(f"  years to know it to {precision}, about", tuple(number(one.years_needed) for one in of))
    yield Line("availability, one call a leg", each(closed, _one_call))


def _telling(lines: Iterable[Line]) -> Iterator[Line]:
    """Without rows that say nothing of any arm, and without titles that are left with no row below them."""
    kept = [line for line in lines if not line.cells or any(cell != figures.NOTHING for cell in line.cells)]
    for line, below in zip(kept, [*kept[1:], None], strict=True):
        if line.cells or (below is not None and below.label.startswith("  ")):
            yield line


def _marginal(one: ExactAnswer | None, name: str) -> str:
    found = [endpoint.unavailability for endpoint in one.endpoints if endpoint.name == name] if one else []
    return share(Estimate(found[0])) if found else figures.NOTHING


def _one_call(one: ExactAnswer) -> str:
    if one.availability is None:
        return figures.NOTHING
    return figures.availability(Estimate(one.availability), None if one.lost is None else Estimate(one.lost))


def _print_reasons(arms: Mapping[str, Explanation], console: Console) -> None:
    """Why each arm has its estimator; arms with the same reasons together."""
    same: dict[tuple[str, ...], list[str]] = {}
    for arm, one in arms.items():
        same.setdefault(tuple(_reasons(one)), []).append(arm)
    for (first, *others), of in same.items():
        say_indented(console, f"{'all arms' if len(of) == len(arms) > 1 else ', '.join(of)}: {first}")
        for reason in others:
            say_indented(console, reason, indent="  ", inside="    ")
    for text in limits_left_out({arm: one.choice.limits_left_out for arm, one in arms.items()}):
        say_indented(console, text)


def _reasons(one: Explanation) -> Iterator[str]:
    """The estimator's, then what has no closed form."""
    yield because(one.choice.estimator, one.choice.reason)
    if one.choice.exact is None:
        yield f"no closed form: {one.choice.why_not_exact}"
    elif one.choice.exact.availability is None and one.choice.estimator != REQUEST_LEVEL:
        yield f"no closed form of one call a leg: {one.choice.exact.availability_reason}"
