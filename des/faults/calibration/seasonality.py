"""By weekday and hour: how much more often incidents start, and how much more of the time they are open."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from des.faults.calibration.service_history import ServiceHistory
from des.faults.intervals import BoolArray, FloatArray
from des.scenario.text.units import DAY_S, HOUR_S, MINUTE_S, WEEK_S

_HOURS: Final = 24
_DAYS: Final = 7
_CELLS: Final = _HOURS * _DAYS
_FIRST_MONDAY_S: Final = 4 * DAY_S
"""1970-01-05 00:00 UTC."""
_MOST_HARMONICS: Final = 3
_LEAST_STARTS: Final = 10
_SATURDAY: Final = 5


@dataclass(frozen=True, slots=True)
class TimeOfWeek:
    """A class of hours, with factors relative to the mean of the whole week."""

    name: str
    starts: int
    start_factor: float
    open_factor: float


@dataclass(frozen=True, slots=True)
class Seasonality:
    """A factor of 1 is the mean of the whole week. Times are UTC, weeks begin on Monday."""

    starts_by_day: tuple[int, ...]
    start_factor_by_day: tuple[float, ...]
    start_factor_by_hour: tuple[float, ...]
    open_factor_by_day: tuple[float, ...]
    open_factor_by_hour: tuple[float, ...]
    classes: tuple[TimeOfWeek, ...]
    dispersion: float
    """Variance over mean of the weekly number of incidents, 1 for a Poisson process. The tests divide by it."""
    day_p_value: float
    hour_p_value: float
    profile: "WeekProfile"


@dataclass(frozen=True, slots=True)
class WeekProfile:
    """The rate of starts by time of week, as smooth as the data allow: hours x days, each with mean 1.

    `days_model` is flat, weekend or seven; `harmonics` is the number of sine waves over the day. The quasi-AIC chooses.
    """

    hours: tuple[float, ...]
    days: tuple[float, ...]
    days_model: str
    harmonics: int

    @property
    def flat(self) -> bool:
        return self.days_model == "flat" and self.harmonics == 0


def seasonality(history: ServiceHistory) -> Seasonality | None:
    """None for fewer than ten starts or less than two weeks."""
    starts = history.starts_s
    if len(starts) < _LEAST_STARTS or history.until_s - history.from_s < 2 * WEEK_S:
        return None
    minutes = history.open_minutes(history.from_s, history.until_s)
    cell_of_minute = _cells(history.from_s + MINUTE_S * np.arange(len(minutes), dtype=np.float64))
    exposure = np.bincount(cell_of_minute, minlength=_CELLS).astype(np.float64) * MINUTE_S
    is_open = np.bincount(cell_of_minute[minutes], minlength=_CELLS).astype(np.float64)
    begun = np.bincount(_cells(starts), minlength=_CELLS).astype(np.float64)
    dispersion = _dispersion(history)
    day_p, hour_p, profile = _profile(begun, exposure, dispersion)
    by_day, by_hour = _groups(np.arange(_CELLS) // _HOURS, _DAYS), _groups(np.arange(_CELLS) % _HOURS, _HOURS)
    return Seasonality(
        starts_by_day=tuple(int(begun[group].sum()) for group in by_day),
        start_factor_by_day=tuple(_factor(begun, exposure, group) for group in by_day),
        start_factor_by_hour=tuple(_factor(begun, exposure, group) for group in by_hour),
        open_factor_by_day=tuple(_factor(is_open, exposure, group) for group in by_day),
        open_factor_by_hour=tuple(_factor(is_open, exposure, group) for group in by_hour),
        classes=tuple(
            TimeOfWeek(
                name, int(begun[group].sum()), _factor(begun, exposure, group), _factor(is_open, exposure, group)
            )
            for name, group in _classes()
        ),
        dispersion=dispersion,
        day_p_value=day_p,
        hour_p_value=hour_p,
        profile=profile,
    )


def _classes() -> tuple[tuple[str, BoolArray], ...]:
    """The classes are fixed beforehand: hours picked because they are the busiest would look busy in any history."""
    day, hour = np.arange(_CELLS) // _HOURS, np.arange(_CELLS) % _HOURS
    busy = (day < _SATURDAY) & (hour >= 14) & (hour < 22)
    return (
        ("Mon-Fri 14-22", busy),
        ("Mon-Fri other hours", (day < _SATURDAY) & ~busy),
        ("Sat and Sun", day >= _SATURDAY),
    )


def _groups(labels: NDArray[np.int64], count: int) -> list[BoolArray]:
    return [labels == label for label in range(count)]


def _cells(moments_s: FloatArray) -> NDArray[np.int64]:
    """The hour of the week, 0 for Monday 00:00."""
    return np.asarray(np.floor_divide(np.mod(moments_s - _FIRST_MONDAY_S, WEEK_S), HOUR_S), dtype=np.int64)


def _factor(amount: FloatArray, exposure: FloatArray, group: BoolArray) -> float:
    """The rate inside a group over the rate of the whole week; 1 where there are no events or no exposure."""
    total, seen = float(amount.sum()), float(exposure[group].sum())
    return float(amount[group].sum()) / seen / (total / float(exposure.sum())) if total and seen else 1.0


def _dispersion(history: ServiceHistory) -> float:
    """From differences of neighbouring weeks, which slow growth hardly affects; at least 1."""
    weeks = int((history.until_s - history.from_s) // WEEK_S)
    edges = history.from_s + WEEK_S * np.arange(weeks + 1)
    counts = np.diff(np.searchsorted(history.starts_s, edges))
    if weeks < 3 or not counts.any():
        return 1.0
    return max(1.0, float((np.diff(counts) ** 2).mean() / 2.0 / counts.mean()))


def _profile(begun: FloatArray, exposure: FloatArray, dispersion: float) -> tuple[float, float, WeekProfile]:
    """(p-value of equal days, p-value of equal hours, the profile).

    Starts are counts of a log-linear model in hour of day and day, whose deviance is divided by the dispersion. Half an
    incident spread over the week keeps days without any from a rate of zero.
    """
    from scipy import special

    counts = begun + 0.5 / _CELLS
    fits = {
        (days, harmonics): _fit(counts, exposure, _design(days, harmonics))
        for days in ("flat", "weekend", "seven")
        for harmonics in range(_MOST_HARMONICS + 1)
    }
    flat = fits["flat", 0][0]
    size = {"flat": 0, "weekend": 1, "seven": 6}

    def penalised(choice: tuple[str, int]) -> float:
        days, harmonics = choice
        return -2.0 * fits[choice][0] / dispersion + 2.0 * (size[days] + 2 * harmonics)

    def p_value(choice: tuple[str, int], parameters: int) -> float:
        return float(special.chdtrc(parameters, max(0.0, 2.0 * (fits[choice][0] - flat) / dispersion)))

    days_model, harmonics = min(fits, key=penalised)
    log_rate = fits[days_model, harmonics][1].reshape(_DAYS, _HOURS)
    day_rates, hour_rates = np.exp(log_rate - log_rate.mean()).mean(axis=1), np.exp(log_rate[0] - log_rate[0].mean())
    profile = WeekProfile(
        hours=_mean_one(hour_rates), days=_mean_one(day_rates), days_model=days_model, harmonics=harmonics
    )
    return p_value(("seven", 0), 6), p_value(("flat", 1), 2), profile


def _mean_one(rates: FloatArray) -> tuple[float, ...]:
    return tuple((rates / rates.mean()).tolist())


def _design(days: str, harmonics: int) -> FloatArray:
    day, hour = np.arange(_CELLS) // _HOURS, np.arange(_CELLS) % _HOURS
    columns = [np.ones(_CELLS)]
    if days == "weekend":
        columns.append((day >= _SATURDAY).astype(np.float64))
    if days == "seven":
        columns += [(day == each).astype(np.float64) for each in range(1, _DAYS)]
    for wave in range(1, harmonics + 1):
        angle = 2.0 * math.pi * wave * (hour + 0.5) / _HOURS
        columns += [np.sin(angle), np.cos(angle)]
    return np.column_stack(columns)


def _fit(counts: FloatArray, exposure: FloatArray, design: FloatArray) -> tuple[float, FloatArray]:
    """(log-likelihood, log rate of each cell) of a Poisson regression, by iteratively reweighted least squares."""
    seen = exposure > 0.0
    rows, count, offset = design[seen], counts[seen], np.log(exposure[seen])
    coefficients = np.zeros(design.shape[1])
    coefficients[0] = math.log(count.sum() / exposure.sum())
    for _ in range(100):
        expected = np.exp(np.clip(rows @ coefficients + offset, -50.0, 50.0))
        step = np.linalg.lstsq(rows.T @ (rows * expected[:, None]), rows.T @ (count - expected), rcond=None)[0]
        coefficients += np.clip(step, -2.0, 2.0)  # the first step may be far too long
        if np.abs(step).max() < 1e-10:
            break
    log_expected = rows @ coefficients + offset
    return float((count * log_expected - np.exp(log_expected)).sum()), design @ coefficients
