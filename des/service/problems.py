"""Errors of requests as RFC 9457 problems: what is wrong, where in the body, and which limit was met."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from des.service.bounds import FIXED

MEDIA_TYPE: Final = "application/problem+json"
_MOST_TOLD: Final = int(FIXED["faults"])


class Fault(BaseModel):
    """One fault of a body."""

    model_config = ConfigDict(frozen=True)

    pointer: str = Field(description="JSON pointer (RFC 6901) into the body", examples=["/chain/0/provider"])
    detail: str = Field(description="What is wrong, and what to write instead")
    limit: str | None = Field(None, description="The name of the limit that it goes beyond, as of GET /catalogue")
    most: float | None = Field(None, description="That limit, where it is the most that is accepted")
    least: float | None = Field(None, description="That limit, where it is the least that is accepted")


class Problem(BaseModel):
    """A problem as of RFC 9457."""

    model_config = ConfigDict(frozen=True)

    type: str = Field(description="Identifies the kind of problem", examples=["about:blank"])
    title: str
    status: int
    detail: str
    errors: list[Fault] | None = Field(None, description="Every fault of the body, each with its place")
    limit: str | None = Field(None, description="The name of the limit that was met first, as of GET /catalogue")
    most: float | None = Field(None, description="That limit, where it is the most that is accepted")
    least: float | None = Field(None, description="That limit, where it is the least that is accepted")
    retry_after_s: int | None = Field(None, description="Seconds to wait before the same request, as in Retry-After")


@dataclass(eq=False)
class ProblemError(Exception):
    """Raised anywhere in the service to answer with a problem."""

    status: int
    detail: str
    faults: Sequence[Fault] = ()
    limit: str | None = None
    most: float | None = None
    retry_after_s: int | None = None
    least: float | None = None

    @property
    def headers(self) -> dict[str, str]:
        found = {} if self.retry_after_s is None else {"Retry-After": str(self.retry_after_s)}
        return found | ({"WWW-Authenticate": 'Bearer realm="des"'} if self.status == HTTPStatus.UNAUTHORIZED else {})

    def as_json(self) -> dict[str, Any]:
        """The body of the answer."""
        of = Problem(
            type="about:blank" if self.limit is None else f"urn:des:limit:{self.limit}",
            title=HTTPStatus(self.status).phrase,
            status=self.status,
            detail=self.detail,
            errors=list(self.faults) or None,
            limit=self.limit,
            most=self.most,
            least=self.least,
            retry_after_s=self.retry_after_s,
        )
        return of.model_dump(exclude_none=True)


def invalid(faults: Sequence[Fault]) -> ProblemError:
    """422: a body with faults. The first that goes beyond a limit names it."""
    first = f"{faults[0].pointer or 'the body'}: {faults[0].detail}" if faults else "the body"
    beyond = next((fault for fault in faults if fault.limit is not None), None)
    if len(faults) == 1:
        said = f"the body has a fault; {first}"
    else:
        of_all = f", of which the first {_MOST_TOLD} are told" if len(faults) > _MOST_TOLD else ""
        said = f"the body has {len(faults):,} faults{of_all}; {first}"
    if beyond is None:
        return ProblemError(422, said, tuple(faults[:_MOST_TOLD]))
    if beyond is not faults[0]:
        said += f"; {beyond.pointer or 'the body'}: {beyond.detail}"
    detail = f"limit {beyond.limit}: {beyond.detail}" if len(faults) == 1 else f"limit {beyond.limit}: {said}"
    return ProblemError(422, detail, tuple(faults[:_MOST_TOLD]), beyond.limit, beyond.most, least=beyond.least)


def beyond(limit: str, most: float, detail: str, pointer: str) -> Fault:
    """A fault that names the limit."""
    return Fault(pointer=pointer, detail=detail, limit=limit, most=most)


def over(limit: str, most: float, detail: str, pointer: str | None = None, *, status: int = 422) -> ProblemError:
    """A refusal that names the limit."""
    faults = () if pointer is None else (beyond(limit, most, detail, pointer),)
    return ProblemError(status, f"limit {limit}: {detail}", faults, limit, most)


def busy(limit: str, most: float, detail: str, retry_after_s: int, *, status: int = 429) -> ProblemError:
    """Too much at once: the same request may succeed later."""
    return ProblemError(status, f"limit {limit}: {detail}", (), limit, most, retry_after_s)


def pointer(path: Sequence[str | int]) -> str:
    """A JSON pointer of keys and positions."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)
