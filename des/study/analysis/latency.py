"""Quantiles of the latency of requests, by anything that their rows say."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from des.errors import DesError
from des.study.analysis.served import read_length
from des.traces import Run
from des.words import unknown

_KEYS: Final = (
    "replication",
    "leg",
    "provider",
    "model",
    "chain_position",
    "outcome",
    "rounds",
    "attempts",
    "error_type",
)
_START: Final = "start_s"
_QUANTILES: Final = (0.5, 0.9, 0.95, 0.99)


def latency_quantiles(
    run: Run, by: str | Sequence[str] = (), quantiles: Sequence[float] = _QUANTILES, outcome: str | None = "ok"
) -> pd.DataFrame:
    """See `Run.latency_quantiles`."""
    keys, length_s = _keys([by] if isinstance(by, str) else list(by))
    if wrong_shares := [each for each in quantiles if not 0.0 <= each <= 1.0]:
        raise DesError(f"quantiles: expected shares from 0 to 1; got {wrong_shares[0]:g}")
    run.needs_all("requests")
    if "leg" in keys:
        run.needs_all("attempts")
    rows = [row for arm in run.manifest["arms"] for row in _of_arm(run, arm, keys, length_s, quantiles, outcome)]
    columns = ["arm", *keys, "requests", "latency_s_mean", *map(_named, quantiles)]
    return pd.DataFrame(rows, columns=columns).set_index(["arm", *keys])


def _keys(by: list[str]) -> tuple[list[str], float | None]:
    """The columns to group by, and the length of a bin where one of them is a length of time."""
    keys: list[str] = []
    length_s = None
    for key in by:
        if key in _KEYS:
            keys.append(key)
            continue
        if not key[:1].isdigit():
            raise DesError(f"{unknown('column of by', key, _KEYS)}, or a length of time such as '1h'")
        if length_s is not None:
            raise DesError(f"by: {key!r} is a second length of time; name one")
        length_s = read_length(key, "by")
        keys.append(_START)
    return keys, length_s


def _of_arm(
    run: Run,
    arm: str,
    keys: list[str],
    length_s: float | None,
    quantiles: Sequence[float],
    outcome: str | None,
) -> list[dict[str, Any]]:
    """One arm's rows. It holds the latencies of one arm in memory, 8 bytes a request."""
    pieces: dict[tuple[Any, ...], list[Any]] = {}
    for batch in _batches(run, arm, keys, length_s):
        ended = batch[batch["latency_s"].notna()]
        chosen = ended if outcome is None else ended[ended["outcome"] == outcome]
        groups: Iterable[tuple[Any, pd.DataFrame]] = chosen.groupby(keys, dropna=False) if keys else [((), chosen)]
        for key, of in groups:
            known = tuple(None if pd.isna(each) else each for each in key)
            pieces.setdefault(known, []).append(of["latency_s"].to_numpy(np.float64))
    found = {key: np.concatenate(each) for key, each in sorted(pieces.items(), key=lambda item: _order(item[0]))}
    return [_row(arm, keys, key, values, quantiles) for key, values in found.items() if len(values)]


def _batches(run: Run, arm: str, keys: list[str], length_s: float | None) -> Iterator[pd.DataFrame]:
    """Pieces of the requests, with the leg that served and the bin of the arrival where these are asked for."""
    read = [key for key in keys if key not in ("leg", _START)]
    read += ["outcome", "latency_s", *(["replication", "request_id"] if "leg" in keys else ())]
    read += [] if length_s is None else ["arrival_s"]
    served: tuple[int, pd.Series[str]] | None = None
    for batch in run.batches("requests", list(dict.fromkeys(read)), arm):
        if length_s is not None:
            batch[_START] = length_s * np.floor(batch["arrival_s"].to_numpy() / length_s)
        if "leg" in keys and len(batch):
            replication = int(batch["replication"].iloc[0])
            if served is None or served[0] != replication:
                served = replication, _served_by(run, arm, replication)
            batch["leg"] = batch["request_id"].map(served[1]).where(batch["outcome"] == "ok")
        yield batch


def _served_by(run: Run, arm: str, replication: int) -> "pd.Series[str]":
    """The leg of the first call of each request of a replication that was answered, by the id of the request."""
    (file,) = [each for each in run.files("attempts", arm) if each.name == f"{arm}-{replication:04}.parquet"]
    calls = run.of_file(file, ["request_id", "leg", "outcome"])
    ok = calls[(calls["outcome"] == "ok") & calls["request_id"].notna()]
    return ok.drop_duplicates("request_id").set_index("request_id")["leg"]


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
