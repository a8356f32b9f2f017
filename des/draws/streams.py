"""Keyed random streams that can be read at any index, in any order, by anybody.

A stream is known by (seed, replication, name). It is drawn in blocks, and block b has its own place in the
counter of a Philox generator, so a draw depends on nothing but the key and its index: not on which streams were
created before, nor on which draws were used.
"""

from array import array
from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

BLOCK = 512
KEPT_BLOCKS = 64  # requests in flight reach back this many blocks before one is drawn again


@lru_cache(maxsize=4096)
def _key(seed: int, replication: int, name: str) -> tuple[int, int]:
    digest = blake2b(f"{seed}\x1f{replication}\x1f{name}".encode(), digest_size=16).digest()
    return int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little")


def generator(seed: int, replication: int, name: str, block: int = 0) -> np.random.Generator:
    """A generator of its own for one block of a stream."""
    key = _key(seed, replication, name)
    counter = np.array([0, 0, block, 0], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=np.array(key, dtype=np.uint64), counter=counter))


Sampler = Callable[[np.random.Generator, int], NDArray[np.float64]]


class Stream:
    """Draws by index: `stream[i]` is a float, the same whenever and however often it is read."""

    __slots__ = ("_blocks", "_name", "_replication", "_sampler", "_seed")

    def __init__(self, seed: int, replication: int, name: str, sampler: Sampler) -> None:
        self._seed = seed
        self._replication = replication
        self._name = name
        self._sampler = sampler
        self._blocks: dict[int, array[float]] = {}

    def __getitem__(self, index: int) -> float:
        try:
            return self._blocks[index >> 9][index & 511]
        except KeyError:
            return self._draw(index >> 9)[index & 511]

    def _draw(self, block: int) -> "array[float]":
        values = self._sampler(generator(self._seed, self._replication, self._name, block), BLOCK)
        drawn = array("d", np.ascontiguousarray(values, dtype=np.float64).tobytes())
        if len(self._blocks) >= KEPT_BLOCKS:
            del self._blocks[min(self._blocks)]
        self._blocks[block] = drawn
        return drawn
