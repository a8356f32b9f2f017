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

    def wait_s(self, k: int, luck: Stream, index: int, previous_s: float) -> float:
        """The k-th wait; `previous_s` is the wait before it, the policy's base at first."""
        policy = self._policy
        while k >= len(self._plain_s):
            nth = len(self._plain_s)
            self._plain_s.append(backoff_s(policy.kind, policy.base_s, policy.factor, policy.cap_s, nth))
        if not self._has_jitter:
            return self._plain_s[k]
        jittered = jittered_s(
            policy.jitter,
            self._plain_s[k],
            luck.at(index),
            base_s=policy.base_s,
            cap_s=policy.cap_s,
            spread_s=policy.spread_s,
            previous_s=previous_s,
            low=policy.low,
            high=policy.high,
        )
        return min(jittered, policy.most_s)
