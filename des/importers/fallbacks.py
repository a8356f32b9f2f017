"""Which groups LiteLLM goes through, and in which order, when each in turn fails."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from des.importers.deployments import Deployment
from des.importers.reading import Reading
from des.scenario.text.document import Path
from des.scenario.text.units import shown
from des.words import meant

ANY: Final = "*"
WITHOUT_ORDER: Final = (
    "LiteLLM 1.109 calls it only while none of those is healthy; here, while none of the last order among them is"
)


@dataclass(frozen=True, slots=True)
class Hop:
    """Deployments that LiteLLM treats as one: a group, or those of its deployments that share an `order`."""

    name: str
    deployments: tuple[Deployment, ...]
    one_of_several: bool
    """Whether the group has further deployments in other hops."""
    stand_by: frozenset[Path] = frozenset()
    """Where those of `deployments` stand that are called only while none of the others is healthy."""


class Groups:
    """Deployments by the name that a client asks for: a group, an alias of one, or what a wildcard stands for."""

    def __init__(self, deployments: Sequence[Deployment], aliases: Mapping[str, str]) -> None:
        self._groups: dict[str, list[Deployment]] = {}
        self._aliases = aliases
        for deployment in deployments:
            self._groups.setdefault(deployment.group, []).append(deployment)

    def names(self) -> list[str]:
        return [*self._groups, *self._aliases]

    def hops(self, name: str) -> list[Hop]:
        """The hops of a group: lowest `order` first, those without one standing by for the last. None of an unknown.

        LiteLLM 1.109 picks among the healthy deployments of the lowest order, all of them where none has one
        (`get_order_filtered_deployments`), and falls back on the higher orders, each by itself; never on none.
        """
        found = self._groups.get(name) or self._groups.get(self._aliases.get(name, "")) or self._matched(name)
        orders = sorted({each.order for each in found if each.order is not None})
        levels = [(f"{name} order {order}", tuple(each for each in found if each.order == order)) for order in orders]
        without = tuple(each for each in found if each.order is None)
        if not orders:
            return [Hop(name, without, False)] if without else []
        hops = [
            Hop(name if position == 0 else told, level, len(levels) > 1)
            for position, (told, level) in enumerate(levels)
        ]
        last = hops.pop()
        stand_by = frozenset(each.path for each in without)
        return [*hops, replace(last, deployments=(*last.deployments, *without), stand_by=stand_by)]

    def remark_without_order(self, reading: Reading, reached: Iterable[Path]) -> None:
        """Says of each deployment `reached` without an order beside several orders when it is called here."""
        paths = set(reached)
        for group in self._groups.values():
            if len({each.order for each in group} - {None}) > 1:
                for each in group:
                    if each.order is None and each.path in paths:
                        reading.remark(each.path, f"no order, as others of '{each.group}' have: {WITHOUT_ORDER}")

    def _matched(self, name: str) -> list[Deployment]:
        """The deployments of the first wildcard (`openai/*`) that a name fits, which call that model of theirs."""
        for wildcard, group in self._groups.items():
            before, star, after = wildcard.partition(ANY)
            if star and name.startswith(before) and name.endswith(after) and len(name) >= len(before + after):
                middle = name[len(before) : len(name) - len(after)]
                return [replace(each, group=name, model=each.model.replace(ANY, middle, 1)) for each in group]
        return []


def read_fallbacks(reading: Reading, groups: Groups) -> dict[str, list[str]]:
    """Group -> its fallbacks, `*` for groups without their own. Those that name no group are problems.

    Each list of the router replaces the whole one of the library.
    """
    found: dict[str, list[str]] = {}
    section = _prevailing(reading, "fallbacks")
    for position, entry in enumerate(reading.entries(section, "fallbacks")):
        path: Path = (section, "fallbacks", position)
        if not isinstance(entry, dict):
            reading.problem(path, f"expected {{group: [fallback, ...]}}; got {shown(entry)}")
            continue
        for group, wanted in entry.items():
            found.setdefault(group, _targets(reading, (*path, group), wanted, groups))
            if group != ANY and not groups.hops(group):
                reading.remark((*path, group), f"no group is called '{group}'{meant(group, groups.names())}")
    section = _prevailing(reading, "default_fallbacks")
    by_default = [
        name
        for position, entry in enumerate(reading.entries(section, "default_fallbacks"))
        if (name := _target(reading, (section, "default_fallbacks", position), entry, groups))
    ]
    if by_default and ANY in found:
        reading.remark((section, "default_fallbacks"), "prevails over the '*' of fallbacks, which is not carried over")
    return found | ({ANY: by_default} if by_default else {})


def _prevailing(reading: Reading, key: str) -> str:
    """The section whose list LiteLLM takes; the other list is said to be replaced."""
    if not reading.entries("router_settings", key):
        return "litellm_settings"
    if reading.entries("litellm_settings", key):
        reading.remark(("litellm_settings", key), f"not carried over: router_settings.{key} prevails, the whole list")
    return "router_settings"


def _targets(reading: Reading, path: Path, wanted: object, groups: Groups) -> list[str]:
    if isinstance(wanted, str):
        wanted = [wanted]
    if not isinstance(wanted, list):
        reading.problem(path, f"expected a list of groups; got {shown(wanted)}")
        return []
    found = (_target(reading, (*path, position), each, groups) for position, each in enumerate(wanted))
    return [name for name in found if name is not None]


def _target(reading: Reading, path: Path, wanted: object, groups: Groups) -> str | None:
    if isinstance(wanted, dict) and isinstance(wanted.get("model"), str):
        if len(wanted) > 1:
            reading.remark(path, "changes the request's own parameters for this fallback; only its model is taken over")
        wanted = wanted["model"]
    if not isinstance(wanted, str):
        reading.problem(path, f"expected the name of a group; got {shown(wanted)}")
        return None
    if not groups.hops(wanted):
        reading.problem(path, f"unknown group '{wanted}'{meant(wanted, groups.names())}")
        return None
    return wanted


def walk(entry: str, groups: Groups, fallbacks: Mapping[str, list[str]], most: int) -> list[Hop]:
    """The hops of a request for `entry` that fails everywhere, each once.

    After a group come the further orders of it, then its fallbacks, each followed by its own; beyond `most` hops the
    fallbacks of what fails are not looked up any more.
    """
    visited: set[str] = set()

    def tried(hop: Hop, rest: list[Hop], own: list[str], depth: int) -> Iterator[Hop]:
        visited.add(hop.name)
        yield hop
        if depth >= most:
            return
        for position, further in enumerate(rest):
            if further.name not in visited:
                depth += 1
                yield from tried(further, rest[position + 1 :], own, depth)
        for name in own:
            first, *others = groups.hops(name)
            if first.name not in visited:
                depth += 1
                yield from tried(first, others, fallbacks.get(name, fallbacks.get(ANY, [])), depth)

    first, *others = groups.hops(entry)
    return list(tried(first, others, fallbacks.get(entry, fallbacks.get(ANY, [])), 0))
