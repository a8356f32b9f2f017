"""What the client does, resolved: groups, legs and layers of retries, with everything that they inherit.

Outcomes stand here as codes of outcome kinds: the position in `ATTEMPT_OUTCOMES`, or 9 and its position in
`Plan.statuses` for an outcome of another HTTP status than its usual one. So do those of the settings in a plan.
"""

from dataclasses import dataclass

from des.scenario.schema.guards import Guard, Probes
from des.scenario.schema.load_control import (
    ORDERED,
    AdaptiveThrottling,
    Bulkhead,
    Hedge,
    Ramp,
    RetryBudget,
    Routing,
    Shaping,
)
from des.scenario.schema.retries import IGNORED, NO_BACKOFF, Backoff, RetryAfter


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRule:
    """Up to `retries` further attempts after outcomes of `retry_on`; a layer that repeats what lies within.

    Of the application, `retry_on` has codes of `REQUEST_OUTCOMES` instead. `timeout_s` bounds the layer with all its
    attempts and waits, `attempt_timeout_s` each attempt; cut off, either ends as a timeout.
    """

    retries: int = 0
    retry_on: frozenset[int] = frozenset()
    backoff: Backoff = NO_BACKOFF
    throttled_backoff: Backoff | None = None  # after rate_limited and overloaded, if another
    retry_after: RetryAfter = IGNORED
    waits_after_last: bool = False  # a wait also follows the last failed attempt
    waits_with_healthy_peer: bool = True  # False: none while another leg of the group admits
    timeout_s: float | None = None
    attempt_timeout_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Legs that are tried as one entry of the chain; a leg by itself is a group of one."""

    index: int  # its position in the chain
    name: str
    legs: tuple[int, ...]
    routing: Routing = ORDERED
    retry: RetryRule = RetryRule()
    fallback_on: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class LegClient:
    """How the client calls one leg; with the defaults, as the plain walk does."""

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
    tier: int = 1  # of its group: picked only while no leg of a lower tier admits
    rpm: float | None = None  # requests a minute; for routing alone
    tpm: float | None = None  # tokens a minute; for routing alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """What the client does, leg by leg and entry by entry. Rounds and their back-off are the policy's."""

    groups: tuple[Group, ...] = ()  # in the order of the chain
    legs: tuple[LegClient, ...] = ()  # by the index of the leg
    application: RetryRule | None = None  # around the whole walk
    retry_budgets: tuple[RetryBudget, ...] = ()
    shapings: tuple[Shaping, ...] = ()
    order: Routing = ORDERED  # of the groups
    fallback_depth: int | None = None  # groups tried after the first, at most
    plain: bool = False  # whether `chain` and `policy` alone say all of it
