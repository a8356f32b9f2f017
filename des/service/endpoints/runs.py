"""Runs of whole scenarios: asked for, followed, read and removed."""

import json
from collections.abc import AsyncIterator
from pathlib import Path as FilePath
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Header, Path, Request, Response
from fastapi.responses import FileResponse, StreamingResponse

from des.service.addresses import PATTERN
from des.service.bodies import RunBody
from des.service.bounds import Bounds
from des.service.documented import body_of, problems
from des.service.endpoints.serving import json_bytes, service_of
from des.service.problems import Fault, ProblemError, busy, invalid, over
from des.service.reading import read_body, unless_gone
from des.service.runs import DONE, Event, Run, RunState
from des.service.traces import merged

router = APIRouter()
Key = Annotated[str, Path(pattern=f"^{PATTERN}$", examples=["0123456789abcdef01234567"])]
_ROUNDS: Final = 2
_REPORT_POLICY: Final = (
    "sandbox allow-scripts allow-downloads; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'unsafe-inline'; img-src data: blob:; font-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


@router.post(
    "/runs",
    response_model=RunState,
    status_code=202,
    responses={
        200: {"model": RunState, "description": "It was asked for before: its state"},
        **problems(400, 408, 413, 415, 422, 429, 503),
    },
    openapi_extra=body_of(RunBody, yaml=True),
    summary="Run a scenario",
)
async def ask(request: Request) -> Response:
    """Simulate a whole scenario. The same request again is answered with the same run."""
    service = service_of(request)
    bounds: Bounds = service.bounds
    body = await read_body(request, RunBody, bounds, yaml=True)
    if body.rounds is not None and body.kind != "answer":
        detail = f"belongs to kind 'answer'; leave it out of kind '{body.kind}'"
        raise invalid([Fault(pointer="/rounds", detail=detail)])
    if body.rounds is not None and body.rounds > bounds.answer_rounds:
        said = f"at most {bounds.answer_rounds}; got {body.rounds}"
        raise over("answer_rounds", bounds.answer_rounds, said, "/rounds")
    found = await unless_gone(request, service.workers.run("validate", scenario=body.scenario, kind=body.kind))
    asked = {"kind": body.kind, "scenario": found["content"]}
    if body.kind == "answer":
        asked["rounds"] = body.rounds or _ROUNDS
    run, is_new = service.runner.ask(asked, str(found["title"] or ""))
    state = _state(request, run)
    return json_bytes(state.model_dump_json().encode(), 202 if is_new else 200, {"Location": f"/runs/{run.key}"})


@router.get("/runs/{key}", response_model=RunState, responses=problems(404, 422), summary="How far a run is")
async def state(request: Request, key: Key) -> RunState:
    """The state of a run, with links to what it has."""
    return _state(request, _run(request, key))


@router.delete("/runs/{key}", status_code=204, responses=problems(404, 422), summary="Stop and remove a run")
async def remove(request: Request, key: Key) -> Response:
    """Ends a run that is at work, and removes all that is kept of it."""
    await service_of(request).runner.remove(_run(request, key))
    return Response(status_code=204)


@router.get(
    "/runs/{key}/events",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "Events, the last of which is done, failed or cancelled",
            "content": {"text/event-stream": {}},
        },
        **problems(404, 422, 429),
    },
    summary="Follow a run",
)
async def events(
    request: Request, key: Key, last_event_id: Annotated[str | None, Header(max_length=20)] = None
) -> StreamingResponse:
    """Server-sent events: `status`, `progress`, then `done`, `failed` or `cancelled`. Last-Event-ID resumes."""
    runner = service_of(request).runner
    run = _run(request, key)
    after = (
        int(last_event_id) if last_event_id is not None and last_event_id.isascii() and last_event_id.isdigit() else 0
    )
    if runner.streams >= runner.bounds.streams:
        most = runner.bounds.streams
        raise busy("streams", most, f"{most} event streams are open already", 5)

    async def stream() -> AsyncIterator[str]:
        runner.streams += 1
        try:
            yield "retry: 2000\n\n"
            async for event in runner.follow(run, after):
                yield ": still there\n\n" if event is None else _written(event)
        finally:
            runner.streams -= 1

    return StreamingResponse(stream(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


@router.get(
    "/runs/{key}/report",
    response_class=FileResponse,
    responses={200: {"description": "The page", "content": {"text/html": {}}}, **problems(404, 409, 422)},
    summary="The report of a run",
)
async def report(request: Request, key: Key) -> FileResponse:
    """One page with every chart, complete in itself."""
    run = _done(request, key)
    return _file(run.report, "text/html; charset=utf-8", {"Content-Security-Policy": _REPORT_POLICY})


@router.get(
    "/runs/{key}/summary",
    response_class=FileResponse,
    responses={200: {"description": "Figures", "content": {"application/json": {}}}, **problems(404, 409, 422)},
    summary="The figures of a run",
)
async def summary(request: Request, key: Key) -> FileResponse:
    """summary.json of a run or a comparison, answer.json of an answer."""
    return _file(_done(request, key).summary, "application/json")


@router.get(
    "/runs/{key}/traces/{table}",
    response_class=FileResponse,
    responses={
        200: {"description": "Parquet", "content": {"application/vnd.apache.parquet": {}}},
        **problems(404, 409, 422),
    },
    summary="The traces of a run",
)
async def traces(
    request: Request, key: Key, table: Literal["requests", "attempts", "incidents", "transitions"]
) -> FileResponse:
    """A row for every request, attempt, incident or change of state, of all arms and replications, in one file."""
    run = _done(request, key)
    if not (run.result / table).is_dir():
        raise ProblemError(404, f"this {run.kind} has no {table}")
    headers = {"Content-Disposition": f'attachment; filename="{table}.parquet"'}
    file = await merged(run, table, service_of(request).runner.merging)
    return _file(file, "application/vnd.apache.parquet", headers)


def _run(request: Request, key: str) -> Run:
    run: Run | None = service_of(request).runner.store.runs.get(key)
    if run is None:
        raise ProblemError(404, f"no run {key}: it was never asked for, was removed, or has expired")
    return run


def _done(request: Request, key: str) -> Run:
    run = _run(request, key)
    if run.status != DONE:
        raise ProblemError(409, f"the run is {run.status}: it has this once it is done")
    return run


def _state(request: Request, run: Run) -> RunState:
    bounds: Bounds = service_of(request).bounds
    return run.state(bounds.kept_s)


def _file(path: FilePath, media_type: str, headers: dict[str, str] | None = None) -> FileResponse:
    if not path.is_file():
        raise ProblemError(404, "this run has none")
    return FileResponse(path, media_type=media_type, headers=headers)


def _written(event: Event) -> str:
    data = json.dumps(event.data, ensure_ascii=False, separators=(",", ":"))
    return f"id: {event.number}\nevent: {event.name}\ndata: {data}\n\n"
