"""How the calls of a leg end for its client, naturally or cut off, and what is billed."""

from collections.abc import Callable
from functools import partial
from math import inf, nan
from typing import NamedTuple, cast

from des.engine.caches import WarmPrefix
from des.engine.codes import Kinds
from des.engine.draws import LegDraws
from des.engine.incidents import last_kill_s
from des.engine.providers import Providers
from des.engine.records import Bound, Call, Condition, Failure, Fate, NaturalEnd, Request, Response, as_call
from des.rules.billing import flat_cost, picodollars, token_cost
from des.rules.calls import gives_up_after_s
from des.scenario import plan
from des.scenario.text.units import YEAR_S
from des.vocabulary import (
    BY_CAPACITY,
    BY_CHANCE,
    BY_DEADLINE,
    BY_HEDGE,
    BY_INCIDENT,
    CALL,
    INVALID_OUTPUT,
    OK,
    TIMEOUT,
)

_NEVER_S = YEAR_S
_WHOLE_TOKEN = 1e-6  # rounding tolerance of clock times, in tokens


class _End(NamedTuple):
    """When a call ends, with which outcome, and its cause."""

    end_s: float
    outcome: int
    cause: int = -1
    cause_id: int = -1
    retry_after_s: float = nan


_as_end = cast("Callable[[tuple[float, int, int, int, float]], _End]", partial(tuple.__new__, _End))
"""An `_End` of the values of its fields, in order."""


class Ending:
    """The client's time-outs on a leg's calls, the incidents that may kill them, and the endpoint's tariff.

    It has no state: the same call always ends in the same way.
    """

    def __init__(self, providers: Providers, leg: plan.Leg, draws: LegDraws, prefix: WarmPrefix | None) -> None:
        endpoint = providers.plan.endpoints[leg.endpoint]
        kinds = providers.kinds
        self.tariff = _Tariff(endpoint, kinds, prefix)
        self._modes = self.tariff.modes
        self._leg = leg.index
        self._endpoint = endpoint.index
        self._capacity = -1 if endpoint.capacity is None else endpoint.capacity
        self._kinds = kinds
        self._is_useless = kinds.of_outcomes((INVALID_OUTPUT,))
        self._draws = draws
        self._ledger = providers.ledger
        self._last_kill_s = last_kill_s(providers.plan, endpoint.index)
        timeout = leg.timeout
        given = (timeout.connect_s, timeout.first_token_s, timeout.idle_s, timeout.total_s)
        connect, first_token, idle, total = (inf if bound is None else bound for bound in given)
        self._bounds = (connect, first_token, idle, total)
        self._least_bound_s = min(self._bounds)
        self._idle_s = idle
        self._streams = endpoint.latency.whole is None

    def ended(self, fate: Fate, bound: Bound) -> Call:
        """The call as its client sees it: cut off by the bound, a time-out or an incident if it would last longer.

        Nothing changes, so the same call may be evaluated again with another bound.
        """
        request, _, _, start_s, failure, response, condition, is_warm = fate
        if failure is not None:
            outcome, cause, cause_id, after_s, retry_after_s = failure
            end_s = start_s + after_s
            if after_s > self._least_bound_s or end_s > bound.until_s:
                end_s, outcome, cause, cause_id, retry_after_s = self._failed(start_s, failure, bound)
        else:
            assert response is not None
            answered = self._answered(start_s, response, condition, bound)
            end_s, outcome, cause, cause_id, retry_after_s = answered
        if fate.start_s < self._last_kill_s:
            killed = self._killed(fate, end_s)
            if killed is not None:
                end_s, outcome, cause, cause_id, retry_after_s = killed
        if response is None:  # no output, except that of invalid output
            output, done = (request.output_tokens, 1.0) if self._is_useless[outcome] else (0, 0.0)
        elif outcome in (OK, INVALID_OUTPUT):
            output, done = request.output_tokens, 1.0
        else:
            output, done = self._output_so_far(request, end_s - start_s, response)
        mode = self._modes[outcome]
        cached, cost = 0, 0
        if mode != "none":
            cached, cost = self.tariff.bill(request, mode, is_warm, output, done)
        return as_call(
            (
                request.id,
                fate.attempt,
                request.rounds - 1,
                self._leg,
                start_s,
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

    def _failed(self, start_s: float, failure: Failure, bound: Bound) -> _End:
        """The end of a failing call that exceeds a time-out of the leg or the bound."""
        outcome, cause, cause_id, after_s, retry_after_s = failure
        end_s = start_s + after_s
        if after_s > self._least_bound_s:
            give_up_s = gives_up_after_s(self._bounds, 0.0, after_s, 0.0, after_s)
            if give_up_s < after_s:
                outcome, end_s, retry_after_s = TIMEOUT, start_s + give_up_s, nan
        if end_s > bound.until_s:
            end_s, retry_after_s = bound.until_s, nan
            if bound.outcome != TIMEOUT:
                cause_id = cause_id if cause == BY_INCIDENT and bound.cause == BY_DEADLINE else -1
                cause = bound.cause
            outcome = bound.outcome
        return _as_end((end_s, outcome, cause, cause_id, retry_after_s))

    def _answered(self, start_s: float, response: Response, condition: Condition | None, bound: Bound) -> _End:
        """The end of an answered call, by its response or earlier by the client or the bound."""
        outcome, whole_s = response.outcome, response.end_s
        cause, cause_id = (-1, -1) if outcome == OK else (BY_CHANCE, -1)
        end_s = start_s + whole_s
        if whole_s > self._least_bound_s or response.gap_s > self._idle_s:
            give_up_s = self._gives_up_after_s(response, 1.0, 0.0)
            if give_up_s < whole_s:
                outcome, end_s = TIMEOUT, start_s + give_up_s
                cause, cause_id = self._blame_for_slowness(response, condition)
        if end_s > bound.until_s:
            outcome = bound.outcome
            cause, cause_id = self._blame_for_lateness(bound, response, bound.until_s - start_s, condition)
            end_s = bound.until_s
        return _as_end((end_s, outcome, cause, cause_id, nan))

    def _gives_up_after_s(self, response: Response, factor: float, queued_s: float) -> float:
        """When a time-out of the leg is exceeded, if the response were `factor` faster after a wait of `queued_s`."""
        return gives_up_after_s(
            self._bounds,
            response.connect_s / factor,
            (response.first_token_s - queued_s) / factor + queued_s,
            response.gap_s / factor,
            (response.end_s - queued_s) / factor + queued_s,
        )

    def _blame_for_slowness(self, response: Response, condition: Condition | None) -> tuple[int, int]:
        """(cause, its number): the incident that made a response too slow, or else the endpoint's queue.

        (-1, -1) where it would have been too slow anyway.
        """
        queued_s = response.queued_s
        factor = 1.0 if condition is None else condition.factor
        if condition is not None and factor > 1.0 and self._gives_up_after_s(response, factor, queued_s) == inf:
            return BY_INCIDENT, condition.slowest()
        if queued_s > 0.0:
            at_once_s = gives_up_after_s(
                self._bounds,
                response.connect_s,
                response.first_token_s - queued_s,
                response.gap_s,
                response.end_s - queued_s,
            )
            if at_once_s == inf:
                return BY_CAPACITY, self._capacity
        return -1, -1

    def _blame_for_lateness(
        self, bound: Bound, response: Response, left_s: float, condition: Condition | None
    ) -> tuple[int, int]:
        """(cause, its number) of a response cut off `left_s` into the call.

        The number is that of the incident that made the response too late, -1 where it would have been late anyway. For
        a time-out the cause is this incident, or else the queue. A deadline or a lost race keeps its own cause.
        """
        outcome, cause = bound.outcome, bound.cause
        if cause == BY_HEDGE:
            return cause, -1
        whole_s, queued_s = response.end_s, response.queued_s
        factor = 1.0 if condition is None else condition.factor
        if condition is not None and factor > 1.0 and (whole_s - queued_s) / factor + queued_s <= left_s:
            return BY_INCIDENT if outcome == TIMEOUT else cause, condition.slowest()
        if outcome == TIMEOUT and queued_s > 0.0 and whole_s - queued_s <= left_s:
            return BY_CAPACITY, self._capacity
        return cause, -1

    def _killed(self, fate: Fate, end_s: float) -> _End | None:
        """The end by an incident that kills the call, if one does.

        An otherwise endless call is checked against a year of incidents. If none of them ends it, it counts as endless.
        """
        draws, index = self._draws[fate.nth], fate.request.draw
        end_s = min(end_s, fate.start_s + _NEVER_S, self._last_kill_s)
        for count, (kill_s, incident) in enumerate(self._ledger.kills(self._endpoint, fate.start_s, end_s)):
            effect = self._ledger.effect(incident)
            if draws.kill(count, index) < effect.error_rate:
                return _End(kill_s, self._kinds.code(effect.outcome, effect.status), BY_INCIDENT, incident)
        return None

    def _output_so_far(self, request: Request, elapsed_s: float, response: Response) -> tuple[int, float]:
        """(tokens, share of the response) made when the call is cut off.

        A response that comes whole is made at an even pace from the start of service, a streamed one from its first
        token.
        """
        if not self._streams:
            full_s, queued_s = response.unbroken_s, response.queued_s
            if elapsed_s < queued_s:
                return 0, 0.0
            done = min(1.0, (elapsed_s - queued_s) / (full_s - queued_s)) if full_s > queued_s else 1.0
            return int(done * request.output_tokens + _WHOLE_TOKEN), done
        if elapsed_s < response.first_token_s:
            return 0, 0.0
        if response.tokens_per_s == 0.0 or request.output_tokens == 0:
            return request.output_tokens, 1.0
        made = int((elapsed_s - response.first_token_s) * response.tokens_per_s + _WHOLE_TOKEN)
        output = min(request.output_tokens, made)
        return output, output / request.output_tokens

    def natural_end(
        self, request: Request, failure: Failure | None, response: Response | None, borne_s: float
    ) -> NaturalEnd:
        """How the provider ends a call that nothing cuts off.

        A hang lasts until the leg's time-out, and at most `borne_s`.
        """
        if failure is not None:
            after_s = failure.after_s
            if after_s == inf:
                after_s = min(borne_s, gives_up_after_s(self._bounds, 0.0, inf, 0.0, inf))
            output = request.output_tokens if self._is_useless[failure.outcome] else 0
            return NaturalEnd(failure.outcome, after_s, output)
        assert response is not None
        outcome, whole_s = response.outcome, response.end_s
        if outcome in (OK, INVALID_OUTPUT):
            return NaturalEnd(outcome, whole_s, request.output_tokens)
        return NaturalEnd(outcome, whole_s, self._output_so_far(request, whole_s, response)[0])


class _Tariff:
    """Prices in picodollars and the billing table of an endpoint, with the prompt cache of one leg."""

    __slots__ = ("_counts_calls", "_per_request", "_per_unit", "_prefix", "_token_prices", "modes")

    def __init__(self, endpoint: plan.Endpoint, kinds: Kinds, prefix: WarmPrefix | None) -> None:
        price = endpoint.price
        self._token_prices = (
            picodollars(price.input_per_token),
            picodollars(price.cached_input_per_token),
            picodollars(price.cache_write_per_token),
            picodollars(price.output_per_token),
        )
        self._per_request, self._per_unit = picodollars(price.per_request), picodollars(price.per_unit)
        self._counts_calls = bool(self._per_request or self._per_unit)
        self._prefix = prefix
        self.modes = [endpoint.billing[name] for name in kinds.names]
        if endpoint.broken_streams is not None:
            self.modes[kinds.broken_stream] = endpoint.billing["broken_stream"]

    def bill(self, request: Request, mode: str, is_warm: bool, output: int, done: float) -> tuple[int, int]:
        """(input tokens read from the prompt cache, picodollars) of a call.

        `is_warm` is the state of the prompt cache at its start. `output` and `done` are the tokens and the share of the
        response made by its end.
        """
        plain, cached, written = request.input_tokens, 0, 0
        if self._prefix is not None:
            if is_warm:
                cached = self._prefix.tokens(plain)
            else:
                written = self._prefix.tokens(plain)
            plain -= cached + written
        cost = token_cost(mode, plain, cached, written, request.output_tokens, output, self._token_prices)
        if self._counts_calls:
            cost += flat_cost(mode, self._per_request, self._per_unit, request.units, done)
        return cached, cost
