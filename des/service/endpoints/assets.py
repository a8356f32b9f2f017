"""The page and its files, the scripts that draw charts, and what operators ask for."""

import asyncio
import hashlib
from functools import cache
from importlib.resources import files
from typing import Final

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from des.report.charts.extra import missing
from des.report.charts.theme import DARK, LIGHT
from des.service.documented import problems
from des.service.endpoints.serving import json_bytes, service_of
from des.service.problems import ProblemError
from des.study.identity import canonical_json

router = APIRouter()
_TYPES: Final = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
    "webmanifest": "application/manifest+json",
}
_INDEX: Final = "index.html"


class Health(BaseModel):
    """Whether the service takes requests."""

    status: str


@router.get("/healthz", response_model=Health, responses=problems(503), summary="Whether the service is up")
async def healthz(request: Request) -> Health:
    """For load balancers."""
    if not service_of(request).ready:
        raise ProblemError(503, "starting, or about to end", retry_after_s=1)
    return Health(status="ok")


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"description": "Metrics", "content": {"text/plain": {}}}, **problems()},
    summary="Metrics for Prometheus",
)
async def metrics(request: Request) -> Response:
    """In the text format."""
    return Response(service_of(request).telemetry.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


@router.get("/", response_class=Response, include_in_schema=False)
async def index(request: Request) -> Response:
    """The page."""
    return _sent(request, _INDEX)


@router.get("/page/{name}", response_class=Response, include_in_schema=False)
async def page_file(request: Request, name: str) -> Response:
    """A file of the page."""
    return _sent(request, name)


@router.get("/favicon.ico", response_class=Response, include_in_schema=False)
async def icon(request: Request) -> Response:
    """The page's icon."""
    return _sent(request, "icon.svg")


@router.get("/assets/vega.js", response_class=Response, include_in_schema=False)
async def vega(request: Request) -> Response:
    """The scripts that draw the report's charts."""
    if words := missing():
        raise ProblemError(503, f"no charts: {words}")
    from des.report.page.bundle import scripts

    return _tagged(request, (await asyncio.to_thread(scripts)).encode(), _TYPES["js"])


@router.get("/assets/theme.json", response_class=Response, include_in_schema=False)
async def theme(request: Request) -> Response:
    """Colours and fonts of the charts."""
    return json_bytes(canonical_json({"light": LIGHT, "dark": DARK}).encode())


@cache
def _page() -> dict[str, bytes]:
    """The files of the page by name; nothing else is served."""
    folder = files("des.service") / "page"
    return {each.name: each.read_bytes() for each in folder.iterdir() if each.name.rpartition(".")[2] in _TYPES}


def _sent(request: Request, name: str) -> Response:
    found = _page().get(name)
    if found is None:
        raise ProblemError(404, f"the page has no file {name[:100]}")
    return _tagged(request, found, _TYPES[name.rpartition(".")[2]])


def _tagged(request: Request, content: bytes, media_type: str) -> Response:
    """With a tag, so that a browser asks but loads it once."""
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type=media_type)
