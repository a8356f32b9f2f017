"""The waits of a back-off policy, each computed once before jitter."""

from des.draws import Stream
from des.rules.backoff import backoff_s, jittered_s
from des.scenario.plan import Backoff


class Waits:
    """Waits by k, the retries (or rounds) done before, from 0."""

    __slots__ = ("_has_jitter", "_plain_s", "_policy")

    def __init__(self, policy: Backoff) -> None:
        self._policy = policy
        self._has_jitter = policy.jitter != "none" and policy.kind != "none"
        self._plain_s: list[float] = []

    def certain(self, count: int) -> tuple[float, ...] | None:
        """The first `count` waits, where nothing is drawn for any."""
        return None if self._has_jitter else tuple(self._unjittered_s(k) for k in range(count))

    def wait_s(self, k: int, luck: Stream, index: int, previous_s: float) -> float:
        """The k-th wait; `previous_s` is the wait before it, the policy's base at first."""
        plain_s = self._unjittered_s(k)
        if not self._has_jitter:
            return plain_s
        policy = self._policy
        jittered = jittered_s(
            policy.jitter,
            plain_s,
            luck.at(index),
            base_s=policy.base_s,
            cap_s=policy.cap_s,
            spread_s=policy.spread_s,
            previous_s=previous_s,
            low=policy.low,
            high=policy.high,
        )
        return min(jittered, policy.most_s)

    def _unjittered_s(self, k: int) -> float:
        policy, plain_s = self._policy, self._plain_s
        while k >= len(plain_s):
            plain_s.append(backoff_s(policy.kind, policy.base_s, policy.factor, policy.cap_s, len(plain_s)))
        return plain_s[k]
