"""Which rows a run keeps, as a scenario or an option says it."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from des.scenario.text.quantities import Share, written_as
from des.scenario.text.units import read_share, shown
from des.vocabulary import FULL_TRACES, NO_TRACES, REQUEST_TRACES, SAMPLED_TRACES, TRACE_LEVELS
from des.words import did_you_mean

_PLAIN: Final = (FULL_TRACES, REQUEST_TRACES, NO_TRACES)
_EXPECTED: Final = "full, requests, none, or a sample such as sampled: 1%"


def read_traces(value: object) -> str | float:
    """`full`, `requests` or `none`; of `sampled: 1%`, as text or as a mapping, the share, below 1.

    A sample of 100 % is `full`. Raises ValueError.
    """
    if isinstance(value, Mapping):
        if set(value) != {SAMPLED_TRACES}:
            raise ValueError(f"expected {_EXPECTED}; got {shown(dict(value))}")
        return _share(value[SAMPLED_TRACES])
    if not isinstance(value, str):
        raise ValueError(f"expected {_EXPECTED}; got {shown(value)}")
    text = value.strip()
    if text in _PLAIN:
        return text
    word, mark, share = text.partition("=" if "=" in text else ":")
    if word.strip() == SAMPLED_TRACES and mark:
        return _share(share.strip())
    if word.strip() == SAMPLED_TRACES:
        raise ValueError("a sample has a share, such as sampled: 1%")
    raise ValueError(f"expected {_EXPECTED}; got {shown(value)}{did_you_mean(text, TRACE_LEVELS)}")


def _share(value: object) -> str | float:
    share = read_share(value)
    if share <= 0.0:
        raise ValueError("a sample is above 0%; none keeps no traces")
    return share if share < 1.0 else FULL_TRACES


Traces = Annotated[
    float | Literal["full", "requests", "none"],
    BeforeValidator(read_traces),
    PlainSerializer(lambda traces: {SAMPLED_TRACES: traces} if isinstance(traces, float) else traces),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": list(_PLAIN), "type": "string"},
                {
                    "type": "object",
                    "properties": {SAMPLED_TRACES: written_as(Share)},
                    "required": [SAMPLED_TRACES],
                    "additionalProperties": False,
                },
                {"type": "string", "pattern": rf"^\s*{SAMPLED_TRACES}\s*[:=].+$"},
            ],
            "description": "A level of traces",
            "examples": ["full", "requests", f"{SAMPLED_TRACES}: 1%", "none"],
        }
    ),
]
