"""What a client remembers of legs that it does not call, and how a window begins with it.

A half-open breaker, a streak of failures or a window of calls lasts until the leg is called again. For a fallback that
may be the next failover, months later, and no warm-up reaches back so far. So the last use of such a leg is played
before the warm-up: the memory's length of incidents up to the last instant at which every entry before the leg was
failing. The time between, in which the leg is not called, is left out.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf, prod
from typing import Any, Final

import numpy as np

from des.estimate.memory import chance_slower, request_rate_per_s
from des.faults import Timeline
from des.faults.episodes import intersection, merged
from des.faults.intervals import Intervals
from des.scenario.plan import (
    ConsecutiveBreaker,
    Cooldown,
    CountWindowBreaker,
    Effect,
    Ejection,
    Group,
    Guard,
    OwnBreaker,
    Plan,
)

_MOST_USES: Final = 12
"""Played before a window for one leg: with fewer calls in them than it takes to forget, the leg is refused."""
_SEARCHED: Final = 40
"""Pieces of which the mean length of a use is taken."""
_FAILS: Final = 0.05
"""The least share of calls that an incident must fail, so that the leg after it counts as called."""

Step = frozenset[int]
"""Endpoints of legs that share the calls of an entry, or of a tier of it. One of them failing leads on to the next."""


@dataclass(frozen=True, slots=True)
class IdleLeg:
    """A leg whose guards, or whose group's turn, outlast the time without calls.

    `after` are the steps before it: it is called while all of them are failing. It takes about `calls` to forget.
    `chance_per_s` is the rate of calls that random errors and slow responses of the steps lead to it without incidents.
    """

    what: str
    after: frozenset[Step]
    calls: float
    chance_per_s: float


def idle_legs(plan: Plan) -> Iterator[IdleLeg]:
    """Legs that outages alone lead to, with what is remembered of them."""
    if plan.client.order.kind != "ordered":
        return
    before: list[tuple[Step, float]] = []
    for group in plan.client.groups:
        for legs in _steps(plan, group):
            if before:
                rate_per_s = request_rate_per_s(plan) * prod(failing for _, failing in before)
                after = frozenset(step for step, _ in before)
                for leg in legs:
                    for what, calls in _lasting(plan, group, leg):
                        yield IdleLeg(what, after, calls, rate_per_s)
            endpoints = frozenset(plan.chain[leg].endpoint for leg in legs)
            before.append((endpoints, max(_fails_by_chance(plan, group, leg) for leg in legs)))


def _steps(plan: Plan, group: Group) -> list[tuple[int, ...]]:
    """The legs of a group by the order in which they are preferred; together where they share its calls."""
    tiers = sorted({plan.client.legs[leg].tier for leg in group.legs})
    by_tier = [tuple(leg for leg in group.legs if plan.client.legs[leg].tier == tier) for tier in tiers]
    if group.routing.kind != "ordered":
        return by_tier
    return [(leg,) for legs in by_tier for leg in legs]


def _lasting(plan: Plan, group: Group, leg: int) -> Iterator[tuple[str, float]]:
    """(what lasts without calls, how many calls it takes to forget it)."""
    name = plan.chain[leg].name
    for guard in plan.client.legs[leg].guards:
        calls = _calls_to_forget(guard)
        if calls > 0.0:
            yield f"{'ejection' if isinstance(guard, Ejection) else 'breaker'} of {name}", calls
    if group.routing.kind == "round_robin" and len(group.legs) > 1:
        yield f"routing of {group.name} (round_robin)", 1.0


def _calls_to_forget(guard: Guard) -> float:
    if isinstance(guard, Cooldown | OwnBreaker):
        return 0.0
    if isinstance(guard, Ejection):
        return 1.0 if guard.consecutive is not None and guard.consecutive > 1 else 0.0
    calls = float(guard.half_open or 0)
    if isinstance(guard, CountWindowBreaker):
        return max(calls, float(guard.calls))
    if isinstance(guard, ConsecutiveBreaker) and guard.failures > 1:
        return max(calls, 1.0)
    return calls


def _fails_by_chance(plan: Plan, group: Group, leg: int) -> float:
    """The chance that a call of the leg with all its retries fails, or is hedged at the next leg, without incidents."""
    settings, total_s = plan.client.legs[leg], plan.chain[leg].timeout.total_s
    hedge = settings.hedge
    if hedge is not None and hedge.to == "next":
        return chance_slower(plan, leg, hedge.after_s)
    answered = prod(1.0 - error.rate for error in plan.endpoints[plan.chain[leg].endpoint].errors)
    answered *= 1.0 - plan.chain[leg].invalid_output
    answered *= 1.0 if total_s is None else 1.0 - chance_slower(plan, leg, total_s)
    inner = prod(rule.retries + 1 for rule in settings.inner)
    calls = (group.retry.retries + 1) * inner
    return float((1.0 - answered) ** calls)


@dataclass(frozen=True, slots=True)
class _Use:
    """Of legs after the same steps: the calls it takes to forget, at most, and the rate of calls without incidents."""

    what: str
    calls: float
    chance_per_s: float


class LastUses:
    """Finds the last uses of every idle leg before an instant, in the pieces of drawn years.

    `spell_s` is how long the end of a use is that a window begins with. Where a piece has no use before the instant,
    those of an earlier piece are taken: pieces are alike. Pieces that begin with an empty system (`anew`) have none.
    """

    def __init__(
        self, plans: Iterable[Plan], pieces: Sequence[Timeline], until_s: float, spell_s: float, *, anew: bool
    ) -> None:
        several = list(plans)
        self.pieces = pieces
        self._until_s, self._spell_s = until_s, spell_s
        self._back = 1 if anew else len(pieces)
        self._rate_per_s = min(request_rate_per_s(plan) for plan in several)
        self._uses: dict[frozenset[Step], _Use] = {}
        for idle in (each for plan in several for each in idle_legs(plan)):
            of = self._uses.get(idle.after, _Use(idle.what, 0.0, idle.chance_per_s))
            rarest = min(of.chance_per_s, idle.chance_per_s)
            self._uses[idle.after] = _Use(
                idle.what if idle.calls > of.calls else of.what, max(of.calls, idle.calls), rarest
            )
        self._found: dict[tuple[frozenset[Step], int], Intervals] = {}

    def remembers_too_many(self) -> str:
        """Which leg remembers more of its uses than are played before a window; empty where none does."""
        for steps, use in self._uses.items():
            found = [self._in(steps, piece) for piece in range(min(len(self.pieces), _SEARCHED))]
            uses = sum(len(each.start_s) for each in found)
            lasted_s = sum(float((each.end_s - each.start_s).sum()) for each in found)
            if uses and _MOST_USES * lasted_s / uses * self._rate_per_s < use.calls:
                calls = lasted_s / uses * self._rate_per_s
                return f"{use.what} remembers {use.calls:,.0f} calls, and a failover makes {calls:.2g}"
        return ""

    def before(self, piece: int, time_s: float) -> list[tuple[Timeline, float, float]]:
        """(incidents, from, until) of the spells to play before the instant, in their order."""
        ends = {end for steps, use in self._uses.items() for end in self._last(steps, use, piece, time_s)}
        spells: list[tuple[int, float, float]] = []
        for back, end_s in sorted(ends, key=lambda each: (-each[0], each[1])):
            start_s = max(0.0, end_s - self._spell_s)
            if spells and spells[-1][0] == back and spells[-1][2] > start_s:
                spells[-1] = (back, spells[-1][1], end_s)
            elif end_s > start_s:
                spells.append((back, start_s, end_s))
        return [(self.pieces[(piece - back) % len(self.pieces)], start_s, end_s) for back, start_s, end_s in spells]

    def _last(self, steps: frozenset[Step], use: _Use, piece: int, time_s: float) -> Iterator[tuple[int, float]]:
        """(how many pieces back, when it ends) of the uses before the instant that are remembered, the last first."""
        calls, played, until_s = 0.0, 0, time_s
        for back in range(self._back):
            uses = self._in(steps, (piece - back) % len(self.pieces))
            for place in range(int(np.searchsorted(uses.start_s, until_s, side="left")) - 1, -1, -1):
                end_s = min(float(uses.end_s[place]), until_s)
                since_s = time_s + back * self._until_s - end_s
                if calls + since_s * use.chance_per_s >= use.calls or played == _MOST_USES:
                    return
                yield back, end_s
                played += 1
                calls += (end_s - float(uses.start_s[place])) * self._rate_per_s
            until_s = self._until_s

    def _in(self, steps: frozenset[Step], piece: int) -> Intervals:
        key = steps, piece
        if key not in self._found:
            timeline = self.pieces[piece]
            self._found[key] = intersection([_failing(timeline, step) for step in steps]).starting_before(self._until_s)
        return self._found[key]


def _failing(timeline: Timeline, step: Step) -> Intervals:
    """When incidents are open that fail calls of any endpoint of the step."""
    fails = np.array([_fails(effect) for effect in timeline.effects], dtype=np.bool_)
    of = timeline.hits[:, sorted(step)].any(axis=1) & fails[timeline.effect]
    return merged(Intervals(timeline.start_s[of], timeline.end_s[of]))


def _fails(effect: Effect) -> bool:
    return effect.error_rate + effect.hang >= _FAILS


def preceded(
    timeline: Timeline, begin_s: float, spells: Sequence[tuple[Timeline, float, float]]
) -> tuple[Timeline, float]:
    """(the incidents of a window with those of earlier spells before them, when its clock then begins).

    `timeline` has the incidents of the window, whose own warm-up begins at `begin_s`. The spells are moved to follow
    each other and to end there; those are left out before which the clock would be below 0.
    """
    parts = [_between(timeline, begin_s, inf, 0.0)]
    at_s = begin_s
    for source, from_s, until_s in reversed(spells):
        if at_s < until_s - from_s:
            break
        parts.append(_between(source, from_s, until_s, at_s - until_s))
        at_s -= until_s - from_s
    return _joined(parts), at_s


def followed(timeline: Timeline, source: Timeline, from_s: float, until_s: float) -> Timeline:
    """The incidents of a window with those of `source` that start later: in [from, until)."""
    first, past = np.searchsorted(source.start_s, (from_s, until_s), side="left").tolist()
    later = {name: getattr(source, name)[first:past] for name in _COLUMNS}
    return _joined([timeline, replace(timeline, **later)])


def _joined(parts: Sequence[Timeline]) -> Timeline:
    joined: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _COLUMNS}
    order = np.argsort(joined["start_s"], kind="stable")
    hits = np.asfortranarray(joined.pop("hits")[order])
    return replace(parts[0], hits=hits, **{name: column[order] for name, column in joined.items()})


def _between(timeline: Timeline, from_s: float, until_s: float, later_s: float) -> Timeline:
    """The incidents that are open in [from, until), cut to it, and moved by `later_s`."""
    of = np.flatnonzero((timeline.start_s < until_s) & (timeline.end_s > from_s))
    kept = {name: getattr(timeline, name)[of] for name in _COLUMNS}
    kept["start_s"] = np.maximum(kept["start_s"], from_s) + later_s
    kept["end_s"] = np.minimum(kept["end_s"], until_s) + later_s
    return replace(timeline, **kept)


_COLUMNS: Final = ("component", "kind", "start_s", "end_s", "effect", "hits", "shared")
