"""Finished replications of a run under way at an address, so that the same command goes on from them.

Traces go to the names that the finished run has: their bytes are the same, whichever worker writes them and however
often. Below a name of its own stands one object for each finished replication, written after its traces, with their
sizes and checksums. A run is whole when its manifest is there. Then these objects go.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from des.errors import OutputError, RunError
from des.scratch import scratch_directory
from des.storage import Storage
from des.study.identity import json_text
from des.study.outcome_json import read_outcome
from des.study.replication import Part
from des.study.unfinished import BEGUN, FINISHED, POINTS, piece_text, point_text, text_of_piece, text_of_point
from des.traces.writer import WrittenTrace

_UNFINISHED: Final = ".unfinished-"


class StoredPieces:
    """Of the run of this key. Objects that were there before are listed once."""

    def __init__(self, storage: Storage, key: str) -> None:
        self._storage = storage
        self._key = key
        self._sizes: dict[str, int] | None = None
        self._read: dict[str, str] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return StoredPieces, (self._storage, self._key)

    def start(self, *, anew: bool) -> None:
        """Raises OutputError where another run is unfinished there. `anew` passes over what was begun without it."""
        sizes = self._listed()
        prefixes = {name.partition("/")[0] for name in sizes if name.startswith(_UNFINISHED)}
        if others := sorted(prefixes - {self._of("").rstrip("/")}):
            raise OutputError(
                f"{self._storage.url}: another run is unfinished here ({others[0]}); choose another address"
            )
        begun = self._begun()
        if anew and not begun.get("anew"):
            self.clear()
            self._sizes = {}
        begun_at = begun.get("begun_at") or datetime.now(UTC).isoformat(timespec="seconds")
        self.begin({"key": self._key, "begun_at": begun_at, "anew": anew or bool(begun.get("anew"))})

    def clear(self) -> None:
        """Remove the objects of a run that is whole, or that begins anew; not its traces."""
        own = self._of("")
        self._storage.remove(name for name in self._storage.sizes() if name.startswith(own))

    def begin(self, facts: Mapping[str, Any]) -> None:
        """As `Pieces` says; so are the others."""
        self._storage.put_text(self._of(BEGUN), json_text({**self._begun(), **facts}))

    def elsewhere(self) -> "StoredPieces":
        return self

    def scratch(self) -> AbstractContextManager[Path]:
        return scratch_directory()

    def keep(self, part: Part, outcome: str, written: Iterable[WrittenTrace], scratch: Path) -> None:
        for trace in written:
            self._storage.put(trace.name, scratch / trace.name)
        self._storage.put_text(self._of(_name(part)), piece_text(self._key, part, outcome))

    def finished(self, part: Part, same: Iterable[str] = ()) -> str | None:
        text = self._kept(_name(part))
        outcome = None if text is None else text_of_piece(self._key, part, text)
        if outcome is None:
            return None
        sizes = self._listed()
        whole = all(sizes.get(trace.name) == trace.bytes for trace in read_outcome(outcome).written)
        return outcome if whole else None

    def outcome(self, part: Part) -> str:
        text = self._storage.text(self._of(_name(part)))
        outcome = None if text is None else text_of_piece(self._key, part, text)
        if outcome is None:
            raise RunError(f"{self._storage.url}: what a worker kept of {part.arm} {part.replication} is gone")
        return outcome

    def hand_over(self, written: Iterable[WrittenTrace], target: Path) -> None:
        """They are in their place already."""

    def amiss(self, target: Path, manifest: Mapping[str, Any]) -> list[str]:
        """By their sizes."""
        return amiss_by_size(self._storage.sizes(), manifest)

    def keep_point(self, number: int, text: str) -> None:
        self._storage.put_text(self._of(_point(number)), point_text(self._key, number, text))

    def finished_point(self, number: int) -> str | None:
        text = self._kept(_point(number))
        return None if text is None else text_of_point(self._key, number, text)

    def count(self) -> int:
        """Pieces there were at the start."""
        own = (self._of(f"{FINISHED}/"), self._of(f"{POINTS}/"))
        return sum(name.startswith(own) for name in self._listed())

    def _of(self, name: str) -> str:
        return f"{_UNFINISHED}{self._key}/{name}"

    def _listed(self) -> dict[str, int]:
        if self._sizes is None:
            self._sizes = self._storage.sizes()
        return self._sizes

    def _begun(self) -> dict[str, Any]:
        try:
            content = json.loads(self._storage.text(self._of(BEGUN)) or "{}")
        except ValueError:
            return {}
        return content if isinstance(content, dict) else {}

    def _kept(self, name: str) -> str | None:
        """An object that was there at the start. It is read together with those that follow it."""
        name = self._of(name)
        if name not in self._listed():
            return None
        if name not in self._read:
            self._read = self._storage.texts(list(_following(name, sorted(self._listed()))))
        return self._read.pop(name, None)


def amiss_by_size(sizes: Mapping[str, int], manifest: Mapping[str, Any]) -> list[str]:
    """How the traces at an address differ from the manifest, by their sizes."""
    problems = []
    for name, facts in manifest.get("traces", {}).items():
        if name not in sizes:
            problems.append(f"{name} is missing")
        elif sizes[name] != facts["bytes"]:
            problems.append(f"{name} has been changed")
    return problems


def _following(name: str, names: list[str], many: int = 128) -> Iterator[str]:
    folder = name.rpartition("/")[0]
    first = names.index(name)
    return (each for each in names[first : first + many] if each.startswith(folder))


def _name(part: Part) -> str:
    return f"{FINISHED}/{part.arm}-{part.replication:04d}.jsonl"


def _point(number: int) -> str:
    return f"{POINTS}/{number:04d}.jsonl"
