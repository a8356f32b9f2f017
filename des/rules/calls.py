"""One call: which cause fails it, and when its client gives up on it."""

from collections.abc import Sequence

# One uniform walks several causes by number and names the one that strikes.


def struck_by(u: float, shares: Sequence[float]) -> int:
    """Index of the first cause that strikes, each on what the ones before it left over; -1 for none.

    Cause i strikes with probability s_i (1 - s_0) ... (1 - s_{i-1}): the chance that none strikes is the product
    of the (1 - s_i), for independent causes, and which of them is to blame is decided by number.
    """
    reach = 0.0
    left = 1.0
    for index, share in enumerate(shares):
        reach += left * share
        if u < reach or share >= 1.0:  # rounding leaves no gap below 1 for a certain cause to be missed in
            return index
        left *= 1.0 - share
    return -1


def kind_of(u: float, rates: Sequence[float]) -> int:
    """Index of the kind whose slice of [0, 1) holds `u`, slices laid end to end; -1 beyond the last."""
    reach = 0.0
    for index, rate in enumerate(rates):
        reach += rate
        if u < reach:
            return index
    return -1


# When a client gives up on a call: the first of its bounds that the response breaks.


INFINITY = float("inf")


def gives_up_after_s(
    bounds: tuple[float, float, float, float],
    connect_s: float,
    first_token_s: float,
    gap_s: float,
    whole_s: float,
) -> float:
    """Seconds into the call at which a bound is broken; infinity if none is.

    `bounds` are (connect, first token, idle, total), infinite where absent. `first_token_s` and `whole_s` count
    from the start of the call, `gap_s` is the silence between two tokens. The idle bound is on any silence, the
    wait for the first token included. A response exactly on a bound is in time.
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
