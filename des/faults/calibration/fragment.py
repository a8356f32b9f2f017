"""A calibration as YAML, to be pasted into a scenario."""

import math
import re
from collections.abc import Iterator
from textwrap import wrap

from des.faults.calibration.calibrate import Calibration, ServiceCalibration
from des.faults.calibration.cautions import (
    BETWEEN,
    FEW,
    REPAIR,
    SIGNIFICANT,
    UNITS,
    counted,
    date,
    of_fit,
    p_text,
)
from des.faults.calibration.fitted import FittedTimes
from des.faults.calibration.seasonality import WeekProfile

_WIDTH = 80
LEAST_INCIDENTS = 2


def fragment(calibration: Calibration, source: str, between: str | None = None, repair: str | None = None) -> str:
    """`components:`, each with a `marked_renewal`, and an arm with Poisson `profile`s where weekdays or hours differ.

    `between` and `repair` name the kind of distribution. Without them it is the one of the lowest AIC, or the
    exponential where times are few, as a comment then says. Services without enough data are named in a comment. The
    text is always a YAML mapping, possibly an empty one.
    """
    names = component_names(calibration)
    written = [service for service in calibration.services if _texts(service, between, repair) is not None]
    lines = [*_heading(calibration, source, names)]
    for service in calibration.services:
        if service not in written:
            lines += _comment(f"{service.name}: left out, {_too_little(service)}.")
    if not written:
        return "\n".join([*lines, "{}", ""])
    lines += ["components:"]
    for service in written:
        lines += _component(service, names[service.name], between, repair)
    seasonal = [service for service in written if service.seasonality and not service.seasonality.profile.flat]
    if seasonal:
        lines += _comment("The same rates and durations, by the observed hours and days; without clustering.")
        lines += ["arms:", "  as_modelled: {}", "  by_time_of_week:"]
        for service in seasonal:
            lines += _arm(service, names[service.name], repair)
    return "\n".join([*lines, ""])


def component_names(calibration: Calibration) -> dict[str, str]:
    """A unique component name for each service, of lower case letters, digits and underscores."""
    names: dict[str, str] = {}
    for service in calibration.services:
        plain = re.sub(r"[^a-z0-9]+", "_", service.name.lower()).strip("_") or "service"
        plain = plain if plain[0].isalpha() else f"service_{plain}"
        name, number = plain, 2
        while name in names.values():
            name, number = f"{plain}_{number}", number + 1
        names[service.name] = name
    return names


def _heading(calibration: Calibration, source: str, names: dict[str, str]) -> Iterator[str]:
    some = next(iter(names.values()), "name")
    yield from _comment(f"Fitted to {source} by maximum likelihood with location 0.")
    yield from _comment(f"A provider fails with its component: depends_on: [{some}].")
    if any(service.error_rate is not None for service in calibration.services):
        yield from _comment("error_rate is the mean of the recorded shares, weighted by the length of the incidents.")
    if any(service.error_rate is None for service in calibration.services):
        yield from _comment(
            "error_rate is assumed: a history of open incidents does not say how many calls failed. 100% is the worst "
            "case; most open incidents are brownouts."
        )
    for pair in calibration.overlaps:
        if pair.p_adjusted < SIGNIFICANT and pair.ratio_to_shifts > 1.0:
            yield from _comment(
                f"Open together {pair.ratio_to_product:.3g} times as long as if they were independent (adjusted p "
                f"{p_text(pair.p_adjusted)}): {names[pair.first]} and {names[pair.second]}. As two components they "
                "would look redundant: let everything that depends on either depend on one of them."
            )


def _comment(text: str, width: int = _WIDTH) -> list[str]:
    return [f"# {line}" for line in wrap(" ".join(text.split()), width - 2, break_on_hyphens=False)]


def _texts(service: ServiceCalibration, between: str | None, repair: str | None) -> tuple[str, str] | None:
    first, second = distribution_text(service.between, between), distribution_text(service.repair, repair)
    return None if first is None or second is None else (first, second)


def _too_little(service: ServiceCalibration) -> str:
    if service.incidents < LEAST_INCIDENTS:
        return f"only {counted(service.incidents, 'incidents')}: no rate can be estimated"
    return " and ".join(
        text
        for text in (of_fit(times, what, None) for times, what in _sorts(service) if not times.ended)
        if text is not None
    )


def _sorts(service: ServiceCalibration) -> tuple[tuple[FittedTimes, str], ...]:
    return (service.between, BETWEEN), (service.repair, REPAIR)


def _component(service: ServiceCalibration, name: str, between: str | None, repair: str | None) -> list[str]:
    texts = _texts(service, between, repair)
    assert texts is not None
    kinds = {BETWEEN: between, REPAIR: repair}
    notes = [of_fit(times, what, kinds[what]) for times, what in _sorts(service)]
    uncertain = " (few: every parameter is uncertain)" if service.incidents < FEW else ""
    window = f"{date(service.from_s)} to {date(service.until_s)}{uncertain}"
    return [
        f"  {name}:",
        *(f"    {line}" for line in _comment(f"{service.name}: {service.incidents} incidents, {window}", _WIDTH - 4)),
        *(f"    {line}" for note in notes if note for line in _comment(f"Caution: {note}.", _WIDTH - 4)),
        "    incidents:",
        "      - kind: marked_renewal",
        f"        between: {texts[0]}",
        f"        duration: {texts[1]}",
        _error_rate(service),
    ]


def _error_rate(service: ServiceCalibration) -> str:
    share = 1.0 if service.error_rate is None else service.error_rate
    return f"        error_rate: {100.0 * share:.4g}%"


def _arm(service: ServiceCalibration, name: str, repair: str | None) -> list[str]:
    assert service.seasonality is not None
    lasting = service.repair.count / service.years
    return [
        f"    components.{name}.incidents:",
        "      - kind: poisson",
        f"        rate: {number_text(lasting)}/y",
        *(f"        {line}" for line in profile_lines(service.seasonality.profile)),
        f"        duration: {distribution_text(service.repair, repair)}",
        _error_rate(service),
    ]


def profile_lines(profile: WeekProfile) -> Iterator[str]:
    """`profile:` of a Poisson class, without indentation."""
    yield "profile:"
    if profile.harmonics:
        yield from _weights("hours", profile.hours)
    if profile.days_model != "flat":
        yield from _weights("days", profile.days)


def _weights(name: str, weights: tuple[float, ...]) -> list[str]:
    text = f"{name}: [{', '.join(f'{weight:.3f}' for weight in weights)}]"
    return wrap(text, _WIDTH - 8, initial_indent="  ", subsequent_indent=" " * (len(name) + 5))


def distribution_text(times: FittedTimes, kind: str | None) -> str | None:
    """The distribution as a scenario writes it; None where the data give none."""
    fitted = times.fitted(kind)
    unit = UNITS[times.unit_s]
    if fitted is None:
        constant = times.distribution(kind)
        return None if constant is None else f"{number_text(times.mean_s / times.unit_s)}{unit}"
    first, *rest = (number_text(value) for value in fitted.parameters)
    match fitted.kind:
        case "lognormal":
            return f"{{kind: lognormal, mu: {first}, sigma: {rest[0]}, unit: {unit}}}"
        case "exponential":
            return f"{{kind: exponential, mean: {first}{unit}}}"
        case _:
            return f"{{kind: {fitted.kind}, shape: {first}, scale: {rest[0]}{unit}}}"


def number_text(value: float) -> str:
    """Four significant digits, never an exponent."""
    decimals = 3 if value == 0.0 else max(0, 3 - math.floor(math.log10(abs(value))))
    return f"{value:.{min(decimals, 18)}f}"
