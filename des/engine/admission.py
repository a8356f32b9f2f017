"""What a call passes before an endpoint works on it: its limits, all or none, and the endpoint's capacity."""

from collections.abc import Sequence
from heapq import heapreplace
from math import inf, nan

from des.distributions import Constant
from des.engine.draws import CallDraws
from des.engine.limiters import Limiter, make_limiter
from des.engine.recorder import LimiterState, Recorder
from des.engine.records import Failure, NaturalEnd, Request, Response, as_failure
from des.rules.limits import queue_is_full, service_start_s, waiting_calls
from des.scenario import plan
from des.vocabulary import BY_CAPACITY, BY_LIMIT, INVALID_OUTPUT, OK, OVERLOADED, RATE_LIMITED

LEAST = 1.0  # what must be left of a limit that counts a call only after its success
_PRUNED = 64  # starts gone by that are kept at most


class Limit:
    """A limit of a plan, its limiter, and whether it refuses now."""

    __slots__ = (
        "counts_by_number",
        "counts_refused",
        "index",
        "is_known_at_dispatch",
        "limiter",
        "plan",
        "refusal_s",
        "sends_retry_after",
        "state",
    )

    def __init__(self, limit: plan.Limit, recorder: Recorder) -> None:
        self.plan = limit
        self.index = limit.index
        self.sends_retry_after = limit.sends_retry_after
        self.limiter: Limiter = make_limiter(limit)
        self.state: LimiterState = recorder.limiter_state("limit", limit.name)
        self.counts_by_number = limit.counted == "success" or limit.metric in ("requests", "concurrency")
        latency = limit.refusal_latency
        self.refusal_s = latency.value if isinstance(latency, Constant) else None
        """How long it takes to refuse a call, where nothing is drawn for it."""
        self.is_known_at_dispatch = (
            limit.counted == "dispatch" and limit.counts_failed and limit.metric != "concurrency"
        )
        """Whether all that a call counts for is taken when it is sent, whatever becomes of it."""
        self.counts_refused = limit.counts_refused and limit.counted != "success" and limit.metric != "concurrency"

    def estimated_usage(self, request: Request, cached_tokens: int) -> float:
        """What there must be room for when a call is sent: what it will use, an estimate of that, or `LEAST`."""
        if self.counts_by_number:
            return LEAST
        estimate = self.plan.estimated_output
        return self._usage(request, cached_tokens, request.output_tokens if estimate is None else estimate)

    def actual_usage(self, request: Request, cached_tokens: int, output_tokens: int) -> float:
        """What a call has used whose output was this long; `cached_tokens` of its input came from a prompt cache."""
        if self.plan.metric in ("requests", "concurrency"):
            return 1.0
        return self._usage(request, cached_tokens, output_tokens)

    def _usage(self, request: Request, cached_tokens: int, output_tokens: int) -> float:
        input_tokens = request.input_tokens if self.plan.counts_cached else request.input_tokens - cached_tokens
        if self.plan.metric == "input_tokens":
            return float(input_tokens)
        if self.plan.metric == "output_tokens":
            return float(output_tokens)
        return float(input_tokens + output_tokens)

    def count(
        self, request: Request, cached_tokens: int, now_s: float, end_s: float, output_tokens: int, *, failed: bool
    ) -> None:
        """Take what a call is estimated to use now, and correct it at its end."""
        settings = self.plan
        taken = 0.0 if settings.counted == "success" else self.estimated_usage(request, cached_tokens)
        entry = self.limiter.take(taken, now_s, end_s) if taken else -1
        if settings.metric == "concurrency":
            return
        final = taken
        if failed and (settings.counted == "success" or not settings.counts_failed):
            final = 0.0
        elif settings.counted != "dispatch":
            final = self.actual_usage(request, cached_tokens, output_tokens)
        if final != taken and end_s < inf:
            self.limiter.correct_at(end_s, taken, final, entry)


class Capacity:
    """How many calls a provider serves at once, first come, first served, and the bounded queue before it.

    The wait is known when a call comes. Work that its client gives up, and work that an incident kills, keeps its place
    until its natural end; failures (refusals, errors, hangs) take none.
    """

    __slots__ = ("_free_at_s", "_starts_s", "plan", "state")

    def __init__(self, capacity: plan.Capacity, recorder: Recorder) -> None:
        self.plan = capacity
        self.state: LimiterState = recorder.limiter_state("capacity", capacity.name)
        self._free_at_s = [0.0] * capacity.concurrent
        self._starts_s: list[float] = []

    def admits(self, now_s: float) -> bool:
        """Whether a call that comes now is served, at once or after waiting."""
        if service_start_s(self._free_at_s, now_s) <= now_s:
            return True
        queued = waiting_calls(self._starts_s, now_s)
        gone = len(self._starts_s) - queued
        if gone > _PRUNED:
            del self._starts_s[:gone]
        return not queue_is_full(queued, self.plan.queue)

    def serve(self, now_s: float, service_s: float) -> float:
        """Take a call that `admits` has just been asked for; how long it waits."""
        begins_s = service_start_s(self._free_at_s, now_s)
        heapreplace(self._free_at_s, begins_s + service_s)
        if begins_s > now_s:
            self._starts_s.append(begins_s)
        return begins_s - now_s


class Admission:
    """The limits of one leg, the client's budgets before those of its endpoint, and the endpoint's capacity.

    A call takes from all limits of its endpoint or from none; one that could never fit is refused each time, without
    Retry-After. It is the first limit without room that refuses, and whose Retry-After is told. What a budget refuses
    never reaches the provider, and what the provider's limits refuse has spent the budgets, as a call that failed.
    """

    __slots__ = ("_budgets", "_charges_refusals", "_known", "_limits", "_open", "_provider", "capacity", "counts_ends")

    def __init__(self, budgets: Sequence[Limit], limits: Sequence[Limit], capacity: Capacity | None) -> None:
        self._budgets, self._provider = budgets, limits
        self._limits = (*budgets, *limits)
        self._known = tuple(limit for limit in self._limits if limit.is_known_at_dispatch)
        self._open = tuple(limit for limit in self._limits if not limit.is_known_at_dispatch)
        self._charges_refusals = bool(budgets) or any(limit.counts_refused for limit in limits)
        self.capacity = capacity
        self.counts_ends = bool(self._open)
        """Whether `count` is to be told how a call ends."""

    def refusal(self, request: Request, draws: CallDraws, cached_tokens: int, now_s: float) -> Failure | None:
        """How the first limit that has no room for the call refuses it; None where all have, and have counted it.

        Limits that count refused calls count it too.
        """
        for limit in self._limits:
            amount = LEAST if limit.counts_by_number else limit.estimated_usage(request, cached_tokens)
            if not limit.limiter.admits(amount, now_s):
                break
        else:
            for limit in self._known:
                amount = LEAST if limit.counts_by_number else limit.estimated_usage(request, cached_tokens)
                limit.limiter.take(amount, now_s, inf)
                if limit.state.refuses:
                    limit.state.admitted(now_s)
            return None
        if not limit.state.refuses:
            limit.state.refused(now_s)
        after_s = limit.refusal_s
        if after_s is None:
            after_s = draws.delay_s("refusal", limit.plan.refusal_latency, request.draw)
        if self._charges_refusals:
            self._charge_refusal(limit, request, cached_tokens, now_s, now_s + after_s)
        retry_after_s = limit.limiter.retry_after_s(amount, now_s) if limit.sends_retry_after else nan
        return as_failure(
            (RATE_LIMITED, BY_LIMIT, limit.index, after_s, nan if retry_after_s == inf else retry_after_s)
        )

    def _charge_refusal(
        self, refusing: Limit, request: Request, cached_tokens: int, now_s: float, end_s: float
    ) -> None:
        """Count a refused call where refusals count: at the budgets, or at the provider's limits and then as failed."""
        met = self._budgets
        if refusing not in self._budgets:
            for budget in self._budgets:
                budget.state.admitted(now_s)
                budget.count(request, cached_tokens, now_s, end_s, 0, failed=True)
            met = self._provider
        for limit in met:
            if limit.counts_refused:
                amount = limit.estimated_usage(request, cached_tokens)
                limit.limiter.admits(amount, now_s)
                limit.limiter.take(amount, now_s, end_s)

    def overload(self, request: Request, draws: CallDraws, now_s: float) -> Failure | None:
        """The failure of a call that comes when the queue is full."""
        capacity = self.capacity
        if capacity is None:
            return None
        if capacity.admits(now_s):
            capacity.state.admitted(now_s)
            return None
        capacity.state.refused(now_s)
        after_s = draws.delay_s("overload", capacity.plan.refusal_latency, request.draw)
        return Failure(OVERLOADED, BY_CAPACITY, capacity.plan.index, after_s)

    def queued(self, response: Response, now_s: float) -> Response:
        """The response of a call that takes its place now, with its wait before the first token."""
        if self.capacity is None:
            return response
        wait_s = self.capacity.serve(now_s, response.end_s)
        return response._replace(
            first_token_s=response.first_token_s + wait_s,
            end_s=response.end_s + wait_s,
            unbroken_s=response.unbroken_s + wait_s,
            queued_s=wait_s,
        )

    def count(self, request: Request, cached_tokens: int, now_s: float, natural_end: NaturalEnd) -> None:
        """Count a call that was not refused, now and at the end that the provider brings it to."""
        failed = natural_end.outcome not in (OK, INVALID_OUTPUT)
        end_s = now_s + natural_end.lasts_s
        for limit in self._open:
            limit.state.admitted(now_s)
            limit.count(request, cached_tokens, now_s, end_s, natural_end.output_tokens, failed=failed)
