"""Finds the best chain of a scenario, and the best values of other fields, by an aim and under bounds."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from des.compiled import using
from des.disk import refuse_existing_directory, written_whole
from des.errors import DesError
from des.pool import Where, Workers
from des.scenario import Loaded
from des.scenario.loading import load_document
from des.scenario.plan import remarks_of
from des.scenario.schema.optimise import Optimise
from des.scenario.text.document import Document
from des.signals import terminating_signals_raise
from des.single_files import output_path
from des.study.optimised import Optimised, front_of, write_optimised
from des.study.optimising.aim import Aim, read_aim
from des.study.optimising.forecast import forecast_of
from des.study.optimising.reasons import rule_beside
from des.study.optimising.screening import SAMPLES, Figures, Task, Walker, screened
from des.study.optimising.searching import MOST, Screened, rules, search, work_of
from des.study.optimising.selecting import MOST_REPLICATIONS, as_written, finalists_of, select
from des.study.optimising.space import AS_WRITTEN, Candidate, Space, space_of
from des.study.options import Before, Progress, RunOptions, Source

_SCREEN: Final = 0.6
"""The share of the work that the screen counts as, for the progress."""
_MOST_ON_FRONT: Final = 8
"""Candidates of the screen's front that are simulated besides the finalists."""


def optimise(
    scenario: Source,
    *,
    minimise: str | None = None,
    maximise: str | None = None,
    subject_to: Sequence[str] | Mapping[str, str | Sequence[str]] = (),
    over: Mapping[str | tuple[str, ...], Sequence[Any]] | Sequence[str] | None = None,
    legs: Sequence[str] | None = None,
    most: int | None = None,
    least: int | None = None,
    arm: str | None = None,
    replications: int = MOST_REPLICATIONS,
    screen: int = MOST,
    seed: int | None = None,
    overrides: Sequence[str] = (),
    workers: int = 1,
    cluster: str | None = None,
    engine: str | None = None,
    out: str | Path | None = None,
    progress: Progress | None = None,
    before: Before | None = None,
) -> Optimised:
    """Find the chain, and the values of `over`, with the least cost or the highest availability, within bounds.

    `minimise`, `maximise` and `subject_to` (`"availability >= 99.95%"`, or by metric) take the place of the scenario's
    `optimise`, `over` and `legs` too. `legs` are entries of the chain to choose from, `least` to `most` of them. `arm`
    is the arm to start from. All candidates are ranked without simulated requests, or the most promising along a beam
    where there are more than `screen`; the best few are simulated with common random numbers until one wins, in at most
    `replications`. The same for any number of workers, any engine, and on a `cluster` (the address
    of a Dask scheduler). `out` is a directory that does not exist.

    Raises ScenarioError and DesError for what cannot be aimed at, varied or built.
    """
    started = time.perf_counter()
    options = RunOptions(seed=seed, overrides=overrides, workers=workers, cluster=cluster)
    loaded = _of_arm(options.load(scenario), arm)
    target = None if out is None else output_path(out)
    if target is not None:
        refuse_existing_directory(target)
    said = loaded.scenario.optimise or Optimise()
    own: dict[str | tuple[str, ...], Sequence[Any]] = {}
    own.update(said.over)
    space = space_of(loaded, said, own if over is None else over, legs, most, least)
    plan = space.whole(AS_WRITTEN)
    aim = read_aim(loaded.scenario, said, plan, minimise=minimise, maximise=maximise, subject_to=subject_to)
    if replications < 1 or screen < 1:
        raise DesError("replications and screen are at least 1")
    if before is not None:
        before(forecast_of(space, screen, replications, options.where))
    with using(engine), terminating_signals_raise():
        found = _found(loaded, space, aim, screen, replications, options.where, progress)
    answer = replace(found, wall_s=time.perf_counter() - started)
    if target is not None:
        with written_whole(target) as directory:
            write_optimised(answer, loaded, directory)
    return answer


def _of_arm(loaded: Loaded, arm: str | None) -> Loaded:
    """The scenario as the arm has it."""
    if arm is None:
        return loaded
    content = loaded.with_arms([arm]).arms[arm].overlay.content
    content = {key: value for key, value in content.items() if key not in ("arms", "expect")}
    document = Document(content, file=loaded.document.file, folder=loaded.document.folder)
    return replace(load_document(document), path=loaded.path)


def _found(
    loaded: Loaded, space: Space, aim: Aim, most: int, replications: int, workers: Where, progress: Progress | None
) -> Optimised:
    def tell(share: float, what: str) -> None:
        if progress is not None:
            progress(share, what)

    expected, done = work_of(space, most), 0
    with Workers[Task, list[Figures | str]](Walker(space, SAMPLES), workers) as pool:
        known: dict[Candidate, Figures | str] = {}

        def screen(candidates: Sequence[Candidate]) -> dict[Candidate, Figures | str]:
            nonlocal done
            known.update(screened(pool, [each for each in candidates if each not in known]))
            done = len(known)
            tell(_SCREEN * min(1.0, done / expected), f"screened {done:,}")
            return {candidate: known[candidate] for candidate in candidates}

        met = search(space, aim, screen, most)
    rule = _rule(space, aim, met)
    shown = [candidate for candidate in (rule, as_written(space)) if candidate is not None and candidate in met.figures]
    finalists, within_reach = finalists_of(space, met, aim, shown)
    selected = select(
        space,
        aim,
        met,
        finalists,
        within_reach,
        beside=[*shown, *front_of(met.figures)[:_MOST_ON_FRONT]],
        workers=workers,
        most=replications,
        tell=lambda share, what: tell(_SCREEN + (1.0 - _SCREEN) * share, what),
    )
    return Optimised(
        loaded=loaded,
        space=space,
        aim=aim,
        screened=met,
        selected=selected,
        rule_beside=None if rule is None else rule_beside(space, aim, selected, rule),
        rule_candidate=rule,
        remarks=remarks_of({"": space.whole(AS_WRITTEN)}),
        wall_s=0.0,
    )


def _rule(space: Space, aim: Aim, met: Screened) -> Candidate | None:
    """The shortest chain in ascending cost per success that keeps the bounds in the screen, else the longest."""
    if not space.varies_chain:
        return None
    chains = [Candidate(AS_WRITTEN, chain) for chain in rules(space, met)]
    kept = [candidate for candidate in chains if aim.feasible(met.figures[candidate])]
    return kept[0] if kept else chains[-1]
