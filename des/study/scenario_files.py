"""Pieces of scenario that commands write to a file of their own: `des import`, and what `des fit` finds."""

from collections.abc import Sequence
from pathlib import Path

from des.errors import OutputError, WriteError
from des.importers import Imported, import_litellm


def litellm(
    config: Path, *, model: str | None = None, assignments: Sequence[str] = (), out: Path | None = None
) -> Imported:
    """The scenario of a LiteLLM proxy configuration, written to `out` if that is given.

    Raises ScenarioError for what cannot be imported, and errors of `refuse_existing` and `write_new`.
    """
    refuse_existing(out)
    imported = import_litellm(config, model=model, assignments=assignments)
    if out is not None:
        write_new(out, imported.text)
    return imported


def refuse_existing(out: Path | None) -> None:
    """Raises OutputError before any work is done for a file that could not be written anyway."""
    if out is not None and (out.exists() or out.is_symlink()):
        raise OutputError(f"{out}: exists already; choose another name or remove it")


def write_new(out: Path, text: str) -> None:
    """Writes a file that does not exist yet. Raises WriteError if that fails."""
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise WriteError(f"{out}: cannot be written: {error.strerror or error}") from error
