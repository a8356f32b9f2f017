"""Distributions as a scenario writes them, over durations, counts, shares and speeds.

A bare scalar is a constant. The unit of the field decides how a distribution's own values are read: `median: 30min`
for a duration, `median: 1020` for tokens. What is written is a form, and a field of a setting holds the distribution
that its form reads as, in canonical parameters and base units.
"""

import re
from collections.abc import Callable
from typing import Annotated, Any, Final, Generic, Literal, TypeVar

from pydantic import AfterValidator, Field

from des.distributions import (
    Constant,
    Distribution,
    Empirical,
    Exponential,
    Gamma,
    Lognormal,
    Pareto,
    Uniform,
    Weibull,
)
from des.mixture import Mixture
from des.quantiles import ByQuantiles
from des.scenario.schema.distribution_forms import (
    ConstantForm,
    EmpiricalDuration,
    EmpiricalForm,
    ExponentialForm,
    Form,
    GammaForm,
    LognormalDuration,
    LognormalForm,
    ParetoForm,
    UniformForm,
    WeibullForm,
)
from des.scenario.schema.own_classes import OwnKind
from des.scenario.schema.own_rules import OwnDistribution
from des.scenario.schema.setting import DURATION_SCHEMA, SHARE_SCHEMA, ReadAs, scalar_as
from des.scenario.text.quantities import Amount, Duration, Positive, PositiveDuration, Share, Speed, written_as
from des.scenario.text.units import LONGEST_S, YEAR_S

_Mixed = TypeVar("_Mixed", bound=Distribution)


class _OfParts(Form):
    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        values = ((_SimpleDuration, "Duration"), (_SimpleCount, "Count"), (_SimpleSpeed, "Speed"))
        return cls.__name__.removeprefix("_") + next((name for each, name in values if each is params[0]), "")


class _MixturePart(_OfParts, Generic[_Mixed]):
    """One part of a mixture."""

    weight: Positive
    """How often a value comes from this part, relative to the other parts."""
    of: _Mixed
    """The distribution of this part: a value, or a kind other than mixture."""


class _Mixture(_OfParts, Generic[_Mixed]):
    """Each value comes from one of the parts, chosen by their weights."""

    kind: Literal["mixture"]
    """`mixture`: each value comes from one of several distributions."""
    parts: Annotated[tuple[_MixturePart[_Mixed], ...], Field(min_length=2)]
    """At least two parts, each with its weight."""

    def distribution(self) -> Distribution:
        return Mixture(tuple(part.of for part in self.parts), tuple(part.weight for part in self.parts))


def _bounded(duration: Distribution) -> Distribution:
    if (mean_s := duration.mean) > LONGEST_S * (1.0 + 1e-9):
        years = mean_s / YEAR_S
        raise ValueError(f"expected a mean of at most {LONGEST_S / YEAR_S:.0f}y; here it is {years:.3g}y")
    return duration


def _in_seconds(duration_s: float) -> str:
    return f"{duration_s!r}s"


def written(distribution: Distribution, value: Callable[[float], str | float] = float) -> Any:
    """A distribution as a scenario may write it, exactly; `value` writes a number of the field's unit."""
    match distribution:
        case Constant(constant):
            return value(constant)
        case Uniform(low, high):
            return {"kind": "uniform", "low": value(low), "high": value(high)}
        case Exponential(mean):
            return {"kind": "exponential", "mean": value(mean)}
        case Lognormal(mu, sigma):
            return {"kind": "lognormal", "mu": mu, "sigma": sigma}
        case Gamma(shape, scale):
            return {"kind": "gamma", "shape": shape, "scale": value(scale)}
        case Weibull(shape, scale):
            return {"kind": "weibull", "shape": shape, "scale": value(scale)}
        case Pareto(shape, scale):
            return {"kind": "pareto", "shape": shape, "scale": value(scale)}
        case Mixture(parts, weights):
            pairs = zip(weights, parts, strict=True)
            return {"kind": "mixture", "parts": [{"weight": each, "of": written(part, value)} for each, part in pairs]}
        case Empirical(values):
            return {"kind": "empirical", "values": [value(each) for each in values]}
        case ByQuantiles(OwnDistribution() as own):
            return {"kind": own.kind_name(), **own.model_dump(exclude_unset=True)}


def written_duration(distribution: Distribution) -> Any:
    return written(distribution, _in_seconds)


def _read(form: Any) -> Distribution:
    distribution: Distribution = form.distribution()
    return distribution


_OWN = OwnKind(OwnDistribution, ByQuantiles)

_DurationForm = (
    ConstantForm[Duration]
    | UniformForm[Duration]
    | ExponentialForm[PositiveDuration]
    | LognormalDuration
    | GammaForm[PositiveDuration]
    | WeibullForm[PositiveDuration]
    | ParetoForm[PositiveDuration]
    | EmpiricalDuration
)

_SimpleDuration = Annotated[
    Distribution,
    ReadAs(
        Annotated[_DurationForm, Field(discriminator="kind")],
        _read,
        written_duration,
    ),
    _OWN,
    scalar_as("value", DURATION_SCHEMA, kind="constant"),
]

_CountForm = (
    ConstantForm[Amount]
    | UniformForm[Amount]
    | ExponentialForm[Positive]
    | LognormalForm[Positive]
    | GammaForm[Positive]
    | WeibullForm[Positive]
    | ParetoForm[Positive]
    | EmpiricalForm[Amount]
)

_SimpleCount = Annotated[
    Distribution,
    ReadAs(
        Annotated[_CountForm, Field(discriminator="kind")],
        _read,
        written,
    ),
    _OWN,
    scalar_as("value", written_as(Amount), kind="constant"),
]

_SpeedForm = (
    ConstantForm[Speed]
    | UniformForm[Speed]
    | ExponentialForm[Speed]
    | LognormalForm[Speed]
    | GammaForm[Speed]
    | WeibullForm[Speed]
    | ParetoForm[Speed]
    | EmpiricalForm[Speed]
)

_SimpleSpeed = Annotated[
    Distribution,
    ReadAs(
        Annotated[_SpeedForm, Field(discriminator="kind")],
        _read,
        written,
    ),
    _OWN,
    scalar_as("value", written_as(Speed), kind="constant"),
]

DurationDistribution = Annotated[
    Distribution,
    ReadAs(
        Annotated[_DurationForm | _Mixture[_SimpleDuration], Field(discriminator="kind")],
        _read,
        written_duration,
    ),
    _OWN,
    AfterValidator(_bounded),
    scalar_as("value", DURATION_SCHEMA, kind="constant"),
]
"""A distribution of durations, in seconds."""

CountDistribution = Annotated[
    Distribution,
    ReadAs(
        Annotated[_CountForm | _Mixture[_SimpleCount], Field(discriminator="kind")],
        _read,
        written,
    ),
    _OWN,
    scalar_as("value", written_as(Amount), kind="constant"),
]
"""A distribution of tokens or of billed units."""

SpeedDistribution = Annotated[
    Distribution,
    ReadAs(
        Annotated[_SpeedForm | _Mixture[_SimpleSpeed], Field(discriminator="kind")],
        _read,
        written,
    ),
    _OWN,
    scalar_as("value", written_as(Speed), kind="constant"),
]
"""A distribution of speeds, in tokens per second."""

ShareDistribution = Annotated[
    Distribution,
    ReadAs(
        Annotated[ConstantForm[Share] | UniformForm[Share] | EmpiricalForm[Share], Field(discriminator="kind")],
        _read,
        written,
    ),
    scalar_as("value", SHARE_SCHEMA, kind="constant"),
]
"""A distribution of shares of one."""


def is_parameter(key: object) -> bool:
    """Whether a key is a parameter of a distribution, or a percentile that is mistaken for one."""
    return isinstance(key, str) and (key in _PARAMETERS or re.fullmatch(r"p_?[0-9]+([._][0-9]+)?", key) is not None)


_PARAMETERS: Final = {
    key
    for each in (ConstantForm, UniformForm, LognormalDuration, GammaForm, _Mixture, EmpiricalDuration)
    for key in each.model_fields
}
