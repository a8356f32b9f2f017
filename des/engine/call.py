"""One call of a leg: admitted or refused, then failed or answered; known to its natural end when it is sent."""

from math import inf

from des.engine.caches import WarmPrefix
from des.engine.draws import CallDraws, LegDraws
from des.engine.ending import Ending
from des.engine.incidents import EndpointState
from des.engine.providers import Providers
from des.engine.records import Call, Condition, Failure, Fate, Request, Response, as_failure, as_fate, as_response
from des.engine.rot import Rot
from des.rules.calls import kind_of, struck_by
from des.scenario import plan
from des.vocabulary import (
    BY_CAPACITY,
    BY_CHANCE,
    BY_INCIDENT,
    BY_ROT,
    INVALID_OUTPUT,
    OK,
    OVERLOADED,
    TIMEOUT,
)

_OVERLOAD_S = 0.2  # until a 529 is answered, as other errors are by default


class Calls:
    """Everything that the calls of one leg need at hand."""

    def __init__(self, providers: Providers, leg: plan.Leg, draws: LegDraws) -> None:
        self.endpoint = providers.plan.endpoints[leg.endpoint]
        self.rot = None if leg.silent_rot is None else Rot()
        self.prefix = None if leg.prompt_cache is None else WarmPrefix(leg.prompt_cache)
        self.draws = draws
        self._state: EndpointState = providers.endpoints[leg.endpoint]
        self._admission = providers.admission(leg)
        self._surges = providers.surges_at(leg.endpoint)
        self._service = _Service(providers, leg, self.rot)
        self._fails_by_chance = self._service.fails_by_chance
        self.ending = Ending(providers, leg, draws, self.prefix)
        self.ended = self.ending.ended

    def dispatch(self, request: Request, nth: int, now_s: float) -> Fate:
        """Send the request's n-th call of this leg now. Returns how it ends if its client does not give it up.

        Tokens and places are taken whatever the client does with the call. A call that hangs keeps its place in a limit
        of concurrency until the leg's own timeout or the request's deadline.
        """
        draws = self.draws[nth]
        condition, admission = self._state.condition, self._admission
        is_warm = self.prefix is not None and self.prefix.is_warm(now_s)
        cached_tokens = self.prefix.tokens(request.input_tokens) if is_warm and self.prefix is not None else 0
        response: Response | None = None
        failure: Failure | None = None
        if admission is not None:
            failure = admission.refusal(request, draws, cached_tokens, now_s)
            if failure is not None:
                return as_fate((request, nth, request.attempts, now_s, failure, None, condition, is_warm))
        if self._surges:
            failure = self._crowded(request, draws, now_s)
        if failure is None and admission is not None and admission.capacity is not None:
            failure = admission.overload(request, draws, now_s)
        if failure is None and (self._fails_by_chance or condition is not None):
            failure = self._service.failure(request, draws, condition)
        if failure is None:
            response = self._service.response(request, draws, condition)
            if admission is not None and admission.capacity is not None:
                response = admission.queued(response, now_s)
        if admission is not None and admission.counts_ends:
            natural_end = self.ending.natural_end(request, failure, response, request.deadline_s - now_s)
            admission.count(request, cached_tokens, now_s, natural_end)
        return as_fate((request, nth, request.attempts, now_s, failure, response, condition, is_warm))

    def _crowded(self, request: Request, draws: CallDraws, now_s: float) -> Failure | None:
        """The failure of a call that a surge, the failover of other customers, leaves without capacity."""
        if draws.crowd.at(request.draw) < max([surge.overload(now_s) for surge in self._surges]):
            return Failure(OVERLOADED, BY_CAPACITY, -1, _OVERLOAD_S)
        return None

    def learn(self, call: Call) -> None:
        """A call has ended: a broken leg is noticed, an answer (also a useless one) warms the prompt cache."""
        if call.cause == BY_ROT and self.rot is not None:
            self.rot.notice()
        if self.prefix is not None and call.outcome in (OK, INVALID_OUTPUT):
            self.prefix.use(call.end_s)

    def price(self, request: Request, now_s: float) -> float:
        """Of a call that serves the request, in picodollars."""
        is_warm = self.prefix is not None and self.prefix.is_warm(now_s)
        tariff = self.ending.tariff
        return float(tariff.bill(request, tariff.modes[OK], is_warm, request.output_tokens, 1.0)[1])


class _Service:
    """An endpoint as one leg meets it: under its incidents, with its random errors and the leg's own rot."""

    def __init__(self, providers: Providers, leg: plan.Leg, rot: Rot | None) -> None:
        endpoint, kinds = providers.plan.endpoints[leg.endpoint], providers.kinds
        self._kinds = kinds
        self._rot, self._rot_settings = rot, leg.silent_rot
        self._errors = [error for error in endpoint.errors if error.outcome not in ("invalid_output", "hang")]
        self._error_rates = [error.rate for error in self._errors]
        self._error_kinds = [kinds.code(error.outcome, error.status) for error in self._errors]
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
        self.fails_by_chance = bool(self._errors) or self._hang_rate > 0.0 or rot is not None
        self._spoils = self._invalid_rate > 0.0 or self._broken_rate > 0.0

    def failure(self, request: Request, draws: CallDraws, condition: Condition | None) -> Failure | None:
        """Rot, then hangs, then incident errors, then random errors; None where the call is answered."""
        index = request.draw
        if self._rot is not None and self._rot.broken:
            settings = self._rot_settings
            assert settings is not None
            after_s = draws.delay_s("rot_latency", settings.error_latency, index)
            return Failure(self._kinds.code(settings.outcome), BY_ROT, -1, after_s)
        if condition is not None and condition.hangs:
            struck = struck_by(draws.hang.at(index), (*condition.hang_shares, self._hang_rate))
            if 0 <= struck < len(condition.incidents):
                return Failure(TIMEOUT, BY_INCIDENT, condition.incidents[struck], inf)
            if struck >= 0:
                return Failure(TIMEOUT, BY_CHANCE, -1, inf)
        elif self._hang_rate > 0.0 and draws.hang.at(index) < self._hang_rate:
            return Failure(TIMEOUT, BY_CHANCE, -1, inf)
        if condition is not None:
            struck = struck_by(draws.incident.at(index), condition.error_rates)
            if struck >= 0:
                effect = condition.effects[struck]
                after_s = draws.delay_s("incident_latency", effect.error_latency, index)
                kind = self._kinds.code(effect.outcome, effect.status)
                return as_failure((kind, BY_INCIDENT, condition.incidents[struck], after_s, effect.told_s))
        if self._errors:
            struck = kind_of(draws.error.at(index), self._error_rates)
            if struck >= 0:
                error = self._errors[struck]
                after_s = draws.delay_s(f"{error.outcome}_latency", error.latency, index)
                return Failure(self._error_kinds[struck], BY_CHANCE, -1, after_s, error.told_s)
        return None

    def response(self, request: Request, draws: CallDraws, condition: Condition | None) -> Response:
        """The response of a call that does not fail, whole, broken or useless."""
        block, place = request.draw >> 9, request.draw & 511
        factor = 1.0 if condition is None else condition.factor
        connect_s = gap_s = speed = 0.0
        if draws.whole is not None:
            full_s = first_s = draws.whole[block][place] * factor
        else:
            if draws.connect is not None:
                connect_s = draws.connect[block][place] * factor
            first_s = connect_s
            if draws.first_token is not None:
                first_s += draws.first_token[block][place] * factor
            full_s = first_s
            if draws.speed is not None:
                speed = draws.speed[block][place] / factor
                full_s += request.output_tokens / speed
                if request.output_tokens > 1:
                    gap_s = 1.0 / speed
        if not self._spoils:
            return as_response((OK, connect_s, first_s, gap_s, full_s, full_s, speed, 0.0))
        if self._broken_rate > 0.0 and draws.broken[block][place] < self._broken_rate:
            assert draws.after is not None
            share = draws.after[block][place]
            broken_s = share * full_s if draws.whole is not None else first_s + share * (full_s - first_s)
            return Response(
                self._kinds.broken_stream, connect_s, min(first_s, broken_s), gap_s, broken_s, full_s, speed
            )
        spoilt = self._invalid_rate > 0.0 and draws.invalid[block][place] < self._invalid_rate
        return Response(INVALID_OUTPUT if spoilt else OK, connect_s, first_s, gap_s, full_s, full_s, speed)
