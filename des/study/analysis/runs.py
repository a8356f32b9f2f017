"""Two runs, paired request by request where both had the same requests, else each with its own spread."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from des.errors import DesError
from des.estimate.intervals import Interval, sectioned, t_quantile
from des.traces import Run
from des.words import unknown

_SUMS: Final = ("requests", "counted", "ok", "cost_usd", "latency_s", "attempts")
_READ: Final = ("request_id", "arrival_s", "outcome", "cost_usd", "latency_s", "attempts")
Sums = dict[str, float]
"""Of the requests of a replication, or of several."""
FIGURES: Final[dict[str, Callable[[Sums], float]]] = {
    "availability": lambda of: _share(of["ok"], of["counted"]),
    "cost_usd_per_request": lambda of: _share(of["cost_usd"], of["requests"]),
    "cost_usd_per_success": lambda of: _share(of["cost_usd"], of["ok"]),
    "latency_s_mean": lambda of: _share(of["latency_s"], of["ok"]),
    "attempts_per_request": lambda of: _share(of["attempts"], of["requests"]),
}
BY_REQUEST: Final = "by request"


@dataclass(frozen=True, slots=True)
class _Together:
    """The sums of two arms by replication. `pairing` says why they are not paired where they are not."""

    ours: list[Sums]
    theirs: list[Sums]
    pairing: str

    @property
    def paired(self) -> bool:
        return self.pairing == BY_REQUEST


def compare_runs(run: Run, other: Run, arms: tuple[str, str] | None) -> pd.DataFrame:
    """See `Run.compare`."""
    for each in (run, other):
        each.needs_all("requests")
    rows = [
        row
        for ours, theirs in _arms(run, other, arms)
        for row in _rows(ours if ours == theirs else f"{ours} less {theirs}", _together(run, ours, other, theirs))
    ]
    return pd.DataFrame(rows).set_index(["arm", "figure"])


def requests_of(run: Run, arm: str, replication: int) -> pd.DataFrame:
    """The requests of one replication, by their ids."""
    (file,) = [each for each in run.files("requests", arm) if each.name == f"{arm}-{replication:04}.parquet"]
    return run.of_file(file, _READ).sort_values("request_id", kind="stable", ignore_index=True)


def sums_of(requests: pd.DataFrame) -> Sums:
    ok = requests["outcome"] == "ok"
    values = (
        len(requests),
        int((requests["outcome"] != "in_flight").sum()),
        int(ok.sum()),
        math.fsum(requests["cost_usd"]),
        math.fsum(requests.loc[ok, "latency_s"]),
        int(requests["attempts"].sum()),
    )
    return dict(zip(_SUMS, map(float, values), strict=True))


def together(sums: Sequence[Sums]) -> Sums:
    return {name: math.fsum(each[name] for each in sums) for name in _SUMS}


def paired_difference(figure: Callable[[Sums], float], ours: Sequence[Sums], theirs: Sequence[Sums]) -> Interval:
    """Of the figures of all replications together, with an interval from the differences of each."""
    whole = figure(together(ours)) - figure(together(theirs))
    apart = [figure(one) - figure(two) for one, two in zip(ours, theirs, strict=True)]
    return sectioned(whole, apart) if all(map(math.isfinite, apart)) else Interval(whole, None, None)


def unpaired_difference(figure: Callable[[Sums], float], ours: Sequence[Sums], theirs: Sequence[Sums]) -> Interval:
    """The same of independent replications, by Welch's t (1947). No interval unless both have two that differ."""
    whole = [figure(together(each)) for each in (ours, theirs)]
    difference = whole[0] - whole[1]
    variances: list[float] = []
    for value, sums in zip(whole, (ours, theirs), strict=True):
        own, n = [figure(each) for each in sums], len(sums)
        if n < 2 or not all(map(math.isfinite, own)):
            return Interval(difference, None, None)
        variances.append(math.fsum((each - value) ** 2 for each in own) / (n * (n - 1)))
    if not sum(variances):
        return Interval(difference, None, None)
    squares = sum(v * v / (len(sums) - 1) for v, sums in zip(variances, (ours, theirs), strict=True))
    half = t_quantile(max(1, math.floor(sum(variances) ** 2 / squares))) * math.sqrt(sum(variances))
    return Interval(difference, difference - half, difference + half)


def _arms(run: Run, other: Run, arms: tuple[str, str] | None) -> list[tuple[str, str]]:
    """Pairs of arms to compare: those named, else each that both runs have."""
    if arms is not None:
        for each, arm in zip((run, other), arms, strict=True):
            if arm not in each.manifest["arms"]:
                raise DesError(f"{each.path}: {unknown('arm', arm, each.manifest['arms'])}")
        return [arms]
    common = [arm for arm in run.manifest["arms"] if arm in other.manifest["arms"]]
    if not common:
        raise DesError(
            f"{run.path} and {other.path} have no arm in common; name one of each, such as "
            f"arms=({run.manifest['arms'][0]!r}, {other.manifest['arms'][0]!r})"
        )
    return [(arm, arm) for arm in common]


def _together(run: Run, ours: str, other: Run, theirs: str) -> _Together:
    both = min(run.manifest["replications"], other.manifest["replications"])
    if run.manifest["seed"] != other.manifest["seed"]:
        return _apart(run, ours, other, theirs, "none: other seeds")
    pairs: list[tuple[Sums, Sums]] = []
    for number in range(both):
        one, two = requests_of(run, ours, number), requests_of(other, theirs, number)
        common = min(len(one), len(two))
        one, two = one[:common], two[:common]
        if not all(np.array_equal(one[key], two[key]) for key in ("request_id", "arrival_s")):
            return _apart(run, ours, other, theirs, "none: other arrivals")
        pairs.append((sums_of(one), sums_of(two)))
    return _Together([one for one, _ in pairs], [two for _, two in pairs], BY_REQUEST)


def _apart(run: Run, ours: str, other: Run, theirs: str, why: str) -> _Together:
    return _Together(list(_sums(run, ours)), list(_sums(other, theirs)), why)


def _sums(run: Run, arm: str) -> Iterator[Sums]:
    for number in range(run.manifest["replications"]):
        yield sums_of(requests_of(run, arm, number))


def _rows(arm: str, of: _Together) -> Iterator[dict[str, Any]]:
    ours, theirs = together(of.ours), together(of.theirs)
    for name, figure in FIGURES.items():
        found = (paired_difference if of.paired else unpaired_difference)(figure, of.ours, of.theirs)
        yield {
            "arm": arm,
            "figure": name,
            "run": figure(ours),
            "other": figure(theirs),
            "difference": found.value,
            "difference_low": found.low,
            "difference_high": found.high,
            "run_requests": int(ours["requests"]),
            "other_requests": int(theirs["requests"]),
            "pairing": of.pairing,
        }


def _share(part: float, whole: float) -> float:
    return part / whole if whole > 0.0 else np.nan
