"""Retry budgets: whether a client may retry once more, by its recent requests and retries."""

from math import isnan, nan

from des.compiled.kernel.lists import drop_first, first_of, put_last
from des.compiled.kernel.memory import Record, at
from des.compiled.kernel.world import World
from des.rules.retry import (
    active_share_admits,
    bucket_admits,
    quota_admits,
    quota_returned,
    ratio_admits,
    throttle_admits,
    throttle_after,
)

ACTIVE_SHARE, RATIO, QUOTA, THROTTLE_BUDGET, BUCKET = range(5)


def past_of(w: World, request: Record, budget: int) -> Record:
    """What the request has had of a budget."""
    return at(w.pasts, request.slot * at(w.run, 0).budgets + budget)


def turn_to(w: World, request: Record, number: int, now_s: float) -> None:
    """The request comes to a leg of the budget."""
    budget, past = at(w.budgets, number), past_of(w, request, number)
    if not past.has_deposited:
        past.has_deposited = True
        _deposit(w, budget, now_s)
    if not past.has_begun:
        past.has_begun = True
        budget.active += 1


def end_visit(w: World, request: Record) -> None:
    """The request leaves its entry, and with it the budgets of its legs."""
    for number in range(at(w.run, 0).budgets):
        past = past_of(w, request, number)
        if past.has_begun:
            past.has_begun = False
            at(w.budgets, number).active -= 1


def forget_taken(w: World, request: Record) -> None:
    """A visit to an entry begins, in which no retry has been made."""
    for number in range(at(w.run, 0).budgets):
        past_of(w, request, number).taken = nan


def _deposit(w: World, budget: Record, now_s: float) -> None:
    if budget.kind == RATIO:
        put_last(w, budget.requests, now_s)
        _forget(w, budget.requests, now_s - budget.ttl_s)
    elif budget.kind == BUCKET:
        budget.tokens = min(budget.most, budget.tokens + budget.deposit)


def _forget(w: World, number: int, until_s: float) -> None:
    times = at(w.lists, number)
    while times.count > 0 and first_of(times) <= until_s:
        drop_first(times, 1)


def grant(w: World, budget: Record, outcome: int, now_s: float) -> float:
    """Take what a retry after this outcome costs, and return it; NaN where no retry is allowed."""
    kind = budget.kind
    if kind == ACTIVE_SHARE:
        if not active_share_admits(budget.retrying, budget.active, budget.share, budget.minimum):
            return nan
        budget.retrying += 1
        return 0.0
    if kind == RATIO:
        _forget(w, budget.requests, now_s - budget.ttl_s)
        _forget(w, budget.retries, now_s - budget.ttl_s)
        requests, retries = at(w.lists, budget.requests).count, at(w.lists, budget.retries).count
        if not ratio_admits(requests, retries, budget.share, budget.per_second, budget.ttl_s):
            return nan
        put_last(w, budget.retries, now_s)
        return 0.0
    if kind == QUOTA:
        is_throttle = (at(w.run, 0).throttle_mask >> outcome) & 1 == 1
        cost = budget.throttle_cost if is_throttle else budget.retry_cost
        if not quota_admits(budget.left, cost):
            return nan
        budget.left -= cost
        return cost
    if kind == THROTTLE_BUDGET:
        return 0.0 if throttle_admits(budget.tokens, budget.most) else nan
    if not bucket_admits(budget.tokens):
        return nan
    budget.tokens -= 1000
    return 1.0


def over_retry(budget: Record) -> None:
    """A retry that was granted has ended."""
    if budget.kind == ACTIVE_SHARE:
        budget.retrying -= 1


def budget_learns(budget: Record, served: bool, taken: float) -> None:
    """A call has ended. `taken` is the cost of its request's last retry, NaN without one."""
    if budget.kind == QUOTA:
        if served:
            amount = budget.success if isnan(taken) else taken
            budget.left = quota_returned(budget.left, budget.capacity, amount)
    elif budget.kind == THROTTLE_BUDGET:
        budget.tokens = throttle_after(budget.tokens, budget.most, budget.ratio, success=served)


def allows_hedge(budget: Record) -> bool:
    if budget.kind == THROTTLE_BUDGET:
        return throttle_admits(budget.tokens, budget.most)
    return True
