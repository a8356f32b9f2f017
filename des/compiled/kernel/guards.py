"""What takes a leg out of the walk for a time: breakers, cooldowns, ejections, and health by probes."""

from math import inf, isnan

from des.compiled.kernel.lists import address_of, drop_first, first_of, put_last
from des.compiled.kernel.memory import Record, Records, at, float_at
from des.compiled.kernel.queue import next_order, push
from des.compiled.kernel.rows import (
    CLOSED_STATE,
    COOLING,
    EJECTED,
    HALF_OPEN_STATE,
    HEALTHY,
    OPEN_STATE,
    UNHEALTHY,
    transition,
)
from des.compiled.kernel.world import GUARD_TIMER, World
from des.engine.priorities import TIMER
from des.rules.guards import (
    CLOSED,
    HALF_OPEN,
    OPEN,
    admits_probe,
    after_probe,
    after_probes,
    cools,
    cools_until_s,
    ejected_for_s,
    exceeds_allowed,
    fails_too_often,
    first_check_s,
    is_outlier,
    lasts_s,
    may_eject,
    removed_for_s,
    share_opens,
    streak_after,
    streak_opens,
    times_after_healthy_check,
    window_is_open,
)
from des.vocabulary import CANCELLED

BREAKER, COOLDOWN, EJECTION = range(3)
CONSECUTIVE, COUNT_WINDOW, TIME_WINDOW = range(3)
CHECK, COME_BACK = range(2)


def leg_admits(w: World, leg: Record) -> bool:
    """Whether the leg is healthy and no guard excludes it."""
    if leg.has_health and not leg.healthy:
        return False
    for number in range(leg.first_guard, leg.first_guard + leg.guards):
        if not _admits(at(w.guards, number)):
            return False
    return True


def _admits(guard: Record) -> bool:
    if guard.what == BREAKER:
        if not guard.stops_calls:
            return True
        if guard.state == HALF_OPEN:
            return admits_probe(guard.probes_started, guard.half_open)
        return guard.state == CLOSED
    return not guard.is_out


def stops_retries(w: World, leg: Record) -> bool:
    """Whether the leg is not to be called again after a failure."""
    for number in range(leg.first_guard, leg.first_guard + leg.guards):
        guard = at(w.guards, number)
        if guard.what == BREAKER and not guard.stops_calls and guard.state != CLOSED:
            return True
    return False


def enter_guards(w: World, leg: Record, tickets: Records) -> None:
    """A call that was admitted starts; its tickets go here."""
    for nth in range(leg.guards):
        guard = at(w.guards, leg.first_guard + nth)
        if guard.what == BREAKER:
            if guard.state == HALF_OPEN:
                guard.probes_started += 1
            at(tickets, nth).value = guard.age
        else:
            at(tickets, nth).value = 0


def guards_learn(w: World, leg: Record, tickets: Records, outcome: int, retry_after_s: float, now_s: float) -> None:
    """A call has ended; `CANCELLED` tells nothing of the leg."""
    for nth in range(leg.guards):
        guard = at(w.guards, leg.first_guard + nth)
        if guard.what == BREAKER:
            _breaker_learns(w, guard, at(tickets, nth).value, outcome, now_s)
        elif outcome != CANCELLED:
            if guard.what == COOLDOWN:
                _cooldown_learns(w, guard, outcome, retry_after_s, now_s)
            elif not guard.is_out:
                _ejection_learns(w, guard, outcome, retry_after_s, now_s)


def guard_timer(w: World, number: int, extra: int) -> None:
    """What a guard has set itself for now."""
    guard = at(w.guards, number)
    if guard.what == BREAKER:
        _become(w, guard, CLOSED if guard.half_open < 0 else HALF_OPEN)
    elif guard.what == COOLDOWN:
        if guard.is_out and guard.until_s == at(w.run, 0).now_s:
            guard.is_out = False
            _changed(w, guard, COOLING, CLOSED_STATE)
    elif extra == CHECK:
        _check(w, guard, at(w.run, 0).now_s)
    else:
        _come_back(w, guard)


def _timer(w: World, guard: Record, time_s: float, extra: int) -> None:
    push(w, time_s, TIMER, next_order(w), GUARD_TIMER, guard.index, extra)


def _changed(w: World, guard: Record, before: int, after: int) -> None:
    transition(w, at(w.run, 0).now_s, guard.entity, guard.entity_kind, before, after)


# Failed and all calls that ended last: of a number of calls, or of a number of seconds


def _window_add(w: World, guard: Record, now_s: float, failed: bool) -> None:
    times = at(w.lists, guard.times)
    put_last(w, guard.times, now_s)
    put_last(w, guard.failures, 1.0 if failed else 0.0)
    if failed:
        guard.failed += 1
    if guard.calls >= 0 and times.count > guard.calls:
        _window_drop(w, guard)
    _window_forget(w, guard, now_s)


def _window_forget(w: World, guard: Record, now_s: float) -> None:
    if isnan(guard.window_s):
        return
    times = at(w.lists, guard.times)
    while times.count > 0 and first_of(times) <= now_s - guard.window_s:
        _window_drop(w, guard)


def _window_drop(w: World, guard: Record) -> None:
    failures = at(w.lists, guard.failures)
    if float_at(address_of(failures)) > 0.0:
        guard.failed -= 1
    drop_first(failures, 1)
    drop_first(at(w.lists, guard.times), 1)


def _window_clear(w: World, guard: Record) -> None:
    times, failures = at(w.lists, guard.times), at(w.lists, guard.failures)
    drop_first(times, times.count)
    drop_first(failures, failures.count)
    guard.failed = 0


# Breakers


def _breaker_learns(w: World, guard: Record, ticket: int, outcome: int, now_s: float) -> None:
    if ticket != guard.age or guard.state == OPEN:
        return
    if outcome == CANCELLED:
        if guard.state == HALF_OPEN:
            guard.probes_started -= 1
        return
    failed = (guard.fails >> outcome) & 1 == 1
    if guard.state == HALF_OPEN:
        guard.probes_ended += 1
        if failed:
            guard.probes_failed += 1
        if guard.kind == COUNT_WINDOW:
            state = after_probes(guard.probes_ended, guard.probes_failed, guard.half_open, guard.failure_share)
        else:
            state = after_probes(guard.probes_ended, guard.probes_failed, guard.half_open, None)
        if state == OPEN:
            _open(w, guard, now_s)
        elif state == CLOSED:
            _become(w, guard, CLOSED)
        return
    if guard.kind == CONSECUTIVE:
        guard.streak = streak_after(guard.streak, failed=failed)
        if streak_opens(guard.streak, guard.failures_in_a_row):
            _open(w, guard, now_s)
        return
    _window_add(w, guard, now_s, failed)
    if share_opens(guard.failed, at(w.lists, guard.times).count, guard.failure_share, guard.minimum):
        _open(w, guard, now_s)


def _open(w: World, guard: Record, now_s: float) -> None:
    _become(w, guard, OPEN)
    _timer(w, guard, now_s + guard.open_s, 0)


def _state_name(state: int) -> int:
    if state == CLOSED:
        return CLOSED_STATE
    return OPEN_STATE if state == OPEN else HALF_OPEN_STATE


def _become(w: World, guard: Record, state: int) -> None:
    _changed(w, guard, _state_name(guard.state), _state_name(state))
    guard.state = state
    guard.age += 1
    guard.streak = 0
    _window_clear(w, guard)
    guard.probes_started = 0
    guard.probes_ended = 0
    guard.probes_failed = 0


# Cooldowns


def _cooldown_learns(w: World, guard: Record, outcome: int, retry_after_s: float, now_s: float) -> None:
    at_once = (guard.at_once >> outcome) & 1 == 1
    always = (guard.always >> outcome) & 1 == 1
    may_cool = (guard.fails >> outcome) & 1 == 1 or at_once or always
    by_share = guard.allowed_fails < 0
    failed = may_cool or (by_share and (guard.counted_only >> outcome) & 1 == 1)
    window_s = guard.window_s if by_share else guard.cooldown_s
    opened_s = guard.failed_opened_s if failed else guard.served_opened_s
    if not window_is_open(opened_s, window_s, now_s):
        if failed or not guard.own_windows:
            guard.failed_opened_s = now_s
            guard.failed = 0
        if not failed or not guard.own_windows:
            guard.served_opened_s = now_s
            guard.served = 0
    if failed:
        guard.failed += 1
    else:
        guard.served += 1
    if not may_cool:
        return
    failures = guard.failed if window_is_open(guard.failed_opened_s, window_s, now_s) else 0
    served = guard.served if window_is_open(guard.served_opened_s, window_s, now_s) else 0
    if _is_too_much(guard, at_once, always, failures, served):
        _cool(w, guard, now_s, lasts_s(guard.cooldown_s, retry_after_s, retry_after=guard.honours_retry_after))


def _is_too_much(guard: Record, at_once: bool, always: bool, failed: int, served: int) -> bool:
    """Whether a failure is one too many among the calls of the window, this one included."""
    if guard.allowed_fails >= 0:
        return not guard.is_spared and exceeds_allowed(failed, guard.allowed_fails)
    share = guard.failure_share
    if isnan(share):
        share = inf  # of no share is there too much
    return cools(
        at_once=at_once,
        always=always,
        deployments=guard.deployments,
        failed=failed,
        calls=failed + served,
        share=share,
        minimum=guard.minimum,
        all_failed=guard.all_failed,
    )


def _cool(w: World, guard: Record, now_s: float, for_s: float) -> None:
    """What a failure means for a cooldown under way that a call begun before it fails, its settings say."""
    if for_s <= 0.0:
        return
    until_s = now_s + for_s
    if guard.is_out:
        until_s = cools_until_s(guard.first_end_s, until_s, renews=guard.renews)
    else:
        guard.is_out = True
        guard.first_end_s = until_s
        _changed(w, guard, CLOSED_STATE, COOLING)
    guard.until_s = until_s
    _timer(w, guard, until_s, 0)


# Ejections


def _ejection_learns(w: World, guard: Record, outcome: int, retry_after_s: float, now_s: float) -> None:
    if not isnan(guard.rate_limited_s) and (guard.refusals >> outcome) & 1 == 1:
        _eject(w, guard, now_s, removed_for_s(retry_after_s, guard.rate_limited_s))
        return
    failed = (guard.fails >> outcome) & 1 == 1
    guard.streak = guard.streak + 1 if failed else 0
    has_share = not isnan(guard.failure_share)
    if has_share:
        _window_add(w, guard, now_s, failed)
    if guard.failures_in_a_row >= 0 and is_outlier(guard.streak, guard.failures_in_a_row):
        guard.streak = 0
        _eject_again(w, guard, now_s)
    elif has_share and failed:
        _look_at_next_check(w, guard, now_s)


def _look_at_next_check(w: World, guard: Record, now_s: float) -> None:
    if guard.every_s <= 0.0:
        _check_now(w, guard, now_s)
    else:
        _set_check(w, guard, now_s)


def _set_check(w: World, guard: Record, now_s: float) -> None:
    if guard.check_is_due:
        return
    guard.check_is_due = True
    at_s = first_check_s(now_s, guard.every_s)
    if at_s <= now_s:
        at_s = first_check_s(now_s + guard.every_s, guard.every_s)
    _timer(w, guard, at_s, CHECK)


def _check_now(w: World, guard: Record, now_s: float) -> bool:
    """Whether it stays in, with failures that a later check may find too many."""
    guard.check_is_due = False
    if guard.is_out or isnan(guard.failure_share):
        return False
    _window_forget(w, guard, now_s)
    calls = at(w.lists, guard.times).count
    if fails_too_often(guard.failed, calls, guard.failure_share, guard.minimum):
        _eject_again(w, guard, now_s)
        return False
    return guard.failed > 0


def _check(w: World, guard: Record, now_s: float) -> None:
    if _check_now(w, guard, now_s) and guard.every_s > 0.0:
        _set_check(w, guard, now_s)


def _eject_again(w: World, guard: Record, now_s: float) -> None:
    if guard.every_s > 0.0:
        checks = int(now_s / guard.every_s) - int(guard.until_s / guard.every_s)
        for _ in range(min(checks, guard.times_out)):
            guard.times_out = times_after_healthy_check(guard.times_out)
    _eject(w, guard, now_s, ejected_for_s(guard.for_s, guard.times_out + 1, guard.longest_s))


def _eject(w: World, guard: Record, now_s: float, for_s: float) -> None:
    pool = at(w.pools, guard.pool)
    if not may_eject(pool.ejected, pool.legs, guard.most, always_one=guard.always_eject_one):
        return
    pool.ejected += 1
    guard.times_out += 1
    guard.is_out = True
    _changed(w, guard, CLOSED_STATE, EJECTED)
    guard.until_s = now_s + for_s
    if guard.every_s > 0.0:
        guard.until_s = first_check_s(guard.until_s, guard.every_s)
    _timer(w, guard, guard.until_s, COME_BACK)


def _come_back(w: World, guard: Record) -> None:
    at(w.pools, guard.pool).ejected -= 1
    guard.is_out = False
    guard.streak = 0
    _window_clear(w, guard)
    _changed(w, guard, EJECTED, CLOSED_STATE)


# Health


def health_learns(w: World, leg: Record, passed: bool) -> None:
    """A probe has passed or failed."""
    before = leg.healthy
    healthy, streak = after_probe(
        before, leg.probe_streak, passed=passed, unhealthy_after=leg.unhealthy_after, healthy_after=leg.healthy_after
    )
    leg.healthy = healthy
    leg.probe_streak = streak
    if healthy != before:
        now_s = at(w.run, 0).now_s
        transition(
            w,
            now_s,
            leg.entity,
            leg.health_kind,
            HEALTHY if before else UNHEALTHY,
            HEALTHY if healthy else UNHEALTHY,
        )
