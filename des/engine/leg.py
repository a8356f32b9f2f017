"""A leg at work: what one call of it brings, known to its end at its start."""

from math import nan
from typing import TYPE_CHECKING

from des.engine.caches import WarmPrefix
from des.engine.call import AT_DEADLINE, Call, Cut, Failure, Fate, as_call
from des.engine.conditions import is_killable
from des.engine.ending import Ending
from des.engine.gate import Gate
from des.engine.limits import RequestBucket
from des.engine.luck import PROBE, CallLuck
from des.engine.service import Service
from des.engine.silent_rot import Rot
from des.engine.tariff import Tariff
from des.engine.turns import Turns
from des.engine.waits import Waits
from des.scenario import plan
from des.vocabulary import BY_CAPACITY, BY_LIMIT, BY_ROT, CALL, INVALID_OUTPUT, OK, OVERLOADED, RATE_LIMITED

if TYPE_CHECKING:
    from des.engine.request import Request
    from des.engine.simulation import Simulation

OVERLOAD_S = 0.2  # until a 529 is answered, as other errors are by default
WAITS_AT_HAND = 100


class Leg:
    """One leg of the chain with everything a call needs at hand."""

    def __init__(self, sim: "Simulation", leg: plan.Leg) -> None:
        endpoint = sim.plan.endpoints[leg.endpoint]
        self.plan, self.index, self.name, self.retries = leg, leg.index, leg.name, leg.retries
        self.is_retried = sim.kinds.among(leg.retry_on)
        self.falls_back = sim.kinds.among(leg.fallback_on)
        self.rot = None if leg.silent_rot is None else Rot()
        self.prefix = None if leg.prompt_cache is None else WarmPrefix(leg.prompt_cache)
        self.remembers = self.rot is not None or self.prefix is not None
        self._state = sim.endpoints[leg.endpoint]
        self._buckets: list[tuple[RequestBucket, Turns]] = []
        self._gate: Gate | None = None
        self._set_limits(sim, leg, endpoint)
        self._surges = [surge for surge, law in zip(sim.surges, sim.plan.surges, strict=True) if leg.endpoint in law.to]
        self._waits = Waits(sim.policy.retry_backoff)
        self._honours_retry_after = sim.policy.honour_retry_after
        self.certain_waits_s = self._certain_waits_s()
        self._key = (sim.plan.seed, sim.replication, leg, endpoint)
        self._luck: list[CallLuck] = []
        self._probe_luck = CallLuck(*self._key, PROBE)
        service = Service(leg, endpoint, sim.kinds, self._state, self.rot)
        self._fails_by_chance = service.fails_by_chance
        self._failure, self._response = service.failure, service.response
        tariff = Tariff(endpoint, sim.kinds, self.prefix)
        ending = Ending(leg, endpoint, sim.kinds, tariff, sim.ledger, is_killable=is_killable(sim.plan, leg.endpoint))
        self._failed, self._answered, self._natural_end = ending.failed, ending.answered, ending.natural_end
        self._plain_refusal_s = ending.plain_refusal_s

    def _set_limits(self, sim: "Simulation", leg: plan.Leg, endpoint: plan.Endpoint) -> None:
        """Plain buckets of requests, or else everything that a gate minds."""
        limits = [sim.limits[index] for index in (*leg.limits, *endpoint.limits)]
        turning = [(limit, sim.limit_turns[limit.index]) for limit in limits]
        if sim.has_plain_limits:
            self._buckets = [(limit, turns) for limit, turns in turning if isinstance(limit, RequestBucket)]
        elif limits or endpoint.capacity is not None:
            capacity = None if endpoint.capacity is None else sim.capacities[endpoint.capacity]
            self._gate = Gate(turning, capacity, budgets=len(leg.limits))

    def luck(self, nth: int) -> CallLuck:
        """The streams of the n-th call that one request makes of this leg."""
        if nth == PROBE:
            return self._probe_luck
        while nth >= len(self._luck):
            self._luck.append(CallLuck(*self._key, len(self._luck)))
        return self._luck[nth]

    def call(self, request: "Request", nth: int, round_number: int, now_s: float) -> Call:
        """The request's n-th call of this leg, started now; n is PROBE for a synthetic one.

        It is what has `ended` of its `dispatch`, with nothing but the request's deadline to cut it off; both in one,
        and written out for plain limits, since most calls of most runs are made here.
        """
        if self._gate is not None:
            return self.ended(request, self.dispatch(request, nth, now_s), nth, round_number, now_s, request.deadline_s)
        luck = self._luck[nth] if 0 <= nth < len(self._luck) else self.luck(nth)
        buckets, deadline_s = self._buckets, request.deadline_s
        for bucket, turns in buckets:
            if not bucket.has_token(now_s):
                if not turns.refuses:
                    turns.refused(now_s)
                after_s = bucket.refusal_s
                if after_s is None:
                    after_s = luck.delay_s("refusal", bucket.refusal_latency, request.luck)
                end_s = now_s + after_s
                if after_s <= self._plain_refusal_s and end_s <= deadline_s:
                    return as_call(
                        (
                            request.id,
                            request.attempts,
                            round_number,
                            self.index,
                            now_s,
                            end_s,
                            RATE_LIMITED,
                            BY_LIMIT,
                            bucket.index,
                            bucket.token_after_s(),
                            0,
                            request.input_tokens,
                            0,
                            0,
                            CALL,
                        )
                    )
                failure = (RATE_LIMITED, BY_LIMIT, bucket.index, after_s)
                return self._fails(request, luck, round_number, now_s, failure, bucket.token_after_s())
        for bucket, turns in buckets:
            bucket.take_token()
            if turns.refuses:
                turns.admitted(now_s)
        if self._surges:
            overload = self._crowded(request, luck, now_s)
            if overload is not None:
                return self._fails(request, luck, round_number, now_s, overload, nan)
        condition = self._state.condition
        if self._fails_by_chance or condition is not None:
            caught = self._failure(request, luck)
            if caught is not None:
                return self._fails(request, luck, round_number, now_s, caught, nan)
        is_warm = self.prefix is not None and self.prefix.is_warm(now_s)
        return self._answered(
            request,
            luck,
            request.attempts,
            round_number,
            now_s,
            deadline_s,
            AT_DEADLINE,
            self._response(request, luck),
            condition,
            is_warm,
        )

    def _fails(
        self,
        request: "Request",
        luck: CallLuck,
        round_number: int,
        now_s: float,
        failure: Failure,
        retry_after_s: float,
    ) -> Call:
        """A call that fails, and that only the request's deadline may cut off."""
        return self._failed(
            request,
            luck,
            request.attempts,
            round_number,
            now_s,
            request.deadline_s,
            AT_DEADLINE,
            failure,
            retry_after_s,
            self.prefix is not None and self.prefix.is_warm(now_s),
        )

    def dispatch(self, request: "Request", nth: int, now_s: float, given_up_s: float | None = None) -> Fate:
        """Send the request's n-th call of this leg now: what the provider makes of it, if nobody gives it up.

        Tokens and places are taken, whatever becomes of the call on the client's side. A call that hangs keeps its
        place in a limit of concurrency until the leg's own timeout or `given_up_s`, at first the request's deadline.
        """
        luck, gate = self.luck(nth), self._gate
        is_warm = self.prefix is not None and self.prefix.is_warm(now_s)
        condition = self._state.condition
        cached_tokens = 0
        if gate is None:
            failure, retry_after_s = self._refusal(request, luck, now_s)
        else:
            if is_warm and self.prefix is not None:
                cached_tokens = self.prefix.tokens(request.input_tokens)
            refusal = gate.refusal(request, luck, cached_tokens, now_s)
            if refusal is not None:
                return Fate(request.attempts, refusal[0], None, refusal[1], condition, is_warm)
            failure, retry_after_s = self._crowded(request, luck, now_s) or gate.overload(request, luck, now_s), nan
        if failure is None and (self._fails_by_chance or condition is not None):
            failure = self._failure(request, luck)
        response = None if failure is not None else self._response(request, luck)
        if gate is not None:
            if response is not None:
                response = gate.queued(response, now_s)
            borne_s = (request.deadline_s if given_up_s is None else given_up_s) - now_s
            gate.count(request, cached_tokens, now_s, self._natural_end(request, failure, response, borne_s))
        return Fate(request.attempts, failure, response, retry_after_s, condition, is_warm)

    def ended(
        self,
        request: "Request",
        fate: Fate,
        nth: int,
        round_number: int,
        now_s: float,
        until_s: float,
        cut: Cut = AT_DEADLINE,
    ) -> Call:
        """The call that was dispatched at `now_s`, as its client sees it: cut off at `until_s`, if it lasts longer.

        Nothing is changed by asking, so that a call may be asked about again with another `until_s`.
        """
        luck, failure, response = self.luck(nth), fate.failure, fate.response
        if failure is not None:
            return self._failed(
                request,
                luck,
                fate.attempt,
                round_number,
                now_s,
                until_s,
                cut,
                failure,
                fate.retry_after_s,
                fate.is_warm,
            )
        assert response is not None
        return self._answered(
            request, luck, fate.attempt, round_number, now_s, until_s, cut, response, fate.condition, fate.is_warm
        )

    def _refusal(self, request: "Request", luck: CallLuck, now_s: float) -> tuple[Failure | None, float]:
        """(failure, Retry-After) of a call that is turned away at the door; the others have taken their tokens."""
        for bucket, turns in self._buckets:
            if not bucket.has_token(now_s):
                turns.refused(now_s)
                after_s = luck.delay_s("refusal", bucket.refusal_latency, request.luck)
                return (RATE_LIMITED, BY_LIMIT, bucket.index, after_s), bucket.token_after_s()
        for bucket, turns in self._buckets:
            bucket.take_token()
            turns.admitted(now_s)
        return self._crowded(request, luck, now_s), nan

    def _crowded(self, request: "Request", luck: CallLuck, now_s: float) -> Failure | None:
        """The failure of a call that everybody else's failover crowds out."""
        if self._surges and luck.crowd.at(request.luck) < max([surge.overload(now_s) for surge in self._surges]):
            return OVERLOADED, BY_CAPACITY, -1, OVERLOAD_S
        return None

    # What follows from it

    def learns(self, call: Call) -> None:
        """A call has ended: a broken leg is noticed, an answer, be it of no use, warms the prompt cache."""
        if call.cause == BY_ROT and self.rot is not None:
            self.rot.notice()
        if self.prefix is not None and call.outcome in (OK, INVALID_OUTPUT):
            self.prefix.use(call.end_s)

    def _certain_waits_s(self) -> tuple[float, ...] | None:
        """The wait before each retry, where it depends on nothing but the number of the retry."""
        if self._honours_retry_after or self.retries > WAITS_AT_HAND:
            return None
        return self._waits.certain(self.retries)

    def retry_wait_s(self, request: "Request", call: Call, nth: int, retry: int, previous_s: float) -> float:
        """The wait before the retry that follows `call`; `previous_s` is the wait before it, at first the base."""
        wait_s = self._waits.wait_s(retry, self._luck[nth].backoff, request.luck, previous_s)
        if self._honours_retry_after and call.retry_after_s == call.retry_after_s:
            return max(wait_s, call.retry_after_s)
        return wait_s
