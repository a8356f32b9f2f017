"""The service as an ASGI application: endpoints, and what lives as long as the service does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.routing import Match

from des.service.answer_store import AnswerStore
from des.service.bounds import Bounds
from des.service.documented import openapi_of
from des.service.endpoints import assets, runs, simulations
from des.service.faults import faults_of
from des.service.guard import FAILED, GONE, STREAMS, Door, Guard
from des.service.problems import MEDIA_TYPE, ProblemError
from des.service.reading import GoneError
from des.service.runner import Runner
from des.service.runs import RunStore
from des.service.simulations import Simulations
from des.service.telemetry import Telemetry
from des.service.workers import Workers
from des.study.identity import canonical_json

_METHODS: Final = ("GET", "POST", "DELETE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`state` is the directory that outlives the service; nothing else may write into it. `door` says who may ask."""

    state: Path
    bounds: Bounds = field(default_factory=Bounds)
    door: Door = field(default_factory=Door)
    warm: bool = True
    """Start the worker processes at once, not with the first request."""


@dataclass(slots=True)
class Service:
    """The parts that endpoints use."""

    bounds: Bounds
    workers: Workers
    simulations: Simulations
    runner: Runner
    telemetry: Telemetry
    ready: bool = False


def application(settings: Settings, workers: Workers | None = None) -> Guard:
    """The application. Its state directory is made at once, its processes when it is started.

    `workers` are others than a pool of processes.
    """
    bounds = settings.bounds
    workers = Workers(bounds) if workers is None else workers
    answers = AnswerStore(settings.state / "answers", bounds.kept_s)
    telemetry = Telemetry()
    service = Service(
        bounds=bounds,
        workers=workers,
        simulations=Simulations(answers, workers, bounds),
        runner=Runner(RunStore(settings.state / "runs"), bounds),
        telemetry=telemetry,
    )
    _watch(service)

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        warming = asyncio.create_task(workers.start()) if settings.warm else None
        service.runner.start()
        service.ready = True
        try:
            yield
        finally:
            service.ready = False
            await service.runner.stop()
            if warming is not None:
                warming.cancel()
                await asyncio.gather(warming, return_exceptions=True)
            await workers.stop()

    app = FastAPI(
        title="des",
        summary="Uptime, cost and latency of AI requests over providers with fallback chains",
        version=_version(),
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        lifespan=life,
        redirect_slashes=False,
    )
    app.state.service = service
    for router in (simulations.router, runs.router, assets.router):
        app.include_router(router)
    app.add_exception_handler(ProblemError, _problem)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(GoneError, lambda request, error: Response(status_code=GONE))
    app.add_exception_handler(Exception, lambda request, error: problem_response(FAILED))
    app.openapi = lambda: openapi_of(app)  # type: ignore[method-assign]
    return Guard(app, door=settings.door, telemetry=telemetry, most_open=bounds.open_requests)


def _version() -> str:
    from des.study.identity import package_version

    return package_version()


def _watch(service: Service) -> None:
    watch = service.telemetry.watch
    watch("des_simulations_at_work", "Simulations in worker processes", lambda: service.workers.at_work)
    watch("des_simulations_waiting", "Simulations that wait for a worker", lambda: service.workers.waiting)
    watch("des_answers_from_store", "Answers that were known already", lambda: service.simulations.from_store)
    watch("des_runs_queued", "Runs that wait", lambda: service.runner.queued)
    watch("des_runs_running", "Runs at work", lambda: service.runner.running)
    watch("des_streams_open", "Event streams", lambda: service.runner.streams)


def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)
    return problem_response(error)


def problem_response(error: ProblemError, headers: dict[str, str] | None = None) -> Response:
    """The answer that tells a problem."""
    content = canonical_json(error.as_json())
    return Response(content, error.status, {**error.headers, **(headers or {})}, MEDIA_TYPE)


def _http(request: Request, error: Exception) -> Response:
    """404 and 405 of the router, which knows the methods of one route alone where several have the path."""
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(_allowed(request))
    details = {
        404: f"nothing is at {request.url.path[:200]}; GET /openapi.json lists what there is",
        405: f"{request.method} is not for {request.url.path[:200]}",
    }
    found = ProblemError(error.status_code, details.get(error.status_code, str(error.detail)))
    return problem_response(found, headers)


def _allowed(request: Request) -> list[str]:
    """The methods for this path; HEAD goes with GET."""
    scopes = {method: {**request.scope, "method": method} for method in _METHODS}
    found = {
        method
        for method, scope in scopes.items()
        if any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)
    }
    return sorted(found | ({"HEAD"} if "GET" in found and not request.url.path.endswith(STREAMS) else set()))


def _invalid(request: Request, error: Exception) -> Response:
    """Parameters in the address or in headers."""
    assert isinstance(error, RequestValidationError)
    found: list[Any] = [{**each, "loc": each["loc"][1:]} for each in error.errors()]
    return problem_response(ProblemError(422, "a parameter is wrong", faults_of(found)))
