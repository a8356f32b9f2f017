"""The precision asked of figures, and how many replications it takes."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from des.errors import DesError
from des.estimate.estimate import Estimate
from des.estimate.intervals import NO_SPREAD, RECORDED
from des.vocabulary import CASCADE_METRICS, METRICS
from des.words import did_you_mean

_SHORTFALL: Final = ("availability", "failure_share", "all_down")
"""Metrics whose precision is relative to the share lost. If nothing is ever lost, precision is not reached."""
_ASKABLE: Final = (*METRICS, *CASCADE_METRICS, "failure_share", "all_down")
"""Metrics for which a precision can be asked."""
LEAST_REPLICATIONS: Final = 10
"""Where the scenario asks for one replication. A half-width over fewer is itself too uncertain."""
_MOST_REPLICATIONS: Final = 1000
_RESERVE: Final = 1.1
"""Factor on the replications that the current half-width calls for, since that is an estimate too."""


@dataclass(frozen=True, slots=True)
class Target:
    """A metric of one arm, or of every arm, and the largest relative half-width of its interval."""

    name: str  # metric or arm.metric, as written
    half_width: float

    @property
    def arm(self) -> str | None:
        return self.name.rpartition(".")[0] or None

    @property
    def metric(self) -> str:
        return self.name.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Precision:
    """Replicate until every target is met, or there are `most` replications."""

    targets: tuple[Target, ...]
    most: int = _MOST_REPLICATIONS

    @classmethod
    def of(cls, asked: Mapping[str, float] | Sequence[str] | str, most: int | None = None) -> "Precision | None":
        """From {"availability": 0.1} or texts such as `availability=0.1`; None where nothing is asked.

        Raises DesError for an unknown metric, a share out of range, and a bound without a target.
        """
        if isinstance(asked, str):
            asked = (asked,)
        pairs = list(asked.items()) if isinstance(asked, Mapping) else [_pair(text) for text in asked]
        if not pairs:
            if most is not None:
                raise DesError(f"--max-replications {most}: bounds a --precision METRIC=SHARE, and none is asked for")
            return None
        most = _MOST_REPLICATIONS if most is None else most
        if most < 2:
            raise DesError(f"max replications {most}: an interval needs at least 2")
        return cls(tuple(_target(name, value) for name, value in pairs), most)

    def check_arms(self, arms: Sequence[str]) -> None:
        """Raises DesError for a target of an arm that is not run."""
        for target in self.targets:
            if target.arm is not None and target.arm not in arms:
                raise DesError(f"--precision {target.name}: no arm {target.arm!r} among {', '.join(arms)}")

    def first(self, replications: int) -> int:
        """The number of replications to begin with, where the scenario asks for `replications`."""
        return min(self.most, replications if replications > 1 else LEAST_REPLICATIONS)

    def further(self, done: int, summary: Mapping[str, Any]) -> int:
        """The total number of replications needed, judging by the summary of those `done`."""
        excess = max(width / target for target, width in self.reached(summary))
        if excess <= 1.0 or done >= self.most:
            return done
        needed = done * min(2.0, excess * excess * _RESERVE)  # no more than doubled, as the estimate may be far off
        return min(self.most, max(done + 1, math.ceil(needed)))

    def reached(self, summary: Mapping[str, Any]) -> list[tuple[float, float]]:
        """(target, relative half-width) of each target in each arm it applies to."""
        return [(target.half_width, width) for target, _, width in self._widths(summary)]

    def as_found(self, done: int, summary: Mapping[str, Any]) -> dict[str, Any]:
        """JSON-able: what was asked, how many replications it took, and whether it was reached."""
        return {
            "asked": {target.name: target.half_width for target in self.targets},
            "max_replications": self.most,
            "replications": done,
            "reached": all(width <= target for target, width in self.reached(summary)),
            "half_widths": {f"{arm}.{target.metric}": _finite(width) for target, arm, width in self._widths(summary)},
        }

    def _widths(self, summary: Mapping[str, Any]) -> list[tuple[Target, str, float]]:
        return [
            (target, arm, relative_half_width(target.metric, _asked_figure(summary, arm, target.metric)))
            for target in self.targets
            for arm in summary["arms"]
            if target.arm in (None, arm)
        ]

    def identity(self) -> dict[str, Any]:
        """The part of a run's identity that it makes up."""
        return {"targets": {target.name: target.half_width for target in self.targets}, "most": self.most}


def _asked_figure(summary: Mapping[str, Any], arm: str, metric: str) -> Estimate:
    """The arm's figure of this run. For `failure_share` and `all_down` it is the availability, 1 less the metric."""
    if metric == "all_down":
        found = summary["chain"][arm]["every leg"]["availability"]
    else:
        found = summary["arms"][arm]["availability" if metric == "failure_share" else metric]
    assert isinstance(found, Estimate)
    return found


def relative_half_width(metric: str, figure: Estimate) -> float:
    """The longer side of an interval over the figure; for availability, over 1 - availability.

    Zero where replications do not differ at all, or where recorded incidents leave nothing random. Otherwise infinite
    where there is no interval or nothing was lost.
    """
    mean, low, high = figure.mean, figure.low, figure.high
    if mean is None:
        return math.inf
    whole = 1.0 - mean if metric in _SHORTFALL else abs(mean)
    why = figure.interval
    if low is None or high is None:
        certain = why == RECORDED or (why == NO_SPREAD and metric not in _SHORTFALL)
        return 0.0 if certain and (whole > 0.0 or metric not in _SHORTFALL) else math.inf
    half = max(high - mean, mean - low)
    if half == 0.0 and metric not in _SHORTFALL:
        return 0.0
    return half / whole if whole > 0.0 else math.inf


def _pair(text: str) -> tuple[str, float]:
    name, equals, value = text.partition("=")
    try:
        if not equals:
            raise ValueError
        value = value.strip()
        number = float(value.removesuffix("%")) / 100.0 if value.endswith("%") else float(value)
    except ValueError:
        raise DesError(f"--precision {text}: expected metric=share, such as availability=0.1") from None
    return name.strip(), number


def _target(name: str, value: float) -> Target:
    target = Target(name, float(value))
    if target.metric not in _ASKABLE:
        raise DesError(
            f"--precision {name}: unknown metric {target.metric!r}{did_you_mean(target.metric, _ASKABLE)}\n"
            f"precision can be asked for: {', '.join(_ASKABLE)}; of one arm as arm.metric"
        )
    if not 0.0 < target.half_width < 1.0:
        raise DesError(f"--precision {name}={value}: expected a relative half-width between 0 and 1, such as 0.1")
    return target


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
