"""A weekly profile of rates: the weight at a time, and the clock that turns a constant rate into the profile."""

import numpy as np

from des.scenario.plan import FloatArray, Profile

HOUR_S = 3600.0
WEEK_HOURS = 168
WEEK_S = HOUR_S * WEEK_HOURS


def weights_at(profile: Profile, time_s: FloatArray) -> FloatArray:
    """The profile's weight at each time since the scenario's start."""
    hours = ((time_s + profile.offset_s) // HOUR_S).astype(np.intp) % WEEK_HOURS
    return np.asarray(profile.weights)[hours]


class OperationalClock:
    """Operational time runs at the profile's weight: a process of constant rate in it follows the profile.

    Without a profile the two clocks agree.
    """

    __slots__ = ("_edges", "_offset_s", "_start", "_week", "_weights")

    def __init__(self, profile: Profile | None) -> None:
        self._weights = np.asarray((1.0,) * WEEK_HOURS if profile is None else profile.weights)
        self._edges = np.concatenate(([0.0], np.cumsum(self._weights * HOUR_S)))
        self._week = float(self._edges[-1])
        self._offset_s = 0.0 if profile is None else profile.offset_s % WEEK_S
        hour = int(self._offset_s // HOUR_S)
        self._start = float(self._edges[hour] + self._weights[hour] * (self._offset_s - hour * HOUR_S))

    def time_s(self, operational_s: FloatArray) -> FloatArray:
        """Seconds since the scenario's start at which the operational clock shows these (sorted stay sorted)."""
        reading = self._start + operational_s
        week = np.floor(reading / self._week)
        within = np.maximum(reading - week * self._week, 0.0)
        hour = np.minimum(self._edges.searchsorted(within, side="right") - 1, self._last_hour())
        # Never past the hour's end, however it rounds: the next hour's times must not come before it.
        past_hour_s = np.minimum((within - self._edges[hour]) / self._weights[hour], HOUR_S)
        since_monday_s = week * WEEK_S + hour * HOUR_S + past_hour_s
        times: FloatArray = np.maximum(since_monday_s - self._offset_s, 0.0)
        return times

    def _last_hour(self) -> int:
        """The last hour of the week in which the clock moves."""
        return int(np.flatnonzero(self._weights)[-1])
