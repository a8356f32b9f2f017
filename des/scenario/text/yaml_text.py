"""Plain data as readable YAML: short values on one line, comments above what they explain."""

import json
import re
from collections.abc import Iterator, Mapping
from textwrap import wrap
from typing import Any, Final

from des.scenario.text.places import Path
from des.scenario.text.strict_yaml import resolve_plain

_WIDTH: Final = 110
_PLAIN: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_./%@+ -]*[A-Za-z0-9_./%@+-])?")
_FOLDED_ABOVE: Final = 80


def yaml_text(content: Mapping[str, Any], comments: Mapping[Path, str]) -> str:
    """A mapping as YAML. `comments` are written above the keys and entries at their paths.

    A section of several lines has an empty line before and after it.
    """
    sections = ["\n".join(_block({key: value}, (), comments, 0)) for key, value in content.items()]
    text = ""
    for before, section in zip(["", *sections], sections, strict=False):
        gap = "\n" if before and ("\n" in section or "\n" in before) else ""
        text += f"{gap}{section}\n"
    return text


def commented(text: str, indent: int = 0) -> list[str]:
    """Lines of a comment."""
    margin = " " * indent + "# "
    return [margin + line for line in wrap(text, _WIDTH - len(margin), break_long_words=False, break_on_hyphens=False)]


def _block(value: Any, path: Path, comments: Mapping[Path, str], indent: int) -> Iterator[str]:
    margin = " " * indent
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    for key, each in entries:
        here = (*path, key)
        if here in comments:
            yield from commented(comments[here], indent)
        lead = f"{margin}{_scalar(key)}:" if isinstance(value, dict) else f"{margin}-"
        line = f"{lead} {_flow(each)}"
        nested = isinstance(each, dict | list) and bool(each)
        if isinstance(value, dict) and isinstance(each, str) and len(line) > _WIDTH and _folds(each):
            yield f"{lead} >-"
            yield from (f"{margin}  {part}" for part in wrap(each, _WIDTH - indent - 2, break_long_words=False))
        elif not nested or (len(line) <= _WIDTH and not _comments_below(here, comments)):
            yield line
        elif isinstance(value, dict):
            yield lead
            yield from _block(each, here, comments, indent + 2)
        else:
            first, *rest = _block(each, here, comments, indent + 2)
            yield f"{lead} {first.lstrip()}"
            yield from rest


def _folds(text: str) -> bool:
    return len(text) > _FOLDED_ABOVE and text.isprintable() and " ".join(text.split()) == text


def _comments_below(path: Path, comments: Mapping[Path, str]) -> bool:
    return any(len(at) > len(path) and at[: len(path)] == path for at in comments)


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(key)}: {_flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if _PLAIN.fullmatch(value) and resolve_plain(value) == value:
        return str(value)
    return "".join(character if character.isprintable() else _escaped(character) for character in _quoted(value))


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _escaped(character: str) -> str:
    """As YAML writes a character that it does not allow as it is."""
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
