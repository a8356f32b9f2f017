"""Which rows a run keeps. Its figures are always of all requests."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from des.spread import spread
from des.vocabulary import FULL_TRACES, NO_TRACES, REQUEST_TRACES, SAMPLED_TRACES, TRACE_LEVELS

_SAMPLED_TABLES: Final = ("requests", "attempts")
_KEY: Final = np.int64(0x7261CE5)
"""Makes the sample another mix of the numbers than the fingerprints of the conservation rules."""
_Block = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class TraceLevel:
    """One of `TRACE_LEVELS`; of `sampled`, the `share` of the requests whose rows are kept, else 1."""

    name: str
    share: float = 1.0

    @classmethod
    def of(cls, level: str | float) -> "TraceLevel":
        """From a name, or from the share of a sample."""
        return cls(level) if isinstance(level, str) else cls(SAMPLED_TRACES, level)

    @classmethod
    def of_manifest(cls, manifest: Mapping[str, Any]) -> "TraceLevel":
        """Of a run on disk. Runs of versions that knew of two levels alone kept everything or nothing."""
        name, share = manifest.get("trace_level"), manifest.get("sampled_share", 1.0)
        if name == SAMPLED_TRACES and isinstance(share, float) and 0.0 < share < 1.0:
            return cls(SAMPLED_TRACES, share)
        if name in TRACE_LEVELS and name != SAMPLED_TRACES:
            return cls(str(name))
        return FULL if manifest.get("traces") else NONE

    @property
    def is_sample(self) -> bool:
        return self.name == SAMPLED_TRACES

    def keeps(self, table: str) -> bool:
        """Whether any of a table's rows are kept."""
        return self.name != NO_TRACES and not (self.name == REQUEST_TRACES and table == "attempts")

    def facts(self, table: str | None = None) -> dict[str, Any]:
        """What a manifest says of it; of a table, what its files do: nothing where all rows are there."""
        if table is None:
            return {"trace_level": self.name, **({"sampled_share": self.share} if self.is_sample else {})}
        return self.facts() if self.is_sample and table in _SAMPLED_TABLES else {}

    def rows(self, table: str, block: _Block) -> _Block:
        """The block's rows that are kept.

        In a sample these are the rows of requests whose number is in it, in every arm, replication and scenario the
        same ones, and all of them are in any larger sample. A request stands for 1 / share of them (`weight`). Probes,
        which belong to no request, are not in it.
        """
        if not self.is_sample or table not in _SAMPLED_TABLES:
            return block
        kept = in_sample(block["request_id"], self.share)
        chosen = {name: column[kept] for name, column in block.items()}
        if "weight" in chosen:
            chosen["weight"] = chosen["weight"] / self.share
        return chosen

    def __str__(self) -> str:
        return f"{SAMPLED_TRACES}: {100.0 * self.share:.6g}%" if self.is_sample else self.name


FULL: Final = TraceLevel(FULL_TRACES)
NONE: Final = TraceLevel(NO_TRACES)


def in_sample(request_id: NDArray[Any], share: float) -> NDArray[np.bool_]:
    """Whether each request is in the sample of that share, below 1. A negative number, of a probe, never is."""
    mixed = spread(request_id.astype(np.int64) ^ _KEY)
    chosen: NDArray[np.bool_] = (mixed < np.uint64(int(share * 2.0**64))) & (request_id >= 0)
    return chosen
