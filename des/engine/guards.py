"""What takes a leg out of the walk for a time, as state: breakers, cooldowns, ejections, and health by probes."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from math import inf, isnan

from des.engine.clock import Clock
from des.engine.codes import Kinds
from des.rules import guards as rules
from des.rules.guards import CLOSED, HALF_OPEN, OPEN
from des.scenario import plan
from des.scenario.schema.own_classes import called, started
from des.vocabulary import CANCELLED, RATE_LIMITED

Timer = Callable[[float, Callable[[], None]], None]
"""Has something done at a time to come."""
Changed = Callable[[str, str], None]
"""Traces a change of state that takes place now, from and to."""

_BREAKER_STATES = ("closed", "open", "half_open")


class Guard(ABC):
    """Lets calls of one leg through or not. What a call was let through with comes back when it ends."""

    bypassed = False
    """Whether its leg may be called all the same where every leg of the group is out."""
    panic = 0.0
    """The share of the group's legs below which its leg may be called all the same."""
    stops_retries = False
    """Whether its leg is not to be called again after a failure."""

    @abstractmethod
    def admits(self) -> bool:
        """Whether a call may start now."""

    def enter(self) -> int:
        """A call that was admitted starts; returns its ticket."""
        return 0

    @abstractmethod
    def learn(self, ticket: int, outcome: int, retry_after_s: float, now_s: float) -> None:
        """A call has ended; `CANCELLED` tells nothing of the leg."""


class _Window:
    """Failed and all calls that ended last: of a number of calls, or of a number of seconds."""

    def __init__(self, *, calls: int | None = None, window_s: float | None = None) -> None:
        self._calls = calls
        self._window_s = window_s
        self._ended: deque[tuple[float, bool]] = deque()
        self.failed = 0

    def __len__(self) -> int:
        return len(self._ended)

    def add(self, now_s: float, *, failed: bool) -> None:
        self._ended.append((now_s, failed))
        self.failed += failed
        if self._calls is not None and len(self._ended) > self._calls:
            self._drop()
        self.forget(now_s)

    def forget(self, now_s: float) -> None:
        """Leave out what ended before the window."""
        if self._window_s is not None:
            while self._ended and self._ended[0][0] <= now_s - self._window_s:
                self._drop()

    def clear(self) -> None:
        self._ended.clear()
        self.failed = 0

    def _drop(self) -> None:
        self.failed -= self._ended.popleft()[1]


class Breaker(Guard):
    """A circuit breaker. What calls say that were let through before its last change counts for nothing."""

    def __init__(self, settings: plan.Breaker, kinds: Kinds, changed: Changed, timer: Timer) -> None:
        self._settings = settings
        self.bypassed = settings.all_open == "bypass"
        self._fails = kinds.table(settings.counts)
        self._changed, self._timer = changed, timer
        self._stops_calls = settings.stops == "calls"
        self.state = CLOSED
        self._age = 0  # changes so far
        self._streak = 0
        self._window = _Window(
            calls=settings.calls if settings.kind == "count_window" else None,
            window_s=settings.window_s if settings.kind == "time_window" else None,
        )
        self._forget_probes()

    def _forget_probes(self) -> None:
        self._probes_started = self._probes_ended = self._probes_failed = 0

    @property
    def stops_retries(self) -> bool:  # type: ignore[override]  # of most guards it is a constant
        return not self._stops_calls and self.state != CLOSED

    def admits(self) -> bool:
        if not self._stops_calls:
            return True
        if self.state == HALF_OPEN:
            assert self._settings.half_open is not None
            return rules.admits_probe(self._probes_started, self._settings.half_open)
        return self.state == CLOSED

    def enter(self) -> int:
        if self.state == HALF_OPEN:
            self._probes_started += 1
        return self._age

    def learn(self, ticket: int, outcome: int, retry_after_s: float, now_s: float) -> None:
        if ticket != self._age or self.state == OPEN:
            return
        if outcome == CANCELLED:
            self._probes_started -= self.state == HALF_OPEN
            return
        failed = self._fails[outcome]
        if self.state == HALF_OPEN:
            self._learn_of_probe(failed, now_s)
        elif self._opens(failed, now_s):
            self._open(now_s)

    def _learn_of_probe(self, failed: bool, now_s: float) -> None:
        settings = self._settings
        assert settings.half_open is not None
        self._probes_ended += 1
        self._probes_failed += failed
        share = settings.failure_share if settings.kind == "count_window" else None
        state = rules.after_probes(self._probes_ended, self._probes_failed, settings.half_open, share)
        if state == OPEN:
            self._open(now_s)
        elif state == CLOSED:
            self._become(CLOSED)

    def _opens(self, failed: bool, now_s: float) -> bool:
        settings = self._settings
        if settings.kind == "consecutive":
            self._streak = rules.streak_after(self._streak, failed=failed)
            return rules.streak_opens(self._streak, settings.failures)
        self._window.add(now_s, failed=failed)
        return rules.share_opens(self._window.failed, len(self._window), settings.failure_share, settings.minimum)

    def _open(self, now_s: float) -> None:
        self._become(OPEN)
        self._timer(now_s + self._settings.open_s, self._over)

    def _over(self) -> None:
        self._become(CLOSED if self._settings.half_open is None else HALF_OPEN)

    def _become(self, state: int) -> None:
        self._changed(_BREAKER_STATES[self.state], _BREAKER_STATES[state])
        self.state = state
        self._age += 1
        self._streak = 0
        self._window.clear()
        self._forget_probes()


class _Count:
    """Calls of a kind within a window that the first of them opens."""

    __slots__ = ("_calls", "_opened_s")

    def __init__(self) -> None:
        self._opened_s = -inf
        self._calls = 0

    def open(self, now_s: float) -> None:
        self._opened_s, self._calls = now_s, 0

    def add(self) -> None:
        self._calls += 1

    def is_open(self, window_s: float, now_s: float) -> bool:
        return rules.window_is_open(self._opened_s, window_s, now_s)

    def calls(self, window_s: float, now_s: float) -> int:
        return self._calls if self.is_open(window_s, now_s) else 0


class Cooldown(Guard):
    """A deployment's cooldown: out for a time, and back to full traffic."""

    def __init__(self, settings: plan.Cooldown, pool: "Pool", kinds: Kinds, changed: Changed, timer: Timer) -> None:
        self._settings = settings
        self.bypassed = settings.all_open == "bypass"
        self._deployments = 2 if settings.one_of_several else pool.legs
        self._is_spared = settings.spares_fallbacks and self._deployments == 1 and not pool.has_fallback
        self._fails = kinds.table(settings.counts)
        self._at_once = kinds.table(settings.at_once)
        self._always = kinds.table(settings.always)
        self._counts_only = kinds.table(settings.counted_only)
        self._changed, self._timer = changed, timer
        self.cools_until_s = self._first_end_s = -1.0
        self._cools = False
        self._failed, self._served = _Count(), _Count()

    def admits(self) -> bool:
        return not self._cools

    def learn(self, ticket: int, outcome: int, retry_after_s: float, now_s: float) -> None:
        if outcome == CANCELLED:
            return
        settings = self._settings
        may_cool = self._fails[outcome] or self._at_once[outcome] or self._always[outcome]
        by_share = settings.allowed_fails is None
        failed = may_cool or (by_share and self._counts_only[outcome])
        window_s = settings.window_s if by_share else settings.cooldown_s
        of_its_kind = self._failed if failed else self._served
        if not of_its_kind.is_open(window_s, now_s):
            for count in (of_its_kind,) if settings.own_windows else (self._failed, self._served):
                count.open(now_s)
        of_its_kind.add()
        calls = self._failed.calls(window_s, now_s), self._served.calls(window_s, now_s)
        if may_cool and self._is_too_much(outcome, *calls):
            lasts_s = rules.lasts_s(settings.cooldown_s, retry_after_s, retry_after=settings.honours_retry_after)
            self._cool(now_s, lasts_s)

    def _is_too_much(self, outcome: int, failed: int, served: int) -> bool:
        """Whether a failure is one too many among the calls of the window, this one included."""
        settings = self._settings
        if settings.allowed_fails is not None:
            return not self._is_spared and rules.exceeds_allowed(failed, settings.allowed_fails)
        return rules.cools(
            at_once=self._at_once[outcome],
            always=self._always[outcome],
            deployments=self._deployments,
            failed=failed,
            calls=failed + served,
            share=settings.failure_share,
            minimum=settings.minimum,
            all_failed=settings.all_failed,
        )

    def _cool(self, now_s: float, for_s: float) -> None:
        """What it means for a cooldown under way that a call begun before it fails, its settings say."""
        if for_s <= 0.0:
            return
        until_s = now_s + for_s
        if self._cools:
            until_s = rules.cools_until_s(self._first_end_s, until_s, renews=self._settings.renews)
        else:
            self._cools, self._first_end_s = True, until_s
            self._changed("closed", "cooling")
        self.cools_until_s = until_s
        self._timer(until_s, lambda: self._over(until_s))

    def _over(self, until_s: float) -> None:
        if self._cools and self.cools_until_s == until_s:
            self._cools = False
            self._changed("cooling", "closed")


class Pool:
    """The legs of a group, and how many of them are ejected."""

    __slots__ = ("ejected", "has_fallback", "legs")

    def __init__(self, legs: int, *, has_fallback: bool = False) -> None:
        self.legs = legs
        self.has_fallback = has_fallback  # the first of several entries, whose fallbacks are the others
        self.ejected = 0


class Ejection(Guard):
    """Outlier detection: out for longer each time, back at a check, and never too many of a group at once."""

    def __init__(self, settings: plan.Ejection, pool: Pool, kinds: Kinds, changed: Changed, timer: Timer) -> None:
        self._settings = settings
        self.bypassed = settings.all_open == "bypass"
        self.panic = settings.panic
        self._pool = pool
        self._fails = kinds.table(settings.counts)
        self._is_refusal = kinds.of_outcomes((RATE_LIMITED,))
        self._changed, self._timer = changed, timer
        self._ejected = False
        self._streak = 0
        self._window = _Window(window_s=settings.window_s)
        self._times = 0
        self._back_s = 0.0
        self._check_is_due = False

    def admits(self) -> bool:
        return not self._ejected

    def learn(self, ticket: int, outcome: int, retry_after_s: float, now_s: float) -> None:
        if outcome == CANCELLED or self._ejected:
            return
        settings = self._settings
        if settings.rate_limited_s is not None and self._is_refusal[outcome]:
            self._eject(now_s, rules.removed_for_s(retry_after_s, settings.rate_limited_s))
            return
        failed = self._fails[outcome]
        self._streak = self._streak + 1 if failed else 0
        if settings.failure_share is not None:
            self._window.add(now_s, failed=failed)
        if settings.consecutive is not None and rules.is_outlier(self._streak, settings.consecutive):
            self._streak = 0
            self._eject_again(now_s)
        elif settings.failure_share is not None and failed:
            self._look_at_next_check(now_s)

    def _look_at_next_check(self, now_s: float) -> None:
        every_s = self._settings.every_s
        if every_s <= 0.0:
            self._check(now_s)
        elif not self._check_is_due:
            self._check_is_due = True
            at_s = rules.first_check_s(now_s, every_s)
            if at_s <= now_s:
                at_s = rules.first_check_s(now_s + every_s, every_s)
            self._timer(at_s, lambda: self._check(at_s))

    def _check(self, now_s: float) -> None:
        self._check_is_due = False
        settings, window = self._settings, self._window
        if self._ejected or settings.failure_share is None:
            return
        window.forget(now_s)
        if rules.fails_too_often(window.failed, len(window), settings.failure_share, settings.minimum):
            self._eject_again(now_s)
        elif window.failed and settings.every_s > 0.0:
            self._look_at_next_check(now_s)

    def _eject_again(self, now_s: float) -> None:
        settings = self._settings
        if settings.every_s > 0.0:
            checks = int(now_s / settings.every_s) - int(self._back_s / settings.every_s)
            for _ in range(min(checks, self._times)):
                self._times = rules.times_after_healthy_check(self._times)
        self._eject(now_s, rules.ejected_for_s(settings.for_s, self._times + 1, settings.longest_s))

    def _eject(self, now_s: float, for_s: float) -> None:
        pool, settings = self._pool, self._settings
        every_s = settings.every_s
        if not rules.may_eject(pool.ejected, pool.legs, settings.most, always_one=settings.always_eject_one):
            return
        pool.ejected += 1
        self._times += 1
        self._ejected = True
        self._changed("closed", "ejected")
        self._back_s = now_s + for_s
        if every_s > 0.0:
            self._back_s = rules.first_check_s(self._back_s, every_s)
        self._timer(self._back_s, self._come_back)

    def _come_back(self) -> None:
        self._pool.ejected -= 1
        self._ejected = False
        self._streak = 0
        self._window.clear()
        self._changed("ejected", "closed")


class Health:
    """Healthy until a number of probes in a row have failed, and again after a number of successes."""

    __slots__ = ("_changed", "_streak", "healthy", "settings")

    def __init__(self, settings: plan.Probes, changed: Changed) -> None:
        self.settings = settings
        self.healthy = True
        self._streak = 0
        self._changed = changed

    def learn(self, *, passed: bool) -> None:
        before, settings = self.healthy, self.settings
        self.healthy, self._streak = rules.after_probe(
            before,
            self._streak,
            passed=passed,
            unhealthy_after=settings.unhealthy_after,
            healthy_after=settings.healthy_after,
        )
        if self.healthy != before:
            names = ("unhealthy", "healthy")
            self._changed(names[before], names[self.healthy])


class OwnBreaker(Guard):
    """The state that a class of a user keeps. A change is traced when it is first asked for."""

    def __init__(self, of: plan.OwnBreaker, kinds: Kinds, changed: Changed, clock: Clock) -> None:
        self._of = of
        self._names = kinds.names
        self._changed, self._clock = changed, clock
        self._state = started(of, ("admits", "learn"))
        self._admitted = True

    def admits(self) -> bool:
        admits = bool(called(self._of, self._state.admits, self._clock.now))
        if admits != self._admitted:
            self._changed(*(("open", "closed") if admits else ("closed", "open")))
            self._admitted = admits
        return admits

    def learn(self, ticket: int, outcome: int, retry_after_s: float, now_s: float) -> None:
        if outcome != CANCELLED:
            told_s = None if isnan(retry_after_s) else retry_after_s
            called(self._of, self._state.learn, self._names[outcome], told_s, now_s)


def make_guard(settings: plan.Guard, kinds: Kinds, pool: Pool, changed: Changed, clock: Clock) -> Guard:
    """The state of a guard of a leg in a group of these legs."""
    if isinstance(settings, plan.OwnBreaker):
        return OwnBreaker(settings, kinds, changed, clock)
    if isinstance(settings, plan.Breaker):
        return Breaker(settings, kinds, changed, clock.at)
    if isinstance(settings, plan.Cooldown):
        return Cooldown(settings, pool, kinds, changed, clock.at)
    return Ejection(settings, pool, kinds, changed, clock.at)


def guard_kind(settings: plan.Guard) -> str:
    """What transitions call it."""
    if isinstance(settings, plan.Breaker | plan.OwnBreaker):
        return "breaker"
    return "cooldown" if isinstance(settings, plan.Cooldown) else "ejection"
