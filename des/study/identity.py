"""A run's identity as one short hash, and the manifest that records what was run and what it wrote."""

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from des.traces.levels import TraceLevel
    from des.traces.writer import WrittenTrace

_IN_THE_TRACES: Final = ("numpy", "simpy", "pyarrow", "genai-prices")
"""Libraries on which the bytes of the traces depend."""
_LIBRARIES: Final = (*_IN_THE_TRACES, "scipy", "pandas", "pydantic")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Everything on which the traces and figures of a run depend. The number of processes is not part of it.

    `files` maps each file that the scenario reads, under the name that it writes, to its SHA-256. `replications` are
    those asked for; a precision may take more.
    """

    resolved: Mapping[str, Any]
    seed: int
    replications: int
    arms: Sequence[str]
    traces: "TraceLevel"
    files: Mapping[str, str]
    precision: Mapping[str, Any] | None = None
    comparison: bool = False

    def key(self, libraries: Mapping[str, str] | None = None, source: str | None = None) -> str:
        """Twelve hex digits. `libraries` and `source` are of the version that ran it, by default of this one."""
        libraries = {**versions(), "des": package_version()} if libraries is None else libraries
        identity: dict[str, Any] = {
            "scenario": self.resolved,
            "seed": self.seed,
            "replications": self.replications,
            "arms": list(self.arms),
            **self.traces.facts(),
            "files": sorted(self.files.items()),
            "version": libraries["des"],
            "libraries": [libraries[library] for library in _IN_THE_TRACES],
            "source": source_digest() if source is None else source,
        }
        if self.precision is not None:
            identity["precision"] = self.precision
        if self.comparison:
            identity["comparison"] = True
        return hashlib.sha256(canonical_json(identity).encode()).hexdigest()[:12]

    def in_manifest(self, replications: int) -> dict[str, Any]:
        """The part of a manifest that is known before the run. `replications` are those made."""
        return {
            "key": self.key(),
            "scenario": self.resolved,
            "seed": self.seed,
            "replications": replications,
            "arms": list(self.arms),
            **self.traces.facts(),
            "files": dict(sorted(self.files.items())),
        }


def manifest_of(
    identity: Identity,
    *,
    name: str,
    replications: int,
    written: "Sequence[WrittenTrace]",
    summary_sha256: str,
    wall_s: float,
    engines: Mapping[str, Sequence[str]],
) -> dict[str, Any]:
    """JSON-able. Only `created_at`, `wall_s`, `engine` and the platform may differ between two executions of a run.

    `engines` are (name, why) by arm.
    """
    return {
        "name": name,
        **identity.in_manifest(replications),
        "estimator": "request level",
        "traces": {
            trace.name: {"sha256": trace.sha256, "rows": trace.rows, "bytes": trace.bytes}
            for trace in sorted(written, key=lambda trace: trace.name)
        },
        "summary_sha256": summary_sha256,
        "versions": versions(),
        "source_sha256": source_digest(),
        "platform": platform.platform(),
        "engine": {arm: {"name": name, "why": why} for arm, (name, why) in engines.items()},
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "wall_s": round(wall_s, 3),
    }


@cache
def package_version() -> str:
    """The version of the installed package."""
    try:
        return version("des-fallback")
    except PackageNotFoundError:  # a source tree on the path, not installed
        return "0+uninstalled"


@cache
def source_digest() -> str:
    """SHA-256 over the names and contents of the package's own source files."""
    root = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py"), key=lambda path: path.relative_to(root).as_posix()):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file's contents."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def canonical_json(value: Any) -> str:
    """One text for each value: sorted keys, no spaces. Raises ValueError for NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def json_text(value: Mapping[str, Any]) -> str:
    """Indented JSON that ends in a line break. Raises ValueError for NaN and infinity, which JSON lacks."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


@cache
def versions() -> dict[str, str]:
    """Versions of everything on which figures may depend."""
    found = {"python": platform.python_version(), "des": package_version()}
    for library in _LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:  # vendored without its metadata
            found[library] = "unknown"
    return found
