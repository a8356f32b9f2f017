"""Two arms of a run, paired by replication, because they have the same requests, incidents and random numbers."""

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pandas as pd

from des.errors import DesError
from des.estimate.intervals import sectioned
from des.traces import Run
from des.words import unknown

_SUMS: Final = ("requests", "counted", "ok", "cost_usd", "latency_s", "attempts")
_Sums = dict[str, float]
_FIGURES: Final[dict[str, Callable[[_Sums], float]]] = {
    "availability": lambda of: _share(of["ok"], of["counted"]),
    "cost_usd_per_request": lambda of: _share(of["cost_usd"], of["requests"]),
    "cost_usd_per_success": lambda of: _share(of["cost_usd"], of["ok"]),
    "latency_s_mean": lambda of: _share(of["latency_s"], of["ok"]),
    "attempts_per_request": lambda of: _share(of["attempts"], of["requests"]),
}


def compare(run: Run, a: str, b: str) -> pd.DataFrame:
    """See `Run.compare`."""
    for arm in (a, b):
        if arm not in run.manifest["arms"]:
            raise DesError(unknown("arm", arm, run.manifest["arms"]))
    ours, theirs = _by_replication(run, a), _by_replication(run, b)
    return pd.DataFrame([_row(name, figure, a, b, ours, theirs) for name, figure in _FIGURES.items()]).set_index(
        "figure"
    )


def _row(
    name: str, figure: Callable[[_Sums], float], a: str, b: str, ours: list[_Sums], theirs: list[_Sums]
) -> dict[str, Any]:
    whole, other = figure(_together(ours)), figure(_together(theirs))
    apart = [figure(one) - figure(two) for one, two in zip(ours, theirs, strict=True)]
    known = [each for each in apart if math.isfinite(each)]
    found = sectioned(whole - other, known) if len(known) == len(apart) else None
    return {
        "figure": name,
        a: whole,
        b: other,
        "difference": whole - other,
        "difference_low": None if found is None else found.low,
        "difference_high": None if found is None else found.high,
    }


def _by_replication(run: Run, arm: str) -> list[_Sums]:
    run.needs_all("requests")
    sums: list[_Sums] = []
    for file in run.files("requests", arm):
        of = run.of_file(file, ["outcome", "cost_usd", "latency_s", "attempts"])
        ok = of["outcome"] == "ok"
        values = (
            len(of),
            int((of["outcome"] != "in_flight").sum()),
            int(ok.sum()),
            math.fsum(of["cost_usd"]),
            math.fsum(of.loc[ok, "latency_s"]),
            int(of["attempts"].sum()),
        )
        sums.append(dict(zip(_SUMS, map(float, values), strict=True)))
    return sums


def _together(sums: list[_Sums]) -> _Sums:
    return {name: math.fsum(each[name] for each in sums) for name in _SUMS}


def _share(part: float, whole: float) -> float:
    return part / whole if whole > 0.0 else np.nan
