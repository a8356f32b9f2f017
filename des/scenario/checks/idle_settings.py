"""Settings that are written where they never act, and names that say one thing twice.

The content is taken as it is written: presets bring their settings anywhere, and what overrides them is no slip.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from des.scenario.resolution.inheritance import call_setting, legs_with_paths
from des.scenario.schema.scenario import Scenario
from des.scenario.text.document import Path
from des.scenario.text.names import at, chain_legs, group_names, is_group, items, leg_names, mapping
from des.scenario.text.problems import Finding

OF_THE_WINDOW: Final = ("share", "minimum", "all_failed", "window")
"""What a cooldown by `allowed_fails` does not look at."""
OF_ANY_LEG: Final = ("also_on", "all_failed", "allowed_fails")
"""What cools a leg by itself too; allowed_fails: 0 is one of them."""


def idle_findings(content: Mapping[str, Any]) -> Iterator[Finding]:
    """What is written to no effect."""
    yield from _cooldowns(content)
    yield from _ejections(content)
    yield from _doubled_legs(content)


def late_ramps(scenario: Scenario) -> Iterator[Finding]:
    """Ramps from nothing that the horizon ends before they have let everybody through, once a place."""
    seen: set[Path] = set()
    for position in range(len(scenario.chain)):
        for path, leg in legs_with_paths(scenario, position):
            said = call_setting(scenario, position, path, leg, "ramp")
            ramp = said.value
            if ramp is None or said.path in seen or ramp.start > 0.0 or ramp.over <= scenario.horizon:
                continue
            seen.add(said.path)
            message = (
                f"from 0 % over {ramp.over:g} s, longer than the horizon of {scenario.horizon:g} s, hardly anybody is "
                "admitted: start higher, such as start: 10%, or ramp faster"
            )
            yield Finding((*said.path, "start"), message)


def _places(content: Mapping[str, Any]) -> Iterator[Path]:
    """Where settings of calls stand."""
    yield ("policy",)
    chain = items(content.get("chain"))
    yield from (("chain", position) for position, entry in enumerate(chain) if is_group(entry))
    yield from (("chain", *path) for path, _ in chain_legs(chain))


def _cooldowns(content: Mapping[str, Any]) -> Iterator[Finding]:
    for place in _places(content):
        cooldown = mapping(mapping(at(content, place)).get("cooldown"))
        if (
            cooldown
            and _is_alone(content, place)
            and all(cooldown.get(field) in (None, [], ()) for field in OF_ANY_LEG)
        ):
            message = (
                "on and share cool a leg of a group of several only, and here is none: give also_on, all_failed or "
                "allowed_fails, or write chain: [{group: main, legs: [...]}]"
            )
            yield Finding((*place, "cooldown"), message)
        if cooldown.get("allowed_fails") is None:
            continue
        for field in OF_THE_WINDOW:
            if cooldown.get(field) is not None:
                message = f"allowed_fails cools instead of {', '.join(OF_THE_WINDOW)}: leave out one or the other"
                yield Finding((*place, "cooldown", field), message)
                break


def _is_alone(content: Mapping[str, Any], place: Path) -> bool:
    """Whether what stands at a place holds for legs outside of groups alone, and no preset says the rest of it."""
    chain = items(content.get("chain"))
    if not chain or mapping(content.get("policy")).get("preset") is not None:
        return False
    if place == ("policy",):
        return not any(is_group(entry) for entry in chain)
    return len(place) == 2 and not is_group(chain[int(place[1])])


def _ejections(content: Mapping[str, Any]) -> Iterator[Finding]:
    chain = items(content.get("chain"))
    grouped = any(is_group(entry) for entry in chain)
    for place in _places(content):
        alone = not grouped if place == ("policy",) else len(place) == 2 and not is_group(chain[int(place[1])])
        if chain and alone and isinstance(mapping(at(content, place)).get("ejection"), dict):
            message = (
                "a leg is ejected from its group, and this one has none: write chain: [{group: main, legs: [...]}], "
                "or a breaker"
                if place != ("policy",)
                else "legs are ejected from their group, and the chain has none: write chain: [{group: main, legs: "
                "[...]}], or a breaker"
            )
            yield Finding((*place, "ejection"), message)


def _doubled_legs(content: Mapping[str, Any]) -> Iterator[Finding]:
    """Legs that two names of a split budget mean: of which part would they be?"""
    chain = items(content.get("chain"))
    words: list[tuple[str, ...]] = []
    groups = group_names(chain)
    for (path, leg), name in zip(chain_legs(chain), leg_names(content, chain), strict=True):
        own = (name, mapping(leg).get("provider"), groups[int(path[0])])
        words.append(tuple(word for word in own if isinstance(word, str) and word))
    for budget_name, budget in mapping(content.get("budgets")).items():
        if mapping(budget).get("split", "shared") == "shared":
            continue
        legs = [word for word in items(mapping(budget).get("legs")) if isinstance(word, str)]
        for of_leg in words:
            named = [word for word in dict.fromkeys(legs) if word in of_leg]
            if len(named) > 1:
                message = (
                    f"'{named[1]}' and '{named[0]}' both mean the leg {of_leg[0]}, which has one part of a split "
                    "budget: name it once"
                )
                yield Finding(("budgets", budget_name, "legs", legs.index(named[1])), message)
                break
