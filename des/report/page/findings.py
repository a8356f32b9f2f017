"""What a page says of a result, whatever made it: a run, a comparison, an answer or a sweep read from its directory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from des.errors import DesError
from des.estimate.estimate import Estimate
from des.report.lines import horizon_s
from des.report.marks import Marks, marks_of_comparison
from des.scenario.text.units import read_timestamp
from des.single_files import json_object
from des.study.answer_file import ANSWER, load_pictured
from des.study.pictured import Pictured
from des.study.run import RESULTS
from des.study.store import SWEEP
from des.study.store import results as stored_results
from des.study.verdicts import Verdict, of_run
from des.traces import Run, load
from des.words import did_you_mean

MANIFEST: Final = "manifest.json"
SEARCH: Final = "optimise.json"
"""What a search over chains and settings found."""
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """A result as pages show it.

    `metrics` are those of summary.json, by arm. `lost` is the share of requests lost in the long run, where that is
    known better than from the simulated requests. `answer`, `summary`, `sweep` and `search` hold the file of
    that kind, or nothing. `pictured` is what an answer keeps for its charts, `run` has the traces.
    """

    path: Path
    manifest: Json
    title: str
    question: str
    metrics: Mapping[str, Json]
    lost: Mapping[str, Estimate]
    verdicts: tuple[Verdict, ...]
    remarks: tuple[str, ...]
    same: Mapping[str, str] = field(default_factory=dict)
    summary: Json = field(default_factory=dict)
    answer: Json = field(default_factory=dict)
    sweep: Json = field(default_factory=dict)
    search: Json = field(default_factory=dict)
    pictured: Mapping[str, Pictured] = field(default_factory=dict)
    run: Run | None = None

    @property
    def arms(self) -> list[str]:
        """Those that differ: an arm that is the same as another is not shown twice."""
        return [arm for arm in self.metrics if arm not in self.same]

    @property
    def scenario(self) -> Json:
        found: Json = self.manifest.get("scenario") or {}
        return found

    @property
    def start(self) -> datetime | None:
        """Of the calendar, in UTC; None where the scenario has none."""
        text = self.scenario.get("start")
        if not text:
            return None
        return read_timestamp(text)

    def horizon_s(self, arm: str) -> float:
        """An arm may have its own."""
        if told := self.answer.get("arms", {}).get(arm, {}).get("horizon_s"):
            return float(told)
        return horizon_s(self.scenario, arm)

    @property
    def marks(self) -> Marks:
        """Those that the terminal has beside the names of arms: of an answer and of a comparison."""
        if "comparison" in self.summary:
            return marks_of_comparison(self.summary, self.arms)
        if not self.answer:
            return Marks()
        chosen = [arm for arm in self.arms if arm not in self.answer.get("hypothetical", ())]
        cost = {arm: self.figure(arm, "cost_usd_per_request") for arm in chosen}
        return Marks.of_answer(self.cheapest, {arm: self.lost.get(arm) for arm in chosen}, cost)

    @property
    def cheapest(self) -> list[str]:
        """The arm with the least total cost, and those of which it is not resolved whether they cost less.

        Empty where failing has no price.
        """
        found = self.answer.get("cheapest")
        return [found["arm"], *found["rivals"]] if found else []

    def figure(self, arm: str, metric: str) -> Estimate | None:
        """None where it has no value."""
        found = self.metrics[arm].get(metric)
        if not isinstance(found, Mapping) or found.get("mean") is None:
            return None
        return Estimate.from_json(found)

    def by_name(self, arm: str, metric: str) -> dict[str, Estimate]:
        """A metric that has one figure by leg or cause."""
        found = self.metrics[arm].get(metric) or {}
        return {name: Estimate.from_json(each) for name, each in found.items() if each.get("mean") is not None}

    def availability(self, arm: str) -> Estimate | None:
        """In the long run where that is known."""
        return self.lost[arm].complement() if arm in self.lost else self.figure(arm, "availability")

    def lost_share(self, arm: str) -> Estimate | None:
        """The share of requests lost."""
        if arm in self.lost:
            return self.lost[arm]
        availability = self.figure(arm, "availability")
        return None if availability is None else availability.complement()


def read_result(place: str | Path) -> Findings:
    """The result in a directory, or of that name in `results/`: a run, a comparison, an answer, a sweep or a search.

    Raises DesError where there is none.
    """
    path = _directory(Path(place))
    if (path / ANSWER).is_file():
        return _of_answer(path)
    if (path / SWEEP[0]).is_file():
        return _of_sweep(path)
    if (path / SEARCH).is_file():
        return _of_search(path)
    return of_run_directory(load(path))


def of_run_directory(run: Run) -> Findings:
    """A run or a comparison."""
    manifest, summary = run.manifest, run.summary
    scenario = manifest.get("scenario") or {}
    metrics = _checked_arms(run.path / "summary.json", summary.get("arms"))
    return Findings(
        path=run.path,
        manifest=manifest,
        title=str(scenario.get("title") or manifest.get("name") or run.path.name),
        question=_one_line(scenario.get("question")),
        metrics=metrics,
        lost=_in_the_long_run(summary),
        verdicts=of_run(scenario.get("expect"), list(metrics), summary),
        remarks=tuple(summary.get("remarks", ())),
        same=(summary.get("comparison") or {}).get("same", {}),
        summary=summary,
        run=run,
    )


def _in_the_long_run(summary: Json) -> dict[str, Estimate]:
    """The share of requests lost, of the arms of which it is known better than from the simulated requests."""
    joint = (summary.get("comparison") or {}).get("joint", {})
    known = {arm: of["failure_share"] for arm, of in joint.items() if of.get("failure_share")}
    found = {arm: Estimate.from_json(of) for arm, of in known.items()}
    for arm, of in summary.get("unseen", {}).items():
        if arm not in found and of.get("long_run"):
            found[arm] = Estimate.from_json(of["long_run"]).complement()
    return {arm: figure for arm, figure in found.items() if figure.mean is not None}


def _of_answer(path: Path) -> Findings:
    return of_answer(path, _json(path / ANSWER), _json(path / MANIFEST), load_pictured(path))


def of_answer(path: Path, answer: Json, manifest: Json, pictured: Mapping[str, Pictured]) -> Findings:
    """Of what answer.json and charts.json hold: the one place that knows how the first is written."""
    arms = _checked_arms(path / ANSWER, answer.get("arms"))
    return Findings(
        path=path,
        manifest=manifest,
        title=str(answer.get("title") or path.name),
        question=_one_line(answer.get("question")),
        metrics={arm: of["figures"] for arm, of in arms.items()},
        lost={arm: Estimate.from_json(of["lost"]) for arm, of in arms.items() if of.get("lost")},
        verdicts=tuple(_verdict(each) for each in answer.get("expectations", ())),
        remarks=tuple(answer.get("remarks", ())),
        same=answer.get("same", {}),
        answer=answer,
        pictured=pictured,
    )


def _of_sweep(path: Path) -> Findings:
    content = _json(path / SWEEP[0])
    points = content.get("points")
    if not isinstance(points, list) or not points or not isinstance(points[0].get("values"), dict):
        raise DesError(f"{path / SWEEP[0]}: has no points; it is not what des sweep writes")
    places = (path, path / str(points[0].get("run") or ""), path.parent / str(points[0].get("run") or ""))
    manifest = next((_json(place / MANIFEST) for place in places if (place / MANIFEST).is_file()), {})
    return of_sweep(path, content, manifest)


def of_sweep(path: Path, content: Json, manifest: Json) -> Findings:
    """Of what sweep.json holds."""
    scenario = manifest.get("scenario") or {}
    return Findings(
        path=path,
        manifest=manifest,
        title=str(content.get("title") or scenario.get("title") or path.name),
        question=_one_line(scenario.get("question")),
        metrics={},
        lost={},
        verdicts=(),
        remarks=(),
        sweep=content,
    )


def _of_search(path: Path) -> Findings:
    content = _json(path / SEARCH)
    if lacking := [part for part in ("aim", "space", "selection", "front") if part not in content]:
        raise DesError(f"{path / SEARCH}: has no {lacking[0]}; it is not what des optimise writes")
    return of_search(path, content, _json(path / MANIFEST) if (path / MANIFEST).is_file() else {})


def of_search(path: Path, content: Json, manifest: Json) -> Findings:
    """Of what optimise.json holds."""
    scenario = manifest.get("scenario") or {}
    return Findings(
        path=path,
        manifest=manifest,
        title=str(content.get("title") or path.name),
        question=_one_line(scenario.get("question")),
        metrics={},
        lost={},
        verdicts=(),
        remarks=tuple(content.get("remarks", ())),
        search=content,
    )


def _directory(path: Path) -> Path:
    if path.is_dir():
        return path
    if not path.exists() and path.name == str(path) and (RESULTS / path).is_dir():
        return RESULTS / path
    if path.is_file():
        raise DesError(f"{path}: is a file; name the directory of a run, an answer or a sweep")
    known = [one.name for one in stored_results()]
    question = did_you_mean(path.name, known) or f"; des results lists what is in {RESULTS}/"
    raise DesError(f"{path}: no such run, answer or sweep{question}")


def _verdict(found: Json) -> Verdict:
    figure = {name: found.get(name) for name in ("mean", "low", "high")} if "mean" in found else None
    return Verdict(found["arm"], found["metric"], found["expected"], figure, found["result"], found.get("reason", ""))


def _checked_arms(file: Path, arms: Any) -> Mapping[str, Json]:
    if not isinstance(arms, dict) or not arms or not all(isinstance(of, dict) for of in arms.values()):
        raise DesError(f"{file}: has no arms; it is not what des writes")
    return arms


def _json(path: Path) -> dict[str, Any]:
    try:
        return json_object(path)
    except FileNotFoundError:
        raise DesError(f"{path}: there is no such file") from None


def _one_line(text: Any) -> str:
    return " ".join(str(text or "").split())


def chosen_arms(findings: Findings, most: int) -> tuple[Sequence[str], Sequence[str]]:
    """The first arms that have room, and the others."""
    return findings.arms[:most], findings.arms[most:]
