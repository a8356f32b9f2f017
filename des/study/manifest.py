"""The manifest of a run: what was run, with what, and the checksum of everything it left."""

import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from des.study.key import source_digest, trace_level, versions
from des.traces.writer import WrittenTrace


def identity_of(
    *,
    key: str,
    resolved: Mapping[str, Any],
    seed: int,
    replications: int,
    arms: Sequence[str],
    traces: bool,
    files: Mapping[str, str],
) -> dict[str, Any]:
    """The part of a manifest that is known before anything is simulated, but for replications that a precision asks."""
    return {
        "key": key,
        "scenario": resolved,
        "seed": seed,
        "replications": replications,
        "arms": list(arms),
        "trace_level": trace_level(traces),
        "files": dict(sorted(files.items())),
    }


def manifest_of(
    *,
    name: str,
    key: str,
    resolved: Mapping[str, Any],
    seed: int,
    replications: int,
    arms: Sequence[str],
    traces: bool,
    written: Sequence[WrittenTrace],
    summary_sha256: str,
    files: Mapping[str, str],
    wall_s: float,
) -> dict[str, Any]:
    """JSON-able. `created_at`, `wall_s` and the platform are all that may differ between two makings of one run."""
    return {
        "name": name,
        **identity_of(
            key=key,
            resolved=resolved,
            seed=seed,
            replications=replications,
            arms=arms,
            traces=traces,
            files=files,
        ),
        "estimator": "request level",
        "traces": {
            trace.name: {"sha256": trace.sha256, "rows": trace.rows, "bytes": trace.bytes}
            for trace in sorted(written, key=lambda trace: trace.name)
        },
        "summary_sha256": summary_sha256,
        "versions": versions(),
        "source_sha256": source_digest(),
        "platform": platform.platform(),
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "wall_s": round(wall_s, 3),
    }
