"""What the shell completes: shipped scenarios, models, clients and questions. Imports wait until they are asked for."""

from collections.abc import Iterable


def scenario_names(incomplete: str) -> list[str]:
    """Shipped scenarios, and the files and folders of that beginning, which typer leaves out beside words of ours."""
    from des.scenario.shipped import shipped

    return [*_beginning(incomplete, shipped()), *_files(incomplete)]


def model_names(incomplete: str) -> list[str]:
    """Models of the catalogue, each after those already in the list."""
    from des.catalogue.naming import listed_names

    before, comma, last = incomplete.rpartition(",")
    return [f"{before}{comma}{name}" for name in _beginning(last, listed_names())]


def client_names(incomplete: str) -> list[str]:
    from des.catalogue.presets import names

    return _beginning(incomplete, names())


def question_names(incomplete: str) -> list[str]:
    from des.scenario.starter import QUESTIONS

    return _beginning(incomplete, QUESTIONS)


def _beginning(word: str, known: Iterable[str]) -> list[str]:
    return [name for name in dict.fromkeys(known) if name.startswith(word)]


def _files(incomplete: str) -> list[str]:
    """Scenario files and folders below the folder that is being typed."""
    from pathlib import Path

    folder, slash, begun = incomplete.rpartition("/")
    below = Path(folder + slash) if folder or slash else Path()
    try:
        found = sorted(path for path in below.iterdir() if path.name.startswith(begun))
    except OSError:
        return []
    names = (
        f"{path.name}/" if path.is_dir() else path.name if path.suffix in (".yaml", ".yml", ".toml") else ""
        for path in found
    )
    return [f"{folder}{slash}{name}" for name in names if name and not (name.startswith(".") and not begun)]
