"""The calibration of an incident history: distributions, trend, seasonality, severity and overlap by service."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from des.draws import generator
from des.faults.calibration.fitted import FittedTimes, fit_times
from des.faults.calibration.overlap import Overlap, overlaps
from des.faults.calibration.seasonality import Seasonality, seasonality
from des.faults.calibration.service_history import ServiceHistory
from des.faults.calibration.trend import Trend, trend
from des.scenario.text.units import DAY_S, HOUR_S, YEAR_S


@dataclass(frozen=True, slots=True)
class Severity:
    """Incidents of one severity. Shares are of all incidents and of the sum of all durations."""

    severity: str
    count: int
    share: float
    share_of_duration: float
    median_duration_s: float


def severities(history: ServiceHistory) -> tuple[Severity, ...]:
    """By severity, in the order of their names. Empty where the history records none."""
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


@dataclass(frozen=True, slots=True)
class ServiceCalibration:
    """One service. `between` are times from start to start (in days), `repair` are durations (in hours)."""

    name: str
    from_s: float
    until_s: float
    incidents: int
    still_open: int
    share_open: float
    between: FittedTimes
    repair: FittedTimes
    trend: Trend | None
    seasonality: Seasonality | None
    severities: tuple[Severity, ...]
    error_rate: float | None = None
    """The share of failing calls while an incident is open, weighted by duration; None where it is not recorded."""

    @property
    def per_year(self) -> float:
        """Incidents a year."""
        return self.incidents / self.years if self.years > 0.0 else float("nan")

    @property
    def years(self) -> float:
        return (self.until_s - self.from_s) / YEAR_S


@dataclass(frozen=True, slots=True)
class Calibration:
    services: tuple[ServiceCalibration, ...]
    overlaps: tuple[Overlap, ...]


def calibrate(histories: Sequence[ServiceHistory], *, permutations: int | None = None, seed: int = 0) -> Calibration:
    """Each service, and each pair of services over all whole-week shifts or `permutations` of them."""
    return Calibration(
        services=tuple(calibrate_service(history) for history in histories),
        overlaps=overlaps(histories, permutations, generator(seed, 0, "week shifts")),
    )


def calibrate_service(history: ServiceHistory) -> ServiceCalibration:
    durations_s, still_open = history.durations_s()
    observed_s = history.until_s - history.from_s
    return ServiceCalibration(
        name=history.name,
        from_s=history.from_s,
        until_s=history.until_s,
        incidents=len(durations_s),
        still_open=int(still_open.sum()),
        share_open=history.open_s() / observed_s if observed_s > 0.0 else float("nan"),
        between=fit_times(history.gaps_s, None, DAY_S),
        repair=fit_times(durations_s, still_open, HOUR_S),
        trend=trend(history),
        seasonality=seasonality(history),
        severities=severities(history),
        error_rate=history.mean_error_rate(),
    )
