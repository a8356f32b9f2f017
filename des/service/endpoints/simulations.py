"""What can be asked without a run: the catalogue, figures of a chain, their charts, whether a scenario is valid."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from des.service.addresses import PATTERN
from des.service.answers import SimulateAnswer
from des.service.bodies import ScenarioBody, SimulateBody
from des.service.catalogue import Catalogue, catalogue
from des.service.documented import Charts, Valid, body_of, problems
from des.service.endpoints.serving import json_bytes, service_of
from des.service.partial import every_fault
from des.service.reading import read_body, unless_gone

router = APIRouter()
Key = Annotated[str, Path(pattern=f"^{PATTERN}$", examples=["0123456789abcdef01234567"])]


@router.get("/catalogue", response_model=Catalogue, responses=problems(), summary="Providers, models, prices, presets")
async def get_catalogue(request: Request) -> Catalogue:
    """What a chain can be made of, every default with its source, and the limits of this service."""
    return catalogue(service_of(request).bounds)


@router.post(
    "/simulate",
    response_model=SimulateAnswer,
    responses=problems(400, 408, 413, 415, 422, 503),
    openapi_extra=body_of(SimulateBody),
    summary="Uptime, cost and latency of a chain",
)
async def simulate(request: Request) -> Response:
    """Figures of a chain of providers in a second: the same that `des answer` prints for the equivalent scenario."""
    service = service_of(request)
    body = await read_body(request, SimulateBody, service.bounds, every_fault=every_fault)
    return json_bytes(await unless_gone(request, service.simulations.answer(body)))


@router.get(
    "/simulations/{key}/charts",
    response_model=Charts,
    responses=problems(404, 422, 503),
    summary="Charts of an answer of POST /simulate",
)
async def charts(request: Request, key: Key) -> Response:
    """The report's charts as specifications of Vega-Lite, each with a table of what it shows."""
    service = service_of(request)
    return json_bytes(await unless_gone(request, service.simulations.charts(key)))


@router.post(
    "/scenarios/validate",
    response_model=Valid,
    responses=problems(400, 408, 413, 415, 422, 503),
    openapi_extra=body_of(ScenarioBody, yaml=True),
    summary="Whether a scenario can be run",
)
async def validate(request: Request) -> Valid:
    """Every fault of a scenario at once, or what a run of it would simulate."""
    service = service_of(request)
    body = await read_body(request, ScenarioBody, service.bounds, yaml=True)
    found = await unless_gone(request, service.workers.run("validate", scenario=body.scenario))
    return Valid(**{name: value for name, value in found.items() if name != "content"})
