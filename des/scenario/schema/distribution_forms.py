"""The forms in which a scenario writes distributions, by kind, with the ways to give their parameters.

`distributions.py` says which of them a field takes, and with which unit.
"""

import math
from typing import Annotated, Any, Final, Generic, Literal, Self, TypeVar

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

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
from des.scenario.schema.recorded import FileFormat, Unit, Words, measured
from des.scenario.schema.setting import BelongsTo, Setting, Text, contradiction
from des.scenario.text.locations import located_here
from des.scenario.text.quantities import Amount, Duration, Positive, PositiveDuration, Real, Share, Speed
from des.scenario.text.units import LONGEST_S, SECONDS, YEAR_S

Value = TypeVar("Value", bound=float)
_PositiveValue = TypeVar("_PositiveValue", bound=float)

_Z95: Final = 1.6448536269514722
"""Standard normal quantile of 0.95."""
_Z99: Final = 2.3263478740408408
"""Standard normal quantile of 0.99."""
_LARGEST_EXPONENT: Final = 650.0
"""With a larger exponent, the mean over many draws could overflow a float."""
_LARGEST_CV: Final = 1e6
_SMALLEST_SHAPE: Final = 0.05
"""Smallest shape of a gamma or Weibull: below it draws underflow to zero and means overflow."""
_LARGEST_SHAPE: Final = 1e12
_SMALLEST_PARETO: Final = 1.05
"""Smallest shape of a Pareto: at 1 its mean is infinite."""


class Form(Setting):
    @classmethod
    def model_rebuild(cls, **options: Any) -> bool | None:
        """Makes no validator of a form whose kind of value is open. Nothing is read by it, but pydantic asks for it."""
        if cls.__pydantic_generic_metadata__["parameters"]:
            return None
        return super().model_rebuild(**options)

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        values: list[tuple[Any, str]] = [
            (Duration, "Duration"),
            (PositiveDuration, "Duration"),
            (Amount, "Count"),
            (Positive, "Count"),
            (Share, "Share"),
            (Speed, "Speed"),
        ]
        value = next((name for each, name in values if each is params[0]), "")
        return f"{cls.__name__.removesuffix('Form')}{value}"


class ConstantForm(Form, Generic[Value]):
    """Always the same value."""

    kind: Literal["constant"]
    """`constant`: always the same value."""
    value: Value
    """The value."""

    def distribution(self) -> Distribution:
        return Constant(float(self.value))


class UniformForm(Form, Generic[Value]):
    """All values between two bounds are equally likely."""

    kind: Literal["uniform"]
    """`uniform`: equally likely between two bounds."""
    low: Value
    """Lowest value."""
    high: Value
    """Highest value."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.high < self.low:
            raise contradiction("high is below low", "high")
        return self

    def distribution(self) -> Distribution:
        return Uniform(float(self.low), float(self.high))


class ExponentialForm(Form, Generic[_PositiveValue]):
    """Memoryless."""

    kind: Literal["exponential"]
    """`exponential`: memoryless."""
    mean: _PositiveValue
    """Mean."""

    def distribution(self) -> Distribution:
        return Exponential(float(self.mean))


class LognormalForm(Form, Generic[_PositiveValue]):
    """exp(Normal(mu, sigma)), given by mu and sigma or by figures that are easier to measure."""

    kind: Literal["lognormal"]
    """`lognormal`: the logarithm is normal."""
    mu: Real | None = None
    """Mean of the logarithm."""
    sigma: Positive | None = None
    """Standard deviation of the logarithm."""
    median: _PositiveValue | None = None
    """Value that half of the draws exceed."""
    p95: _PositiveValue | None = None
    """Value that 5 % of the draws exceed; beside the median."""
    p99: _PositiveValue | None = None
    """Value that 1 % of the draws exceed; beside the median."""
    mean: _PositiveValue | None = None
    """Mean; beside cv."""
    cv: Positive | None = None
    """Coefficient of variation: standard deviation divided by mean."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        _one_way_of(
            self,
            ("mu", "sigma"),
            ("median", "sigma"),
            ("median", "p95"),
            ("median", "p99"),
            ("mean", "cv"),
        )
        for quantile in ("p95", "p99"):
            value = getattr(self, quantile)
            if value is not None and self.median is not None and value <= self.median:
                raise contradiction(f"{quantile} is not above the median", quantile)
        _small_enough(self.cv)
        mu, sigma = self._log_parameters()
        if abs(mu) + sigma * sigma / 2.0 + 10.0 * sigma > _LARGEST_EXPONENT:
            raise PydanticCustomError("range", "this lognormal reaches beyond the range of floating point numbers")
        return self

    def _log_parameters(self) -> tuple[float, float]:
        if self.cv is not None and self.mean is not None:
            variance = math.log1p(self.cv**2)
            return math.log(self.mean) - variance / 2.0, math.sqrt(variance)
        if self.mu is not None and self.sigma is not None:
            return self.mu, self.sigma
        assert self.median is not None
        if self.sigma is not None:
            return math.log(self.median), self.sigma
        if self.p95 is not None:
            return math.log(self.median), (math.log(self.p95) - math.log(self.median)) / _Z95
        assert self.p99 is not None
        return math.log(self.median), (math.log(self.p99) - math.log(self.median)) / _Z99

    def distribution(self) -> Distribution:
        return Lognormal(*self._log_parameters())


class LognormalDuration(LognormalForm[PositiveDuration]):
    """exp(Normal(mu, sigma)) of a duration; mu is in log seconds, or in the `unit` given."""

    unit: Literal["ms", "s", "min", "h", "d"] | None = None
    """Unit of the values whose logarithm mu describes: `h` for a distribution fitted to hours."""

    @model_validator(mode="after")
    def _unit_of_mu(self) -> Self:
        if self.unit is not None and self.mu is None:
            raise contradiction("unit belongs to mu; median, mean, p95 and p99 carry units of their own", "unit")
        return self

    def _log_parameters(self) -> tuple[float, float]:
        mu, sigma = super()._log_parameters()
        return mu + math.log(SECONDS[self.unit or "s"]), sigma


class GammaForm(Form, Generic[_PositiveValue]):
    """Gamma, given by shape and scale or by mean and coefficient of variation."""

    kind: Literal["gamma"]
    """`gamma`: by shape and scale, or by mean and cv."""
    shape: Annotated[Positive, Field(ge=_SMALLEST_SHAPE, le=_LARGEST_SHAPE)] | None = None
    """Shape: 1 is exponential, more is more regular."""
    scale: _PositiveValue | None = None
    """Scale: mean over shape."""
    mean: _PositiveValue | None = None
    """Mean; beside cv."""
    cv: Positive | None = None
    """Coefficient of variation: standard deviation divided by mean."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        _one_way_of(self, ("shape", "scale"), ("mean", "cv"))
        _small_enough(self.cv)
        if self.cv is not None and 1.0 / self.cv**2 < _SMALLEST_SHAPE:
            most = _SMALLEST_SHAPE**-0.5
            raise contradiction(f"a gamma's coefficient of variation is at most {most:.3g}; got {self.cv:g}", "cv")
        return self

    def distribution(self) -> Distribution:
        if self.mean is not None and self.cv is not None:
            return Gamma(1.0 / self.cv**2, self.mean * self.cv**2)
        assert self.shape is not None
        assert self.scale is not None
        return Gamma(self.shape, float(self.scale))


class WeibullForm(Form, Generic[_PositiveValue]):
    """Weibull: the hazard falls with shape below 1 and grows with shape above 1."""

    kind: Literal["weibull"]
    """`weibull`: by shape and scale."""
    shape: Annotated[Positive, Field(ge=_SMALLEST_SHAPE, le=_LARGEST_SHAPE)]
    """Shape: below 1 the hazard falls with time, above 1 it grows."""
    scale: _PositiveValue
    """Value that 36.8 % of the draws exceed."""

    def distribution(self) -> Distribution:
        return Weibull(self.shape, float(self.scale))


class ParetoForm(Form, Generic[_PositiveValue]):
    """A power law: at least the scale, and above x with probability (scale / x)^shape."""

    kind: Literal["pareto"]
    """`pareto`: a power law, by shape and scale."""
    shape: Annotated[Positive, Field(ge=_SMALLEST_PARETO, le=_LARGEST_SHAPE)]
    """Shape: the smaller, the heavier the tail; the variance is infinite up to 2."""
    scale: _PositiveValue
    """The least value."""

    def distribution(self) -> Distribution:
        return Pareto(self.shape, float(self.scale))


class EmpiricalForm(Form, Generic[Value]):
    """One of the values given or measured, all equally likely."""

    kind: Literal["empirical"]
    """`empirical`: one of the values given, or of those in a file."""
    values: Annotated[tuple[Value, ...], Field(min_length=1)] | None = None
    """The values, all equally likely; instead of a file."""
    file: Text | None = None
    """File with measured values, relative to the scenario; `${NAME}` is an environment variable."""
    column: Annotated[Text | None, BelongsTo("file")] = None
    """Column with the values. A file of one column, or of one number a line, needs none."""
    where: Annotated[dict[Text, Words], BelongsTo("file")] = Field(default_factory=dict)
    """Rows to keep: each column with the value or values it must have."""
    format: Annotated[FileFormat | None, BelongsTo("file")] = None
    """Recognised by the file's suffix and content if not given."""

    @model_validator(mode="after")
    def _from_one_place(self) -> Self:
        if (self.values is None) == (self.file is None):
            raise contradiction("give either values: [...], or file: measured.csv")
        return self

    def distribution(self) -> Distribution:
        if self.values is not None:
            return Empirical(tuple(float(value) for value in self.values))
        assert self.file is not None
        try:
            values = measured(located_here(self.file), self.column, self._unit, _pairs(self.where), self.format)
        except ValueError as error:
            raise contradiction(str(error), "file") from None
        self._refuse_others(values)
        return Empirical(values)

    @property
    def _unit(self) -> str:
        return "s"

    def _refuse_others(self, values: tuple[float, ...]) -> None:
        """Refuses measured values that could not be written either."""
        (of,) = type(self).__pydantic_generic_metadata__["args"] or (Duration,)
        if of is Speed and min(values) <= 0.0:
            raise contradiction("a speed is above 0: leave out the rows without one", "file")
        if of is Share and max(values) > 1.0:
            raise contradiction("a share is at most 1 (35 % is 0.35)", "file")
        if of is Duration and max(values) > LONGEST_S:
            raise contradiction(f"a duration is at most {LONGEST_S / YEAR_S:.0f} years; say the unit", "file")


class EmpiricalDuration(EmpiricalForm[Duration]):
    """One of the durations given or measured, all equally likely."""

    unit: Annotated[Unit | None, BelongsTo("file")] = None
    """Unit of the numbers in the file; seconds by default."""

    @property
    def _unit(self) -> str:
        return self.unit or "s"


def _pairs(where: dict[str, tuple[str, ...]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple(where.items())


def _one_way_of(form: Form, *ways: tuple[str, ...]) -> None:
    """Exactly one of the ways to give the parameters must have been taken."""
    known = {parameter for way in ways for parameter in way}
    given = {parameter for parameter in known if getattr(form, parameter) is not None}
    if given not in [set(way) for way in ways]:
        choices = ", or ".join(" and ".join(way) for way in ways)
        kind = getattr(form, "kind", "")
        listed = ", ".join(sorted(given)) or "none"
        raise PydanticCustomError(
            "parameters",
            "a {kind} is given by {choices}; here: {listed}",
            {"kind": kind, "choices": choices, "listed": listed},
        )


def _small_enough(cv: float | None) -> None:
    if cv is not None and not 1e-6 <= cv <= _LARGEST_CV:
        raise contradiction(f"a coefficient of variation lies between 1e-6 and 1e6; got {cv:g}", "cv")
