"""A figure with its interval: what every estimator returns, how it is judged, and how it becomes JSON."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from operator import eq, ge, gt, le, lt
from typing import Any, Final, Self

from des.errors import DesError

EXACT: Final = "exact"
TIMELINE: Final = "timeline"
RARE: Final = "rare events"
REQUEST_LEVEL: Final = "request level"

MET, MISSED, INCONCLUSIVE = "met", "missed", "inconclusive"
_COMPARISONS: Final[Mapping[str, Callable[[float, float], bool]]] = {">=": ge, "<=": le, ">": gt, "<": lt, "==": eq}
_LEFT_OUT: Final = ("interval", "controlled", "variance_reduction")
"""Fields that the JSON of an estimate leaves out where they are None."""


class Inapplicable(DesError):  # noqa: N818  (an answer, not an accident)
    """The estimator does not cover this plan; the message names the obstacle."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with its 95 % interval.

    `mean` is None where no replication has a value, `low` and `high` are None where there is no interval. `n` counts
    the replications, 0 for a closed form. `interval` names the kind of interval where that is not Student's t, or says
    why there is none. `controlled` is the control-variate adjusted figure, if any. Its `variance_reduction` is the
    variance of the plain mean over the variance of the adjusted one.
    """

    mean: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0
    estimator: str = REQUEST_LEVEL
    interval: str | None = None
    controlled: "Estimate | None" = None
    variance_reduction: float | None = None

    @property
    def known(self) -> float:
        """The mean, of an estimate that has one. Only a simulation's may lack it."""
        assert self.mean is not None
        return self.mean

    def complement(self) -> Self:
        """The estimate of 1 - x."""
        low, high = self.low, self.high
        ends = (None if high is None else 1.0 - high, None if low is None else 1.0 - low)
        return replace(self, mean=1.0 - self.known, low=ends[0], high=ends[1])

    def without_interval(self, why: str | None) -> Self:
        """The same figure without an interval; `why` takes the place of the interval's name."""
        return replace(self, low=None, high=None, interval=why)

    def as_json(self) -> dict[str, Any]:
        """By field. `interval`, `controlled` and `variance_reduction` are left out where they are None."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: as_json(value) for name, value in found.items() if value is not None or name not in _LEFT_OUT}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "Estimate":
        """The estimate that `as_json` wrote, or any mapping with `mean`, `low` and `high`."""
        controlled = found.get("controlled")
        return Estimate(
            mean=found["mean"],
            low=found["low"],
            high=found["high"],
            n=found.get("n", 0),
            estimator=found.get("estimator", REQUEST_LEVEL),
            interval=found.get("interval"),
            controlled=None if controlled is None else cls.from_json(controlled),
            variance_reduction=found.get("variance_reduction"),
        )


def as_json(found: Any) -> Any:
    """A value for `json.dumps`, from estimates, frozen dataclasses (by field), mappings and sequences of them."""
    if hasattr(found, "as_json"):
        return found.as_json()
    if is_dataclass(found):
        return {field.name: as_json(getattr(found, field.name)) for field in fields(found)}
    if isinstance(found, Mapping):
        return {key: as_json(value) for key, value in found.items()}
    if isinstance(found, Sequence) and not isinstance(found, str):
        return [as_json(value) for value in found]
    return found


def judge(comparison: str, bound: float, figure: Estimate) -> str:
    """`met`, `missed` or `inconclusive`: does the figure compare to the bound as expected?

    Without an interval the mean decides. With one, both ends must agree: a bound inside the interval is inconclusive,
    and so is a figure without a value. A figure without a mean but with a low end is at least that.
    """
    compare = _COMPARISONS[comparison]
    mean, low, high = figure.mean, figure.low, figure.high
    if mean is None:
        return _judge_above(comparison, bound, low)
    if low is None or high is None or low == high:
        return MET if compare(mean, bound) else MISSED
    if comparison == "==":
        return INCONCLUSIVE if low <= bound <= high else MISSED
    ends = {compare(low, bound), compare(high, bound)}
    if len(ends) == 2:
        return INCONCLUSIVE
    return MET if ends == {True} else MISSED


def _judge_above(comparison: str, bound: float, low: float | None) -> str:
    """Judges a figure known only to be at least `low`."""
    if low is None:
        return INCONCLUSIVE
    if comparison in (">=", ">"):
        return MET if _COMPARISONS[comparison](low, bound) else INCONCLUSIVE
    return MISSED if not _COMPARISONS["<=" if comparison == "==" else comparison](low, bound) else INCONCLUSIVE
