"""Caches on the client's side: whole responses by key, and prompt prefixes by leg."""

from bisect import bisect_right
from itertools import accumulate

from des.draws import Stream
from des.engine.draws import stream_of, uniform
from des.engine.records import Request
from des.scenario.plan import Plan, PromptCache


class ResponseCache:
    """Answers a share of requests, or those whose key was answered within the time to live.

    Keys follow Zipf's law: the k-th most popular has weight k^-exponent.
    """

    __slots__ = ("_cumulative", "_expires_s", "_hit_rate", "_latency", "_ttl_s", "_u")

    def __init__(self, plan: Plan, replication: int) -> None:
        cache = plan.policy.response_cache
        assert cache is not None
        self._hit_rate = cache.hit_rate
        self._ttl_s = cache.ttl_s
        self._u = Stream(plan.seed, replication, "response_cache/key", uniform)
        self._latency = stream_of(plan.seed, replication, "response_cache/latency", cache.latency)
        self._cumulative = list(accumulate((k + 1.0) ** -cache.exponent for k in range(cache.keys or 0)))
        self._expires_s: dict[int, float] = {}

    def answers(self, request: Request, now_s: float) -> bool:
        if self._hit_rate is not None:
            return self._u.at(request.draw) < self._hit_rate
        return now_s < self._expires_s.get(self._key(request), -1.0)

    def latency_s(self, request: Request) -> float:
        return self._latency.at(request.draw)

    def keep(self, request: Request, now_s: float) -> None:
        """Store the response that a leg has just given."""
        if self._hit_rate is None:
            self._expires_s[self._key(request)] = now_s + self._ttl_s

    def _key(self, request: Request) -> int:
        u = self._u.at(request.draw)
        return min(bisect_right(self._cumulative, u * self._cumulative[-1]), len(self._cumulative) - 1)


class WarmPrefix:
    """A leg's prompt cache: warm for its time to live after the last answer that used or filled it."""

    __slots__ = ("_share", "_ttl_s", "_warm_until_s")

    def __init__(self, cache: PromptCache) -> None:
        self._share = cache.share
        self._ttl_s = cache.ttl_s
        self._warm_until_s = -1.0

    def tokens(self, input_tokens: int) -> int:
        """How many of a request's input tokens belong to the prefix."""
        return int(self._share * input_tokens)

    def is_warm(self, now_s: float) -> bool:
        return now_s < self._warm_until_s

    def use(self, now_s: float) -> None:
        self._warm_until_s = now_s + self._ttl_s
