"""What `des fit` prints: a block for each service, the pairs, and cautions; at most 80 columns wide."""

import math
from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Final

from des.faults.calibration import Calibration, FittedTimes, Overlap, Seasonality, ServiceCalibration, Trend
from des.faults.calibration.cautions import counted, date, p_text
from des.faults.calibration.fitted import LEAST_TIMES
from des.faults.calibration.fragment import LEAST_INCIDENTS
from des.report.figures import NOTHING, significant
from des.scenario.text.units import YEAR_S

WIDTH: Final = 80
_DAY_NAMES: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_HOURS_A_CLASS: Final = 3
_MOST_PAIRS: Final = 45
_PARAMETERS_WIDTH: Final = 41
_MOST_GROWTH: Final = 100.0
"""A yearly factor above which only the two rates are printed."""


def lines(calibration: Calibration, cautions: Sequence[str], source: str) -> Iterator[str]:
    """Every line, without the part of a scenario."""
    total = sum(service.incidents for service in calibration.services)
    services = counted(len(calibration.services), "services")
    yield from wrapped(f"{source}: {counted(total, 'incidents')} of {services}, times in UTC")
    for service in calibration.services:
        yield ""
        yield from _service(service)
    if calibration.overlaps:
        yield ""
        yield from _overlaps(calibration.overlaps)
    yield from beware(cautions)


def beware(cautions: Sequence[str]) -> Iterator[str]:
    """A list of the cautions, if there are any."""
    if cautions:
        yield ""
        yield "beware"
        for caution in cautions:
            yield from wrapped(caution, "- ", "  ")


def wrapped(text: str, first: str = "", rest: str = "") -> list[str]:
    return wrap(text, WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)


def _service(service: ServiceCalibration) -> Iterator[str]:
    yield service.name
    yield "─" * min(WIDTH, max(len(service.name), 40))
    if service.incidents < LEAST_INCIDENTS:
        yield from single(service)
        return
    window = f"{date(service.from_s)} to {date(service.until_s)}"
    yield f"  {counted(service.incidents, 'incidents')}, {window}{_rate(service)}"
    open_now = f"; {service.still_open} still open" if service.still_open else ""
    yield f"  open {percent(service.share_open)} of the time{open_now}"
    if service.error_rate is not None:
        yield f"  {percent(service.error_rate)} of calls failed meanwhile"
    yield from _times("start to start, days", service.between)
    yield from _times("time to repair, hours", service.repair)
    if service.trend:
        yield from _trend(service.trend)
    if service.seasonality:
        yield from _seasonality(service.seasonality)
    if service.severities:
        mix = ", ".join(
            f"{each.severity or 'none'}: {percent(each.share, 1)} (median {duration_text(each.median_duration_s)})"
            for each in service.severities
        )
        yield from wrapped(mix, "  severity  ", "            ")


def single(service: ServiceCalibration) -> Iterator[str]:
    if not service.incidents:
        yield "  no incident in this window"
        return
    lasted = "still open" if service.still_open else f"lasted {duration_text(service.until_s - service.from_s)}"
    if not service.still_open and service.repair.count:
        lasted = f"lasted {duration_text(service.repair.mean_s)}"
    yield f"  1 incident, {date(service.from_s)}, {lasted}: no rate can be estimated"


def _rate(service: ServiceCalibration) -> str:
    """Where incidents are few, from the times between them, with an interval. Their window would bias the rate."""
    if service.between.few:
        low, high = service.between.mean_interval_s
        figures = (figure(YEAR_S / moment_s) for moment_s in (service.between.mean_s, high, low))
        return ": about {} a year (95 %: {} to {})".format(*figures)
    return f": {figure(service.per_year)} a year" if math.isfinite(service.per_year) else ""


def _times(title: str, times: FittedTimes) -> Iterator[str]:
    counted = str(times.count) + (f", {times.dropped} of zero dropped" if times.dropped else "")
    if times.censored:
        counted += f", {times.censored} not over"
    seen = times.mean_s / times.unit_s
    if not times.distributions:
        yield f"  {title} ({counted}): no distribution" + (f", mean {figure(seen)}" if times.count else "")
        return
    yield f"  {f'{title} ({counted})':56}{'AIC':>9}{'mean':>11}"
    yield f"    {'seen':54}{'':>9}{figure(seen):>11}"
    shown = [fitted for fitted in times.distributions if not times.few or fitted.kind == "exponential"]
    for number, fitted in enumerate(shown):
        parameters = "  ".join(
            f"{name} {_parameter(value)} ±{_parameter(error)}"
            for (name, value), error in zip(fitted.named.items(), fitted.standard_errors, strict=True)
        )
        if len(parameters) > _PARAMETERS_WIDTH:
            parameters = "  ".join(f"{name} {value:.3g}" for name, value in fitted.named.items())
        better = f"{fitted.aic:.1f}" if number == 0 else f"+{fitted.aic - shown[0].aic:.1f}"
        mean = figure(fitted.distribution_s.mean / fitted.unit_s)
        yield f"    {fitted.kind:13}{parameters:{_PARAMETERS_WIDTH}}{better:>9}{mean:>11}"
    if times.few:
        low, high = (figure(moment_s / times.unit_s) for moment_s in times.mean_interval_s)
        few = f"fewer than {LEAST_TIMES}, too few to tell distributions apart; mean {low} to {high} (95 %)"
        yield from wrapped(few, "    ", "    ")


def _trend(found: Trend) -> Iterator[str]:
    years = ", ".join(f"{year}: {figure(rate)}" for year, rate in found.by_year)
    yield from wrapped(f"a year in {years}", "  trend     ", "            ")
    yield from wrapped(
        f"first half {figure(found.before_per_year)}, second {figure(found.after_per_year)}"
        f"{_growth(found.growth_per_year)}; p {p_text(found.laplace_p)} (Laplace), "
        f"{p_text(found.p_value)} (allowing for bursts)",
        "            ",
        "            ",
    )


def _growth(factor: float) -> str:
    if math.isnan(factor):
        return ""
    return f"; x {figure(factor)} every year" if 1 / _MOST_GROWTH < factor < _MOST_GROWTH else ""


def _seasonality(found: Seasonality) -> Iterator[str]:
    yield f"  {'week':10}{'starts':>28}{'times as often':>17}{'times as long open':>21}"
    for each in found.classes:
        yield f"    {each.name:24}{each.starts:>12}{each.start_factor:>17.2f}{each.open_factor:>21.2f}"
    days = " ".join(f"{day} {factor:.2f}" for day, factor in zip(_DAY_NAMES, found.start_factor_by_day, strict=True))
    yield f"    starts  {days}"
    days = " ".join(f"{day} {factor:.2f}" for day, factor in zip(_DAY_NAMES, found.open_factor_by_day, strict=True))
    yield f"    open    {days}"
    blocks = range(0, 24, _HOURS_A_CLASS)
    yield "    hour    " + " ".join(f"{f'{hour}-{hour + _HOURS_A_CLASS}':>6}" for hour in blocks)
    for label, factors in (("starts", found.start_factor_by_hour), ("open", found.open_factor_by_hour)):
        means = (sum(factors[hour : hour + _HOURS_A_CLASS]) / _HOURS_A_CLASS for hour in blocks)
        yield f"    {label:8}" + " ".join(f"{mean:6.2f}" for mean in means)
    days_model = {"flat": "no days", "weekend": "weekends apart", "seven": "every day apart"}[found.profile.days_model]
    waves = found.profile.harmonics
    hours = {0: "no hours", 1: "one wave a day"}.get(waves, f"{waves} waves a day")
    yield from wrapped(
        f"profile: {'flat' if found.profile.flat else f'{days_model}, {hours}'}; starts differ by day p "
        f"{p_text(found.day_p_value)}, by hour p {p_text(found.hour_p_value)} (bursts allowed for: x "
        f"{found.dispersion:.2f})",
        "    ",
        "    ",
    )


def _overlaps(pairs: Sequence[Overlap]) -> Iterator[str]:
    yield "open together, against independence"
    yield "─" * WIDTH
    yield f"{'':41}{'times':>8}{'times':>9}{'':>7}{'p':>7}{'common':>8}"
    yield f"{'pair':34}{'weeks':>7}{'product':>8}{'shifted':>9}{'p':>7}{'Holm':>7}{'starts':>8}"
    shown = sorted(pairs, key=lambda pair: (math.isnan(pair.p_value), pair.p_value, -_or_zero(pair.ratio_to_product)))
    for pair in shown[:_MOST_PAIRS]:
        figures = (
            f"{pair.weeks:>7}{_ratio(pair.ratio_to_product):>8}{_ratio(pair.ratio_to_shifts):>9}"
            f"{p_text(pair.p_value):>7}{p_text(pair.p_adjusted):>7}{percent(pair.common_start_share, 0):>8}"
        )
        names = f"{pair.first}, {pair.second}"
        if len(names) > 33:
            yield names
            names = ""
        yield f"{names:34}{figures}"
    if len(shown) > _MOST_PAIRS:
        yield f"({len(shown) - _MOST_PAIRS} pairs more: --json)"
    yield from wrapped(
        "times product: time with both open, relative to the product of the two shares of open time; times shifted: "
        "relative to the mean over whole-week shifts, which keep weekday and hour; p: share of shifts that overlap at "
        "least as much; common starts: starts of the service with fewer, within five minutes of the other's (by chance "
        f"{_chance(pairs)}).",
    )


def _chance(pairs: Sequence[Overlap]) -> str:
    shares = [
        pair.shifted_common_starts / min(pair.starts_first, pair.starts_second)
        for pair in pairs
        if min(pair.starts_first, pair.starts_second) and not math.isnan(pair.shifted_common_starts)
    ]
    return f"{percent(max(shares), 1)} at most" if shares else "not known"


def _or_zero(value: float) -> float:
    return 0.0 if math.isnan(value) else value


def _ratio(value: float) -> str:
    return NOTHING if math.isnan(value) else f"{value:.2f}"


def figure(value: float) -> str:
    if not math.isfinite(value):
        return NOTHING
    return f"{value:.2e}" if abs(value) >= 1e9 else f"{value:,.{significant(value)}f}"


def _parameter(value: float) -> str:
    """Three decimals, as in published histories, unless the parameter is known less precisely."""
    if math.isnan(value):
        return NOTHING
    if abs(value) >= 1e6:
        return f"{value:.3g}"
    return f"{value:.{3 if abs(value) < 100.0 else significant(value, 5)}f}"


def percent(value: float, decimals: int | None = None) -> str:
    if not math.isfinite(value):
        return NOTHING
    return f"{100.0 * value:.{significant(100.0 * value) if decimals is None else decimals}f} %"


def duration_text(duration_s: float) -> str:
    return f"{figure(duration_s / 60)} min" if duration_s < 3600 else f"{figure(duration_s / 3600)} h"
