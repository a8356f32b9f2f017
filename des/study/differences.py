"""What one arm costs more than another, and saves beside it, over common random numbers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from des.estimate.estimate import Estimate
from des.estimate.totals import Metrics
from des.study.rounds import Rounds
from des.study.uncertain import apart, is_exact, less, narrower, scaled
from des.study.value import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """Differences of arms by the requests that both answered; None where the figures of both arms tell as much.

    `lost` is the share of requests lost; `requests` those of a year, and `per_share` what it costs a year if all of
    them are lost, by arm. The availability of the arms in `known` does not come from simulated requests. `of_windows`
    has by arm and metric the difference to the `first` arm that windows answered.
    """

    money: Mapping[str, Money]
    lost: Mapping[str, Estimate]
    requests: Mapping[str, float]
    per_share: Mapping[str, float]
    known: frozenset[str]
    replicated: Rounds | None = None
    of_windows: Mapping[str, Mapping[str, Estimate]] = field(default_factory=dict)
    first: str = ""

    def spends(self, arm: str, after: str) -> Estimate | None:
        if self.replicated is not None:
            return self._paired(after, arm, self._answers)
        found = self._by_windows(arm, after, "cost_usd_per_request")
        return None if found is None else scaled(found, self.requests[after])

    def saves(self, arm: str, after: str) -> Estimate | None:
        if self.replicated is not None:
            return self._paired(arm, after, self._failing) if self._often(arm, after) else None
        found = self._by_windows(after, arm, "lost")
        if found is None:
            return None
        from_both = less(self.money[arm].failing, self.money[after].failing)
        return narrower(scaled(found, self.per_share[arm]), from_both)

    def worth(self, arm: str, after: str) -> Estimate | None:
        if self.replicated is None or not self._often(arm, after):
            return None
        return self._paired(arm, after, self._total)

    def depend(self, arm: str, after: str) -> bool:
        if self.replicated is not None:
            return not self.known.issuperset((arm, after))
        return not all(is_exact(self.lost[each]) for each in (arm, after))

    def _often(self, arm: str, after: str) -> bool:
        """Whether the requests of both tell what is lost, so often that Student's t holds, as their intervals say."""
        if self.known.intersection((arm, after)):
            return False
        return all(self.lost[each].low is not None and self.lost[each].interval is None for each in (arm, after))

    def _paired(self, one: str, other: str, usd: Callable[[str, Metrics], float | None]) -> Estimate | None:
        """The first less the second, a year, by replication."""
        assert self.replicated is not None
        of = self.replicated.arms
        return of[one].less(of[other], lambda found: usd(one, found), lambda found: usd(other, found))

    def _answers(self, arm: str, found: Metrics) -> float | None:
        cost: float | None = found["cost_usd_per_request"]
        return None if cost is None else cost * self.requests[arm]

    def _failing(self, arm: str, found: Metrics) -> float | None:
        up: float | None = found["availability"]
        return None if up is None else (1.0 - up) * self.per_share[arm]

    def _total(self, arm: str, found: Metrics) -> float | None:
        answers, failing = self._answers(arm, found), self._failing(arm, found)
        return None if answers is None or failing is None else answers + failing

    def _by_windows(self, one: str, other: str, metric: str) -> Estimate | None:
        """The second less the first, of arms with the same arrivals."""
        if self.requests[one] != self.requests[other]:
            return None
        a, b = (self._to_first(each, metric) for each in (one, other))
        return None if a is None or b is None else apart(b, a)

    def _to_first(self, arm: str, metric: str) -> Estimate | None:
        """The arm less the first one."""
        return Estimate(0.0) if arm == self.first else self.of_windows.get(arm, {}).get(metric)
