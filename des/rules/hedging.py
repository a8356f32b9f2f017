"""Hedged calls: copies sent after a delay each; the first good answer wins, a failure counts when no other copy is open
(gRPC's gRFC A6, Polly v8: after 2 s)."""


def sends_copy(sent: int, at_most: int, decided_s: float, copy_s: float) -> bool:
    """Whether the next copy is sent at `copy_s`: `sent` extra ones are under way, and the call is still open then.

    `decided_s` is when the copies sent so far decide the call; one that is decided just then is over.
    """
    return sent < at_most and copy_s < decided_s
