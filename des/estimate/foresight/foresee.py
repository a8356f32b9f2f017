"""All checks over all arms, each fault at its place in the file."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from des.estimate.exact import ExactAnswer
from des.estimate.foresight import cascades, chain, guards, hedges, limits, timeouts
from des.estimate.foresight.foreseen import Foreseen, Foretold
from des.estimate.foresight.outlook import Outlook
from des.scenario import Loaded
from des.scenario.loading import Arm, problem_in_arm
from des.scenario.plan import Plan
from des.scenario.resolution.presets import at_the_preset, with_presets
from des.scenario.text.names import as_written
from des.scenario.text.places import path_text
from des.scenario.text.problems import Finding

Check = Callable[[Outlook], Iterator[Foretold]]

CHECKS: Final[tuple[Check, ...]] = (
    *timeouts.CHECKS,
    *limits.CHECKS,
    *cascades.CHECKS,
    *hedges.CHECKS,
    *chain.CHECKS,
    *guards.CHECKS,
)


def foretold(outlook: Outlook) -> Iterator[Foretold]:
    """Every fault of one arm, in the order of the checks."""
    for check in CHECKS:
        yield from check(outlook)


def foresee(
    loaded: Loaded, plans: Mapping[str, Plan], exact: Mapping[str, ExactAnswer | None]
) -> dict[str, tuple[Foreseen, ...]]:
    """The faults of each of a scenario's own arms, at their places in its file. `exact` has the answers there are."""
    return {
        name: tuple(_placed(loaded, arm, each) for each in foretold(Outlook(arm.scenario, plans[name], exact[name])))
        for name, arm in loaded.arms.items()
    }


def _placed(loaded: Loaded, arm: Arm, found: Foretold) -> Foreseen:
    """At its own line, at that of the preset that sets the field, or at that of the nearest setting around it."""
    content = arm.overlay.content
    expanded, _ = with_presets(content)
    field = Finding(as_written(expanded, found.path), "")
    problem = problem_in_arm(loaded.document, arm.overlay, at_the_preset(field, content, expanded))
    said = problem.path if problem.path.endswith(path_text(field.path)) else f"{problem.path} ({path_text(field.path)})"
    return Foreseen(
        code=found.code,
        path=said,
        sentence=found.sentence,
        remedy=found.remedy,
        figures=found.figures,
        file=problem.file,
        line=problem.line,
    )
