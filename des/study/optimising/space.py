"""What a search may choose from: chains of some entries in any order, and values of other fields."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from des.errors import DesError, Problem, ScenarioError
from des.scenario import Loaded, from_mapping, plans
from des.scenario.checks.aims import entry_words
from des.scenario.plan import Plan
from des.scenario.resolution.chosen_entries import entries_move_freely, interchangeable, with_entries
from des.scenario.schema.optimise import LegChoice, Optimise
from des.scenario.text.document import Document
from des.scenario.text.overrides import Assignment, with_assignments
from des.study.sweep_ranges import Grid, grid
from des.words import unknown

AS_WRITTEN: Final = -1
"""The setting that changes nothing."""
_MOST_SETTINGS: Final = 10_000
_OF_LEGS: Final = ("chain", "providers", "components", "common_cause", "surge", "budgets")
"""Values below these paths may make entries differ that are alike as written."""
_FIRST_KEY: Final = re.compile(r"[.\[]")
_KEPT: Final = 64
"""Settings whose plans are kept."""


@dataclass(frozen=True, slots=True, order=True)
class Candidate:
    """Entries of the scenario's chain, in order, and the number of a setting."""

    setting: int
    entries: tuple[int, ...]


@dataclass(slots=True)
class Space:
    """The candidates, and the plan of each. It can be pickled; plans are made where they are needed.

    `names` are those of the entries of the scenario's chain, `pool` the entries to choose from, `alike` a number for
    each entry that those share which may be exchanged. `grid` has the paths that vary, with their values as written.
    Where the chain is as written, `least` and `most` are None.
    """

    document: Document
    names: tuple[str, ...]
    pool: tuple[int, ...]
    alike: tuple[int, ...]
    least: int | None
    most: int | None
    grid: Grid | None
    _plans: dict[int, Plan] = field(default_factory=dict, repr=False)

    def __getstate__(self) -> tuple[Any, ...]:
        return self.document, self.names, self.pool, self.alike, self.least, self.most, self.grid

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.document, self.names, self.pool, self.alike, self.least, self.most, self.grid = state
        self._plans = {}

    @property
    def settings(self) -> range:
        """Their numbers; as written where nothing but the chain varies."""
        return range(AS_WRITTEN, 0) if self.grid is None else range(len(self.grid))

    @property
    def varies_chain(self) -> bool:
        return self.most is not None

    def setting(self, number: int) -> dict[str, str]:
        """The value of each path, by the number of a setting; none as written."""
        return {} if self.grid is None or number == AS_WRITTEN else self.grid.at(number)

    def plan(self, candidate: Candidate) -> Plan:
        """Raises ScenarioError where its values contradict each other."""
        whole = self.whole(candidate.setting)
        if candidate.entries == tuple(range(len(self.names))):
            return whole
        if entries_move_freely(whole):
            return with_entries(whole, candidate.entries)
        return self._resolved(candidate.setting, [self.names[entry] for entry in candidate.entries])

    def whole(self, setting: int) -> Plan:
        """The plan of the chain as written, at a setting."""
        if setting not in self._plans:
            if len(self._plans) >= _KEPT:
                del self._plans[next(iter(self._plans))]
            self._plans[setting] = self._resolved(setting)
        return self._plans[setting]

    def chains(self) -> float:
        """How many chains there are; entries that are alike count once. Infinite beyond any count."""
        if self.least is None or self.most is None:
            return 1
        sizes = [0] * (max(self.alike) + 1)
        for entry in self.pool:
            sizes[self.alike[entry]] += 1
        sequences = [1] + [0] * self.most  # of each length, as exponential generating functions of each kind
        for size in sizes:
            sequences = [
                sum(math.comb(length, of) * sequences[length - of] for of in range(min(size, length) + 1))
                for length in range(self.most + 1)
            ]
        return sum(sequences[self.least :])

    def extensions(self, entries: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        """The chains with one entry more; of entries that are alike, the first that is left."""
        met: set[int] = set()
        for entry in self.pool:
            if entry not in entries and self.alike[entry] not in met:
                met.add(self.alike[entry])
                yield (*entries, entry)

    def has(self, candidate: Candidate) -> bool:
        """Whether a candidate is one of those to choose from; the scenario as written need not be."""
        return candidate.setting in self.settings and self.allows(candidate.entries)

    def allows(self, entries: tuple[int, ...]) -> bool:
        """Whether these entries are one of the chains to choose from."""
        if self.least is None or self.most is None:
            return entries == self.written()
        return self.least <= len(entries) <= self.most and set(entries) <= set(self.pool)

    def written(self) -> tuple[int, ...]:
        return tuple(range(len(self.names)))

    def chain(self, candidate: Candidate) -> tuple[str, ...]:
        """The names of its entries: those of its own values, where values write other entries."""
        if candidate.entries == self.written() and any(map(_writes_entries, self.setting(candidate.setting))):
            return tuple(group.name for group in self.whole(candidate.setting).client.groups)
        return tuple(self.names[entry] for entry in candidate.entries)

    def label(self, candidate: Candidate) -> str:
        """The names of the chain, and the values where they vary."""
        of = self.setting(candidate.setting)
        chain = " > ".join(self.chain(candidate))
        values = ", ".join(f"{path}={value}" for path, value in of.items())
        if not self.varies_chain and values:
            return values
        return f"{chain}; {values}" if values else chain

    def _resolved(self, setting: int, chain: Sequence[str] | None = None) -> Plan:
        assignments = [Assignment(f"{path}={text}", f"{path}={text}") for path, text in self.setting(setting).items()]
        content = with_assignments(self.document, assignments).content
        if chain is not None:
            content = content | {"arms": {"candidate": {"chain": list(chain)}}}
        (plan,) = plans(from_mapping(content, self.document.folder)).values()
        return replace(plan, arm="candidate")


def _writes_entries(path: str) -> bool:
    return path == "chain" or (path.startswith("chain") and path.endswith((".provider", ".model")))


def space_of(
    loaded: Loaded,
    said: Optimise,
    over: Mapping[str | tuple[str, ...], Sequence[Any]] | Sequence[str],
    legs: Sequence[str] | None,
    most: int | None,
    least: int | None,
) -> Space:
    """The space of the scenario's `optimise`, with what is given here in its place.

    The chain varies where legs, `most` or `least` are given, where the scenario says `legs`, and where nothing else
    varies. Raises ScenarioError or DesError for paths, values and names that do not exist.
    """
    content = loaded.resolved()
    for key in ("arms", "expect", "optimise", "objective"):
        content.pop(key, None)
    document = Document(content, file=loaded.document.file, folder=loaded.document.folder)
    varied = grid(over) if over else None
    if varied is not None and len(varied) > _MOST_SETTINGS:
        raise DesError(f"over: {len(varied):,} combinations of values, more than {_MOST_SETTINGS:,}; name fewer")
    choice = said.legs or (LegChoice() if varied is None else None)
    if legs is not None or most is not None or least is not None:
        choice = choice or LegChoice()
    (whole,) = plans(from_mapping(content, document.folder)).values()
    if varied is not None:
        _check_values(document, varied)
    names = tuple(group.name for group in whole.client.groups)
    every = tuple(range(len(names)))
    if choice is None:
        return Space(document, names, every, every, None, None, varied)
    pool = _pool(content, legs if legs is not None else choice.among, every)
    longest = min(len(pool), choice.most if most is None else most)
    shortest = choice.least if least is None else least
    if shortest > longest or shortest < 1:
        raise DesError(f"no chain of {len(pool)} entries has at least {shortest} and at most {longest}")
    paths = () if varied is None else varied.paths
    apart = not entries_move_freely(whole) or any(_FIRST_KEY.split(path)[0] in _OF_LEGS for path in paths)
    alike = every if apart else tuple(interchangeable(whole))
    return Space(document, names, pool, alike, shortest, longest, varied)


def _pool(content: Mapping[str, Any], among: Sequence[str] | None, every: tuple[int, ...]) -> tuple[int, ...]:
    if among is None:
        return every
    words = entry_words(content)
    problems = [Problem(unknown("entry of the chain", name, words), "legs") for name in among if name not in words]
    if problems:
        raise ScenarioError(problems)
    chosen = tuple(dict.fromkeys(entry for name in among for entry in words[name]))
    if not chosen:
        raise DesError("legs: no entry of the chain is named")
    return chosen


def _check_values(document: Document, varied: Grid) -> None:
    """Every value by itself. Raises ScenarioError with the problems of all of them."""
    problems: list[Problem] = []
    for axis in varied.axes:
        for number in range(len(axis)):
            texts = [f"{path}={value}" for path, value in axis.at(number).items()]
            try:
                changed = with_assignments(document, [Assignment(text, f"over {text}") for text in texts])
                plans(from_mapping(changed.content, document.folder))
            except ScenarioError as error:
                where = f"over {', '.join(texts)}"
                problems += [replace(problem, file=problem.file or where) for problem in error.problems]
    if problems:
        raise ScenarioError(list(dict.fromkeys(problems)))


def chains_of(space: Space) -> Iterator[tuple[int, ...]]:
    """Every chain, the shortest first."""
    if space.least is None or space.most is None:
        yield space.written()
        return
    level: list[tuple[int, ...]] = [()]
    for length in range(1, space.most + 1):
        level = [longer for entries in level for longer in space.extensions(entries)]
        if length >= space.least:
            yield from level
