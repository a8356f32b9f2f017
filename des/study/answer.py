"""Answers a scenario: each figure by the estimator that knows it best, within the time that there is.

Availability is exact where it has a closed form, else from many years of incidents, where requests do not depend on
each other. Cost, latency and the rest come from simulated requests: whole replications where they are small, windows of
a long run where they are not. What neither covers is refused, and the reason names what remembers.
"""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Final

from des.compiled import using
from des.disk import refuse_existing_directory, written_whole
from des.errors import DesError
from des.estimate.objective import window_words
from des.pool import Where, available
from des.scenario import Loaded, plans
from des.scenario.plan import remarks_of
from des.single_files import output_path
from des.study.answer_file import write_answer
from des.study.answer_sentence import sentence
from des.study.answered import Answer, ArmAnswer, verdicts_on
from des.study.answering import REFINED_FROM, Answering
from des.study.arms import same_arms
from des.study.long_run import FIRST as FIRST_ATTEMPT
from des.study.long_run import QUICK, LongRun, long_runs, refining_s
from des.study.options import Before, Progress, RunOptions, Source, where
from des.study.pictured import Pictured, with_years
from des.study.rounds import Clock, clock_of
from des.study.study import scenario_name
from des.study.value import cheapest, steps
from des.study.verdicts import of_other_arms
from des.vocabulary import CASCADE_METRICS

WITHIN: Final = "60s"


def answer(
    scenario: Source,
    *,
    within: float | str = WITHIN,
    rounds: int | None = None,
    quick: bool = False,
    arms: Sequence[str] | None = None,
    seed: int | None = None,
    overrides: Sequence[str] = (),
    workers: int | None = None,
    cluster: str | None = None,
    engine: str | None = None,
    out: str | Path | None = None,
    progress: Progress | None = None,
    before: Before | None = None,
) -> Answer:
    """Answer a scenario's question: availability, cost, latency and what they rest on, for each arm, in a minute.

    `within` is a duration (`60s`, or seconds) that decides only how many rounds are simulated, the first of which is
    simulated in any case. `rounds` fixes their number; the same number gives the same figures for any `within`, any
    `engine` and any number of `workers`, by default one for each processor, and on a `cluster` (the address of a Dask
    scheduler). `arms` names arms, by default all of the scenario's. `out` is a directory that does not exist, for
    answer.json and manifest.json. `before` is called with a forecast of the first round where that takes longer than
    there is time. `quick` is one round of bounded work, a second or two: fewer years of incidents, shorter windows.

    Raises ScenarioError for a scenario that cannot be run, and DesError for options that make no sense. An arm that no
    estimator covers has no figures of requests, and a reason.
    """
    if quick and rounds is not None:
        raise DesError("--quick is one round: leave out --rounds")
    clock = clock_of(within, 1 if quick else rounds, writes=out is not None)
    processes = available() if workers is None else workers
    target = None if out is None else output_path(out)
    if target is not None:
        refuse_existing_directory(target)
    whole = loaded = RunOptions(seed=seed, overrides=tuple(overrides), workers=processes).load(scenario)
    if arms is not None:
        loaded = whole.with_arms(arms)
    with using(engine), nullcontext() if target is None else written_whole(target) as directory:
        found = answered(
            loaded, clock, workers=where(processes, cluster), progress=progress, before=before, quick=quick
        )
        unjudged, drawn = of_other_arms(whole, found.arms), with_years(found.pictured, plans(loaded))
        found = replace(found, expectations=(*found.expectations, *unjudged), pictured=drawn)
        if directory is not None:
            write_answer(found, loaded, directory)
    return found


def answered(
    loaded: Loaded,
    clock: Clock,
    *,
    workers: Where = 1,
    progress: Progress | None = None,
    before: Before | None = None,
    known: Mapping[str, LongRun] | None = None,
    replicated_before: Mapping[str, ArmAnswer] | None = None,
    cascades: bool = False,
    quick: bool = False,
) -> Answer:
    """Like `answer`, of a scenario that is loaded.

    `known` are the long runs of all arms that differ. `replicated_before` are answers of as many rounds to the same
    arms of another scenario. They are taken over where this one is answered by whole replications, as those were, and
    have no part in the steps. `cascades` asks for the figures of cascades.
    """

    def tell(what: str) -> None:
        if progress is not None:
            progress(min(1.0, clock.spent_s / clock.within_s), what)

    every = plans(loaded)
    same = same_arms(every)
    different = {arm: plan for arm, plan in every.items() if arm not in same}
    tell("incidents")
    started_s = clock.spent_s
    known = long_runs(different, workers, QUICK if quick else FIRST_ATTEMPT) if known is None else known
    clock.reserve(refining_s(known, clock.spent_s - started_s), REFINED_FROM)
    scenario = loaded.scenario
    cascades = cascades or any(each.metric in CASCADE_METRICS for each in loaded.expectations())
    work = Answering(
        different,
        known,
        scenario.objective,
        scenario.value,
        clock,
        workers,
        tell,
        before,
        cascades=cascades,
        quick=quick,
    )
    work.take_over(replicated_before or {})
    found = work.done()
    of_all = {arm: found[same.get(arm, arm)] for arm in every}
    chosen = work.differences({arm: of for arm, of in found.items() if different[arm].shared >= 1.0})
    priced = scenario.value is not None and scenario.value.lost_request_usd > 0.0
    made = Answer(
        scenario=scenario_name(loaded),
        title=scenario.title,
        question=scenario.question,
        seed=scenario.seed,
        objective=scenario.objective,
        window="" if scenario.objective is None else window_words(next(iter(every.values())), scenario.objective.per),
        value=scenario.value,
        arms=of_all,
        same=same,
        steps=steps(chosen.money, chosen, per_lost_request=priced),
        cheapest=cheapest(chosen.money, chosen),
        hypothetical=tuple(arm for arm in every if every[arm].shared < 1.0),
        rounds=work.rounds,
        precise=work.precise,
        expectations=verdicts_on(loaded.resolved().get("expect"), of_all),
        remarks=remarks_of(every),
        quick=quick,
        wall_s=clock.spent_s,
        within_s=None if clock.rounds is not None else clock.within_s,
        pictured={arm: work.pictured.get(arm, Pictured()) for arm in different},
    )
    return replace(made, sentence=sentence(made))
