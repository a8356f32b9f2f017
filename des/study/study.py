"""A scenario ready to run: its plans, its key, and the simulation of its replications into a directory."""

import hashlib
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from des.compiled import carried, engine_for, is_to_be_compiled, prepare
from des.errors import DesError, OutputError, WriteError
from des.estimate.cascades import Cascade, cascade_estimates
from des.estimate.estimate import as_json
from des.estimate.heterogeneous import Heterogeneous, without_intervals
from des.estimate.summary import Pool, summary
from des.estimate.unsampled import LongRuns, Unsampled, up_with_unseen, with_unseen
from des.pool import Watch, Where, Workers
from des.scenario import Loaded, plans
from des.scenario.plan import Plan, remarks_of
from des.scenario.schema.expectations import default_arm
from des.scenario.schema.traces import read_traces
from des.study.arms import same_arms
from des.study.downtime import Spells, combined, controlled
from des.study.identity import Identity, canonical_json, json_text, manifest_of
from des.study.options import Progress
from des.study.outcome_json import read_outcome
from des.study.pieces import Keeping, Pieces
from des.study.precision import Precision
from des.study.replication import Outcome, Part, Replicator
from des.study.verdicts import of_run
from des.traces.levels import NONE, TraceLevel
from des.traces.reader import MANIFEST, SUMMARY, amiss
from des.traces.writer import WrittenTrace
from des.vocabulary import CASCADE_METRICS

if TYPE_CHECKING:
    from des.estimate.comparison import ComparedArms

_SIMULATED: Final = 0.5
"""Share of the work of a comparison that is simulation; the rest is for long-run figures."""


@dataclass(frozen=True, slots=True)
class Study:
    """Arms in order, each a plan by name, and the number of replications of each.

    With `comparison`, arms are compared with `as_modelled`, or with the first where that is not run. `traces` are the
    rows that are kept.
    """

    loaded: Loaded
    plans: Mapping[str, Plan]
    traces: TraceLevel
    precision: Precision | None = None
    comparison: bool = False

    @classmethod
    def of(
        cls, loaded: Loaded, *, traces: bool | str, precision: Precision | None = None, comparison: bool = False
    ) -> "Study":
        """`traces` are as in RunOptions.

        Raises ScenarioError with every problem of every arm, DesError for a precision of an arm that is not run and for
        an unknown level of traces.
        """
        study = cls(loaded, plans(loaded), trace_level(loaded, traces), precision, comparison)
        if precision is not None:
            precision.check_arms(list(study.plans))
        return study

    @property
    def name(self) -> str:
        """The file's name without its suffix, in characters that any file system accepts."""
        return scenario_name(self.loaded)

    @property
    def identity(self) -> Identity:
        return Identity(
            resolved=self.loaded.resolved(),
            seed=self.loaded.scenario.seed,
            replications=self.loaded.scenario.replications,
            arms=list(self.plans),
            traces=self.traces,
            files=self.loaded.files(),
            precision=None if self.precision is None else self.precision.identity(),
            comparison=self.comparison,
        )

    def write(
        self,
        directory: Path,
        *,
        pieces: Pieces | None = None,
        workers: Where = 1,
        progress: Progress | None = None,
    ) -> None:
        """Simulate everything in up to `workers` processes or elsewhere, but for replications whose `pieces` are there.

        Raises RunError where a conservation rule is broken, and WriteError, naming the file, where another process
        removed or changed what was written.
        """
        started = time.perf_counter()
        simulated = _SIMULATED if self.comparison else 1.0
        found = self._replicate(directory, pieces, workers, _within(progress, 0.0, simulated))
        content = self.content(found, _within(progress, simulated, 1.0))
        if progress is not None:
            progress(1.0, "writing")
        if pieces is not None:
            pieces.hand_over(found.written, directory)
        summary_text = json_text(as_json(content))
        (directory / SUMMARY).write_text(summary_text, encoding="utf-8")
        manifest = manifest_of(
            self.identity,
            name=self.name,
            replications=found.replications,
            written=found.written,
            summary_sha256=hashlib.sha256(summary_text.encode()).hexdigest(),
            wall_s=time.perf_counter() - started,
            engines={arm: engine_for(plan) for arm, plan in self.plans.items()},
        )
        (directory / MANIFEST).write_text(json_text(manifest), encoding="utf-8")
        if lost := amiss(directory, manifest) if pieces is None else pieces.amiss(directory, manifest):
            raise WriteError("; ".join(lost))

    def prepare(self) -> None:
        """Load the engine that will simulate. Raises DesError where the one asked for cannot."""
        prepare(list(self.plans.values()), self._requests)

    @property
    def compiles_first(self) -> bool:
        """Whether `prepare` compiles the engine, which takes about half a minute."""
        return is_to_be_compiled(list(self.plans.values()), self._requests)

    @property
    def _requests(self) -> float:
        """About how many will be simulated."""
        plans = self.plans.values()
        expected = [plan.workload.arrivals.expected_requests(plan.horizon_s) or 0.0 for plan in plans]
        return self.first_replications * sum(expected)

    def content(self, found: "Found", progress: Progress | None = None) -> dict[str, Any]:
        """What summary.json says of all that was found, as estimates."""
        content = found.summary()
        for arm, plan in self.plans.items():
            if arm in content.get("unseen", {}):
                continue  # the control would know of incidents that the figures have not met
            for metric, figure in controlled(plan, found.observed[arm], found.spells[arm]).items():
                content["arms"][arm][metric] = replace(content["arms"][arm][metric], controlled=figure)
        if self.comparison:
            content["comparison"] = self._comparison(found, content.get("unseen", {}), progress)
        if self.precision is not None:
            content["precision"] = self.precision.as_found(found.replications, content)
        if remarks := remarks_of(self.plans):
            content["remarks"] = list(remarks)
        if judged := of_run(self.loaded.resolved().get("expect"), list(self.plans), as_json(content)):
            content["expectations"] = judged
        return content

    def nothing_found(self) -> "Found":
        """Of no replication yet."""
        return Found(
            {arm: Pool() for arm in self.plans},
            {arm: [] for arm in self.plans},
            [],
            {arm: kind for arm, plan in self.plans.items() if (kind := Heterogeneous.of(plan)) is not None},
            same=same_arms(self.plans),
            long_runs=LongRuns(self.plans),
        )

    def _replicate(self, directory: Path, pieces: Pieces | None, workers: Where, progress: Progress | None) -> "Found":
        """As many replications of each arm as asked for, or as the precision takes."""
        found = self.nothing_found()
        wanted = self.first_replications
        simulated = [arm for arm in self.plans if arm not in found.same]
        replicator = Replicator(
            self.plans,
            None if self.traces == NONE else directory,
            canonical_json(self.loaded.resolved()),
            self.asks_for_cascades(),
            found.same,
            level=self.traces,
        )
        self.prepare()
        here = isinstance(workers, int)
        if not here and pieces is None:
            raise OutputError(f"{directory}: another process is at work on this run; wait for it, or stop it")
        keeping = Keeping(
            replicator,
            pieces if here or pieces is None else pieces.elsewhere(),
            returns=here,
            requests=0.0 if here else self._requests,
        )
        with Workers(carried(keeping, self.plans.values()), workers) as pool:
            while (done := found.replications) < wanted:
                parts = [Part(arm, number) for arm in simulated for number in range(done, wanted)]
                known: dict[Part, str] = {}
                if pieces is not None:
                    pieces.begin(self._facts(wanted, len(simulated)))
                    known = {part: text for part in parts if (text := pieces.finished(part, found.alike(part.arm)))}
                missing = [part for part in parts if part not in known]
                watch = None if progress is None else self._watch(parts, missing, done, wanted, progress)
                made = pool.map(missing, watch)
                for part in parts:
                    text = known.pop(part) if part in known else next(made)
                    if not text and pieces is not None:
                        text = pieces.outcome(part)
                    found.add(part, read_outcome(text))
                if self.precision is not None:
                    wanted = self.precision.further(wanted, found.summary())
        return found

    @property
    def first_replications(self) -> int:
        """Of each arm; a precision may take more."""
        asked = self.loaded.scenario.replications
        return asked if self.precision is None else self.precision.first(asked)

    def _facts(self, replications: int, arms: int) -> dict[str, Any]:
        """What `des results` shows of a run under way. `arms` are those simulated."""
        return {
            "name": self.name,
            "title": self.loaded.scenario.title,
            "arms": list(self.plans),
            "seed": self.loaded.scenario.seed,
            "replications": replications,
            "parts": replications * arms,
            "at_least": self.precision is not None,
        }

    def asks_for_cascades(self) -> bool:
        """Whether an expectation or a precision names a figure of cascades."""
        asked = {each.metric for each in self.loaded.expectations()}
        if self.precision is not None:
            asked |= {target.metric for target in self.precision.targets}
        return not asked.isdisjoint(CASCADE_METRICS)

    def _comparison(
        self, found: "Found", unsampled: Mapping[str, Unsampled], progress: Progress | None
    ) -> "ComparedArms":
        from des.estimate.comparison import compare_arms

        baseline = default_arm(tuple(self.plans))
        return compare_arms(self.plans, found.observed, baseline, progress, found.same, unsampled)

    def _watch(
        self, parts: Sequence[Part], missing: Sequence[Part], done: int, wanted: int, progress: Progress
    ) -> Watch:
        """Converts the clock of each missing replication to the share of all simulated time."""
        horizons_s = {part.arm: self.plans[part.arm].horizon_s for part in parts}
        lengths_s = [horizons_s[part.arm] for part in missing]
        whole_s = done * sum(horizons_s.values()) + sum(horizons_s[part.arm] for part in parts)
        before_s = whole_s - sum(lengths_s)
        reached_s = [0.0] * len(missing)

        def watch(number: int, now_s: float) -> None:
            part = missing[number]
            reached_s[number] = min(now_s, lengths_s[number])
            what = f"{part.arm} {part.replication + 1}/{wanted}" if wanted > 1 else part.arm
            progress((before_s + sum(reached_s)) / whole_s, what)

        return watch


@dataclass(frozen=True, slots=True)
class Found:
    """The outcomes so far, by arm.

    Intervals of `heterogeneous` arms are over replications only. `cascades` has no arm where there can be none. `same`
    maps an arm to the one simulated for it.
    """

    observed: Mapping[str, Pool]
    spells: Mapping[str, list[Spells]]
    written: list[WrittenTrace]
    heterogeneous: Mapping[str, Heterogeneous] = field(default_factory=dict)
    cascades: dict[str, list[Cascade]] = field(default_factory=dict)
    same: Mapping[str, str] = field(default_factory=dict)
    long_runs: LongRuns = field(default_factory=lambda: LongRuns({}))

    @property
    def replications(self) -> int:
        """Of every arm."""
        return min(len(pool) for pool in self.observed.values())

    def alike(self, arm: str) -> list[str]:
        """The arms that this one is simulated for besides."""
        return [other for other, simulated in self.same.items() if simulated == arm]

    def add(self, part: Part, outcome: Outcome) -> None:
        for arm in (part.arm, *self.alike(part.arm)):
            self.add_to(arm, outcome)
        self.written.extend(outcome.written)

    def add_to(self, arm: str, outcome: Outcome) -> None:
        """The figures of the next replication of one arm."""
        self.observed[arm].add(outcome.observed)
        self.spells[arm].append(outcome.spells)
        if outcome.cascade is not None:
            self.cascades.setdefault(arm, []).append(outcome.cascade)

    def summary(self) -> dict[str, Any]:
        content = summary(self.observed, self.heterogeneous)
        for arm, cascades in self.cascades.items():
            content["arms"][arm] |= cascade_estimates(cascades)
        for arm, heterogeneous in self.heterogeneous.items():
            if why := heterogeneous.why_no_interval(self.replications):
                content["arms"][arm] = without_intervals(content["arms"][arm], why)
        up = {arm: combined(of, self.heterogeneous.get(arm)) for arm, of in self.spells.items()}
        for arm, plan in self.long_runs.plans.items():
            latency = self.observed[arm].latency
            content["arms"][arm], unsampled = with_unseen(
                plan, content["arms"][arm], latency, self.replications, self.long_runs
            )
            if unsampled is not None:
                content.setdefault("unseen", {})[arm] = unsampled
                up[arm] = up_with_unseen(up[arm], unsampled)
        return content | _by_group(up)


def scenario_name(loaded: Loaded) -> str:
    """The file's name without its suffix, else the title, in characters that any file system accepts."""
    text = loaded.scenario.title if loaded.path is None else Path(loaded.path).stem
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", text).strip("._-")[:80] or "scenario"


def trace_level(loaded: Loaded, asked: bool | str) -> TraceLevel:
    """The rows to keep: those asked for, else those of the scenario. Raises DesError for an unknown level."""
    if asked is False:
        return NONE
    if asked is True:
        return TraceLevel.of(loaded.scenario.traces)
    try:
        return TraceLevel.of(read_traces(asked))
    except ValueError as error:
        raise DesError(f"traces: {error}") from None


def _within(progress: Progress | None, low: float, high: float) -> Progress | None:
    """Progress of a part of the work, which takes it from the share `low` to `high`."""
    return None if progress is None else lambda share, what: progress(low + (high - low) * share, what)


def _by_group(arms: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    groups = next(iter(arms.values()))
    return {group: {arm: figures[group] for arm, figures in arms.items()} for group in groups}
