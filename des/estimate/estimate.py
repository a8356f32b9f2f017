"""A figure and how sure it is: what every estimator returns, and what summaries and answers hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

REQUEST_LEVEL: Final = "request level"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with its 95 % interval.

    `mean` is None where no replication has a value, `low` and `high` where there is no interval. `n` counts the
    replications behind it, 0 for a closed form. `interval` names how the interval was made where that is not Student's
    t, or says why there is none. `controlled` is the control-variate adjusted figure, where there is one.
    """

    mean: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0
    estimator: str = REQUEST_LEVEL
    interval: str | None = None
    controlled: "Estimate | None" = None

    def as_json(self) -> dict[str, Any]:
        """What `summary.json` holds; `interval` and `controlled` only where there is one."""
        found: dict[str, Any] = {
            "mean": self.mean,
            "low": self.low,
            "high": self.high,
            "n": self.n,
            "estimator": self.estimator,
        }
        if self.interval is not None:
            found["interval"] = self.interval
        if self.controlled is not None:
            found["controlled"] = self.controlled.as_json()
        return found

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "Estimate":
        """The figure that `as_json` wrote."""
        controlled = found.get("controlled")
        return cls(
            mean=found["mean"],
            low=found["low"],
            high=found["high"],
            n=found["n"],
            estimator=found["estimator"],
            interval=found.get("interval"),
            controlled=None if controlled is None else cls.from_json(controlled),
        )
