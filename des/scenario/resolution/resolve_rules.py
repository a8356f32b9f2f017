"""From settings of the policy and of legs to the plan's: back-offs, retries, guards, queues, budgets."""

from collections.abc import Sequence

from des.scenario import plan
from des.scenario.schema.groups import RoutingSpec
from des.scenario.schema.guards import (
    BreakerSpec,
    ConsecutiveBreakerSpec,
    CooldownSpec,
    CountWindowBreakerSpec,
    EjectionSpec,
    TimeWindowBreakerSpec,
)
from des.scenario.schema.load_control import (
    ActiveBudgetSpec,
    BulkheadSpec,
    HedgeSpec,
    QuotaBudgetSpec,
    RatioBudgetSpec,
    RetryBudgetSpec,
    ShapingSpec,
    ThrottleBudgetSpec,
)
from des.scenario.schema.retries import ApplicationSpec, BackoffSpec, ClientSpec, RetryAfterSpec
from des.scenario.schema.statuses import HANDLED_OUTCOMES, Statuses, kinds_handled
from des.vocabulary import DEFAULT_RETRIED, REQUEST_OUTCOMES

EJECTING = ("server_error", "overloaded", "timeout", "connection_error")
COUNTED = (*EJECTING, "rate_limited")
"""Outcomes that guards count as failures where nothing is said."""
INFINITY = float("inf")


def backoff(spec: BackoffSpec | None) -> plan.Backoff:
    if spec is None or spec.kind == "none":
        return plan.Backoff()
    return plan.Backoff(
        kind=spec.kind,
        base_s=spec.base or 0.0,
        factor=2.0 if spec.factor is None else spec.factor,
        cap_s=_or_infinity(spec.cap),
        jitter=spec.jitter,
        spread_s=spec.spread or 0.0,
        low=1.0 if spec.low is None else spec.low,
        high=1.0 if spec.high is None else spec.high,
        most_s=_or_infinity(spec.cap if spec.cap_jitter else None),
    )


def throttled_backoff(spec: BackoffSpec | None) -> plan.Backoff | None:
    """The back-off after rate_limited and overloaded, where it is another one."""
    if spec is None or spec.throttled is None:
        return None
    own = {field: getattr(spec.throttled, field) for field in spec.throttled.model_fields_set}
    return backoff(spec.model_copy(update={**own, "throttled": None}))


def retry_after(spec: RetryAfterSpec | None, statuses: Statuses) -> plan.RetryAfter:
    if spec is None or spec.mode == "ignore":
        return plan.RetryAfter()
    return plan.RetryAfter(
        honours=True,
        cap_s=_or_infinity(spec.cap),
        above=spec.above,
        on=kinds_handled(HANDLED_OUTCOMES if spec.on is None else spec.on, statuses),
        combine=spec.combine,
        spread_s=spec.spread or 0.0,
        total_s=_or_infinity(spec.total),
    )


def layer(spec: ClientSpec, statuses: Statuses, *, bounds_call: bool) -> plan.RetryRule:
    """A client inside each attempt; the bounds of its attempts are the call's own if it `bounds_call`."""
    total = spec.attempt_timeout.total if spec.attempt_timeout is not None else None
    return plan.RetryRule(
        retries=spec.retries,
        retry_on=kinds_handled(DEFAULT_RETRIED if spec.retry_on is None else spec.retry_on, statuses),
        backoff=backoff(spec.backoff),
        throttled_backoff=throttled_backoff(spec.backoff),
        retry_after=retry_after(spec.retry_after, statuses),
        timeout_s=spec.timeout,
        attempt_timeout_s=None if bounds_call else total,
    )


def application(spec: ApplicationSpec) -> plan.RetryRule:
    return plan.RetryRule(
        retries=spec.retries,
        retry_on=frozenset(REQUEST_OUTCOMES.index(outcome) for outcome in spec.retry_on),
        backoff=backoff(spec.backoff),
        timeout_s=spec.timeout,
        attempt_timeout_s=spec.attempt_timeout,
    )


def routing(spec: RoutingSpec | None) -> plan.Routing:
    if spec is None:
        return plan.Routing()
    return plan.Routing(
        kind=spec.kind,
        buffer=0.0 if spec.buffer is None else spec.buffer,
        samples=10 if spec.samples is None else spec.samples,
        choices=spec.choices,
        once=spec.once,
    )


def breaker(spec: BreakerSpec, statuses: Statuses) -> plan.Breaker:
    counts = _counted(spec.counts, COUNTED, statuses)
    if isinstance(spec, ConsecutiveBreakerSpec):
        return plan.Breaker(
            kind=spec.kind,
            failures=spec.failures,
            open_s=spec.open,
            half_open=spec.half_open,
            counts=counts,
            all_open=spec.all_open,
        )
    assert isinstance(spec, CountWindowBreakerSpec | TimeWindowBreakerSpec)
    in_calls = isinstance(spec, CountWindowBreakerSpec)
    minimum = spec.minimum if spec.minimum is not None else spec.calls if in_calls else 1
    return plan.Breaker(
        kind=spec.kind,
        calls=spec.calls if isinstance(spec, CountWindowBreakerSpec) else 0,
        window_s=spec.window if isinstance(spec, TimeWindowBreakerSpec) else 0.0,
        failure_share=spec.failure_share,
        minimum=minimum,
        open_s=spec.open,
        half_open=spec.half_open,
        counts=counts,
        all_open=spec.all_open,
    )


def cooldown(spec: CooldownSpec, statuses: Statuses) -> plan.Cooldown:
    return plan.Cooldown(
        at_once=kinds_handled(spec.on, statuses),
        always=kinds_handled(spec.also_on, statuses),
        counts=_counted(spec.counts, COUNTED, statuses),
        failure_share=spec.share,
        minimum=spec.minimum or 1,
        all_failed=spec.all_failed,
        window_s=spec.window or 60.0,
        allowed_fails=spec.allowed_fails,
        cooldown_s=spec.for_,
        honours_retry_after=spec.retry_after,
    )


def ejection(spec: EjectionSpec, statuses: Statuses) -> plan.Ejection:
    return plan.Ejection(
        consecutive=spec.consecutive,
        failure_share=spec.share,
        minimum=spec.minimum or 1,
        window_s=spec.window or 60.0,
        for_s=spec.for_,
        longest_s=_or_infinity(spec.longest),
        every_s=spec.every or 0.0,
        most=spec.most,
        rate_limited_s=spec.on_rate_limited,
        counts=_counted(spec.counts, EJECTING, statuses),
    )


def hedge(spec: HedgeSpec) -> plan.Hedge:
    return plan.Hedge(after_s=spec.after, at_most=spec.at_most, loser=spec.loser, billed=spec.billed, to=spec.to)


def shaping(spec: ShapingSpec) -> plan.Shaping:
    return plan.Shaping(rate_per_s=spec.rate, burst=spec.burst, queue=spec.queue, max_wait_s=spec.max_wait)


def bulkhead(spec: BulkheadSpec) -> plan.Bulkhead:
    return plan.Bulkhead(concurrent=spec.concurrent, queue=spec.queue, max_wait_s=spec.max_wait)


def retry_budget(spec: RetryBudgetSpec) -> plan.RetryBudget:
    if isinstance(spec, ActiveBudgetSpec):
        return plan.RetryBudget(kind=spec.kind, share=spec.share, minimum=spec.minimum)
    if isinstance(spec, RatioBudgetSpec):
        return plan.RetryBudget(kind=spec.kind, share=spec.share, per_second=spec.per_second, ttl_s=spec.ttl)
    if isinstance(spec, QuotaBudgetSpec):
        return plan.RetryBudget(
            kind=spec.kind,
            capacity=spec.capacity,
            retry_cost=spec.retry_cost,
            throttle_cost=spec.retry_cost if spec.throttle_cost is None else spec.throttle_cost,
            success=spec.success,
        )
    assert isinstance(spec, ThrottleBudgetSpec)
    return plan.RetryBudget(kind=spec.kind, max_tokens=spec.max_tokens, token_ratio=spec.token_ratio)


def _counted(said: Sequence[str] | None, default: Sequence[str], statuses: Statuses) -> frozenset[int]:
    return kinds_handled(default if said is None else said, statuses)


def _or_infinity(bound: float | None) -> float:
    return INFINITY if bound is None else bound
