"""The luck of calls: every draw that a call may need, keyed by leg, the n-th call of that leg, and purpose.

A request's draws are read at its luck index, so adding or reordering legs moves no other draw, and two arms that
make the same call meet the same luck.
"""

import numpy as np

from des.distributions import Constant, Distribution, sample
from des.draws import Stream
from des.scenario.plan import Endpoint, Leg

PROBE = -1  # the n of calls that probes make
KILLS_BY_COUNT = 16  # killing incidents that have a stream each


def uniform(rng: np.random.Generator, size: int) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    return rng.random(size)


def law_stream(seed: int, replication: int, name: str, law: Distribution) -> Stream:
    return Stream(seed, replication, name, lambda rng, size: sample(law, rng, size))


class CallLuck:
    """The streams of one leg's n-th call; a stream that is never read draws nothing."""

    __slots__ = (
        "_key",
        "_laws",
        "after",
        "backoff",
        "broken",
        "connect",
        "crowd",
        "error",
        "first_token",
        "hang",
        "incident",
        "invalid",
        "kills",
        "late_kills",
        "speed",
        "whole",
    )

    def __init__(self, seed: int, replication: int, leg: Leg, endpoint: Endpoint, nth: int) -> None:
        self._key = (seed, replication, f"leg/{leg.name}/{'probe' if nth == PROBE else nth}")
        self._laws: dict[tuple[str, Distribution], Stream] = {}
        self.crowd = self._uniform("crowd")
        self.hang = self._uniform("hang")
        self.incident = self._uniform("incident")
        self.error = self._uniform("error")
        self.broken = self._uniform("broken")
        self.invalid = self._uniform("invalid")
        self.backoff = self._uniform("backoff")
        latency, streams = endpoint.latency, endpoint.broken_streams
        self.whole = self._maybe("whole", latency.whole)
        self.connect = self._maybe("connect", latency.connect)
        self.first_token = self._maybe("first_token", latency.first_token)
        self.speed = self._maybe("speed", latency.tokens_per_s)
        self.after = self._maybe("after", None if streams is None else streams.after)
        self.kills: list[Stream] = []
        self.late_kills: tuple[int, Stream] | None = None

    def _maybe(self, purpose: str, law: Distribution | None) -> Stream | None:
        return None if law is None else self.of(purpose, law)

    def _uniform(self, purpose: str) -> Stream:
        seed, replication, name = self._key
        return Stream(seed, replication, f"{name}/{purpose}", uniform)

    def of(self, purpose: str, law: Distribution) -> Stream:
        """The stream of a law, such as the latency of one kind of error."""
        stream = self._laws.get((purpose, law))
        if stream is None:
            seed, replication, name = self._key
            stream = self._laws[purpose, law] = law_stream(seed, replication, f"{name}/{purpose}", law)
        return stream

    def delay_s(self, purpose: str, law: Distribution, index: int) -> float:
        """A draw of a law that is mostly a constant."""
        return law.value if isinstance(law, Constant) else self.of(purpose, law).at(index)

    def kill(self, count: int, index: int) -> float:
        """The uniform against the count-th killing incident that strikes a request's call in flight.

        The first few have a stream each; a call that outlives more, as an endless one may thousands, has one for them
        all, of which only the last call's is kept.
        """
        if count >= KILLS_BY_COUNT:
            if self.late_kills is None or self.late_kills[0] != index:
                self.late_kills = index, self._uniform(f"late_kills/{index}")
            return self.late_kills[1].at(count - KILLS_BY_COUNT)
        while len(self.kills) <= count:
            self.kills.append(self._uniform(f"kill/{len(self.kills)}"))
        return self.kills[count].at(index)
