"""What an endpoint makes of the calls of one leg: failures and responses, if the client waits for them."""

from math import inf
from typing import TYPE_CHECKING

from des.engine.call import Failure, Response
from des.engine.kinds import Kinds
from des.engine.luck import CallLuck
from des.rules.walk import kind_of, struck_by
from des.scenario import plan
from des.vocabulary import BY_CHANCE, BY_INCIDENT, BY_ROT, CONNECTION_ERROR, INVALID_OUTPUT, OK, TIMEOUT

if TYPE_CHECKING:
    from des.engine.conditions import EndpointState
    from des.engine.request import Request
    from des.engine.silent_rot import Rot


class Service:
    """An endpoint as one leg meets it: under its incidents, with its random errors and the leg's own rot."""

    def __init__(
        self, leg: plan.Leg, endpoint: plan.Endpoint, kinds: Kinds, state: "EndpointState", rot: "Rot | None"
    ) -> None:
        self._kinds = kinds
        self._state = state
        self._rot, self._rot_law = rot, leg.silent_rot
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

    def failure(self, request: "Request", luck: CallLuck) -> Failure | None:
        """Rot, then hangs, then incident errors, then random errors; None where the call is answered."""
        index = request.luck
        condition = self._state.condition
        if self._rot is not None and self._rot.broken:
            law = self._rot_law
            assert law is not None
            after_s = luck.delay_s("rot_latency", law.error_latency, index)
            return self._kinds.code(law.outcome), BY_ROT, -1, after_s
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
                return (
                    self._kinds.code(effect.outcome, effect.status),
                    BY_INCIDENT,
                    condition.incidents[struck],
                    after_s,
                )
        if self._errors:
            struck = kind_of(luck.error.at(index), self._error_rates)
            if struck >= 0:
                error = self._errors[struck]
                after_s = luck.delay_s(f"{error.outcome}_latency", error.latency, index)
                return self._error_kinds[struck], BY_CHANCE, -1, after_s
        return None

    def response(self, request: "Request", luck: CallLuck) -> Response:
        """The response of a call that does not fail, whole, broken or of no use."""
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
            return OK, connect_s, first_s, gap_s, full_s, full_s, speed, 0.0
        if self._broken_rate > 0.0 and luck.broken[block][place] < self._broken_rate:
            assert luck.after is not None
            share = luck.after[block][place]
            broken_s = share * full_s if luck.whole is not None else first_s + share * (full_s - first_s)
            return CONNECTION_ERROR, connect_s, min(first_s, broken_s), gap_s, broken_s, full_s, speed, 0.0
        spoilt = self._invalid_rate > 0.0 and luck.invalid[block][place] < self._invalid_rate
        return (INVALID_OUTPUT if spoilt else OK), connect_s, first_s, gap_s, full_s, full_s, speed, 0.0
