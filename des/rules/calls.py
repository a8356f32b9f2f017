"""One call: which cause makes it fail, and when its client abandons it."""

from collections.abc import Sequence

# One uniform decides among several causes, in order of their numbers.


def struck_by(u: float, shares: Sequence[float]) -> int:
    """Index of the first cause that strikes, each given that those before it do not; -1 for none.

    Cause i strikes with probability s_i (1 - s_0) ... (1 - s_{i-1}). So no cause strikes with the product of the (1 -
    s_i), as for independent causes, and of several the first by number is named.
    """
    reach = 0.0
    left = 1.0
    for index, share in enumerate(shares):
        reach += left * share
        if u < reach or share >= 1.0:  # a certain cause is not missed by rounding
            return index
        left *= 1.0 - share
    return -1


def kind_of(u: float, rates: Sequence[float]) -> int:
    """Index of the slice of [0, 1) that contains `u`, with slices laid end to end; -1 beyond the last."""
    reach = 0.0
    for index, rate in enumerate(rates):
        reach += rate
        if u < reach:
            return index
    return -1


# A client abandons a call at the first time-out that the response exceeds.


INFINITY = float("inf")


def gives_up_after_s(
    bounds: tuple[float, float, float, float],
    connect_s: float,
    first_token_s: float,
    gap_s: float,
    whole_s: float,
) -> float:
    """Seconds into the call at which a time-out is exceeded; infinity if none is.

    `bounds` are (connect, first token, idle, total), infinite where absent. `first_token_s` and `whole_s` count from
    the start of the call, `gap_s` is the silence between two tokens. The idle bound applies to any silence, the wait
    for the first token included. A response exactly on a bound is in time.
    """
    connect, first_token, idle, total = bounds
    give_up = INFINITY
    if connect_s > connect:
        give_up = connect
    if first_token_s > first_token:
        give_up = min(give_up, first_token)
    if first_token_s > idle:
        give_up = min(give_up, idle)
    elif gap_s > idle:
        give_up = min(give_up, first_token_s + idle)
    if whole_s > total:
        give_up = min(give_up, total)
    return give_up
