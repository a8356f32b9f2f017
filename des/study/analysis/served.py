"""Requests served over time: by bins of any length, by months, and against an objective."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from des.errors import DesError
from des.estimate.intervals import binomial_bounds
from des.estimate.objective import MONTH_S, whole_windows
from des.scenario import Scenario
from des.scenario.schema.objective import MONTH, read_window
from des.scenario.text.units import YEAR_S, read_duration, read_share
from des.traces import Run
from des.vocabulary import REQUEST_IN_FLIGHT, REQUEST_OK, REQUEST_OUTCOMES

_ROUNDING: Final = 1e-9
_MOST_BINS: Final = 5_000_000
_KEYS: Final = ["arm", "replication", "start_s"]


def availability(run: Run, scenario: Scenario, by: str | None) -> pd.DataFrame:
    """See `Run.availability`."""
    length_s = None if by is None else read_length(by, "by")
    bins = {arm: _number_of_bins(of.scenario.horizon, length_s) for arm, of in _arms(run, scenario)}
    asked = sum(bins.values()) * run.manifest["replications"]
    if asked > _MOST_BINS:
        raise DesError(f"by={by!r}: {asked:,} bins of all arms and replications, more than {_MOST_BINS:,}")
    edges = {arm: _bins(of.scenario.horizon, length_s, bins[arm]) for arm, of in _arms(run, scenario)}
    return _with_share(_counted(run, edges))


def read_length(text: str, name: str) -> float:
    """The seconds of a bin. Raises DesError, which names the argument, unless it is a duration above 0."""
    length_s: float = _read(text, read_duration, name)
    if length_s <= 0.0:
        raise DesError(f"{name}={text!r}: expected a duration above 0")
    return length_s


def months(run: Run, scenario: Scenario, per: str) -> pd.DataFrame:
    """See `Run.months`."""
    window = _read(per, read_window, "per")
    edges = {arm: whole_windows(of.scenario.horizon, of.scenario.start, window) for arm, of in _arms(run, scenario)}
    return _with_share(_counted(run, {arm: each for arm, each in edges.items() if len(each)}))


def monthly_objective(run: Run, scenario: Scenario, target: str | float | None, per: str | None) -> pd.DataFrame:
    """See `Run.monthly_objective`."""
    asked, window = _objective(scenario, target, per)
    found = months(run, scenario, window)
    if found.empty:
        raise DesError(f"{run.path}: the horizon holds no whole window of {window}; give a shorter one as per=")
    counted = found["requests"] - found["in_flight"]
    found["missed"] = found["served"] < asked * counted - _ROUNDING
    starts = {arm: of.scenario.start for arm, of in _arms(run, scenario)}
    rows = [
        _missed(str(arm), of, asked, _windows_a_year(window, starts[str(arm)]))
        for arm, of in found.groupby(level="arm", sort=False)
    ]
    return pd.DataFrame(rows).set_index("arm")


def _windows_a_year(window: str, start: datetime | None) -> float:
    if window == MONTH:
        return YEAR_S / MONTH_S if start is None else 12.0
    return float(YEAR_S / _read(window, read_duration, "per"))


def _missed(arm: str, windows: pd.DataFrame, asked: float, per_year: float) -> dict[str, Any]:
    count, missed = len(windows), int(windows["missed"].sum())
    low, high = binomial_bounds(missed, count)
    share = missed / count
    return {
        "arm": arm,
        "objective": asked,
        "windows": count,
        "missed": missed,
        "missed_share": share,
        "missed_share_low": low,
        "missed_share_high": high,
        "lowest_availability": windows["availability"].min(),
        "missed_in_a_year": _once(share, per_year),
        "missed_in_a_year_low": _once(low, per_year),
        "missed_in_a_year_high": _once(high, per_year),
    }


def _once(share: float, windows: float) -> float:
    """The chance that at least one of these independent windows misses."""
    return float(-np.expm1(windows * np.log1p(-share))) if share < 1.0 else 1.0


def _objective(scenario: Scenario, target: str | float | None, per: str | None) -> tuple[float, str]:
    """(availability, window as written): those given, else those of the scenario."""
    own = scenario.settings.objective
    if target is None and own is None:
        raise DesError("the scenario has no objective: give an availability such as monthly_objective('99.9%')")
    asked = own.availability if target is None and own is not None else _read(target, read_share, "availability")
    if per is not None:
        return asked, per
    said = MONTH if own is None else own.per
    return asked, said if isinstance(said, str) else f"{said!r}s"


def _read(value: Any, reader: Any, name: str) -> Any:
    try:
        return reader(value)
    except ValueError as error:
        raise DesError(f"{name}={value!r}: {error}") from None


def _arms(run: Run, scenario: Scenario) -> Iterator[tuple[str, Any]]:
    for arm in run.manifest["arms"]:
        yield arm, scenario.loaded.arms[arm]


def _number_of_bins(horizon_s: float, length_s: float | None) -> int:
    """The last one may be cut by the horizon."""
    if length_s is None or length_s >= horizon_s:
        return 1
    whole = int(horizon_s / length_s * (1.0 + 1e-12))
    return whole if whole * length_s >= horizon_s * (1.0 - 1e-12) else whole + 1


def _bins(horizon_s: float, length_s: float | None, number: int) -> NDArray[np.float64]:
    """Edges: one more than bins."""
    if length_s is None or number == 1:
        return np.array([0.0, horizon_s])
    edges = np.arange(number + 1, dtype=np.float64) * length_s
    if edges[-1] > horizon_s * (1.0 + 1e-12):
        edges[-1] = horizon_s
    return edges


def _counted(run: Run, edges: dict[str, NDArray[np.float64]]) -> pd.DataFrame:
    """Requests by arm, replication and window of their arrival. Those outside of every window are left out."""
    run.needs_all("requests")
    totals = {
        (arm, replication): np.zeros((3, len(each) - 1), dtype=np.int64)
        for arm, each in edges.items()
        for replication in range(run.manifest["replications"])
    }
    for arm, of in edges.items():
        for batch in run.batches("requests", ["replication", "arrival_s", "outcome"], arm):
            place = np.searchsorted(of, batch["arrival_s"].to_numpy(), side="right") - 1
            place[batch["arrival_s"].to_numpy() == of[-1]] = len(of) - 2
            within = (place >= 0) & (place < len(of) - 1)
            outcome = batch["outcome"].to_numpy()
            total = totals[arm, int(batch["replication"].iloc[0])]
            for row, chosen in enumerate((within, within & (outcome == _OK), within & (outcome == _OPEN))):
                total[row] += np.bincount(place[chosen], minlength=len(of) - 1)
    pieces = [
        pd.DataFrame(
            {
                "arm": arm,
                "replication": replication,
                "start_s": edges[arm][:-1],
                "end_s": edges[arm][1:],
                "requests": requests,
                "served": served,
                "in_flight": in_flight,
            }
        )
        for (arm, replication), (requests, served, in_flight) in totals.items()
    ]
    columns = [*_KEYS, "end_s", "requests", "served", "in_flight"]
    frame = pd.concat(pieces, ignore_index=True) if pieces else pd.DataFrame(columns=columns)
    return frame.set_index(_KEYS)


_OK: Final = REQUEST_OUTCOMES[REQUEST_OK]
_OPEN: Final = REQUEST_OUTCOMES[REQUEST_IN_FLIGHT]


def _with_share(frame: pd.DataFrame) -> pd.DataFrame:
    counted = (frame["requests"] - frame["in_flight"]).astype(np.float64)
    return frame.assign(availability=frame["served"] / counted.where(counted > 0.0))
