"""Incidents as a scenario writes them: when they happen, how long they last and what they do."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from des.distributions import Constant
from des.scenario.plan import Effect, Profile
from des.scenario.schema.distributions import DurationDistribution
from des.scenario.schema.profiles import profile
from des.scenario.schema.spec import Flag, Shorthand, Spec, Text, contradiction
from des.scenario.schema.statuses import FailureOutcome, Status, misfit
from des.scenario.text.units import Amount, Factor, Moment, PositiveDuration, Rate, Share, Word


class EffectSpec(Spec):
    """What an open incident does to calls: by default an outage, in which every call fails after 200 ms."""

    error_rate: Share = 1.0
    """Share of calls that fail: 100% is an outage, less a brownout."""
    outcome: FailureOutcome = "server_error"
    """What such a failure looks like to the client."""
    status: Status | None = None
    """Its HTTP status, if not the outcome's usual one."""
    error_latency: DurationDistribution | None = None
    """Time until the failure is answered; 200 ms by default."""
    hang: Share = 0.0
    """Share of calls that never answer."""
    latency_factor: Factor = 1.0
    """How many times longer responses take."""
    kills_in_flight: Flag = False
    """Whether calls in flight are cut off when the incident starts, each with probability error_rate."""

    @model_validator(mode="after")
    def _status_fits(self) -> Self:
        if message := misfit(self.outcome, self.status):
            raise contradiction(message, "status")
        return self

    @model_validator(mode="after")
    def _says_what_fails(self) -> Self:
        if message := missing_error_rate(self):
            raise contradiction(message, "latency_factor" if self.latency_factor > 1.0 else "hang")
        return self


EFFECT_FIELDS = frozenset(EffectSpec.model_fields)


def missing_error_rate(spec: EffectSpec) -> str | None:
    """An incident that slows or hangs some calls is easily an outage by mistake, error_rate being 100% by default."""
    if "error_rate" in spec.model_fields_set:
        return None
    if spec.latency_factor > 1.0 or 0.0 < spec.hang < 1.0:
        field = "latency_factor" if spec.latency_factor > 1.0 else "hang"
        return f"{field} without error_rate: say how many of the other calls fail (error_rate: 0% if none)"
    return None


def effect_of(spec: EffectSpec, over: EffectSpec | None = None) -> Effect:
    """The effect of a spec; `over` gives what the spec leaves unsaid."""

    def said(field: str) -> Any:
        return getattr(over if over is not None and field not in spec.model_fields_set else spec, field)

    latency = said("error_latency")
    return Effect(
        error_rate=said("error_rate"),
        outcome=said("outcome"),
        error_latency=Constant(0.2) if latency is None else latency.distribution(),
        hang=said("hang"),
        latency_factor=said("latency_factor"),
        kills_in_flight=said("kills_in_flight"),
        status=spec.status if "outcome" in spec.model_fields_set else said("status"),
    )


class ProfileSpec(Spec):
    """Relative rates by time of week, Monday 00:00 UTC first: hours of the day, days of the week, or all 168 hours."""

    hours: tuple[Amount, ...] | None = None
    days: tuple[Amount, ...] | None = None
    weights: tuple[Amount, ...] | None = None

    @model_validator(mode="after")
    def _a_week(self) -> Self:
        self.starting(None)
        return self

    def starting(self, start: datetime | None) -> Profile:
        """The profile of a run that starts then; on a Monday 00:00 UTC without a start."""
        return profile(self.weights, self.hours, self.days, start)


class PoissonSpec(EffectSpec):
    """Incidents that start at random at a rate, and may overlap."""

    kind: Literal["poisson"]
    rate: Rate
    duration: DurationDistribution
    profile: ProfileSpec | None = None


class RenewalSpec(EffectSpec):
    """Alternating up and down times."""

    kind: Literal["renewal"]
    up: DurationDistribution
    down: DurationDistribution

    @model_validator(mode="after")
    def _moves(self) -> Self:
        if self.up.distribution().mean <= 0.0:
            raise contradiction("up times of zero: the component would never be up", "up")
        return self


class MarkedRenewalSpec(EffectSpec):
    """A distribution from start to start and one of durations; incidents may overlap."""

    kind: Literal["marked_renewal"]
    between: DurationDistribution
    duration: DurationDistribution

    @model_validator(mode="after")
    def _moves(self) -> Self:
        if self.between.distribution().mean <= 0.0:
            raise contradiction("no time between incidents: infinitely many would start at once", "between")
        return self


class WindowSpec(Spec):
    """A fixed window, from `start` to `end` or for a `duration`."""

    start: Moment
    end: Moment | None = None
    duration: PositiveDuration | None = None

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        if (self.end is None) == (self.duration is None):
            raise contradiction("a window has either an end or a duration")
        return self


class ScheduleSpec(EffectSpec):
    """Fixed windows."""

    kind: Literal["schedule"]
    windows: Annotated[tuple[WindowSpec, ...], Field(min_length=1)]


class IncidentColumns(Spec):
    """Columns of an incident file: start, end and, if there is one, severity."""

    start: Text
    end: Text
    severity: Text | None = None


def _words(value: object) -> object:
    return value if isinstance(value, list | tuple) else [value]


Words = Annotated[tuple[Word, ...], Field(min_length=1), Shorthand(_words, {"type": ["string", "number", "boolean"]})]
"""One value or a list of values."""


class ReplayedIncidentsSpec(EffectSpec):
    """Windows from a file (CSV, JSON lines or parquet), with effects by severity.

    The effect written beside `file` is that of severities without one of their own, and fills what those leave unsaid.
    """

    kind: Literal["replay"]
    file: Text
    columns: IncidentColumns
    format: Literal["csv", "jsonl", "parquet"] | None = None
    """Told by the file's suffix, if it is not given."""
    where: dict[Text, Words] = Field(default_factory=dict)
    """Rows to keep: each column with the value or values it must have."""
    effects: dict[Text, EffectSpec] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _effects_by_severity(self) -> Self:
        if self.effects and self.columns.severity is None:
            raise contradiction("effects by severity need columns: {severity: ...} to tell them by", "effects")
        return self


IncidentSpec = Annotated[
    PoissonSpec | RenewalSpec | MarkedRenewalSpec | ScheduleSpec | ReplayedIncidentsSpec,
    Field(discriminator="kind"),
]
