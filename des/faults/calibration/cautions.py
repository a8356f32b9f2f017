"""Cautions: where a history says too little, or its figures mislead."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from des.faults.calibration.calibrate import Calibration, ServiceCalibration
from des.faults.calibration.fitted import LEAST_TIMES, FittedDistribution, FittedTimes
from des.faults.calibration.overlap import Overlap
from des.scenario.text.units import DAY_S, HOUR_S

BETWEEN: Final = "times between incidents"
REPAIR: Final = "times to repair"
_OPTIONS: Final = {BETWEEN: "--between", REPAIR: "--repair"}
UNITS: Final = {HOUR_S: "h", DAY_S: "d"}
FEW: Final = 20
SIGNIFICANT: Final = 0.05
_FAR: Final = 1.15
"""A caution is due where the fitted mean and the observed one differ by at least this factor."""
_MOST_TOLD: Final = 1e6
_MANY_WITHOUT_LENGTH: Final = 0.1
_FEW_EPISODES: Final = 5
_ALIKE: Final = 0.05
"""Largest difference of the logarithms of two means that count as equal."""
_STEEP: Final = 1.5
"""Least factor between rates for a caution where only Laplace's test is significant."""


def cautions(
    calibration: Calibration, between: str | None = None, repair: str | None = None, *, one_class: bool = True
) -> tuple[str, ...]:
    """One sentence each, with the remedy where there is one. `between` and `repair` are the kinds chosen.

    Unless it is written as `one_class`, nothing is said of the distributions of all incidents of a service together.
    """
    of_services = (
        text for service in calibration.services for text in _of_service(service, between, repair, one_class)
    )
    return (*of_services, *_of_overlaps(calibration.overlaps))


def date(moment_s: float) -> str:
    return datetime.fromtimestamp(moment_s, UTC).strftime("%Y-%m-%d")


def _of_service(service: ServiceCalibration, between: str | None, repair: str | None, one_class: bool) -> Iterator[str]:
    name = service.name
    if service.incidents <= 1:
        yield (
            f"{name}: {'only one incident' if service.incidents else 'no incident in this window'}: no rate can be "
            "estimated; it is left out of the scenario"
        )
        return
    if one_class:
        yield from (f"{name}: {text}" for text in _of_distributions(service, between, repair))
        yield from _of_lengths(service)
    yield from _of_censored(service)
    yield from _of_trend(service)
    if service.seasonality is None:
        yield f"{name}: too few incidents to compare weekdays or hours (at least 10 over two weeks are needed)"


def _of_distributions(service: ServiceCalibration, between: str | None, repair: str | None) -> Iterator[str]:
    if service.incidents < FEW:
        yield (
            f"only {service.incidents} incidents: every parameter is uncertain (see its standard error), and "
            "the choice of the best distribution is almost random"
        )
    told = (of_fit(service.between, BETWEEN, between), of_fit(service.repair, REPAIR, repair))
    yield from (text for text in told if text)


def of_fit(times: FittedTimes, what: str, kind: str | None) -> str | None:
    """The caution about the distribution that the scenario takes for these times; None where there is none."""
    if not times.ended:
        return f"no completed {what} above zero: no distribution"
    fitted = times.fitted(kind)
    if times.few and fitted is not None:
        only = f"only {counted(times.ended, what)}, fewer than the {LEAST_TIMES} needed to choose a distribution"
        unit = UNITS[times.unit_s]
        low, mean, high = (
            digits(moment_s / times.unit_s)
            for moment_s in (times.mean_interval_s[0], fitted.distribution_s.mean, times.mean_interval_s[1])
        )
        if kind is None or fitted.kind == "exponential":
            return f"{only}: the scenario has an exponential of their mean, {mean} {unit} (95 %: {low} to {high})"
        return f"{only}: the {fitted.kind} asked for is almost a guess; its mean is {_against_seen(fitted, times)}"
    if fitted is None:
        return f"all {what} are equal: a constant, not a distribution (were they measured or filled in?)"
    ratio = fitted.distribution_s.mean / times.mean_s
    if times.censored or not strays(ratio, 1.0):
        return None
    alike = (one for one in times.distributions if abs(math.log(one.distribution_s.mean / times.mean_s)) < _ALIKE)
    near = next(alike, None)
    other = f"; {_OPTIONS[what]} {near.kind} does (AIC +{near.aic - times.distributions[0].aic:.1f})" if near else ""
    mean = f"{ratio:.2f} times the observed mean"
    return f"the {fitted.kind} of the {what} has {mean}, so a simulation will not reproduce it{other}"


def strays(mean: float, other: float) -> bool:
    """Whether a caution is due about two means that should be the same."""
    return not 1.0 / _FAR <= mean / other <= _FAR


def _against_seen(fitted: FittedDistribution, times: FittedTimes) -> str:
    ratio = fitted.distribution_s.mean / times.mean_s
    return (
        f"{ratio:.3g} times the observed one"
        if ratio < _MOST_TOLD
        else f"more than {_MOST_TOLD:,.0f} times the observed one"
    )


def digits(value: float) -> str:
    """Three significant digits."""
    return f"{value:.3g}" if value < 1000.0 else f"{value:,.0f}"


def counted(number: int, plural: str) -> str:
    """`1 time to repair`, `3 times to repair`."""
    first, space, rest = plural.partition(" ")
    return f"{number} {plural if number != 1 else first.removesuffix('s') + space + rest}"


def _of_lengths(service: ServiceCalibration) -> Iterator[str]:
    if service.repair.dropped > service.incidents * _MANY_WITHOUT_LENGTH:
        lasting = service.incidents - service.repair.dropped
        more = f"has {service.incidents / lasting:.2g} times as many" if lasting else "cannot be written"
        yield (
            f"{service.name}: {service.repair.dropped} of {service.incidents} incidents have zero length; they count "
            f"for the times between, not for durations. In a simulation all have a length, so it {more}"
        )


def _of_censored(service: ServiceCalibration) -> Iterator[str]:
    if service.repair.censored:
        yield (
            f"{service.name}: {service.repair.censored} still open: the fits use their duration so far "
            "(right-censored), but the means shown do not include them"
        )


def _of_trend(service: ServiceCalibration) -> Iterator[str]:
    found = service.trend
    if found is None:
        yield f"{service.name}: too few incidents for a test of growth"
        return
    low, high = sorted((found.before_change_per_year, found.after_change_per_year))
    if found.p_value < SIGNIFICANT:
        moved = "the rate changed"
    elif found.laplace_p < SIGNIFICANT and low * _STEEP < high and service.incidents >= FEW:
        moved = "the rate may have changed"
    else:
        return
    yield (
        f"{service.name}: {moved} (Laplace p {p_text(found.laplace_p)}, allowing for bursts "
        f"{p_text(found.p_value)}), most likely about {date(found.changed_s)}, from "
        f"{found.before_change_per_year:.3g} to {found.after_change_per_year:.3g} a year: one distribution "
        f"for the whole time takes the change for clustering; --since {date(found.changed_s)} fits the later part"
    )


def _of_overlaps(pairs: tuple[Overlap, ...]) -> Iterator[str]:
    known = [pair for pair in pairs if not math.isnan(pair.p_value)]
    for pair in pairs:
        names = f"{pair.first} and {pair.second}"
        if pair.weeks < 2:
            yield f"{names}: only one common week: nothing to shift, no p-value"
        elif math.isnan(pair.p_value):
            yield f"{names}: one of them is never open in their common weeks: nothing to compare"
        elif 1.0 / (1 + pair.shifts) > SIGNIFICANT:
            yield f"{names}: with {pair.shifts} shifts no p-value can be below {1.0 / (1 + pair.shifts):.2g}"
    few = [pair for pair in known if pair.episodes < _FEW_EPISODES]
    if few:
        listed = ", ".join(f"{pair.first} and {pair.second} ({pair.episodes})" for pair in few[:4])
        more = f", and {len(few) - 4} pairs more" if len(few) > 4 else ""
        yield f"open together fewer than {_FEW_EPISODES} times, so their ratio is uncertain: {listed}{more}"
    if len(known) > 1:
        least = len(known) / (1 + max(pair.shifts for pair in known))
        if least > SIGNIFICANT:
            yield (
                f"{len(known)} comparisons with these numbers of weeks: no adjusted p-value can be below "
                f"{min(least, 1.0):.2g}; select the relevant services with --service"
            )


def p_text(p_value: float) -> str:
    """Three decimals, without the leading zero."""
    if math.isnan(p_value):
        return "-"
    if p_value < 0.0005:
        return "<.001"
    return f"{p_value:.3f}".lstrip("0")
