"""Incidents: when they start, how long they last and what they do to calls."""

from abc import abstractmethod
from collections.abc import Iterable
from datetime import datetime
from math import nan
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from des.distributions import Constant
from des.scenario.schema.distributions import DurationDistribution
from des.scenario.schema.own_classes import OwnClass, OwnKind, check_numbers
from des.scenario.schema.own_rules import Draws
from des.scenario.schema.profiles import WeeklyProfile
from des.scenario.schema.recorded import FileFormat, Unit, Words
from des.scenario.schema.setting import Flag, Setting, Text, contradiction
from des.scenario.schema.statuses import NO_RESPONSE, FailureOutcome, Status, misfit
from des.scenario.text.quantities import Duration, Factor, Moment, PositiveDuration, Rate, Share


class Effect(Setting):
    """The effect of an open incident on calls. By default it is an outage: every call fails after 200 ms."""

    error_rate: Share = 1.0
    """Share of calls that fail: 100% is an outage, less is a brownout."""
    outcome: FailureOutcome = "server_error"
    """What such a failure looks like to the client."""
    status: Status | None = None
    """HTTP status, if it is not the usual one of the outcome."""
    error_latency: DurationDistribution = Constant(0.2)
    """Time until the failure is answered; 200 ms by default."""
    retry_after_s: Duration | None = None
    """Retry-After sent with such a failure; none by default."""
    hang: Share = 0.0
    """Share of calls that never answer."""
    latency_factor: Factor = 1.0
    """Factor by which responses take longer."""
    kills_in_flight: Flag = False
    """Whether calls in flight are cut off when the incident starts, each with probability error_rate."""

    @property
    def told_s(self) -> float:
        """The Retry-After, NaN for none."""
        return nan if self.retry_after_s is None else self.retry_after_s

    @property
    def outage(self) -> bool:
        return self.error_rate >= 1.0

    def over(self, other: "Effect") -> "Effect":
        """This effect, with fields that it does not set taken from `other`. A status goes with its outcome."""
        said = self.model_fields_set | ({"status"} if "outcome" in self.model_fields_set else set())
        return Effect(**{name: getattr(self if name in said else other, name) for name in EFFECT_FIELDS})

    @model_validator(mode="after")
    def _status_fits(self) -> Self:
        if message := misfit(self.outcome, self.status):
            raise contradiction(message, "status")
        if self.outcome == "connection_error" and self.retry_after_s is not None:
            raise contradiction(NO_RESPONSE, "retry_after")
        return self

    @model_validator(mode="after")
    def _says_what_fails(self) -> Self:
        """error_rate is 100% by default, so a slowdown or a hang could become an outage by mistake."""
        if "error_rate" in self.model_fields_set:
            return self
        if self.latency_factor > 1.0 or 0.0 < self.hang < 1.0:
            field = "latency_factor" if self.latency_factor > 1.0 else "hang"
            message = f"{field} without error_rate: say how many of the other calls fail (error_rate: 0% if none)"
            raise contradiction(message, field)
        return self


EFFECT_FIELDS = frozenset(Effect.model_fields)


class _Incidents(Effect):
    """A class of incidents. Scenarios write the effect's fields beside `kind`; code passes them as `effect`."""

    def __init__(self, *, effect: Effect | None = None, **values: Any) -> None:
        super().__init__(**({} if effect is None else _fields_of(effect)), **values)

    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]  # documents are read past it

    @property
    def effect(self) -> Effect:
        return Effect(**_fields_of(self))

    def with_effect(self, effect: Effect) -> Self:
        return self.model_copy(update=_fields_of(effect))


class _IncidentsAlike(_Incidents):
    """Incidents that all have the same effect."""

    @property
    def every_effect(self) -> tuple[Effect, ...]:
        """The effects of its incidents, by the position that timelines draw."""
        return (self.effect,)


def _fields_of(effect: Effect) -> dict[str, Any]:
    return {name: getattr(effect, name) for name in EFFECT_FIELDS}


class PoissonIncidents(_IncidentsAlike):
    """Incidents that start as a Poisson process and may overlap."""

    kind: Literal["poisson"]
    """`poisson`: incidents at random, which may overlap."""
    rate_per_s: Rate
    """Mean number of incidents per time, such as 12/y."""
    duration: DurationDistribution
    """How long an incident lasts."""
    profile: WeeklyProfile | None = None
    """Hours of the week with more and fewer incidents; a steady rate by default."""


class RenewalIncidents(_IncidentsAlike):
    """Alternating up and down times."""

    kind: Literal["renewal"]
    """`renewal`: times up and times down in turn."""
    up: DurationDistribution
    """Time up between two incidents."""
    down: DurationDistribution
    """Time down of an incident."""

    @model_validator(mode="after")
    def _moves(self) -> Self:
        if self.up.mean <= 0.0:
            raise contradiction("up times of zero: the component would never be up", "up")
        return self


class MarkedRenewalIncidents(_IncidentsAlike):
    """A distribution of times from start to start and one of durations. Incidents may overlap."""

    kind: Literal["marked_renewal"]
    """`marked_renewal`: drawn times from start to start and drawn durations; incidents may overlap."""
    between: DurationDistribution
    """Time from the start of an incident to the start of the next."""
    duration: DurationDistribution
    """How long an incident lasts."""

    @model_validator(mode="after")
    def _moves(self) -> Self:
        if self.between.mean <= 0.0:
            raise contradiction("no time between incidents: infinitely many would start at once", "between")
        return self


class OwnIncidents(_IncidentsAlike, OwnClass):
    """A component's incidents by a class that a user has written. The effect's fields stand beside its own."""

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        check_numbers(cls, "starts_per_s", "mean_duration_s")

    @abstractmethod
    def windows(self, draws: Draws, until_s: float) -> Iterable[tuple[float, float]]:
        """(start, end) in seconds since the scenario's start of all incidents that start before `until_s`, by start.

        Those open at 0 start before it. The ones that start below `until_s` must not depend on it.
        """

    @property
    @abstractmethod
    def starts_per_s(self) -> float:
        """How many incidents start in a second, in the long run."""

    @property
    @abstractmethod
    def mean_duration_s(self) -> float:
        """How long an incident lasts on average."""


class Window(Setting):
    """A fixed window, from `start` to `end` or for a `duration`."""

    start: Moment
    """Start: a duration since the run's start, or a timestamp."""
    end: Moment | None = None
    """End: a duration since the run's start, or a timestamp; instead of a duration."""
    duration_s: PositiveDuration | None = None
    """Length of the window; instead of an end."""

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        if (self.end is None) == (self.duration_s is None):
            raise contradiction("a window has either an end or a duration")
        return self

    def bounds(self, run_start: datetime | None) -> tuple[float, float]:
        """Start and end in seconds since `run_start`, which timestamps need."""
        start_s = _in_run(self.start, run_start)
        if self.duration_s is not None:
            return start_s, start_s + self.duration_s
        assert self.end is not None
        return start_s, _in_run(self.end, run_start)


def _in_run(moment: float | datetime, run_start: datetime | None) -> float:
    if isinstance(moment, datetime):
        assert run_start is not None
        return (moment - run_start).total_seconds()
    return moment


class Schedule(_Incidents):
    """Fixed windows."""

    kind: Literal["schedule"]
    """`schedule`: incidents at stated times."""
    windows: Annotated[tuple[Window, ...], Field(min_length=1)]
    """When an incident is open."""


class IncidentColumns(Setting):
    """Columns of an incident file: start, end and, if present, severity and the share of calls that fail."""

    start: Text
    """Column with the start of an incident."""
    end: Text
    """Column with the end of an incident."""
    severity: Text | None = None
    """Column with its severity; none by default."""
    error_rate: Text | None = None
    """Column with the share of calls that fail, such as 0.35 or 35%; none by default."""


class IncidentFile(_Incidents):
    """Windows from a file, with effects by severity or a share of failing calls per row.

    The effect written beside `file` applies to severities without their own effect, and supplies fields that the
    effects by severity do not set.
    """

    kind: Literal["replay"]
    """`replay`: incidents recorded in a file."""
    file: Text
    """Path relative to the scenario; `${NAME}` is an environment variable."""
    columns: IncidentColumns | None = None
    """Recognised by their names if not given: `started_at`, `resolved_at` and similar ones."""
    format: FileFormat | None = None
    """Recognised by the file's suffix and content if not given."""
    unit: Unit | None = None
    """Unit of times written as numbers; seconds by default. Timestamps need no unit."""
    where: dict[Text, Words] = Field(default_factory=dict)
    """Rows to keep: each column with the value or values it must have."""
    effects: dict[Text, Effect] = Field(default_factory=dict)
    """Effect of the incidents of each severity, by the severity's word; none by default."""

    @model_validator(mode="after")
    def _effects_by_severity(self) -> Self:
        if self.effects and self.columns is not None and self.columns.severity is None:
            raise contradiction("effects by severity need columns: {severity: ...}", "effects")
        return self

    @model_validator(mode="after")
    def _error_rate_comes_from_one_place(self) -> Self:
        if self.columns is not None and self.columns.error_rate and "error_rate" in self.model_fields_set:
            raise contradiction("the file gives error_rate in each row: leave out one of the two", "error_rate")
        return self

    @model_validator(mode="after")
    def _says_what_fails(self) -> Self:
        if self.columns is None or not self.columns.error_rate:
            super()._says_what_fails()  # type: ignore[operator]  # a method beneath what marks it as a validator
        return self


Incidents = Annotated[
    PoissonIncidents | RenewalIncidents | MarkedRenewalIncidents | Schedule | IncidentFile,
    Field(discriminator="kind"),
    OwnKind(OwnIncidents),
]
