"""Compares the arms of a scenario over the same requests, incidents and random numbers."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Unpack

from des.errors import DesError
from des.frames import Charted, flat
from des.study.options import RunKeywords, RunOptions, Source, with_run_keywords
from des.study.recorded import Run
from des.study.run import Finished, kept
from des.study.study import Study
from des.study.verdicts import of_other_arms

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Comparison(Charted):
    """Compared arms: the run, and its figures as frames.

    `des.report.comparison_tables.comparison_text` prints them like the command.
    """

    run: Run

    @property
    def figures(self) -> Mapping[str, Any]:
        """The `comparison` of `summary.json`."""
        found: Mapping[str, Any] = self.run.summary["comparison"]
        return found

    @property
    def baseline(self) -> str:
        return str(self.figures["baseline"])

    @cached_property
    def marginals(self) -> "pd.DataFrame":
        """Each endpoint by itself: one row per endpoint and arm."""
        import pandas as pd

        rows = [
            {"endpoint": endpoint, "arm": arm} | flat(figures)
            for arm, endpoints in self.figures["marginals"].items()
            for endpoint, figures in endpoints.items()
        ]
        return pd.DataFrame(rows).set_index(["endpoint", "arm"]).sort_index(level="endpoint", sort_remaining=False)

    @cached_property
    def joint(self) -> "pd.DataFrame":
        """All endpoints of the chain down at once, and the figures of requests: one row per arm."""
        import pandas as pd

        arms = self.run.summary["arms"]
        rows = [
            {"arm": arm}
            | flat({key: value for key, value in figures.items() if not key.endswith("_reason")})
            | flat({"simulated_availability": arms[arm]["availability"]})
            | flat({metric: arms[arm][metric] for metric in ("cost_usd_per_request", "latency_s_p95")})
            for arm, figures in self.figures["joint"].items()
        ]
        return pd.DataFrame(rows).set_index("arm")

    @cached_property
    def differences(self) -> "pd.DataFrame":
        """Each other arm less the baseline, paired by replication: one row per arm and metric."""
        import pandas as pd

        rows = [
            {"arm": arm, "metric": metric} | flat(figures or {})
            for arm, metrics in self.figures["differences"].items()
            for metric, figures in metrics.items()
        ]
        frame = pd.DataFrame(rows, columns=None if rows else ["arm", "metric"])
        return frame.set_index(["arm", "metric"])

    @property
    def table(self) -> "pd.DataFrame":
        """The same as `joint`."""
        return self.joint

    def __repr__(self) -> str:
        arms = ", ".join(self.run.summary["arms"])
        return f"<Comparison {self.run.path}: arms {arms}; baseline {self.baseline}>"


@with_run_keywords()
def compare(scenario: Source, *, arms: Sequence[str] | None = None, **options: Unpack[RunKeywords]) -> Comparison:
    """Run the arms of a scenario and compare them. `arms` names them, by default with `as_modelled` and `independent`.

    In `independent` every endpoint keeps the distribution of its own failures, and none are shared. Everything else is
    as in `des.run`, the directory included; `summary.json` also has the figures under `comparison`.
    """
    return Comparison(ensure_compared(scenario, RunOptions(**options), arms).run)


def ensure_compared(scenario: Source, options: RunOptions, arms: Sequence[str] | None = None) -> Finished:
    """Like `compare`, and says whether the run existed already."""
    target = options.target()
    loaded = options.load(scenario)
    chosen = loaded.with_arms(arms)
    if arms is not None:
        _check_several(arms, list(loaded.with_arms().scenario.arms))
    finished = kept(Study.of(chosen, traces=options.traces, precision=target, comparison=True), options)
    return replace(finished, left_out=of_other_arms(loaded, chosen.arms))


def _check_several(arms: Sequence[str], known: Sequence[str]) -> None:
    """Raises DesError for an arm named twice, or for a single arm."""
    twice = [name for name, count in Counter(arms).items() if count > 1]
    if twice:
        raise DesError(f"arms: {', '.join(map(repr, twice))} is named twice; name each arm once")
    if len(arms) == 1:
        others = [name for name in known if name != arms[0]]
        raise DesError(
            f"arms: {arms[0]!r} alone compares nothing; add another arm ({', '.join(others)}) "
            "or name none to compare them all"
        )
