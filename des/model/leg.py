"""A leg at work: what one call of it brings, known to its end at its start."""

from math import inf, nan
from typing import TYPE_CHECKING

from des.model.caches import WarmPrefix
from des.model.call import Call, Failure, Response, as_call
from des.model.luck import PROBE, CallLuck
from des.model.silent_rot import Rot
from des.model.tariff import Tariff
from des.model.waits import Waits
from des.rules.timeouts import gives_up_after_s
from des.rules.walk import kind_of, struck_by
from des.scenario import plan
from des.vocabulary import (
    ATTEMPT_OUTCOMES,
    BY_CAPACITY,
    BY_CHANCE,
    BY_DEADLINE,
    BY_INCIDENT,
    BY_LIMIT,
    BY_ROT,
    CANCELLED,
    CONNECTION_ERROR,
    INVALID_OUTPUT,
    OK,
    OVERLOADED,
    RATE_LIMITED,
    TIMEOUT,
)

if TYPE_CHECKING:
    from des.model.limits import Limit
    from des.model.request import Request
    from des.model.simulation import Simulation

NEVER_S = 365 * 86_400.0
WHOLE_TOKEN = 1e-6  # a token is whole within the rounding of clock times
OVERLOAD_S = 0.2  # until a 529 is answered, as other errors are by default
OUTCOME = {name: code for code, name in enumerate(ATTEMPT_OUTCOMES)} | {"hang": TIMEOUT}


class Leg:
    """One leg of the chain with everything a call needs at hand."""

    def __init__(self, sim: "Simulation", leg: plan.Leg) -> None:
        endpoint = sim.plan.endpoints[leg.endpoint]
        self.plan, self.index, self.name, self.retries = leg, leg.index, leg.name, leg.retries
        self.is_retried = [name in leg.retry_on for name in ATTEMPT_OUTCOMES]
        self.falls_back = [name in leg.fallback_on for name in ATTEMPT_OUTCOMES]
        self.rot = None if leg.silent_rot is None else Rot()
        self.prefix = None if leg.prompt_cache is None else WarmPrefix(leg.prompt_cache)
        self.remembers = self.rot is not None or self.prefix is not None
        self._state = sim.endpoints[leg.endpoint]
        self._limits: list[Limit] = [sim.limits[index] for index in endpoint.limits]
        self._surges = [surge for surge, law in zip(sim.surges, sim.plan.surges, strict=True) if leg.endpoint in law.to]
        self._ledger = sim.ledger
        self._is_killable = sim.is_killable(leg.endpoint)
        self._waits = Waits(sim.policy.retry_backoff)
        self._honours_retry_after = sim.policy.honour_retry_after
        self._key = (sim.plan.seed, sim.replication, leg, endpoint)
        self._luck: list[CallLuck] = []
        self._probe_luck = CallLuck(*self._key, PROBE)
        self._read_errors(leg, endpoint)
        self._read_timeout(leg.timeout, endpoint.latency)
        self._tariff = Tariff(endpoint, self.prefix)

    def _read_errors(self, leg: plan.Leg, endpoint: plan.Endpoint) -> None:
        self._errors = [error for error in endpoint.errors if error.outcome not in ("invalid_output", "hang")]
        self._error_rates = [error.rate for error in self._errors]
        valid = 1.0 - leg.invalid_output
        answered = 1.0
        for error in endpoint.errors:
            if error.outcome == "invalid_output":
                valid *= 1.0 - error.rate
            elif error.outcome == "hang":
                answered *= 1.0 - error.rate
        self._hang_rate = 1.0 - answered
        self._invalid_rate = 1.0 - valid
        self._broken_rate = endpoint.broken_streams.rate if endpoint.broken_streams is not None else 0.0
        self._fails_by_chance = bool(self._errors) or self._hang_rate > 0.0 or self.rot is not None
        self._spoils = self._invalid_rate > 0.0 or self._broken_rate > 0.0

    def _read_timeout(self, timeout: plan.Timeout, latency: plan.Latency) -> None:
        given = (timeout.connect_s, timeout.first_token_s, timeout.idle_s, timeout.total_s)
        connect, first_token, idle, total = (inf if bound is None else bound for bound in given)
        self._bounds = (connect, first_token, idle, total)
        self._least_bound_s = min(self._bounds)
        self._streams = latency.whole is None

    def luck(self, nth: int) -> CallLuck:
        """The streams of the n-th call that one request makes of this leg."""
        if nth == PROBE:
            return self._probe_luck
        while nth >= len(self._luck):
            self._luck.append(CallLuck(*self._key, len(self._luck)))
        return self._luck[nth]

    def call(self, request: "Request", nth: int, round_number: int, now_s: float) -> Call:
        """The request's n-th call of this leg, started now; n is PROBE for a synthetic one."""
        luck = self._luck[nth] if 0 <= nth < len(self._luck) else self.luck(nth)
        for limit in self._limits:
            if not limit.has_token(now_s):
                after_s = luck.delay_s("refusal", limit.refusal_latency, request.luck)
                refusal = (RATE_LIMITED, BY_LIMIT, limit.index, after_s)
                return self._failed(request, luck, round_number, now_s, refusal, limit.retry_after_s())
        for limit in self._limits:
            limit.take()
        if self._surges and luck.crowd.at(request.luck) < max([surge.overload(now_s) for surge in self._surges]):
            overload = (OVERLOADED, BY_CAPACITY, -1, OVERLOAD_S)
            return self._failed(request, luck, round_number, now_s, overload, nan)
        if self._fails_by_chance or self._state.condition is not None:
            failure = self._failure(request, luck)
            if failure is not None:
                return self._failed(request, luck, round_number, now_s, failure, nan)
        return self._answered(request, luck, round_number, now_s, self._response(request, luck))

    # What the provider does, if the client waits

    def _failure(self, request: "Request", luck: CallLuck) -> Failure | None:
        """Rot, then hangs, then incident errors, then random errors; None where the call is answered."""
        index = request.luck
        condition = self._state.condition
        if self.rot is not None and self.rot.broken:
            law = self.plan.silent_rot
            assert law is not None
            after_s = luck.delay_s("rot_latency", law.error_latency, index)
            return OUTCOME[law.outcome], BY_ROT, -1, after_s
        if condition is not None and condition.hangs:
            struck = struck_by(luck.hang.at(index), (*condition.hang_shares, self._hang_rate))
            if 0 <= struck < len(condition.incidents):
                return TIMEOUT, BY_INCIDENT, condition.incidents[struck], inf
            if struck >= 0:
                return TIMEOUT, BY_CHANCE, -1, inf
        elif self._hang_rate > 0.0 and luck.hang.at(index) < self._hang_rate:
            return TIMEOUT, BY_CHANCE, -1, inf
        if condition is not None:
            struck = struck_by(luck.incident.at(index), condition.error_rates)
            if struck >= 0:
                effect = condition.effects[struck]
                after_s = luck.delay_s("incident_latency", effect.error_latency, index)
                return OUTCOME[effect.outcome], BY_INCIDENT, condition.incidents[struck], after_s
        if self._errors:
            kind = kind_of(luck.error.at(index), self._error_rates)
            if kind >= 0:
                error = self._errors[kind]
                after_s = luck.delay_s(f"{error.outcome}_latency", error.latency, index)
                return OUTCOME[error.outcome], BY_CHANCE, -1, after_s
        return None

    def _response(self, request: "Request", luck: CallLuck) -> Response:
        block, place = request.luck >> 9, request.luck & 511
        condition = self._state.condition
        factor = 1.0 if condition is None else condition.factor
        connect_s = gap_s = speed = 0.0
        if luck.whole is not None:
            full_s = first_s = luck.whole[block][place] * factor
        else:
            if luck.connect is not None:
                connect_s = luck.connect[block][place] * factor
            first_s = connect_s
            if luck.first_token is not None:
                first_s += luck.first_token[block][place] * factor
            full_s = first_s
            if luck.speed is not None:
                speed = luck.speed[block][place] / factor
                full_s += request.output_tokens / speed
                if request.output_tokens > 1:
                    gap_s = 1.0 / speed
        if not self._spoils:
            return OK, connect_s, first_s, gap_s, full_s, full_s, speed
        if self._broken_rate > 0.0 and luck.broken[block][place] < self._broken_rate:
            assert luck.after is not None
            share = luck.after[block][place]
            broken_s = share * full_s if luck.whole is not None else first_s + share * (full_s - first_s)
            return CONNECTION_ERROR, connect_s, min(first_s, broken_s), gap_s, broken_s, full_s, speed
        spoilt = self._invalid_rate > 0.0 and luck.invalid[block][place] < self._invalid_rate
        return (INVALID_OUTPUT if spoilt else OK), connect_s, first_s, gap_s, full_s, full_s, speed

    # What the client sees of it

    def _failed(
        self,
        request: "Request",
        luck: CallLuck,
        round_number: int,
        now_s: float,
        failure: Failure,
        retry_after_s: float,
    ) -> Call:
        """A failing call, unless the client, its deadline or an incident ends it first.

        A failure has no output, but for the output of no use that invalid output is.
        """
        outcome, cause, cause_id, after_s = failure
        end_s = now_s + after_s
        if after_s > self._least_bound_s:
            give_up_s = gives_up_after_s(self._bounds, 0.0, after_s, 0.0, after_s)
            if give_up_s < after_s:
                outcome, end_s, retry_after_s = TIMEOUT, now_s + give_up_s, nan
        if end_s > request.deadline_s:
            cause_id = cause_id if cause == BY_INCIDENT else -1  # the incident that the call would have met stays named
            outcome, cause, end_s, retry_after_s = CANCELLED, BY_DEADLINE, request.deadline_s, nan
        if self._is_killable:
            killed = self._killed(request, luck, now_s, end_s)
            if killed is not None:
                end_s, outcome, cause, cause_id = killed
                retry_after_s = nan
        mode = self._tariff.modes[outcome]
        cached, cost = 0, 0
        output, done = (request.output_tokens, 1.0) if outcome == INVALID_OUTPUT else (0, 0.0)
        if mode != "none":
            cached, cost = self._tariff.bill(request, mode, now_s, output, done)
        return as_call(
            (
                request.id,
                request.attempts,
                round_number,
                self.index,
                now_s,
                end_s,
                outcome,
                cause,
                cause_id,
                retry_after_s,
                cost,
                request.input_tokens,
                cached,
                output,
            )
        )

    def _answered(
        self, request: "Request", luck: CallLuck, round_number: int, now_s: float, response: Response
    ) -> Call:
        """An answered call, unless the client, its deadline or an incident ends it first."""
        outcome, connect_s, first_s, gap_s, whole_s, full_s, speed = response
        cause, cause_id = (-1, -1) if outcome == OK else (BY_CHANCE, -1)
        broken = outcome == CONNECTION_ERROR
        end_s = now_s + whole_s
        if whole_s > self._least_bound_s or gap_s > self._bounds[2]:
            give_up_s = gives_up_after_s(self._bounds, connect_s, first_s, gap_s, whole_s)
            if give_up_s < whole_s:
                outcome, end_s, broken = TIMEOUT, now_s + give_up_s, False
                cause, cause_id = self._blame_for_slowness(response)
        if end_s > request.deadline_s:
            cause_id = self._blame_for_lateness(whole_s, request.deadline_s - now_s)
            outcome, cause, end_s, broken = CANCELLED, BY_DEADLINE, request.deadline_s, False
        if self._is_killable:
            killed = self._killed(request, luck, now_s, end_s)
            if killed is not None:
                end_s, outcome, cause, cause_id = killed
                broken = False
        if outcome in (OK, INVALID_OUTPUT):
            output, done = request.output_tokens, 1.0
        else:
            output, done = self._output_so_far(request, end_s - now_s, first_s, full_s, speed)
        mode = self._tariff.broken_stream if broken else self._tariff.modes[outcome]
        cached, cost = 0, 0
        if mode != "none":
            cached, cost = self._tariff.bill(request, mode, now_s, output, done)
        return as_call(
            (
                request.id,
                request.attempts,
                round_number,
                self.index,
                now_s,
                end_s,
                outcome,
                cause,
                cause_id,
                nan,
                cost,
                request.input_tokens,
                cached,
                output,
            )
        )

    def _blame_for_slowness(self, response: Response) -> tuple[int, int]:
        """The incident that made a response too slow; nobody where it would have been too slow anyway."""
        condition = self._state.condition
        if condition is None or condition.factor <= 1.0:
            return -1, -1
        _, connect_s, first_s, gap_s, whole_s, _, _ = response
        factor = condition.factor
        unslowed_s = gives_up_after_s(
            self._bounds, connect_s / factor, first_s / factor, gap_s / factor, whole_s / factor
        )
        return (BY_INCIDENT, condition.slowest()) if unslowed_s == inf else (-1, -1)

    def _blame_for_lateness(self, whole_s: float, left_s: float) -> int:
        """The incident that made a response too late for the deadline; -1 where it would have been late anyway."""
        condition = self._state.condition
        if condition is None or condition.factor <= 1.0 or whole_s / condition.factor > left_s:
            return -1
        return condition.slowest()

    def _killed(
        self, request: "Request", luck: CallLuck, now_s: float, end_s: float
    ) -> tuple[float, int, int, int] | None:
        """(time, outcome, cause, incident) of the incident that cuts the call off, if one does.

        A call that nothing else ends is held against the incidents of a year; what no incident of a year has ended is
        taken never to end.
        """
        end_s = min(end_s, now_s + NEVER_S)
        for count, (kill_s, incident) in enumerate(self._ledger.kills(self._state.index, now_s, end_s)):
            effect = self._ledger.effect(incident)
            if luck.kill(count).at(request.luck) < effect.error_rate:
                return kill_s, OUTCOME[effect.outcome], BY_INCIDENT, incident
        return None

    def _output_so_far(
        self, request: "Request", elapsed_s: float, first_s: float, full_s: float, speed: float
    ) -> tuple[int, float]:
        """(tokens, share of the response) made when the call is cut off.

        A response that comes whole is made at an even pace, a streamed one after its first token.
        """
        if not self._streams:
            done = min(1.0, elapsed_s / full_s) if full_s > 0.0 else 1.0
            return int(done * request.output_tokens + WHOLE_TOKEN), done
        if elapsed_s < first_s:
            return 0, 0.0
        if speed == 0.0 or request.output_tokens == 0:
            return request.output_tokens, 1.0
        output = min(request.output_tokens, int((elapsed_s - first_s) * speed + WHOLE_TOKEN))
        return output, output / request.output_tokens

    # What follows from it

    def learns(self, call: Call) -> None:
        """A call has ended: a broken leg is noticed, an answer, be it of no use, warms the prompt cache."""
        if call.cause == BY_ROT and self.rot is not None:
            self.rot.notice()
        if self.prefix is not None and call.outcome in (OK, INVALID_OUTPUT):
            self.prefix.use(call.end_s)

    def retry_wait_s(self, request: "Request", call: Call, nth: int, retry: int, previous_s: float) -> float:
        """The wait before the retry that follows `call`; `previous_s` is the wait before it, at first the base."""
        wait_s = self._waits.wait_s(retry, self._luck[nth].backoff, request.luck, previous_s)
        if self._honours_retry_after and call.retry_after_s == call.retry_after_s:
            return max(wait_s, call.retry_after_s)
        return wait_s
