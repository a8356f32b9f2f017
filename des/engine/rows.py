"""Rows packed into a fixed buffer: no Python object outlives its row, and columns are views of the bytes."""

from collections.abc import Callable
from struct import Struct
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from simpy import Environment

ROWS = 2048  # in a buffer at first; more where one instant has more


class Rows:
    """A table under way, sorted and handed over in pieces.

    `layout` is [(column, struct code)], with the codes q (int64), i (int32), h (int16), b (int8), d (float64);
    `order` names the columns that rows are sorted by, the time first. Full buffers go to `send`; without it rows are
    kept until asked for.
    """

    _TYPES: ClassVar = {"q": "<i8", "i": "<i4", "h": "<i2", "b": "i1", "d": "<f8"}

    def __init__(
        self,
        clock: Environment,
        layout: list[tuple[str, str]],
        order: tuple[str, ...],
        send: Callable[[NDArray[Any]], None] | None,
    ) -> None:
        self._clock = clock
        packed = Struct("<" + "".join(code for _, code in layout))
        self._pack_into = packed.pack_into
        self._size = packed.size
        self._type = np.dtype([(name, self._TYPES[code]) for name, code in layout])
        self._order = order
        self._send = send
        self._buffer = bytearray(self._size * ROWS)
        self._end = 0

    def append(self, row: tuple[Any, ...]) -> None:
        """Take a row, which may send those before it."""
        self._pack_into(self._buffer, self._end, *row)
        self._end += self._size
        if self._end == len(self._buffer):
            if self._send is None:
                self._grow()
            else:
                self._send(self.settle())

    def _grow(self) -> None:
        """Make room for as many rows again."""
        self._buffer.extend(bytes(len(self._buffer)))

    def settle(self, *, until_s: float | None = None) -> NDArray[Any]:
        """The rows that nothing can come before any more, in order: those of times before now.

        Rows may be of times to come, but none is of a time gone by. `until_s` ends the table: rows up to it are handed
        over, later ones dropped; NaN, which sorts last, hands over all.
        """
        count = self._end // self._size
        rows = np.frombuffer(bytes(memoryview(self._buffer)[: self._end]), dtype=self._type)
        rows = rows[np.lexsort([rows[column] for column in reversed(self._order)])]
        time_s = rows[self._order[0]]
        if until_s is not None:
            self._end = 0
            return rows[: int(np.searchsorted(time_s, until_s, side="right"))]
        whole = int(np.searchsorted(time_s, self._clock.now, side="left")) if count else 0
        held = rows[whole:].tobytes()
        if 2 * len(held) > len(self._buffer):
            self._grow()
        self._buffer[: len(held)] = held
        self._end = len(held)
        return rows[:whole]
