"""`docs/reference/fields.md`: every field of a scenario, from the JSON Schema."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from des.scenario import json_schema

Schema = Mapping[str, Any]

_OF: Final = {"Duration": "durations", "Count": "counts", "Speed": "speeds", "Share": "shares"}
_DISTRIBUTION: Final = re.compile(rf"([A-Z][a-z]+)({'|'.join(_OF)})")
"""Definitions of distributions: the family, and what it is of."""

_CLASS: Final = "[a class of your own](../how-to/my-own-rule.md)"
_OWN: Final = "OwnClass"
_LIST: Final = "list of: "

_HEAD: Final = """# Fields

Every field of a scenario with its values, its default and its meaning. [Scenario files](../scenario.md) explains the
same fields by topic, with examples. This page is written by `python -m tests.documentation.pages` from the models.

A field without a default and not *required* may be left out; its text says what then holds.
A *distribution* is a plain value, a mapping with a `kind` from [Distributions](#distributions), or
[a class of your own](../how-to/my-own-rule.md).
"""
_DISTRIBUTIONS: Final = """
## Distributions

Parameters have the unit of the field that the distribution stands in.
Shares may be `constant`, `uniform` or `empirical`.
"""


def fields_page() -> str:
    """The page as Markdown, with a section for each definition of the schema."""
    schema = json_schema()
    definitions: dict[str, Schema] = {"Scenario": schema, **schema["$defs"]}
    apart = ("Scenario", _OWN)
    settings = sorted(name for name in definitions if name not in apart and not _DISTRIBUTION.fullmatch(name))
    parts = [_HEAD, *(_section(name, definitions[name]) for name in ("Scenario", *settings)), _DISTRIBUTIONS]
    return "".join([*parts, *_families(definitions)])


def _section(name: str, definition: Schema) -> str:
    return f"\n## {name}\n\n{_line(definition['description'])}\n\n{_table(definition)}"


def _families(definitions: Mapping[str, Schema]) -> Iterator[str]:
    """One section for each family of distributions. Of its forms, that of durations has the most fields."""
    names = sorted(name for name in definitions if (of := _DISTRIBUTION.fullmatch(name)) and of[2] == "Duration")
    for name in names:
        definition, family = definitions[name], name.removesuffix("Duration").lower()
        yield f"\n### {family}\n\n{_line(definition['description'])}\n\n{_table(definition)}"


def _table(definition: Schema) -> str:
    required = definition.get("required", ())
    rows = ["| field | values | default | what |", "|---|---|---|---|"]
    for field, value in definition["properties"].items():
        default = "required" if field in required else _default(value.get("default"))
        cells = (f"`{field}`", _values(value), default, _line(value["description"]))
        rows.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(rows) + "\n"


def _line(text: str) -> str:
    """A description on one line, with what Markdown would take for a sign escaped outside of code."""
    parts = " ".join(text.split()).split("`")
    return "`".join(part if at % 2 else part.replace("*", r"\*").replace("<", "&lt;") for at, part in enumerate(parts))


def _default(value: object) -> str:
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, float) and value.is_integer():
        return f"`{int(value)}`"
    return f"`{value}`" if isinstance(value, str | int | float) and value != "" else ""


def _values(schema: Schema) -> str:
    """What a field may be, in a phrase."""
    phrases = dict.fromkeys(_alternatives(schema))
    if any(phrase.startswith("[distribution]") for phrase in phrases):
        phrases.pop(_CLASS, None)  # the page says so of all distributions
    one_or_more = [phrase for phrase in phrases if f"{_LIST}{phrase}" in phrases]
    return " or ".join(
        f"{phrase} or a list of them" if phrase in one_or_more else phrase
        for phrase in phrases
        if phrase.removeprefix(_LIST) not in one_or_more or not phrase.startswith(_LIST)
    )


def _alternatives(schema: Schema) -> Iterator[str]:
    if "$ref" in schema:
        yield _link(schema["$ref"].rpartition("/")[2])
    elif "examples" in schema:
        yield _examples(schema["examples"])
    elif among := schema.get("anyOf", schema.get("oneOf")):
        for each in among:
            yield from _alternatives(each)
    elif "const" in schema or "enum" in schema:
        yield ", ".join(f"`{word}`" for word in schema.get("enum", [schema.get("const")]))
    else:
        yield from _of_type(schema)


def _link(name: str) -> str:
    if name == _OWN:
        return _CLASS
    if of := _DISTRIBUTION.fullmatch(name):
        return f"[distribution](#distributions) of {_OF[of[2]]}"
    return f"[{name}](#{name.lower()})"


def _examples(examples: Sequence[object]) -> str:
    return "such as " + ", ".join(f"`{example}`" for example in examples)


def _of_type(schema: Schema) -> Iterator[str]:
    match schema.get("type"):
        case "array":
            yield f"{_LIST}{_values(schema['items'])}"
        case "object" if isinstance(among := schema.get("additionalProperties"), Mapping):
            yield f"mapping of names to: {_values(among)}"
        case "object":
            yield "mapping"
        case "string" if schema.get("pattern") is None:
            yield "text"
        case "boolean":
            yield "`true`, `false`"
        case "integer" | "number" if "minimum" in schema and "maximum" in schema:
            yield f"{schema['minimum']} to {schema['maximum']}"
        case "integer" | "number":
            yield "number"
        case _:
            return
