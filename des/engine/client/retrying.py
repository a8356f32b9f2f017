"""A retry rule at work: which outcomes it repeats, and how long it waits before."""

from math import inf, isnan
from typing import TYPE_CHECKING, NamedTuple

from des.draws import Stream
from des.engine.waits import Waits
from des.rules.retry_after import cap_within_total_s, combined_s, honoured_s, spread_out_s
from des.scenario import plan
from des.vocabulary import OK, OVERLOADED, RATE_LIMITED, REQUEST_FAILED, TIMEOUT

if TYPE_CHECKING:
    from des.engine.client.leg import ClientLeg
    from des.engine.client.luck import ClientLuck
    from des.engine.client.request import ClientRequest
    from des.engine.kinds import Kinds

REFUSED = -1
"""The outcome of an attempt that the client itself did not make."""


class Result(NamedTuple):
    """How an attempt has ended for the layer around it.

    `outcome` is an outcome kind, `REFUSED`, or around the whole walk a request outcome; the wait that follows has the
    luck of the `nth` call of `leg`.
    """

    outcome: int
    retry_after_s: float
    leg: "ClientLeg | None"
    nth: int

    @property
    def ok(self) -> bool:
        return self.outcome == OK


class Retrying:
    """The rule of one layer: `layer` is None for a group, -1 for the application, else counts those inside a call."""

    def __init__(self, rule: plan.RetryRule, kinds: "Kinds", luck: "ClientLuck", layer: int | None) -> None:
        self.rule = rule
        self.is_application = layer == -1
        self.timed_out = REQUEST_FAILED if self.is_application else TIMEOUT
        self.is_retried = [kind in rule.retry_on for kind in range(len(kinds.outcomes))]
        self._heeds = [kind in rule.retry_after.on for kind in range(len(kinds.outcomes))]
        self._layer = layer
        self._luck = luck
        self._waits = Waits(rule.backoff)
        self._throttled_waits = Waits(rule.throttled_backoff) if rule.throttled_backoff is not None else None
        self._is_throttle = [outcome in (RATE_LIMITED, OVERLOADED) for outcome in kinds.outcomes]

    def wait_s(self, request: "ClientRequest", result: Result, retry: int, previous_s: float) -> float:
        """The wait before retry `retry` (from 0), infinite for no retry; `previous_s` is the wait before it."""
        waits = self._waits
        if self._throttled_waits is not None and not self.is_application and self._is_throttle[result.outcome]:
            waits = self._throttled_waits
        wait_s = waits.wait_s(retry, self._draw("backoff", result, retry), request.luck, previous_s)
        law = self.rule.retry_after
        if not law.honours or isnan(result.retry_after_s) or not (self.is_application or self._heeds[result.outcome]):
            return wait_s
        cap_s = cap_within_total_s(law.cap_s, request.retry_after_total_s, law.total_s)
        asked_s = honoured_s(result.retry_after_s, cap_s, law.above)
        if isnan(asked_s) or asked_s == inf:
            return combined_s(wait_s, asked_s, law.combine)
        request.retry_after_total_s += asked_s
        if law.spread_s > 0.0:
            u = self._draw("spread", result, retry).at(request.luck)
            asked_s = spread_out_s(asked_s, u, law.spread_s)
        return combined_s(wait_s, asked_s, law.combine)

    def _draw(self, purpose: str, result: Result, retry: int) -> Stream:
        leg = result.leg
        if leg is None or self.is_application:
            return self._luck.stream("application", purpose, retry)
        if self._layer is not None:
            return self._luck.stream("leg", leg.name, result.nth, purpose, self._layer)
        if purpose == "backoff":
            return leg.leg.luck(result.nth).backoff
        return self._luck.stream("leg", leg.name, result.nth, purpose)
