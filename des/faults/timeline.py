"""Every incident of one replication, drawn before its clock starts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from des.faults.incident_classes import kind_of
from des.faults.independent_twin import Draw
from des.faults.intervals import BoolArray, ClassKeys, FloatArray, Intervals
from des.scenario.plan import Effect, IncidentClass, Plan
from des.vocabulary import INCIDENT_KINDS

IntArray = NDArray[np.int64]
Number = TypeVar("Number", np.int64, np.float64)


@dataclass(frozen=True, slots=True)
class Timeline:
    """n incidents with `start_s < until_s`, sorted by start, then component, class and number in its class.

    An incident's position is its id. Incidents open at time 0 start before it. An end may lie beyond `until_s`, but
    incidents that start there are missing, so states are known up to `until_s` only.
    """

    until_s: float
    component: IntArray  # int64[n], index into the plan's components
    kind: IntArray  # int64[n], code into INCIDENT_KINDS
    start_s: FloatArray  # float64[n], in seconds since the scenario's start
    end_s: FloatArray  # float64[n], always later than start_s
    effect: IntArray  # int64[n], index into effects
    effects: tuple[Effect, ...]  # every effect of the plan, drawn or not
    hits: BoolArray  # bool[n, endpoints], whether the incident hits the endpoint; contiguous by endpoint
    shared: BoolArray  # bool[n], whether it hits endpoints of more than one provider

    def __len__(self) -> int:
        return len(self.start_s)

    @property
    def outage(self) -> BoolArray:
        """bool[n]: whether every call that the incident hits fails."""
        return np.array([effect.outage for effect in self.effects], dtype=np.bool_)[self.effect]


def draw_timeline(plan: Plan, replication: int, until_s: float) -> Timeline:
    """All incidents that start before `until_s`, and those open at 0 unless the plan starts up.

    The plan's `shared` decides which incidents endpoints have in common. The result is a pure function of the plan's
    seed, the replication and, for each class, its component's name, its number there and its own parameters. Below
    `shared: 1` it also depends on the names of the endpoints that a class can hit, and for recorded incidents on the
    horizon. So components and classes added elsewhere change nothing, and a later `until_s` appends. Raises DesError
    where a class would have more incidents than can be drawn, or where recorded incidents cannot be set apart.
    """
    draw = Draw.of(plan, replication, until_s)
    codes: dict[Effect, int] = {}
    component: list[IntArray] = []
    kind: list[IntArray] = []
    windows: list[Intervals] = []
    effect: list[IntArray] = []
    hits: list[BoolArray] = []
    for index, incidents, keys in _classes(plan, replication):
        class_codes = np.array([codes.setdefault(one, len(codes)) for one in incidents.every_effect], dtype=np.int64)
        class_kind = INCIDENT_KINDS.index(kind_of(incidents))
        for part in draw.parts(index, incidents, keys):
            count = len(part.effect)
            component.append(np.full(count, index, dtype=np.int64))
            kind.append(np.full(count, class_kind, dtype=np.int64))
            windows.append(part.windows)
            effect.append(class_codes[part.effect])
            hits.append(part.hits)
    start_s = _column([drawn.start_s for drawn in windows], np.float64)
    order = np.argsort(start_s, kind="stable")  # keeps equal starts in order of component, class and number
    by_endpoint = np.concatenate([np.zeros((len(plan.endpoints), 0), dtype=np.bool_), *hits], axis=1)
    by_endpoint = np.take(by_endpoint, order, axis=1)
    return Timeline(
        until_s=until_s,
        component=_column(component, np.int64)[order],
        kind=_column(kind, np.int64)[order],
        start_s=start_s[order],
        end_s=_column([drawn.end_s for drawn in windows], np.float64)[order],
        effect=_column(effect, np.int64)[order],
        effects=tuple(codes),
        hits=by_endpoint.T,
        shared=draw.reach.shared(by_endpoint),
    )


def one_after_the_other(several: Sequence[Timeline], span_s: float) -> Timeline:
    """Timelines of one plan as a single one, in which each begins `span_s` after the start of the one before it.

    `span_s` is at most their `until_s`. An incident that is open where its timeline begins or ends is cut off there.
    """
    shift_s = np.repeat(np.arange(len(several)) * span_s, [len(one) for one in several])
    return Timeline(
        until_s=len(several) * span_s,
        component=np.concatenate([one.component for one in several]),
        kind=np.concatenate([one.kind for one in several]),
        start_s=np.concatenate([np.maximum(one.start_s, 0.0) for one in several]) + shift_s,
        end_s=np.concatenate([np.minimum(one.end_s, span_s) for one in several]) + shift_s,
        effect=np.concatenate([one.effect for one in several]),
        effects=several[0].effects,
        hits=np.concatenate([one.hits.T for one in several], axis=1).T,
        shared=np.concatenate([one.shared for one in several]),
    )


def drawn_class(
    plan: Plan, replication: int, component: int, number: int, until_s: float
) -> tuple[Intervals, BoolArray]:
    """The incidents of one class alone, as `draw_timeline` draws them: windows, and hits as bool[endpoints, n].

    `number` counts the component's classes from 0. The copies of members that `shared` sets apart follow each other, so
    starts are not sorted.
    """
    of = plan.components[component]
    keys = ClassKeys(plan.seed, replication, of.name, number)
    parts = list(Draw.of(plan, replication, until_s).parts(component, of.incidents[number], keys))
    windows = [part.windows for part in parts]
    drawn = Intervals(
        _column([of.start_s for of in windows], np.float64), _column([of.end_s for of in windows], np.float64)
    )
    hits = np.concatenate([np.zeros((len(plan.endpoints), 0), dtype=np.bool_), *(part.hits for part in parts)], axis=1)
    return drawn, hits


def _classes(plan: Plan, replication: int) -> Iterator[tuple[int, IncidentClass, ClassKeys]]:
    for component in plan.components:
        for number, incidents in enumerate(component.incidents):
            yield component.index, incidents, ClassKeys(plan.seed, replication, component.name, number)


def _column(parts: list[NDArray[Number]], dtype: type[Number]) -> NDArray[Number]:
    return np.concatenate([np.empty(0, dtype=dtype), *parts])
