"""What endpoints have in common: the service that they belong to, and how they answer."""

from typing import Any

from fastapi import Request, Response

from des.service.reading import JSON


def service_of(request: Request) -> Any:
    """The `Service` of the application."""
    return request.app.state.service


def json_bytes(content: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """JSON that is written already."""
    return Response(content, status, headers, JSON)
