"""Quantiles of the latency of requests, by anything that their rows say."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from des.errors import DesError
from des.traces import Run
from des.words import unknown

_KEYS: Final = ("replication", "provider", "model", "chain_position", "outcome", "rounds", "attempts", "error_type")
_QUANTILES: Final = (0.5, 0.9, 0.95, 0.99)


def latency_quantiles(
    run: Run, by: str | Sequence[str] = (), quantiles: Sequence[float] = _QUANTILES, outcome: str | None = "ok"
) -> pd.DataFrame:
    """See `Run.latency_quantiles`."""
    keys = [by] if isinstance(by, str) else list(by)
    if wrong := [key for key in keys if key not in _KEYS]:
        raise DesError(unknown("column of by", wrong[0], _KEYS))
    if wrong_shares := [each for each in quantiles if not 0.0 <= each <= 1.0]:
        raise DesError(f"quantiles: expected shares from 0 to 1; got {wrong_shares[0]:g}")
    run.needs_all("requests")
    rows = [row for arm in run.manifest["arms"] for row in _of_arm(run, arm, keys, quantiles, outcome)]
    columns = ["arm", *keys, "requests", "latency_s_mean", *map(_named, quantiles)]
    return pd.DataFrame(rows, columns=columns).set_index(["arm", *keys])


def _of_arm(
    run: Run, arm: str, keys: list[str], quantiles: Sequence[float], outcome: str | None
) -> list[dict[str, Any]]:
    """One arm's rows. It holds the latencies of one arm in memory, 8 bytes a request."""
    pieces: dict[tuple[Any, ...], list[Any]] = {}
    for batch in run.batches("requests", list(dict.fromkeys([*keys, "outcome", "latency_s"])), arm):
        ended = batch[batch["latency_s"].notna()]
        chosen = ended if outcome is None else ended[ended["outcome"] == outcome]
        groups: Iterable[tuple[Any, pd.DataFrame]] = chosen.groupby(keys, dropna=False) if keys else [((), chosen)]
        for key, of in groups:
            known = tuple(None if pd.isna(each) else each for each in key)
            pieces.setdefault(known, []).append(of["latency_s"].to_numpy(np.float64))
    found = {key: np.concatenate(each) for key, each in sorted(pieces.items(), key=lambda item: _order(item[0]))}
    return [_row(arm, keys, key, values, quantiles) for key, values in found.items() if len(values)]


def _row(
    arm: str, keys: list[str], key: tuple[Any, ...], latency_s: np.ndarray[Any, Any], quantiles: Sequence[float]
) -> dict[str, Any]:
    at = np.quantile(latency_s, list(quantiles), method="inverted_cdf")
    figures = dict(zip(map(_named, quantiles), at.tolist(), strict=True))
    about = {"requests": len(latency_s), "latency_s_mean": float(latency_s.mean())}
    return {"arm": arm, **dict(zip(keys, key, strict=True)), **about, **figures}


def _named(share: float) -> str:
    return f"latency_s_p{100.0 * share:g}"


def _order(key: tuple[Any, ...]) -> list[tuple[bool, Any]]:
    return [(each is None, "" if each is None else each) for each in key]
