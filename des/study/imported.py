"""`des import`: another program's configuration as a scenario, printed or written to a file of its own."""

from collections.abc import Sequence
from pathlib import Path

from des.errors import OutputError
from des.importers import Imported, import_litellm
from des.study.destination import WriteError


def litellm(
    config: Path, *, model: str | None = None, assignments: Sequence[str] = (), out: Path | None = None
) -> Imported:
    """The scenario of a LiteLLM proxy configuration, written to `out` if that is given.

    Raises ScenarioError for a configuration that is none, OutputError if `out` exists, and WriteError if it cannot be
    written.
    """
    if out is not None and (out.exists() or out.is_symlink()):
        raise OutputError(f"{out}: exists already; choose another name or remove it")
    imported = import_litellm(config, model=model, assignments=assignments)
    if out is not None:
        try:
            with out.open("x", encoding="utf-8") as file:
                file.write(imported.text)
        except OSError as error:
            raise WriteError(f"{out}: cannot be written: {error.strerror or error}") from error
    return imported
