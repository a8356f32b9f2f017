"""From windows of incidents, written or read from a file, to the class of the plan that has them."""

from collections.abc import Sequence

from des.scenario.plan import Effect, RecordedIncidents


def recorded(
    kind: str, windows: Sequence[tuple[float, float, Effect]], remarks: tuple[str, ...] = ()
) -> RecordedIncidents:
    """The class of given windows (start and end in seconds of the run, effect), in the order of their starts.

    Drops windows that have ended when the run starts. A window open at that time keeps its true start.
    """
    kept = sorted((window for window in windows if window[1] > 0.0), key=lambda window: window[:2])
    return RecordedIncidents(
        kind=kind,
        start_s=tuple(start_s for start_s, _, _ in kept),
        end_s=tuple(end_s for _, end_s, _ in kept),
        effects=tuple(effect for _, _, effect in kept),
        remarks=remarks,
    )
