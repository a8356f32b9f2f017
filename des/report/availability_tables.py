"""What `des availability` and `des explain` print: arms side by side, then a sentence on each estimator."""

import math
from collections.abc import Callable, Mapping
from typing import Final

from rich.console import Console

from des.estimate.availability import AvailabilityAnswer
from des.estimate.estimate import EXACT, REQUEST_LEVEL, Estimate
from des.estimate.exact import ExactAnswer
from des.report import figures
from des.report.foreseen_lines import print_foreseen
from des.report.layout import Line, print_arms, say
from des.study.explanation import Explained

_MOST_WRITTEN_OUT: Final = 1e15


def print_availability(
    title: str,
    answers: Mapping[str, AvailabilityAnswer],
    console: Console,
    *,
    left_out: Mapping[str, str] | None = None,
) -> None:
    """One column per arm. `left_out` maps arms without a column to the reason."""
    arms, of = list(answers), list(answers.values())
    closed = [answer.choice.exact for answer in of]
    lines = [
        Line("availability", tuple(figures.availability(each.availability, each.lost) for each in of)),
        Line("nines", tuple(figures.availability_nines(each.availability, each.lost) for each in of)),
        Line(
            "minutes lost of 30 days",
            tuple(figures.availability_minutes(each.availability, each.lost) for each in of),
        ),
        Line("estimator", tuple(answer.choice.estimator for answer in of)),
        Line("years of incidents", tuple(_number(answer.years) for answer in of)),
        Line("total outages seen", tuple(_number(answer.all_down_episodes_seen) for answer in of)),
        Line("time", tuple(f"{answer.wall_s:,.1f} s" for answer in of)),
        Line("every leg down at once"),
        Line("  share of time", tuple(_estimate(answer.all_down) for answer in of)),
        Line("  episodes a year", tuple(_estimate(answer.all_down_episodes_per_year) for answer in of)),
        *_redundancy(closed),
    ]
    say(console, title, style="bold")
    print_arms(lines, arms, console)
    for arm, answer in answers.items():
        say(console, f"{arm}: {_because(answer.choice.estimator, answer.choice.reason)}")
        for limit in answer.choice.limits_left_out:
            say(console, f"  {limit.left_out}")
    for arm, reason in (left_out or {}).items():
        say(console, f"{arm} is left out: {reason}")
    if any(answer.availability is None for answer in of):
        say(
            console,
            "-: known only from simulated requests, which this command lacks; des compare SCENARIO (or des run) "
            "simulates them; figures of every leg down at once do not depend on them",
        )
    say(console, "intervals: 95 %; figures without one are exact")


def print_explanation(title: str, explained: Explained, console: Console) -> None:
    """One column per arm, then the time of each command over all arms."""
    arms, of = list(explained.arms), list(explained.arms.values())
    names = list(dict.fromkeys(name for one in of for name in one.incidents))
    closed = [one.choice.exact for one in of]
    precision = f"{100.0 * of[0].precision:g} %"
    endpoints = list(dict.fromkeys(endpoint.name for one in closed if one for endpoint in one.endpoints))
    lines = [
        Line("requests a replication", tuple(f"{_number(one.requests)} ({one.requests_how})" for one in of)),
        Line("replications", tuple(_number(one.replications) for one in of)),
        Line("processor seconds it takes, about"),
        Line("  des run", tuple(figures.duration(one.run_s) for one in of)),
        Line("  des availability", tuple(figures.duration(one.availability_s) for one in of)),
        Line("  des compare", tuple(figures.duration(one.compare_s) for one in of)),
        Line("estimator of availability", tuple(one.choice.estimator for one in of)),
        Line("incidents expected in the horizon"),
        *(Line(f"  {name}", tuple(_number(one.incidents.get(name)) for one in of)) for name in names),
        Line("unavailable (share of time)"),
        *(Line(f"  {name}", tuple(_marginal(one, name) for one in closed)) for name in endpoints),
        Line("every leg down at once"),
        Line("  share of time", _each(closed, lambda one: figure(one.all_down))),
        Line("  episodes a year", _each(closed, lambda one: figure(one.all_down_episodes_per_year))),
        *_redundancy(closed),
        Line(f"  years to know it to {precision}, about", tuple(_number(one.years_needed) for one in of)),
        Line("availability, one call a leg", _each(closed, _one_call)),
    ]
    say(console, title, style="bold")
    print_arms(lines, arms, console)
    for arm, one in explained.arms.items():
        say(console, f"{arm}: {_because(one.choice.estimator, one.choice.reason)}")
        for limit in one.choice.limits_left_out:
            say(console, f"  {limit.left_out}")
        if one.choice.exact is None:
            say(console, f"  no closed form: {one.choice.why_not_exact}")
        elif one.choice.exact.availability is None:
            say(console, f"  no closed form of one call a leg: {one.choice.exact.availability_reason}")
        if one.requests_per_s is not None:
            say(console, f"  probed on this machine: {one.requests_per_s:,.0f} requests a second")
    takes = ", ".join(f"des {command} {figures.duration(seconds)}" for command, seconds in explained.seconds.items())
    say(console, f"estimated processor time of all arms together on this machine: {takes}")
    if cascading := [arm for arm, one in explained.arms.items() if one.undisturbed]:
        say(
            console,
            f"des run and des compare may take several times as long if a cascade starts ({', '.join(cascading)}): "
            "only calls outside incidents were timed, and incidents meet limits, capacities or a client's policy",
        )
    if further := [arm for arm in explained.compared if arm not in explained.arms]:
        say(console, f"des availability and des compare also have {' and '.join(further)}")
    for arm, reason in explained.left_out.items():
        say(console, f"{arm} is left out by des availability, and des compare refuses it: {reason}")
    print_foreseen(explained.foreseen, console)


def figure(value: float) -> str:
    """Three significant digits, with an exponent below 1e-4."""
    if value == 0.0 or not math.isfinite(value):
        return f"{value:g}"
    return f"{value:.3g}" if abs(value) < 1e-4 else figures.plain(value, figures.significant(value))


def _redundancy(closed: list[ExactAnswer | None]) -> list[Line]:
    return [
        Line("  k_eff", _each(closed, lambda one: "-" if one.k_eff is None else f"{one.k_eff:.2f}")),
        Line("  at least, whatever is shared", _each(closed, lambda one: figure(one.frechet_low))),
        Line("  at most, whatever is shared", _each(closed, lambda one: figure(one.frechet_high))),
    ]


def _each(closed: list[ExactAnswer | None], write: Callable[[ExactAnswer], str]) -> tuple[str, ...]:
    return tuple(figures.NOTHING if one is None else write(one) for one in closed)


def _marginal(one: ExactAnswer | None, name: str) -> str:
    found = [endpoint.unavailability for endpoint in one.endpoints if endpoint.name == name] if one else []
    return figure(found[0]) if found else figures.NOTHING


def _one_call(one: ExactAnswer) -> str:
    if one.availability is None:
        return figures.NOTHING
    return figures.availability(Estimate(one.availability), None if one.lost is None else Estimate(one.lost))


def _estimate(found: Estimate | None) -> str:
    if found is None or found.mean is None:
        return figures.NOTHING
    if found.low is None or found.high is None:
        return figure(found.mean)
    return f"{figure(found.mean)} [{figure(found.low)}, {figure(found.high)}]"


def _number(value: float | None) -> str:
    if value is None:
        return figures.NOTHING
    return f"{value:,.0f}" if 10.0 <= value < _MOST_WRITTEN_OUT else f"{value:,.3g}"


def _because(estimator: str, reason: str) -> str:
    if estimator == REQUEST_LEVEL:
        return f"requests interact ({reason}): its availability needs simulated requests, see des compare"
    if estimator == EXACT:
        return f"exact: {reason}"
    return f"{estimator}, beyond the closed form: {reason}"
