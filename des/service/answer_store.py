"""Answers and charts that were made before: a few in memory, more on disk, the oldest forgotten."""

import json
import time
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from des.errors import DesError
from des.single_files import write_over

_IN_MEMORY: Final = 256
_ON_DISK: Final = 4_000
_TIDIED_EVERY: Final = 100


class AnswerStore:
    """By address and kind (`answer`, `charts`): the bytes of the JSON that was sent."""

    def __init__(self, folder: Path, kept_s: float) -> None:
        self._folder = folder
        self._kept_s = kept_s
        self._memory: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._written = 0
        folder.mkdir(parents=True, exist_ok=True)
        self.tidy()

    def get(self, key: str, kind: str) -> bytes | None:
        """None where it is not known, or was forgotten."""
        if (found := self._memory.get((key, kind))) is not None:
            self._memory.move_to_end((key, kind))
            return found
        with suppress(OSError):
            found = self._place(key, kind).read_bytes()
            json.loads(found)  # what a crash or another program damaged is made again
            self._remember(key, kind, found)
            return found
        return None

    def put(self, key: str, kind: str, content: Mapping[str, Any]) -> bytes:
        """The bytes that stand for it from now on. A full disk only means that it is made again later."""
        found = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
        self._remember(key, kind, found)
        with suppress(OSError, DesError):
            place = self._place(key, kind)
            place.parent.mkdir(exist_ok=True)
            write_over(place, found.decode())
        self._written += 1
        if self._written % _TIDIED_EVERY == 0:
            self.tidy()
        return found

    def tidy(self) -> None:
        """Remove what is older than it is kept, and the oldest beyond the number that is kept."""
        ages: list[tuple[float, Path]] = []
        for file in self._folder.glob("*/*.json"):
            with suppress(OSError):
                ages.append((file.stat().st_mtime, file))
        ages.sort()
        oldest = time.time() - self._kept_s
        surplus = len(ages) - _ON_DISK
        for number, (at, file) in enumerate(ages):
            if number < surplus or at < oldest:
                with suppress(OSError):
                    file.unlink()

    def _place(self, key: str, kind: str) -> Path:
        return self._folder / key[:2] / f"{key}.{kind}.json"

    def _remember(self, key: str, kind: str, found: bytes) -> None:
        self._memory[key, kind] = found
        self._memory.move_to_end((key, kind))
        while len(self._memory) > _IN_MEMORY:
            self._memory.popitem(last=False)
