"""Parts of scenarios that commands write to a file: those of `des import` and `des fit`."""

from collections.abc import Sequence
from pathlib import Path

from des.importers import Imported, import_litellm
from des.single_files import refuse_existing, write_new


def litellm(
    config: Path, *, model: str | None = None, assignments: Sequence[str] = (), out: Path | None = None
) -> Imported:
    """The scenario of a LiteLLM proxy configuration, also written to `out` if that is given.

    Raises ScenarioError for what cannot be imported, and errors of `refuse_existing` and `write_new`.
    """
    refuse_existing(out)
    imported = import_litellm(config, model=model, assignments=assignments)
    if out is not None:
        write_new(out, imported.text)
    return imported
