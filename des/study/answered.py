"""The answer to a scenario as data: by arm, what it rests on, and what it comes to.

It is complete by itself: a page or a table needs no scenario beside it. `answer_file.py` writes it and reads it back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from des.digits import nines_of_lost
from des.estimate.binding import Binding
from des.estimate.estimate import Estimate, as_json
from des.frames import Charted
from des.scenario.schema.expectations import OBJECTIVE
from des.scenario.schema.objective import Objective, Value
from des.study.not_seen import NotSeen
from des.study.pictured import Pictured
from des.study.value import Cheapest, Money, Step
from des.study.verdicts import Evidence, Verdict, judged
from des.vocabulary import HEADLINES

if TYPE_CHECKING:
    import pandas as pd

_ONE_LESS: Final = "failure_share"
_MONEY: Final = ("answers", "failing", "total")
_IN_TIME: Final = 1.02
"""Times the time given, up to which an answer is in time."""
Figures = Mapping[str, Estimate | Mapping[str, Estimate]]
"""By the names of summary.json; some have one estimate by leg or cause."""


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
    figures: Figures

    def figure(self, metric: str) -> Estimate | None:
        return one_of(self.figures, metric)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmAnswer:
    """`figures` by the names of summary.json, but `lost_by_cause` as shares of all requests.

    `lost` is 1 - availability with full precision. `objective` is the chance that a month meets it, None with a reason.
    An arm that is `refused` has no figures of requests. What is known then is `all_down`, the share of the time in
    which every leg is down at once, and `between`.
    """

    figures: Figures
    lost: Estimate | None
    all_down: Estimate | None
    objective: Estimate | None
    objective_reason: str
    money: Money | None
    basis: Basis
    not_seen: NotSeen
    horizon_s: float
    refused: str = ""
    between: Between | None = None
    ends: Mapping[str, Sequence[float | None]] = field(default_factory=dict)
    """By metric, the least and the most that a figure can be where incidents were not seen; None has no end."""
    unavailability: Mapping[str, Estimate] = field(default_factory=dict)
    """By endpoint of the chain, the share of the time that it is down; empty where that has no closed form."""
    why_no_causes: str = ""
    """Why `lost_by_cause` is empty though requests are lost."""
    causes_factor: float | None = None
    """What `lost_by_cause` of the simulated requests was multiplied by to add up to `lost`; None where it was not."""

    def figure(self, metric: str) -> Estimate | None:
        """None where there is no such figure."""
        return one_of(self.figures, metric)

    def by_name(self, metric: str) -> Mapping[str, Estimate]:
        """Of a figure by leg or cause; empty where there is none."""
        return by_name(self.figures, metric)


def by_name(figures: Figures, metric: str) -> Mapping[str, Estimate]:
    """The figures by leg or cause; empty where there are none."""
    found = figures.get(metric, {})
    return {} if isinstance(found, Estimate) else found


def one_of(figures: Figures, metric: str) -> Estimate | None:
    """The figure, if it has a value."""
    found = figures.get(metric)
    return found if isinstance(found, Estimate) and found.mean is not None else None


@dataclass(frozen=True, eq=False, kw_only=True)
class Answer(Charted):
    """Every arm's answer. `des.report.answer_tables.answer_text` prints it like the command.

    `scenario` is a name for files. `window` is what a window of the objective is called, empty without one. `same` maps
    an arm to the one simulated for it. `steps` lead from the least to the most available arm, without `hypothetical`
    ones, which share less than is modelled. `rounds` is how many were simulated; `precise` says whether they were
    enough for the precision at which no more would be. `sentence` answers the question. `within_s` is the time that was
    given, None where the number of rounds was. `quick`: the round was one of bounded work. `pictured` is what charts
    show beyond the figures, of the arms that differ; `as_json` leaves it out.
    """

    scenario: str
    title: str
    question: str
    seed: int
    objective: Objective | None
    window: str
    value: Value | None
    arms: Mapping[str, ArmAnswer]
    same: Mapping[str, str]
    steps: tuple[Step, ...]
    cheapest: Cheapest | None
    hypothetical: tuple[str, ...]
    rounds: int
    precise: bool
    expectations: tuple[Verdict, ...]
    remarks: tuple[str, ...]
    wall_s: float
    sentence: str = ""
    within_s: float | None = None
    quick: bool = False
    pictured: Mapping[str, Pictured] = field(default_factory=dict)

    @property
    def overran(self) -> str:
        """That it took longer than it was given, and why; empty otherwise."""
        if self.within_s is None or self.wall_s <= _IN_TIME * self.within_s:
            return ""
        if self.rounds > 1:
            reason = "the last round took longer than those before it let expect"
        elif any(of.basis.segments is not None for of in self.arms.values()):
            reason = "the test of what is remembered and the first round of windows are the least that an answer takes"
        else:
            what = "the first round" if self.rounds else "what is known without rounds"
            reason = f"{what} is the least that an answer takes"
        return f"it took {self.wall_s:,.1f} s, more than the {self.within_s:g} s given: {reason}"

    @cached_property
    def table(self) -> "pd.DataFrame":
        """One row per arm: each figure with the ends of its interval, and USD a year where failing has a price."""
        import pandas as pd

        rows = []
        for arm, of in self.arms.items():
            row: dict[str, Any] = {"arm": arm}
            named = {metric: of.figure(metric) for metric in HEADLINES}
            nines = None if of.lost is None else _nines(of.lost)
            every = {"availability": named.pop("availability"), "nines": nines, **named, "objective": of.objective}
            if self.value is not None:
                every |= {f"{each}_usd_per_year": getattr(of.money, each, None) for each in _MONEY}
            for name, figure in every.items():
                ends = (None, None, None) if figure is None else (figure.mean, figure.low, figure.high)
                row |= dict(zip((name, f"{name}_low", f"{name}_high"), ends, strict=True))
            rows.append(row)
        return pd.DataFrame(rows).set_index("arm")

    def as_json(self) -> dict[str, Any]:
        """What answer.json holds: nothing that differs between two answers of as many rounds."""
        return {
            "scenario": self.scenario,
            "title": self.title,
            "question": self.question,
            "sentence": self.sentence,
            "seed": self.seed,
            "rounds": self.rounds,
            **({"quick": True} if self.quick else {}),
            "precise": self.precise,
            "objective": None if self.objective is None else self.objective.model_dump(mode="json"),
            "window": self.window,
            "value": None if self.value is None else self.value.model_dump(mode="json"),
            "arms": {arm: as_json(of) for arm, of in self.arms.items()},
            "same": dict(self.same),
            "steps": as_json(self.steps),
            "cheapest": as_json(self.cheapest),
            "hypothetical": list(self.hypothetical),
            "expectations": as_json(self.expectations),
            "remarks": list(self.remarks),
        }

    @property
    def _title(self) -> str:
        return self.sentence or repr(self)

    def __repr__(self) -> str:
        return f"<Answer of {self.title or self.scenario!r}: arms {', '.join(self.arms)}>"


def _nines(lost: Estimate) -> Estimate:
    """None where nothing is lost, so that they have no end."""
    mean, high, low = (None if not each else nines_of_lost(each) for each in (lost.mean, lost.low, lost.high))
    return replace(lost, mean=mean, low=low, high=high)


def verdicts_on(expect: Mapping[str, Any] | None, arms: Mapping[str, ArmAnswer]) -> tuple[Verdict, ...]:
    """The verdicts on what the scenario expects. Figures that are not answered here are not judged."""

    def find(arm: str, metric: str) -> Evidence | str:
        of = arms[arm]
        ends = of.ends.get("availability" if metric == _ONE_LESS else metric)
        reason = "" if ends is None else ", ".join(each.words for each in of.not_seen.incidents)
        if metric == _ONE_LESS and ends is not None:
            ends = tuple(None if end is None else 1.0 - end for end in reversed(ends))
        others = {"all_down": of.all_down, _ONE_LESS: of.lost, OBJECTIVE: of.objective}
        found = others.get(metric, of.figures.get(metric))
        if found is None:
            if metric == OBJECTIVE:
                return of.objective_reason
            return of.refused or "des answer has no such figure of it; des run simulates whole replications"
        return Evidence(as_json(found), ends, reason)

    return judged(expect, list(arms), find)
