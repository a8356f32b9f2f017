"""What a history means, in a few lines for each service; `fit_tables` has the rest."""

import math
from collections.abc import Iterator, Sequence
from typing import Final

from des.faults.calibration import Calibration, Overlap, ServiceCalibration
from des.faults.calibration.cautions import SIGNIFICANT, counted, date, p_text
from des.faults.calibration.fragment import LEAST_INCIDENTS
from des.report.fit_tables import beware, duration_text, figure, percent, single, wrapped
from des.report.lines import others
from des.scenario.text.units import DAY_S

_MOST_TOGETHER: Final = 5


def lines(calibration: Calibration, cautions: Sequence[str], source: str) -> Iterator[str]:
    """How often, how long, what share of the time, and together with whom; then the cautions."""
    total = sum(service.incidents for service in calibration.services)
    services = counted(len(calibration.services), "services")
    yield from wrapped(f"{source}: {counted(total, 'incidents')} of {services}, times in UTC")
    for service in calibration.services:
        yield ""
        yield service.name
        yield from _service(service)
        yield from _together(service.name, calibration.overlaps)
    yield ""
    yield from wrapped("--all prints the fitted distributions, the trend, the week and all pairs of services.")
    yield from beware(cautions)


def _service(service: ServiceCalibration) -> Iterator[str]:
    if service.incidents < LEAST_INCIDENTS:
        yield from single(service)
        return
    every = f", one every {figure(service.between.mean_s / DAY_S)} days" if service.between.count else ""
    window = f"{date(service.from_s)} to {date(service.until_s)}"
    yield f"  how often  {counted(service.incidents, 'incidents')}, {window}{every}"
    median, mean = duration_text(service.repair.median_s), duration_text(service.repair.mean_s)
    yield f"  how long   half are over within {median}, {mean} on average"
    yield f"  share      open {percent(service.share_open)} of the time"
    mix = ", ".join(f"{each.severity or 'none'} {percent(each.share, 0)}" for each in service.severities)
    if mix:
        yield from wrapped(mix, "  severity   ", "             ")


def _together(name: str, overlaps: Sequence[Overlap]) -> Iterator[str]:
    """The services that are open with it more than by chance, the most first."""
    pairs = [pair for pair in overlaps if name in (pair.first, pair.second) and not math.isnan(pair.p_value)]
    if not pairs:
        return
    telling = [pair for pair in pairs if pair.p_adjusted < SIGNIFICANT and pair.ratio_to_shifts > 1.0]
    if not telling:
        yield "  together   with none of the others more than by chance"
        return
    for pair in sorted(telling, key=lambda each: -each.ratio_to_shifts)[:_MOST_TOGETHER]:
        other = pair.second if pair.first == name else pair.first
        often = f"{other}: {figure(pair.ratio_to_shifts)} times as long as by chance (p {p_text(pair.p_adjusted)})"
        yield from wrapped(often, "  together   with ", "             ")
    if len(telling) > _MOST_TOGETHER:
        yield f"             and {others(len(telling) - _MOST_TOGETHER)}"


def instead_of(keys: Sequence[str]) -> str:
    """`, instead of its availability and episodes_per_year`."""
    return f", instead of its {' and '.join((', '.join(keys[:-1]), keys[-1])) if keys[1:] else keys[0]}" if keys else ""
