"""Circuit breakers: when one opens, when it lets a probe through, and what its probes decide.

closed -> open by a streak or a share of failures; open -> half-open (or straight to closed) by time; half-open ->
closed or open by its probes. Closing forgets what was counted.
"""

CLOSED, OPEN, HALF_OPEN = range(3)


def streak_after(streak: int, *, failed: bool) -> int:
    """Failures in a row, one call later."""
    return streak + 1 if failed else 0


def streak_opens(streak: int, failures: int) -> bool:
    """Consecutive breaker: so many failures in a row open it."""
    return streak >= failures


def share_opens(failed: int, calls: int, failure_share: float, minimum: int) -> bool:
    """Window breaker: at least `minimum` calls in the window, and at least the share of them failed.

    Count window: the last `calls` calls (resilience4j: 100, 50 %, minimum 100, 60 s open, 10 probes). Time window: the
    calls that ended in the last so many seconds (Polly v8: 30 s, 10 %, minimum 100, 5 s open, one probe).
    """
    return calls >= minimum and calls > 0 and failed / calls >= failure_share


def admits_probe(started: int, half_open: int) -> bool:
    """Half-open: whether another call may go through as a probe; `started` counts those since it went half-open."""
    return started < half_open


def after_probes(done: int, failed: int, half_open: int, failure_share: float | None) -> int:
    """The state of a half-open breaker of whose probes `done` have ended, `failed` of them in failure.

    Without a share (consecutive breakers, Polly's one probe): OPEN at the first failure, CLOSED once all have gone
    well. With one (resilience4j): decided when all `half_open` probes have ended, OPEN where the share failed.
    """
    if failure_share is None:
        if failed:
            return OPEN
        return CLOSED if done >= half_open else HALF_OPEN
    if done < half_open:
        return HALF_OPEN
    return OPEN if failed / done >= failure_share else CLOSED
