"""One uniform walks several causes by number and names the one that strikes."""

from collections.abc import Sequence


def struck_by(u: float, shares: Sequence[float]) -> int:
    """Index of the first cause that strikes, each on what the ones before it left over; -1 for none.

    Cause i strikes with probability s_i (1 - s_0) ... (1 - s_{i-1}): the chance that none strikes is the product
    of the (1 - s_i), as of independent causes, and which of them is to blame is decided by number.
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
