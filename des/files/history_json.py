"""JSON that a history is read from: a status page's `incidents.json`, or JSON lines, or torn."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from des.errors import DesError


class HistoryError(DesError):
    """A history that cannot be fitted as it is."""


def status_page(path: Path) -> Mapping[str, Any] | None:
    """The whole document, if it is one; None for JSON lines."""
    try:
        text = path.read_text(encoding="utf-8-sig").rstrip()
    except OSError as error:
        raise HistoryError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise HistoryError(f"{path}: is no JSON, nor any text: byte {error.start} is not UTF-8") from error
    try:
        document = parsed(text)
    except json.JSONDecodeError as error:
        if _is_json_lines(text):
            return None
        raise HistoryError(f"{path}:{error.lineno}:{error.colno}: {_no_json(text, error)}") from error
    except ValueError as error:
        raise HistoryError(f"{path}: is no JSON of a status page: {error}") from error
    if isinstance(document, list):
        document = {"incidents": document}
    if not isinstance(document, dict) or not isinstance(document.get("incidents"), list):
        raise HistoryError(f"{path}: has no list of `incidents` as a status page's incidents.json has")
    return document


def parsed(text: str) -> Any:
    """Raises ValueError for what cannot be read."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except json.JSONDecodeError:
        raise
    except ValueError:
        raise ValueError("it has a number of thousands of digits") from None


def _is_json_lines(text: str) -> bool:
    """Whether the first line is an object by itself."""
    try:
        return isinstance(parsed(text.partition("\n")[0]), dict)
    except ValueError:
        return False


def _no_json(text: str, error: json.JSONDecodeError) -> str:
    if not text:
        return "is empty"
    rest = text[error.pos :]
    if error.msg.startswith("Unterminated string") or any(word.startswith(rest) for word in ("true", "false", "null")):
        return f"the JSON is truncated, it ends within line {text.count(chr(10)) + 1}; fetch the file again"
    return f"is no JSON: {error.msg[0].lower()}{error.msg[1:]}"
