"""The record of a sweep on disk, and as frames: its points, the figures of each arm at them, and the verdicts.

`sweep.json` holds everything and `load_sweep` reads it; `sweep.csv` holds a row for each point and arm.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from des.errors import DesError
from des.estimate.estimate import INCONCLUSIVE, MET, MISSED
from des.frames import Charted
from des.single_files import json_object, reason_of
from des.storage import place_of
from des.study.identity import json_text
from des.study.recorded import Run, load
from des.study.verdicts import NOT_JUDGED, Verdict

if TYPE_CHECKING:
    import pandas as pd

RECORD: Final = "sweep.json"
TABLE: Final = "sweep.csv"
BEST: Final = "best"
"""Each figure of each point by the estimator that suits it."""
LONG_RUN_METRICS: Final = ("availability", "failure_share", "all_down")
"""Figures that take no simulated requests, where requests do not depend on each other."""
OWN_METRICS: Final = ("failure_share", "all_down", "objective", "total_cost_usd_per_year")
"""Figures of a sweep by the best estimators, beside those of summary.json."""
MORE_METRICS: Final = (
    "wasted_cost_usd",
    "probe_cost_usd",
    "attempts",
    "probes",
    "response_cache_hit_share",
    "quality_mean",
)
BATCH_METRICS: Final = (
    "batches",
    "batches_hit_by_incident",
    "batches_hit_by_incident_share",
    "batches_with_lost_requests",
    "batches_with_lost_requests_share",
    "batches_endless",
    "batch_lateness_s_mean",
    "batch_lateness_s_p50",
    "batch_lateness_s_p95",
    "batch_lateness_s_max",
)
"""Of workloads that come in batches."""
_GRAVEST: Final = (MISSED, INCONCLUSIVE, MET, NOT_JUDGED)


@dataclass(frozen=True, eq=False)
class Sweep(Charted):
    """A sweep: `over` which paths, the values of each point as written, and the figures found there.

    `content` is what sweep.json holds. `des.report.sweep_table.sweep_text` prints it like the command.
    """

    path: Path
    content: Mapping[str, Any]
    reused: bool = False

    @property
    def over(self) -> tuple[str, ...]:
        return tuple(self.content["over"])

    @cached_property
    def points(self) -> tuple[Mapping[str, str], ...]:
        return tuple(record["values"] for record in self.records)

    @property
    def records(self) -> Sequence[Mapping[str, Any]]:
        """What is known of each point, in the order of the points."""
        records: Sequence[Mapping[str, Any]] = self.content["points"]
        return records

    @property
    def estimator(self) -> str:
        """`best`, or `request level` where each point is a run."""
        return str(self.content["estimator"])

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """The run of each point. There are none where points are answered by the best estimators."""
        places = [str(record["run"]) for record in self.records if "run" in record]
        return tuple(load(self.path / place if "/" in place else self.path.parent / place) for place in places)

    @property
    def arms(self) -> tuple[str, ...]:
        """Of all points, in the order of the scenario."""
        return tuple(dict.fromkeys(arm for record in self.records for arm in record["arms"]))

    @cached_property
    def table(self) -> "pd.DataFrame":
        """One row per point and arm: every metric with its interval, the estimator of availability, the verdicts.

        It is indexed by the values and the arm. `expected` is the gravest of the verdicts.
        """
        import pandas as pd

        return pd.DataFrame(list(self.rows())).set_index([*self.over, "arm"])

    @cached_property
    def figures(self) -> "pd.DataFrame":
        """One row per point, arm and metric, for curves with bands: the values, `mean`, `low`, `high`, `estimator`.

        `low` and `high` are the ends of the 95 % interval, NaN where there is none.
        """
        import pandas as pd

        columns = [*self.over, "arm", "metric", "mean", "low", "high", "estimator"]
        rows = [
            (*record["values"].values(), arm, metric, *(figure[name] for name in columns[-4:]))
            for record in self.records
            for arm, figures in record["arms"].items()
            for metric, figure in _metrics(figures)
        ]
        frame = pd.DataFrame(rows, columns=columns)
        return frame.astype({"mean": float, "low": float, "high": float})

    def rows(self) -> Iterator[dict[str, Any]]:
        """Of `table`, with the values and the arm."""
        expectations = list(dict.fromkeys(_name(each) for record in self.records for each in verdicts_of(record)))
        for record in self.records:
            verdicts = verdicts_of(record)
            for arm, figures in record["arms"].items():
                row: dict[str, Any] = dict(record["values"]) | {"arm": arm}
                for metric, figure in _metrics(figures):
                    row |= {metric: figure["mean"], f"{metric}_low": figure["low"], f"{metric}_high": figure["high"]}
                row |= {name: row.get(name) if exact is None else exact for name, exact in figures["joint"].items()}
                if "availability" in figures:
                    row["availability_estimator"] = figures["availability"]["estimator"]
                row |= {f"availability_{name}": many for name, many in figures.get("drawn", {}).items()}
                if expectations:
                    of_arm = {_name(each): each.result for each in verdicts if each.arm == arm}
                    row["expected"] = gravest(of_arm.values())
                    row |= {f"expect {name}": of_arm.get(name) for name in expectations}
                yield row

    def __repr__(self) -> str:
        return (
            f"<Sweep {self.path}: {len(self.points)} points over {', '.join(self.over)}; arms {', '.join(self.arms)}>"
        )


def load_sweep(path: str | Path) -> Sweep:
    """The sweep in a directory that `des sweep` wrote. Raises DesError, naming the file, where there is none."""
    place = place_of(path)
    try:
        content = json_object(place / RECORD)
    except OSError as error:
        raise DesError(f"{place / RECORD}: {reason_of(error)}; name the directory of a sweep") from None
    if not content.get("points") or not {"over", "estimator"} <= set(content):
        raise DesError(f"{place / RECORD}: is not the record of a sweep")
    return Sweep(place, content)


def write_record(directory: Path, content: Mapping[str, Any]) -> None:
    """`sweep.json` and `sweep.csv`."""
    (directory / RECORD).write_text(json_text(content), encoding="utf-8")
    Sweep(directory, content).table.to_csv(directory / TABLE)


def verdicts_of(record: Mapping[str, Any]) -> tuple[Verdict, ...]:
    """The verdicts at a point, with the figures judged."""
    return tuple(
        Verdict(
            arm=each["arm"],
            metric=each["metric"],
            expected=each["expected"],
            figure=_judged(record, each) if "mean" in each else None,
            result=each["result"],
            reason=each.get("reason", ""),
        )
        for each in record.get("expectations", ())
    )


def gravest(results: Iterator[str] | Sequence[str] | Any) -> str:
    """The gravest of several verdicts; empty where there is none."""
    found = set(results)
    return next((result for result in _GRAVEST if result in found), "")


def words_of(values: Mapping[str, str]) -> str:
    """`policy.rounds=1, shared=0.5`: a point in messages."""
    return ", ".join(f"{path}={value}" for path, value in values.items())


def _judged(record: Mapping[str, Any], verdict: Mapping[str, Any]) -> Mapping[str, Any]:
    """The whole figure, where it is one of the point's: some have more than an interval."""
    found: Mapping[str, Any] | None = record["arms"].get(verdict["arm"], {}).get(verdict["metric"])
    return found if found is not None else {name: verdict[name] for name in ("mean", "low", "high")}


def _metrics(figures: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    return ((metric, figure) for metric, figure in figures.items() if "mean" in figure)


def _name(verdict: Verdict) -> str:
    """`availability >= 99.9%`"""
    return f"{verdict.metric} {verdict.expected}"
