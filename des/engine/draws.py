"""The draws of calls and of the client: every stream that a run may read, by what it decides.

A request's draws are read at its draw index. So adding or reordering legs leaves all other draws as they are, and two
arms that make the same call have the same draws. A stream that is never read draws nothing.
"""

import numpy as np

from des.distributions import Constant, Distribution, sample
from des.draws import Stream
from des.scenario.plan import Endpoint, Leg

PROBE = -1  # the n of calls by probes
KILLS_BY_COUNT = 16  # killing incidents with a stream each


def uniform(rng: np.random.Generator, size: int) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    return rng.random(size)


def stream_of(seed: int, replication: int, name: str, distribution: Distribution) -> Stream:
    return Stream(seed, replication, name, lambda rng, size: sample(distribution, rng, size))


class CallDraws:
    """The streams of a leg's n-th call."""

    __slots__ = (
        "_by_purpose",
        "_key",
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
        self._by_purpose: dict[tuple[str, Distribution], Stream] = {}
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

    def _maybe(self, purpose: str, distribution: Distribution | None) -> Stream | None:
        return None if distribution is None else self.of(purpose, distribution)

    def _uniform(self, purpose: str) -> Stream:
        seed, replication, name = self._key
        return Stream(seed, replication, f"{name}/{purpose}", uniform)

    def of(self, purpose: str, distribution: Distribution) -> Stream:
        """The stream of a distribution, such as the latency of one kind of error."""
        stream = self._by_purpose.get((purpose, distribution))
        if stream is None:
            seed, replication, name = self._key
            stream = stream_of(seed, replication, f"{name}/{purpose}", distribution)
            self._by_purpose[purpose, distribution] = stream
        return stream

    def delay_s(self, purpose: str, distribution: Distribution, index: int) -> float:
        """A draw of a distribution that is usually constant."""
        if isinstance(distribution, Constant):
            return distribution.value
        return self.of(purpose, distribution).at(index)

    def kill(self, count: int, index: int) -> float:
        """The uniform for the count-th killing incident during a request's call.

        The first few have a stream each. Later ones, of which an endless call may meet thousands, share one, and only
        the last call's is kept.
        """
        if count >= KILLS_BY_COUNT:
            if self.late_kills is None or self.late_kills[0] != index:
                self.late_kills = index, self._uniform(f"late_kills/{index}")
            return self.late_kills[1].at(count - KILLS_BY_COUNT)
        while len(self.kills) <= count:
            self.kills.append(self._uniform(f"kill/{len(self.kills)}"))
        return self.kills[count].at(index)


class LegDraws(dict[int, CallDraws]):
    """The streams of a leg's calls: `draws[n]` for the n-th call that one request makes of it, or for `PROBE`."""

    __slots__ = ("_key",)

    def __init__(self, seed: int, replication: int, leg: Leg, endpoint: Endpoint) -> None:
        super().__init__()
        self._key = (seed, replication, leg, endpoint)

    def __missing__(self, nth: int) -> CallDraws:
        drawn = self[nth] = CallDraws(*self._key, nth)
        return drawn


class ClientDraws:
    """Uniforms by name, for the client's own decisions."""

    __slots__ = ("_replication", "_seed", "_streams")

    def __init__(self, seed: int, replication: int) -> None:
        self._seed = seed
        self._replication = replication
        self._streams: dict[tuple[str | int, ...], Stream] = {}

    def stream(self, *name: str | int) -> Stream:
        """The stream of a name, such as ("leg", "a/m", 2, "throttle"): the third decision about that leg."""
        found = self._streams.get(name)
        if found is None:
            key = "/".join(str(part) for part in name)
            found = self._streams[name] = Stream(self._seed, self._replication, key, uniform)
        return found
