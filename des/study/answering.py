"""How the figures of each arm of an answer are found.

Whole replications are simulated where they are small, windows of a long run where they are not. The availability comes
from many years of incidents wherever that applies. An arm that nothing covers is refused, with the reason.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from des.estimate.effort import QUICK as QUICK_WINDOWS
from des.estimate.effort import USUAL, calls_of_replications, check_replications, longest_down
from des.estimate.estimate import REQUEST_LEVEL, Estimate, Inapplicable
from des.estimate.objective import exact_objective, window_edges, window_words
from des.estimate.unsampled import LongRuns
from des.estimate.windows import ArmWindows, WindowsAnswer, windows
from des.pool import Where
from des.scenario.plan import Plan
from des.scenario.schema.objective import Objective, Value
from des.scenario.text.units import DAY_S, YEAR_S
from des.study.answered import ArmAnswer, Basis, Figures, by_name, one_of
from des.study.causes import adding_up
from des.study.certain import certain_figures
from des.study.differences import Paired
from des.study.late import Late
from des.study.long_run import LongRun, refined
from des.study.losses import bounded, few_losses, few_of_runs, few_of_windows, of_all_requests, why_no_causes
from des.study.not_seen import NotSeen, missed_by_runs, missed_by_windows, missed_rot
from des.study.options import Before
from des.study.pictured import Pictured
from des.study.rounds import FIRST, Clock, Rounds, Simulated, replicated
from des.study.shortened import between_outages
from des.study.value import Money, money, usd_per_share_lost
from des.study.ways import chosen_way

NOTHING: Final = "none"
"""In place of an estimator."""
_WITHIN_OF_ALL: Final = 0.97
"""Share of the time for simulation; the rest is for what follows."""
REFINED_FROM: Final = 2
"""Rounds from which the availability has its second attempt too, so that figures depend on their number alone."""


class Answering:
    """The arms of a scenario that differ, and how each of their figures is found."""

    def __init__(
        self,
        plans: Mapping[str, Plan],
        known: Mapping[str, LongRun],
        objective: Objective | None,
        value: Value | None,
        clock: Clock,
        workers: Where,
        tell: Callable[[str], None],
        before: Before | None,
        *,
        cascades: bool,
        quick: bool,
    ) -> None:
        self._plans = plans
        self._known = known
        self._objective = objective
        self._value = value
        self._clock = clock
        self._workers = workers
        self._tell = tell
        self._late = Late(before, clock, workers)
        self._cascades, self._quick = cascades, quick
        self.pictured: dict[str, Pictured] = {}
        self._first = ""
        self._paired: Mapping[str, Mapping[str, Estimate]] = {}
        self._replicated: Rounds | None = None
        self._taken_over: Mapping[str, ArmAnswer] = {}
        self.rounds = 0
        self.precise = True

    def take_over(self, answers: Mapping[str, ArmAnswer]) -> None:
        """Answers of arms that need not be replicated again."""
        self._taken_over = {arm: of for arm, of in answers.items() if of.basis.replications is not None}

    def done(self) -> dict[str, ArmAnswer]:
        """Every arm's answer."""
        way = chosen_way(self._plans, [of.choice for of in self._known.values()])
        if way.replications:
            too_much = self._too_much() if self._quick else ""
            return self._refused(dict.fromkeys(self._plans, too_much)) if too_much else self._by_replications()
        self._taken_over = {}
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

    def _too_much(self) -> str:
        """Why whole replications are left out of a quick answer; empty where they fit."""
        down = {arm: longest_down(of.choice.exact) for arm, of in self._known.items()}
        return check_replications(calls_of_replications(plan, down[arm], FIRST) for arm, plan in self._plans.items())

    def _refine(self) -> None:
        """The second attempt at the availability goes with the second round."""
        if self.rounds >= REFINED_FROM:
            self._tell("incidents")
            self._known = refined(self._plans, self._known, self._workers)
        self.precise = self.precise and not any(of.is_coarse for of in self._known.values())

    def _by_replications(self) -> dict[str, ArmAnswer]:
        new = {arm: plan for arm, plan in self._plans.items() if arm not in self._taken_over}
        if not new:
            return {arm: self._taken_over[arm] for arm in self._plans}
        self._late.replications(self._plans)
        known = [arm for arm, of in self._known.items() if of.lost is not None]
        made = replicated(
            new,
            self._objective,
            self._clock,
            workers=self._workers,
            known=known,
            least_rounds=REFINED_FROM if any(of.is_coarse for of in self._known.values()) else 1,
            cascades=self._cascades,
            progress=lambda: self._tell("requests"),
        )
        self._replicated, self.rounds, self.precise = made, made.rounds, made.reached
        self._refine()
        found = {arm: self._replicated_arm(arm, of, made) for arm, of in made.arms.items()}
        self.pictured |= {arm: of.pictured for arm, of in made.arms.items()}
        return {arm: found[arm] if arm in found else self._taken_over[arm] for arm in self._plans}

    def _replicated_arm(self, arm: str, of: Simulated, made: Rounds) -> ArmAnswer:
        known = self._known[arm]
        figures, unsampled = of.claimed(self._long_runs())
        lost = known.lost
        if lost is None and figures["availability"].mean is not None:
            lost = bounded(figures["availability"].complement(), of.requests)
        figures["lost_by_cause"] = of_all_requests(figures.pop("lost_by_cause"), figures["requests"].known)
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
        rot = tuple(missed_rot(self._plans[arm], of.broken, made.replications))
        incidents = () if unsampled is None else tuple(missed_by_runs(each, lost) for each in unsampled.incidents)
        ends = {} if unsampled is None else dict(unsampled.as_json()["ends"])
        if rot and lost is not None:
            ends["availability"] = [None, 1.0 - (lost.known if lost.low is None else lost.low)]
            lost = lost.without_interval(f"none: {', '.join(each.words for each in rot)}")
        if known.lost is not None:
            ends.pop("availability", None)
        not_seen = NotSeen(
            incidents=incidents + rot,
            uncalled=of.uncalled,
            between="availability" in ends,
            few_losses=few_losses(few_of_runs(of.pool.losses, of.requests), availability=known.lost is None),
        )
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
        left_s = max(1.0, self._clock.simulating_s * _WITHIN_OF_ALL)
        fixed = self._clock.most_rounds
        made = windows(
            plans,
            seconds=None if fixed is not None else left_s,
            rounds=fixed,
            workers=self._workers,
            objective=asked,
            progress=lambda share: self._tell("windows"),
            late=self._late.windows,
            effort=QUICK_WINDOWS if self._quick else USUAL,
        )
        self.rounds, self._paired, self._first = made.rounds, made.differences, next(iter(plans))
        self.pictured |= {arm: Pictured(latency=of.latency, cost=of.cost) for arm, of in made.arms.items()}
        self._refine()
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
        few = few_of_windows(of.lost_requests, of.losing, of.segments, of.requests)
        not_seen = NotSeen(
            incidents=tuple(missed_by_windows(each, lost) for each in of.unseen),
            uncalled=of.uncalled,
            few_losses=few_losses(few, availability=known.lost is None),
        )
        return self._arm(arm, dict(of.figures), lost, basis, of.objective, not_seen)

    def _refused(self, reasons: Mapping[str, str]) -> dict[str, ArmAnswer]:
        """What is known without requests, and what a short time between outages shows; by arm, with why."""
        if not reasons:
            return {}
        self.precise = False
        short = (
            {}
            if self._quick
            else between_outages({arm: self._plans[arm] for arm in reasons}, self._clock, workers=self._workers)
        )
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
                unavailability=known.unavailability,
                objective=None,
                objective_reason=why if self._objective is not None else "",
                money=None,
                basis=basis,
                not_seen=NotSeen(),
                horizon_s=self._plans[arm].horizon_s,
                refused=why,
                between=short.get(arm),
            )
        return found

    def _arm(
        self,
        arm: str,
        figures: dict[str, Estimate | Mapping[str, Estimate]],
        lost: Estimate | None,
        basis: Basis,
        counted: Estimate | None,
        not_seen: NotSeen,
        ends: Mapping[str, Sequence[float | None]] | None = None,
    ) -> ArmAnswer:
        if lost is not None:
            figures["availability"] = lost.complement()
        causes, factor = adding_up(by_name(figures, "lost_by_cause"), lost)
        if causes:
            figures["lost_by_cause"] = causes
        figures |= certain_figures(self._plans[arm], figures)
        chance, why_not = self._chance(arm, counted)
        return ArmAnswer(
            figures=figures,
            lost=lost,
            all_down=self._known[arm].all_down,
            unavailability=self._known[arm].unavailability,
            objective=chance,
            objective_reason=why_not,
            money=self._money(arm, figures, lost),
            basis=basis,
            not_seen=not_seen,
            horizon_s=self._plans[arm].horizon_s,
            ends=ends or {},
            why_no_causes=why_no_causes(lost, figures.get("lost_by_cause"), basis.simulated),
            causes_factor=factor,
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

    def _money(self, arm: str, figures: Figures, lost: Estimate | None) -> Money | None:
        cost = one_of(figures, "cost_usd_per_request")
        if self._value is None or lost is None or cost is None:
            return None
        return money(cost, lost, self._requests_per_year(arm, figures), self._value)

    def _requests_per_year(self, arm: str, figures: Figures) -> float:
        """As expected, or as simulated of users that wait for their answers."""
        plan = self._plans[arm]
        expected = plan.workload.arrivals.expected_requests(plan.horizon_s)
        if expected is None:
            simulated = one_of(figures, "requests")
            expected = 0.0 if simulated is None else simulated.known
        return expected / plan.horizon_s * YEAR_S

    def differences(self, found: Mapping[str, ArmAnswer]) -> Paired:
        """Of arms whose failing has a price."""
        priced = {
            arm: of
            for arm, of in found.items()
            if of.money is not None and of.lost is not None and arm not in self._taken_over
        }
        requests = {arm: self._requests_per_year(arm, of.figures) for arm, of in priced.items()}
        return Paired(
            money={arm: of.money for arm, of in priced.items() if of.money is not None},
            lost={arm: of.lost for arm, of in priced.items() if of.lost is not None},
            requests=requests,
            per_share={
                arm: usd_per_share_lost(requests[arm], self._value) for arm in priced if self._value is not None
            },
            known=frozenset(arm for arm in priced if self._known[arm].lost is not None),
            replicated=self._replicated,
            of_windows=self._paired,
            first=self._first,
        )
