"""A circuit breaker in front of a component with alternating exponential up and down times."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BreakerCycle:
    """Mean numbers of calls from one closing of the breaker to the next."""

    successes: float
    failures: float
    refusals: float

    @property
    def calls(self) -> float:
        return self.successes + self.failures + self.refusals

    @property
    def availability(self) -> float:
        """Share of all calls that succeed (renewal-reward)."""
        return self.successes / self.calls


def breaker_cycle(mttf_s: float, mttr_s: float, call_rate: float, failures: int, open_s: float) -> BreakerCycle:
    """Instantaneous Poisson calls; `failures` in a row open the breaker for `open_s`, then the next call probes.

    With lambda = 1/MTTF, mu = 1/MTTR, s = lambda + mu and calls at rate a: a failure follows a success with
    probability pf = lambda/(a + s), another failure with q = 1 - mu/(a + s), and a probe finds the component still
    down with d = U + (1 - U) e^{-s tau} a/(a + s). A streak of failures reaches n with x = q^{n-1}, so a cycle holds
    1/x streaks, each after 1/pf successes; it opens 1/(1 - d) times. The successful probe is a cycle's first success.
    """
    s = 1.0 / mttf_s + 1.0 / mttr_s
    u = mttr_s / (mttf_s + mttr_s)
    starts = (1.0 / mttf_s) / (call_rate + s)
    ends = (1.0 / mttr_s) / (call_rate + s)
    goes_on = 1.0 - ends
    still_down = u + (1.0 - u) * math.exp(-s * open_s) * call_rate / (call_rate + s)
    reaches = goes_on ** (failures - 1)
    openings = 1.0 / (1.0 - still_down)
    return BreakerCycle(
        successes=1.0 / (starts * reaches),
        failures=(1.0 - goes_on**failures) / ends / reaches + openings - 1.0,
        refusals=call_rate * open_s * openings,
    )
