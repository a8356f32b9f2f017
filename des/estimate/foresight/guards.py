"""Guards that do harm, or nothing: cooldowns that take a whole entry out at random, breakers that cannot open."""

import math
from collections.abc import Iterator
from typing import Final

from des.estimate.call import kind_names, kind_of
from des.estimate.foresight.foreseen import Foretold
from des.estimate.foresight.load import calls_while, failure_chances
from des.estimate.foresight.outlook import Outlook, fails
from des.estimate.foresight.words import duration, listed, number, rate, share
from des.scenario.plan import (
    BatchArrivals,
    Breaker,
    ConsecutiveBreaker,
    Cooldown,
    Ejection,
    Group,
    Guard,
    Leg,
    OwnBreaker,
    TimeWindowBreaker,
)
from des.scenario.schema.statuses import kinds_handled
from des.theory.limiters import blackout_share

_HARDLY_EVER: Final = 0.05
"""Openings in a whole horizon of failing calls, below which a guard is said never to act."""


def guard_blackout(outlook: Outlook) -> Iterator[Foretold]:
    """Guards that take legs out for random failures, until the entry has none left (Erlang B: `blackout_share`)."""
    per_s = outlook.rate_per_s
    group = outlook.plan.client.groups[0]
    legs = [outlook.legs[leg] for leg in group.legs if outlook.plan.client.legs[leg].tier == 1]
    if per_s is None or isinstance(outlook.plan.workload.arrivals, BatchArrivals):
        return
    found = [_taken_out(outlook, leg, len(group.legs)) for leg in legs]
    if not found or any(each is None for each in found):
        return
    settings = [each for each in found if each is not None]
    _, field, out_s, failing, starting = settings[0]
    if starting <= 0.0:
        return
    share_out = blackout_share(len(legs), per_s, starting, out_s)
    if share_out <= failing:
        return
    rest = "the next entry gets them" if len(outlook.plan.client.groups) > 1 else "they are refused without a call"
    yield Foretold(
        code="guard_blackout",
        path=(*outlook.setting_path(legs[0], settings[0][0]), *field),
        sentence=f"{share(failing)} of the calls of {listed([leg.name for leg in legs])} fail at random, and the "
        f"{settings[0][0]} takes a leg out for {duration(out_s)} each time: about {share(share_out)} of the requests "
        f"find no leg of {group.name}, and {rest}",
        remedy="more failures before a leg is taken out (allowed_fails, failures), or all_open: bypass",
        figures={"blackout_share": share_out, "failed_share": failing},
    )


_TakenOut = tuple[str, tuple[str, ...], float, float, float]


def _taken_out(outlook: Outlook, leg: Leg, legs_of_group: int) -> _TakenOut | None:
    """(setting, field, seconds out, share of calls that fail, times out a call) of the guard that acts soonest."""
    found: list[_TakenOut] = []
    for guard in outlook.plan.client.legs[leg.index].guards:
        said = _first_failures(guard, legs_of_group)
        if said is None:
            continue
        setting, field, counted, in_a_row, out_s = said
        kinds = kinds_handled(counted, outlook.plan.statuses)
        failing = math.fsum(chance for kind, chance in failure_chances(outlook, leg).items() if kind in kinds)
        if 0.0 < failing < 1.0:
            starting = failing**in_a_row * (1.0 - failing) / (1.0 - failing**in_a_row)
            found.append((setting, field, out_s, failing, starting))
    return max(found, key=lambda each: each[4] * each[2], default=None)


def _first_failures(
    guard: Guard, legs_of_group: int
) -> tuple[str, tuple[str, ...], tuple[str, ...], int, float] | None:
    """(setting, field, failures that count, how many in a row, seconds out) of guards that act on a few failures."""
    match guard:
        case Cooldown() if guard.all_open == "refuse" and guard.allowed_fails in (None, 0):
            if guard.at_once and (legs_of_group > 1 or guard.one_of_several):
                return "cooldown", ("on",), (*guard.at_once, *guard.always), 1, guard.cooldown_s
            if guard.always:
                return "cooldown", ("also_on",), guard.always, 1, guard.cooldown_s
            if guard.allowed_fails == 0:
                return "cooldown", ("allowed_fails",), guard.counts, 1, guard.cooldown_s
        case ConsecutiveBreaker() if guard.stops == "calls" and guard.all_open == "refuse":
            return "breaker", ("failures",), guard.counts, guard.failures, guard.open_s
        case Ejection() if guard.consecutive is not None and guard.most >= 1.0 and guard.panic <= 0.0:
            if guard.all_open == "refuse":
                return "ejection", ("consecutive",), guard.counts, guard.consecutive, guard.for_s
    return None


def guard_never_acts(outlook: Outlook) -> Iterator[Foretold]:
    """Guards that outages never bring to act: too few calls for the minimum, or failures that do not count."""
    per_s = outlook.busiest_per_s
    if per_s is None or isinstance(outlook.plan.workload.arrivals, BatchArrivals):
        return
    for group in outlook.plan.client.groups:
        for leg in (outlook.legs[index] for index in group.legs):
            effect = outlook.worst_effect(leg.endpoint)
            if effect is None or fails(effect) < 1.0:
                continue
            for guard in outlook.plan.client.legs[leg.index].guards:
                if isinstance(guard, OwnBreaker):
                    continue
                if found := _never_counts(outlook, leg, guard) or _never_enough(outlook, group, leg, guard, per_s):
                    yield found


def _setting(guard: Guard) -> str:
    match guard:
        case Cooldown():
            return "cooldown"
        case Ejection():
            return "ejection"
    return "breaker"


def _never_counts(outlook: Outlook, leg: Leg, guard: Breaker | Cooldown | Ejection) -> Foretold | None:
    effects = [effect for effect in outlook.effects_at(leg.endpoint) if fails(effect) > 0.0]
    counted = {*guard.counts, *(guard.at_once + guard.always if isinstance(guard, Cooldown) else ())}
    kinds = kinds_handled(tuple(counted), outlook.plan.statuses)
    if any(effect.hang > 0.0 or kind_of(outlook.plan, effect) in kinds for effect in effects):
        return None
    names = dict.fromkeys(kind_names(outlook.plan)[kind_of(outlook.plan, effect)] for effect in effects)
    return Foretold(
        code="guard_never_acts",
        path=(*outlook.setting_path(leg, _setting(guard)), "counts"),
        sentence=f"the {_setting(guard)} of {leg.name} never acts in its outages: calls then fail with "
        f"{listed(list(names))}, which it does not count",
        remedy=f"counts with {listed(list(names))}",
        figures={"counted_share": 0.0},
    )


def _never_enough(outlook: Outlook, group: Group, leg: Leg, guard: Guard, per_s: float) -> Foretold | None:
    """A minimum of calls in a window that the calls of an outage do not reach."""
    said = _window(guard)
    if said is None:
        return None
    minimum, window_s, field = said
    calls, _ = calls_while(outlook, outlook.endpoints_of(group))
    of_a_request = max(calls.get(leg.index, 0.0), 1.0)
    in_window = per_s * calls.get(leg.index, 0.0) * window_s
    needed = math.ceil(minimum / of_a_request - 1e-9)
    # An opening needs a call with that many others in the window before it; retries of one request come together.
    openings = per_s * outlook.plan.horizon_s * _at_least(needed - 1, per_s * window_s)
    if calls.get(leg.index, 0.0) <= 0.0 or openings >= _HARDLY_EVER:
        return None
    calls_per_s = per_s * calls[leg.index]
    return Foretold(
        code="guard_never_acts",
        path=(*outlook.setting_path(leg, _setting(guard)), field),
        sentence=f"the {_setting(guard)} of {leg.name} never acts at this load: it needs {minimum} calls within "
        f"{duration(window_s)}, and an outage brings {number(in_window)} on average ({rate(calls_per_s, 'calls')})",
        remedy=f"{field}: {max(1, int(in_window))}, a longer window, or a breaker of kind: consecutive",
        figures={"calls_in_window": in_window, "minimum": float(minimum), "openings": openings},
    )


def _window(guard: Guard) -> tuple[int, float, str] | None:
    """(calls needed, seconds, field) of guards that need a number of calls within a window."""
    match guard:
        case TimeWindowBreaker():
            return guard.minimum, guard.window_s, "minimum"
        case Ejection() if guard.failure_share is not None and guard.consecutive is None:
            return guard.minimum, guard.window_s, "minimum"
        case Cooldown() if not guard.at_once and not guard.always:
            if guard.allowed_fails is not None:
                return guard.allowed_fails + 1, guard.cooldown_s, "allowed_fails"
            counts = [n for n in (guard.minimum if guard.failure_share is not None else None, guard.all_failed) if n]
            return (min(counts), guard.window_s, "minimum" if guard.failure_share is not None else "all_failed")
    return None


def _at_least(count: int, mean: float) -> float:
    from scipy.special import gammainc

    return 1.0 if count <= 0 else float(gammainc(count, mean))


CHECKS: Final = (guard_blackout, guard_never_acts)
