"""Keyed random streams that can be read at any index and in any order.

A stream is identified by (seed, replication, name). It is drawn in blocks, and block b has its own place in the counter
of a Philox generator. A draw therefore depends only on the key and its index, and not on which streams were created or
read before.
"""

from array import array
from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

BLOCK = 512  # a power of two: index >> 9 is the block, index & 511 the place in it
KEPT_BLOCKS = 64  # initially; requests in flight that reach back further have a block drawn again
MOST_BLOCKS = 8192


@lru_cache(maxsize=4096)
def _key(seed: int, replication: int, name: str) -> tuple[int, int]:
    digest = blake2b(f"{seed}\x1f{replication}\x1f{name}".encode(), digest_size=16).digest()
    return int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little")


@lru_cache(maxsize=4096)
def key_of(seed: int, replication: int, name: str) -> NDArray[np.uint64]:
    """The key of a stream in Philox. It is not to be written to."""
    return np.array(_key(seed, replication, name), np.uint64)


def generator(seed: int, replication: int, name: str, block: int = 0) -> np.random.Generator:
    """A separate generator for one block of a stream."""
    key = _key(seed, replication, name)
    counter = np.array([0, 0, block, 0], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=np.array(key, dtype=np.uint64), counter=counter))


class ReusedGenerator:
    """`generator` without a new one each time, which takes four times as long. Good until it is called again."""

    __slots__ = ("_counter", "_generator", "_philox", "_places", "_state")

    def __init__(self) -> None:
        self._philox = np.random.Philox(key=np.zeros(2, np.uint64))
        self._generator = np.random.Generator(self._philox)
        self._state: Any = self._philox.state
        self._state |= {"buffer_pos": 4, "has_uint32": 0, "uinteger": 0}  # nothing is left of draws before
        self._places = self._state["state"]
        self._counter = self._places["counter"] = np.zeros(4, np.uint64)

    def __call__(self, seed: int, replication: int, name: str, block: int) -> np.random.Generator:
        return self.at(key_of(seed, replication, name), block)

    def at(self, key: NDArray[np.uint64], block: int) -> np.random.Generator:
        """By the stream's `key_of`."""
        self._counter[2] = block
        self._places["key"] = key
        self._philox.state = self._state
        return self._generator


Sampler = Callable[[np.random.Generator, int], NDArray[np.float64]]


class Stream(dict[int, "array[float]"]):
    """Draws by index: `stream.at(i)` is the same whenever and however often it is read.

    It is a dictionary from block numbers to the draws of each block, which are drawn at their first use. A hot loop may
    thus read `stream[i >> 9][i & 511]` without a Python call.
    """

    __slots__ = ("_kept", "_name", "_replication", "_sampler", "_seed")

    def __init__(self, seed: int, replication: int, name: str, sampler: Sampler) -> None:
        super().__init__()
        self._seed = seed
        self._replication = replication
        self._name = name
        self._sampler = sampler
        self._kept = KEPT_BLOCKS

    def at(self, index: int) -> float:
        return self[index >> 9][index & 511]

    def __missing__(self, block: int) -> "array[float]":
        values = self._sampler(generator(self._seed, self._replication, self._name, block), BLOCK)
        drawn = array("d", np.ascontiguousarray(values, dtype=np.float64).tobytes())
        if len(self) >= self._kept:
            oldest = min(self)
            if block < oldest and self._kept < MOST_BLOCKS:  # readers reach further back, such as many users in turn
                self._kept *= 2
            else:
                del self[oldest]
        self[block] = drawn
        return drawn
