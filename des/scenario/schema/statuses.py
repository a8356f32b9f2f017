"""HTTP statuses of failures, and what a client handles: outcomes, statuses, or classes of statuses such as 5xx.

An outcome has one status by default (`HTTP_STATUS`). A scenario may give its failures another status that fits.
"""

import re
from collections.abc import Collection, Iterable
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, WithJsonSchema

from des.scenario.text.units import shown
from des.vocabulary import ATTEMPT_OUTCOMES, CANCELLED, CONNECTION_ERROR, HTTP_STATUS, OK
from des.words import did_you_mean

HANDLED_OUTCOMES: Final = (
    "server_error",
    "overloaded",
    "rate_limited",
    "timeout",
    "connection_error",
    "client_error",
    "invalid_output",
)
BROKEN_STREAM: Final = ("connection_error", -1)
"""The outcome kind of a stream that the provider breaks off, among those that have a status of their own."""
_CONNECTION_ERRORS: Final = ("connection_refused", "broken_stream")
_WORDS: Final = (*HANDLED_OUTCOMES, *_CONNECTION_ERRORS)
STATUSES_OF: Final = {
    "server_error": (*range(500, 529), *range(530, 600)),
    "overloaded": (503, 529),
    "rate_limited": (429,),
    "client_error": (*range(400, 429), *range(430, 500)),
}
"""The statuses that failures of an outcome may have. Other outcomes have no response and so no status."""
_HUNDREDS: Final = ("4xx", "5xx")
_ORDINARY: Final = tuple(zip(ATTEMPT_OUTCOMES, HTTP_STATUS, strict=True))

FailureOutcome = Literal[
    "server_error", "overloaded", "rate_limited", "connection_error", "client_error", "invalid_output"
]
"""Outcomes that a failing component can answer with; timeouts and cancellations are the client's."""
Statuses = tuple[tuple[str, int], ...]
"""(outcome, status) of the outcome kinds beyond the attempt outcomes, `BROKEN_STREAM` last, as in `Plan.statuses`."""


def read_status(value: object) -> int:
    """A status of 400 to 599."""
    number = int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]{3}", value.strip()) else value
    if isinstance(number, bool) or not isinstance(number, int) or not 400 <= number <= 599:
        raise ValueError(f"expected an HTTP status of 400 to 599; got {shown(value)}")
    return number


def read_handled(value: object) -> str:
    """`rate_limited`, `broken_stream`, `429` or `5xx`, as text."""
    word = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if word in _WORDS or word.lower() in _HUNDREDS:
        return word.lower()
    if re.fullmatch(r"[45][0-9]{2}", word):
        return word
    words, question = ", ".join(_WORDS), did_you_mean(word, _WORDS)
    raise ValueError(f"expected one of {words}, or a status such as 503 or 5xx; got {shown(value)}{question}")


NO_RESPONSE: Final = "a connection error has no response, so it carries no Retry-After"


def misfit(outcome: str, status: int | None) -> str | None:
    """Why failures of an outcome cannot have this status; None if they can."""
    if status is None or status in STATUSES_OF.get(outcome, ()):
        return None
    if outcome not in STATUSES_OF:
        return f"{outcome} has no status of its own"
    fitting = [each for each, statuses in STATUSES_OF.items() if status in statuses]
    return f"{status} is not a status of {outcome}: it belongs to {' or '.join(fitting)}"


def statuses_of(failures: Iterable[tuple[str, int | None]], *, breaks_streams: bool = False) -> Statuses:
    """(outcome, status) of every failure whose status is not the usual one of its outcome, sorted."""
    usual = dict(_ORDINARY)
    other = {(outcome, status) for outcome, status in failures if status is not None and usual[outcome] != status}
    own = sorted(other, key=lambda kind: (ATTEMPT_OUTCOMES.index(kind[0]), kind[1]))
    return (*own, BROKEN_STREAM) if breaks_streams else tuple(own)


def broken_stream_kind(statuses: Statuses) -> int:
    """The code of the outcome kind of broken streams; that of connection errors in a plan without them."""
    own = BROKEN_STREAM in statuses
    return len(ATTEMPT_OUTCOMES) + statuses.index(BROKEN_STREAM) if own else CONNECTION_ERROR


def kinds_handled(handled: Collection[str], statuses: Statuses) -> frozenset[int]:
    """Codes of the outcome kinds meant by outcome, by status, or by class of statuses."""
    return frozenset(
        code
        for code, (outcome, status) in enumerate((*_ORDINARY, *statuses))
        if code not in (OK, CANCELLED)
        and (outcome in handled or _is_handled(status, handled) or _connection_error(outcome, status) in handled)
    )


def _connection_error(outcome: str, status: int | None) -> str:
    """The word for connection errors of this kind alone; empty for other outcomes."""
    if outcome != "connection_error":
        return ""
    return "broken_stream" if (outcome, status) == BROKEN_STREAM else "connection_refused"


def _is_handled(status: int | None, handled: Collection[str]) -> bool:
    return status is not None and status >= 400 and (str(status) in handled or f"{status // 100}xx" in handled)


Status = Annotated[
    int,
    BeforeValidator(read_status),
    WithJsonSchema({"type": "integer", "minimum": 400, "maximum": 599, "description": "An HTTP status"}),
]
Handled = Annotated[
    str,
    BeforeValidator(read_handled),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": [*_WORDS, *_HUNDREDS]},
                {"type": "integer", "minimum": 400, "maximum": 599},
                {"type": "string", "pattern": "^[45][0-9]{2}$"},
            ],
            "description": "An outcome, an HTTP status, or a hundred of them",
        }
    ),
]
