"""`des.availability`: the availability of a scenario's chain, without simulated requests."""

from collections.abc import Sequence

from des.study.arms import Available, available
from des.study.options import Progress, RunOptions, Source


def availability(
    scenario: Source,
    *,
    years: float | None = None,
    estimator: str | None = None,
    seed: int | None = None,
    overrides: Sequence[str] = (),
    workers: int = 1,
    cluster: str | None = None,
    progress: Progress | None = None,
) -> Available:
    """The share of requests served in the long run, of each arm and of its independent twin.

    It is exact if possible, else over `years` of drawn incidents or by importance sampling. Unless said otherwise,
    10,000 years are drawn, or 400 horizons where each is drawn as a whole (40 where all have the same incidents).
    `estimator` asks for one of `exact`, `timeline` and `rare events`. So many `workers`, or the workers of a `cluster`
    (the address of a Dask scheduler), share the years; the figures are the same.

    Raises ScenarioError for a scenario that cannot be run, and DesError for one that only a simulation answers.
    """
    options = RunOptions(seed=seed, overrides=tuple(overrides), workers=workers, cluster=cluster)
    return available(options.load(scenario), years, estimator=estimator, workers=options.where, progress=progress)
