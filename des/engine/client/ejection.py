"""The ejection of a leg by outlier detection, as state, and the group that it is ejected from."""

from typing import TYPE_CHECKING

from des.engine.client.guards import Guard, Timer, Turn
from des.engine.client.window import Window
from des.rules import ejection as rules
from des.scenario import plan
from des.vocabulary import CANCELLED, RATE_LIMITED

if TYPE_CHECKING:
    from des.engine.kinds import Kinds


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
            self._eject(now_s, rules.removed_for_s(retry_after_s, law.rate_limited_s))
            return
        failed = self._fails[outcome]
        self._streak = self._streak + 1 if failed else 0
        if law.failure_share is not None:
            self._window.add(now_s, failed=failed)
        if law.consecutive is not None and rules.is_outlier(self._streak, law.consecutive):
            self._streak = 0
            self._eject_again(now_s)
        elif law.failure_share is not None and failed:
            self._look_at_next_check(now_s)

    def _look_at_next_check(self, now_s: float) -> None:
        if self._law.every_s <= 0.0:
            self._check(now_s)
        elif not self._check_is_due:
            self._check_is_due = True
            at_s = rules.first_check_s(now_s, self._law.every_s)
            if at_s <= now_s:
                at_s = rules.first_check_s(now_s + self._law.every_s, self._law.every_s)
            self._timer(at_s, lambda: self._check(at_s))

    def _check(self, now_s: float) -> None:
        self._check_is_due = False
        law, window = self._law, self._window
        if self._ejected or law.failure_share is None:
            return
        window.forget(now_s)
        if rules.fails_too_often(window.failed, len(window), law.failure_share, law.minimum):
            self._eject_again(now_s)
        elif window.failed and law.every_s > 0.0:
            self._look_at_next_check(now_s)

    def _eject_again(self, now_s: float) -> None:
        every_s = self._law.every_s
        if every_s > 0.0:
            checks = int(now_s / every_s) - int(self._back_s / every_s)
            for _ in range(min(checks, self._times)):
                self._times = rules.times_after_healthy_check(self._times)
        self._eject(now_s, rules.ejected_for_s(self._law.for_s, self._times + 1, self._law.longest_s))

    def _eject(self, now_s: float, for_s: float) -> None:
        pool, every_s = self._pool, self._law.every_s
        if not rules.may_eject(pool.ejected, pool.legs, self._law.most):
            return
        pool.ejected += 1
        self._times += 1
        self._ejected = True
        self._turn("closed", "ejected")
        self._back_s = now_s + for_s
        if every_s > 0.0:
            self._back_s = rules.first_check_s(self._back_s, every_s)
        self._timer(self._back_s, self._come_back)

    def _come_back(self) -> None:
        self._pool.ejected -= 1
        self._ejected = False
        self._streak = 0
        self._window.clear()
        self._turn("ejected", "closed")
