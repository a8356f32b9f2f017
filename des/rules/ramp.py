"""Gradual failover: a leg takes on a growing share of the calls that turn to it."""


def admitted_share(begun_s: float, now_s: float, start: float, over_s: float) -> float:
    """Share let through: from `start` when the failover began, in a straight line to 1 after `over_s` seconds."""
    elapsed_s = now_s - begun_s
    if elapsed_s >= over_s:
        return 1.0
    return start + (1.0 - start) * (elapsed_s / over_s)


def begins_anew(last_asked_s: float, now_s: float, reset_after_s: float) -> bool:
    """Whether a call begins a new failover: nobody has turned to the leg for longer than `reset_after_s`."""
    return now_s - last_asked_s > reset_after_s
