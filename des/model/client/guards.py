"""What takes a leg out of the walk for a time, as state: breakers, cooldowns and ejections."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from des.rules import breaker as breakers
from des.rules import cooldown as cooldowns
from des.rules import ejection as ejections
from des.rules.breaker import CLOSED, HALF_OPEN, OPEN
from des.scenario import plan
from des.vocabulary import CANCELLED, RATE_LIMITED

if TYPE_CHECKING:
    from des.model.kinds import Kinds

BREAKER_STATES = ("closed", "open", "half_open")
Timer = Callable[[float, Callable[[], None]], None]
"""Has something done at a time to come."""
Turn = Callable[[str, str], None]
"""Traces a transition that takes place now, from and to."""


class Guard(ABC):
    """Lets calls of one leg through or not. What a call was let through with comes back when it ends."""

    @abstractmethod
    def admits(self) -> bool:
        """Whether a call may start now."""

    def enter(self) -> int:
        """A call that was admitted starts; returns its ticket."""
        return 0

    @abstractmethod
    def learn(self, ticket: int, outcome: int, retry_after_s: float, now_s: float) -> None:
        """A call has ended; `CANCELLED` tells nothing of the leg."""


class Window:
    """Failed and all calls of the last so many calls, or of the last so many seconds."""

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


class BreakerGuard(Guard):
    """A circuit breaker. What calls say that were let through before its last turn counts for nothing."""

    def __init__(self, law: plan.Breaker, kinds: "Kinds", turn: Turn, timer: Timer) -> None:
        self._law = law
        self._fails = [kind in law.counts for kind in range(len(kinds.outcomes))]
        self._turn, self._timer = turn, timer
        self.state = CLOSED
        self._age = 0  # turns so far
        self._streak = 0
        self._window = Window(
            calls=law.calls if law.kind == "count_window" else None,
            window_s=law.window_s if law.kind == "time_window" else None,
        )
        self._probes = [0, 0, 0]  # started, ended, failed of them

    @property
    def bypassed(self) -> bool:
        return self._law.all_open == "bypass"

    def admits(self) -> bool:
        if self.state == HALF_OPEN:
            assert self._law.half_open is not None
            return breakers.admits_probe(self._probes[0], self._law.half_open)
        return self.state == CLOSED

    def enter(self) -> int:
        if self.state == HALF_OPEN:
            self._probes[0] += 1
        return self._age

    def learn(self, ticket: int, outcome: int, retry_after_s: float, now_s: float) -> None:
        if ticket != self._age or self.state == OPEN:
            return
        if outcome == CANCELLED:
            self._probes[0] -= self.state == HALF_OPEN
            return
        failed = self._fails[outcome]
        if self.state == HALF_OPEN:
            self._learn_of_probe(failed, now_s)
        elif self._opens(failed, now_s):
            self._open(now_s)

    def _learn_of_probe(self, failed: bool, now_s: float) -> None:
        law = self._law
        assert law.half_open is not None
        self._probes[1] += 1
        self._probes[2] += failed
        share = law.failure_share if law.kind == "count_window" else None
        state = breakers.after_probes(self._probes[1], self._probes[2], law.half_open, share)
        if state == OPEN:
            self._open(now_s)
        elif state == CLOSED:
            self._become(CLOSED)

    def _opens(self, failed: bool, now_s: float) -> bool:
        law = self._law
        if law.kind == "consecutive":
            self._streak = breakers.streak_after(self._streak, failed=failed)
            return breakers.streak_opens(self._streak, law.failures)
        self._window.add(now_s, failed=failed)
        return breakers.share_opens(self._window.failed, len(self._window), law.failure_share, law.minimum)

    def _open(self, now_s: float) -> None:
        self._become(OPEN)
        self._timer(now_s + self._law.open_s, self._over)

    def _over(self) -> None:
        self._become(CLOSED if self._law.half_open is None else HALF_OPEN)

    def _become(self, state: int) -> None:
        self._turn(BREAKER_STATES[self.state], BREAKER_STATES[state])
        self.state = state
        self._age += 1
        self._streak = 0
        self._window.clear()
        self._probes = [0, 0, 0]


class CooldownGuard(Guard):
    """A deployment's cooldown: out for a time, and back to full traffic."""

    def __init__(self, law: plan.Cooldown, deployments: int, kinds: "Kinds", turn: Turn, timer: Timer) -> None:
        self._law = law
        self._deployments = deployments
        codes = range(len(kinds.outcomes))
        self._fails = [kind in law.counts for kind in codes]
        self._at_once = [kind in law.at_once for kind in codes]
        self._always = [kind in law.always for kind in codes]
        self._turn, self._timer = turn, timer
        self.cools_until_s = -1.0
        self._cools = False
        self._opened_s = -float("inf")
        self._calls = self._failed = 0

    def admits(self) -> bool:
        return not self._cools

    def learn(self, ticket: int, outcome: int, retry_after_s: float, now_s: float) -> None:
        if outcome == CANCELLED:
            return
        law = self._law
        failed = self._fails[outcome] or self._at_once[outcome] or self._always[outcome]
        window_s = law.window_s if law.allowed_fails is None else law.cooldown_s
        if not cooldowns.window_is_open(self._opened_s, window_s, now_s):
            self._opened_s, self._calls, self._failed = now_s, 0, 0
        self._calls += 1
        self._failed += failed
        if failed and self._is_too_much(outcome):
            self._cool(now_s, cooldowns.lasts_s(law.cooldown_s, retry_after_s, retry_after=law.honours_retry_after))

    def _is_too_much(self, outcome: int) -> bool:
        law = self._law
        if law.allowed_fails is not None:
            return cooldowns.exceeds_allowed(self._failed, law.allowed_fails)
        return cooldowns.cools(
            at_once=self._at_once[outcome],
            always=self._always[outcome],
            deployments=self._deployments,
            failed=self._failed,
            calls=self._calls,
            share=law.failure_share,
            minimum=law.minimum,
            all_failed=law.all_failed,
        )

    def _cool(self, now_s: float, for_s: float) -> None:
        """A failure of a call begun before the cooldown renews it."""
        if for_s <= 0.0:
            return
        self.cools_until_s = until_s = now_s + for_s
        if not self._cools:
            self._cools = True
            self._turn("closed", "cooling")
        self._timer(until_s, lambda: self._over(until_s))

    def _over(self, until_s: float) -> None:
        if self._cools and self.cools_until_s == until_s:
            self._cools = False
            self._turn("cooling", "closed")


class Pool:
    """The legs of a group, and how many of them are ejected."""

    __slots__ = ("ejected", "legs")

    def __init__(self, legs: int) -> None:
        self.legs = legs
        self.ejected = 0


class EjectionGuard(Guard):
    """Outlier detection: out for longer each time, back at a check, and never too many of a group at once."""

    def __init__(self, law: plan.Ejection, pool: Pool, kinds: "Kinds", turn: Turn, timer: Timer) -> None:
        self._law = law
        self._pool = pool
        self._fails = [kind in law.counts for kind in range(len(kinds.outcomes))]
        self._is_refusal = [outcome == RATE_LIMITED for outcome in kinds.outcomes]
        self._turn, self._timer = turn, timer
        self._ejected = False
        self._streak = 0
        self._window = Window(window_s=law.window_s)
        self._times = 0
        self._back_s = 0.0
        self._check_is_due = False

    def admits(self) -> bool:
        return not self._ejected

    def learn(self, ticket: int, outcome: int, retry_after_s: float, now_s: float) -> None:
        if outcome == CANCELLED or self._ejected:
            return
        law = self._law
        if law.rate_limited_s is not None and self._is_refusal[outcome]:
            self._eject(now_s, ejections.removed_for_s(retry_after_s, law.rate_limited_s))
            return
        failed = self._fails[outcome]
        self._streak = self._streak + 1 if failed else 0
        if law.failure_share is not None:
            self._window.add(now_s, failed=failed)
        if law.consecutive is not None and ejections.is_outlier(self._streak, law.consecutive):
            self._streak = 0
            self._eject_again(now_s)
        elif law.failure_share is not None and failed:
            self._look_at_next_check(now_s)

    def _look_at_next_check(self, now_s: float) -> None:
        if self._law.every_s <= 0.0:
            self._check(now_s)
        elif not self._check_is_due:
            self._check_is_due = True
            at_s = ejections.first_check_s(now_s, self._law.every_s)
            if at_s <= now_s:
                at_s = ejections.first_check_s(now_s + self._law.every_s, self._law.every_s)
            self._timer(at_s, lambda: self._check(at_s))

    def _check(self, now_s: float) -> None:
        self._check_is_due = False
        law, window = self._law, self._window
        if self._ejected or law.failure_share is None:
            return
        window.forget(now_s)
        if ejections.fails_too_often(window.failed, len(window), law.failure_share, law.minimum):
            self._eject_again(now_s)
        elif window.failed and law.every_s > 0.0:
            self._look_at_next_check(now_s)

    def _eject_again(self, now_s: float) -> None:
        every_s = self._law.every_s
        if every_s > 0.0:
            checks = int(now_s / every_s) - int(self._back_s / every_s)
            for _ in range(min(checks, self._times)):
                self._times = ejections.times_after_healthy_check(self._times)
        self._eject(now_s, ejections.ejected_for_s(self._law.for_s, self._times + 1, self._law.longest_s))

    def _eject(self, now_s: float, for_s: float) -> None:
        pool, every_s = self._pool, self._law.every_s
        if not ejections.may_eject(pool.ejected, pool.legs, self._law.most):
            return
        pool.ejected += 1
        self._times += 1
        self._ejected = True
        self._turn("closed", "ejected")
        self._back_s = now_s + for_s
        if every_s > 0.0:
            self._back_s = ejections.first_check_s(self._back_s, every_s)
        self._timer(self._back_s, self._come_back)

    def _come_back(self) -> None:
        self._pool.ejected -= 1
        self._ejected = False
        self._streak = 0
        self._window.clear()
        self._turn("ejected", "closed")
