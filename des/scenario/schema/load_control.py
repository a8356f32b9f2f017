"""How a client spreads its load, holds it back or adds to it: routing, hedges, queues, budgets, ramps."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from des.scenario.schema.guards import Breaker, Cooldown, Ejection, Probes
from des.scenario.schema.retries import AnyClient
from des.scenario.schema.setting import BelongsTo, Flag, OrNone, Setting, Shorthand, contradiction, scalar_as
from des.scenario.text.units import (
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
    """Which comes first."""

    kind: _RoutingKind
    """As written; in turn; at random by weight, else rpm, else tpm; by the price of a success; by the mean of the last
    latencies; by calls under way; by tokens of the clock minute.
    """
    buffer: Annotated[Ratio, BelongsTo("kind", ("least_latency",))] = 0.0
    """Of least_latency: at random among the legs at most this share slower than the fastest; 0 by default."""
    samples: Annotated[PositiveCount, BelongsTo("kind", ("least_latency",))] = 10
    """Of least_latency: how many last calls count; 10 by default."""
    choices: Annotated[PositiveCount | None, BelongsTo("kind", ("least_busy",))] = None
    """Of least_busy: the best of this number drawn; of all by default."""
    once: Flag = False
    """Whether a group is picked from once a visit, so that its retries stay with that leg."""

    @model_validator(mode="after")
    def _picks(self) -> Self:
        if self.once and self.kind == "round_robin":
            raise contradiction("round_robin has retries go to the next leg", "once")
        return self


AnyRouting = Annotated[Routing, scalar_as("kind", {"enum": list(_RoutingKind.__args__)})]
ORDERED = Routing(kind="ordered")


class Hedge(Setting):
    """Another copy of a call that has not answered by then; the first success wins."""

    after_s: PositiveDuration
    at_most: Annotated[PositiveCount, Field(le=100)] = 1
    """Further copies, each `after` later than the one before."""
    loser: Literal["cancel", "run"] = "cancel"
    """What becomes of the other copies."""
    billed: Annotated[Flag, BelongsTo("loser", ("cancel",))] = True
    """Whether a cancelled copy is billed, as `cancelled` is."""
    to: Literal["same", "next"] = "same"
    """The leg that is called again."""


class Shaping(Setting):
    """The client's own token bucket of calls, with a queue before it."""

    rate_per_s: FrequentRate
    burst: Annotated[Positive, Field(ge=1.0)] = 1.0
    """Calls that may go at once."""
    queue: Count | None = None
    """Calls that may wait."""
    max_wait_s: PositiveDuration | None = None
    scope: _Scope = "chain"
    """One bucket for all legs, or one for each."""

    @model_validator(mode="after")
    def _bounds_its_queue(self) -> Self:
        if self.queue is None and self.max_wait_s is None:
            raise contradiction("a queue without an end: give queue: 100 or max_wait: 10s")
        if self.queue == 0 and self.max_wait_s is not None:
            raise contradiction("where nobody may wait (queue: 0) there is no max_wait", "max_wait")
        return self


class Bulkhead(Setting):
    """At most this number of calls of a leg under way at once, and a queue before them."""

    concurrent: PositiveCount
    queue: Count = 0
    """Calls that may wait."""
    max_wait_s: PositiveDuration | None = None

    @model_validator(mode="after")
    def _bounds_its_queue(self) -> Self:
        if self.queue and self.max_wait_s is None:
            raise contradiction("calls that hang would keep the queue for ever: give max_wait: 1s", "queue")
        if not self.queue and self.max_wait_s is not None:
            raise contradiction("where nobody may wait (no queue) there is no max_wait", "max_wait")
        return self


class _RetryBudget(Setting):
    """What retries may come to, over all requests."""

    scope: _Scope = "chain"
    """One budget for all legs, or one for each."""


class ActiveBudget(_RetryBudget):
    """Retries under way are at most a share of the requests under way, as in Envoy."""

    kind: Literal["active"]
    share: Share
    minimum: Count = 3
    """Retries that are always allowed."""

    @model_validator(mode="after")
    def _allows_some(self) -> Self:
        _refuse_nothing(self.share, self.minimum)
        return self


class RatioBudget(_RetryBudget):
    """Each request deposits a share of a retry, for a while, as in Finagle."""

    kind: Literal["ratio"]
    share: Share
    per_second: Amount = 0.0
    """Retries deposited anyway."""
    ttl_s: PositiveDuration
    """How long a deposit lasts."""

    @model_validator(mode="after")
    def _allows_some(self) -> Self:
        _refuse_nothing(self.share, self.per_second)
        return self


def _refuse_nothing(share: float, besides: float) -> None:
    if share <= 0.0 and besides <= 0.0:
        raise contradiction("a budget of nothing: leave out the retries instead", "share")


class QuotaBudget(_RetryBudget):
    """A quota that retries take from and successes give back to, as in the SDKs of AWS."""

    kind: Literal["quota"]
    capacity: Positive
    retry_cost: Positive
    throttle_cost: Positive = Field(default_factory=lambda said: said.get("retry_cost"))
    """Of a retry after rate_limited or overloaded; retry_cost by default."""
    success: Amount = 1.0
    """What a success without retries gives; one after a retry gives back what that took."""

    @model_validator(mode="after")
    def _affords_a_retry(self) -> Self:
        for field in ("retry_cost", "throttle_cost"):
            if getattr(self, field) > self.capacity:
                raise contradiction("a retry costs more than the whole capacity", field)
        return self


class ThrottleBudget(_RetryBudget):
    """A bucket that failures take a token from; half empty, there are no retries, as in gRPC."""

    kind: Literal["throttle"]
    max_tokens: Positive
    token_ratio: Positive
    """Tokens that a success gives."""


RetryBudget = ActiveBudget | RatioBudget | QuotaBudget | ThrottleBudget


class AdaptiveThrottling(Setting):
    """The client itself refuses the more, the fewer of its calls are accepted (Google SRE)."""

    k: Annotated[Positive, Field(ge=1.0)] = 2.0
    """Calls sent for each one accepted."""
    window_s: PositiveDuration = 120.0
    """Over which both are counted; 2 min by default."""


class Ramp(Setting):
    """A failover begins with a share of the calls and grows to all of them; the others are refused by the client."""

    start: Share
    over_s: PositiveDuration
    reset_after_s: PositiveDuration
    """Without a call for this long, the ramp begins anew."""

    @model_validator(mode="after")
    def _grows(self) -> Self:
        if self.start >= 1.0:
            raise contradiction("a ramp that starts at 100 % is none", "start")
        return self


class CallSettings(Setting):
    """What the client does about the calls of a leg: said for all by the policy, for one by its entry in the chain.

    Each may be `none`, which takes away what the policy or a preset says; so does `clients: []`.
    """

    breaker: OrNone[Annotated[Breaker, Field(discriminator="kind")]] | None = None
    """A circuit breaker of each leg."""
    cooldown: OrNone[Cooldown] | None = None
    """LiteLLM's way to rest a failing leg."""
    ejection: OrNone[Ejection] | None = None
    """Outlier ejection of a group's legs."""
    hedge: OrNone[Hedge] | None = None
    """Further copies of slow calls."""
    probes: OrNone[Probes] | None = None
    """Health probes of each leg."""
    shaping: OrNone[Shaping] | None = None
    """The client's own rate, with a queue."""
    bulkhead: OrNone[Bulkhead] | None = None
    """Calls of a leg under way at once."""
    retry_budget: OrNone[Annotated[RetryBudget, Field(discriminator="kind")]] | None = None
    """What retries may come to."""
    adaptive_throttling: OrNone[AdaptiveThrottling] | None = None
    """Refusals by the client where the provider refuses much."""
    ramp: OrNone[Ramp] | None = None
    """A failover that begins with a share of the calls; of the policy, to all entries but the first."""
    clients: (
        Annotated[tuple[AnyClient, ...], Shorthand(lambda value: () if value == "none" else value, {"const": "none"})]
        | None
    ) = None
    """Clients inside each attempt, outermost first."""
