"""What `des answer` prints: the sentence, the table arm by arm, what it rests on, and what was not seen."""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final

from rich.console import Console

from des.estimate.estimate import EXACT, RARE, TIMELINE, Estimate
from des.report import figures
from des.report.availability_tables import same_words
from des.report.layout import Line, as_text, print_arms, say
from des.report.lines import LOST_TO, others, round_count
from des.report.marks import Marks
from des.report.tables import print_verdicts
from des.scenario.schema.objective import MONTH
from des.study import yearly
from des.study.answer_sentence import availability_ends, chance_words, minutes, more_than, objective_words, step_words
from des.study.answered import Answer, ArmAnswer, Basis
from des.study.causes import causes_words

_WIDEST: Final = 15
"""Columns of a cell that leave room for three arms on a terminal of 80."""
_MOST_CAUSES: Final = 6
_MOST_NAMES: Final = 5
_MILLION: Final = 1e6
_A_SECOND: Final = re.compile(r"([0-9.]+(?:e[+-]?[0-9]+)?) ([a-z_]+)/s")
_DAY_S: Final = 86_400.0

Write = Callable[[float, int], str]


def print_answer(answer: Answer, console: Console) -> None:
    say(console, answer.title, style="bold")
    if answer.question:
        say(console, " ".join(answer.question.split()))
    console.print()
    say(console, answer.sentence, style="bold")
    arms = [arm for arm in answer.arms if arm not in answer.same]
    of = [answer.arms[arm] for arm in arms]
    table = list(_lines(answer, of))
    if table:
        marks = _marks(answer, arms)
        print_arms(table, marks.names(arms), console)
        for text in marks.sentences:
            say(console, text)
    for arm, other in answer.same.items():
        say(console, same_words(arm, other))
    for step in answer.steps:
        say(console, f"- {step_words(step)}")
    for text in _basis_sentences(answer, {arm: answer.arms[arm] for arm in arms}):
        say(console, text)
    for text in _not_seen_sentences({arm: answer.arms[arm] for arm in arms}):
        say(console, text)
    for text in _between_sentences({arm: answer.arms[arm] for arm in arms}):
        say(console, text)
    if answer.expectations:
        console.print()
        print_verdicts(answer.expectations, console)
    say(console, _intervals(answer))


def _marks(answer: Answer, arms: Sequence[str]) -> Marks:
    """Of the arms that one could choose."""
    of = {arm: answer.arms[arm] for arm in arms if arm not in answer.hypothetical}
    best = [] if answer.cheapest is None else [answer.cheapest.arm, *answer.cheapest.rivals]
    cost = {arm: each.figure("cost_usd_per_request") for arm, each in of.items()}
    return Marks.of_answer(best, {arm: each.lost for arm, each in of.items()}, cost)


def answer_text(answer: Answer, width: int = 80) -> str:
    """The same as plain text."""
    return as_text(lambda console: print_answer(answer, console), width)


def answer_lines(answer: Answer) -> list[Line]:
    """The rows of the table, with a cell for each arm that differs."""
    return list(_lines(answer, [of for arm, of in answer.arms.items() if arm not in answer.same]))


def basis_and_unseen(answer: Answer) -> tuple[list[str], list[str]]:
    """What the figures rest on, and what was not seen, one sentence each; nothing of the time that it took."""
    told = {arm: of for arm, of in answer.arms.items() if arm not in answer.same}
    rest_on = {_basis(of.basis, of.horizon_s): None for of in told.values()}
    unseen = [text.removeprefix("- ") for text in _not_seen_sentences(told) if not text.startswith("Not seen:")]
    return [*rest_on, *_chance_basis(told), *_causes_basis(told)], unseen


def _lines(answer: Answer, of: Sequence[ArmAnswer]) -> Iterator[Line]:
    if not any(each.figures for each in of):
        return
    lost = [each.lost for each in of]
    yield Line("availability", tuple(_availability(each) for each in of))
    ends = tuple(map(_availability_ends, lost))
    if any(end != figures.NOTHING for end in ends):
        yield Line("  95 % interval", ends)
    yield Line("  nines", tuple(_nines(each) for each in lost))
    if of[0].horizon_s >= _DAY_S:
        yield Line("  minutes down in 30 days", tuple(_down(each) for each in lost))
    objective = answer.objective
    if objective is not None:
        asked = objective_words(objective.availability)
        window = "month" if objective.per == MONTH else answer.window
        label = f"chance of {asked} a {window}" if window == "month" else f"chance of {asked} in {window}"
        yield from _chances(label, [each.objective for each in of])
    yield from _figure("cost per 1,000 requests", of, "cost_usd_per_request", figures.dollars, times=1000.0)
    yield from _figure("  per 1,000 answered", of, "cost_usd_per_success", figures.dollars, times=1000.0)
    yield from _money(of)
    yield from _figure("latency, median", of, "latency_s_p50", figures.seconds)
    yield from _figure("  p95", of, "latency_s_p95", figures.seconds)
    yield from _figure("  p99", of, "latency_s_p99", figures.seconds)
    yield from _figure("calls per request", of, "attempts_per_request", figures.plain, digits=4, most=4)
    fallbacks = [each.figure("fallback_share") for each in of]
    if any(each is not None and each.known > 0.0 for each in fallbacks):
        yield from _figure("answered by a fallback", of, "fallback_share", figures.percent, scale=100.0)
    yield from _causes(of)


def _figure(
    label: str,
    of: Sequence[ArmAnswer],
    metric: str,
    write: Write,
    *,
    times: float = 1.0,
    scale: float = 1.0,
    digits: int = 3,
    most: int | None = None,
) -> Iterator[Line]:
    """`times` is what the figure is multiplied by; `scale` what `write` multiplies it by."""
    known = [each.figure(metric) for each in of]
    found = [None if figure is None else figures.scaled(figure, times) for figure in known]
    if any(found):
        yield from _rows(
            label,
            found,
            write,
            scale,
            lambda each: write(each.known, figures.decimals_of(each, write, scale, digits, most)),
            digits,
            most,
        )


def _chances(label: str, found: Sequence[Estimate | None]) -> Iterator[Line]:
    """As `_rows`, where those that are hardly above 0 or below 1 have no interval."""
    cells = tuple(map(figures.shown_chance, found))
    if max(map(len, cells)) <= _WIDEST:
        yield Line(label, cells)
        return
    yield Line(label, tuple(figures.NOTHING if each is None else chance_words(each) for each in found))
    yield Line("  95 % interval", tuple(map(_chance_ends, found)))


def _chance_ends(found: Estimate | None) -> str:
    if found is None or figures.extreme_chance(found.known, found.low, found.high):
        return figures.NOTHING
    return _ends(figures.as_told(found), figures.percent, 100.0)


def _rows(
    label: str,
    found: Sequence[Estimate | None],
    write: Write,
    scale: float,
    value: Callable[[Estimate], str],
    digits: int = 3,
    most: int | None = None,
) -> Iterator[Line]:
    """One line with the intervals in it where it is narrow enough, else a second line with them."""
    cells = tuple(figures.shown(each, write, scale=scale, digits=digits, most=most) for each in found)
    if max(map(len, cells)) <= _WIDEST:
        yield Line(label, cells)
        return
    yield Line(label, tuple(figures.NOTHING if each is None else value(each) for each in found))
    yield Line("  95 % interval", tuple(_ends(each, write, scale, most) for each in found))


def _ends(
    figure: Estimate | None, write: Write, scale: float, most: int | None = None, decimals: int | None = None
) -> str:
    if figure is None or figure.low is None or figure.high is None:
        return figures.NOTHING
    if figure.known == 0.0 and figure.low == 0.0:
        if figure.high == 0.0:
            return figures.NOTHING
        return f"at most {write(figure.high, figures.significant(figure.high * scale, 2))}"
    if decimals is None:
        decimals = figures.decimals_of(figure, write, scale, most=most)
    low, high = write(figure.low, decimals), write(figure.high, decimals)
    for unit in (" %", " s", "$"):
        low, high = low.replace(unit, ""), high.replace(unit, "")
    return low if low == high else f"{low}–{high}"


def availability_words(of: ArmAnswer) -> str:
    """The availability and its interval in a few words, as for a cell of another table."""
    ends = _availability_ends(of.lost)
    return _availability(of) if ends == figures.NOTHING else f"{_availability(of)} [{ends.replace('–', ', ')}]"


def _availability(of: ArmAnswer) -> str:
    figure, lost = of.figure("availability"), of.lost
    if figure is not None and lost is not None and lost.known <= 0.0:
        if lost.estimator == EXACT:
            return "100 %"
        return "none lost" if lost.high is None else more_than(lost.high)
    return figures.availability_alone(figure, lost)


def _availability_ends(lost: Estimate | None) -> str:
    """None where none was lost: the bound is the figure then."""
    if lost is None or lost.low is None or lost.high is None or lost.known <= 0.0:
        return figures.NOTHING
    low, high = availability_ends(lost)
    return low if low == high else f"{low}–{high}"


def _nines(lost: Estimate | None) -> str:
    if lost is None:
        return figures.NOTHING
    if lost.known <= 0.0:
        return f"> {figures.plain(figures.nines_of_lost(lost.high) - 0.005, 2)}" if lost.high else figures.NOTHING
    return figures.plain(figures.nines_of_lost(lost.known), 2)


def _down(lost: Estimate | None) -> str:
    if lost is None:
        return figures.NOTHING
    if lost.known > 0.0:
        return minutes(lost.known)
    if not lost.high:
        return "none"
    most = minutes(lost.high)
    return most if most.startswith("less") else f"less than {most}"


def _money(of: Sequence[ArmAnswer]) -> Iterator[Line]:
    """Rows of one column add up."""
    known = {str(number): each.money for number, each in enumerate(of) if each.money}
    if not known:
        return
    yield Line("cost a year")
    places = yearly.places_of(known)
    for label, pick in (("  of answers", "answers"), ("  of failing", "failing"), ("  in all", "total")):
        sums: list[tuple[float, Estimate] | None] = [
            None if each is None else (getattr(yearly.rounded(each, places), pick), getattr(each, pick))
            for each in (each.money for each in of)
        ]
        cells = tuple(figures.NOTHING if each is None else yearly.written(*each, places) for each in sums)
        if max(map(len, cells)) <= _WIDEST:
            yield Line(label, cells)
            continue
        yield Line(label, tuple(figures.NOTHING if each is None else figures.dollars(each[0], places) for each in sums))
        yield Line("  95 % interval", tuple(map(partial(_money_ends, places), sums)))


def _money_ends(places: int, of: tuple[float, Estimate] | None) -> str:
    """Rounded as the interval warrants, unless the figure, rounded to `places`, would lie outside."""
    if of is None:
        return figures.NOTHING
    shown, figure = of
    decimals = figures.decimals_of(figure, figures.dollars, 1.0)
    if figure.low is not None and figure.high is not None:
        holds = round(figure.low, decimals) <= shown <= round(figure.high, decimals)
        decimals = decimals if holds else max(decimals, places)
    return _ends(figure, figures.dollars, 1.0, decimals=decimals)


def _causes(of: Sequence[ArmAnswer]) -> Iterator[Line]:
    """Requests lost in a million, by cause, the gravest first."""
    lost = [each.by_name("lost_by_cause") for each in of]
    totals: dict[str, float] = {}
    for causes in lost:
        for cause, figure in causes.items():
            totals[cause] = max(totals.get(cause, 0.0), figure.mean or 0.0)
    order = sorted((cause for cause in totals if totals[cause] > 0.0), key=lambda cause: -totals[cause])
    unknown = tuple("not known" if each.why_no_causes else "" for each in of)
    if not order and not any(unknown):
        return
    yield Line(LOST_TO, unknown if any(unknown) else ())
    if not order:
        return
    for cause in order[:_MOST_CAUSES]:
        found = [causes.get(cause) for causes in lost]
        cells = tuple(map(_in_a_million, found))
        if max(map(len, cells)) <= _WIDEST:
            yield Line(f"  {cause}", cells)
            continue
        yield Line(f"  {cause}", tuple(_in_a_million(each, ends=False) for each in found))
        yield Line("    95 % interval", tuple(_ends(_of_a_million(each), figures.plain, 1.0) for each in found))
    rest = order[_MOST_CAUSES:]
    if rest:
        sums = [math.fsum(causes[cause].known for cause in rest if cause in causes) for causes in lost]
        yield Line(f"  {others(len(rest))}", tuple(_in_a_million(Estimate(each)) for each in sums))


def _in_a_million(figure: Estimate | None, *, ends: bool = True) -> str:
    """Its interval decides the digits, whether it is shown or not."""
    found = _of_a_million(figure)
    if found is None:
        return figures.NOTHING
    if ends:
        return round_count(found)
    return figures.plain(found.known, figures.decimals_of(found, figures.plain, digits=2))


def _of_a_million(figure: Estimate | None) -> Estimate | None:
    """None where none is lost."""
    return None if figure is None or not figure.mean else figures.scaled(figure, _MILLION)


def _basis_sentences(answer: Answer, told: Mapping[str, ArmAnswer]) -> Iterator[str]:
    """What the figures rest on; arms of which the same is said share a sentence."""
    said: dict[str, list[str]] = {}
    for arm, of in told.items():
        said.setdefault(_basis(of.basis, of.horizon_s), []).append(arm)
    for text, arms in said.items():
        yield text if len(told) == len(arms) else f"{', '.join(arms)}: {text}"
    yield from _chance_basis(told)
    yield from _causes_basis(told)
    yield from _never_binding(told)
    simulated = sum(of.basis.simulated for of in told.values())
    quick = "quick " if answer.quick else ""
    rounds = f" in {answer.rounds} {quick}round{'s' if answer.rounds != 1 else ''}" if answer.rounds else ""
    yield f"{simulated:,} requests simulated{rounds}, seed {answer.seed}, {answer.wall_s:,.1f} s"
    if answer.overran:
        yield answer.overran


def _basis(basis: Basis, horizon_s: float) -> str:
    """Each estimator by its name, with what it rests on."""
    served = {
        EXACT: f"availability: {EXACT}",
        TIMELINE: f"availability: {TIMELINE}, {_years(basis.years)} of drawn incidents",
        RARE: f"availability: {RARE}, {basis.samples or 0:,} arrivals while what is rare is made common",
    }.get(basis.availability, "")
    if basis.window_years is not None:
        rest = f"{basis.requests}, sampled from {_years(basis.window_years)} of drawn incidents"
    elif basis.replications is not None:
        several = "s" if basis.replications > 1 else ""
        rest = f"{basis.requests}, {basis.replications} simulated run{several} of {_length(horizon_s)}"
    else:
        return served or "nothing was simulated to the end"
    return f"{served}; all else: {rest}" if served else f"all figures: {rest}"


def _chance_basis(told: Mapping[str, ArmAnswer]) -> Iterator[str]:
    """Where the chance of the objective has a closed form."""
    chances = {arm: of.objective.estimator for arm, of in told.items() if of.objective is not None}
    for estimator in dict.fromkeys(name for name in chances.values() if name.startswith(EXACT)):
        arms = [arm for arm, name in chances.items() if name == estimator]
        those = "" if len(arms) == len(told) else f" of {', '.join(arms)}"
        yield f"chance of the objective{those}: {estimator}"


def _never_binding(told: Mapping[str, ArmAnswer]) -> Iterator[str]:
    """The limits without which the availability is the same, with their load; those of the same load together."""
    said: dict[str, list[str]] = {}
    for limit in {limit.name: limit for of in told.values() for limit in of.basis.limits_left_out}.values():
        said.setdefault(_A_SECOND.sub(_a_minute, limit.why), []).append(limit.name)
    for why, names in said.items():
        yield f"{', '.join(names)} never {'binds' if len(names) == 1 else 'bind'}: {why}, whatever is down"


def _a_minute(rate: re.Match[str]) -> str:
    """`833 calls a minute` of `13.9 calls/s`: as limits are written."""
    value = 60.0 * float(rate[1])
    return f"{figures.plain(value, figures.significant(value))} {rate[2].replace('_', ' ')} a minute"


def _causes_basis(told: Mapping[str, ArmAnswer]) -> Iterator[str]:
    """Whether losses by cause add up to the share lost; arms of which the same is said share a sentence."""
    said: dict[str, list[str]] = {}
    for arm, of in told.items():
        if words := causes_words(of.by_name("lost_by_cause"), of.causes_factor):
            said.setdefault(words, []).append(arm)
    for words, arms in said.items():
        yield words if len(said) == 1 else f"{', '.join(arms)}: {words}"


def _years(years: float | None) -> str:
    if years is None:
        return "the years"
    return f"{years:,.0f} years" if years >= 2.0 else f"{years:.2g} years"


def _length(seconds: float) -> str:
    for unit_s, unit in ((365.0 * _DAY_S, "year"), (_DAY_S, "day"), (3600.0, "hour"), (60.0, "minute")):
        if seconds >= unit_s:
            value = f"{seconds / unit_s:,.3g}"
            return f"{value} {unit}{'' if value == '1' else 's'}"
    return f"{seconds:g} seconds"


def _not_seen_sentences(told: Mapping[str, ArmAnswer]) -> Iterator[str]:
    said: dict[str, list[str]] = {}
    for arm, of in told.items():
        for missed in of.not_seen.incidents:
            part = missed.of_unavailability
            of_all = "" if part is None else f", at most {_rough(part)} of the unavailability"
            open_for = "" if missed.open_share is None else f": open {_rough(missed.open_share)} of the time"
            text = f"{missed.words}{open_for}{of_all}"
            said.setdefault(text, []).append(arm)
        if of.not_seen.few_losses:
            said.setdefault(of.not_seen.few_losses, []).append(arm)
        if of.why_no_causes:
            said.setdefault(f"what requests are lost to is not known: {of.why_no_causes}", []).append(arm)
        if of.not_seen.uncalled:
            said.setdefault(f"no simulated request called {_some(of.not_seen.uncalled)}", []).append(arm)
    if said:
        yield "Not seen:"
    elif not any(of.refused for of in told.values()):
        yield "Not seen: nothing; every class of incidents was met often enough, and every leg was called"
    for text, arms in said.items():
        yield f"- {text}" if len(arms) == len(told) else f"- {', '.join(arms)}: {text}"


def _some(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def _rough(share: float) -> str:
    return figures.percent(share, figures.significant(100.0 * share, 2))


def _between_sentences(told: Mapping[str, ArmAnswer]) -> Iterator[str]:
    known = {arm: of.between for arm, of in told.items() if of.between is not None}
    for arm, between in known.items():
        up = figures.availability(between.figure("availability"))
        usd = between.figure("cost_usd_per_request")
        cost = figures.shown(None if usd is None else figures.scaled(usd, 1000.0), figures.dollars)
        p99 = figures.shown(between.figure("latency_s_p99"), figures.seconds)
        yield (
            f"{arm}, in the first {_length(between.horizon_s)} alone: availability {up}, {cost} per 1,000 requests, 99 "
            f"of 100 answers within {p99}; this says nothing of rarer outages"
        )


def _intervals(answer: Answer) -> str:
    some = any(of.basis.availability == EXACT for of in answer.arms.values())
    return "intervals: 95 %; what is exact has none" if some else "intervals: 95 %"
