"""The answer to a scenario as data: by arm, what it rests on, and the files it is written to."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from des.estimate.binding import Binding
from des.estimate.estimate import Estimate, as_json
from des.scenario import Loaded
from des.study.identity import file_digest, json_text, package_version, source_digest
from des.study.not_seen import NotSeen
from des.study.value import Money, Step
from des.study.verdicts import Evidence, Verdict, judged

if TYPE_CHECKING:
    import pandas as pd

ANSWER: Final = "answer.json"
MANIFEST: Final = "manifest.json"
_ONE_LESS: Final = "failure_share"
_COLUMNS: Final = (
    "availability",
    "cost_usd_per_request",
    "cost_usd_per_success",
    "latency_s_mean",
    "latency_s_p50",
    "latency_s_p95",
    "latency_s_p99",
    "fallback_share",
    "attempts_per_request",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What an arm's figures rest on.

    `availability` and `requests` name the estimators; `reason` says why the first was chosen. `years` of incidents, or
    `samples` of arrivals, stand behind the availability, without `limits_left_out`, which never matter. `simulated`
    counts requests, `segments` the windows they were simulated in, out of `window_years` of incidents, each after
    `memory_s`, as long as `remembers` remembers.
    """

    availability: str
    requests: str
    reason: str
    years: float | None = None
    samples: int | None = None
    limits_left_out: tuple[Binding, ...] = ()
    simulated: int = 0
    replications: int | None = None
    segments: int | None = None
    window_years: float | None = None
    memory_s: float | None = None
    remembers: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Between:
    """Figures of a short time from the start, `horizon_s` long, of an arm that has no answer."""

    horizon_s: float
    requests: int
    figures: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmAnswer:
    """`figures` by the names of summary.json, but `lost_by_cause` as shares of all requests.

    `lost` is 1 - availability with full precision. `objective` is the chance that a month meets it, None with a reason.
    An arm that is `refused` has no figures of requests. What is known then is `all_down`, the share of the time in
    which every leg is down at once, and `between`.
    """

    figures: Mapping[str, Any]
    lost: Estimate | None
    all_down: Estimate | None
    objective: Estimate | None
    objective_reason: str
    money: Money | None
    basis: Basis
    not_seen: NotSeen
    refused: str = ""
    between: Between | None = None
    ends: Mapping[str, Sequence[float | None]] = field(default_factory=dict)
    """By metric, the least and the most that a figure can be where incidents were not seen; None has no end."""

    def figure(self, metric: str) -> Estimate | None:
        """None where there is no such figure."""
        found = self.figures.get(metric)
        return found if isinstance(found, Estimate) and found.mean is not None else None


@dataclass(frozen=True, eq=False, kw_only=True)
class Answer:
    """Every arm's answer. `des.report.answer_tables.answer_text` prints it like the command.

    `same` maps an arm to the one simulated for it. `steps` lead from the least to the most available arm, without
    `hypothetical` ones, which share less than is modelled. `rounds` is how many were simulated; `precise` says whether
    they were enough for the precision at which no more would be.
    """

    loaded: Loaded
    arms: Mapping[str, ArmAnswer]
    same: Mapping[str, str]
    steps: tuple[Step, ...]
    hypothetical: tuple[str, ...]
    rounds: int
    precise: bool
    expectations: tuple[Verdict, ...]
    remarks: tuple[str, ...]
    wall_s: float

    @cached_property
    def table(self) -> "pd.DataFrame":
        """One row per arm: each figure with the ends of its interval."""
        import pandas as pd

        rows = []
        for arm, of in self.arms.items():
            row: dict[str, Any] = {"arm": arm}
            named = {metric: of.figure(metric) for metric in _COLUMNS}
            for name, figure in {**named, "objective": of.objective}.items():
                ends = (None, None, None) if figure is None else (figure.mean, figure.low, figure.high)
                row |= dict(zip((name, f"{name}_low", f"{name}_high"), ends, strict=True))
            rows.append(row)
        return pd.DataFrame(rows).set_index("arm")

    def as_json(self) -> dict[str, Any]:
        """What answer.json holds: nothing that differs between two answers of as many rounds."""
        scenario = self.loaded.scenario
        return {
            "title": scenario.title,
            "question": scenario.question,
            "seed": scenario.seed,
            "rounds": self.rounds,
            "precise": self.precise,
            "objective": None if scenario.objective is None else scenario.objective.model_dump(mode="json"),
            "value": None if scenario.value is None else scenario.value.model_dump(mode="json"),
            "arms": {arm: as_json(of) for arm, of in self.arms.items()},
            "same": dict(self.same),
            "steps": as_json(self.steps),
            "hypothetical": list(self.hypothetical),
            "expectations": as_json(self.expectations),
        } | ({"remarks": list(self.remarks)} if self.remarks else {})

    def __repr__(self) -> str:
        return f"<Answer of {self.loaded.scenario.title or self.loaded.path!r}: arms {', '.join(self.arms)}>"


def verdicts_on(expect: Mapping[str, Any] | None, arms: Mapping[str, ArmAnswer]) -> tuple[Verdict, ...]:
    """The verdicts on what the scenario expects. Figures that are not answered here are not judged."""

    def find(arm: str, metric: str) -> Evidence | str:
        of = arms[arm]
        ends = of.ends.get("availability" if metric == _ONE_LESS else metric)
        reason = "" if ends is None else ", ".join(each.words for each in of.not_seen.incidents)
        if metric == _ONE_LESS and ends is not None:
            ends = tuple(None if end is None else 1.0 - end for end in reversed(ends))
        found = {"all_down": of.all_down, _ONE_LESS: of.lost}.get(metric, of.figures.get(metric))
        if found is None:
            return of.refused or "des answer has no such figure of it; des run simulates whole replications"
        return Evidence(as_json(found), ends, reason)

    return judged(expect, list(arms), find)


def write_answer(found: Answer, loaded: Loaded, directory: Path) -> None:
    """answer.json, and beside it manifest.json with what may differ between two answers: time, machine, versions."""
    (directory / ANSWER).write_text(json_text(found.as_json()), encoding="utf-8")
    manifest = {
        "scenario": loaded.resolved(),
        "files": dict(sorted(loaded.files().items())),
        "rounds": found.rounds,
        "answer_sha256": file_digest(directory / ANSWER),
        "version": package_version(),
        "source_sha256": source_digest(),
        "platform": platform.platform(),
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "wall_s": round(found.wall_s, 3),
    }
    (directory / MANIFEST).write_text(json_text(manifest), encoding="utf-8")
