"""A finished run with its analysis: what `des.run` and `des.load` return."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, overload

from des.errors import DesError
from des.frames import Charted
from des.scenario import Scenario
from des.traces import Run as Traces
from des.traces import load as open_traces

if TYPE_CHECKING:
    import pandas as pd


class Run(Charted, Traces):
    """A complete run: its tables as frames, its manifest and summary, and the questions that its traces answer.

    A question is a method that returns a frame. Columns name their units. All but `table` need traces, and all of them:
    a run that kept too few raises DesError, which names the level of traces to run with.
    """

    @cached_property
    def scenario(self) -> Scenario:
        """The scenario that was run. The folder of recorded files that it names is not on record."""
        return Scenario.from_dict(self.manifest["scenario"])

    def availability(self, by: str | None = "1h") -> "pd.DataFrame":
        """Requests that arrived in each bin of time, and the share of them that was served: by arm and replication.

        `by` is the length of a bin, None for the whole horizon. Rows are indexed by (arm, replication, start_s).
        `availability` is served / (requests - in_flight), and missing where nothing arrived.
        """
        from des.study.analysis.served import availability

        return availability(self, self.scenario, by)

    def months(self, per: str = "month") -> "pd.DataFrame":
        """Like `availability`, for each whole calendar month; without a `start` of the scenario, for each 30 days.

        `per` may be another length of at least an hour, such as `7d`.
        """
        from des.study.analysis.served import months

        return months(self, self.scenario, per)

    def monthly_objective(self, availability: str | float | None = None, per: str | None = None) -> "pd.DataFrame":
        """How many months missed an availability, and the chance of at least one such month in a year: one row per arm.

        By default `availability` and `per` are those of the scenario's `objective`. A month without requests meets it.
        Intervals are Clopper and Pearson's, and `missed_in_a_year` takes months to be independent of each other, which
        they are unless an incident reaches from one into the next. Raises DesError without a whole month.
        """
        from des.study.analysis.served import monthly_objective

        return monthly_objective(self, self.scenario, availability, per)

    def episodes(self, of: str = "endpoint") -> "pd.DataFrame":
        """Each maximal time of being down: `of` components, `of` endpoints, or `of` the whole chain at once.

        Down means that an outage is open, an incident that fails every call. Overlapping and touching ones are one
        episode of several `incidents` (of the chain: the most of any endpoint). An episode may begin before the run or
        end after its horizon.
        """
        from des.study.analysis.down import episodes

        return episodes(self, self.scenario, of)

    def cost_breakdown(self, by: str | Sequence[str] = ("leg", "outcome")) -> "pd.DataFrame":
        """What calls were billed, probes included, dearest first within each arm.

        `by` names columns: replication, leg, provider, model, outcome, kind, round, cause. `cost_share` is a share of
        the arm's cost.
        """
        from des.study.analysis.calls import cost_breakdown

        return cost_breakdown(self, by)

    def latency_quantiles(
        self,
        by: str | Sequence[str] = (),
        quantiles: Sequence[float] = (0.5, 0.9, 0.95, 0.99),
        outcome: str | None = "ok",
    ) -> "pd.DataFrame":
        """Exact quantiles of the latency of requests, from arrival to end; each is the latency of some request.

        `by` names columns: replication, leg, provider, model, chain_position, outcome, rounds, attempts, error_type. A
        length of time such as `1h` stands for bins of the arrival, which `start_s` then names. `leg` is the one that
        served, missing where none did; it takes all attempts. `outcome` selects requests, None all that ended. The
        latencies of one arm are held in memory.
        """
        from des.study.analysis.latency import latency_quantiles

        return latency_quantiles(self, by, quantiles, outcome)

    def fallback_reasons(self) -> "pd.DataFrame":
        """How often a request went on to another leg in the same round, by the failure of its last call before.

        `from_leg` and `outcome` are missing where the first call of a round went to a later leg, because the client let
        no earlier one be called. Hedges and probes are left out. `share_of_requests` counts a request that falls back
        twice as two.
        """
        from des.study.analysis.calls import fallback_reasons

        return fallback_reasons(self)

    @overload
    def compare(self, a: str, b: str) -> "pd.DataFrame": ...

    @overload
    def compare(self, a: Traces, *, arms: tuple[str, str] | None = None) -> "pd.DataFrame": ...

    def compare(self, a: str | Traces, b: str | None = None, *, arms: tuple[str, str] | None = None) -> "pd.DataFrame":
        """Two arms of this run, `a` less `b`; or this run less another one, `a`. With 95 % intervals of differences.

        Each difference is of the figures of all replications together. There is no interval without two replications
        that differ. For rare losses `des.compare` has better intervals.

        Of two runs, each arm that both have is compared, or the two that `arms` names: one of this run, one of the
        other. Rows are indexed by (arm, figure). With the same seed and the same arrivals they are paired by the ids of
        requests: the requests and replications that both have are compared. Otherwise all of each run are, and
        `pairing` says why; the interval is Welch's then.
        """
        if isinstance(a, Traces) and b is None:
            from des.study.analysis.runs import compare_runs

            return compare_runs(self, a, arms)
        if isinstance(a, str) and isinstance(b, str) and arms is None:
            from des.study.analysis.arms import compare_arms

            return compare_arms(self, a, b)
        raise DesError("compare takes two arms of this run by name, or another run as des.load(...) returns it")


def load(run: str | Path) -> Run:
    """Open the directory of a run, or a run at an address such as `s3://bucket/prefix`. Traces are not read yet.

    Raises DesError if it is none.
    """
    found = open_traces(run)
    return Run(found.path, found.manifest, found.summary)
