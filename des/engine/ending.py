"""How the calls of a leg end for its client: by themselves, or by whatever ends them first; and what is billed."""

from math import inf, nan
from typing import TYPE_CHECKING

from des.engine.call import Call, Cut, Failure, NaturalEnd, Response, as_call
from des.engine.kinds import Kinds
from des.engine.luck import CallLuck
from des.engine.tariff import Tariff
from des.rules.timeouts import gives_up_after_s
from des.scenario import plan
from des.scenario.text.units import YEAR_S
from des.vocabulary import (
    BY_CAPACITY,
    BY_CHANCE,
    BY_DEADLINE,
    BY_HEDGE,
    BY_INCIDENT,
    CALL,
    CONNECTION_ERROR,
    INVALID_OUTPUT,
    OK,
    RATE_LIMITED,
    TIMEOUT,
)

if TYPE_CHECKING:
    from des.engine.conditions import Condition, Ledger
    from des.engine.request import Request

NEVER_S = YEAR_S
WHOLE_TOKEN = 1e-6  # a token is whole within the rounding of clock times


class Ending:
    """The client's bounds on a leg's calls, the incidents that may cut them off, and the endpoint's tariff.

    Nothing here has a memory: the same call, asked about again, ends in the same way.
    """

    def __init__(
        self,
        leg: plan.Leg,
        endpoint: plan.Endpoint,
        kinds: Kinds,
        tariff: Tariff,
        ledger: "Ledger",
        *,
        is_killable: bool,
    ) -> None:
        self._leg = leg.index
        self._endpoint = endpoint.index
        self._capacity = -1 if endpoint.capacity is None else endpoint.capacity
        self._kinds = kinds
        self._useless = frozenset(kind for kind, base in enumerate(kinds.outcomes) if base == INVALID_OUTPUT)
        self._tariff = tariff
        self._ledger = ledger
        self._is_killable = is_killable
        timeout = leg.timeout
        given = (timeout.connect_s, timeout.first_token_s, timeout.idle_s, timeout.total_s)
        connect, first_token, idle, total = (inf if bound is None else bound for bound in given)
        self._bounds = (connect, first_token, idle, total)
        self._least_bound_s = min(self._bounds)
        self._streams = endpoint.latency.whole is None
        is_plain = not is_killable and tariff.modes[RATE_LIMITED] == "none"
        self.plain_refusal_s = self._least_bound_s if is_plain else -1.0
        """Up to how long a refusal may take and yet end by itself, at no cost; -1 where it may end otherwise."""

    def failed(
        self,
        request: "Request",
        luck: CallLuck,
        attempt: int,
        round_number: int,
        now_s: float,
        until_s: float,
        cut: Cut,
        failure: Failure,
        retry_after_s: float,
        is_warm: bool,
    ) -> Call:
        """A failing call, unless the client, the cut at `until_s` or an incident ends it first.

        A failure has no output, but for the output of no use that invalid output is.
        """
        outcome, cause, cause_id, after_s = failure
        end_s = now_s + after_s
        if after_s > self._least_bound_s:
            give_up_s = gives_up_after_s(self._bounds, 0.0, after_s, 0.0, after_s)
            if give_up_s < after_s:
                outcome, end_s, retry_after_s = TIMEOUT, now_s + give_up_s, nan
        if end_s > until_s:
            end_s, retry_after_s = until_s, nan
            if cut[0] != TIMEOUT:
                cause_id = cause_id if cause == BY_INCIDENT and cut[1] == BY_DEADLINE else -1
                cause = cut[1]
            outcome = cut[0]
        if self._is_killable:
            killed = self._killed(request, luck, now_s, end_s)
            if killed is not None:
                end_s, outcome, cause, cause_id = killed
                retry_after_s = nan
        mode = self._tariff.modes[outcome]
        cached, cost = 0, 0
        output, done = (request.output_tokens, 1.0) if outcome in self._useless else (0, 0.0)
        if mode != "none":
            cached, cost = self._tariff.bill(request, mode, is_warm, output, done)
        return as_call(
            (
                request.id,
                attempt,
                round_number,
                self._leg,
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
                CALL,
            )
        )

    def answered(
        self,
        request: "Request",
        luck: CallLuck,
        attempt: int,
        round_number: int,
        now_s: float,
        until_s: float,
        cut: Cut,
        response: Response,
        condition: "Condition | None",
        is_warm: bool,
    ) -> Call:
        """An answered call, unless the client, the cut at `until_s` or an incident ends it first.

        `condition` and `is_warm` are as the call met them at its start.
        """
        outcome, connect_s, first_s, gap_s, whole_s, _, _, _ = response
        cause, cause_id = (-1, -1) if outcome == OK else (BY_CHANCE, -1)
        broken = outcome == CONNECTION_ERROR
        end_s = now_s + whole_s
        if whole_s > self._least_bound_s or gap_s > self._bounds[2]:
            give_up_s = gives_up_after_s(self._bounds, connect_s, first_s, gap_s, whole_s)
            if give_up_s < whole_s:
                outcome, end_s, broken = TIMEOUT, now_s + give_up_s, False
                cause, cause_id = self._blame_for_slowness(response, condition)
        if end_s > until_s:
            outcome, cause, cause_id = self._blame_for_lateness(cut, response, until_s - now_s, condition)
            end_s, broken = until_s, False
        if self._is_killable:
            killed = self._killed(request, luck, now_s, end_s)
            if killed is not None:
                end_s, outcome, cause, cause_id = killed
                broken = False
        if outcome in (OK, INVALID_OUTPUT):
            output, done = request.output_tokens, 1.0
        else:
            output, done = self._output_so_far(request, end_s - now_s, response)
        mode = self._tariff.broken_stream if broken else self._tariff.modes[outcome]
        cached, cost = 0, 0
        if mode != "none":
            cached, cost = self._tariff.bill(request, mode, is_warm, output, done)
        return as_call(
            (
                request.id,
                attempt,
                round_number,
                self._leg,
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
                CALL,
            )
        )

    def _blame_for_slowness(self, response: Response, condition: "Condition | None") -> tuple[int, int]:
        """(cause, its number): the incident that made a response too slow, or else the queue before the endpoint.

        Nobody where it would have been too slow anyway.
        """
        _, connect_s, first_s, gap_s, whole_s, _, _, queued_s = response
        if condition is not None and condition.factor > 1.0:
            factor = condition.factor
            unslowed_s = gives_up_after_s(
                self._bounds,
                connect_s / factor,
                (first_s - queued_s) / factor + queued_s,
                gap_s / factor,
                (whole_s - queued_s) / factor + queued_s,
            )
            if unslowed_s == inf:
                return BY_INCIDENT, condition.slowest()
        if queued_s > 0.0:
            at_once_s = gives_up_after_s(self._bounds, connect_s, first_s - queued_s, gap_s, whole_s - queued_s)
            if at_once_s == inf:
                return BY_CAPACITY, self._capacity
        return -1, -1

    def _blame_for_lateness(
        self, cut: Cut, response: Response, left_s: float, condition: "Condition | None"
    ) -> tuple[int, int, int]:
        """(outcome, cause, its number) of a response cut off `left_s` into the call.

        The incident that made it too late is named, unless it would have been late anyway: -1. It, or else the queue,
        is to blame for a timeout; a deadline or a lost race stays one.
        """
        outcome, cause = cut
        if cause == BY_HEDGE:
            return outcome, cause, -1
        whole_s, queued_s = response[4], response[7]
        factor = 1.0 if condition is None else condition.factor
        if condition is not None and factor > 1.0 and (whole_s - queued_s) / factor + queued_s <= left_s:
            return outcome, BY_INCIDENT if outcome == TIMEOUT else cause, condition.slowest()
        if outcome == TIMEOUT and queued_s > 0.0 and whole_s - queued_s <= left_s:
            return outcome, BY_CAPACITY, self._capacity
        return outcome, cause, -1

    def _killed(
        self, request: "Request", luck: CallLuck, now_s: float, end_s: float
    ) -> tuple[float, int, int, int] | None:
        """(time, outcome, cause, incident) of the incident that cuts the call off, if one does.

        A call that nothing else ends is held against the incidents of a year; what no incident of a year has ended is
        taken never to end.
        """
        end_s = min(end_s, now_s + NEVER_S)
        for count, (kill_s, incident) in enumerate(self._ledger.kills(self._endpoint, now_s, end_s)):
            effect = self._ledger.effect(incident)
            if luck.kill(count, request.luck) < effect.error_rate:
                return kill_s, self._kinds.code(effect.outcome, effect.status), BY_INCIDENT, incident
        return None

    def _output_so_far(self, request: "Request", elapsed_s: float, response: Response) -> tuple[int, float]:
        """(tokens, share of the response) made when the call is cut off.

        A response that comes whole is made at an even pace from when the endpoint took it up, a streamed one after its
        first token.
        """
        _, _, first_s, _, _, full_s, speed, queued_s = response
        if not self._streams:
            if elapsed_s < queued_s:
                return 0, 0.0
            done = min(1.0, (elapsed_s - queued_s) / (full_s - queued_s)) if full_s > queued_s else 1.0
            return int(done * request.output_tokens + WHOLE_TOKEN), done
        if elapsed_s < first_s:
            return 0, 0.0
        if speed == 0.0 or request.output_tokens == 0:
            return request.output_tokens, 1.0
        output = min(request.output_tokens, int((elapsed_s - first_s) * speed + WHOLE_TOKEN))
        return output, output / request.output_tokens

    def natural_end(
        self, request: "Request", failure: Failure | None, response: Response | None, borne_s: float
    ) -> NaturalEnd:
        """What the provider makes of a call that nobody ends before.

        A hang lasts until the leg's timeout, and at most `borne_s`.
        """
        if failure is not None:
            outcome, _, _, after_s = failure
            if after_s == inf:
                after_s = min(borne_s, gives_up_after_s(self._bounds, 0.0, inf, 0.0, inf))
            return outcome, after_s, request.output_tokens if outcome in self._useless else 0
        assert response is not None
        outcome, whole_s = response[0], response[4]
        if outcome in (OK, INVALID_OUTPUT):
            return outcome, whole_s, request.output_tokens
        return outcome, whole_s, self._output_so_far(request, whole_s, response)[0]
