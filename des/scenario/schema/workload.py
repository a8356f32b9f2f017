"""The workload: when requests arrive, how large they are and what they require."""

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from des.distributions import Constant
from des.scenario.schema.distributions import CountDistribution, DurationDistribution
from des.scenario.schema.own_classes import OwnClass, OwnKind, check_numbers
from des.scenario.schema.own_rules import Draws
from des.scenario.schema.profiles import Profile, WeeklyProfile
from des.scenario.schema.recorded import FileFormat, Unit, Words
from des.scenario.schema.setting import Flag, Setting, Text, contradiction
from des.scenario.text.quantities import Duration, FrequentRate, Positive, PositiveCount, PositiveDuration, Share, Word

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_TOKENS = 2**31 - 1
"""Token counts are int32 in traces."""

_MOST_USERS = 1_000_000
"""Largest number of users of a closed workload: each keeps its state in memory."""


class ArrivalProcess:
    """The interface of all arrival processes."""

    __slots__ = ()

    @property
    def weekly(self) -> Profile | None:
        """The profile that the rate of arrivals follows, if it follows one."""
        return None

    @property
    def is_timed(self) -> bool:
        """Whether arrival times are fixed rather than random."""
        return False

    @property
    def batch(self) -> int | None:
        """The number of requests that arrive together, if it is fixed; metrics of whole batches are then reported."""
        return None

    def starting(self, start: datetime | None) -> Self:
        """The same arrivals in a run that starts then."""
        return self

    def expected_requests(self, horizon_s: float) -> float | None:
        """Expected number of requests over the horizon; None for closed workloads, which depend on latency."""
        raise NotImplementedError

    def time_for_s(self, requests: float, horizon_s: float) -> float:
        """Approximate time until this number of requests has arrived, at most the horizon."""
        expected = self.expected_requests(horizon_s)
        return min(horizon_s, horizon_s * requests / expected) if expected else horizon_s


class PoissonArrivals(Setting, ArrivalProcess):
    """Requests arrive at random and independently of each other."""

    kind: Literal["poisson"]
    """`poisson`: requests at random, independent of each other."""
    rate_per_s: FrequentRate
    """Mean rate of requests, such as 50/s."""
    profile: WeeklyProfile | None = None
    """Busier and quieter hours of the week; a steady rate by default."""

    @property
    def weekly(self) -> Profile | None:
        return self.profile

    def starting(self, start: datetime | None) -> Self:
        return self if self.profile is None else self.model_copy(update={"profile": self.profile.starting(start)})

    def expected_requests(self, horizon_s: float) -> float:
        return self.rate_per_s * horizon_s


class BurstyArrivals(Setting, ArrivalProcess):
    """Clients with gamma inter-arrival times. A larger coefficient of variation makes arrivals burstier."""

    kind: Literal["bursty"]
    """`bursty`: clients whose requests come in bursts."""
    rate_per_s: FrequentRate
    """Rate of all clients together."""
    cv: Annotated[Positive, Field(ge=0.01, le=1000.0)]
    """Standard deviation over mean of the gaps of each client; 1 is Poisson, more is burstier."""
    clients: Annotated[PositiveCount, Field(le=100_000)] = 1
    """Number of clients that share the rate; 1 by default."""
    profile: WeeklyProfile | None = None
    """Busier and quieter hours of the week; a steady rate by default."""

    @property
    def weekly(self) -> Profile | None:
        return self.profile

    def starting(self, start: datetime | None) -> Self:
        return self if self.profile is None else self.model_copy(update={"profile": self.profile.starting(start)})

    def expected_requests(self, horizon_s: float) -> float:
        return self.rate_per_s * horizon_s


class BatchArrivals(Setting, ArrivalProcess):
    """A fixed number of requests at once, at regular intervals."""

    kind: Literal["batch"]
    """`batch`: a number of requests at once, at fixed times."""
    every_s: PositiveDuration
    """Time between batches."""
    size: Annotated[PositiveCount, Field(le=10_000_000)]
    """Number of requests in a batch."""
    first_s: Duration = 0.0
    """Time of the first batch."""

    @property
    def is_timed(self) -> bool:
        return True

    @property
    def batch(self) -> int:
        return self.size

    def expected_requests(self, horizon_s: float) -> float:
        return self.size * float(-(-max(0.0, horizon_s - self.first_s) // self.every_s))


class ClosedArrivals(Setting, ArrivalProcess):
    """Users who think, send a request, wait for its end and think again."""

    kind: Literal["closed"]
    """`closed`: users who wait for each answer before they think and send again."""
    users: PositiveCount
    """Number of users, at most 1,000,000."""
    think: DurationDistribution
    """Time that a user thinks between an answer and the next request."""

    def expected_requests(self, horizon_s: float) -> None:
        return None

    def time_for_s(self, requests: float, horizon_s: float) -> float:
        return min(horizon_s, max(self.think.mean, 1e-3) * max(2.0, requests / self.users))

    @model_validator(mode="after")
    def _thinks(self) -> Self:
        if self.users > _MOST_USERS:
            raise contradiction(f"{self.users} users: at most {_MOST_USERS} are possible", "users")
        if self.think.mean <= 0.0:
            raise contradiction(
                "the think time must be above zero, or requests that fail at once would repeat forever", "think"
            )
        return self


class OwnArrivals(OwnClass, ArrivalProcess):
    """An arrival process that a user has written."""

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        check_numbers(cls, "expected_requests")

    @abstractmethod
    def times(self, draws: Draws, begin_s: float, until_s: float) -> Iterable[Iterable[float]]:
        """Sorted times in [begin, until) in seconds since the scenario's start, in chunks of any length.

        The times below `until_s` must not depend on it: a longer run only appends.
        """

    @abstractmethod
    def expected_requests(self, horizon_s: float) -> float:
        """The expected number of requests until the horizon."""


class ArrivalColumns(Setting):
    """Columns of an arrival file."""

    time: Text
    """Column with the time of arrival."""
    input_tokens: Text | None = None
    """Column with the input tokens; none by default, tokens are then those of the workload."""
    output_tokens: Text | None = None
    """Column with the output tokens; none by default, tokens are then those of the workload."""


class ArrivalFile(Setting):
    """Recorded arrivals from a table or a gateway's log. The first one arrives at time 0."""

    kind: Literal["replay"]
    """`replay`: arrivals recorded in a file."""
    file: Text
    """Path relative to the scenario; `${NAME}` is an environment variable."""
    columns: ArrivalColumns | None = None
    """Recognised for gateway logs (`otel_genai`, `litellm_spend`) if not given."""
    format: FileFormat | None = None
    """Recognised by the file's suffix and content if not given."""
    unit: Unit | None = None
    """Unit of times written as numbers; seconds by default. Timestamps need no unit."""
    where: dict[Text, Words] = Field(default_factory=dict)
    """Rows to keep: each column with the value or values it must have."""
    stretch: Annotated[Positive, Field(ge=1e-6, le=1e6)] = 1.0
    """Factor on the gaps between arrivals: 100 turns an hour into a hundred hours."""
    loop: Flag = False
    """Whether to start again at the end of the file, until the horizon."""
    limit: PositiveCount | None = None
    """Keep only this number of rows, the earliest ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayedArrivals(ArrivalProcess):
    """The content of an arrival file. `arrival_s` is sorted, starts at 0, is already stretched, and repeats every
    `period_s` when looped.

    Tokens are those of each recorded request, where the file has them.
    """

    arrival_s: "NDArray[np.float64]"
    input_tokens: "NDArray[np.int64] | None"
    output_tokens: "NDArray[np.int64] | None"
    period_s: float | None
    remarks: tuple[str, ...] = field(default=(), compare=False)
    """Remarks for the user about the file, such as rows outside the run."""

    @property
    def is_timed(self) -> bool:
        return True

    def expected_requests(self, horizon_s: float) -> float:
        if self.period_s is None:
            return float((self.arrival_s < horizon_s).sum())
        whole, rest_s = divmod(horizon_s, self.period_s)
        return whole * len(self.arrival_s) + float((self.arrival_s < rest_s).sum())


DrawnArrivals = PoissonArrivals | BurstyArrivals | BatchArrivals | ClosedArrivals
"""Arrivals that are ready to run as they are written."""
Arrivals = DrawnArrivals | OwnArrivals | ReplayedArrivals
"""Arrivals as a run needs them, with recorded ones already read from their file."""
_AnyArrivals = Annotated[DrawnArrivals | ArrivalFile, Field(discriminator="kind"), OwnKind(OwnArrivals)]


class Tokens(Setting):
    """Tokens of a request and of its response."""

    input: CountDistribution = Constant(0.0)
    """Tokens of a request; 0 by default."""
    output: CountDistribution = Constant(0.0)
    """Tokens of a complete response; 0 by default."""

    @model_validator(mode="after")
    def _fit_their_columns(self) -> Self:
        for name in ("input", "output"):
            if (reach := getattr(self, name).rough_maximum()) > MOST_TOKENS:
                raise contradiction(f"token counts may reach {reach:.3g}; a trace can hold {MOST_TOKENS}", name)
        return self


class Requirement(Setting):
    """A share of the requests that may use only legs with these tags."""

    share: Share
    """Share of all requests that has this requirement."""
    tags: Annotated[dict[Text, Word], Field(min_length=1)]
    """Tags with the value that a leg must have for each; legs without them are skipped."""


class WorkloadSpec(Setting):
    """Requests: when they arrive, how large they are and what they require."""

    arrivals: _AnyArrivals
    """When requests arrive."""
    tokens: Tokens = Tokens()
    """Size of requests and responses in tokens; 0 by default."""
    units: CountDistribution = Constant(1.0)
    """Billed units of a request (images, seconds of sound), for prices per unit; 1 by default."""
    requirements: tuple[Requirement, ...] = ()
    """Shares of the requests that may use some legs only; none by default."""

    @model_validator(mode="after")
    def _requirements_are_shares_of_one_whole(self) -> Self:
        total = sum(requirement.share for requirement in self.requirements)
        if total > 1.0 + 1e-9:
            raise contradiction(f"the shares add up to {total:.6g}, above 1", "requirements")
        return self

    @model_validator(mode="after")
    def _tokens_come_from_one_place(self) -> Self:
        if isinstance(self.arrivals, ArrivalFile):
            for name in ("input", "output"):
                if name in self.tokens.model_fields_set and getattr(self.arrivals.columns, f"{name}_tokens", None):
                    raise contradiction(
                        f"{name} tokens already come from the replayed file: leave out one of the two", "tokens", name
                    )
        return self
