"""One point of a sweep by the best estimators: read, and answered as `des answer` would, by one process."""

import hashlib
import json
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

from des.errors import Problem, ScenarioError
from des.estimate.estimate import Estimate, as_json
from des.pool import Report, Where
from des.scenario import Loaded, plans
from des.scenario.plan import Plan, remarks_of
from des.study.answer import answered
from des.study.answered import Answer, ArmAnswer
from des.study.arms import same_arms
from des.study.identity import canonical_json
from des.study.long_run import Attempt, LongRun, long_runs
from des.study.options import RunOptions, Source
from des.study.pieces import Pieces
from des.study.rounds import Clock
from des.study.sweep_ranges import Grid
from des.study.sweep_record import LONG_RUN_METRICS
from des.study.verdicts import Evidence, Verdict, judged
from des.vocabulary import CASCADE_METRICS

ROUNDS: Final = 1
_WITHIN_S: Final = 60.0
"""What `des answer` takes by default; the number of rounds is fixed, so it decides nothing but the progress shown."""
KEPT_BYTES: Final = 64_000_000
"""Points that were read are kept up to this many bytes in all; the others are read again."""
_NOT_OF_ARMS: Final = ("arms", "expect", "title", "question", "replications")
"""Fields that no figure of an arm depends on."""


@dataclass(frozen=True, slots=True)
class Asked:
    """`metrics` are those to be shown, all where there are none named; `rounds` are simulated at each point.

    `years` of incidents are drawn where availability takes drawn ones, as of `des availability --years`; by default as
    many as of that command.
    """

    metrics: tuple[str, ...] = ()
    rounds: int = ROUNDS
    years: float | None = None

    @property
    def no_requests(self) -> bool:
        """Whether the metrics can be told without simulated requests, where these do not depend on each other."""
        return bool(self.metrics) and {*self.metrics} <= {*LONG_RUN_METRICS, "k_eff"}

    @property
    def cascades(self) -> bool:
        """Whether figures of cascades are asked for."""
        return any(metric in CASCADE_METRICS for metric in self.metrics)


@dataclass(frozen=True, slots=True)
class Reading:
    """A point of which to find out whether it can be answered, and which files it reads."""

    number: int
    keep: bool = True
    """Whether to hand back what was read."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the first point found of each arm, by the digest of what the arm depends on."""

    long_runs: Mapping[str, LongRun] = field(default_factory=dict)
    answers: Mapping[str, ArmAnswer] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answering:
    """A point to be answered by one process, and kept where points are kept; `packed` if it was read before."""

    number: int
    pieces: Pieces | None
    known: Known | None = None
    packed: bytes = b""


@dataclass(frozen=True, slots=True)
class Read:
    """What was found; `files` maps each file that is read to its checksum, `packed` is what was read."""

    files: Mapping[str, str]
    problems: tuple[Problem, ...] = ()
    packed: bytes = b""


@dataclass(frozen=True, slots=True)
class Answered:
    """The record of a point as JSON, and what other points may take over."""

    text: str
    known: Known


_Found = Read | Answered
_Of = TypeVar("_Of")


@dataclass(frozen=True, slots=True)
class Job:
    """What the processes do with a point: read it, or answer it."""

    source: Source
    points: Grid
    options: RunOptions
    asked: Asked

    def __call__(self, task: Reading | Answering, report: Report | None) -> _Found:
        if isinstance(task, Reading):
            return self._read(task)
        return self._answer(task, 1, report)

    def loaded(self, number: int) -> Loaded:
        """The scenario at a point. Raises ScenarioError."""
        assignments = [f"{path}={value}" for path, value in self.points.at(number).items()]
        return replace(self.options, overrides=[*self.options.overrides, *assignments]).load(self.source)

    def answer(self, task: Answering, workers: Where, report: Report | None = None) -> Answered:
        """With as many processes."""
        return self._answer(task, workers, report)

    def _read(self, task: Reading) -> Read:
        try:
            loaded = self.loaded(task.number)
            here = loaded, plans(loaded)
            return Read(loaded.files(), packed=pickle.dumps(here, pickle.HIGHEST_PROTOCOL) if task.keep else b"")
        except ScenarioError as error:
            return Read({}, tuple(error.problems))

    def _answer(self, task: Answering, workers: Where, report: Report | None) -> Answered:
        here = self._here(task)
        given = task.known or Known()
        known = here.known(given, workers, self.asked.years)
        answers: Mapping[str, ArmAnswer] = {}
        if self._needs_no_requests(here.loaded, known):
            record = _long_run_record(here, known)
        else:
            found = self._answered(here, given, known, workers, report)
            answers = {arm: found.arms[arm] for arm in here.plans}
            record = _record(found, known)
        text = json.dumps({"values": self.points.at(task.number)} | record, ensure_ascii=False, allow_nan=False)
        if task.pieces is not None:
            task.pieces.keep_point(task.number, text)
        if task.known is not None:
            return Answered(text, task.known)
        return Answered(text, Known(here.by_digest(known), here.by_digest(answers)))

    def _here(self, task: Answering) -> "_Here":
        if task.packed:
            return _Here.of(*pickle.loads(task.packed))
        loaded = self.loaded(task.number)
        return _Here.of(loaded, plans(loaded))

    def _answered(
        self, here: "_Here", given: Known, known: Mapping[str, LongRun], workers: Where, report: Report | None
    ) -> Answer:
        return answered(
            here.loaded,
            Clock(_WITHIN_S, self.asked.rounds),
            workers=workers,
            progress=None if report is None else lambda share, what: report(min(0.99, share)),
            known=known,
            replicated_before=here.by_arm(given.answers),
            cascades=self.asked.cascades,
        )

    def _needs_no_requests(self, loaded: Loaded, known: Mapping[str, LongRun]) -> bool:
        """Whether all that is asked and expected is known without simulated requests."""
        expected = {each.metric for each in loaded.expectations()}
        is_known = all(of.lost is not None for of in known.values())
        return self.asked.no_requests and expected <= {*LONG_RUN_METRICS} and is_known


@dataclass(frozen=True, slots=True)
class _Here:
    """The scenario at a point: the `plans` of its arms, but of those that are the `same` as another.

    `digests` are of all that the figures of an arm depend on: the scenario with the arm applied, and its files.
    """

    loaded: Loaded
    every: Mapping[str, Plan]
    same: Mapping[str, str]
    digests: Mapping[str, str]

    @classmethod
    def of(cls, loaded: Loaded, every: Mapping[str, Plan]) -> "_Here":
        return cls(loaded, every, same_arms(every), _digests(loaded))

    @property
    def plans(self) -> dict[str, Plan]:
        return {arm: plan for arm, plan in self.every.items() if arm not in self.same}

    def known(self, given: Known, workers: Where, years: float | None) -> dict[str, LongRun]:
        """The long run of each of the `plans`, those that are given or new ones."""
        known = self.by_arm(given.long_runs)
        missing = {arm: plan for arm, plan in self.plans.items() if arm not in known}
        return known | long_runs(missing, workers, Attempt(years, as_asked=True))

    def by_arm(self, of_digests: Mapping[str, _Of]) -> dict[str, _Of]:
        """What is known of these arms, but for those that are the same as another."""
        return {arm: of_digests[self.digests[arm]] for arm in self.plans if self.digests[arm] in of_digests}

    def by_digest(self, of_arms: Mapping[str, _Of]) -> dict[str, _Of]:
        return {self.digests[arm]: of for arm, of in of_arms.items()}


def _digests(loaded: Loaded) -> dict[str, str]:
    files = canonical_json(loaded.files())
    found = {}
    for arm, of in loaded.arms.items():
        content = {name: value for name, value in of.overlay.content.items() if name not in _NOT_OF_ARMS}
        found[arm] = hashlib.sha256(f"{canonical_json(content)}{files}".encode()).hexdigest()
    return found


def _record(found: Answer, known: Mapping[str, LongRun]) -> dict[str, Any]:
    """What sweep.json holds of an answered point, without its values."""
    arms = {
        arm: {"joint": _joint(known[found.same.get(arm, arm)])}
        | _drawn(of.basis.years, of.basis.samples)
        | as_json(_figures(of))
        for arm, of in found.arms.items()
    }
    not_seen = {arm: as_json(of.not_seen.incidents) for arm, of in found.arms.items() if of.not_seen.incidents}
    refused = {arm: of.refused for arm, of in found.arms.items() if of.refused}
    many = {of.basis.replications for of in found.arms.values() if of.basis.replications is not None}
    told = {"not_seen": not_seen, "refused": refused, "expectations": as_json(found.expectations)}
    return (
        {"replications": max(many, default=None), "arms": arms}
        | {name: of for name, of in told.items() if of}
        | ({"remarks": list(found.remarks)} if found.remarks else {})
    )


def _figures(of: ArmAnswer) -> dict[str, Estimate]:
    """By metric, those that are numbers with an interval."""
    found = {metric: figure for metric, figure in of.figures.items() if isinstance(figure, Estimate)}
    more = {"failure_share": of.lost, "all_down": of.all_down, "objective": of.objective}
    more["total_cost_usd_per_year"] = None if of.money is None else of.money.total
    return found | {metric: figure for metric, figure in more.items() if figure is not None}


def _long_run_record(here: _Here, known: Mapping[str, LongRun]) -> dict[str, Any]:
    """Of a point at which no requests are simulated."""
    every = here.every
    of_all = {arm: known[here.same.get(arm, arm)] for arm in every}
    figures: dict[str, dict[str, Estimate]] = {}
    for arm, of in of_all.items():
        assert of.lost is not None
        figures[arm] = {"availability": of.lost.complement(), "failure_share": of.lost}
        figures[arm] |= {} if of.all_down is None else {"all_down": of.all_down}

    def find(arm: str, metric: str) -> Evidence | str:
        figure = figures[arm].get(metric)
        return "it has no long-run figure without simulated requests" if figure is None else Evidence(figure.as_json())

    verdicts: tuple[Verdict, ...] = judged(here.loaded.resolved().get("expect"), list(every), find)
    remarks = remarks_of(every)
    arms = {
        arm: {"joint": _joint(of)} | _drawn(of.years, of.samples) | as_json(figures[arm]) for arm, of in of_all.items()
    }
    return (
        {"replications": None, "arms": arms}
        | ({"expectations": as_json(verdicts)} if verdicts else {})
        | ({"remarks": list(remarks)} if remarks else {})
    )


def _drawn(years: float | None, samples: int | None) -> dict[str, Any]:
    """From what the availability is estimated, where it is not exact."""
    if years is None and samples is None:
        return {}
    return {"drawn": {"years": years, "samples": samples}}


def _joint(of: LongRun) -> dict[str, float | None]:
    closed = of.choice.exact
    return {"all_down": None if closed is None else closed.all_down, "k_eff": None if closed is None else closed.k_eff}


def each_once(problems: Sequence[Problem]) -> list[Problem]:
    """The problems of all points, of which those with the same words are one, at the first of these points."""
    alike: dict[tuple[object, ...], list[Problem]] = {}
    for problem in dict.fromkeys(problems):
        place = "" if problem.file.startswith("--set ") else problem.file
        alike.setdefault((place, problem.path, problem.message, problem.line, problem.column), []).append(problem)
    return [
        replace(first, message=f"{first.message} (and at {len(others)} more points)") if others else first
        for first, *others in alike.values()
    ]
