"""What passes between the parts of a run: requests, the calls they make, and how those end.

Records are immutable, except requests.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from des.faults import Timeline
from des.scenario.plan import Effect
from des.vocabulary import BY_DEADLINE, BY_HEDGE, CALL, CANCELLED, TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Sequence

INFINITY = float("inf")
NAN = float("nan")


class Request:
    """A user's request and its state so far."""

    __slots__ = (
        "arrival_s",
        "attempts",
        "backoff_s",
        "cost",
        "deadline_s",
        "draw",
        "hangs",
        "id",
        "input_tokens",
        "last",
        "output_tokens",
        "queued_s",
        "refused_by",
        "requirement",
        "retry_after_total_s",
        "round_waits",
        "rounds",
        "units",
        "unrecorded",
        "waiting_since_s",
        "waits",
    )

    def __init__(
        self,
        number: int,
        draw: int,
        arrival_s: float,
        deadline_s: float,
        input_tokens: int,
        output_tokens: int,
        units: float,
        requirement: int,
    ) -> None:
        self.id = number  # -1 for a probe
        self.draw = draw  # the index of all its draws
        self.arrival_s = arrival_s
        self.deadline_s = deadline_s
        self.input_tokens = input_tokens
        self.output_tokens = output_tokens
        self.units = units
        self.requirement = requirement  # index into the workload's requirements; -1 for none
        self.rounds = 0  # rounds begun
        self.round_waits = 0  # waits between rounds, for their draws
        self.attempts = 0
        self.cost = 0  # picodollars
        self.last: Call | None = None
        self.backoff_s = 0.0
        self.queued_s = 0.0  # in the client's own queues
        self.waits = ""  # "backoff", "queue", or empty
        self.waiting_since_s = 0.0
        self.unrecorded = 0  # calls in flight that are not in the trace yet
        self.retry_after_total_s = 0.0  # waited because of Retry-After
        self.refused_by = ""  # the error type if the client itself refused the request
        self.hangs = False  # for ever, so its user sends no more requests

    @classmethod
    def probe(cls, nth: int, now_s: float, marks: tuple[int, int, float, int]) -> "Request":
        """A synthetic request without a number."""
        probe = cls(-1, nth, now_s, INFINITY, *marks)
        probe.rounds = 1
        return probe

    def end_wait(self, now_s: float) -> None:
        """The wait is over, or the run is cut."""
        if self.waits == "backoff":
            self.backoff_s += now_s - self.waiting_since_s
        elif self.waits == "queue":
            self.queued_s += now_s - self.waiting_since_s
        self.waits = ""

    def cut(self, now_s: float) -> None:
        """The run ends here: calls in flight get no row, and a wait is over."""
        if self.last is not None and self.last.end_s > now_s:
            self.attempts -= 1
            self.cost -= self.last.cost
        self.attempts -= self.unrecorded
        if self.waiting_since_s <= now_s:
            self.end_wait(now_s)


@dataclass(frozen=True, slots=True)
class RunWindow:
    """A window of a long run, at its own place in time.

    The clock starts at `begin_s` with nothing under way. `timeline` has every incident that is open then or starts
    before `cut_s`; it must end at infinity. Requests that arrive in [`from_s`, `until_s`) count. Those before or after
    are load, which comes until the last that counts has ended. What has not ended at `cut_s` is recorded as in flight.
    """

    timeline: Timeline
    begin_s: float
    from_s: float
    until_s: float
    cut_s: float

    def __post_init__(self) -> None:
        if self.timeline.until_s != INFINITY:
            raise ValueError("the timeline of a window must end at infinity, as nothing is drawn after it")


class Call(NamedTuple):
    """A row of the attempts trace, in codes. `end_s` is infinite for a call that can never end."""

    request_id: int  # -1 for a probe
    attempt: int
    round: int
    leg: int
    start_s: float
    end_s: float
    outcome: int
    cause: int  # -1 for none
    cause_id: int  # the incident or limit; -1 for none
    retry_after_s: float  # NaN where the provider sends none
    cost: int  # picodollars
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    kind: int = CALL  # or HEDGE; probes are known by their request


# A named tuple's own constructor is a Python call: for the four records of each attempt, a tenth of a run.
as_call = cast("Callable[[tuple[Any, ...]], Call]", partial(tuple.__new__, Call))
"""A `Call` of the values of its fields, in order."""


class Failure(NamedTuple):
    """How a provider fails a call that the client does not abandon before."""

    outcome: int
    cause: int
    cause_id: int
    after_s: float  # infinite for a hang
    retry_after_s: float = NAN  # NaN where the provider sends none


as_failure = cast("Callable[[tuple[int, int, int, float, float]], Failure]", partial(tuple.__new__, Failure))
"""A `Failure` of the values of its fields, in order."""


class Response(NamedTuple):
    """When the parts of a response come, in seconds into the call, and what becomes of it.

    All but the connection come after `queued_s`, the wait in the endpoint's queue.
    """

    outcome: int
    connect_s: float
    first_token_s: float
    gap_s: float  # between two tokens; 0 for a whole response
    end_s: float  # or the instant at which the stream breaks
    unbroken_s: float  # the end if the stream had not broken
    tokens_per_s: float  # 0 for a whole response
    queued_s: float = 0.0


as_response = cast(
    "Callable[[tuple[int, float, float, float, float, float, float, float]], Response]",
    partial(tuple.__new__, Response),
)
"""A `Response` of the values of its fields, in order."""


class NaturalEnd(NamedTuple):
    """How a call ends that nothing cuts off."""

    outcome: int
    lasts_s: float
    output_tokens: int


class Condition:
    """The incidents open at an endpoint, by number. None instead of a condition means no incident."""

    __slots__ = ("effects", "error_rates", "factor", "hang_shares", "hangs", "incidents", "is_outage")

    def __init__(self, incidents: "Sequence[int]", effects: "Sequence[Effect]") -> None:
        self.incidents = tuple(incidents)
        self.effects = tuple(effects)
        self.hang_shares = tuple(effect.hang for effect in effects)
        self.error_rates = tuple(effect.error_rate for effect in effects)
        self.hangs = any(self.hang_shares)
        self.is_outage = any(effect.outage for effect in effects)
        self.factor = 1.0
        for effect in effects:
            self.factor *= effect.latency_factor

    def slowest(self) -> int:
        """The incident that slows responses most, the first of equals."""
        factors = [effect.latency_factor for effect in self.effects]
        return self.incidents[factors.index(max(factors))]


class Fate(NamedTuple):
    """What a provider does with a call that nothing cuts off: a failure or a response."""

    request: Request
    nth: int  # number among the request's calls of the leg, for its draws
    attempt: int  # number among all calls of the request
    start_s: float
    failure: Failure | None
    response: Response | None
    condition: Condition | None  # of the endpoint at the start of the call
    is_warm: bool  # the leg's prompt cache at the start of the call


as_fate = cast(
    "Callable[[tuple[Request, int, int, float, Failure | None, Response | None, Condition | None, bool]], Fate]",
    partial(tuple.__new__, Fate),
)
"""A `Fate` of the values of its fields, in order."""


@dataclass(slots=True, eq=False)
class Bound:
    """An instant at which the layer that set it abandons a call and every layer in between."""

    until_s: float
    outcome: int
    cause: int  # -1 for none
    layer: object = None  # whose timeout it is; None for the request's deadline
    is_whole: bool = False  # bounds the layer with all its attempts, else one attempt


def deadline(until_s: float) -> Bound:
    """The request's own bound, outside all others."""
    return Bound(until_s, CANCELLED, BY_DEADLINE)


def timeout(until_s: float, layer: object = None, *, is_whole: bool = False) -> Bound:
    return Bound(until_s, TIMEOUT, -1, layer, is_whole)


def lost_race(until_s: float) -> Bound:
    """The end of a hedged call after another copy has won."""
    return Bound(until_s, CANCELLED, BY_HEDGE)


UNBOUNDED = deadline(INFINITY)

REFUSED = -1
"""The outcome of an attempt that the client itself refused."""
NEVER_ENDS = -2
"""The outcome of an attempt that never ends: a call that hangs, or a wait for the place of such a call."""


class Result(NamedTuple):
    """How an attempt has ended, for the layer around it.

    `outcome` is an outcome kind, `REFUSED` or `NEVER_ENDS`; around the whole walk it is a request outcome. The
    following wait uses the draws of the `nth` call of `leg`. If `struck` is set, this bound has cut the attempt off.
    """

    outcome: int
    retry_after_s: float = NAN
    leg: int = -1  # -1 for none
    nth: int = 0
    struck: Bound | None = None


as_result = cast("Callable[[tuple[int, float, int, int, Bound | None]], Result]", partial(tuple.__new__, Result))
"""A `Result` of the values of its fields, in order."""


def cut_off(by: Bound) -> Result:
    """The result of an attempt that a bound has cut off during a wait."""
    return Result(by.outcome, struck=by)
