"""What a search found, as data: the best candidate, the rule beside it, the front, and the files it is written to."""

import math
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from des.estimate.estimate import Estimate, as_json
from des.estimate.selection import CONFIDENCE, FIRST
from des.frames import Charted
from des.scenario import Loaded
from des.scenario.checks.aims import OPTIMISABLE
from des.study.identity import file_digest, json_text, package_version, source_digest
from des.study.optimising.aim import Aim, Bound
from des.study.optimising.reasons import Rule
from des.study.optimising.screening import SAMPLES, Figures
from des.study.optimising.searching import Screened, ascending
from des.study.optimising.selecting import Selected, as_written, estimate_of
from des.study.optimising.space import Candidate, Space
from des.study.sweep_ranges import Axis

if TYPE_CHECKING:
    import pandas as pd

OPTIMISED: Final = "optimise.json"
CANDIDATES: Final = "candidates.csv"
MANIFEST: Final = "manifest.json"
SCREEN: Final = "screen"
"""The estimator of figures of candidates that were only ranked."""
COST: Final = "cost_usd_per_success"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One candidate with its figures by metric: simulated ones with intervals, else those of the screen."""

    label: str
    chain: tuple[str, ...]
    values: Mapping[str, str]
    figures: Mapping[str, Estimate]
    aimed: Estimate
    simulated: bool
    misses: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "chain": list(self.chain),
            "values": dict(self.values),
            "simulated": self.simulated,
            "misses": list(self.misses),
            "aim": as_json(self.aimed),
            "figures": as_json(self.figures),
        }


@dataclass(frozen=True, eq=False, kw_only=True)
class Optimised(Charted):
    """The answer of a search. `des.report.optimise_tables.optimised_text` prints it like the command.

    `best` is None where no candidate keeps the bounds; `nearest` then misses them by the least. `rule` has the entries
    in ascending cost per success, None where the chain does not vary. `front` are the candidates than which no other is
    both cheaper and more available, the cheapest first.
    """

    loaded: Loaded
    space: Space
    aim: Aim
    screened: Screened
    selected: Selected
    rule_beside: Rule | None
    rule_candidate: Candidate | None
    remarks: tuple[str, ...]
    wall_s: float

    @property
    def best(self) -> Choice | None:
        return None if self.selected.best is None else self.choice(self.selected.best)

    @property
    def nearest(self) -> Choice | None:
        """Where nothing keeps the bounds."""
        return None if self.nearest_candidate is None else self.choice(self.nearest_candidate)

    @property
    def nearest_candidate(self) -> Candidate | None:
        if self.selected.best is not None:
            return None
        of = {candidate: self.selected.mean(candidate) for candidate in self.selected.figures}
        return min(of, key=lambda each: (self.aim.excess(of[each]), each))

    @property
    def rule(self) -> Choice | None:
        return None if self.rule_candidate is None else self.choice(self.rule_candidate)

    @property
    def written(self) -> Choice | None:
        """The scenario as written, where its plan is one of the candidates."""
        candidate = as_written(self.space)
        return self.choice(candidate) if candidate in self.screened.figures else None

    @property
    def written_is_better(self) -> bool:
        """Whether the scenario as written keeps the bounds and is better than the best, but none of the candidates.

        Better is by more than the indifference, over the replications that both have in common.
        """
        written, best = as_written(self.space), self.selected.best
        if self.space.has(written) or written not in self.selected.figures:
            return False
        of_written = self.selected.mean(written, FIRST)
        if not self.aim.feasible(of_written):
            return False
        if best is None:
            return True
        value = self.aim.of(self.selected.mean(best, FIRST))
        return self.aim.of(of_written) < value - self.aim.indifference * abs(value)

    @property
    def order(self) -> tuple[tuple[str, float], ...]:
        """The entries to choose from in ascending cost per success of each alone, with that cost in USD."""
        return tuple((self.space.names[entry], self.screened.alone[entry][COST]) for entry in ascending(self.screened))

    @cached_property
    def front(self) -> tuple[Choice, ...]:
        """Of those simulated, over the replications that all of them have in common."""
        of = {candidate: self.selected.mean(candidate, FIRST) for candidate in self.selected.figures}
        return tuple(map(self.choice, front_of(of)))

    def choice(self, candidate: Candidate) -> Choice:
        rows = self.selected.figures.get(candidate)
        if rows:
            figures = {metric: self.selected.estimate(candidate, metric) for metric in OPTIMISABLE}
            aimed = estimate_of([self.aim.shown(self.aim.of(row)) for row in rows], self.selected.estimator)
            means = self.selected.mean(candidate)
        else:
            means = self.screened.figures[candidate]
            figures = {metric: _of_screen(means[metric]) for metric in OPTIMISABLE}
            aimed = _of_screen(self.aim.shown(self.aim.of(means)))
        return Choice(
            label=self.space.label(candidate),
            chain=self.space.chain(candidate),
            values=self.space.setting(candidate.setting),
            figures=figures,
            aimed=aimed,
            simulated=bool(rows),
            misses=tuple(bound.words for bound in self.aim.bounds if not bound.kept(means)),
        )

    @cached_property
    def table(self) -> "pd.DataFrame":
        """One row per screened candidate: chain, values, figures of the screen, and simulated means of finalists."""
        import pandas as pd

        front = {choice.label for choice in self.front}
        rows = []
        for candidate, figures in self.screened.figures.items():
            label = self.space.label(candidate)
            chain = {"chain": " > ".join(self.space.chain(candidate))}
            row: dict[str, Any] = self.space.setting(candidate.setting) | chain | dict(figures)
            row["excess"] = self.aim.excess(figures)
            row["on_front"] = label in front
            row["replications"] = len(self.selected.figures.get(candidate, ()))
            if candidate in self.selected.figures:
                row |= {f"simulated_{metric}": value for metric, value in self.selected.mean(candidate).items()}
            rows.append(row)
        return pd.DataFrame(rows)

    def as_json(self) -> dict[str, Any]:
        """What optimise.json holds: nothing that differs between two searches by time or machine."""
        selected, screened = self.selected, self.screened
        return {
            "title": self.loaded.scenario.title,
            "seed": self.loaded.scenario.seed,
            "aim": {
                "metric": self.aim.metric,
                "direction": "maximise" if self.aim.maximised else "minimise",
                "subject_to": [_as_json(bound) for bound in self.aim.bounds],
                "indifference": self.aim.indifference,
                "tolerance": self.aim.tolerance,
            },
            "space": {
                "entries": [self.space.names[entry] for entry in self.space.pool],
                "over": [] if self.space.grid is None else [axis_as_json(axis) for axis in self.space.grid.axes],
                "candidates": screened.space if math.isfinite(screened.space) else None,
                "screened": len(screened.figures),
                "complete": screened.complete,
                "beam": screened.width or None,
                "refused": len(screened.refused),
            },
            "screen": {"samples": SAMPLES, "leaves_out": list(selected.why_simulated)},
            "selection": {
                "finalists": [self.choice(each).as_json() for each in selected.finalists if each in selected.figures],
                "within_reach": selected.within_reach,
                "estimator": selected.estimator,
                "replications": selected.replications,
                "decided": selected.decided,
                "confidence": CONFIDENCE,
            },
            "best": None if self.best is None else self.best.as_json(),
            "nearest": None if self.nearest is None else self.nearest.as_json(),
            "rule": None
            if self.rule is None
            else self.rule.as_json()
            | {"order": [[name, _finite(cost)] for name, cost in self.order]}
            | ({} if self.rule_beside is None else self.rule_beside.as_json()),
            "front": [choice.as_json() for choice in self.front],
        } | {
            name: value
            for name, value in (("written_is_better", self.written_is_better), ("remarks", list(self.remarks)))
            if value
        }

    def __repr__(self) -> str:
        best = "nothing keeps the bounds" if self.best is None else self.best.label
        return f"<Optimised {self.loaded.scenario.title or self.loaded.path!r}: {best}>"


def front_of(figures: Mapping[Candidate, Figures]) -> list[Candidate]:
    """Those than which no other is both cheaper by success and more available, the cheapest first."""
    cheapest = sorted(figures, key=lambda each: (figures[each][COST], figures[each]["failure_share"], each))
    found, least = [], math.inf
    for candidate in cheapest:
        if math.isfinite(figures[candidate][COST]) and figures[candidate]["failure_share"] < least:
            least = figures[candidate]["failure_share"]
            found.append(candidate)
    return found


def axis_as_json(axis: Axis) -> dict[str, list[str]]:
    """The values of each path of an axis; those of several paths change together."""
    return {path: list(values) for path, values in zip(axis.paths, axis.values, strict=True)}


def _as_json(bound: Bound) -> dict[str, Any]:
    return {"metric": bound.metric, "comparison": bound.comparison, "value": bound.value, "text": bound.text}


def _of_screen(value: float) -> Estimate:
    return Estimate(_finite(value), n=1, estimator=SCREEN)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def write_optimised(found: Optimised, loaded: Loaded, directory: Path) -> None:
    """optimise.json and candidates.csv, and manifest.json with what may differ between two searches."""
    (directory / OPTIMISED).write_text(json_text(found.as_json()), encoding="utf-8")
    found.table.to_csv(directory / CANDIDATES, index=False)
    manifest = {
        "scenario": loaded.resolved(),
        "files": dict(sorted(loaded.files().items())),
        "optimise_sha256": file_digest(directory / OPTIMISED),
        "candidates_sha256": file_digest(directory / CANDIDATES),
        "version": package_version(),
        "source_sha256": source_digest(),
        "platform": platform.platform(),
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "wall_s": round(found.wall_s, 3),
    }
    (directory / MANIFEST).write_text(json_text(manifest), encoding="utf-8")
