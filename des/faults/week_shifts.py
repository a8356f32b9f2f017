"""Recorded incidents made independent: every endpoint suffers the same weeks, but in another order.

All windows that an endpoint suffers are cut to the whole weeks of the horizon and turned round their circle together,
each endpoint by another number of weeks. So each keeps its own history, hour of the week by hour of the week, and only
what coincided is pulled apart. What is left of the horizon after its whole weeks goes on round the circle.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from des.draws import generator
from des.errors import DesError
from des.faults.intervals import Intervals
from des.scenario.plan import Plan, RecordedIncidents
from des.scenario.text.units import DAY_S, WEEK_S


@dataclass(frozen=True, slots=True)
class WeekShifts:
    """How far round the circle of `weeks` whole weeks each endpoint's windows are turned."""

    weeks: int
    horizon_s: float
    turned: Mapping[int, int]  # endpoint -> weeks, all different; every endpoint with recorded incidents

    def windows(
        self, incidents: RecordedIncidents, endpoint: int, until_s: float
    ) -> tuple[Intervals, NDArray[np.int64]]:
        """The endpoint's windows that start before `until_s` and the horizon, by start, and each one's position.

        A window turned across the end of the circle stands at both ends: from before 0, and past the last week.
        """
        circle_s = self.weeks * WEEK_S
        start_s = np.maximum(np.asarray(incidents.start_s, dtype=np.float64), 0.0)
        end_s = np.minimum(np.asarray(incidents.end_s, dtype=np.float64), circle_s)
        place = np.flatnonzero(end_s > start_s)
        offset_s = self.turned[endpoint] * WEEK_S + np.array([-circle_s, 0.0, circle_s])[:, None]
        starts, ends = (start_s[place] + offset_s).ravel(), (end_s[place] + offset_s).ravel()
        places = np.tile(place, len(offset_s)).astype(np.int64)
        order = np.argsort(starts, kind="stable")
        order = order[(ends[order] > 0.0) & (starts[order] < min(until_s, self.horizon_s))]
        return Intervals(starts[order], ends[order]), places[order]


def week_shifts(plan: Plan, replication: int, endpoints: Mapping[int, str]) -> WeekShifts:
    """Shifts for the `endpoints` (index -> name) that have recorded incidents.

    By name, the first stays and the second is turned by 1, 2, ... weeks in successive replications, through every
    relative shift but none; any further ones go to weeks left over, drawn at random. Raises DesError where the horizon
    has too few whole weeks to set them apart.
    """
    weeks = whole_weeks(plan, len(endpoints))
    second = 1 + replication % (weeks - 1)
    left = np.array([week for week in range(1, weeks) if week != second], dtype=np.int64)
    further = generator(plan.seed, replication, "week shifts").permutation(left).tolist()
    by_name = sorted(endpoints, key=endpoints.__getitem__)
    return WeekShifts(weeks, plan.horizon_s, dict(zip(by_name, [0, second, *further], strict=False)))


def whole_weeks(plan: Plan, endpoints: int) -> int:
    """Whole weeks of the horizon, at least one for each of `endpoints` to be set apart: else DesError."""
    weeks = math.floor(plan.horizon_s / WEEK_S)
    if weeks < endpoints:
        raise DesError(
            f"shared: {plan.shared:g} cannot be drawn: recorded incidents (schedule, replay) reach {endpoints} "
            "endpoints, which are made independent by shifting each one's by other whole weeks, and the horizon of "
            f"{plan.horizon_s / DAY_S:g} days has {weeks} whole weeks; give it at least {endpoints} weeks"
        )
    return weeks
