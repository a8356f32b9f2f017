"""The one sentence that answers a scenario's question: who answers how many requests, at what cost."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from des import digits
from des.estimate.estimate import Estimate
from des.scenario.schema.objective import MONTH
from des.scenario.text.units import DAY_S
from des.study.answered import Answer, ArmAnswer
from des.study.uncertain import NO_LIMIT, is_exact, is_resolved, why_unknown
from des.study.value import Cheapest, Money, Step
from des.study.yearly import places_of

_MOST_ARMS: Final = 3
"""Arms that a sentence can name one by one."""
_MINUTES_IN_30_DAYS: Final = 43_200.0
_ALIKE: Final = 0.02
"""Relative difference of two figures below which a sentence does not tell them apart."""


def sentence(answer: Answer) -> str:
    """`With as_modelled, 99.957 % of the requests are answered (...), at $6.05 per 1,000; ...`."""
    told = {arm: of for arm, of in answer.arms.items() if arm not in answer.same}
    refused = [arm for arm, of in told.items() if of.refused]
    if refused:
        return _refusal(told, refused)
    brief = min(of.horizon_s for of in told.values()) < DAY_S
    parts = _one_by_one(told, brief) if len(told) <= _MOST_ARMS else _extremes(told, brief)
    if unseen := [arm for arm, of in told.items() if of.not_seen.between]:
        those = "" if len(unseen) == len(told) else f" of {_listed(unseen)}"
        parts.append(f"the availability{those} is between outages, and leaves out those that no request met")
    parts += _chances(answer, told)
    parts += _costs(answer, told)
    return f"{'; '.join(parts)}."


def per_thousand(cost: Estimate) -> str:
    """The interval is not shown, but decides the digits."""
    low, high = (None if end is None else 1000.0 * end for end in (cost.low, cost.high))
    return digits.money(1000.0 * cost.known, low, high)


def minutes(lost: float) -> str:
    """Of 30 days, three digits."""
    down = lost * _MINUTES_IN_30_DAYS
    return digits.plain(down, digits.significant(down))


def _refusal(told: Mapping[str, ArmAnswer], refused: Sequence[str]) -> str:
    known = [
        f"availability is {_share_answered(of)} with {arm}" for arm, of in told.items() if of.figure("availability")
    ]
    also = f"; {'; '.join(known)}" if known else ""
    return f"No answer for {_names(refused)}: {told[refused[0]].refused}{also}."


def _one_by_one(told: Mapping[str, ArmAnswer], brief: bool) -> list[str]:
    parts = []
    for number, (arm, of) in enumerate(told.items()):
        opening = f"With {arm}, " if number == 0 else f"with {arm}, "
        requests = " of the requests are answered" if number == 0 else ""
        cost = of.figure("cost_usd_per_request")
        at = "" if cost is None else f", at {per_thousand(cost)}{' per 1,000 requests' if number == 0 else ''}"
        parts.append(f"{opening if len(told) > 1 else ''}{_share_answered(of)}{requests}{_down(of, brief)}{at}")
    return [parts[0][0].upper() + parts[0][1:], *parts[1:]]


def _share_answered(of: ArmAnswer) -> str:
    figure = of.figure("availability")
    if figure is None:
        return "an unknown share"
    if of.lost is not None and of.lost.known >= 1.0:
        return "none"
    if of.lost is not None and of.lost.known <= 0.0:
        return "every one" if of.lost.high is None else more_than(of.lost.high)
    return _percent(figure.known, of.lost)


def _percent(share: float, lost: Estimate | None = None) -> str:
    """As many digits as a table has of it."""
    if lost is None:
        return digits.percent(share, digits.of_availability(1.0 - share, None, None))
    return digits.percent(share, digits.of_availability(lost.known, lost.low, lost.high))


def more_than(lost: float) -> str:
    """The availability's lower bound where none was lost: two digits of what may be lost, rounded up."""
    decimals = min(12, digits.significant(100.0 * lost, 2))
    most = math.ceil(100.0 * lost * 10.0**decimals) / 10.0**decimals
    return f"more than {digits.plain(100.0 - most, decimals)} %"


def _down(of: ArmAnswer, brief: bool) -> str:
    """` (between 99.951 and 99.962 %: 3.37 nines, 19 minutes down in 30 days)`; a `brief` run has no 30 days."""
    lost = of.lost
    if lost is None or lost.known <= 0.0:
        return ""
    nines = digits.nines_of_lost(lost.known)
    words = [f"{nines:.2f} nines"] if nines >= 1.0 else []
    words += [] if brief else [f"{minutes(lost.known)} minutes down in 30 days"]
    interval = ""
    if lost.low is not None and lost.high is not None and lost.high - lost.low > 1e-3 * lost.known:
        low, high = availability_ends(lost)
        interval = "" if low == high else f"between {low} and {high} %"
    inside = ": ".join(part for part in (interval, ", ".join(words)) if part)
    return f" ({inside})" if inside else ""


def availability_ends(lost: Estimate) -> tuple[str, str]:
    """The ends of the availability's interval in per cent, with the digits that it has.

    As many more as keep an end from looking like 100 %.
    """
    assert lost.low is not None
    assert lost.high is not None
    decimals = digits.of_availability(lost.known, lost.low, lost.high)
    low = digits.plain(100.0 * (1.0 - lost.high), decimals)
    if lost.low <= 0.0:
        return low, "100"
    return low, digits.plain(100.0 * (1.0 - lost.low), min(13, max(decimals, digits.significant(100.0 * lost.low, 1))))


def _extremes(told: Mapping[str, ArmAnswer], brief: bool) -> list[str]:
    """Of many arms, the most and the least available one, and the ranges of cost and of the 99th percentile."""
    by_lost = sorted((arm for arm, of in told.items() if of.lost is not None), key=lambda arm: told[arm].lost.known)  # type: ignore[union-attr]
    parts = []
    if by_lost:
        best, worst = by_lost[0], by_lost[-1]
        if _alike(told[best].lost, told[worst].lost):
            answered, down = _share_answered(told[best]), _down(told[best], brief)
            parts.append(f"All {len(told)} arms answer {answered} of the requests{down}")
        else:
            most, fewest = (f"{_share_answered(told[arm])}{_down(told[arm], brief)}" for arm in (best, worst))
            parts.append(f"Of {len(told)} arms, {best} answers most requests, {most}, and {worst} fewest, {fewest}")
    for metric, words, write in _RANGES:
        known = {arm: figure for arm, of in told.items() if (figure := of.figure(metric)) is not None}
        if not known:
            continue
        least, most = min(known, key=lambda arm: known[arm].known), max(known, key=lambda arm: known[arm].known)
        if _alike(known[least], known[most]):
            same = write(known[least]) == write(known[most])
            parts.append(words.format(f"{'' if same else 'about '}{write(known[least])}"))
        else:
            parts.append(words.format(f"{write(known[least])} ({least}) to {write(known[most])} ({most})"))
    return parts


def _seconds(figure: Estimate) -> str:
    return digits.seconds(figure.known, digits.significant(figure.known))


def _calls(figure: Estimate) -> str:
    return digits.plain(figure.known, digits.significant(figure.known))


_RANGES: Final = (
    ("cost_usd_per_request", "1,000 requests cost {}", per_thousand),
    ("latency_s_p99", "99 of 100 answers come within {}", _seconds),
    ("attempts_per_request", "a request takes {} calls", _calls),
)


def _alike(one: Estimate | None, other: Estimate | None) -> bool:
    if one is None or other is None:
        return False
    largest = max(abs(one.known), abs(other.known))
    return abs(one.known - other.known) <= _ALIKE * largest


def _chances(answer: Answer, told: Mapping[str, ArmAnswer]) -> list[str]:
    objective = answer.objective
    known = {arm: of.objective for arm, of in told.items() if of.objective is not None}
    if objective is None or not known:
        return []
    asked = objective_words(objective.availability)
    a_window = window_said(objective.per, answer.window)
    chances = [f"{chance_words(found)}{f' ({arm})' if len(told) > 1 else ''}" for arm, found in known.items()]
    if len(chances) > _MOST_ARMS:
        order = sorted(known, key=lambda arm: -known[arm].known)
        chances = [f"{chance_words(known[arm])} ({arm})" for arm in (order[0], order[-1])]
        return [f"{a_window} reaches {asked} with a chance from {chances[1]} to {chances[0]}"]
    return [f"{a_window} reaches {asked} with a chance of {_listed(chances)}"]


def window_said(per: object, window: str) -> str:
    """`a calendar month`, `a month of 30 days` where the scenario has no calendar, or `a span of 12 hours`."""
    if not window[:1].isdigit():
        return f"a {window}"
    return f"a month of {window}" if per == MONTH else f"a span of {window}"


def objective_words(availability: float) -> str:
    """`99.95 %`, as it is written."""
    return f"{100.0 * availability:.12g} %"


def chance_words(found: Estimate) -> str:
    """The chance that a window meets the objective."""
    return digits.chance_met(found.known, found.low, found.high)


def _costs(answer: Answer, told: Mapping[str, ArmAnswer]) -> list[str]:
    money = {arm: of.money for arm, of in told.items() if of.money is not None}
    found = answer.cheapest
    if found is None or found.arm not in money:
        return []
    places = places_of(money)
    if len(money) - len(set(money).intersection(answer.hypothetical)) == 1:
        return [f"answers and failing together cost {_measured(money[found.arm].total, 'a year', places)}"]
    return [_cheapest(found, money, places), *map(step_words, answer.steps[-1:])]


def _cheapest(found: Cheapest, money: Mapping[str, Money], places: int) -> str:
    """With as many `places` as tell the sums of all arms apart."""
    if not found.rivals:
        total = _measured(money[found.arm].total, "a year", places)
        return f"counting what failing costs, {found.arm} is the cheapest at {total}"
    first, *others = (arm for arm in (found.arm, *found.rivals) if arm in money)
    among = [f"{first} ({digits.dollars(money[first].total.known, places)} a year)"]
    among += [f"{arm} ({digits.dollars(money[arm].total.known, places)})" for arm in others]
    return f"counting what failing costs, it is not resolved which is the cheapest: {_listed(among, 'or')}"


def yearly(usd: Estimate) -> str:
    """`$201 a year (between $180 and $223)`; one of unknown error says that."""
    return _measured(usd, "a year")


def _measured(usd: Estimate, unit: str, places: int | None = None) -> str:
    """Amount and interval with the same digits, or the amount with `places` where they are given."""
    low, high = usd.low, usd.high
    amount = digits.money(usd.known, low, high) if places is None else digits.dollars(usd.known, places)
    if why := why_unknown(usd):
        return f"{amount} {unit} (error unknown: {why})"
    if low is None or high is None or high <= low:
        return f"{amount} {unit}"
    of_ends = digits.of_dollars(usd.known, low, high)
    least, most = (digits.dollars(each, of_ends) for each in (low, high))
    if least == most:
        return f"{amount} {unit}"
    return f"{amount} {unit} ({f'between {least} and {most}' if low else f'at most {most}'})"


def step_words(step: Step) -> str:
    """What the next arm is worth, and from which price of failure it pays; or that this cannot be told."""
    one, after, worth = step.arm, step.next, step.worth
    if step.saves.known <= 0.0 and (is_exact(step.saves) or is_resolved(step.saves)):
        return f"{after} loses no less than {one}"
    if not is_exact(worth) and not is_resolved(worth):
        why = why_unknown(worth)
        by = why if why else f"it saves {yearly(worth)}"
        return f"whether {after} pays compared with {one} is not resolved: {by}"
    price = step.from_lost_request if step.per_lost_request else step.from_downtime_per_h
    if worth.known < 0.0:
        more = yearly(_negative(worth))
        pays = "" if price is None else f", and would pay from {_price(price, step)}"
        return f"{after} does not pay compared with {one}: it costs {more} more{pays}"
    saves = f"{after} saves {yearly(worth)} compared with {one}"
    if price is None or (price.known == 0.0 and not price.high):
        return f"{saves}: it pays if keeping it costs less than that"
    return f"{saves}, and pays from {_price(price, step)}"


def _negative(figure: Estimate) -> Estimate:
    ends = (None if end is None else -end for end in (figure.high, figure.low))
    low, high = ends
    return replace(figure, mean=-figure.known, low=low, high=high)


def _price(price: Estimate, step: Step) -> str:
    """In the unit in which the scenario prices failing."""
    unit = "a lost request" if step.per_lost_request else "an hour of downtime"
    if price.interval == NO_LIMIT and price.low is not None:
        return f"{digits.money(price.known)} {unit} (at least {digits.money(price.low)}; there may be no such price)"
    return _measured(price, unit)


def _listed(words: Sequence[str], last: str = "and") -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def _names(arms: Sequence[str]) -> str:
    return _listed(list(arms[:_MOST_ARMS])) if len(arms) <= _MOST_ARMS else f"any of the {len(arms)} arms"
