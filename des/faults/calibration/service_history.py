"""The recorded incidents of one service, and the part of them within a period of observation."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from des.faults.intervals import BoolArray, FloatArray
from des.files import History, RecordedIncident
from des.scenario.text.units import MINUTE_S, YEAR_S


@dataclass(frozen=True, slots=True)
class ServiceHistory:
    """Incidents of one service in seconds since 1970, sorted by start and observed from `from_s` to `until_s`.

    `end_s` is infinite for an incident that is still open. Incidents may overlap, begin before `from_s` and end after
    `until_s`. Their open time inside counts, but only those that start inside count as incidents.
    """

    provider: str
    service: str
    from_s: float
    until_s: float
    start_s: FloatArray
    end_s: FloatArray
    severity: tuple[str, ...]
    incident_id: tuple[str, ...]
    error_rate: FloatArray | None = None
    """The share of failing calls of each incident, nan where unknown; None where it is unknown for all."""

    @property
    def name(self) -> str:
        return f"{self.provider}/{self.service}" if self.provider else self.service

    @property
    def inside(self) -> BoolArray:
        """Which incidents start while the service is observed."""
        return (self.start_s >= self.from_s) & (self.start_s <= self.until_s)

    @property
    def starts_s(self) -> FloatArray:
        return self.start_s[self.inside]

    @property
    def gaps_s(self) -> FloatArray:
        """Times from start to start, zeroes included."""
        return np.diff(self.starts_s)

    def durations_s(self) -> tuple[FloatArray, BoolArray]:
        """The duration of each incident that starts inside, and whether it was still open at the end of observation."""
        ends = self.end_s[self.inside]
        still_open = np.isinf(ends)
        return np.where(still_open, self.until_s, ends) - self.starts_s, still_open

    @property
    def years(self) -> float:
        return (self.until_s - self.from_s) / YEAR_S

    def mean_error_rate(self) -> float | None:
        """The share of failing calls while an incident that starts inside is open; None where that is not recorded."""
        if self.error_rate is None:
            return None
        durations_s, _ = self.durations_s()
        shares = self.error_rate[self.inside]
        known = ~np.isnan(shares) & (durations_s > 0.0)
        return float(np.average(shares[known], weights=durations_s[known])) if known.any() else None

    def open_s(self) -> float:
        """Time with at least one incident open."""
        starts, ends = (np.clip(times, self.from_s, self.until_s) for times in (self.start_s, self.end_s))
        reach = np.maximum.accumulate(np.concatenate(([self.from_s], ends)))
        return float(np.maximum(0.0, reach[1:] - np.maximum(starts, reach[:-1])).sum())

    def open_minutes(self, from_s: float, until_s: float) -> BoolArray:
        """Whether an incident is open, by minute; both ends are rounded to the minute."""
        minutes = round((until_s - from_s) / MINUTE_S)
        edges = np.zeros(minutes + 1, dtype=np.int32)
        for times, step in ((self.start_s, 1), (self.end_s, -1)):
            places = np.clip(np.rint((times - from_s) / MINUTE_S), 0, minutes).astype(np.int64)
            np.add.at(edges, places, step)
        return np.cumsum(edges[:-1]) > 0


def service_histories(history: History) -> list[ServiceHistory]:
    """The history of each service, by name, observed from its first incident to its last end.

    A service with an open incident is observed until the last instant at which any of the services was.
    """
    by_service: dict[tuple[str, str], list[RecordedIncident]] = {}
    for incident in history.incidents:
        by_service.setdefault((incident.provider, incident.service), []).append(incident)
    return [
        _of_service(sorted(incidents, key=lambda each: (each.start_s, each.end_s)), history.last_seen_s)
        for _, incidents in sorted(by_service.items())
    ]


def _of_service(incidents: Sequence[RecordedIncident], last_seen_s: float) -> ServiceHistory:
    last_end_s = max(incident.end_s for incident in incidents)
    shares = np.array([incident.error_rate for incident in incidents], dtype=np.float64)
    return ServiceHistory(
        provider=incidents[0].provider,
        service=incidents[0].service,
        from_s=incidents[0].start_s,
        until_s=last_seen_s if math.isinf(last_end_s) else last_end_s,
        start_s=np.array([incident.start_s for incident in incidents], dtype=np.float64),
        end_s=np.array([incident.end_s for incident in incidents], dtype=np.float64),
        severity=tuple(incident.severity for incident in incidents),
        incident_id=tuple(incident.id for incident in incidents),
        error_rate=None if np.isnan(shares).all() else shares,
    )


def observed(history: ServiceHistory, since_s: float | None, until_s: float | None) -> ServiceHistory:
    """The same service within a narrower period, limited to what was recorded."""
    from_s = history.from_s if since_s is None else max(history.from_s, since_s)
    last_s = history.until_s if until_s is None else min(history.until_s, until_s)
    kept = (history.start_s <= last_s) & (history.end_s >= from_s)
    return replace(
        history,
        from_s=from_s,
        until_s=last_s,
        start_s=history.start_s[kept],
        end_s=history.end_s[kept],
        severity=_some(history.severity, kept),
        incident_id=_some(history.incident_id, kept),
        error_rate=None if history.error_rate is None else history.error_rate[kept],
    )


def _some(texts: Sequence[str], kept: BoolArray) -> tuple[str, ...]:
    return tuple(text for text, keep in zip(texts, kept.tolist(), strict=True) if keep)
