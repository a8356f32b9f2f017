"""Overrides: `--set path=value`, and arms applied to the scenario.

Mappings merge; other values replace. `null` restores the default. A path such as `policy.rounds` or
`chain[0].timeout.total` reaches one value. The result remembers where each value came from, so that a problem with it
is reported there.
"""

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from des.errors import Problem, ScenarioError
from des.scenario.text.document import Document
from des.scenario.text.names import at, chain_legs, group_names, is_named, items, leg_names, mapping
from des.scenario.text.places import Path, Place, path_text
from des.scenario.text.problems import Finding
from des.scenario.text.short_paths import as_meant, whole_path
from des.scenario.text.strict_yaml import LONE_SURROGATE, YamlError, has_lone_surrogate, read_yaml
from des.scenario.text.units import shown
from des.words import meant, nearest, unknown

_FIXED_IN_ARMS: Final = ("arms", "expect", "objective", "value", "optimise", "seed", "replications", "traces")
"""Fields common to all arms, because comparisons pair their runs."""
_SLIP: Final = 0.8
"""A new name at least this similar to an existing one counts as a typing error, unless it is set as a whole."""

_LONGEST_PATH: Final = 2_000
_LONGEST_QUOTED: Final = 120
"""A longer assignment is cut short in messages."""
_MOST_DIGITS: Final = 9
"""Of a position in a list, which has fewer entries."""

_PART: Final = re.compile(r"""\[\s*(?:([0-9]+)|"([^"]*)"|'([^']*)'|([^\]"']+))\s*\]|([^.\[\]]+)|\.""")


class UnknownPathError(Exception):
    """A path that does not exist in a scenario."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """`path=value`, and the text that the user wrote (`--seed -1`), which problems quote."""

    text: str
    said_as: str


@dataclass(slots=True)
class Overlay:
    """The content of one arm while its overrides are applied."""

    content: dict[str, Any]
    origins: dict[Path, Path] = field(default_factory=dict)
    """Paths that the arm set -> the path within the document where it did."""
    findings: list[Finding] = field(default_factory=list)
    """Findings on the arm itself, by path within the document."""

    def origin(self, path: Path) -> Path | None:
        """Where in the document the arm set the value at a path; None if the arm did not set it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.origins:
                return (*self.origins[path[:length]], *path[length:])
        return None


def with_assignments(document: Document, assignments: Sequence[str | Assignment]) -> Document:
    """The document with each `path=value` set, in this order. Raises ScenarioError with all that cannot be set.

    Problems quote an assignment given as text as `--set path=value`.
    """
    content = copy.deepcopy(document.content)
    places: dict[Path, Place] = {}
    problems: list[Problem] = []
    for assignment in assignments:
        if isinstance(assignment, str):
            assignment = Assignment(assignment, f"--set {_quoted(assignment)}")
        here = Place(assignment.said_as)
        text, equals, value_text = assignment.text.partition("=")
        try:
            if not equals or not text.strip():
                raise UnknownPathError("expected path=value, such as policy.rounds=3")
            path = find_path(content, text.strip())
            if path[0] not in content and (whole := whole_path(path, content)) is not None:
                instead = f"{path_text(whole)}={as_meant(whole, value_text.strip())}"
                raise UnknownPathError(f"{path_text(path)}: unknown key '{path[0]}'; write {instead}")
            value = _value(value_text)
            if _of_no_cause(path, content, assignments):
                raise UnknownPathError(f"{path_text(path)}: {_NO_CAUSE}")
            if value is None and _is_no_component(path, content):
                raise UnknownPathError(f"{path_text(path)}: {_nothing_to_take_out(path, content)}")
            _assign(content, path, value)
        except UnknownPathError as error:
            problems.append(Problem(str(error), file=here.file))
            continue
        places = {known: place for known, place in places.items() if known[: len(path)] != path}
        for length in range(1, len(path)):
            if path[:length] not in document.values:
                places.setdefault(path[:length], here)
        places[path] = here
        places |= dict.fromkeys(_below(value, path), here)
    if problems:
        raise ScenarioError(problems)
    return document.with_content(content, places)


_NO_CAUSE: Final = (
    "there is no common_cause in this scenario; shared=0:1:0.1 sweeps the share of what it has in common (depends_on), "
    "and common_cause: {members: [...], fraction: 30%} adds one"
)


def _of_no_cause(path: Path, content: Mapping[str, Any], assignments: Sequence[str | Assignment]) -> bool:
    """Whether a field of a common cause is set where there is none, and no assignment says whom it hits."""
    if path[:1] != ("common_cause",) or len(path) == 1 or content.get("common_cause"):
        return False
    texts = (each if isinstance(each, str) else each.text for each in assignments)
    return not any("members" in text.partition("=")[0] for text in texts)


def _quoted(assignment: str) -> str:
    return assignment if len(assignment) <= _LONGEST_QUOTED else f"{assignment[: _LONGEST_QUOTED - 3]}..."


def _below(value: object, path: Path) -> list[Path]:
    children: list[tuple[Path, Any]] = []
    if isinstance(value, dict):
        children = [((*path, key), child) for key, child in value.items()]
    elif isinstance(value, list):
        children = [((*path, position), child) for position, child in enumerate(value)]
    return [below for at, child in children for below in (at, *_below(child, at))]


def _value(text: str) -> Any:
    if text.lstrip().startswith((">", "<")):
        return text.strip()  # a comparison: YAML would take its sign for that of a block
    try:
        return read_yaml(text)[0]
    except YamlError as error:
        raise UnknownPathError(f"the value is not valid YAML: {error}") from None


def find_path(content: Mapping[str, Any], text: str) -> Path:
    """The path within a content that a text such as `chain[0].retries` or `chain.0.retries` means.

    Keys may contain dots (`providers.google.models.gemini-2.5-flash.price`): the longest existing key wins. Missing
    mappings are created. A new name of a component, provider or model that is close to an existing one counts as a
    typing error, unless it is set as a whole. A value that an arm sets within a list of the scenario is one dotted key
    of the arm. Raises UnknownPathError.
    """
    parts = _parts(text)
    path: Path = ()
    here: Any = content
    while parts:
        if here is None and path[:1] == ("arms",) and isinstance(at(content, path[2:]), list):
            return (*path[:2], path_text(path[2:]) + "".join(f"[{part}]" for part in parts))
        if isinstance(here, list):
            path, here = _into_list(path, here, parts.pop(0), content)
            continue
        if here is not None and not isinstance(here, dict):
            raise UnknownPathError(f"{path_text(path)} is {shown(here)}, not a mapping: set it as a whole")
        key, used = _longest_key(mapping(here), parts)
        if path == ("expect",) and key not in mapping(here):
            key, used = ".".join(parts), len(parts)  # arm.metric is one key
        parts = parts[used:]
        if parts and key not in mapping(here) and is_named(path) and path != ("arms",):
            _refuse_slip((*path, key), mapping(here))
        path = (*path, key)
        here = mapping(here).get(key)
    return path


def _refuse_slip(path: Path, known: Mapping[str, Any]) -> None:
    name, new = str(path[-1]), path_text(path)
    if nearest(name, known, _SLIP):
        remedy = f"to add one, set it as a whole: {new}={{...}}"
        raise UnknownPathError(f"{new}: unknown name '{name}'{meant(name, known)} ({remedy})")


def _parts(text: str) -> list[str]:
    if has_lone_surrogate(text):
        raise UnknownPathError(f"'{text}' contains {LONE_SURROGATE}")
    if len(text) > _LONGEST_PATH:
        raise UnknownPathError(
            f"{shown(text)} is a path of {len(text):,} characters: at most {_LONGEST_PATH:,} are possible"
        )
    parts: list[str] = []
    at = 0
    while at < len(text):
        match = _PART.match(text, at)
        if match is None:
            raise UnknownPathError(f"'{text}' is not a path such as policy.rounds or chain[0].retries")
        word = next((group for group in match.groups() if group is not None), None)
        if word is not None:
            parts.append(word)
        at = match.end()
    if not parts:
        raise UnknownPathError(f"'{text}' is not a path such as policy.rounds or chain[0].retries")
    return parts


def _longest_key(here: Mapping[str, Any], parts: Sequence[str]) -> tuple[str, int]:
    for used in range(len(parts), 1, -1):
        key = ".".join(parts[:used])
        if key in here:
            return key, used
    return parts[0], 1


def _into_list(path: Path, here: list[Any], part: str, content: Mapping[str, Any]) -> tuple[Path, Any]:
    if part.isascii() and part.isdigit():
        position = int(part[:_MOST_DIGITS])
        if position >= len(here):
            many = f"has {len(here)} {'entry' if len(here) == 1 else 'entries'}, counted from 0"
            raise UnknownPathError(f"{path_text((*path, position))}: {path_text(path)} {many}")
    elif path == ("chain",):
        within = _entry_named(path, here, part, content)
        return (*path, *within), at(here, within)
    elif path[:1] == ("chain",) and path[2:] == ("legs",):
        within = _entry_named(path, content["chain"], part, content, group=path[1])
        return (*path[:1], *within), at(content["chain"], within)
    else:
        raise UnknownPathError(f"{path_text(path)} is a list: write {path_text(path)}[0], not '{part}'")
    return (*path, position), here[position]


def _entry_named(
    path: Path, chain: list[Any], word: str, content: Mapping[str, Any], group: str | int | None = None
) -> Path:
    """The path within the chain of the only group or leg of a name, or of a leg within `group` if that is given."""
    legs, names = chain_legs(chain), leg_names(content, chain)
    groups = [(position,) for position, name in enumerate(group_names(chain)) if name == word and group is None]
    chosen = [legs[index][0] for index in _selected(word, [leg for _, leg in legs], names)]
    found: list[Path] = [*groups] or [within for within in chosen if group in (None, within[0])]
    if len(found) != 1:
        what = "is not the name of a leg" if not found else "means several legs"
        known = [*names, *(name for name in group_names(chain) if name is not None)]
        raise UnknownPathError(f"{path_text(path)}: '{word}' {what}{meant(word, known)}")
    return found[0]


def _assign(content: dict[str, Any], path: Path, value: Any) -> None:
    """Sets the value at a path from `find_path`."""
    _parent(content, path)[path[-1]] = value


def _parent(content: dict[str, Any], path: Path) -> Any:
    """The mapping or list that contains the last part of a path. Missing mappings on the way are created."""
    here: Any = content
    for part in path[:-1]:
        if (here.get(part) if isinstance(here, dict) else here[part]) is None:
            here[part] = {}
        here = here[part]
    return here


def lay_over(base: Mapping[str, Any], arm: str, overrides: Mapping[str, Any]) -> Overlay:
    """The scenario's content with an arm's overrides applied."""
    overlay = Overlay({key: copy.deepcopy(value) for key, value in base.items() if key not in ("arms", "expect")})
    for key, value in overrides.items():
        here: Path = ("arms", arm, key)
        root = re.split(r"[.\[]", key, maxsplit=1)[0]
        if root in _FIXED_IN_ARMS:
            overlay.findings.append(Finding(here, f"'{root}' must be the same in all arms", at_key=True))
        elif key == "chain":
            _choose_chain(overlay, value, here)
        elif root == key:
            _merge(overlay, overlay.content, (key,), value, here)
        else:
            try:
                path = find_path(overlay.content, key)
                _merge(overlay, _parent(overlay.content, path), path, value, here)
            except UnknownPathError as error:
                overlay.findings.append(Finding(here, str(error), at_key=True))
    return overlay


def _merge(overlay: Overlay, here: Any, path: Path, value: Any, origin: Path) -> None:
    """Merges a value into its mapping or list, `here`, at the last part of the path."""
    key = path[-1]
    current = here.get(key) if isinstance(here, dict) else here[key]
    if value is None and _is_no_component(path, overlay.content):
        overlay.findings.append(Finding(origin, _nothing_to_take_out(path, overlay.content), at_key=True))
        return
    if path == ("components",) and isinstance(value, dict) and current is None:
        current = here[key] = {}
        overlay.origins[path] = origin
    if value is None and isinstance(here, dict) and key in here:
        del here[key]
        overlay.origins[path] = origin
    elif isinstance(value, dict) and isinstance(current, dict) and _same_kind(current, value):
        for name, each in value.items():
            _merge(overlay, current, (*path, name), each, (*origin, name))
    else:
        here[key] = copy.deepcopy(value)
        overlay.origins[path] = origin


def _is_no_component(path: Path, content: Mapping[str, Any]) -> bool:
    """Whether a path names a component that the content does not have."""
    return len(path) == 2 and path[0] == "components" and path[1] not in mapping(content.get("components"))


def _nothing_to_take_out(path: Path, content: Mapping[str, Any]) -> str:
    """`null` removes a component. With an unknown name it would add one."""
    name, known = str(path[-1]), mapping(content.get("components"))
    return f"{unknown('component', name, known)} (null removes an existing one)"


def _same_kind(current: Mapping[str, Any], value: Mapping[str, Any]) -> bool:
    """Whether two mappings have the same `kind`. The parameters of one kind do not apply to another."""
    return "kind" not in value or value["kind"] == current.get("kind")


def _choose_chain(overlay: Overlay, value: Any, origin: Path) -> None:
    """Replaces the chain. A text in it selects groups or legs of the scenario's chain by name, or legs by provider.

    Legs of a group keep their group and its settings, without the other legs.
    """
    if not isinstance(value, list):
        _merge(overlay, overlay.content, ("chain",), value, origin)
        return
    known = _Chain(overlay.content)
    if any(isinstance(entry, str) for entry in value) and not known.is_sound:
        return
    chain: list[Any] = []
    origins: dict[Path, Path] = {}
    for position, entry in enumerate(value):
        if not isinstance(entry, str):
            origins["chain", len(chain)] = (*origin, position)
            chain.append(copy.deepcopy(entry))
            continue
        taken = list(known.taken(entry))
        if not taken:
            message = f"unknown leg or provider '{entry}' in the chain{meant(entry, known.words)}"
            overlay.findings.append(Finding((*origin, position), message))
        for index, within, content in taken:
            here: Path = ("chain", len(chain))
            origins[here] = ("chain", index)
            origins |= {(*here, "legs", new): ("chain", index, "legs", old) for new, old in enumerate(within)}
            chain.append(content)
    if any(finding.path[: len(origin)] == origin for finding in overlay.findings):
        return
    overlay.content["chain"] = chain
    overlay.origins |= {("chain",): origin, **origins}


class _Chain:
    """The scenario's chain, from which an arm selects entries by name."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self._entries = items(content.get("chain"))
        self._legs = chain_legs(self._entries)
        self._names = leg_names(content, self._entries)
        self._groups = group_names(self._entries)

    @property
    def is_sound(self) -> bool:
        """Whether legs can be selected from it. If not, the scenario's own findings say why."""
        return bool(self._legs) and all(isinstance(mapping(leg).get("provider"), str) for _, leg in self._legs)

    @property
    def words(self) -> list[str]:
        providers = (str(mapping(leg).get("provider")) for _, leg in self._legs)
        return [*self._names, *(name for name in self._groups if name is not None), *providers]

    def taken(self, word: str) -> Iterator[tuple[int, list[int], Any]]:
        """(position, positions of legs within a group, content) of each entry that a word selects."""
        if word in self._groups:
            group = self._groups.index(word)
            chosen = [position for position, (path, _) in enumerate(self._legs) if path[0] == group]
        else:
            chosen = _selected(word, [leg for _, leg in self._legs], self._names)
        for entry in dict.fromkeys(int(self._legs[position][0][0]) for position in chosen):
            of_entry = [position for position in chosen if self._legs[position][0][0] == entry]
            legs = [_named_leg(self._legs[position][1], self._names[position]) for position in of_entry]
            if len(self._legs[of_entry[0]][0]) == 1:
                yield entry, [], legs[0]
            else:
                within = [int(self._legs[position][0][2]) for position in of_entry]
                yield entry, within, {**copy.deepcopy(self._entries[entry]), "legs": legs}


def _named_leg(leg: Any, name: str) -> Any:
    """A leg keeps its name, and so its draws, when legs before it are left out (`#2` stays `#2`)."""
    leg = copy.deepcopy(leg)
    if isinstance(leg, dict) and "#" in name:
        leg.setdefault("name", name)
    return leg


def _selected(word: str, legs: Sequence[Any], names: Sequence[str]) -> list[int]:
    """Positions of the legs that a word selects: the leg of that name, else all legs of that provider."""
    by_name = [position for position, name in enumerate(names) if name == word]
    return by_name or [position for position, leg in enumerate(legs) if mapping(leg).get("provider") == word]
