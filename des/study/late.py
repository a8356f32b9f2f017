"""That the first round of an answer takes longer than there is time: said before it, or while it has hardly begun."""

from collections.abc import Mapping
from dataclasses import dataclass

from des.pool import Where, processors
from des.scenario.plan import Plan
from des.study.duration import of_replications
from des.study.options import Before, Forecast
from des.study.rounds import FIRST, Clock, prepare_for


@dataclass(frozen=True, slots=True)
class Late:
    """Whom to tell. Nobody is told where the number of rounds is given, as time does not count then."""

    before: Before | None
    clock: Clock
    workers: Where

    def replications(self, plans: Mapping[str, Plan]) -> None:
        """Forecast the first round, from about a second of the work by the engine that will do it."""
        if self.before is None or self.clock.rounds is not None:
            return
        prepare_for(plans)
        forecast = of_replications(list(plans.values()), FIRST, self.workers)
        if forecast.seconds > max(1.0, self.clock.left_s):
            self.before(forecast)

    def windows(self, count: int, seconds: float) -> None:
        """Told by the estimator, which knows after the first tenth of its first round."""
        if self.before is not None:
            processes = processors(self.workers)
            self.before(Forecast(seconds=seconds, processes=processes, replications=count, unit="windows", begun=True))
