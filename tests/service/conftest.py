"""The service in this process: endpoints are called without a socket, and workers are threads."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")
pytest.importorskip("prometheus_client")

from starlette.testclient import TestClient

from des.service.application import Settings, application
from des.service.bounds import Bounds
from des.service.guard import Door
from des.service.problems import Fault, ProblemError
from des.service.worker import answer_to
from des.service.workers import Workers

HERE = "http://127.0.0.1"


class Threads(Workers):
    """Jobs in a thread of this process, one after the other."""

    def __init__(self, bounds: Bounds) -> None:
        super().__init__(bounds)
        self._bounds = bounds
        self.jobs: list[str] = []

    async def start(self) -> None:
        return

    async def run(self, job: str, **asked: Any) -> dict[str, Any]:
        self.jobs.append(job)
        found = await asyncio.to_thread(answer_to, {"job": job, **asked}, self._bounds)
        if "done" in found:
            return found["done"]
        assert "problem" in found, found["failure"]
        of = found["problem"]
        raise ProblemError(**{**of, "faults": tuple(Fault(**fault) for fault in of["faults"])})


Opened = Callable[..., TestClient]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    """Opens a client of a service with other bounds, another door or another state directory."""
    opened: list[TestClient] = []

    def open_service(state: Path | None = None, door: Door | None = None, **bounds: Any) -> TestClient:
        limits = replace(Bounds(simulations=1), **bounds)
        folder = tmp_path_factory.mktemp("state") if state is None else state
        settings = Settings(state=folder, bounds=limits, door=door or Door(), warm=False)
        workers = Threads(limits)
        client = TestClient(application(settings, workers), base_url=HERE, raise_server_exceptions=False)
        client.__enter__()
        client.workers = workers  # type: ignore[attr-defined]
        opened.append(client)
        return client

    yield open_service
    for client in opened:
        client.__exit__(None, None, None)


@pytest.fixture(scope="module")
def client(service: Opened) -> TestClient:
    return service()
