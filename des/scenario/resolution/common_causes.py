"""From common causes to separate Poisson classes, taken from the outages of their members.

A member's outages are one Poisson class. A share of it can be split off as another Poisson class of the same
distribution. The two together keep the rate and the durations, so availability and episodes stay exact.
"""

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from des.distributions import Distribution
from des.scenario.plan import IncidentClass, PoissonIncidents
from des.scenario.schema.providers import ComponentSpec
from des.scenario.schema.scenario import Scenario
from des.scenario.schema.sharing import CommonCause, cause_name
from des.scenario.text.places import Path
from des.scenario.text.problems import Finding
from des.scenario.text.units import YEAR_S

_ROUNDING: Final = 1e-9  # relative


@dataclass(frozen=True, slots=True)
class PlacedCause:
    """A named common cause while components are being resolved."""

    name: str
    path: Path
    spec: CommonCause


@dataclass(frozen=True, slots=True)
class OwnOutages:
    """The outages of a member before a part of them becomes common."""

    incidents: PoissonIncidents
    stated_per_s: float
    """The stated rate of outages: of all causes if given by intent, else the rate of the listed class."""


def common_causes(scenario: Scenario) -> dict[str, PlacedCause]:
    """The common causes by name, in the scenario's order."""
    causes = [
        PlacedCause(cause_name(spec, position), ("common_cause", position), spec)
        for position, spec in enumerate(scenario.common_cause)
    ]
    return {cause.name: cause for cause in causes}


def has_outages(incidents: IncidentClass) -> bool:
    return any(effect.outage for effect in incidents.every_effect)


def own_outages(name: str, spec: ComponentSpec, classes: Iterable[IncidentClass]) -> OwnOutages:
    """The single Poisson class of a member's outages. Raises ValueError, with a remedy, if they are anything else."""
    outages = [incidents for incidents in classes if has_outages(incidents)]
    if spec.mttf_s is not None:
        raise ValueError(
            f"'{name}' alternates between up and down times (mttf and mttr), so no share can be split off: "
            "give it availability and episodes_per_year, or incidents of kind: poisson"
        )
    if not outages:
        less = " beyond those of what it depends on" if spec.availability is not None else ""
        raise ValueError(f"'{name}' has no outages of its own{less}, so none can be common")
    incidents = outages[0]
    if len(outages) > 1 or not isinstance(incidents, PoissonIncidents):
        raise ValueError(
            f"the outages of '{name}' must be one class of kind: poisson, or availability and episodes_per_year, "
            "for a share of them to be common"
        )
    if spec.availability is not None and spec.episodes_per_year is not None:
        return OwnOutages(incidents, spec.episodes_per_year / spec.availability / YEAR_S)
    return OwnOutages(incidents, incidents.rate_per_s)


def common_class(cause: PlacedCause, members: Mapping[str, OwnOutages]) -> PoissonIncidents:
    """The class of a common cause: a fraction of the smallest rate. Raises ValueError if the members differ."""
    (first, pattern), *others = ((name, outages.incidents) for name, outages in members.items())
    rate_per_s = cause.spec.fraction * min(outages.stated_per_s for outages in members.values())
    for name, incidents in others:
        if difference := _difference(pattern, incidents):
            yearly = f"rate: {rate_per_s * YEAR_S:.4g}/y, duration: {pattern.duration.mean / 60.0:.4g}min"
            raise ValueError(
                f"the outages of '{first}' and '{name}' differ in {difference}, but a common outage is the same for "
                "both: give them the same, or write the cause as a component that they depend on, such as "
                f"{cause.name.partition('#')[0]}: {{incidents: [{{kind: poisson, {yearly}}}]}}, and lower the rate of "
                "their own outages accordingly (availability and episodes_per_year do that by themselves)"
            )
    return pattern.model_copy(update={"rate_per_s": rate_per_s})


def _difference(one: PoissonIncidents, other: PoissonIncidents) -> str | None:
    if not _alike(one.duration, other.duration):
        return f"duration ({_in_words(one.duration)} against {_in_words(other.duration)})"
    if one.effect != other.effect:
        return "effect"
    return "profile" if one.profile != other.profile else None


def _alike(distribution: Distribution, other: Distribution) -> bool:
    if type(distribution) is not type(other):
        return False
    values, others = ([*_numbers(each)] for each in (distribution, other))
    return len(values) == len(others) and all(
        math.isclose(value, another, rel_tol=_ROUNDING, abs_tol=_ROUNDING)
        for value, another in zip(values, others, strict=True)
    )


def _numbers(distribution: Distribution) -> Iterable[float]:
    for value in dataclasses.astuple(distribution):
        yield from value if isinstance(value, tuple) else (value,)


def _in_words(distribution: Distribution) -> str:
    shape = next(
        (
            f", {field} {getattr(distribution, field):.4g}"
            for field in ("sigma", "shape")
            if hasattr(distribution, field)
        ),
        "",
    )
    return f"{type(distribution).__name__.lower()} of mean {distribution.mean / 60.0:.6g} min{shape}"


def without_common(
    name: str,
    own: OwnOutages,
    classes: Sequence[IncidentClass],
    causes: Sequence[tuple[PlacedCause, PoissonIncidents]],
    findings: list[Finding],
) -> tuple[IncidentClass, ...]:
    """A member's classes, with the common outages subtracted from its own."""
    common_per_s = math.fsum(incidents.rate_per_s for _, incidents in causes)
    left_per_s = own.incidents.rate_per_s - common_per_s
    if left_per_s < -_ROUNDING * own.incidents.rate_per_s:
        cause, incidents = causes[-1]
        findings.append(Finding((*cause.path, "fraction"), _too_much(name, own, cause, incidents, common_per_s)))
    if left_per_s <= _ROUNDING * own.incidents.rate_per_s:
        left_per_s = 0.0
        if classes[-1] is own.incidents:
            return tuple(classes[:-1])
    # Elsewhere the class stays with rate 0, because the draws of later classes are keyed by their number.
    rest = own.incidents.model_copy(update={"rate_per_s": left_per_s})
    return tuple(rest if each is own.incidents else each for each in classes)


def _too_much(name: str, own: OwnOutages, cause: PlacedCause, last: PoissonIncidents, common_per_s: float) -> str:
    available_per_s = own.incidents.rate_per_s - (common_per_s - last.rate_per_s)
    most = available_per_s / (last.rate_per_s / cause.spec.fraction)
    percent = math.floor(most * 1e4 * (1.0 + _ROUNDING)) / 100.0
    remedy = f"a fraction of at most {percent:g}% is possible" if most > 0.0 else "the others leave nothing to this one"
    return (
        f"common causes take {common_per_s * YEAR_S:.4g} outages a year from '{name}', "
        f"which has {own.incidents.rate_per_s * YEAR_S:.4g} of its own: {remedy}"
    )
