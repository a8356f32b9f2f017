"""The state of the layers around one request's call: each decides what follows an attempt inside it."""

from collections.abc import Sequence
from math import inf, nan

from des.engine.budgets import Budget
from des.engine.client import Client
from des.engine.records import REFUSED, Bound, Request, Result
from des.engine.retries import RetryRule
from des.engine.routing import Entry
from des.vocabulary import OK, REQUEST_FAILED, REQUEST_REJECTED


class RetryLayer:
    """A rule that repeats attempts: of the application, of an entry of the chain, or inside a call of a leg."""

    __slots__ = (
        "attempt_bound",
        "bound",
        "entry",
        "granted",
        "inside",
        "is_over",
        "renews",
        "retry",
        "rule",
        "waited_s",
    )

    def __init__(
        self,
        rule: RetryRule,
        outer: Bound,
        now_s: float,
        entry: Entry | None = None,
        inside: Sequence[RetryRule] = (),
    ) -> None:
        self.rule = rule
        self.entry = entry  # the entry of the chain that is retried
        self.inside = inside  # the rules of the layers around each attempt
        self.retry = 0
        self.waited_s = rule.first_wait_s
        self.granted: Budget | None = None  # the budget that granted the current retry
        self.is_over = False  # from the end of the wait that `next` returned
        self.renews = rule.is_bounded or rule.is_application or bool(inside)
        """Whether each attempt has a bound or layers of its own."""
        self.bound = self.attempt_bound = outer
        if rule.is_bounded:
            self.bound = rule.whole_bound(outer, now_s, self)
            self.attempt_bound = rule.attempt_bound(self.bound, now_s, self)

    def next(self, request: Request, result: Result, outcome: int) -> float:
        """The wait after an attempt with this outcome, 0 for none. Sets `is_over` unless another attempt follows."""
        rule = self.rule
        self.is_over = True
        if outcome <= OK or not rule.is_retried[outcome]:
            return 0.0
        is_last = self.retry == rule.retries
        if is_last and not rule.waits_after_last:
            return 0.0
        if rule.deterministic_waits_s is not None:
            wait_s = rule.deterministic_waits_s[self.retry]
        else:
            wait_s = rule.wait_s(request, result, self.retry, self.waited_s)
        self.waited_s = wait_s
        if wait_s == inf:
            return 0.0
        if not is_last:
            self.is_over = False
            self.retry += 1
        return wait_s

    def prefers_peer(self) -> bool:
        """Whether a healthy leg of the entry is called at once, without the wait."""
        return self.entry is not None and self.entry.prefers_peers and self.entry.has_healthy_leg()

    def renew(self, now_s: float) -> None:
        """Another attempt starts."""
        if self.rule.is_bounded:
            self.attempt_bound = self.rule.attempt_bound(self.bound, now_s, self)

    def end_retry(self) -> None:
        """The current retry has ended, if a budget granted it."""
        if self.granted is not None:
            self.granted.over_retry()
            self.granted = None


class ChainLayer:
    """Rounds over the entries of the chain."""

    __slots__ = (
        "_client",
        "_made",
        "_retry_after_s",
        "_round",
        "_waited_s",
        "attempt_bound",
        "bound",
        "entries",
        "is_over",
        "outcome",
        "place",
    )
    renews = True

    def __init__(self, client: Client, request: Request, bound: Bound) -> None:
        self._client = client
        self.bound = self.attempt_bound = bound
        self.entries: Sequence[Entry] = ()
        self.place = 0
        self.is_over = False
        self.outcome = REQUEST_FAILED
        self._made = request.attempts
        self._round = 0
        self._waited_s = client.first_round_wait_s
        self._retry_after_s = nan

    def visited(self, request: Request, now_s: float) -> Entry:
        """The current entry of the chain. After the last one of a round, the first of another round."""
        if self.place == len(self.entries):
            self.entries = self._client.entries(request, request.rounds, now_s)
            self.place = 0
            request.rounds += 1
        return self.entries[self.place]

    def next(self, request: Request, result: Result, outcome: int) -> float:
        """The wait after the attempts on an entry; 0 except before another round."""
        self.is_over = True
        if outcome != REFUSED:
            self._retry_after_s = result.retry_after_s
            if not self.entries[self.place].falls_back[outcome]:
                return 0.0
        self.place += 1
        if self.place < len(self.entries):
            self.is_over = False
            return 0.0
        self._round += 1
        if self._round == self._client.rounds:
            self.outcome = REQUEST_FAILED if request.attempts > self._made else REQUEST_REJECTED
            return 0.0
        self.is_over = False
        self._waited_s = self._client.round_wait_s(request, self._round - 1, self._waited_s)
        return self._waited_s

    def result(self) -> Result:
        """The request outcome of the whole chain."""
        return Result(self.outcome, self._retry_after_s)
