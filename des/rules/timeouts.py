"""When a client gives up on a call: the first of its bounds that the response breaks."""

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
