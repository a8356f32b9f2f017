"""Pydantic's errors as findings with our own messages, each at one path of the scenario."""

import re
import types
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import BaseModel, Tag, ValidationError, WithJsonSchema

from des.catalogue.naming import listed_names
from des.scenario.text.names import mapping
from des.scenario.text.other_words import belonging_elsewhere, in_our_words, other_kind, our_key
from des.scenario.text.places import Path
from des.scenario.text.quantities import Quantity
from des.scenario.text.right_forms import example_of, misshapen, spread_of
from des.scenario.text.short_paths import nested, whole_path
from des.scenario.text.units import shown
from des.words import did_you_mean, nearest, unknown

_MISSING: Final = "is required, but missing"
_LIKELY: Final = {"horizon": "30d", "fraction": "10%", "provider": "openai"}
"""Examples of keys which are unlike those of their units, or have none."""
_PERCENTILES: Final = "the percentiles are median, p95 and p99"
_PERCENTILE: Final = re.compile(r"[pP]_?[0-9]+([._][0-9]+)?")


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem at a path of a scenario's content.

    `at_key` is set if the key itself is wrong. `slip_of` is then the key that was most likely meant.
    """

    path: Path
    message: str
    at_key: bool = False
    slip_of: str | None = None


def _unknown_key(key: str, known: Sequence[str], said: object, whole: Path | None) -> tuple[str, str | None]:
    """The message, and the known key that it suggests. `whole` is the path where the key stands, if it is known."""
    word, colon, value = key.partition(":")
    if colon and word in known:
        return f"unknown key '{key}'; YAML wants a space after the colon: {word}: {value}", None
    if ours := our_key(key, known):
        return f"unknown key '{key}'{in_our_words(key, known, said)}", ours
    if elsewhere := belonging_elsewhere(key, known, said):
        return f"unknown key '{key}'{elsewhere}", None
    if whole is not None:
        return f"unknown key '{key}'; here it is {nested(whole, said)}", None
    if _PERCENTILE.fullmatch(key) and "p99" in known and key.casefold() not in known:
        return f"unknown key '{key}'; {_PERCENTILES}", None
    return unknown("key", key, known), nearest(key, known)


def findings_of(error: ValidationError, content: object, model: type[BaseModel]) -> list[Finding]:
    """One finding for each error. `content` is what was validated as `model`."""
    found: dict[Finding, None] = {}
    for fault in error.errors(include_url=False):
        loc = tuple(fault["loc"])
        context = fault.get("ctx", {})
        kind = fault["type"]
        path = _path(loc, content, missing=kind == "missing")
        if (kind == "too_short" and fault["input"]) or kind == "default_factory_not_called":
            continue  # follows from an invalid entry or default, which has its own error
        if kind == "extra_forbidden":
            key = str(loc[-1])
            message, near = _of_another_kind(key, model, loc[:-1]), None
            if not message:
                whole = whole_path(loc, mapping(content)) if len(loc) == 1 else None
                message, near = _unknown_key(key, _known_keys(model, loc[:-1]), fault["input"], whole)
            found[Finding(path, message, at_key=True, slip_of=near)] = None
        elif kind == "contradiction":
            within = _path((*path, *context["at"]), content, missing=True)
            found[Finding(within, context["message"])] = None
        elif kind == "union_tag_invalid":
            expected = [word.strip().strip("'") for word in context["expected_tags"].split(",")]
            tag = str(context["tag"])
            other = other_kind(tag, expected)
            message = f"unknown kind '{tag}'{other}" if other else unknown("kind", tag, expected)
            found[Finding((*path, "kind"), message)] = None
        elif kind == "union_tag_not_found":
            found[Finding(path, _without_kind(fault["input"], model, loc, path))] = None
        elif kind == "missing":
            found[Finding(path, f"{_MISSING}{_such_as(model, loc)}")] = None
        else:
            found[Finding(path, _message(kind, fault, context, path))] = None
    return without_slips(list(found))


def _of_another_kind(key: str, model: type[BaseModel], loc: Path) -> str:
    """The message for a key that belongs to another kind, if no key of this kind is similar."""
    peers = [member for member in _at(model, loc[:-1]) if _kinds(member)] if loc else []
    kinds = [kind for member in peers if key in _keys(member) for kind in _kinds(member)]
    here = [member for member in peers if loc[-1] in _kinds(member)]
    if not kinds or not here or nearest(key, _known_keys(model, loc), 0.75):
        return ""
    return f"unknown key '{key}' of kind {loc[-1]}; it belongs to kind {' or '.join(dict.fromkeys(kinds))}"


def without_slips(findings: list[Finding]) -> list[Finding]:
    """Drops the finding on a missing key that was only misspelt: that is one mistake, not two."""
    slips = {(*finding.path[:-1], finding.slip_of) for finding in findings if finding.slip_of is not None}
    return [each for each in findings if not (each.message.startswith(_MISSING) and each.path in slips)]


def _message(kind: str, fault: Mapping[str, Any], context: Mapping[str, Any], path: Path) -> str:
    value = fault["input"]
    match kind:
        case "value_error":
            constant = tuple(fault["loc"][-2:]) == ("constant", "value")
            return f"{context['error']}{spread_of(value) if constant else ''}"
        case "no_leg":
            return _no_leg(context["word"])
        case "model_type" | "dict_type" | "model_attributes_type":
            return misshapen("a mapping", value, path)
        case "tuple_type" | "list_type":
            return misshapen("a list", value, path)
        case "string_type":
            quoted = f': write "{shown(value)}"' if " " not in shown(value) and path[:1] != ("expect",) else ""
            return f"{misshapen('text', value, path)}{quoted}"
        case "literal_error":
            words = [word.strip().strip("'") for word in context["expected"].replace(" or ", ", ").split(",")]
            question = did_you_mean(value, words) if isinstance(value, str) else ""
            if words == ["none"]:
                return f"{misshapen('none or a mapping', value, path)}{question}"
            return f"expected one of {', '.join(words)}; got {shown(value)}{question}"
        case "too_short":
            return "is empty: at least one entry is needed"
        case "less_than_equal":
            return f"expected at most {context['le']}; got {shown(value)}"
        case "greater_than_equal":
            return f"expected at least {context['ge']}; got {shown(value)}"
    return str(fault["msg"])


def _such_as(model: type[BaseModel], loc: Path) -> str:
    """The end of a message on a missing key, with an example of it."""
    key = str(loc[-1])
    for member in _at(model, loc[:-1]):
        if (name := _keys(member).get(key)) is None:
            continue
        field = member.model_fields[name]
        schemas = [each.json_schema for each in field.metadata if isinstance(each, WithJsonSchema | Quantity)]
        words = [word for word in _words(field.annotation) if word != "none"]
        examples = [*(schema["examples"][0] for schema in schemas if schema and schema.get("examples")), *words]
        if example := _LIKELY.get(key) or next(iter(examples), example_of(loc)):
            return f": write {key}: {example}, for example"
    return ""


def _words(annotation: Any) -> tuple[Any, ...]:
    return typing.get_args(annotation) if typing.get_origin(annotation) is Literal else ()


def _no_leg(word: str) -> str:
    near = nearest(word, listed_names())
    question = f" (did you mean '{near}'?)" if near else ""
    return (
        f"a leg is a mapping such as {{provider: {word}}}, or the name of a model{question}; "
        "only an arm selects legs by name"
    )


def _without_kind(value: object, model: type[BaseModel], loc: Path, path: Path) -> str:
    if not isinstance(value, dict):
        return misshapen("a mapping with its kind", value, path)
    members = [member for member in _at(model, loc) if _kinds(member)]
    kinds = [kind for member in members for kind in _kinds(member)]
    written = _with_kind([str(key) for key in value], members)
    if len(written) == 1:
        return f"its kind is missing: write {written[0]}"
    example = next(iter(written), example_of(path))
    such_as = f", such as {example}" if example else ""
    return f"its kind is missing: one of {', '.join(dict.fromkeys(kinds))}{such_as}"


def _with_kind(keys: Sequence[str], members: Sequence[Any]) -> list[str]:
    """An example of each member that has all these keys, or whose entries have; percentiles imply a lognormal."""
    keys = [our_key(key, {"median", "retries"}) or key for key in keys]
    lognormal = [member for member in members if "lognormal" in _kinds(member)]
    percentiles = [key.casefold() for key in keys if _PERCENTILE.fullmatch(key)]
    hint = ""
    if lognormal and keys and len(percentiles) + keys.count("median") == len(keys):
        hint = "" if {*percentiles} <= {"p95", "p99"} else f"; {_PERCENTILES}"
        keys = ["median", "p95" if "p95" in percentiles and "p99" not in percentiles else "p99"]
        members = lognormal
    told = ", ".join(f"{key}: ..." for key in dict.fromkeys(keys))
    fitting = [f"{{kind: {_kinds(each)[0]}, {told}}}{hint}" for each in members if keys and {*keys} <= {*_keys(each)}]
    return fitting or [
        f"{{kind: {_kinds(each)[0]}, {key}: [{{{told}}}]}}"
        for each in members
        for key in _keys(each)
        if keys and {*keys} <= {*_known_keys(each, (key, 0))}
    ]


def _path(loc: Path, content: object, *, missing: bool) -> Path:
    """The location without the parts that pydantic adds: tags of unions, and parts of shorthands.

    A part that the content does not have is dropped, unless it is the last one and the error is its absence.
    """
    path: list[str | int] = []
    here: Any = content
    for position, part in enumerate(loc):
        known = part in here if isinstance(here, dict) else _in_list(here, part)
        if known:
            here = here[part]
            path.append(part)
        elif missing and position == len(loc) - 1 and isinstance(here, dict):
            path.append(part)
    return tuple(path)


def _in_list(here: object, part: str | int) -> bool:
    return isinstance(here, list | tuple) and isinstance(part, int) and part < len(here)


def _known_keys(model: type[BaseModel], loc: Path) -> list[str]:
    """The keys allowed at a location within a model."""
    return list(
        dict.fromkeys(
            name
            for member in _at(model, loc)
            if isinstance(member, type) and issubclass(member, BaseModel)
            for name in _keys(member)
        )
    )


def _keys(model: type[BaseModel]) -> dict[str, str]:
    """The fields of a model by their keys in a scenario (`for` cannot be a name in Python)."""
    return {field.alias or name: name for name, field in model.model_fields.items() if not field.exclude}


def _at(model: type[BaseModel], loc: Path) -> list[Any]:
    """The types possible at a location, following fields, list positions, mapping keys and tags of unions."""
    here: list[Any] = [model]
    for part in loc:
        here = [step for member in here for step in _step(member, part)]
    return [each for member in here for each, _ in _members(member)]


def _step(annotation: Any, part: str | int) -> Iterator[Any]:
    for member, tags in _members(annotation):
        origin = typing.get_origin(member)
        if part in tags:
            yield member
        elif isinstance(member, type) and issubclass(member, BaseModel):
            if name := _keys(member).get(str(part)):
                field = member.model_fields[name]
                yield _written_form(field.metadata, field.annotation)
            elif part in _kinds(member):
                yield member
        elif origin is dict:
            yield typing.get_args(member)[1]
        elif origin is tuple and isinstance(part, int):
            yield typing.get_args(member)[0]


def _members(annotation: Any, tags: tuple[str, ...] = ()) -> Iterator[tuple[Any, tuple[str, ...]]]:
    """The members of a union, each with its tags in unions that discriminate by form."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        inner, *metadata = typing.get_args(annotation)
        inner = _written_form(metadata, inner)
        own = tuple(str(each.tag) for each in metadata if isinstance(each, Tag))
        yield from _members(inner, (*tags, *own))
    elif origin in (typing.Union, types.UnionType):
        for member in typing.get_args(annotation):
            yield from _members(member, tags)
    else:
        yield annotation, tags


def _written_form(metadata: Iterable[Any], annotation: Any) -> Any:
    """The type of the written form, where a field holds another type."""
    return next((each.form for each in metadata if hasattr(each, "form")), annotation)


def _kinds(member: Any) -> tuple[str, ...]:
    """The values of `kind` that identify a model within its union."""
    if not (isinstance(member, type) and issubclass(member, BaseModel) and "kind" in member.model_fields):
        return ()
    return _words(member.model_fields["kind"].annotation)
