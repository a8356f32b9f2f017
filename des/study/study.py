"""A scenario ready to run: its plans, its key, and how its replications are simulated into a directory."""

import hashlib
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from des.estimate.summary import summary
from des.estimate.totals import Metrics
from des.model import simulate
from des.scenario import Loaded, plans
from des.scenario.plan import Plan
from des.study.downtime import Spells, combined, downtime
from des.study.key import canonical_json, run_key
from des.study.manifest import manifest_of
from des.study.recorder import Recorder
from des.traces.writer import WrittenTrace

Progress = Callable[[float, str], None]
"""Told the share of the simulated time of all arms and replications that is done, and what is under way."""


@dataclass(frozen=True, slots=True)
class Study:
    """Arms by name in their order, each a plan, and how often each is replicated."""

    loaded: Loaded
    plans: Mapping[str, Plan]
    traces: bool

    @classmethod
    def of(cls, loaded: Loaded, *, traces: bool) -> "Study":
        """Raises ScenarioError with every problem of every arm."""
        return cls(loaded, plans(loaded), traces)

    @property
    def replications(self) -> int:
        return self.loaded.scenario.replications

    @property
    def name(self) -> str:
        """The file's name without its suffix, in letters that any file system takes."""
        path = self.loaded.path
        text = Path(path).stem if path is not None else self.loaded.scenario.title
        return re.sub(r"[^A-Za-z0-9_.-]+", "_", text).strip("._-")[:80] or "scenario"

    def key(self) -> str:
        return run_key(
            resolved=self.loaded.resolved(),
            seed=self.loaded.scenario.seed,
            replications=self.replications,
            arms=list(self.plans),
            traces=self.traces,
            files=self.loaded.files(),
        )

    def write(self, directory: Path, progress: Progress | None = None) -> None:
        """Simulate everything; raises RunError where a replication breaks a conservation law."""
        started = time.perf_counter()
        written: list[WrittenTrace] = []
        metrics: dict[str, list[Metrics]] = {arm: [] for arm in self.plans}
        spells: dict[str, list[Spells]] = {arm: [] for arm in self.plans}
        for number, (arm, replication) in enumerate(self._parts()):
            plan = self.plans[arm]
            told = self._progress_of_part(number, arm, replication, progress)
            figures, files = self._replicate(plan, replication, directory, told)
            metrics[arm].append(figures)
            spells[arm].append(downtime(plan, replication))
            written.extend(files)
        if progress is not None:
            progress(1.0, "writing")
        summary_text = json_text(summary(metrics) | _by_group({arm: combined(spells[arm]) for arm in spells}))
        (directory / "summary.json").write_text(summary_text, encoding="utf-8")
        manifest = manifest_of(
            name=self.name,
            key=self.key(),
            resolved=self.loaded.resolved(),
            seed=self.loaded.scenario.seed,
            replications=self.replications,
            arms=list(self.plans),
            traces=self.traces,
            written=written,
            summary_sha256=hashlib.sha256(summary_text.encode()).hexdigest(),
            files=self.loaded.files(),
            wall_s=time.perf_counter() - started,
        )
        (directory / "manifest.json").write_text(json_text(manifest), encoding="utf-8")

    def _parts(self) -> list[tuple[str, int]]:
        return [(arm, replication) for arm in self.plans for replication in range(self.replications)]

    def _replicate(
        self, plan: Plan, replication: int, directory: Path, told: Callable[[float], None] | None
    ) -> tuple[Metrics, list[WrittenTrace]]:
        recorder = Recorder(
            plan,
            replication,
            directory=directory if self.traces else None,
            arms=list(self.plans),
            scenario=canonical_json(self.loaded.resolved()),
        )
        try:
            return recorder.close(simulate(plan, replication, recorder, told))
        except BaseException:
            recorder.abort()
            raise

    def _progress_of_part(
        self, number: int, arm: str, replication: int, progress: Progress | None
    ) -> Callable[[float], None] | None:
        if progress is None:
            return None
        parts = self._parts()
        lengths_s = [self.plans[name].horizon_s for name, _ in parts]
        before_s, whole_s = sum(lengths_s[:number]), sum(lengths_s)
        what = f"{arm} {replication + 1}/{self.replications}" if self.replications > 1 else arm

        def told(now_s: float) -> None:
            progress((before_s + min(now_s, lengths_s[number])) / whole_s, what)

        told(0.0)
        return told


def json_text(value: Mapping[str, Any]) -> str:
    """Indented JSON that ends in a line break; NaN and infinity, which JSON has not, are refused."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _by_group(arms: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    groups = next(iter(arms.values()))
    return {group: {arm: figures[group] for arm, figures in arms.items()} for group in groups}
