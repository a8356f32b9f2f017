"""A leg's circuit breaker, as state: after how many failures it opens, and what its probes say."""

from typing import TYPE_CHECKING

from des.engine.client.guards import Guard, Timer, Turn
from des.engine.client.window import Window
from des.rules import breaker as rules
from des.rules.breaker import CLOSED, HALF_OPEN, OPEN
from des.scenario import plan
from des.vocabulary import CANCELLED

if TYPE_CHECKING:
    from des.engine.kinds import Kinds

BREAKER_STATES = ("closed", "open", "half_open")


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
            return rules.admits_probe(self._probes[0], self._law.half_open)
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
        state = rules.after_probes(self._probes[1], self._probes[2], law.half_open, share)
        if state == OPEN:
            self._open(now_s)
        elif state == CLOSED:
            self._become(CLOSED)

    def _opens(self, failed: bool, now_s: float) -> bool:
        law = self._law
        if law.kind == "consecutive":
            self._streak = rules.streak_after(self._streak, failed=failed)
            return rules.streak_opens(self._streak, law.failures)
        self._window.add(now_s, failed=failed)
        return rules.share_opens(self._window.failed, len(self._window), law.failure_share, law.minimum)

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
