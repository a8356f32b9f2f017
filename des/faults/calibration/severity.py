"""How severe incidents were: how many of each severity, how long, and their share of the open time."""

from dataclasses import dataclass

import numpy as np

from des.faults.calibration.service_history import ServiceHistory


@dataclass(frozen=True, slots=True)
class Severity:
    """Incidents of one severity; shares are of all incidents and of the sum of all durations."""

    severity: str
    count: int
    share: float
    share_of_duration: float
    median_duration_s: float


def severities(history: ServiceHistory) -> tuple[Severity, ...]:
    """By severity, in the order of their names; empty where the history has none."""
    inside = history.inside
    names = np.array(history.severity, dtype=object)[inside]
    if not len(names) or not any(names.tolist()):
        return ()
    durations, _ = history.durations_s()
    total = float(durations.sum())
    mix = []
    for name in sorted(set(names.tolist())):
        some = durations[names == name]
        mix.append(
            Severity(
                severity=name,
                count=len(some),
                share=len(some) / len(names),
                share_of_duration=float(some.sum()) / total if total else 0.0,
                median_duration_s=float(np.median(some)),
            )
        )
    return tuple(mix)
