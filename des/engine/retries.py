"""The rule of a layer that repeats its attempts: after which outcomes, and after which wait."""

from math import inf, isnan, nan

from des.draws import Stream
from des.engine.codes import Kinds
from des.engine.draws import ClientDraws, LegDraws
from des.engine.records import Bound, Request, Result, timeout
from des.rules.retry import backoff_s, cap_within_total_s, combined_s, honoured_s, jittered_s, spread_out_s
from des.scenario import plan
from des.scenario.schema.own_rules import Retry
from des.vocabulary import OVERLOADED, RATE_LIMITED, REQUEST_DEADLINE, REQUEST_FAILED, REQUEST_OUTCOMES, TIMEOUT

_WAITS_AT_HAND = 100
ENTRY, APPLICATION = -2, -1
"""The place of a rule: at an entry of the chain, around the whole walk, or (0, 1, ...) inside each call of a leg."""


class Waits:
    """The waits of a back-off by k, the number of retries (or rounds) done, each computed once before jitter."""

    __slots__ = ("_before_jitter_s", "_has_jitter", "_own", "_settings")

    def __init__(self, settings: plan.Backoff) -> None:
        self._settings = settings
        self._own = settings.own
        self._has_jitter = settings.jitter != "none" and settings.kind != "none"
        self._before_jitter_s: list[float] = []

    def deterministic_s(self, count: int) -> tuple[float, ...] | None:
        """The first `count` waits; None where any of them is random."""
        if self._has_jitter or self._own is not None or count > _WAITS_AT_HAND:
            return None
        return tuple(self._without_jitter_s(k) for k in range(count))

    def wait_s(
        self,
        k: int,
        stream: Stream,
        index: int,
        previous_s: float,
        outcome: str | None = None,
        retry_after_s: float = nan,
    ) -> float:
        """The k-th wait. `previous_s` is the wait before it, the base at first.

        Only the class of a user goes by the outcome of the attempt before and by its Retry-After; NaN is none.
        """
        if self._own is not None:
            return self._own.checked_wait_s(
                Retry(
                    number=k,
                    u=stream.at(index),
                    previous_s=previous_s,
                    outcome=outcome,
                    retry_after_s=None if isnan(retry_after_s) else retry_after_s,
                )
            )
        wait_s = self._without_jitter_s(k)
        if not self._has_jitter:
            return wait_s
        settings = self._settings
        jittered = jittered_s(
            settings.jitter,
            wait_s,
            stream.at(index),
            base_s=settings.base_s,
            cap_s=settings.cap_s,
            spread_s=settings.spread_s,
            previous_s=previous_s,
            low=settings.low,
            high=settings.high,
        )
        return min(jittered, settings.most_s)

    def _without_jitter_s(self, k: int) -> float:
        settings, known_s = self._settings, self._before_jitter_s
        while k >= len(known_s):
            known_s.append(backoff_s(settings.kind, settings.base_s, settings.factor, settings.cap_s, len(known_s)))
        return known_s[k]


class RetryRule:
    """What one layer repeats, and after which waits. `draws` are those of the legs, by index."""

    def __init__(
        self,
        settings: plan.RetryRule,
        kinds: Kinds,
        client_draws: ClientDraws,
        draws: list[LegDraws],
        names: list[str],
        place: int,
        *,
        is_budgeted: bool,
    ) -> None:
        self.settings = settings
        self.is_budgeted = is_budgeted and place != APPLICATION
        self.retries = settings.retries
        self.waits_after_last = settings.waits_after_last
        self.is_application = place == APPLICATION
        self.is_bounded = settings.timeout_s is not None or settings.attempt_timeout_s is not None
        self.timed_out = REQUEST_FAILED if self.is_application else TIMEOUT
        self.attempt_timed_out = REQUEST_DEADLINE if self.is_application else TIMEOUT
        self.first_wait_s = settings.backoff.base_s
        words = settings.retry_on
        self.is_retried = [name in words for name in REQUEST_OUTCOMES] if self.is_application else kinds.table(words)
        self._outcomes = REQUEST_OUTCOMES if self.is_application else kinds.names
        self._heeds = kinds.table(settings.retry_after.on)
        self._place = place
        self._client_draws, self._draws, self._names = client_draws, draws, names
        self._waits = Waits(settings.backoff)
        throttled = settings.throttled_backoff
        self._throttled_waits = None if throttled is None or self.is_application else Waits(throttled)
        self._is_throttle = kinds.of_outcomes((RATE_LIMITED, OVERLOADED))
        ignores_headers = not settings.retry_after.honours and self._throttled_waits is None
        self.deterministic_waits_s = self._waits.deterministic_s(settings.retries + 1) if ignores_headers else None
        """The wait before each retry, if it depends only on the number of the retry."""

    def whole_bound(self, outer: Bound, now_s: float, layer: object) -> Bound:
        """The bound of the layer with all its attempts: its own if it comes before `outer`."""
        return _within(outer, now_s, self.settings.timeout_s, layer, is_whole=True)

    def attempt_bound(self, whole: Bound, now_s: float, layer: object) -> Bound:
        """The bound of an attempt that starts now."""
        return _within(whole, now_s, self.settings.attempt_timeout_s, layer, is_whole=False)

    def wait_s(self, request: Request, result: Result, retry: int, previous_s: float) -> float:
        """The wait before retry `retry` (from 0), infinite for no retry. `previous_s` is the wait before it."""
        waits = self._waits
        if self._throttled_waits is not None and self._is_throttle[result.outcome]:
            waits = self._throttled_waits
        stream, failure = self._stream("backoff", result, retry), self._outcomes[result.outcome]
        wait_s = waits.wait_s(retry, stream, request.draw, previous_s, failure, result.retry_after_s)
        settings = self.settings.retry_after
        if not settings.honours or isnan(result.retry_after_s):
            return wait_s
        if not self.is_application and not self._heeds[result.outcome]:
            return wait_s
        cap_s = cap_within_total_s(settings.cap_s, request.retry_after_total_s, settings.total_s)
        asked_s = honoured_s(result.retry_after_s, cap_s, settings.above)
        if isnan(asked_s) or asked_s == inf:
            return combined_s(wait_s, asked_s, settings.combine)
        request.retry_after_total_s += asked_s
        if settings.spread_s > 0.0:
            u = self._stream("spread", result, retry).at(request.draw)
            asked_s = spread_out_s(asked_s, u, settings.spread_s)
        return combined_s(wait_s, asked_s, settings.combine)

    def _stream(self, purpose: str, result: Result, retry: int) -> Stream:
        leg = result.leg
        if leg < 0 or self.is_application:
            return self._client_draws.stream("application", purpose, retry)
        if self._place != ENTRY:
            return self._client_draws.stream("leg", self._names[leg], result.nth, purpose, self._place)
        if purpose == "backoff":
            return self._draws[leg][result.nth].backoff
        return self._client_draws.stream("leg", self._names[leg], result.nth, purpose)


def _within(outer: Bound, now_s: float, timeout_s: float | None, layer: object, *, is_whole: bool) -> Bound:
    if timeout_s is None or now_s + timeout_s >= outer.until_s:
        return outer
    return timeout(now_s + timeout_s, layer, is_whole=is_whole)
