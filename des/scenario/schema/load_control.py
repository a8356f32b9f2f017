"""How a client holds its own load back, or adds to it, as a scenario writes it: hedges, queues, budgets, ramps."""

from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from des.scenario.schema.guards import Off
from des.scenario.schema.spec import Flag, Spec, contradiction, mapping_or_word
from des.scenario.text.units import Amount, Count, FrequentRate, Positive, PositiveCount, PositiveDuration, Share

Scope = Literal["chain", "leg"]


class HedgeSpec(Spec):
    """Another copy of a call that has not answered by then; the first success wins."""

    after: PositiveDuration
    at_most: Annotated[PositiveCount, Field(le=100)] = 1
    """Further copies, each `after` later than the one before."""
    loser: Literal["cancel", "run"] = "cancel"
    """What becomes of the other copies."""
    billed: Flag = True
    """Whether a cancelled copy is billed, as `cancelled` is."""
    to: Literal["same", "next"] = "same"
    """The leg that is called again."""

    @model_validator(mode="after")
    def _bills_what_is_cancelled(self) -> Self:
        if self.loser == "run" and "billed" in self.model_fields_set:
            raise contradiction("a copy that runs is billed as any call: billed belongs to loser: cancel", "billed")
        return self


class ShapingSpec(Spec):
    """The client's own token bucket of calls, with a queue before it."""

    rate: FrequentRate
    burst: Annotated[Positive, Field(ge=1.0)] = 1.0
    """Calls that may go at once."""
    queue: Count | None = None
    """Calls that may wait."""
    max_wait: PositiveDuration | None = None
    scope: Scope = "chain"
    """One bucket for all legs, or one for each."""

    @model_validator(mode="after")
    def _bounds_its_queue(self) -> Self:
        if self.queue is None and self.max_wait is None:
            raise contradiction("a queue without an end: give queue: 100 or max_wait: 10s")
        if self.queue == 0 and self.max_wait is not None:
            raise contradiction("where nobody may wait (queue: 0) there is no max_wait", "max_wait")
        return self


class BulkheadSpec(Spec):
    """So many calls of a leg under way at once, and a queue before them."""

    concurrent: PositiveCount
    queue: Count = 0
    """Calls that may wait."""
    max_wait: PositiveDuration | None = None

    @model_validator(mode="after")
    def _bounds_its_queue(self) -> Self:
        if self.queue and self.max_wait is None:
            raise contradiction("calls that hang would keep the queue for ever: give max_wait: 1s", "queue")
        if not self.queue and self.max_wait is not None:
            raise contradiction("where nobody may wait (no queue) there is no max_wait", "max_wait")
        return self


class RetryBudgetSpec(Spec):
    """What retries may come to, over all requests."""

    scope: Scope = "chain"
    """One budget for all legs, or one for each."""


class ActiveBudgetSpec(RetryBudgetSpec):
    """Retries under way are at most a share of the requests under way, as in Envoy."""

    kind: Literal["active"]
    share: Share
    minimum: Count = 3
    """Retries that are always allowed."""

    @model_validator(mode="after")
    def _allows_some(self) -> Self:
        if self.share <= 0.0 and self.minimum == 0:
            raise contradiction("a budget of nothing: leave out the retries instead", "share")
        return self


class RatioBudgetSpec(RetryBudgetSpec):
    """Each request deposits a share of a retry, for a while, as in Finagle."""

    kind: Literal["ratio"]
    share: Share
    per_second: Amount = 0.0
    """Retries deposited anyway."""
    ttl: PositiveDuration
    """How long a deposit lasts."""

    @model_validator(mode="after")
    def _allows_some(self) -> Self:
        if self.share <= 0.0 and self.per_second <= 0.0:
            raise contradiction("a budget of nothing: leave out the retries instead", "share")
        return self


class QuotaBudgetSpec(RetryBudgetSpec):
    """A quota that retries take from and successes give back to, as in the SDKs of AWS."""

    kind: Literal["quota"]
    capacity: Positive
    retry_cost: Positive
    throttle_cost: Positive | None = None
    """Of a retry after rate_limited or overloaded; retry_cost by default."""
    success: Amount = 1.0
    """What a success without retries gives; one after a retry gives back what that took."""

    @model_validator(mode="after")
    def _affords_a_retry(self) -> Self:
        if self.retry_cost > self.capacity:
            raise contradiction("a retry costs more than the whole capacity", "retry_cost")
        if self.throttle_cost is not None and self.throttle_cost > self.capacity:
            raise contradiction("a retry costs more than the whole capacity", "throttle_cost")
        return self


class ThrottleBudgetSpec(RetryBudgetSpec):
    """A bucket that failures take a token from; half empty, there are no retries, as in gRPC."""

    kind: Literal["throttle"]
    max_tokens: Positive
    token_ratio: Positive
    """Tokens that a success gives."""


class AdaptiveThrottlingSpec(Spec):
    """The client itself refuses the more, the fewer of its calls are accepted (Google SRE)."""

    k: Annotated[Positive, Field(ge=1.0)] = 2.0
    """Calls sent for each one accepted."""
    window: PositiveDuration = 120.0
    """Over which both are counted; 2 min by default."""


class RampSpec(Spec):
    """A failover begins with a share of the calls and grows to all of them; the others are refused by the client."""

    start: Share
    over: PositiveDuration
    reset_after: PositiveDuration
    """Without a call for so long, it begins anew."""

    @model_validator(mode="after")
    def _grows(self) -> Self:
        if self.start >= 1.0:
            raise contradiction("a ramp that starts at 100 % is none", "start")
        return self


AnyRetryBudgetSpec = Annotated[
    ActiveBudgetSpec | RatioBudgetSpec | QuotaBudgetSpec | ThrottleBudgetSpec, Field(discriminator="kind")
]
Hedge = Annotated[Annotated[HedgeSpec, Tag("mapping")] | Off, Discriminator(mapping_or_word)]
Shaping = Annotated[Annotated[ShapingSpec, Tag("mapping")] | Off, Discriminator(mapping_or_word)]
Bulkhead = Annotated[Annotated[BulkheadSpec, Tag("mapping")] | Off, Discriminator(mapping_or_word)]
RetryBudget = Annotated[Annotated[AnyRetryBudgetSpec, Tag("mapping")] | Off, Discriminator(mapping_or_word)]
AdaptiveThrottling = Annotated[Annotated[AdaptiveThrottlingSpec, Tag("mapping")] | Off, Discriminator(mapping_or_word)]
Ramp = Annotated[Annotated[RampSpec, Tag("mapping")] | Off, Discriminator(mapping_or_word)]
