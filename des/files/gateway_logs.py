"""A gateway's log as arrivals: OpenTelemetry spans of generative AI calls, and LiteLLM's spend logs.

Spans follow the GenAI semantic conventions (`gen_ai.usage.input_tokens`; `prompt_tokens` before version 1.27). They are
read as OTLP JSON (the collector's file exporter), as printed by the SDKs, or as one flat object per line. Spend logs
are the table `LiteLLM_SpendLogs` as JSON, JSON lines, CSV or parquet.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from des.files.json_records import (
    JSON,
    JSON_LINES,
    LINES,
    Record,
    Records,
    json_document,
    record_list,
    records_format,
    records_of_lines,
    sound,
)
from des.files.table import Format, Opening, RecordedFileError, Table
from des.files.tabular import CSV, PARQUET

# OpenTelemetry

_PREFIX: Final = "gen_ai."
_NO_CALLS: Final = frozenset({"execute_tool", "invoke_agent", "create_agent", "invoke_workflow"})
_INPUT: Final = ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens")
_OUTPUT: Final = ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens")
_STARTS: Final = ("start_time", "startTime", "startTimeUnixNano", "start_time_unix_nano")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST: Final = 19
"""Digits of a 64-bit integer."""
_ERRORS: Final = ("2", "ERROR", "STATUS_CODE_ERROR")


def _spans(record: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The spans of an OTLP document, or the record itself if it is a span."""
    if not isinstance(record.get("resourceSpans"), list):
        yield record
        return
    for resource in record["resourceSpans"]:
        for scope in _objects(resource, "scopeSpans", "instrumentationLibrarySpans"):
            yield from _objects(scope, "spans")


def _objects(holder: object, *names: str) -> list[dict[str, Any]]:
    held: dict[str, Any] = holder if isinstance(holder, dict) else {}
    listed: list[Any] = next((held[name] for name in names if isinstance(held.get(name), list)), [])
    return [each for each in listed if isinstance(each, dict)]


def _attributes(span: Mapping[str, Any]) -> dict[str, Any]:
    said = span.get("attributes")
    if isinstance(said, dict):
        return said
    if isinstance(said, list):
        return {str(each.get("key")): _value(each.get("value")) for each in said if isinstance(each, dict)}
    return {key: value for key, value in span.items() if key.startswith(_PREFIX) or key == "error.type"}


def _value(value: object) -> Any:
    """The value of an attribute of OTLP JSON, which writes 64-bit integers as text."""
    if not isinstance(value, dict) or not value:
        return value
    kind, content = next(iter(value.items()))
    text = str(content)
    return int(text) if kind == "intValue" and text.lstrip("-").isdecimal() and len(text) <= _LONGEST else content


def _rows(record: Mapping[str, Any]) -> list[Record]:
    """A row for each model call among the spans of a record, with its attributes as columns."""
    rows: list[Record] = []
    for span in _spans(record):
        attributes = _attributes(span)
        if not any(key.startswith(_PREFIX) for key in attributes):
            continue
        if str(attributes.get("gen_ai.operation.name")) in _NO_CALLS:
            continue
        tokens = {
            role: next((attributes[name] for name in names if attributes.get(name) is not None), None)
            for role, names in (("input_tokens", _INPUT), ("output_tokens", _OUTPUT))
        }
        if _failed(span, attributes):
            tokens = {role: 0 if count is None else count for role, count in tokens.items()}
        rows.append({"name": span.get("name"), **attributes, "start_time": _start(span), **tokens})
    return rows


def _failed(span: Mapping[str, Any], attributes: Mapping[str, Any]) -> bool:
    said = span.get("status")
    code = (said.get("code") or said.get("status_code")) if isinstance(said, dict) else said
    return str(code).upper() in _ERRORS or bool(attributes.get("error.type"))


def _start(span: Mapping[str, Any]) -> object:
    """A timestamp, exact to the nanosecond; OTLP counts nanoseconds since 1970."""
    said = next((span[name] for name in _STARTS if span.get(name) is not None), None)
    if isinstance(said, bool) or not str(said).isdecimal() or len(str(said)) > _LONGEST:
        return said
    whole, rest = divmod(int(str(said)), 10**9)
    return f"{(_EPOCH + timedelta(seconds=whole)).strftime('%Y-%m-%dT%H:%M:%S')}.{rest:09}Z"


def _read_spans(path: Path) -> Records:
    document = None if path.suffix.lower() in LINES else json_document(path)
    if document is None:
        found = records_of_lines(path, _rows)
    else:
        listed = [document] if isinstance(document, dict) and "resourceSpans" in document else None
        if listed is None:
            listed = (record_list(document) or ("", [document]))[1]
        made = [
            (f"{path}: [{number}]", row)
            for number, each in enumerate(listed)
            for row in _rows(sound(each, f"{path}: [{number}]", "span"))
        ]
        found = Records([row for _, row in made], [place for place, _ in made])
    if not found.rows:
        raise RecordedFileError(found.broken or f"{path}: has no span of a model call (with gen_ai... attributes)")
    return found


def _is_spans(opening: Opening) -> bool:
    first = opening.first
    if any(isinstance(each, dict) and "resourceSpans" in each for each in (opening.document, first)):
        return True
    return any(name in first for name in _STARTS) and any(key.startswith(_PREFIX) for key in _attributes(first))


OTEL_GENAI: Final = records_format(
    "otel_genai",
    (*LINES, ".json"),
    _read_spans,
    _is_spans,
    {"time": "start_time", "input_tokens": "input_tokens", "output_tokens": "output_tokens"},
)

# LiteLLM


_SPEND: Final = {"time": "startTime", "input_tokens": "prompt_tokens", "output_tokens": "completion_tokens"}


def _plain(path: Path) -> Format:
    match path.suffix.lower():
        case ".csv":
            return CSV
        case ".parquet":
            return PARQUET
        case ".json" if record_list(json_document(path)) is not None:
            return JSON
    return JSON_LINES


def _names_of_spend(path: Path) -> list[str]:
    return _plain(path).names(path)


def _read_spend(path: Path, wanted: Sequence[str]) -> Table:
    return _plain(path).read(path, wanted)


LITELLM_SPEND: Final = Format(
    "litellm_spend",
    (".csv", ".parquet", *LINES, ".json"),
    _names_of_spend,
    _read_spend,
    lambda opening: set(_SPEND.values()) <= set(opening.first),
    _SPEND,
)
