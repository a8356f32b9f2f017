"""Answers a scenario: each figure by the estimator that knows it best, within the time that there is.

Availability is exact where it has a closed form, else from many years of incidents, where requests do not depend on
each other. Cost, latency and the rest come from simulated requests: whole replications where they are small, windows of
a long run where they are not. What neither covers is refused, and the reason names what remembers.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from des.disk import written_whole
from des.errors import DesError
from des.estimate.estimate import REQUEST_LEVEL, Estimate, Inapplicable
from des.estimate.objective import exact_objective, window_edges, window_words
from des.estimate.unsampled import LongRuns
from des.estimate.windows import ArmWindows, WindowsAnswer, windows
from des.pool import available
from des.scenario import Loaded, plans
from des.scenario.plan import Plan, remarks_of
from des.scenario.schema.objective import Objective, Value
from des.scenario.text.units import DAY_S, YEAR_S, read_positive_duration
from des.single_files import refuse_existing
from des.study.answered import Answer, ArmAnswer, Basis, verdicts_on, write_answer
from des.study.arms import same_arms
from des.study.long_run import LongRun, long_runs
from des.study.not_seen import NotSeen, missed_by_runs, missed_by_windows
from des.study.options import Progress, RunOptions, Source
from des.study.rounds import Clock, Rounds, Simulated, replicated
from des.study.shortened import between_outages
from des.study.value import Money, Step, apart, less, money, narrower, scaled, steps
from des.study.ways import chosen_way
from des.vocabulary import CASCADE_METRICS

WITHIN: Final = "60s"
NOTHING: Final = "none"
"""In place of an estimator."""
_WITHIN_OF_ALL: Final = 0.97
"""Share of the time for simulation; the rest is for what follows."""


def answer(
    scenario: Source,
    *,
    within: float | str = WITHIN,
    rounds: int | None = None,
    arms: Sequence[str] | None = None,
    seed: int | None = None,
    overrides: Sequence[str] = (),
    workers: int | None = None,
    out: str | Path | None = None,
    progress: Progress | None = None,
) -> Answer:
    """Answer a scenario's question: availability, cost, latency and what they rest on, for each arm, in a minute.

    `within` is a duration (`60s`, or seconds) that decides only how many rounds are simulated. `rounds` fixes their
    number; the same number gives the same figures for any number of `workers`, by default one for each processor.
    `arms` names arms, by default all of the scenario's. `out` is a directory that does not exist, for answer.json and
    manifest.json.

    Raises ScenarioError for a scenario that cannot be run, and DesError for options that make no sense. An arm that no
    estimator covers has no figures of requests, and a reason.
    """
    clock = Clock(_seconds(within), _checked_rounds(rounds))
    processes = available() if workers is None else workers
    target = None if out is None else Path(out)
    refuse_existing(target)
    loaded = RunOptions(seed=seed, overrides=tuple(overrides), workers=processes).load(scenario)
    if arms is not None:
        loaded = loaded.with_arms(arms)
    found = answered(loaded, clock, workers=processes, progress=progress)
    if target is not None:
        with written_whole(target) as directory:
            write_answer(found, loaded, directory)
    return found


def answered(
    loaded: Loaded,
    clock: Clock,
    *,
    workers: int = 1,
    progress: Progress | None = None,
    known: Mapping[str, LongRun] | None = None,
    replicated_before: Mapping[str, ArmAnswer] | None = None,
    cascades: bool = False,
) -> Answer:
    """Like `answer`, of a scenario that is loaded.

    `known` are long runs of some arms. `replicated_before` are answers of as many rounds to the same arms of another
    scenario; they are taken over where this one is answered by whole replications, as those were. `cascades` asks for
    the figures of cascades.
    """

    def tell(what: str) -> None:
        if progress is not None:
            progress(min(1.0, clock.spent_s / clock.within_s), what)

    every = plans(loaded)
    same = same_arms(every)
    different = {arm: plan for arm, plan in every.items() if arm not in same}
    tell("incidents")
    drawn = long_runs({arm: plan for arm, plan in different.items() if arm not in (known or {})}, workers)
    long_run = {arm: drawn[arm] if known is None or arm not in known else known[arm] for arm in different}
    scenario = loaded.scenario
    cascades = cascades or any(each.metric in CASCADE_METRICS for each in loaded.expectations())
    work = _Work(
        different,
        long_run,
        scenario.objective,
        scenario.value,
        clock,
        workers,
        tell,
        cascades=cascades,
        before=replicated_before or {},
    )
    found = work.done()
    of_all = {arm: found[same.get(arm, arm)] for arm in every}
    return Answer(
        loaded=loaded,
        arms=of_all,
        same=same,
        steps=work.steps({arm: each for arm, each in found.items() if different[arm].shared >= 1.0}),
        hypothetical=tuple(arm for arm in every if every[arm].shared < 1.0),
        rounds=work.rounds,
        precise=work.precise,
        expectations=verdicts_on(loaded.resolved().get("expect"), of_all),
        remarks=remarks_of(every),
        wall_s=clock.spent_s,
    )


def _seconds(within: float | str) -> float:
    if isinstance(within, str):
        try:
            return read_positive_duration(within)
        except ValueError as error:
            raise DesError(f"--within: {error}") from None
    if not 0.0 < within < float("inf"):
        raise DesError(f"within: a number of seconds above 0, not {within:g}")
    return float(within)


def _checked_rounds(rounds: int | None) -> int | None:
    if rounds is not None and rounds < 1:
        raise DesError(f"--rounds {rounds}: at least 1")
    return rounds


class _Work:
    """The arms of a scenario that differ, and how each of their figures is found."""

    def __init__(
        self,
        plans: Mapping[str, Plan],
        known: Mapping[str, LongRun],
        objective: Objective | None,
        value: Value | None,
        clock: Clock,
        workers: int,
        tell: Callable[[str], None],
        *,
        cascades: bool,
        before: Mapping[str, ArmAnswer],
    ) -> None:
        self._plans = plans
        self._known = known
        self._objective = objective
        self._value = value
        self._clock = clock
        self._workers = workers
        self._tell = tell
        self._cascades = cascades
        self._before = {arm: of for arm, of in before.items() if arm in plans and of.basis.replications is not None}
        self._first = ""
        self._paired: Mapping[str, Mapping[str, Estimate]] = {}
        self._replicated: Rounds | None = None
        self.rounds = 0
        self.precise = True

    def done(self) -> dict[str, ArmAnswer]:
        """Every arm's answer."""
        way = chosen_way(self._plans, [of.choice for of in self._known.values()], self._clock.within_s)
        if way.replications:
            return self._by_replications()
        open_to_windows = {arm: plan for arm, plan in self._plans.items() if arm not in way.why_not_windows}
        found = self._refused(way.why_not_windows)
        if open_to_windows:
            try:
                found |= self._by_windows(open_to_windows)
            except Inapplicable as reason:
                if way.fits:
                    return self._by_replications()
                found |= self._refused(dict.fromkeys(open_to_windows, str(reason)))
        return {arm: found[arm] for arm in self._plans}

    def _by_replications(self) -> dict[str, ArmAnswer]:
        known = [arm for arm, of in self._known.items() if of.lost is not None]
        new = {arm: plan for arm, plan in self._plans.items() if arm not in self._before}
        if not new:
            return dict(self._before)
        made = replicated(
            new,
            self._objective,
            self._clock,
            workers=self._workers,
            known=known,
            cascades=self._cascades,
            progress=lambda: self._tell("requests"),
        )
        self._replicated, self.rounds, self.precise = made, made.rounds, made.reached
        found = {arm: self._replicated_arm(arm, of, made) for arm, of in made.arms.items()}
        return {arm: self._before[arm] if arm in self._before else found[arm] for arm in self._plans}

    def _replicated_arm(self, arm: str, of: Simulated, made: Rounds) -> ArmAnswer:
        known = self._known[arm]
        figures, unsampled = of.claimed(self._long_runs())
        lost = known.lost
        if lost is None and figures["availability"].mean is not None:
            lost = figures["availability"].complement()
        simulated = figures.pop("lost_by_cause")
        requests = figures["requests"].known or 1.0
        figures["lost_by_cause"] = {
            cause: scaled(each, 1.0 / requests) for cause, each in simulated.items() if each.mean
        }
        basis = Basis(
            availability=known.choice.estimator,
            requests=REQUEST_LEVEL,
            reason=known.choice.reason,
            years=known.years,
            samples=known.samples,
            limits_left_out=known.choice.limits_left_out,
            simulated=of.requests,
            replications=made.replications,
        )
        not_seen = NotSeen(
            incidents=() if unsampled is None else tuple(missed_by_runs(each, lost) for each in unsampled.incidents),
            uncalled=of.uncalled,
            between=unsampled is not None and "availability" in unsampled.ends and known.lost is None,
        )
        ends = {} if unsampled is None else dict(unsampled.as_json()["ends"])
        if known.lost is not None:
            ends.pop("availability", None)
        return self._arm(arm, figures, lost, basis, of.objective(), not_seen, ends)

    def _long_runs(self) -> LongRuns:
        known: dict[str, tuple[Estimate | None, str]] = {
            arm: (of.lost.complement(), "") for arm, of in self._known.items() if of.lost is not None
        }
        return LongRuns(self._plans, known)

    def _by_windows(self, plans: Mapping[str, Plan]) -> dict[str, ArmAnswer]:
        objective = self._objective
        asked = None
        if objective is not None:
            per = objective.per
            asked = (objective.availability, per if isinstance(per, str) else f"{per / DAY_S!r}d")
        left_s = max(1.0, self._clock.left_s * _WITHIN_OF_ALL)
        made = windows(
            plans,
            seconds=None if self._clock.rounds is not None else left_s,
            rounds=self._clock.rounds,
            workers=self._workers,
            objective=asked,
            progress=lambda share: self._tell("windows"),
        )
        self.rounds, self._paired, self._first = made.rounds, made.differences, next(iter(plans))
        return {arm: self._arm_of_windows(arm, of, made) for arm, of in made.arms.items()}

    def _arm_of_windows(self, arm: str, of: ArmWindows, made: WindowsAnswer) -> ArmAnswer:
        known = self._known[arm]
        basis = Basis(
            availability=known.choice.estimator if known.lost is not None else made.estimator,
            requests=made.estimator,
            reason=known.choice.reason,
            years=known.years if known.lost is not None else made.years,
            samples=known.samples,
            limits_left_out=known.choice.limits_left_out,
            simulated=of.requests,
            segments=of.segments,
            window_years=made.years,
            memory_s=made.memory_s,
            remembers=made.remembers,
        )
        lost = of.lost if known.lost is None else known.lost
        not_seen = NotSeen(incidents=tuple(missed_by_windows(each, lost) for each in of.unseen), uncalled=of.uncalled)
        return self._arm(arm, dict(of.figures), lost, basis, of.objective, not_seen)

    def _refused(self, reasons: Mapping[str, str]) -> dict[str, ArmAnswer]:
        """What is known without requests, and what a short time between outages shows; by arm, with why."""
        if not reasons:
            return {}
        self.precise = False
        short = between_outages({arm: self._plans[arm] for arm in reasons}, self._clock, workers=self._workers)
        found = {}
        for arm, why in reasons.items():
            known = self._known[arm]
            basis = Basis(
                availability=known.choice.estimator if known.lost is not None else NOTHING,
                requests=NOTHING,
                reason=known.choice.reason,
                years=known.years,
                samples=known.samples,
                limits_left_out=known.choice.limits_left_out,
            )
            figures = {} if known.lost is None else {"availability": known.lost.complement()}
            found[arm] = ArmAnswer(
                figures=figures,
                lost=known.lost,
                all_down=known.all_down,
                objective=None,
                objective_reason=why if self._objective is not None else "",
                money=None,
                basis=basis,
                not_seen=NotSeen(),
                refused=why,
                between=short.get(arm),
            )
        return found

    def _arm(
        self,
        arm: str,
        figures: dict[str, Any],
        lost: Estimate | None,
        basis: Basis,
        counted: Estimate | None,
        not_seen: NotSeen,
        ends: Mapping[str, Sequence[float | None]] | None = None,
    ) -> ArmAnswer:
        if lost is not None:
            figures["availability"] = lost.complement()
        chance, why_not = self._chance(arm, counted)
        return ArmAnswer(
            figures=figures,
            lost=lost,
            all_down=self._known[arm].all_down,
            objective=chance,
            objective_reason=why_not,
            money=self._money(arm, figures, lost),
            basis=basis,
            not_seen=not_seen,
            ends=ends or {},
        )

    def _chance(self, arm: str, counted: Estimate | None) -> tuple[Estimate | None, str]:
        objective, plan = self._objective, self._plans[arm]
        if objective is None:
            return None, ""
        with_reason = ""
        try:
            return exact_objective(plan, self._known[arm].choice, objective), ""
        except Inapplicable as reason:
            with_reason = str(reason)
        if counted is not None:
            return counted, ""
        if not len(window_edges(plan, objective.per)):
            return None, f"the horizon has no whole {window_words(plan, objective.per)}"
        return None, with_reason

    def _money(self, arm: str, figures: Mapping[str, Any], lost: Estimate | None) -> Money | None:
        cost = figures["cost_usd_per_request"]
        if self._value is None or lost is None or cost.mean is None:
            return None
        plan = self._plans[arm]
        expected = plan.workload.arrivals.expected_requests(plan.horizon_s)
        requests = figures["requests"].known if expected is None else expected
        return money(cost, lost, requests / plan.horizon_s * YEAR_S, self._value)

    def steps(self, found: Mapping[str, ArmAnswer]) -> tuple[Step, ...]:
        """Between successive arms, with differences that are paired where they can be."""
        of = {arm: each.money for arm, each in found.items() if each.money is not None}
        spends: dict[tuple[str, str], Estimate] = {}
        saves: dict[tuple[str, str], Estimate] = {}
        for arm, one in of.items():
            for after, other in of.items():
                if arm == after:
                    continue
                dearer = self._difference(arm, after, "cost_usd_per_request")
                if dearer is not None and (cost := found[after].figure("cost_usd_per_request")) is not None:
                    spends[arm, after] = scaled(dearer, other.answers.known / (cost.known or 1.0))
                worse = self._difference(after, arm, "lost")
                lost = found[arm].lost
                if worse is not None and lost is not None and lost.known > 0.0:
                    paired = scaled(worse, one.failing.known / lost.known)
                    saves[arm, after] = narrower(paired, less(one.failing, other.failing))
        priced = self._value is not None and self._value.lost_request_usd > 0.0
        return steps(of, spends, saves, per_lost_request=priced)

    def _difference(self, arm: str, after: str, metric: str) -> Estimate | None:
        """`after` less `arm`, paired; None where it is not known better than from both arms."""
        if metric == "lost" and any(self._is_exact(each) for each in (arm, after)):
            return None
        if self._replicated is not None:
            of = self._replicated.arms
            if arm not in of or after not in of:
                return None
            return of[arm].less(of[after], "availability") if metric == "lost" else of[after].less(of[arm], metric)
        one, other = self._to_first(arm, metric), self._to_first(after, metric)
        return None if one is None or other is None else apart(other, one)

    def _is_exact(self, arm: str) -> bool:
        """Whether its availability is known better than any simulation could tell it."""
        lost = self._known[arm].lost
        return lost is not None and (lost.low is None or self._replicated is not None)

    def _to_first(self, arm: str, metric: str) -> Estimate | None:
        """The arm less the first one that windows answered."""
        return Estimate(0.0) if arm == self._first else self._paired.get(arm, {}).get(metric)
