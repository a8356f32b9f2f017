"""The names of a scenario's content: components, providers, models, legs.

They are read from content that may be invalid elsewhere, so that unknown names and bad values are reported together.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from des.scenario.text.places import Path

Content = Mapping[str, Any]

COMPONENT_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*")


def bad_component_name(name: str) -> str:
    return f"the name '{name}' may have letters, digits and . _ - + only"


def mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def entries(content: Content, section: str) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """(path, mapping) of each entry of a list of mappings, or of the only one, written without the list."""
    value = content.get(section)
    if isinstance(value, dict):
        yield (section,), value
    for position, entry in enumerate(items(value)):
        if isinstance(entry, dict):
            yield (section, position), entry


def as_written(content: Content, path: Path) -> Path:
    """The path without list positions where a single entry is written without its list."""
    written: list[str | int] = []
    here: Any = content
    for part in path:
        if isinstance(part, int) and isinstance(here, dict):
            continue
        written.append(part)
        here = at(here, (part,))
    return tuple(written)


def is_named(path: Path) -> bool:
    """Whether the keys of a mapping are names that its author chose."""
    return path in (("components",), ("providers",), ("arms",), ("budgets",)) or (
        len(path) == 3 and path[0] == "providers" and path[2] == "models"
    )


def models_of(content: Content, provider: str) -> Mapping[str, Any]:
    return mapping(mapping(mapping(content.get("providers")).get(provider)).get("models"))


def component_paths(content: Content) -> dict[str, Path]:
    """Paths of everything that can fail, by name, in the order of the plan: components, providers, provider/model."""
    paths: dict[str, Path] = {}
    for name in mapping(content.get("components")):
        paths.setdefault(name, ("components", name))
    for name in mapping(content.get("providers")):
        paths.setdefault(name, ("providers", name))
    for provider in mapping(content.get("providers")):
        for model in models_of(content, provider):
            paths.setdefault(f"{provider}/{model}", ("providers", provider, "models", model))
    return paths


def at(content: object, path: Path) -> Any:
    """The value at a path; None where there is none."""
    here: Any = content
    for part in path:
        if isinstance(part, int):
            here = here[part] if isinstance(here, list) and part < len(here) else None
        else:
            here = mapping(here).get(part)
    return here


def dependencies(content: Content, path: Path) -> Iterator[tuple[Path, str]]:
    """(path, name) of each entry of a component's depends_on that is well formed."""
    for position, entry in enumerate(items(mapping(at(content, path)).get("depends_on"))):
        here: Path = (*path, "depends_on", position)
        if isinstance(entry, str):
            yield here, entry
        elif isinstance(entry, dict) and isinstance(entry.get("component"), str):
            yield (*here, "component"), entry["component"]
        elif isinstance(entry, dict) and len(entry) == 1:
            (name,) = entry
            yield here, name


def leg_model(content: Content, leg: Content) -> str | None:
    """The model of a leg: its own, else the provider's only one."""
    model = leg.get("model")
    if isinstance(model, str):
        return model
    models = list(models_of(content, str(leg.get("provider"))))
    return models[0] if len(models) == 1 else None


def chain_legs(chain: object) -> list[tuple[Path, Any]]:
    """(path within the chain, leg) of each leg, including those of groups. Invalid entries are kept as they are."""
    legs: list[tuple[Path, Any]] = []
    for position, entry in enumerate(items(chain)):
        if is_group(entry):
            legs += [((position, "legs", within), leg) for within, leg in enumerate(items(entry.get("legs")))]
        else:
            legs.append(((position,), entry))
    return legs


def is_group(entry: object) -> bool:
    return bool(mapping(entry).keys() & {"group", "legs"})


def group_names(chain: object) -> list[str | None]:
    """The name of each entry that is a group; None of others."""
    named = [mapping(entry).get("group") if is_group(entry) else None for entry in items(chain)]
    return [name if isinstance(name, str) else None for name in named]


def entry_names(content: Content) -> list[str]:
    """Names of all legs and groups of the chain."""
    chain = content.get("chain")
    return [*leg_names(content, chain), *(name for name in group_names(chain) if name is not None)]


def leg_names(content: Content, chain: object) -> list[str]:
    """The name of each leg of `chain_legs`: `name:`, else provider/model with #2, #3 for repeats; "" of no leg."""
    names: list[str] = []
    seen: dict[str, int] = {}
    for _, leg in chain_legs(chain):
        if not isinstance(leg, dict):
            names.append("")
            continue
        if isinstance(leg.get("name"), str):
            names.append(leg["name"])
            continue
        endpoint = f"{leg.get('provider')}/{leg_model(content, leg) or '?'}"
        seen[endpoint] = seen.get(endpoint, 0) + 1
        names.append(endpoint if seen[endpoint] == 1 else f"{endpoint}#{seen[endpoint]}")
    return names
