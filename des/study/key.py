"""What makes two runs the same run: everything that its traces depend on, as one short hash."""

import hashlib
import json
import platform
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import des

LIBRARIES = ("numpy", "simpy", "pyarrow", "genai-prices", "scipy", "pandas", "pydantic")
"""Libraries that the manifest names; the first four have a say in what the traces hold, byte for byte."""


@cache
def versions() -> dict[str, str]:
    """Versions of everything that the figures may depend on."""
    found = {"python": platform.python_version(), "des": des.__version__}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:  # vendored without its metadata
            found[library] = "unknown"
    return found


@cache
def source_digest() -> str:
    """SHA-256 over the names and contents of the package's own source files."""
    root = Path(des.__file__).parent
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


def run_key(
    *,
    resolved: Mapping[str, Any],
    seed: int,
    replications: int,
    arms: list[str],
    traces: bool,
    files: Mapping[str, str],
    precision: Mapping[str, Any] | None = None,
    comparison: bool = False,
) -> str:
    """Twelve hex digits; `files` maps each file the scenario reads, as the scenario writes its name, to its SHA-256.

    The number of processes is no part of it: it changes nothing.
    """
    identity: dict[str, Any] = {
        "scenario": resolved,
        "seed": seed,
        "replications": replications,
        "arms": arms,
        "trace_level": trace_level(traces),
        "files": sorted(files.items()),
        "version": des.__version__,
        "libraries": [versions()[library] for library in LIBRARIES[:4]],
        "source": source_digest(),
    }
    if precision is not None:
        identity["precision"] = precision
    if comparison:
        identity["comparison"] = True
    return hashlib.sha256(canonical_json(identity).encode()).hexdigest()[:12]


def trace_level(traces: bool) -> str:
    return "attempts" if traces else "none"


def canonical_json(value: Any) -> str:
    """One text for one value: sorted keys, no spaces, NaN refused."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
