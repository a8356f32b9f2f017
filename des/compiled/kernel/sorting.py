"""The rows of a table brought in order, and written as columns.

These take NumPy's arrays as they are: `compiling.compiled` makes each an entry of its own, beside `play`.
"""

from math import inf
from typing import Any, Final

ENDLESS, CROWDED = -1, -2
"""Why rows were not sorted: some have no end, or too many end at about the same time."""
_MOST_MOVES: Final = 16  # a row
_LEAST_S: Final = 1e-100  # between the first and the last, so that their number divided by it is finite


def sort(time_s: Any, number: Any, nth: Any, copied_s: Any, sorted_s: Any, places: Any, heads: Any) -> int:
    """Sort by time, then `number`, then `nth`; equals keep their order. The number of rows, or why there are none.

    Puts the sorted times into `sorted_s` and the rows' places into `places`. The times are read once, since rows lie
    far apart in memory, and then from their copy. `heads` has room for one more than there are rows. Times are close to
    evenly spread over a short while, so each has about a bucket of its own.
    """
    count = len(time_s)
    if count == 0:
        return 0
    low_s = high_s = time_s[0]
    for row in range(count):
        at_s = time_s[row]
        if not at_s < inf:
            return ENDLESS
        low_s, high_s = min(low_s, at_s), max(high_s, at_s)
        copied_s[row] = at_s
        heads[row] = 0
    if 0.0 < high_s - low_s < _LEAST_S:
        return CROWDED
    scale = (count - 1) / (high_s - low_s) if high_s > low_s else 0.0
    heads[count] = 0
    for row in range(count):
        heads[int((copied_s[row] - low_s) * scale) + 1] += 1
    for bucket in range(count):
        heads[bucket + 1] += heads[bucket]
    for row in range(count):
        at_s = copied_s[row]
        bucket = int((at_s - low_s) * scale)
        place = heads[bucket]
        heads[bucket] = place + 1
        sorted_s[place] = at_s
        places[place] = row
    return _sort_neighbours(number, nth, sorted_s, places, count)


def _sort_neighbours(number: Any, nth: Any, sorted_s: Any, places: Any, count: int) -> int:
    """Rows that are nearly in order, by insertion."""
    moves_left = _MOST_MOVES * count
    for place in range(1, count):
        at_s = sorted_s[place]
        if sorted_s[place - 1] < at_s:
            continue
        row, to = places[place], place
        while to > 0 and _comes_after(number, nth, sorted_s[to - 1], places[to - 1], at_s, row):
            sorted_s[to], places[to] = sorted_s[to - 1], places[to - 1]
            to -= 1
        sorted_s[to], places[to] = at_s, row
        moves_left -= place - to
        if moves_left < 0:
            return CROWDED
    return count


def _comes_after(number: Any, nth: Any, one_s: float, one: int, other_s: float, other: int) -> bool:
    if one_s != other_s:
        return one_s > other_s
    if number[one] != number[other]:
        return bool(number[one] > number[other])
    return bool(nth[one] > nth[other])


def attempt_columns(rows: Any, places: Any, to: Any) -> None:
    """Write the rows at these places to the columns of a table of calls."""
    for place in range(len(places)):
        row = rows[places[place]]
        to.request_id[place] = row["request_id"]
        to.attempt[place] = row["attempt"]
        to.round[place] = row["round"]
        to.leg[place] = row["leg"]
        to.start_s[place] = row["start_s"]
        to.outcome[place] = row["outcome"]
        to.cause[place] = row["cause"]
        to.cause_id[place] = row["cause_id"]
        to.retry_after_s[place] = row["retry_after_s"]
        to.cost[place] = row["cost"]
        to.input_tokens[place] = row["input_tokens"]
        to.cached_tokens[place] = row["cached_tokens"]
        to.output_tokens[place] = row["output_tokens"]
        to.kind[place] = row["kind"]


def request_columns(rows: Any, places: Any, to: Any) -> None:
    """Write the rows at these places to the columns of a table of requests."""
    for place in range(len(places)):
        row = rows[places[place]]
        to.request_id[place] = row["request_id"]
        to.arrival_s[place] = row["arrival_s"]
        to.outcome[place] = row["outcome"]
        to.error_type[place] = row["error_type"]
        to.leg[place] = row["leg"]
        to.rounds[place] = row["rounds"]
        to.attempts[place] = row["attempts"]
        to.backoff_s[place] = row["backoff_s"]
        to.queued_s[place] = row["queued_s"]
        to.cost[place] = row["cost"]
        to.wasted[place] = row["wasted"]
        to.input_tokens[place] = row["input_tokens"]
        to.output_tokens[place] = row["output_tokens"]
        to.response_cache_hit[place] = row["response_cache_hit"]
        to.lost_to[place] = row["lost_to"]
