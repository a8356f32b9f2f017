"""The resolved scenario of one arm: frozen, flat and in base units (seconds, USD, shares, tokens).

It holds everything that a run needs. Names are replaced by indices, intent by distributions, catalogue look-ups by
prices, and files by their contents. Settings that need no resolution are the objects of the schema, under the same
names.
Components come in the order: declared components, common causes, providers, models; an endpoint's component is its
model's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from des.distributions import Constant, Distribution
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
from des.scenario.schema.guards import OwnBreaker as OwnBreaker
from des.scenario.schema.guards import Probes as Probes
from des.scenario.schema.guards import TimeWindowBreaker as TimeWindowBreaker
from des.scenario.schema.incidents import Effect as Effect
from des.scenario.schema.incidents import MarkedRenewalIncidents as MarkedRenewalIncidents
from des.scenario.schema.incidents import OwnIncidents as OwnIncidents
from des.scenario.schema.incidents import PoissonIncidents as PoissonIncidents
from des.scenario.schema.incidents import RenewalIncidents as RenewalIncidents
from des.scenario.schema.limits import Capacity as Served
from des.scenario.schema.limits import MetricLimit
from des.scenario.schema.load_control import ORDERED
from des.scenario.schema.load_control import ActiveBudget as ActiveBudget
from des.scenario.schema.load_control import AdaptiveThrottling as AdaptiveThrottling
from des.scenario.schema.load_control import BucketBudget as BucketBudget
from des.scenario.schema.load_control import Bulkhead as Bulkhead
from des.scenario.schema.load_control import Hedge as Hedge
from des.scenario.schema.load_control import QuotaBudget as QuotaBudget
from des.scenario.schema.load_control import Ramp as Ramp
from des.scenario.schema.load_control import RatioBudget as RatioBudget
from des.scenario.schema.load_control import RetryBudget as RetryBudget
from des.scenario.schema.load_control import Routing as Routing
from des.scenario.schema.load_control import Shaping as Shaping
from des.scenario.schema.load_control import ThrottleBudget as ThrottleBudget
from des.scenario.schema.profiles import Profile as Profile
from des.scenario.schema.providers import BrokenStreams as BrokenStreams
from des.scenario.schema.providers import Latency as Latency
from des.scenario.schema.providers import Price as Price
from des.scenario.schema.providers import RandomError as RandomError
from des.scenario.schema.retries import IGNORED
from des.scenario.schema.retries import NO_BACKOFF as NO_BACKOFF
from des.scenario.schema.retries import Backoff as Backoff
from des.scenario.schema.retries import RetryAfter as RetryAfter
from des.scenario.schema.workload import Arrivals as Arrivals
from des.scenario.schema.workload import BatchArrivals as BatchArrivals
from des.scenario.schema.workload import BurstyArrivals as BurstyArrivals
from des.scenario.schema.workload import ClosedArrivals as ClosedArrivals
from des.scenario.schema.workload import OwnArrivals as OwnArrivals
from des.scenario.schema.workload import PoissonArrivals as PoissonArrivals
from des.scenario.schema.workload import ReplayedArrivals as ReplayedArrivals
from des.scenario.schema.workload import Requirement as Requirement

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]
else:
    FloatArray = IntArray = Any


# Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """The requests. Tokens are those of each request and its response; `units` (images, seconds, ...) are priced."""

    arrivals: Arrivals
    input_tokens: Distribution = Constant(0.0)
    output_tokens: Distribution = Constant(0.0)
    units: Distribution = Constant(1.0)
    requirements: tuple[Requirement, ...] = ()


# Components and their incidents


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedIncidents:
    """Fixed windows, written in the scenario (`schedule`) or read from a file (`replay`), sorted by start."""

    kind: str
    start_s: tuple[float, ...]
    end_s: tuple[float, ...]
    effects: tuple[Effect, ...]  # one per window
    remarks: tuple[str, ...] = field(default=(), compare=False)

    @property
    def every_effect(self) -> tuple[Effect, ...]:
        """The effects of its incidents, by the position that timelines draw: one per window."""
        return self.effects


IncidentClass = PoissonIncidents | RenewalIncidents | MarkedRenewalIncidents | OwnIncidents | RecordedIncidents


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """A component (its index) that something depends on. A share of its incidents, one draw per incident, passes on."""

    component: int
    share: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """Anything that can fail, with its own incidents. Incidents of its dependencies reach it in addition."""

    index: int
    name: str  # "cdn", "common_cause", "anthropic", "anthropic/claude-sonnet-4-6"
    kind: str  # "component", "provider" or "model"
    incidents: tuple[IncidentClass, ...] = ()
    depends_on: tuple[Dependency, ...] = ()


# Endpoints


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit(MetricLimit):
    """A limit, shared by all endpoints (or legs, for a budget) that hold its index."""

    index: int
    name: str  # "anthropic" (account), "anthropic/claude-sonnet-4-6" (model), "shared" (budget); metric: "x tokens"


class Capacity(Served):
    """The number of calls served at once, first come, first served; shared by all endpoints that hold its index."""

    index: int
    name: str
    """As for a limit."""


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
    """An entry of the chain, or of a group of it: calls of one endpoint (its index)."""

    index: int
    name: str
    endpoint: int
    timeout: Timeout = UNBOUNDED
    invalid_output: float = 0.0  # share of complete responses
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
    """Settings that apply to all legs; None is no deadline and no cache."""

    rounds: int = 1
    round_backoff: Backoff = NO_BACKOFF
    deadline_s: float | None = None
    response_cache: ResponseCache | None = None


# The client: groups, legs and layers of retries, with inherited settings


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRule:
    """A layer that repeats what lies inside it: up to `retries` further attempts after outcomes of `retry_on`.

    For the application these are request outcomes. `timeout_s` bounds the layer with all its attempts and waits,
    `attempt_timeout_s` each attempt. When either expires, the result is a timeout.
    """

    retries: int = 0
    retry_on: tuple[str, ...] = ()
    backoff: Backoff = NO_BACKOFF
    throttled_backoff: Backoff | None = None  # after rate_limited and overloaded, if different
    retry_after: RetryAfter = IGNORED
    waits_after_last: bool = False  # a wait also follows the last failed attempt
    waits_with_healthy_peer: bool = True  # False: none while another leg of the group admits
    ends_when_all_out: bool = False  # neither a wait nor a retry once no leg of the entry admits
    timeout_s: float | None = None
    attempt_timeout_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Legs that are tried as one entry of the chain. A leg outside groups is a group of one."""

    index: int  # its position in the chain
    name: str
    legs: tuple[int, ...]
    routing: Routing = ORDERED
    ties_first: bool = False  # among equally busy legs, the first
    retry: RetryRule = RetryRule()
    fallback_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LegClient:
    """How the client calls one leg; by default, directly."""

    leg: int
    inner: tuple[RetryRule, ...] = ()  # layers inside each attempt, outermost first
    guards: tuple[Guard, ...] = ()
    hedge: Hedge | None = None
    probes: Probes | None = None
    shaping: int | None = None  # index into Client.shapings
    bulkhead: Bulkhead | None = None
    throttle: AdaptiveThrottling | None = None
    retry_budget: int | None = None  # index into Client.retry_budgets
    ramp: Ramp | None = None
    weight: float = 1.0  # among its peers; by rpm or tpm where none of them has one
    tier: int = 1  # within its group: picked only while no leg of a lower tier admits
    rpm: float | None = None  # requests a minute; for routing alone
    tpm: float | None = None  # tokens a minute; for routing alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """The client's behaviour by leg and by entry. Rounds and their back-off are in the policy."""

    groups: tuple[Group, ...] = ()  # in the order of the chain
    legs: tuple[LegClient, ...] = ()  # by the index of the leg
    application: RetryRule | None = None  # around the whole walk
    retry_budgets: tuple[RetryBudget, ...] = ()
    shapings: tuple[Shaping, ...] = ()
    order: Routing = ORDERED  # of the groups
    fallback_depth: int | None = None  # groups tried after the first, at most


# The arm


@dataclass(frozen=True, slots=True, kw_only=True)
class Surge:
    """The failover of other customers: while every endpoint of `when` is down, their load moves to `to`.

    An attempt is overloaded with probability max(0, 1 - capacity / (external + own load)). The external load is `load`
    times the capacity. Own attempts count only if `capacity_per_s` is given; otherwise the probability is 1 - 1 / load.
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
    shared: float = 1.0  # phi, the share of common incidents kept common: 1 as modelled, 0 the independent twin
    surges: tuple[Surge, ...] = ()
    capacities: tuple[Capacity, ...] = ()
    statuses: tuple[tuple[str, int], ...] = ()  # (outcome, status) of the outcome kinds from code 9 on
    client: Client = Client()
    assumed: tuple[str, ...] = field(default=(), compare=False)
    """Remarks on what the scenario does not say of the models in its chain."""

    @property
    def remarks(self) -> tuple[str, ...]:
        """Remarks for the user: what is assumed, and what of replayed files is left out, such as late rows."""
        arrivals = self.workload.arrivals
        recorded = (each for component in self.components for each in component.incidents)
        replayed = (each for each in (arrivals, *recorded) if isinstance(each, ReplayedArrivals | RecordedIncidents))
        of_files = (remark for each in replayed for remark in each.remarks)
        return tuple(dict.fromkeys([*self.assumed, *of_files]))


def remarks_of(plans: Mapping[str, Plan]) -> tuple[str, ...]:
    """Remarks for the user about all plans, without repeats."""
    return tuple(dict.fromkeys(remark for plan in plans.values() for remark in plan.remarks))
