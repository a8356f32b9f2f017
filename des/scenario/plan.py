"""The resolved scenario of one arm: frozen, flat and in base units (seconds, USD, shares, tokens).

Everything a run needs stands here: names are replaced by indices, intent by laws, catalogue look-ups by prices,
files by their contents. Components come in the order: declared components, common causes, providers, models; an
endpoint's component is its model's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from des.distributions import Constant, Distribution
from des.scenario.plan_client import Client as Client
from des.scenario.plan_client import Group as Group
from des.scenario.plan_client import LegClient as LegClient
from des.scenario.plan_client import RetryRule as RetryRule
from des.scenario.plan_limits import Capacity as Capacity
from des.scenario.plan_limits import Limit as Limit
from des.scenario.schema.calls import UNBOUNDED as UNBOUNDED
from des.scenario.schema.calls import PromptCache as PromptCache
from des.scenario.schema.calls import ResponseCache as ResponseCache
from des.scenario.schema.calls import ShareCache as ShareCache
from des.scenario.schema.calls import SilentRot as SilentRot
from des.scenario.schema.calls import Timeout as Timeout
from des.scenario.schema.calls import ZipfCache as ZipfCache
from des.scenario.schema.guards import Breaker as Breaker
from des.scenario.schema.guards import ConsecutiveBreaker as ConsecutiveBreaker
from des.scenario.schema.guards import Cooldown as Cooldown
from des.scenario.schema.guards import CountWindowBreaker as CountWindowBreaker
from des.scenario.schema.guards import Ejection as Ejection
from des.scenario.schema.guards import Guard as Guard
from des.scenario.schema.guards import Probes as Probes
from des.scenario.schema.guards import TimeWindowBreaker as TimeWindowBreaker
from des.scenario.schema.load_control import ActiveBudget as ActiveBudget
from des.scenario.schema.load_control import AdaptiveThrottling as AdaptiveThrottling
from des.scenario.schema.load_control import Bulkhead as Bulkhead
from des.scenario.schema.load_control import Hedge as Hedge
from des.scenario.schema.load_control import QuotaBudget as QuotaBudget
from des.scenario.schema.load_control import Ramp as Ramp
from des.scenario.schema.load_control import RatioBudget as RatioBudget
from des.scenario.schema.load_control import RetryBudget as RetryBudget
from des.scenario.schema.load_control import Routing as Routing
from des.scenario.schema.load_control import Shaping as Shaping
from des.scenario.schema.load_control import ThrottleBudget as ThrottleBudget
from des.scenario.schema.retries import NO_BACKOFF as NO_BACKOFF
from des.scenario.schema.retries import Backoff as Backoff
from des.scenario.schema.retries import RetryAfter as RetryAfter

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Profile:
    """Relative rate by hour of the week (168 values, mean 1, Monday 00:00 UTC first).

    `offset_s` is how far into the week the scenario starts.
    """

    weights: tuple[float, ...]
    offset_s: float = 0.0


# Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class PoissonArrivals:
    """Arrivals at a mean rate, even or by hour of the week."""

    rate_per_s: float
    profile: Profile | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BurstyArrivals:
    """Superposed clients, each with gamma inter-arrival times of the given coefficient of variation.

    `rate_per_s` is of all clients together; a profile warps time, so that bursts follow it.
    """

    rate_per_s: float
    cv: float
    clients: int = 1
    profile: Profile | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchArrivals:
    """`size` requests at once at `first_s` and every `every_s` after it."""

    every_s: float
    size: int
    first_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedArrivals:
    """Users who think, send a request, wait for its end and think again; everybody starts by thinking."""

    users: int
    think: Distribution


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayedArrivals:
    """Recorded arrivals: `arrival_s` sorted, from 0, already stretched; repeated every `period_s` when looped."""

    arrival_s: FloatArray
    input_tokens: IntArray | None
    output_tokens: IntArray | None
    period_s: float | None


Arrivals = PoissonArrivals | BurstyArrivals | BatchArrivals | ClosedArrivals | ReplayedArrivals


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """A share of the requests may only use legs that carry all of these tags."""

    share: float
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """What is asked. Tokens are of each request and its answer; `units` (images, seconds, ...) are what is priced."""

    arrivals: Arrivals
    input_tokens: Distribution = Constant(0.0)
    output_tokens: Distribution = Constant(0.0)
    units: Distribution = Constant(1.0)
    requirements: tuple[Requirement, ...] = ()


# Components and their incidents


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What an incident does to calls; `error_latency` is in seconds, rates are shares of one.

    `outcome` is an attempt outcome other than ok.
    """

    error_rate: float = 1.0
    outcome: str = "server_error"
    error_latency: Distribution = Constant(0.2)
    hang: float = 0.0
    latency_factor: float = 1.0
    kills_in_flight: bool = False
    status: int | None = None  # the HTTP status of its failures, if not the outcome's usual one

    @property
    def outage(self) -> bool:
        return self.error_rate >= 1.0


class _OfOneEffect:
    """Incident classes whose every incident does the same."""

    __slots__ = ()
    effect: Effect

    @property
    def every_effect(self) -> tuple[Effect, ...]:
        """What its incidents do, at the positions that timelines draw."""
        return (self.effect,)


@dataclass(frozen=True, slots=True, kw_only=True)
class PoissonIncidents(_OfOneEffect):
    """The shock ledger: incidents start as a Poisson process and may overlap."""

    rate_per_s: float
    duration: Distribution
    effect: Effect
    profile: Profile | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalIncidents(_OfOneEffect):
    """Alternating up and down times."""

    up: Distribution
    down: Distribution
    effect: Effect


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedRenewalIncidents(_OfOneEffect):
    """A law from start to start and a law of duration; incidents may overlap."""

    between: Distribution
    duration: Distribution
    effect: Effect


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedIncidents:
    """Fixed windows, written in the scenario (`schedule`) or read from a file (`replay`), sorted by start."""

    kind: str
    start_s: tuple[float, ...]
    end_s: tuple[float, ...]
    effects: tuple[Effect, ...]  # one a window

    @property
    def every_effect(self) -> tuple[Effect, ...]:
        """What its incidents do, at the positions that timelines draw: one a window."""
        return self.effects


IncidentClass = PoissonIncidents | RenewalIncidents | MarkedRenewalIncidents | RecordedIncidents


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """A component (its index) of whose incidents a share, one draw an incident, reaches who depends on it."""

    component: int
    share: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """Anything that can fail, with its own incidents; those of what it depends on reach it besides."""

    index: int
    name: str  # "cdn", "common_cause", "anthropic", "anthropic/claude-sonnet-4-6"
    kind: str  # "component", "provider" or "model"
    incidents: tuple[IncidentClass, ...] = ()
    depends_on: tuple[Dependency, ...] = ()


# Endpoints


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """A response time: `whole` alone, or connect + first token + output tokens / speed."""

    whole: Distribution | None = None
    connect: Distribution | None = None
    first_token: Distribution | None = None
    tokens_per_s: Distribution | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomError:
    """A share of calls that fail at random: an attempt outcome other than ok, or `hang`."""

    outcome: str
    rate: float
    latency: Distribution = Constant(0.2)
    status: int | None = None  # HTTP, if not the outcome's usual one


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenStreams:
    """A share of responses that break after a share of their output (a connection error, partly billed)."""

    rate: float
    after: Distribution = Constant(0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """USD; `cached_input` and `cache_write` equal `input` where a provider has no such price."""

    input_per_token: float = 0.0
    cached_input_per_token: float = 0.0
    cache_write_per_token: float = 0.0
    output_per_token: float = 0.0
    per_request: float = 0.0
    per_unit: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A model of a provider. `component` and `limits` are indices into the plan's."""

    index: int
    provider: str
    model: str
    component: int
    latency: Latency
    errors: tuple[RandomError, ...] = ()
    broken_streams: BrokenStreams | None = None
    limits: tuple[int, ...] = ()
    capacity: int | None = None  # index into Plan.capacities
    price: Price = field(default_factory=Price)
    billing: Mapping[str, str]  # each attempt outcome and "broken_stream" -> none, input, partial, full
    quality: float | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


# Chain and policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """An entry of the chain, or of a group of it: calls of one endpoint (its index).

    `retry_on` and `fallback_on` hold attempt outcomes; `invalid_output` is a share of complete responses.
    """

    index: int
    name: str
    endpoint: int
    timeout: Timeout = UNBOUNDED
    retries: int = 0
    retry_on: frozenset[str]
    fallback_on: frozenset[str]
    invalid_output: float = 0.0
    prompt_cache: PromptCache | None = None
    silent_rot: SilentRot | None = None
    tags: Mapping[str, str] = field(default_factory=dict)  # the provider's, the model's and its own
    limits: tuple[int, ...] = ()  # the client's budgets; those of the provider are the endpoint's
    position: int = -1  # of its group in the chain; the leg's own index where nothing is said

    def __post_init__(self) -> None:
        if self.position < 0:
            object.__setattr__(self, "position", self.index)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the plain walk does for every leg alike; None is no deadline and no cache."""

    rounds: int = 1
    retry_backoff: Backoff = NO_BACKOFF
    round_backoff: Backoff = NO_BACKOFF
    honour_retry_after: bool = False
    deadline_s: float | None = None
    response_cache: ResponseCache | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Surge:
    """Somebody else's failover: while every endpoint of `when` is down, attempts at `to` meet a crowd.

    An attempt is overloaded with probability max(0, 1 - capacity / (external + own load)), the external load being
    `load` times the capacity: 1 - 1 / load, unless `capacity_per_s` is given to count the own attempts against.
    """

    when: tuple[int, ...]  # endpoints
    to: tuple[int, ...]  # endpoints
    load: float
    capacity_per_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One arm, ready to run."""

    arm: str
    horizon_s: float
    start: str | None  # ISO 8601, UTC
    seed: int
    start_up: bool  # every component starts up, instead of in equilibrium
    drain_s: float | None  # cut this long after the horizon; None runs until every request has ended
    workload: Workload
    components: tuple[Component, ...]
    endpoints: tuple[Endpoint, ...]
    limits: tuple[Limit, ...]
    chain: tuple[Leg, ...]
    policy: Policy
    shared: float = 1.0  # phi, the share of the shared incidents left common: 1 as modelled, 0 the independent twin
    surges: tuple[Surge, ...] = ()
    capacities: tuple[Capacity, ...] = ()
    statuses: tuple[tuple[str, int], ...] = ()  # (outcome, status) of the outcome kinds from code 9 on
    client: Client = field(default_factory=lambda: Client(plain=True))
