"""Bodies of requests: bounded while they are read, whatever their headers say, and all faults told at once."""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, Final, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request

from des.service.bounds import Bounds
from des.service.faults import faults_of_model
from des.service.problems import Fault, ProblemError, invalid, over
from des.service.sizes import check_values

JSON: Final = "application/json"
YAML: Final = frozenset({"application/yaml", "application/x-yaml", "text/yaml"})
_READING_S: Final = 15.0
_Model = TypeVar("_Model", bound=BaseModel)
_Result = TypeVar("_Result")


class GoneError(Exception):
    """The client has gone: nobody reads an answer."""


EveryFault = Callable[[Any, ValidationError, Bounds], list[Fault]]


async def read_body(
    request: Request, model: type[_Model], bounds: Bounds, *, yaml: bool = False, every_fault: EveryFault | None = None
) -> _Model:
    """The body as a model. With `yaml`, a body of YAML is its `scenario`. Raises ProblemError.

    `every_fault` finds the faults of a body that the model refuses; without it, they are those that the model finds.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != JSON and not (yaml and kind in YAML):
        known = " or ".join([JSON, "application/yaml"] if yaml else [JSON])
        raise ProblemError(415, f"Content-Type '{kind}': send {known}" if kind else f"no Content-Type: send {known}")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise ProblemError(415, "a compressed body is not read: send it as it is")
    text = _text(await _bytes(request, bounds.body_bytes))
    content = {"scenario": text} if kind != JSON else _json(text, bounds.depth)
    check_values(content, bounds, "")
    try:
        return model.model_validate(content)
    except ValidationError as error:
        if every_fault is not None:
            raise invalid(await asyncio.to_thread(every_fault, content, error, bounds)) from None
        raise invalid(faults_of_model(error, model)) from None
    except RecursionError:
        raise over("depth", bounds.depth, "is nested too deeply", "") from None


async def _bytes(request: Request, most: int) -> bytes:
    said = request.headers.get("content-length", "")
    if said.isdigit() and int(said) > most:
        _too_large(most)
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(_READING_S):
            async for part in request.stream():
                size += len(part)
                if size > most:
                    _too_large(most)
                parts.append(part)
    except TimeoutError:
        raise ProblemError(408, f"the body did not come within {_READING_S:g} s") from None
    except ClientDisconnect:
        raise GoneError from None
    return b"".join(parts)


def _too_large(most: int) -> NoReturn:
    raise over("body_bytes", most, f"a body of at most {most:,} bytes", status=413)


def _text(read: bytes) -> str:
    try:
        return read.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ProblemError(400, f"the body is no UTF-8 text: byte {error.start}") from None


def _json(text: str, depth: int) -> Any:
    if _depth(text) > depth:
        raise over("depth", depth, f"values nested more than {depth} deep", "")
    try:
        found = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_without_repeats)
        json.dumps(found, ensure_ascii=False).encode()
    except ProblemError:
        raise
    except UnicodeEncodeError:
        raise ProblemError(400, "the body has half a character: a surrogate without its pair") from None
    except json.JSONDecodeError as error:
        raise ProblemError(
            400, f"the body is no JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        ) from None
    except (ValueError, RecursionError) as error:
        raise ProblemError(400, f"the body is no JSON that can be read: {error}") from None
    return found


def _no_constant(name: str) -> NoReturn:
    raise ProblemError(400, f"the body is no JSON: it has no number {name}")


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise invalid([Fault(pointer="", detail=f"'{twice[:100]}' is given twice")])
    return found


def _depth(text: str) -> int:
    """The deepest nesting; brackets in texts count too little to matter and are left out."""
    deepest = depth = 0
    inside = escaped = False
    for character in text:
        if inside:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                inside = False
        elif character == '"':
            inside = True
        elif character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


async def unless_gone(request: Request, work: Awaitable[_Result]) -> _Result:
    """The result of the work. Cancels it, and raises GoneError, where the client goes first."""
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_disconnect(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise GoneError
        return task.result()
    finally:
        gone.cancel()
        if not task.done():
            task.cancel()


async def _disconnect(request: Request) -> None:
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            return
