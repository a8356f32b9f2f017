"""Which leg of an entry takes an attempt, and in which order the entries of the chain are tried."""

from math import inf

from des.compiled.kernel.ending import bill
from des.compiled.kernel.guards import leg_admits
from des.compiled.kernel.lists import address_of, drop_first, put_last
from des.compiled.kernel.memory import Record, at, float_at, floats, floats_at
from des.compiled.kernel.questions import drawn
from des.compiled.kernel.world import CHARGE_NOTHING, World
from des.rules.guards import panics
from des.rules.routing import (
    best_of_choices,
    cost_per_success,
    least,
    lowest_latency,
    mean_s,
    next_in_turn,
    usage_based,
    weighted,
)
from des.vocabulary import OK, TIMEOUT

ORDERED, ROUND_ROBIN, WEIGHTED, CHEAPEST, LEAST_LATENCY, LEAST_BUSY, USAGE_BASED = range(7)
CIRCUIT_IS_OPEN, CLIENT_IS_AT_ITS_LIMIT = -1, -2
TIMED_OUT_S = 1000.0
"""The latency that a timed-out call counts with (litellm 1.109, lowest latency)."""


# Statistics of a leg


def statistics_begin(leg: Record, now_s: float) -> None:
    renew_usage(leg, now_s)
    leg.busy += 1
    leg.calls_this_minute += 1


def renew_usage(leg: Record, now_s: float) -> None:
    """Usage starts at zero in every clock minute."""
    minute = int(now_s / 60.0)
    if minute != leg.minute:
        leg.minute = minute
        leg.calls_this_minute = 0
        leg.tokens_this_minute = 0


def statistics_end(
    w: World, leg: Record, start_s: float, end_s: float, outcome: int, cost: int, input_tokens: int, output_tokens: int
) -> None:
    """Latency is per output token where there is output. Failures have none, but time-outs count `TIMED_OUT_S`."""
    renew_usage(leg, end_s)
    leg.busy -= 1
    _keep(w, leg.costs, float(cost) if outcome != OK else -1.0, leg.samples)
    if outcome == OK:
        leg.tokens_this_minute += input_tokens + output_tokens
        _keep(w, leg.latencies, (end_s - start_s) / max(1, output_tokens), leg.samples)
    elif outcome == TIMEOUT:
        _keep(w, leg.latencies, TIMED_OUT_S, leg.samples)


def _keep(w: World, number: int, value: float, most: int) -> None:
    """Keep the last values, `most` of them."""
    put_last(w, number, value)
    several = at(w.lists, number)
    if several.count > most:
        drop_first(several, 1)


def _cost_per_success(w: World, request: Record, leg: Record, now_s: float) -> float:
    """The expected cost of a success, by the failures among the last calls and their costs."""
    mode = at(w.modes, leg.index * at(w.run, 0).kinds + OK).value
    price = 0.0
    if mode != CHARGE_NOTHING:
        is_warm = leg.has_prefix and now_s < leg.warm_until_s
        price = float(bill(request, leg, mode, is_warm, request.output_tokens, 1.0)[0])
    costs = at(w.lists, leg.costs)
    failures, spent = 0, 0.0
    for nth in range(costs.count):
        cost = float_at(address_of(costs) + 8 * nth)
        if cost >= 0.0:
            failures += 1
            spent += cost
    if failures == 0:
        return price
    served = costs.count - failures + 1  # one more than observed, so that no leg is excluded for good
    return cost_per_success(served / (served + failures), price, spent / failures)


# A pick among candidates: the legs whose numbers are in `candidates`, from the first place on


def picks_first(kind: int, among: int) -> bool:
    """Whether the pick of this number of legs is always the first, whatever came before."""
    return kind == ORDERED or (among == 1 and kind not in (USAGE_BASED, ROUND_ROBIN))


def route(w: World, router: Record, request: Record, nth: int, count: int, now_s: float) -> int:
    """The place of the candidate that takes the n-th pick of a request; -1 where every one is at its bounds."""
    kind = router.kind
    if picks_first(kind, count):
        return 0
    if kind == ROUND_ROBIN:
        for place in range(count):
            at(w.scratch, place).value = float(at(w.candidates, place).value)
        place = next_in_turn(floats(w.scratch, 0, count), router.last)
        router.last = at(w.candidates, place).value
        return place
    if kind == CHEAPEST:
        best, least_cost = 0, inf
        for place in range(count):
            cost = _cost_per_success(w, request, at(w.legs, at(w.candidates, place).value), now_s)
            if cost < least_cost:
                best, least_cost = place, cost
        return best
    u = drawn(w, router.owner, nth, 0, request.draw)
    if kind == USAGE_BASED:
        return _by_usage(w, request, count, now_s, u)
    for place in range(count):
        at(w.scratch, place).value = _seen(w, router, at(w.legs, at(w.candidates, place).value))
    values = floats(w.scratch, 0, count)
    if kind == WEIGHTED:
        return weighted(values, u)
    if kind == LEAST_LATENCY:
        return lowest_latency(values, router.buffer, u)
    if router.choices < 0:
        return least(values, 0.0 if router.ties_first else u)
    return best_of_choices(values, router.choices, u)


def _seen(w: World, router: Record, leg: Record) -> float:
    """What the router compares of a leg."""
    if router.kind == WEIGHTED:
        return leg.weight
    if router.kind == LEAST_BUSY:
        return float(leg.busy)
    latencies = at(w.lists, leg.latencies)
    if latencies.count == 0:
        return 0.0  # so that every leg gets some
    return mean_s(floats_at(address_of(latencies), latencies.count))


def _by_usage(w: World, request: Record, count: int, now_s: float, u: float) -> int:
    for place in range(count):
        leg = at(w.legs, at(w.candidates, place).value)
        renew_usage(leg, now_s)
        at(w.scratch, place).value = float(leg.tokens_this_minute)
        at(w.scratch, count + place).value = float(leg.calls_this_minute)
        at(w.scratch, 2 * count + place).value = leg.tpm
        at(w.scratch, 3 * count + place).value = leg.rpm
    return usage_based(
        floats(w.scratch, 0, count),
        floats(w.scratch, count, count),
        float(request.input_tokens),
        floats(w.scratch, 2 * count, count),
        floats(w.scratch, 3 * count, count),
        u,
    )


# Entries


def leg_of(w: World, entry: Record, place: int) -> int:
    """The number of a leg of an entry."""
    return int(at(w.entry_legs, entry.first_leg + place).value)


def has_healthy_leg(w: World, entry: Record) -> bool:
    for place in range(entry.legs):
        if leg_admits(w, at(w.legs, leg_of(w, entry, place))):
            return True
    return False


def is_all_out(w: World, entry: Record) -> bool:
    """Whether no leg of it would be called now."""
    return not entry.bypasses and entry.panic <= 0.0 and not has_healthy_leg(w, entry)


def _in_panic(w: World, entry: Record) -> bool:
    """Whether so few legs are left that all are called."""
    if entry.panic <= 0.0:
        return False
    admitted = 0
    for place in range(entry.legs):
        if leg_admits(w, at(w.legs, leg_of(w, entry, place))):
            admitted += 1
    return panics(admitted, entry.legs, entry.panic)


def pick(w: World, request: Record, entry: Record, nth: int, left_out: int, picked: int, now_s: float) -> int:
    """The leg of a request's n-th pick, or why there is none: `CIRCUIT_IS_OPEN` or `CLIENT_IS_AT_ITS_LIMIT`.

    `left_out` are the bits of the places that are not to be picked. Where every leg is out, guards may be bypassed.
    Where the group is picked from once, a visit's further attempts have the leg `picked` before, or none.
    """
    only = picked if entry.once else -1
    in_panic = _in_panic(w, entry)
    count = 0
    for place in range(entry.legs):
        leg = leg_of(w, entry, place)
        if (only >= 0 and leg != only) or (left_out >> place) & 1 == 1:
            continue
        if in_panic or leg_admits(w, at(w.legs, leg)):
            at(w.candidates, count).value = leg
            count += 1
    if count == 0 and left_out == 0 and entry.bypasses:
        for place in range(entry.legs):
            leg = leg_of(w, entry, place)
            if only < 0 or leg == only:
                at(w.candidates, count).value = leg
                count += 1
    if count == 0:
        return CLIENT_IS_AT_ITS_LIMIT if left_out != 0 else CIRCUIT_IS_OPEN
    count = _of_the_least_tier(w, count)
    place = route(w, at(w.routers, entry.router), request, nth, count, now_s)
    return CLIENT_IS_AT_ITS_LIMIT if place < 0 else int(at(w.candidates, place).value)


def _of_the_least_tier(w: World, count: int) -> int:
    """Keep the candidates of the least tier; how many they are."""
    if count < 2:
        return count
    lowest = at(w.legs, at(w.candidates, 0).value).tier
    for place in range(1, count):
        lowest = min(lowest, at(w.legs, at(w.candidates, place).value).tier)
    kept = 0
    for place in range(count):
        leg = at(w.candidates, place).value
        if at(w.legs, leg).tier == lowest:
            at(w.candidates, kept).value = leg
            kept += 1
    return kept


def peer(w: World, entry: Record, used: int) -> int:
    """The first leg of the least tier that admits and is not among the `used` (bits by leg); -1 for none."""
    count = 0
    for place in range(entry.legs):
        leg = leg_of(w, entry, place)
        if (used >> leg) & 1 == 0 and leg_admits(w, at(w.legs, leg)):
            at(w.candidates, count).value = leg
            count += 1
    if count == 0:
        return -1
    _of_the_least_tier(w, count)
    return int(at(w.candidates, 0).value)


def order_entries(w: World, request: Record, first: int, count: int, now_s: float) -> None:
    """The order in which a request's next round goes over the entries, by the routing of the groups."""
    g = at(w.run, 0)
    orders = request.slot * g.most_entries
    for place in range(count):
        at(w.orders, orders + place).value = first + place
    done, nth = 0, request.rounds * count
    while count - done > 1:
        for place in range(done, count):
            entry = at(w.entries, at(w.orders, orders + place).value)
            at(w.candidates, place - done).value = leg_of(w, entry, 0)
        place = route(w, at(w.routers, g.order_router), request, nth + done, count - done, now_s)
        if place < 0:
            return
        taken = at(w.orders, orders + done + place).value
        for back in range(done + place, done, -1):
            at(w.orders, orders + back).value = at(w.orders, orders + back - 1).value
        at(w.orders, orders + done).value = taken
        done += 1
