"""The faults of a body that is not well-formed: those of its shape, and those of what is left without them."""

import copy
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from des.service.bodies import SimulateBody
from des.service.bounds import Bounds
from des.service.equivalent import faults_of_names
from des.service.faults import faults_of_model, is_model, part_of
from des.service.problems import Fault, pointer

_TRIES: Final = 4
_GONE: Final = object()
_Places = dict[int, list[int]]
"""By the identity of a list: where its items stood in the body."""


def every_fault(content: Any, error: ValidationError, bounds: Bounds) -> list[Fault]:
    """Of a body of POST /simulate that its model refuses with that error."""
    found = faults_of_model(error, SimulateBody)
    body, at_first, whole = _left(content, error, SimulateBody)
    if body is None:
        return found
    told = [fault.pointer for fault in found]
    for fault in faults_of_names(body, bounds):
        where = at_first(fault.pointer)
        if not whole and where.startswith("/shared"):
            continue  # members may be those of a leg that could not be read
        if not any(where == each or where.startswith(f"{each}/") for each in told):
            found.append(fault.model_copy(update={"pointer": where}))
    return found


def _left(
    content: Any, error: ValidationError, model: type[SimulateBody]
) -> tuple[SimulateBody | None, Callable[[str], str], bool]:
    """The body without what is at fault, None if nothing is left; where its parts stood; whether no leg had to go."""
    left = copy.deepcopy(content)
    places: _Places = {}
    whole = True
    for _ in range(_TRIES):
        for each in error.errors(include_url=False, include_input=False, include_context=False):
            if not _strike(left, each["loc"], model):
                return None, str, False
        left = _closed_up(left, places)
        whole = whole and len(left["chain"]) == len(content["chain"])
        try:
            return model.model_validate(left), partial(_at_first, left, places), whole
        except ValidationError as again:
            error = again
    return None, str, False


def _strike(whole: Any, place: Sequence[str | int], model: type[BaseModel]) -> bool:
    """Take out the smallest part around a place that may be missing. False where that is all of it."""
    smallest: tuple[Any, str | int] | None = None
    part, of = whole, model
    for key in place:
        known = part_of(of, key)
        if isinstance(key, int) or (is_model(of) and (known is None or not of.model_fields[str(key)].is_required())):
            smallest = part, key
        of = known
        try:
            part = part[key]
        except (KeyError, IndexError, TypeError):
            break  # what is missing
        if part is _GONE:
            return True
    if smallest is None:
        return False
    container, last = smallest
    if isinstance(container, list):
        container[int(last)] = _GONE
    else:
        container.pop(last, None)
    return True


def _closed_up(value: Any, places: _Places) -> Any:
    """Lists without the items that are gone. `places` learns where the others stood."""
    if isinstance(value, dict):
        return {key: _closed_up(each, places) for key, each in value.items()}
    if not isinstance(value, list):
        return value
    before = places.get(id(value), list(range(len(value))))
    kept = [number for number, each in enumerate(value) if each is not _GONE]
    found = [_closed_up(value[number], places) for number in kept]
    places[id(found)] = [before[number] for number in kept]
    return found


def _at_first(left: Any, places: _Places, at: str) -> str:
    """Where a part of what is left stood in the body."""
    parts: list[str | int] = []
    part = left
    for name in at.split("/")[1:]:
        key: str | int = name.replace("~1", "/").replace("~0", "~")
        if isinstance(part, list) and str(key).isdigit():
            parts.append(places[id(part)][int(key)])
            part = part[int(key)]
        else:
            parts.append(key)
            part = part.get(key) if isinstance(part, dict) else None
    return pointer(parts)
