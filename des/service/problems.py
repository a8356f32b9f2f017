"""Errors of requests as RFC 9457 problems: what is wrong, where in the body, and which limit was met."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

MEDIA_TYPE: Final = "application/problem+json"


class Fault(BaseModel):
    """One fault of a body."""

    model_config = ConfigDict(frozen=True)

    pointer: str = Field(description="JSON pointer (RFC 6901) into the body", examples=["/chain/0/provider"])
    detail: str = Field(description="What is wrong, and what to write instead")


class Problem(BaseModel):
    """A problem as of RFC 9457."""

    model_config = ConfigDict(frozen=True)

    type: str = Field(description="Identifies the kind of problem", examples=["about:blank"])
    title: str
    status: int
    detail: str
    errors: list[Fault] | None = Field(None, description="Every fault of the body, each with its place")
    limit: str | None = Field(None, description="The name of the limit that was met, as of GET /catalogue")
    most: float | None = Field(None, description="That limit")
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
            retry_after_s=self.retry_after_s,
        )
        return of.model_dump(exclude_none=True)


def invalid(faults: Sequence[Fault]) -> ProblemError:
    """422: a body with faults."""
    many = f"{len(faults)} faults" if len(faults) != 1 else "a fault"
    first = f"{faults[0].pointer or 'the body'}: {faults[0].detail}" if faults else "the body"
    return ProblemError(422, f"the body has {many}; {first}", tuple(faults))


def over(limit: str, most: float, detail: str, pointer: str | None = None, *, status: int = 422) -> ProblemError:
    """A refusal that names the limit."""
    faults = () if pointer is None else (Fault(pointer=pointer, detail=detail),)
    return ProblemError(status, f"limit {limit}: {detail}", faults, limit, most)


def busy(limit: str, most: float, detail: str, retry_after_s: int, *, status: int = 429) -> ProblemError:
    """Too much at once: the same request may succeed later."""
    return ProblemError(status, f"limit {limit}: {detail}", (), limit, most, retry_after_s)


def pointer(path: Sequence[str | int]) -> str:
    """A JSON pointer of keys and positions."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)


def faults_of(errors: Sequence[Mapping[str, Any]]) -> list[Fault]:
    """Of pydantic's errors."""
    return [Fault(pointer=pointer(error["loc"]), detail=_plain(str(error["msg"]))) for error in errors]


def _plain(message: str) -> str:
    """Without pydantic's prefix of errors of validators."""
    return message.removeprefix("Value error, ").removeprefix("Assertion failed, ")
