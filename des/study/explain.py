"""`des.explain`: what to expect of a scenario before it runs."""

from collections.abc import Sequence
from time import process_time

from des.study.explanation import Explained, explain_all
from des.study.options import Progress, RunOptions, Source


def explain(
    scenario: Source,
    *,
    precision: float = 0.1,
    seed: int | None = None,
    overrides: Sequence[str] = (),
    progress: Progress | None = None,
) -> Explained:
    """The expected numbers of requests and incidents, exact figures, the estimator, times, and the faults foreseen.

    `precision` is that of P(all down), as a share of it, for the years of incidents needed. Raises ScenarioError for a
    scenario that cannot be run, DesError for a precision out of range.
    """
    loaded = RunOptions(seed=seed, overrides=tuple(overrides)).load(scenario)
    return explain_all(loaded, precision, progress, start_s=process_time())
