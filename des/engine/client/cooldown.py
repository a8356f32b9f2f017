"""A leg's cooldown, as state."""

from typing import TYPE_CHECKING

from des.engine.client.guards import Guard, Timer, Turn
from des.rules import cooldown as rules
from des.scenario import plan
from des.vocabulary import CANCELLED

if TYPE_CHECKING:
    from des.engine.kinds import Kinds


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
        if not rules.window_is_open(self._opened_s, window_s, now_s):
            self._opened_s, self._calls, self._failed = now_s, 0, 0
        self._calls += 1
        self._failed += failed
        if failed and self._is_too_much(outcome):
            self._cool(now_s, rules.lasts_s(law.cooldown_s, retry_after_s, retry_after=law.honours_retry_after))

    def _is_too_much(self, outcome: int) -> bool:
        law = self._law
        if law.allowed_fails is not None:
            return rules.exceeds_allowed(self._failed, law.allowed_fails)
        return rules.cools(
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
