"""Scenario files that commands write or list: those of `des import`, `des new`, `des schema` and `des examples`."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from des.errors import OutputError
from des.importers import Imported, import_litellm
from des.scenario.json_schema import TITLE, json_schema
from des.scenario.shipped import shipped
from des.scenario.starter import MODELS, SCHEMA_FILE, starter
from des.scenario.text.document import read_document
from des.single_files import check_writable_file, output_path, refuse_existing, write_new, write_over


@dataclass(frozen=True, slots=True)
class Example:
    """A shipped scenario. `needs_data` says whether it reads files that are not shipped."""

    name: str
    path: Path
    question: str
    needs_data: bool


def litellm(
    config: str | Path, *, model: str | None = None, assignments: Sequence[str] = (), out: str | Path | None = None
) -> Imported:
    """The scenario of a LiteLLM proxy configuration, also written to `out` if that is given.

    Raises ScenarioError for what cannot be imported, and errors of `refuse_existing` and `write_new`.
    """
    out = None if out is None else output_path(out)
    refuse_existing(out)
    imported = import_litellm(Path(config), model=model, assignments=assignments)
    if out is not None:
        write_new(out, imported.text)
    return imported


def new_scenario(
    models: Sequence[str] | None = None,
    *,
    client: str | None = None,
    question: str | None = None,
    rate: str | None = None,
    limit: str | Sequence[str] = (),
    shared: str | float | None = None,
    objective: str | float | None = None,
    lost_request: str | float | None = None,
    out: str | Path | None = None,
) -> str:
    """The text of `starter`, also written to `out` if that is given, with the schema that it names beside it.

    `rate` of requests (`5/s`), `limit` on those of each provider (`4000/min`) or of one (`openai=500/min`), share of
    the outages that is `shared` by all providers (`10%`), `objective` of a month (`99.95%`) and cost of a
    `lost_request` (`$0.10`) stand in place of placeholders.

    A schema that is there already is left alone. Raises DesError for unknown names and wrong figures, OutputError if
    `out` exists, WriteError if it cannot be written.
    """
    out = None if out is None else output_path(out)
    refuse_existing(out)
    text = starter(
        MODELS if models is None else models,
        client,
        question,
        rate=rate,
        limit=[limit] if isinstance(limit, str) else limit,
        shared=_text(shared),
        objective=_text(objective),
        lost_request=_text(lost_request),
    )
    if out is not None:
        write_new(out, text)
        if not (schema := out.with_name(SCHEMA_FILE)).exists():
            write_schema(schema)
    return text


def _text(figure: str | float | None) -> str | None:
    return None if figure is None else str(figure).strip()


def write_schema(out: Path) -> None:
    """Write the JSON Schema of scenario files, whole or not at all, over an earlier one.

    Raises OutputError if another file has the name, WriteError if it cannot be written.
    """
    out = output_path(out)
    check_writable_file(out)
    if out.exists() and not _is_schema(out):
        raise OutputError(f"{out}: exists already and is no schema of des; choose another name or remove it")
    write_over(out, f"{json.dumps(json_schema(), indent=2, ensure_ascii=False)}\n")


def _is_schema(path: Path) -> bool:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and content.get("title") == TITLE


def shipped_questions() -> list[Example]:
    """Every shipped scenario by its name: its path, its question, and whether it needs recorded data."""
    return [_example(name, path) for name, path in shipped().items()]


def _example(name: str, path: Path) -> Example:
    question = str(read_document(path).content.get("question", ""))
    return Example(name, path, question, "${DES_DATA}" in path.read_text(encoding="utf-8"))
