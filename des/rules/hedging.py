"""Hedged calls: copies sent after a delay each; the first good answer wins."""

from collections.abc import Sequence


def winner(ends_s: Sequence[float], served: Sequence[bool]) -> int:
    """Index of the copy that decides: the first to serve, the last to end where none does; the earlier sent of equals.

    `ends_s` are the natural ends of the copies in the order sent, a copy's time-out included.
    """
    best = -1
    for index, end_s in enumerate(ends_s):
        if served[index] and (best < 0 or end_s < ends_s[best]):
            best = index
    if best >= 0:
        return best
    best = 0
    for index, end_s in enumerate(ends_s):
        if end_s > ends_s[best]:
            best = index
    return best


def sends_copy(sent: int, at_most: int, decided_s: float, copy_s: float) -> bool:
    """Whether the next copy is sent at `copy_s`: `sent` extra ones are under way, and the call is still open then.

    `decided_s` is when the copies sent so far decide the call; one that is decided just then is over.
    """
    return sent < at_most and copy_s < decided_s


def loser_end_s(loser: str, own_end_s: float, decided_s: float) -> float:
    """When a copy that lost is over for the client: cancelled when the call is decided (`cancel`), or at its own end
    (`run`)."""
    return min(own_end_s, decided_s) if loser == "cancel" else own_end_s
