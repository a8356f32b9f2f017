"""What calls cost, and after which failures a request goes on to another leg."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from des.errors import DesError
from des.traces import Run
from des.words import unknown

_COST_KEYS: Final = ("replication", "leg", "provider", "model", "outcome", "kind", "round", "cause")
_REASON: Final = ["arm", "from_leg", "to_leg", "outcome", "cause"]


def cost_breakdown(run: Run, by: str | Sequence[str]) -> pd.DataFrame:
    """See `Run.cost_breakdown`."""
    keys = [by] if isinstance(by, str) else list(by)
    if wrong := [key for key in keys if key not in _COST_KEYS]:
        raise DesError(unknown("column of by", wrong[0], _COST_KEYS))
    run.needs_all("attempts")
    read = ["arm", *keys, "cost_usd", "input_tokens", "output_tokens"]
    pieces = []
    for batch in run.batches("attempts", read):
        grouped = batch.groupby(["arm", *keys], dropna=False, sort=False)
        sums = grouped[["cost_usd", "input_tokens", "output_tokens"]].sum()
        pieces.append(sums.assign(calls=grouped.size()))
    if not pieces:
        raise DesError(f"{run.path}: no call was made")
    found = pd.concat(pieces).groupby(level=["arm", *keys], dropna=False, sort=False).sum()
    of_arm = found.groupby(level="arm", sort=False)["cost_usd"].transform("sum")
    requests = found.index.get_level_values("arm").map(_requests(run))
    frame = pd.DataFrame(
        {
            "calls": found["calls"].astype(np.int64),
            "input_tokens": found["input_tokens"].astype(np.int64),
            "output_tokens": found["output_tokens"].astype(np.int64),
            "cost_usd": found["cost_usd"],
            "cost_share": found["cost_usd"] / of_arm.where(of_arm > 0.0),
            "cost_usd_per_1000_requests": 1000.0 * found["cost_usd"] / np.asarray(requests, dtype=np.float64),
        }
    ).reset_index()
    return _in_order(frame, "cost_usd", run).set_index(["arm", *keys])


def fallback_reasons(run: Run) -> pd.DataFrame:
    """See `Run.fallback_reasons`."""
    run.needs_all("attempts")
    counts: dict[tuple[Any, ...], int] = {}
    for file_of in run.files("attempts"):
        for reason, count in _reasons(run.of_file(file_of, _READ)).items():
            counts[reason] = counts.get(reason, 0) + count
    requests = _requests(run)
    rows = [
        dict(zip(_REASON, reason, strict=True)) | {"fallbacks": count, "share_of_requests": count / requests[reason[0]]}
        for reason, count in counts.items()
    ]
    frame = pd.DataFrame(rows, columns=[*_REASON, "fallbacks", "share_of_requests"])
    return _in_order(frame, "fallbacks", run).set_index(_REASON)


_READ: Final = ["arm", "request_id", "attempt", "round", "chain_position", "leg", "kind", "outcome", "cause"]


def _reasons(calls: pd.DataFrame) -> dict[tuple[Any, ...], int]:
    """By (arm, from, to, outcome, cause): how often a request of one replication went on to another leg in a round."""
    calls = calls[calls["kind"] == "call"].sort_values(["request_id", "attempt"], kind="stable")
    before = calls.shift(1)
    same = (calls["request_id"] == before["request_id"]) & (calls["round"] == before["round"])
    went_on = same.fillna(False).astype(bool) & (calls["leg"] != before["leg"])
    started_late = ~same.fillna(False).astype(bool) & (calls["chain_position"] > 0)
    after_failure = pd.DataFrame(
        {
            "arm": calls["arm"],
            "from_leg": before["leg"],
            "to_leg": calls["leg"],
            "outcome": before["outcome"],
            "cause": before["cause"],
        }
    )[went_on]
    unasked = calls.loc[started_late, ["arm", "leg"]].rename(columns={"leg": "to_leg"})
    reasons = pd.concat([after_failure, unasked])[_REASON] if len(unasked) else after_failure[_REASON]
    counted = reasons.astype(object).where(reasons.notna(), None).value_counts(dropna=False, sort=False)
    found: Iterable[tuple[Any, int]] = counted.items()
    return {tuple(None if pd.isna(part) else part for part in reason): int(n) for reason, n in found}


def _in_order(frame: pd.DataFrame, most_by: str, run: Run) -> pd.DataFrame:
    """Arms in the order of the run, and within each the largest first."""
    place = {arm: number for number, arm in enumerate(run.manifest["arms"])}
    frame = frame.sort_values(most_by, ascending=False, kind="stable")
    return frame.sort_values("arm", key=lambda arms: arms.map(place), kind="stable")


def _requests(run: Run) -> dict[str, int]:
    """The requests of each arm, over all replications."""
    traces = run.manifest["traces"]
    return {
        arm: sum(traces[file.relative_to(run.path).as_posix()]["rows"] for file in run.files("requests", arm))
        for arm in run.manifest["arms"]
    }
