"""The groups that LiteLLM tries for one request, in order, while they fail."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from des.importers.configuration import Configuration
from des.importers.litellm_deployments import Deployment
from des.scenario.text.places import Path
from des.scenario.text.units import shown
from des.words import meant

ANY: Final = "*"
_WITHOUT_ORDER: Final = (
    "LiteLLM 1.109 calls it only when none of those is healthy; here, when none of the last order among them is"
)


@dataclass(frozen=True, slots=True)
class Hop:
    """Deployments that LiteLLM tries together: a group, or the deployments of a group that share an `order`."""

    name: str
    deployments: tuple[Deployment, ...]
    one_of_several: bool
    """Whether the group has other deployments in other hops."""
    stand_by: frozenset[Path] = frozenset()
    """Paths of the deployments that are called only while none of the others is healthy."""
    has_fallbacks: bool = False
    """Whether the group has fallbacks of its own."""


class Groups:
    """Deployments by the name that a client requests: a group, an alias of one, or a name that fits a wildcard."""

    def __init__(self, deployments: Sequence[Deployment], aliases: Mapping[str, str]) -> None:
        self._groups: dict[str, list[Deployment]] = {}
        self._aliases = aliases
        for deployment in deployments:
            self._groups.setdefault(deployment.group, []).append(deployment)

    def names(self) -> list[str]:
        return [*self._groups, *self._aliases]

    def hops(self, name: str) -> list[Hop]:
        """The hops of a group: lowest `order` first; deployments without one are stand-bys of the last hop.

        It is empty for an unknown group. LiteLLM 1.109 picks among the healthy deployments of the lowest order, or
        among all of them if none has an order (`get_order_filtered_deployments`). It falls back to the higher orders
        one by one, but never to deployments without an order.
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

    def remark_without_order(self, config: Configuration, reached: Iterable[Path]) -> None:
        """Remarks on each reached deployment that has no order although its group has several."""
        paths = set(reached)
        for group in self._groups.values():
            if len({each.order for each in group} - {None}) > 1:
                for each in group:
                    if each.order is None and each.path in paths:
                        config.remark(each.path, f"has no order, but others of '{each.group}' have: {_WITHOUT_ORDER}")

    def _matched(self, name: str) -> list[Deployment]:
        """The deployments of the first wildcard (`openai/*`) that a name fits, each calling the model of that name."""
        for wildcard, group in self._groups.items():
            before, star, after = wildcard.partition(ANY)
            if star and name.startswith(before) and name.endswith(after) and len(name) >= len(before + after):
                middle = name[len(before) : len(name) - len(after)]
                return [replace(each, group=name, model=each.model.replace(ANY, middle, 1)) for each in group]
        return []


def read_fallbacks(config: Configuration, groups: Groups) -> dict[str, list[str]]:
    """Group -> its fallbacks, with `*` for groups without their own. Unknown groups are problems.

    A list of the router replaces the whole list of the library.
    """
    found: dict[str, list[str]] = {}
    section = _prevailing(config, "fallbacks")
    for position, entry in enumerate(config.entries(section, "fallbacks")):
        path: Path = (section, "fallbacks", position)
        if not isinstance(entry, dict):
            config.problem(path, f"expected {{group: [fallback, ...]}}; got {shown(entry)}")
            continue
        for group, wanted in entry.items():
            found.setdefault(group, _targets(config, (*path, group), wanted, groups))
            if group != ANY and not groups.hops(group):
                config.remark((*path, group), f"no group is called '{group}'{meant(group, groups.names())}")
    section = _prevailing(config, "default_fallbacks")
    by_default = [
        name
        for position, entry in enumerate(config.entries(section, "default_fallbacks"))
        if (name := _target(config, (section, "default_fallbacks", position), entry, groups))
    ]
    if by_default and ANY in found:
        config.remark((section, "default_fallbacks"), "replaces the '*' of fallbacks, which is not carried over")
    return found | ({ANY: by_default} if by_default else {})


def _prevailing(config: Configuration, key: str) -> str:
    """The section whose list LiteLLM uses. A remark says that it replaces the other one."""
    if not config.entries("router_settings", key):
        return "litellm_settings"
    if config.entries("litellm_settings", key):
        config.remark(("litellm_settings", key), f"not carried over: the list of router_settings.{key} replaces it")
    return "router_settings"


def _targets(config: Configuration, path: Path, wanted: object, groups: Groups) -> list[str]:
    if isinstance(wanted, str):
        wanted = [wanted]
    if not isinstance(wanted, list):
        config.problem(path, f"expected a list of groups; got {shown(wanted)}")
        return []
    found = (_target(config, (*path, position), each, groups) for position, each in enumerate(wanted))
    return [name for name in found if name is not None]


def _target(config: Configuration, path: Path, wanted: object, groups: Groups) -> str | None:
    if isinstance(wanted, dict) and isinstance(wanted.get("model"), str):
        if len(wanted) > 1:
            config.remark(path, "only the model of this fallback is carried over, not its other request parameters")
        wanted = wanted["model"]
    if not isinstance(wanted, str):
        config.problem(path, f"expected the name of a group; got {shown(wanted)}")
        return None
    if not groups.hops(wanted):
        config.problem(path, f"unknown group '{wanted}'{meant(wanted, groups.names())}")
        return None
    return wanted


def walk(entry: str, groups: Groups, fallbacks: Mapping[str, list[str]], most: int) -> list[Hop]:
    """The hops of a request for `entry` that fails everywhere, each hop once.

    A group is followed by its further orders, then by its fallbacks, each with its own fallbacks. Beyond `most` hops no
    further fallbacks are followed.
    """
    visited: set[str] = set()

    def tried(hop: Hop, rest: list[Hop], own: list[str], depth: int) -> Iterator[Hop]:
        visited.add(hop.name)
        yield replace(hop, has_fallbacks=bool(own))
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
