"""A history as classes of incidents for one provider: one for each severity, with its own rate, length and effect."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from des.faults.calibration.calibrate import ServiceCalibration, calibrate_service
from des.faults.calibration.cautions import BETWEEN, FEW, REPAIR, UNITS, counted, date, digits, of_fit, strays
from des.faults.calibration.fitted import FittedTimes, rate_interval
from des.faults.calibration.fragment import LEAST_INCIDENTS, distribution_text, number_text, profile_lines
from des.faults.calibration.seasonality import WeekProfile
from des.faults.calibration.service_history import ServiceHistory
from des.scenario.text.units import DAY_S, YEAR_S
from des.words import printable

ASSUMED_ERROR_RATES: Final = {
    "minor": "5%",
    "major": "30%",
    "critical": "100%",
    "0": "1%",
    "1": "5%",
    "2": "12%",
    "3": "30%",
    "4": "60%",
}
"""Shares of calls that fail while an incident is open, by its severity. Assumed: status pages do not say it."""
_WORST: Final = "100%"


@dataclass(frozen=True, slots=True)
class SeverityClasses:
    """The lines of `incidents:`, without indentation, and remarks on what they rest on, leave out or assume."""

    lines: tuple[str, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Class:
    """The incidents of one severity. `per_year` is their share of the rate of all, without those of zero length."""

    name: str
    found: ServiceCalibration
    per_year: float
    per_year_interval: tuple[float, float]

    @property
    def called(self) -> str:
        return f"severity {self.name}" if self.name else "no severity"

    def rare(self, between: str | None) -> bool:
        """Whether the times between tell no distribution, so that only the rate counts."""
        fitted = self.found.between.fitted(between)
        return fitted is None or (self.found.between.few and fitted.kind == "exponential")

    def by_rate(self, profile: WeekProfile | None, between: str | None) -> bool:
        """Whether it is written by its rate alone."""
        return (profile is not None and between is None) or self.rare(between)


def severity_classes(
    history: ServiceHistory,
    source: str,
    error_rates: Mapping[str, str],
    between: str | None = None,
    repair: str | None = None,
    *,
    dated: bool = True,
) -> SeverityClasses:
    """A class for each severity of the history, or one where no severity is recorded.

    Where the starts differ by weekday or hour it is a `poisson` with their profile, unless `between` asks for times
    between; else a `marked_renewal`. If times are seconds of no date (not `dated`), no hour is known. `error_rates` are
    written by the author, by severity; others are those of the history, else assumed. Severities without any length
    are left out. Without any class, `lines` is empty.
    """
    whole = calibrate_service(history)
    if whole.incidents < LEAST_INCIDENTS or not whole.between.ended:
        few = f"{history.name}: too few for a rate ({counted(whole.incidents, 'incidents')})"
        return SeverityClasses((), (few,))
    profile = _profile(history, whole, dated)
    classes = list(_classes(history, whole.incidents))
    chosen = [each for each in classes if distribution_text(each.found.repair, repair) is not None]
    lines = [
        line for each in chosen for line in _lines(each, error_rates, None if between else profile, (between, repair))
    ]
    remarks = [
        f"{each.called}: left out, none of its incidents ended after some time"
        for each in classes
        if each not in chosen
    ]
    remarks += [text for each in chosen for text in _remarks(each, profile, between, repair)]
    if chosen:
        remarks += _of_all(history.name, chosen, profile, between)
    if any("# assumed" in line for line in lines):
        remarks.append("error rates are assumed: a history of open incidents does not say how many calls failed")
    if not lines:
        return SeverityClasses((), tuple(remarks))
    window = f"{history.name}, {date(history.from_s)} to {date(history.until_s)}"
    heading = _comment(f"Fitted to {source} ({window}) by maximum likelihood with location 0.")
    return SeverityClasses(("incidents:", *(f"  {line}" for line in (heading, *lines))), tuple(remarks))


def _profile(history: ServiceHistory, whole: ServiceCalibration, dated: bool) -> WeekProfile | None:
    """By weekday and hour, where the history records them and its starts differ by them."""
    timed = dated and bool(np.mod(history.starts_s, DAY_S).any())
    found = whole.seasonality.profile if whole.seasonality and timed else None
    return found if found is not None and not found.flat else None


def _classes(history: ServiceHistory, of_all: int) -> Iterator[_Class]:
    """The rate of all is that between the first start and the last: their window begins with an incident."""
    starts_s = history.starts_s
    span_years = float(starts_s[-1] - starts_s[0]) / YEAR_S * of_all / (of_all - 1)
    names = np.array(history.severity, dtype=object)
    for name in sorted(set(names[history.inside].tolist())):
        found = calibrate_service(_only(history, names == name))
        lasting = found.repair.count
        yield _Class(name, found, lasting / span_years, rate_interval(lasting, span_years))


def _only(history: ServiceHistory, some: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> ServiceHistory:
    chosen = np.flatnonzero(some)
    return replace(
        history,
        start_s=history.start_s[chosen],
        end_s=history.end_s[chosen],
        severity=tuple(history.severity[index] for index in chosen),
        incident_id=tuple(history.incident_id[index] for index in chosen),
        error_rate=None if history.error_rate is None else history.error_rate[chosen],
    )


def _lines(
    each: _Class, error_rates: Mapping[str, str], profile: WeekProfile | None, kinds: tuple[str | None, str | None]
) -> Iterator[str]:
    between, repair = kinds
    noted = _comment(f"{each.called}: {counted(each.found.incidents, 'incidents')}")
    if profile is not None:
        yield f"- kind: poisson  {noted}"
        yield f"  rate: {number_text(each.per_year)}/y"
        yield from (f"  {line}" for line in profile_lines(profile))
    else:
        yield f"- kind: marked_renewal  {noted}"
        mean_d = number_text(YEAR_S / DAY_S / each.per_year)
        rare = f"{{kind: exponential, mean: {mean_d}d}}"
        yield f"  between: {rare if each.rare(between) else distribution_text(each.found.between, between) or rare}"
    yield f"  duration: {distribution_text(each.found.repair, repair)}"
    yield f"  error_rate: {_error_rate(each.name, each.found, error_rates)}"


def _remarks(each: _Class, profile: WeekProfile | None, between: str | None, repair: str | None) -> Iterator[str]:
    """What this class rests on, where that is little, and where its distributions are not what was seen."""
    found = each.found
    few = [_lasting(found.repair)] if found.repair.few and repair in (None, "exponential") else []
    by_rate = each.by_rate(profile, between)
    if by_rate and found.incidents < FEW:
        few.insert(0, f"{_rate(each)} a year")
    if few:
        yield f"{each.called}: only {counted(found.incidents, 'incidents')}: {', '.join(few)}"
    if not by_rate:
        fitted = found.between.distribution(between)
        mean_s = YEAR_S / each.per_year
        caution = of_fit(found.between, BETWEEN, between)
        if caution:
            yield f"{each.called}: {caution}"
        elif fitted is not None and strays(fitted.mean, mean_s):
            yield (
                f"{each.called}: its times between have the mean {digits(fitted.mean / DAY_S)} d, its share of all "
                f"incidents gives {digits(mean_s / DAY_S)} d (did they come in one part of the time?)"
            )
    if not (found.repair.few and repair in (None, "exponential")) and (told := of_fit(found.repair, REPAIR, repair)):
        yield f"{each.called}: {told}"


def _rate(each: _Class) -> str:
    low, high = each.per_year_interval
    return f"{digits(each.per_year)} (95 %: {digits(low)} to {digits(high)})"


def _lasting(times: FittedTimes) -> str:
    unit = UNITS[times.unit_s]
    fitted = times.fitted("exponential")
    mean_s = times.mean_s if fitted is None else fitted.distribution_s.mean
    if fitted is None or fitted.kind != "exponential":
        return f"all of {digits(mean_s / times.unit_s)} {unit}"
    low, high = (digits(moment_s / times.unit_s) for moment_s in times.mean_interval_s)
    return f"lasting an exponential of the mean {digits(mean_s / times.unit_s)} {unit} (95 %: {low} to {high})"


def _of_all(name: str, classes: Sequence[_Class], profile: WeekProfile | None, between: str | None) -> Iterator[str]:
    """What the classes have in common: where their rates come from, and the hours."""
    if len(classes) > 1 and any(each.by_rate(profile, between) for each in classes):
        total = digits(sum(each.per_year for each in classes))
        yield f"{name}: the rate of a severity is its share of all incidents, {total} a year from first to last start"
    if profile is None:
        return
    hour, day = (max(range(len(shares)), key=shares.__getitem__) for shares in (profile.hours, profile.days))
    most = [f"at {hour}:00 UTC {profile.hours[hour]:.1f} times as often"] if profile.harmonics else []
    most += [f"on {_DAYS[day]} {profile.days[day]:.1f} times as often"] if profile.days_model != "flat" else []
    told = f"{', '.join(most)} as on average"
    if between is None:
        yield (
            f"{name}: incidents start by time of week (profile: {told}) and independently of each other; --between "
            "KIND writes times between them instead, at any hour"
        )
    else:
        yield (
            f"{name}: --between leaves out the time of week ({told}): incidents come at any hour, so fewer requests "
            "are hit than were if most come at the same hours; without --between the profile is written"
        )


_DAYS: Final = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")


def _error_rate(name: str, found: ServiceCalibration, error_rates: Mapping[str, str]) -> str:
    if name in error_rates:
        return error_rates[name]
    if found.error_rate is not None:
        return f"{100.0 * found.error_rate:.4g}%"
    return f"{ASSUMED_ERROR_RATES.get(name.casefold(), _WORST)}  # assumed"


def _comment(text: str) -> str:
    """On one line, whatever the names in it contain."""
    return f"# {printable(' '.join(text.split()))}"


def unknown_severities(history: ServiceHistory, error_rates: Mapping[str, str]) -> Iterator[str]:
    """Severities with an error rate that the history does not have."""
    known = {history.severity[index] for index in np.flatnonzero(history.inside)}
    return (name for name in error_rates if name not in known)
