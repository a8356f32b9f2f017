"""Rows checked and added up in one pass: what `des.estimate` does column by column in NumPy, several times as fast.

These take NumPy's arrays as they are, each an entry of its own beside `play`. Sums of integers that may be large are in
two parts, of their high and their low 32 bits, as those of `des.estimate.sums`.
"""

from math import isnan
from typing import Any, Final

import numpy as np

from des.vocabulary import (
    ATTEMPT_OUTCOMES,
    BY_CAPACITY,
    BY_LIMIT,
    CALL,
    CANCELLED,
    HEDGE,
    OVERLOADED,
    PROBE,
    RATE_LIMITED,
    REQUEST_DEADLINE,
    REQUEST_FAILED,
    REQUEST_IN_FLIGHT,
    REQUEST_OK,
    REQUEST_OUTCOMES,
    REQUEST_REJECTED,
    TIMEOUT,
)

(
    CALLS,
    COST_HIGH,
    COST_LOW,
    PROBES,
    PROBE_HIGH,
    PROBE_LOW,
    WASTED_HIGH,
    WASTED_LOW,
    FALLBACKS,
    CACHE_HITS,
    LATENCIES,
    LATENCY_HIGH,
    LATENCY_LOW,
    QUALITIES,
    QUALITY_HIGH,
    QUALITY_LOW,
    ZEROS,
    SUMS,
) = range(18)
"""Places in the sums of a table, and their number. Latency and quality are in steps of 1e-9."""
IDS, CALL_MARKS, COST_MARKS, MARKS = range(4)
"""Places in the fingerprints of a table, modulo 2^64, and their number."""
_LOW: Final = (1 << 32) - 1
_STEPS: Final = 1e9
_MOST: Final = 9e9  # seconds that can be averaged exactly
_A, _B, _C = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_30, _27, _31 = np.uint64(30), np.uint64(27), np.uint64(31)
_MINUTE_S: Final = 60.0
KEY_SHIFT: Final = 43
"""Bits of a float that do not tell where in the histogram it is to be looked for."""


def spread(number: int) -> Any:
    """As `des.spread.spread`, of one number."""
    mixed = np.uint64(number) + _A
    mixed = (mixed ^ (mixed >> _30)) * _B
    mixed = (mixed ^ (mixed >> _27)) * _C
    return mixed ^ (mixed >> _31)


def attempts(block: Any, last_s: float, last_number: int, last_nth: int, outcomes: Any, sums: Any, marks: Any) -> bool:
    """Add up calls. False, and nothing is added, where some row may break a rule: the last row's is given."""
    if not _attempts_hold(block, last_s, last_number, last_nth):
        return False
    for row in range(len(block.request_id)):
        cost = block.cost[row]
        if block.kind[row] == PROBE:
            sums[PROBES] += 1
            sums[PROBE_HIGH] += cost >> 32
            sums[PROBE_LOW] += cost & _LOW
            continue
        mark = spread(block.request_id[row])
        outcomes[block.outcome[row]] += 1
        sums[CALLS] += 1
        sums[COST_HIGH] += cost >> 32
        sums[COST_LOW] += cost & _LOW
        marks[CALL_MARKS] += mark
        marks[COST_MARKS] += mark * np.uint64(cost)
    return True


def _attempts_hold(block: Any, last_s: float, last_number: int, last_nth: int) -> bool:
    """The rules of `des.estimate.conservation`, for rows that end."""
    for row in range(len(block.request_id)):
        number, nth, outcome = block.request_id[row], block.nth[row], block.outcome[row]
        start_s, end_s = block.start_s[row], block.end_s[row]
        if outcome < 0 or outcome >= len(ATTEMPT_OUTCOMES) or not start_s <= end_s:
            return False
        if block.duration_s[row] != end_s - start_s or (number < 0) != (block.kind[row] == PROBE):
            return False
        if end_s <= last_s and not _may_follow(end_s, number, nth, last_s, last_number, last_nth):
            return False
        last_s, last_number, last_nth = end_s, number, nth
    return True


def _may_follow(end_s: float, number: int, nth: int, last_s: float, last_number: int, last_nth: int) -> bool:
    if end_s < last_s or number < last_number:
        return False
    return number > last_number or number < 0 or nth > last_nth


def requests(
    block: Any,
    last_s: float,
    last_number: int,
    outcomes: Any,
    served: Any,
    lost: Any,
    bins: Any,
    ends: Any,
    sums: Any,
    marks: Any,
) -> bool:
    """Add up requests. False, and nothing is added, where some row may break a rule: the last row's is given.

    The last entry of `served` is for no leg. `ends` are the least and the greatest latency above zero.
    """
    if not _requests_hold(block, last_s, last_number, len(lost)):
        return False
    for row in range(len(block.request_id)):
        number, outcome, cost, wasted = block.request_id[row], block.outcome[row], block.cost[row], block.wasted[row]
        calls, mark = block.attempts[row], spread(number)
        outcomes[outcome] += 1
        sums[CALLS] += calls
        sums[COST_HIGH] += cost >> 32
        sums[COST_LOW] += cost & _LOW
        sums[WASTED_HIGH] += wasted >> 32
        sums[WASTED_LOW] += wasted & _LOW
        sums[CACHE_HITS] += block.cache_hit[row]
        marks[IDS] += mark
        marks[CALL_MARKS] += mark * np.uint64(calls)
        marks[COST_MARKS] += mark * np.uint64(cost)
        if outcome != REQUEST_OK:
            if outcome != REQUEST_IN_FLIGHT:
                lost[block.lost_to[row]] += 1
            continue
        served[block.served_by[row]] += 1  # -1, of no leg, is the last
        sums[FALLBACKS] += block.position[row] > 0
        latency_s, quality = block.latency_s[row], block.quality[row]
        steps = np.int64(np.rint(latency_s * _STEPS))
        sums[LATENCIES] += 1
        sums[LATENCY_HIGH] += steps >> 32
        sums[LATENCY_LOW] += steps & _LOW
        if not isnan(quality):
            steps = np.int64(np.rint(np.float64(quality) * _STEPS))
            sums[QUALITIES] += 1
            sums[QUALITY_HIGH] += steps >> 32
            sums[QUALITY_LOW] += steps & _LOW
        if latency_s == 0.0:
            sums[ZEROS] += 1
            continue
        ends[0], ends[1] = min(ends[0], latency_s), max(ends[1], latency_s)
        key = (block.latency_bits[row] >> KEY_SHIFT) - block.first_key
        place = block.bin_of_key[min(max(key, 0), len(block.bin_of_key) - 1)]
        while place < len(bins) - 1 and block.edges[place + 1] <= latency_s:
            place += 1
        bins[place] += 1
    return True


def _requests_hold(block: Any, last_s: float, last_number: int, causes: int) -> bool:
    """The rules of `des.estimate.conservation`, for rows that end, and that means of latency and quality are exact."""
    for row in range(len(block.request_id)):
        number, outcome, lost_to = block.request_id[row], block.outcome[row], block.lost_to[row]
        arrival_s, end_s, latency_s = block.arrival_s[row], block.end_s[row], block.latency_s[row]
        if outcome < 0 or outcome >= len(REQUEST_OUTCOMES) or outcome == REQUEST_IN_FLIGHT:
            return False
        if not arrival_s <= end_s or latency_s != end_s - arrival_s or block.wasted[row] > block.cost[row]:
            return False
        is_lost = outcome in (REQUEST_FAILED, REQUEST_DEADLINE, REQUEST_REJECTED)
        if is_lost and (lost_to < 0 or lost_to >= causes):
            return False
        if latency_s > _MOST or abs(block.quality[row]) > _MOST:
            return False
        if end_s <= last_s and (end_s < last_s or number <= last_number):
            return False
        last_s, last_number = end_s, number
    return True


def minutes_of_attempts(block: Any, minutes_a_bin: int, budgets: Any, counts: Any) -> None:
    """Count calls by minute. The rows of `counts` are those that `des.estimate.minutes` names; `budgets` are limits."""
    calls, hedges, retries, admitted, by_budget, by_limit, by_capacity, late_work = block.places
    bin_s = minutes_a_bin * _MINUTE_S
    sent, begin_s = 0, 0.0  # the bin of the last row, which is that of most others
    for row in range(len(block.kind)):
        kind, outcome, cause = block.kind[row], block.outcome[row], block.cause[row]
        if kind == PROBE:
            continue
        start_s = block.start_s[row]
        if not begin_s <= start_s < begin_s + bin_s:
            sent = _minute(start_s) // minutes_a_bin
            begin_s = sent * bin_s
        if outcome in (TIMEOUT, CANCELLED) and not isnan(block.end_s[row]):
            counts[late_work, _minute(block.end_s[row]) // minutes_a_bin] += 1
        limited = (cause == BY_LIMIT) & (outcome == RATE_LIMITED)
        crowded = (cause == BY_CAPACITY) & (outcome == OVERLOADED)
        own = limited and _is_among(budgets, block.cause_id[row])
        # added, as branches that are taken now and then would take longer than all the rest
        counts[calls, sent] += kind == CALL
        counts[retries, sent] += (kind == CALL) & (block.nth[row] > 0)
        counts[hedges, sent] += kind == HEDGE
        counts[by_budget, sent] += own
        counts[by_limit, sent] += limited & (not own)
        counts[by_capacity, sent] += crowded
        counts[admitted, sent] += not (limited or crowded)


def _is_among(numbers: Any, number: int) -> bool:
    for place in range(len(numbers)):
        if numbers[place] == number:
            return True
    return False


def minutes_of_requests(block: Any, minutes_a_bin: int, counts: Any) -> None:
    """Count requests by minute."""
    offered, served, goodput, failed = block.places
    bin_s = minutes_a_bin * _MINUTE_S
    arrived, begin_s = 0, 0.0  # the bin of the last arrival, which is that of most others
    ended, end_s = 0, 0.0  # that of the last end
    for row in range(len(block.outcome)):
        arrival_s, outcome = block.arrival_s[row], block.outcome[row]
        if not begin_s <= arrival_s < begin_s + bin_s:
            arrived = _minute(arrival_s) // minutes_a_bin
            begin_s = arrived * bin_s
        counts[offered, arrived] += 1
        if outcome == REQUEST_OK:
            counts[served, arrived] += 1
            if not end_s <= block.end_s[row] < end_s + bin_s:
                ended = _minute(block.end_s[row]) // minutes_a_bin
                end_s = ended * bin_s
            counts[goodput, ended] += 1
        elif outcome != REQUEST_IN_FLIGHT:
            counts[failed, arrived] += 1


def _minute(time_s: float) -> int:
    """The whole minutes before an instant. The quotient may be rounded up to one more."""
    minute = int(time_s / _MINUTE_S)
    return minute - 1 if minute * _MINUTE_S > time_s else minute
