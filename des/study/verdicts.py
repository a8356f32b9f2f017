"""Whether figures are as the scenario expects: one judgement for every command that answers some of them."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from des.estimate.availability import AvailabilityAnswer
from des.estimate.estimate import INCONCLUSIVE, MET, MISSED, Estimate, judge
from des.estimate.unsampled import judge_by_ends
from des.scenario import Loaded
from des.scenario.schema.expectations import OBJECTIVE, read_expectation

NOT_JUDGED: Final = "not judged"
"""The verdict on an expectation of a figure that the command does not have. It is neither met nor missed."""
_ONE_LESS: Final = "failure_share"
_NO_CHANCE: Final = "des answer tells the chance of the objective"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A figure to judge.

    `ends` are the least and the most that it can be, where its interval does not say; None is no end. `reason` says why
    an expectation of it may be inconclusive.
    """

    figure: Mapping[str, Any]
    ends: Sequence[float | None] | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One expectation: its text, the figure found, and whether it is met, missed, inconclusive or not judged.

    `figure` is None where it is not judged. `reason` says why it is not, or why the figure decides nothing.
    """

    arm: str
    metric: str
    expected: str
    figure: Mapping[str, Any] | None
    result: str
    reason: str = ""

    def as_json(self) -> dict[str, Any]:
        figure = {} if self.figure is None else {name: self.figure.get(name) for name in ("mean", "low", "high")}
        reason = {"reason": self.reason} if self.reason else {}
        return {
            "arm": self.arm,
            "metric": self.metric,
            "expected": self.expected,
            "result": self.result,
            **figure,
            **reason,
        }


Find = Callable[[str, str], Evidence | str]
"""(arm, metric) -> the figure to judge, or why this command does not judge it."""


def judged(expect: Mapping[str, Any] | None, arms: Sequence[str], find: Find) -> tuple[Verdict, ...]:
    """The verdict on each expectation, in the order of the scenario.

    `expect` is what the scenario says: by metric or arm.metric, one comparison or several.
    """
    found = []
    for name, texts in (expect or {}).items():
        for text in [texts] if isinstance(texts, str) else texts:
            expectation = read_expectation(name, text, tuple(arms))
            of = find(expectation.arm, expectation.metric)
            arm, metric, expected = expectation.arm, expectation.metric, text.strip()
            if isinstance(of, str):
                found.append(Verdict(arm, metric, expected, None, NOT_JUDGED, of))
                continue
            result = _result(expectation.comparison, expectation.value, of)
            found.append(Verdict(arm, metric, expected, of.figure, result, of.reason if result == INCONCLUSIVE else ""))
    return tuple(found)


def of_run(expect: Mapping[str, Any] | None, arms: Sequence[str], summary: Mapping[str, Any]) -> tuple[Verdict, ...]:
    """What a run, or a comparison, says of the expectations. With one replication the point estimate decides.

    Where the run has met too few of the incidents to be expected, so must the figure with them.
    """

    def find(arm: str, metric: str) -> Evidence | str:
        if metric == OBJECTIVE:
            return _NO_CHANCE
        if metric == "all_down":
            joint = summary.get("comparison", {}).get("joint", {})
            if arm not in joint:
                return "des run has no long-run figure of it; des compare and des availability have"
            return Evidence(joint[arm]["all_down"])
        unseen = summary.get("unseen", {}).get(arm, {})
        asked = "availability" if metric == _ONE_LESS else metric
        ends = unseen.get("ends", {}).get(asked)
        evidence = Evidence(summary["arms"][arm][asked], ends, unseen.get("words", "") if ends else "")
        return _complement(evidence) if metric == _ONE_LESS else evidence

    return judged(expect, arms, find)


def of_availability(
    expect: Mapping[str, Any] | None,
    arms: Sequence[str],
    answers: Mapping[str, AvailabilityAnswer],
    left_out: Mapping[str, str],
) -> tuple[Verdict, ...]:
    """What `des availability` says of them. It has no figure of cost, latency or cascades."""

    def find(arm: str, metric: str) -> Evidence | str:
        if arm not in answers:
            return left_out.get(arm, "the arm is not answered")
        if metric == OBJECTIVE:
            return _NO_CHANCE
        answer = answers[arm]
        figures = {"availability": answer.availability, _ONE_LESS: answer.lost, "all_down": answer.all_down}
        if metric not in figures:
            return "des availability simulates no requests; des answer, des run and des compare do"
        figure = figures[metric]
        if figure is None:
            return f"only simulated requests tell it: {answer.choice.reason}"
        return Evidence(figure.as_json())

    return judged(expect, arms, find)


def of_other_arms(whole: Loaded, chosen: Collection[str]) -> tuple[Verdict, ...]:
    """What a scenario expects of arms that were not chosen is not judged, and not passed over in silence."""
    arms = tuple(whole.arms)
    why = "the arm is not among those chosen"
    return tuple(
        Verdict(of.arm, of.metric, text.strip(), None, NOT_JUDGED, why)
        for name, texts in (whole.resolved().get("expect") or {}).items()
        for text in ([texts] if isinstance(texts, str) else texts)
        if (of := read_expectation(name, text, arms)).arm not in chosen
    )


def amiss(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Those that are not met, for whatever reason."""
    return [verdict for verdict in verdicts if verdict.result != MET]


def worst(verdicts: Iterable[Verdict]) -> str:
    """`missed` if one is, else `inconclusive` if one is, else `met`."""
    results = {verdict.result for verdict in verdicts}
    return next((result for result in (MISSED, INCONCLUSIVE) if result in results), MET)


def _result(comparison: str, bound: float, evidence: Evidence) -> str:
    if evidence.ends is not None:
        return judge_by_ends(comparison, bound, evidence.ends)
    return judge(comparison, bound, Estimate.from_json(evidence.figure))


def _complement(evidence: Evidence) -> Evidence:
    """Of 1 less the figure."""
    figure, ends = evidence.figure, evidence.ends
    found = Estimate.from_json(figure)
    turned = figure if found.mean is None else found.complement().as_json()
    low, high = (None, None) if ends is None else (None if end is None else 1.0 - end for end in ends)
    return Evidence(turned, None if ends is None else (high, low), evidence.reason)
