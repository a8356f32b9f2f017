"""One replication against time: what became of requests, and which guards and limits were at work, in the same bins.

The bins are finer around the outages of the chain's endpoints than in the quiet time between them, so that a reader can
zoom from the year to the incident.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from des.report.series.outages import DOWN, Outages, Spell, merged, outages
from des.report.series.rows import Codes, Floats, batches, coded, floats
from des.traces import Run

PRIMARY: Final = "served by the first leg"
FALLBACK: Final = "served by a later leg"
LOST: Final = "lost"
OPEN: Final = "still open"
OUTCOMES: Final = (PRIMARY, FALLBACK, LOST, OPEN)
_AT_REST: Final = frozenset({"up", "working", "closed", "admitting", "healthy"})
_SHOWN_ELSEWHERE: Final = frozenset({"component", "provider", "model"})
_MARGIN: Final = 0.5
"""Of a window, before and after, as a share of the outage's length."""
_REQUESTS_IN_A_BIN: Final = 10
_LEAST_OF_ALL: Final = 120
"""Bins of equal length."""
_LEAST_BINS: Final = 8
"""Of a window around an outage."""


@dataclass(frozen=True, slots=True)
class Strip:
    """`counts` has a row for each of OUTCOMES and a column for each bin between the `edges_s`.

    `states` are the spells of breakers, cooldowns, limits and their like, to the resolution of the bins. `windows` are
    the spans of finer bins, of `outages` in all. `worst` is the span of the outage in which most requests were lost, or
    of the bin where none was lost in an outage; None where nothing was lost.
    """

    replication: int
    edges_s: Floats
    counts: Codes
    outages: Outages
    states: tuple[Spell, ...]
    worst: tuple[float, float] | None


def strip(run: Run, arm: str, replication: int, horizon_s: float, endpoints: Collection[str], most_bins: int) -> Strip:
    """Passes over the requests and the transitions of one replication. `endpoints` are those of the arm's chain."""
    found = outages(run, arm, replication, horizon_s, endpoints)
    requests = sum(batch.num_rows for batch in batches(run, "requests", arm, ("outcome",), replication))
    edges_s = bin_edges(horizon_s, down(found.endpoints), most_bins, requests)
    counts = _outcomes(run, arm, replication, edges_s)
    states = _states(run, arm, replication, edges_s)
    return Strip(replication, edges_s, counts, found, states, worst(edges_s, counts, down(found.endpoints)))


def most_lost(run: Run, arm: str, replications: Sequence[int]) -> int:
    """The replication that lost most requests, the first of equals."""
    lost = dict.fromkeys(replications, 0)
    for replication in replications:
        words: dict[str, int] = {}
        for batch in batches(run, "requests", arm, ("outcome",), replication):
            codes = coded(batch.column("outcome"), words)
            kept = [words[word] for word in ("ok", "in_flight") if word in words]
            lost[replication] += int(len(codes) - np.isin(codes, kept).sum())
    return max(lost, key=lambda replication: (lost[replication], -replication))


def down(spells: Sequence[Spell]) -> list[tuple[float, float]]:
    """When at least one entity was down."""
    return merged([(spell.start_s, spell.end_s) for spell in spells if spell.state == DOWN])


def bin_edges(horizon_s: float, spans: Sequence[tuple[float, float]], most_bins: int, requests: int = 0) -> Floats:
    """Edges from 0 to the horizon: half of the bins of equal length, the others around the spans, the longest first.

    Bins are so long that some ten of the `requests` arrive in each, unless there would be too few of them.
    """

    def bins(length_s: float, least: int, most: int) -> int:
        return max(least, min(most, round(requests * length_s / horizon_s / _REQUESTS_IN_A_BIN)))

    edges = [np.linspace(0.0, horizon_s, bins(horizon_s, min(_LEAST_OF_ALL, most_bins // 2), most_bins // 2) + 1)]
    longest = sorted(spans, key=lambda span: span[0] - span[1])[: most_bins // 2 // _LEAST_BINS]
    for start, end in longest:
        margin = _MARGIN * (end - start)
        low, high = max(0.0, start - margin), min(horizon_s, end + margin)
        edges.append(np.linspace(low, high, bins(high - low, _LEAST_BINS, most_bins // 2 // len(longest)) + 1))
        edges.append(np.array([start, end]))
    return np.unique(np.concatenate(edges))


def worst(edges_s: Floats, counts: Codes, spans: Sequence[tuple[float, float]]) -> tuple[float, float] | None:
    """See `Strip`."""
    lost = counts[OUTCOMES.index(LOST)]
    if not lost.sum():
        return None
    before = np.concatenate([[0], np.cumsum(lost)])

    def within(span: tuple[float, float]) -> int:
        first, last = np.searchsorted(edges_s, span[0]), np.searchsorted(edges_s, span[1])
        return int(before[last] - before[first])

    best = max(spans, key=within, default=None)
    if best is not None and within(best):
        return best
    place = int(np.argmax(lost))
    return float(edges_s[place]), float(edges_s[place + 1])


def _outcomes(run: Run, arm: str, replication: int, edges_s: Floats) -> Codes:
    words: dict[str, int] = {"ok": 0, "in_flight": 1}
    counts = np.zeros((len(OUTCOMES), len(edges_s) - 1), np.int64)
    for batch in batches(run, "requests", arm, ("arrival_s", "outcome", "chain_position"), replication):
        outcome, position = coded(batch.column("outcome"), words), floats(batch, "chain_position")
        what = np.select([outcome == 1, outcome != 0, position > 0], [3, 2, 1], 0)
        place = np.searchsorted(edges_s, floats(batch, "arrival_s"), side="right") - 1
        place = np.clip(place, 0, counts.shape[1] - 1)
        counts += np.bincount(what * counts.shape[1] + place, minlength=counts.size).reshape(counts.shape)
    return counts


def _states(run: Run, arm: str, replication: int, edges_s: Floats) -> tuple[Spell, ...]:
    """Spells outside of the state of rest. Each is widened to whole bins, so that touching ones are one."""
    marks: dict[tuple[str, str], Codes] = {}
    since: dict[str, tuple[str, float]] = {}
    entities: dict[str, int] = {}
    kinds: dict[str, int] = {}
    states: dict[str, int] = {}
    for batch in batches(run, "transitions", arm, ("time_s", "entity", "kind", "to"), replication):
        entity, kind, state = (
            coded(batch.column(name), words) for name, words in (("entity", entities), ("kind", kinds), ("to", states))
        )
        time_s = floats(batch, "time_s")
        left_out = [kinds[word] for word in _SHOWN_ELSEWHERE if word in kinds]
        names, words = list(entities), list(states)
        for code in np.unique(entity[~np.isin(kind, left_out)]):
            name, rows = names[int(code)], entity == code
            then, at_s = state[rows], time_s[rows]
            before = since.get(name)
            if before is not None:
                then, at_s = np.append(states[before[0]], then), np.append(before[1], at_s)
            since[name] = (words[int(then[-1])], float(at_s[-1]))
            for number in np.unique(then[:-1]):
                if words[int(number)] not in _AT_REST:
                    begun = np.flatnonzero(then[:-1] == number)
                    _mark(marks, (name, words[int(number)]), edges_s, at_s[begun], at_s[begun + 1])
    for name, (word, at) in since.items():
        if word not in _AT_REST:
            _mark(marks, (name, word), edges_s, np.array([at]), edges_s[-1:])
    return tuple(_marked(marks, edges_s))


def _mark(
    marks: dict[tuple[str, str], Codes], key: tuple[str, str], edges_s: Floats, low: Floats, high: Floats
) -> None:
    """Adds 1 at the first bin of each spell and takes it away after the last."""
    steps = marks.setdefault(key, np.zeros(len(edges_s) + 1, np.int64))
    bins = len(edges_s) - 1
    np.add.at(steps, np.clip(np.searchsorted(edges_s, low, side="right") - 1, 0, bins), 1)
    np.add.at(steps, np.clip(np.searchsorted(edges_s, high, side="left"), 0, bins), -1)


def _marked(marks: dict[tuple[str, str], Codes], edges_s: Floats) -> Iterator[Spell]:
    for (name, state), steps in marks.items():
        inside = np.concatenate([[False], np.cumsum(steps)[: len(edges_s) - 1] > 0, [False]])
        changes = np.flatnonzero(np.diff(inside.astype(np.int8)))
        for first, last in zip(changes[::2], changes[1::2], strict=True):
            yield Spell(name, state, float(edges_s[first]), float(edges_s[last]))
