"""The client's own draws: uniforms keyed by what they decide, and read at the request's luck index."""

from des.draws import Stream
from des.engine.luck import uniform


class ClientLuck:
    """Streams by name, made when first read; one that is never read draws nothing and moves no other."""

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
