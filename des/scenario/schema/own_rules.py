"""The bases of classes that users write: what each decides, what it is told, and the state that it keeps in a run.

A class is a setting: its fields are read from the scenario and never change. What changes during a run is in the object
that `start` returns, one for each replication and each place where the class stands.
"""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

from des.scenario.schema.own_classes import OwnClass, number_from

if TYPE_CHECKING:
    import numpy as np


class Draws:
    """The random numbers of one class in one replication, by purpose.

    They depend on the seed, the replication, the place where the class stands and the purpose, and on nothing else.
    """

    __slots__ = ("_generator",)

    def __init__(self, generator: "Callable[[str, int], np.random.Generator]") -> None:
        self._generator = generator

    def generator(self, purpose: str, block: int = 0) -> "np.random.Generator":
        """A generator that always begins anew: ask for one block after the other to draw on."""
        return self._generator(purpose, block)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """What a back-off is told of the retry, or of the round, that it delays."""

    number: int
    """How many retries (or rounds) came before it on this entry: 0 for the first."""
    u: float
    """A uniform draw of this retry, in [0, 1)."""
    previous_s: float
    """The wait before this one; 0 at first."""
    outcome: str | None
    """How the attempt failed; None between rounds, after which any leg may have failed."""
    retry_after_s: float | None
    """The Retry-After that came with the failure."""


class OwnBackoff(OwnClass):
    """How long to wait before another attempt, and whether to make one at all."""

    @abstractmethod
    def wait_s(self, retry: Retry) -> float:
        """The wait in seconds; infinity for no further attempt."""

    def usual_wait_s(self, number: int, u: float = 0.5) -> float:
        """The wait after a server error, at the median draw by default; 0 where there is no further attempt."""
        retry = Retry(number=number, u=u, previous_s=0.0, outcome="server_error", retry_after_s=None)
        wait_s = self.checked_wait_s(retry)
        return 0.0 if wait_s == float("inf") else wait_s

    def checked_wait_s(self, retry: Retry) -> float:
        """Raises RunError for a wait that is no number of at least 0."""
        return number_from(self, "wait_s", self.called("wait_s", retry), finite=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A leg that may take a call, and what the client has seen of it."""

    name: str
    provider: str
    model: str
    tags: Mapping[str, str]
    weight: float
    busy: int
    """Calls in progress."""
    mean_latency_s: float
    """Mean of the latest latencies, each divided by its output tokens if there are any; 0 without any."""
    requests: int
    """Calls begun in the current clock minute."""
    tokens: int
    """Tokens of calls that ended well in the current clock minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """One choice among several legs."""

    legs: Sequence[Candidate]
    """Those that admit, in the order of the chain."""
    u: float
    """A uniform draw of this pick, in [0, 1)."""
    now_s: float
    request: int
    """Number of the request."""
    nth: int
    """How many picks this request made here before."""
    input_tokens: int


class OwnRouting(OwnClass):
    """Which of several legs takes a call."""

    samples: ClassVar[int] = 10
    """Number of latest calls of which a candidate's latency is the mean."""

    def start(self) -> Callable[[Pick], int]:
        """What picks in one replication; `pick` itself for a rule without state."""
        return self.pick

    def pick(self, pick: Pick) -> int:
        """The position in `pick.legs` of the leg that takes the call."""
        raise NotImplementedError(f"{self.kind_name()} has neither pick nor start")


class LimiterState(Protocol):
    """The state of a limit. An amount is 1 for a limit on requests, else a number of tokens."""

    def admits(self, amount: float, now_s: float) -> bool:
        """Whether a call of this amount is let in now."""

    def take(self, amount: float, now_s: float) -> None:
        """A call of this amount has come, let in or not, where its limit counts it."""

    def retry_after_s(self, amount: float, now_s: float) -> float:
        """Seconds after which a call refused now would be let in if no other came; infinity if never."""


class OwnLimiter(OwnClass):
    """How a rate limit counts: stands as `algorithm` beside the rates. Every call counts as it is sent."""

    @abstractmethod
    def start(self, rate_per_s: float, burst: float) -> LimiterState:
        """The state of a limit of `rate_per_s` requests or tokens, with its `burst`, at the start of a run."""


class BreakerState(Protocol):
    """The state of one leg's breaker."""

    def admits(self, now_s: float) -> bool:
        """Whether the leg may be called now."""

    def learn(self, outcome: str, retry_after_s: float | None, now_s: float) -> None:
        """A call of the leg has ended so, with this Retry-After if there was one."""


class OwnBreaker(OwnClass):
    """A policy of the client that takes a leg out of use."""

    stops: ClassVar = "calls"
    all_open: ClassVar = "refuse"

    @abstractmethod
    def start(self) -> BreakerState:
        """The state of one leg at the start of a run."""


class OwnDistribution(OwnClass):
    """A distribution, by its quantiles.

    Figures such as its mean, which forecasts and checks use, are those of 4096 quantiles.
    """

    @abstractmethod
    def quantile(self, share: float) -> float:
        """The value that a `share` of the draws do not exceed: seconds, tokens or tokens a second.

        `share` is in [0, 1). Use the functions of `math`, since those of NumPy differ between processors.
        """

    def value_at(self, share: float) -> float:
        """Raises RunError for a value that is no finite number of at least 0."""
        return number_from(self, "quantile", self.called("quantile", share))
