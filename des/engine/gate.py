"""What a call passes before an endpoint works on it: its limits, all or none, and the endpoint's capacity."""

from collections.abc import Sequence
from math import inf, nan
from typing import TYPE_CHECKING

from des.engine.call import Failure, NaturalEnd, Response
from des.engine.capacity import Capacity
from des.engine.limits import Limit
from des.engine.luck import CallLuck
from des.engine.meter import reckoned, used
from des.engine.turns import Turns
from des.vocabulary import BY_CAPACITY, BY_LIMIT, INVALID_OUTPUT, OK, OVERLOADED, RATE_LIMITED

if TYPE_CHECKING:
    from des.engine.request import Request


class Gate:
    """The limits of one leg, the client's budgets before those of its endpoint, and the endpoint's capacity.

    A call takes from all limits of its endpoint or from none; one that could never fit is refused each time, without
    Retry-After. It is the first limit without room that refuses, and whose Retry-After is told. The first so many are
    `budgets`: what they refuse never reaches the provider, and what the provider's limits refuse has spent them, as a
    call that failed.
    """

    def __init__(
        self, limits: Sequence[tuple[Limit, Turns]], capacity: tuple[Capacity, Turns] | None, *, budgets: int = 0
    ) -> None:
        self._limits = limits
        self._budgets = budgets
        self._capacity = capacity

    def refusal(
        self, request: "Request", luck: CallLuck, cached_tokens: int, now_s: float
    ) -> tuple[Failure, float] | None:
        """(failure, Retry-After) of the first limit that has no room for the call; None where all have.

        Limits that count refused calls count it now.
        """
        for limit, turns in self._limits:
            amount = reckoned(limit.plan, request, cached_tokens)
            if not limit.admits(amount, now_s):
                turns.refused(now_s)
                break
        else:
            return None
        after_s = luck.delay_s("refusal", limit.refusal_latency, request.luck)
        met = self._limits[: self._budgets]
        if all(limit is not budget for budget, _ in met):
            self._spend(request, cached_tokens, now_s, now_s + after_s)
            met = self._limits[self._budgets :]
        for each, _ in met:
            if each.plan.counts_refused and each.plan.counted != "success" and each.plan.metric != "concurrency":
                wanted = reckoned(each.plan, request, cached_tokens)
                each.admits(wanted, now_s)
                each.take(wanted, now_s, now_s + after_s)
        retry_after_s = limit.retry_after_s(amount, now_s) if limit.plan.sends_retry_after else nan
        return (RATE_LIMITED, BY_LIMIT, limit.index, after_s), nan if retry_after_s == inf else retry_after_s

    def overload(self, request: "Request", luck: CallLuck, now_s: float) -> Failure | None:
        """The failure of a call that comes when the queue is full."""
        if self._capacity is None:
            return None
        capacity, turns = self._capacity
        if capacity.admits(now_s):
            turns.admitted(now_s)
            return None
        turns.refused(now_s)
        after_s = luck.delay_s("overload", capacity.refusal_latency, request.luck)
        return OVERLOADED, BY_CAPACITY, capacity.index, after_s

    def queued(self, response: Response, now_s: float) -> Response:
        """The response of a call that takes its place now, with its wait before the first token."""
        if self._capacity is None:
            return response
        outcome, connect_s, first_s, gap_s, whole_s, full_s, speed, _ = response
        wait_s = self._capacity[0].serve(now_s, whole_s)
        return outcome, connect_s, first_s + wait_s, gap_s, whole_s + wait_s, full_s + wait_s, speed, wait_s

    def count(self, request: "Request", cached_tokens: int, now_s: float, natural_end: NaturalEnd) -> None:
        """Count a call that was not refused against every limit, now and at the end that the provider brings it to."""
        outcome, lasts_s, output_tokens = natural_end
        failed = outcome not in (OK, INVALID_OUTPUT)
        for limit, turns in self._limits:
            turns.admitted(now_s)
            _count(limit, request, cached_tokens, now_s, now_s + lasts_s, output_tokens, failed=failed)

    def _spend(self, request: "Request", cached_tokens: int, now_s: float, end_s: float) -> None:
        """Count a call that the provider's limits refuse against the budgets, for which it is a failed one."""
        for budget, turns in self._limits[: self._budgets]:
            turns.admitted(now_s)
            _count(budget, request, cached_tokens, now_s, end_s, 0, failed=True)


def _count(
    limit: Limit,
    request: "Request",
    cached_tokens: int,
    now_s: float,
    end_s: float,
    output_tokens: int,
    *,
    failed: bool,
) -> None:
    """Take what a call is reckoned to use now, and correct it at its end."""
    law = limit.plan
    taken = 0.0 if law.counted == "success" else reckoned(law, request, cached_tokens)
    entry = limit.take(taken, now_s, end_s) if taken else -1
    if law.metric == "concurrency":
        return
    final = taken
    if failed and (law.counted == "success" or not law.counts_failed):
        final = 0.0
    elif law.counted != "dispatch":
        final = used(law, request, cached_tokens, output_tokens)
    if final != taken and end_s < inf:
        limit.correct_at(end_s, taken, final, entry)
