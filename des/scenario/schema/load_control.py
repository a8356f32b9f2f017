"""How a client distributes, limits or adds load: routing, hedges, queues, budgets, ramps."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from des.scenario.schema.guards import AnyBreaker, Cooldown, Ejection, Probes
from des.scenario.schema.own_classes import OwnKind
from des.scenario.schema.own_rules import OwnRouting
from des.scenario.schema.retries import AnyClient
from des.scenario.schema.setting import BelongsTo, Flag, OrNone, Setting, Shorthand, WorkedOut, contradiction, scalar_as
from des.scenario.text.quantities import (
    Amount,
    Count,
    FrequentRate,
    Positive,
    PositiveCount,
    PositiveDuration,
    Ratio,
    Share,
)

_Scope = Literal["chain", "leg"]
_RoutingKind = Literal["ordered", "round_robin", "weighted", "cheapest", "least_latency", "least_busy", "usage_based"]


class Routing(Setting):
    """How one of several legs or entries is picked."""

    kind: _RoutingKind
    """In the order: as written; in turn; at random by weight, rpm or tpm; lowest price of a success; lowest mean of the
    latest latencies; fewest calls in progress; fewest tokens in the current clock minute.
    """
    buffer: Annotated[Ratio, BelongsTo("kind", ("least_latency",))] = 0.0
    """For least_latency: picks at random among legs at most this share slower than the fastest; 0 by default."""
    samples: Annotated[PositiveCount, BelongsTo("kind", ("least_latency",))] = 10
    """For least_latency: number of latest calls averaged; 10 by default."""
    choices: Annotated[PositiveCount | None, BelongsTo("kind", ("least_busy",))] = None
    """For least_busy: the best of this number of legs drawn at random; all legs by default."""
    once: Flag = False
    """Whether a leg is picked once per visit to the group, so that retries stay with it."""
    own: WorkedOut[OwnRouting | None] = None
    """The class of a user that picks, in place of all the others."""

    @model_validator(mode="after")
    def _picks(self) -> Self:
        if self.once and self.kind == "round_robin":
            raise contradiction("round_robin sends retries to the next leg: leave out once", "once")
        return self


def _own_routing(own: OwnRouting) -> Routing:
    return Routing(kind=own.kind_name(), samples=own.samples, own=own)


AnyRouting = Annotated[
    Routing, OwnKind(OwnRouting, _own_routing), scalar_as("kind", {"enum": list(_RoutingKind.__args__)})
]
ORDERED = Routing(kind="ordered")


class Hedge(Setting):
    """A further copy of a call that has not been answered after a delay; the first success wins."""

    after_s: PositiveDuration
    """Time without an answer before the next copy is sent."""
    at_most: Annotated[PositiveCount, Field(le=100)] = 1
    """Largest number of further copies, each sent `after` later than the one before."""
    loser: Literal["cancel", "run"] = "cancel"
    """What happens to the other copies once one has succeeded."""
    billed: Annotated[Flag, BelongsTo("loser", ("cancel",))] = True
    """Whether a cancelled copy is billed like outcome `cancelled`."""
    to: Literal["same", "next"] = "same"
    """Leg that receives the copies: the same one, or the next."""


class Shaping(Setting):
    """The client's own token bucket of calls, with a queue before it."""

    rate_per_s: FrequentRate
    """Calls per time that the bucket admits, such as 50/s."""
    burst: Annotated[Positive, Field(ge=1.0)] = 1.0
    """Number of calls that may be sent at once."""
    queue: Count | None = None
    """Number of calls that may wait."""
    max_wait_s: PositiveDuration | None = None
    """Longest wait of a call in the queue; no bound by default."""
    scope: _Scope = "chain"
    """One bucket for all legs, or one for each."""

    @model_validator(mode="after")
    def _bounds_its_queue(self) -> Self:
        if self.queue is None and self.max_wait_s is None:
            raise contradiction("the queue is unbounded: give queue: 100 or max_wait: 10s")
        if self.queue == 0 and self.max_wait_s is not None:
            raise contradiction("max_wait needs a queue, and queue is 0: leave out one of the two", "max_wait")
        return self


class Bulkhead(Setting):
    """A limit on concurrent calls of a leg, with a queue."""

    concurrent: PositiveCount
    """Largest number of calls in progress."""
    queue: Count = 0
    """Number of calls that may wait."""
    max_wait_s: PositiveDuration | None = None
    """Longest wait of a call in the queue; required with a queue."""
    refuses_as: Literal["client_limit", "rate_limited"] = "client_limit"
    """What happens to a call that finds no place. `client_limit`: it goes to the next leg of the group.
    `rate_limited`: it fails like a 429, so it is retried and falls back.
    """

    @model_validator(mode="after")
    def _bounds_its_queue(self) -> Self:
        if self.queue and self.max_wait_s is None:
            raise contradiction("calls that hang would block the queue forever: give max_wait: 1s", "queue")
        if not self.queue and self.max_wait_s is not None:
            raise contradiction("max_wait needs a queue, such as queue: 10", "max_wait")
        return self


class _RetryBudget(Setting):
    """A limit on retries over all requests."""

    scope: _Scope = "chain"
    """One budget for all legs, or one for each."""


class ActiveBudget(_RetryBudget):
    """Limits retries in progress to a share of the requests in progress, as in Envoy."""

    kind: Literal["active"]
    """`active`: a share of the requests in progress may be retries."""
    share: Share
    """Largest share of the requests in progress that may be retries."""
    minimum: Count = 3
    """Number of retries that are always allowed."""

    @model_validator(mode="after")
    def _allows_some(self) -> Self:
        _refuse_nothing(self.share, self.minimum)
        return self


class RatioBudget(_RetryBudget):
    """Each request deposits a fraction of a retry, which expires after a time, as in Finagle."""

    kind: Literal["ratio"]
    """`ratio`: requests deposit fractions of a retry, which expire."""
    share: Share
    """Retries that each request deposits."""
    per_second: Amount = 0.0
    """Retries per second deposited in addition."""
    ttl_s: PositiveDuration
    """How long a deposit lasts."""

    @model_validator(mode="after")
    def _allows_some(self) -> Self:
        _refuse_nothing(self.share, self.per_second)
        return self


def _refuse_nothing(share: float, besides: float) -> None:
    if share <= 0.0 and besides <= 0.0:
        raise contradiction("this budget allows no retries: leave out the retries instead", "share")


class QuotaBudget(_RetryBudget):
    """A quota that retries take from and successes refill, as in the AWS SDKs."""

    kind: Literal["quota"]
    """`quota`: retries take from a quota, successes refill it."""
    capacity: Positive
    """Size of the quota, which starts full."""
    retry_cost: Positive
    """What a retry takes from the quota."""
    throttle_cost: Positive = Field(default_factory=lambda said: said.get("retry_cost"))
    """Cost of a retry after rate_limited or overloaded; retry_cost by default."""
    success: Amount = 1.0
    """What a success without retries returns. A success after a retry returns what the retry took."""

    @model_validator(mode="after")
    def _affords_a_retry(self) -> Self:
        for field in ("retry_cost", "throttle_cost"):
            if getattr(self, field) > self.capacity:
                raise contradiction("a retry costs more than the whole capacity", field)
        return self


class ThrottleBudget(_RetryBudget):
    """A bucket from which each failure takes a token. At half of it or less there are no retries, as in gRPC."""

    kind: Literal["throttle"]
    """`throttle`: failures take tokens, successes add some; at half or less there are no retries."""
    max_tokens: Positive
    """Tokens in a full bucket; it starts full."""
    token_ratio: Positive
    """Tokens that a success adds."""


class BucketBudget(_RetryBudget):
    """A bucket, initially full. Each request adds a fraction of a token, each retry takes one token."""

    kind: Literal["bucket"]
    """`bucket`: requests fill a bucket that retries empty."""
    capacity: Annotated[Positive, Field(ge=1.0)]
    """Tokens in a full bucket."""
    deposit: Annotated[Positive, Field(le=1.0)]
    """Tokens that a request adds, whatever its outcome."""


RetryBudget = ActiveBudget | RatioBudget | QuotaBudget | ThrottleBudget | BucketBudget


class AdaptiveThrottling(Setting):
    """The client refuses more of its own calls as the provider accepts fewer (Google SRE)."""

    k: Annotated[Positive, Field(ge=1.0)] = 2.0
    """Calls sent for each accepted call before the client starts to refuse."""
    window_s: PositiveDuration = 120.0
    """Window over which requests and accepted calls are counted; 2 min by default."""


class Ramp(Setting):
    """A failover starts with a share of the calls and grows to all of them. The client refuses the others."""

    start: Share
    """Share of the calls admitted when the failover begins."""
    over_s: PositiveDuration
    """Time in which the share grows linearly to all calls."""
    reset_after_s: PositiveDuration
    """The ramp starts again after this long without a call."""

    @model_validator(mode="after")
    def _grows(self) -> Self:
        if self.start >= 1.0:
            raise contradiction("a ramp that starts at 100 % has no effect: start lower", "start")
        return self


class CallSettings(Setting):
    """How the client treats the calls of a leg. The policy sets it for all legs, an entry of the chain for its own.

    Each may be `none`, which removes what the policy or a preset sets. `clients: []` does the same.
    """

    breaker: OrNone[AnyBreaker] | None = None
    """Circuit breaker of each leg."""
    cooldown: OrNone[Cooldown] | None = None
    """LiteLLM's cooldown of failing legs."""
    ejection: OrNone[Ejection] | None = None
    """Outlier ejection from a group."""
    hedge: OrNone[Hedge] | None = None
    """Further copies of slow calls."""
    probes: OrNone[Probes] | None = None
    """Health probes of each leg."""
    shaping: OrNone[Shaping] | None = None
    """The client's own rate limit, with a queue."""
    bulkhead: OrNone[Bulkhead] | None = None
    """Limit on concurrent calls of a leg."""
    retry_budget: OrNone[Annotated[RetryBudget, Field(discriminator="kind")]] | None = None
    """Limit on retries over all requests."""
    adaptive_throttling: OrNone[AdaptiveThrottling] | None = None
    """Refusals by the client while the provider refuses many calls."""
    ramp: OrNone[Ramp] | None = None
    """A failover that starts with a share of the calls. In the policy it applies to all entries but the first."""
    clients: (
        Annotated[tuple[AnyClient, ...], Shorthand(lambda value: () if value == "none" else value, {"const": "none"})]
        | None
    ) = None
    """Clients inside each attempt, outermost first."""
