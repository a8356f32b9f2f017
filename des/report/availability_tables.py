"""What `des availability` prints: arms side by side, then a sentence on each estimator."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from rich.console import Console

from des.estimate.availability import AvailabilityAnswer
from des.estimate.binding import Binding
from des.estimate.estimate import EXACT, REQUEST_LEVEL, Estimate
from des.estimate.exact import ExactAnswer
from des.report import figures
from des.report.layout import Line, print_arms, say
from des.report.lines import share
from des.scenario.schema.expectations import AS_MODELLED

_MOST_WRITTEN_OUT: Final = 1e15


def print_availability(
    title: str,
    answers: Mapping[str, AvailabilityAnswer],
    console: Console,
    *,
    left_out: Mapping[str, str] | None = None,
    same: Mapping[str, str] | None = None,
    brief: bool = False,
) -> None:
    """One column per arm. `left_out` maps arms without a column to the reason, `same` to the arm that they repeat.

    `brief` scenarios, of less than a day, have no line of the time down in 30 days.
    """
    answers = {arm: answer for arm, answer in answers.items() if arm not in (same or {})}
    arms, of = list(answers), list(answers.values())
    closed = [answer.choice.exact for answer in of]
    minutes = tuple(figures.availability_minutes(each.availability, each.lost) for each in of)
    lines = [
        Line("availability", tuple(figures.availability(each.availability, each.lost) for each in of)),
        Line("  nines", tuple(figures.availability_nines(each.availability, each.lost) for each in of)),
        *([] if brief else [Line("  minutes down in 30 days", minutes)]),
        Line("estimator", tuple(answer.choice.estimator for answer in of)),
        Line("years of incidents", tuple(number(answer.years) for answer in of)),
        Line("total outages seen", tuple(number(answer.all_down_episodes_seen) for answer in of)),
        Line("time", tuple(f"{answer.wall_s:,.1f} s" for answer in of)),
        Line("every leg down at once"),
        Line("  share of time", tuple(share(answer.all_down) for answer in of)),
        Line("  episodes a year", tuple(_estimate(answer.all_down_episodes_per_year) for answer in of)),
        *redundancy(closed),
    ]
    say(console, title, style="bold")
    print_arms(lines, arms, console)
    for arm, answer in answers.items():
        say(console, f"{arm}: {because(answer.choice.estimator, answer.choice.reason)}")
    for text in limits_left_out({arm: answer.choice.limits_left_out for arm, answer in answers.items()}):
        say(console, text)
    for arm, other in (same or {}).items():
        say(console, same_words(arm, other))
    for arm, reason in (left_out or {}).items():
        say(console, f"{arm} is left out: {reason}")
    if any(answer.availability is None for answer in of):
        say(
            console,
            "-: known only from simulated requests, which this command lacks; des compare SCENARIO (or des run) "
            "simulates them; figures of every leg down at once do not depend on them",
        )
    say(console, "intervals: 95 %; figures without one are exact")


def limits_left_out(of: Mapping[str, Sequence[Binding]]) -> Iterator[str]:
    """What is said of limits that are left out: once for all limits and arms of which it is true."""
    arms_of: dict[tuple[str, str], list[str]] = {}
    for arm, limits in of.items():
        for limit in limits:
            arms_of.setdefault((limit.name, limit.left_out.removeprefix(f"{limit.name} is ")), []).append(arm)
    names_of: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (name, why), arms in arms_of.items():
        names_of.setdefault((why, tuple(arms)), []).append(name)
    for (why, told), names in names_of.items():
        those = "" if len(told) == len(of) else f"{', '.join(told)}: "
        yield f"{those}{', '.join(names)} {'is' if len(names) == 1 else 'are'} {why}"


def same_words(arm: str, other: str) -> str:
    """Of an arm that is not shown, as `other` is the same model."""
    return f"the scenario as written is arm {other}" if arm == AS_MODELLED else f"{arm} is the same as {other}"


def figure(value: float) -> str:
    """Three significant digits, with an exponent below 1e-4."""
    if value == 0.0 or not math.isfinite(value):
        return f"{value:g}"
    return f"{value:.3g}" if abs(value) < 1e-4 else figures.plain(value, figures.significant(value))


def redundancy(closed: list[ExactAnswer | None]) -> list[Line]:
    return [
        Line("  k_eff", each(closed, lambda one: "-" if one.k_eff is None else f"{one.k_eff:.2f}")),
        Line("  at least, whatever is shared", each(closed, lambda one: share(Estimate(one.frechet_low)))),
        Line("  at most, whatever is shared", each(closed, lambda one: share(Estimate(one.frechet_high)))),
    ]


def each(closed: list[ExactAnswer | None], write: Callable[[ExactAnswer], str]) -> tuple[str, ...]:
    return tuple(figures.NOTHING if one is None else write(one) for one in closed)


def _estimate(found: Estimate | None) -> str:
    if found is None or found.mean is None:
        return figures.NOTHING
    if found.low is None or found.high is None:
        return figure(found.mean)
    return f"{figure(found.mean)} [{figure(found.low)}, {figure(found.high)}]"


def number(value: float | None) -> str:
    if value is None:
        return figures.NOTHING
    return f"{value:,.0f}" if 10.0 <= value < _MOST_WRITTEN_OUT else f"{value:,.3g}"


def because(estimator: str, reason: str) -> str:
    if estimator == REQUEST_LEVEL:
        return f"requests interact ({reason}): its availability needs simulated requests, see des compare"
    if estimator == EXACT:
        return f"exact: {reason}"
    return f"{estimator}, beyond the closed form: {reason}"
