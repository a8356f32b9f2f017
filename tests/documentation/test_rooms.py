"""What each room of the package may import: arrows point down, and SimPy stays in one room."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import des

PACKAGE = Path(__file__).parents[2] / "des"

EVERYBODY = {
    "disk",
    "single_files",
    "digits",
    "errors",
    "pool",
    "frames",
    "late",
    "scratch",
    "signals",
    "spread",
    "storage",
    "tally",
    "vocabulary",
    "words",
}
"""Modules that any room may import."""

RANDOM = {"distributions", "draws", "mixture", "quantiles"}

MAY_IMPORT = {
    "distributions": set(),
    "rules": set(),
    "catalogue": set(),
    "traces": set(),
    "scenario": {"catalogue", "files", *RANDOM},
    "files": set(),
    "importers": {"catalogue", "scenario"},
    "theory": {"scenario", *RANDOM},
    "faults": {"files", "scenario", *RANDOM},
    "engine": {"faults", "rules", "scenario", *RANDOM},
    "compiled": {"engine", "faults", "rules", "scenario", *RANDOM},
    "estimate": {"compiled", "engine", "faults", "rules", "scenario", "theory", *RANDOM},
    "check": {"compiled", "estimate", "faults", "engine", "rules", "scenario", "theory", *RANDOM},
    "study": {"compiled", "estimate", "faults", "files", "importers", "engine", "scenario", "traces"},
    "report": {"catalogue", "check", "estimate", "faults", "scenario", "study", "traces"},
    "service": {"compiled", "report", "catalogue", "estimate", "scenario", "study"},
    "cli": {"compiled", "service", "report", "catalogue", "check", "estimate", "scenario", "study"},
}


@cache
def imported(file: Path) -> tuple[str, ...]:
    """Every module that a file imports, wherever in it."""
    return tuple(_imported(ast.parse(file.read_text(encoding="utf-8"))))


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def rooms() -> list[str]:
    return sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))


def test_every_room_has_its_rule() -> None:
    assert set(rooms()) == set(MAY_IMPORT)


@pytest.mark.parametrize("room", rooms())
def test_a_room_imports_those_below_it_alone(room: str) -> None:
    found = {
        (file.relative_to(PACKAGE).as_posix(), name.split(".")[1])
        for file in (PACKAGE / room).rglob("*.py")
        for name in imported(file)
        if name.startswith("des.")
    }
    allowed = MAY_IMPORT[room] | EVERYBODY | {room}
    assert {(file, other) for file, other in found if other not in allowed} == set()


def test_no_module_imports_the_public_api() -> None:
    public = {"des", *(f"des.{name}" for name in des.__all__)}
    found = {file.relative_to(PACKAGE).as_posix() for file in PACKAGE.rglob("*.py") if public & set(imported(file))}
    assert found == set()


def test_only_the_engine_knows_simpy() -> None:
    knowing = {
        file.relative_to(PACKAGE).parts[0]
        for file in PACKAGE.rglob("*.py")
        if any(name.split(".")[0] == "simpy" for name in imported(file))
    }
    assert knowing == {"engine"}


def modules() -> dict[str, Path]:
    return {
        ".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): file
        for file in PACKAGE.rglob("*.py")
    }


def test_no_module_imports_itself_by_way_of_others_not_even_for_a_type() -> None:
    files = modules()
    left = {
        name: {each if each in files else each.rpartition(".")[0] for each in imported(file)} & files.keys() - {name}
        for name, file in files.items()
    }
    left["des"] = set()  # the facade, which imports at first use
    while free := {name for name, others in left.items() if not others & left.keys()}:
        left = {name: others for name, others in left.items() if name not in free}
    assert not left
