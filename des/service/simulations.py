"""Answers to POST /simulate: from disk where they are known, else from a worker, once for all who ask at once."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from des.service.addresses import address_of
from des.service.answer_store import AnswerStore
from des.service.bodies import SimulateBody
from des.service.bounds import Bounds
from des.service.equivalent import beyond_bounds, faults_of_names
from des.service.problems import ProblemError, invalid
from des.service.workers import Workers


@dataclass(slots=True)
class _Shared:
    """Work that several clients may wait for."""

    task: "asyncio.Task[bytes]"
    waiting: int = 0


class Simulations:
    """Answers and charts by address."""

    def __init__(self, store: AnswerStore, workers: Workers, bounds: Bounds) -> None:
        self._store = store
        self._workers = workers
        self._bounds = bounds
        self._going: dict[tuple[str, str], _Shared] = {}
        self.from_store = 0

    async def answer(self, body: SimulateBody) -> bytes:
        """The JSON of the answer. Raises ProblemError. Work that nobody waits for any more is given up."""
        if beyond_bounds(body, self._bounds):
            raise invalid(await asyncio.to_thread(faults_of_names, body, self._bounds))
        key = address_of(body)

        async def make() -> Mapping[str, Any]:
            return await self._workers.run("simulate", body=body.model_dump(mode="json", exclude_none=True), id=key)

        return await self._known_or_made(key, "answer", make)

    async def charts(self, key: str) -> bytes:
        """The JSON of the charts of an answer that was given. Raises ProblemError where it is not known."""
        known = self._store.get(key, "answer")
        if known is None:
            raise ProblemError(404, f"no simulation {key}: it was forgotten; POST /simulate again")

        async def make() -> Mapping[str, Any]:
            answer = json.loads(known)
            return await self._workers.run("charts", scenario=answer["scenario"], answer=answer["answer"])

        return await self._known_or_made(key, "charts", make)

    async def _known_or_made(self, key: str, kind: str, make: Callable[[], Awaitable[Mapping[str, Any]]]) -> bytes:
        known = self._store.get(key, kind)
        if known is not None:
            self.from_store += 1
            return known
        shared = self._going.get((key, kind))
        if shared is None:
            shared = self._going[key, kind] = _Shared(asyncio.create_task(self._made(key, kind, make)))
        shared.waiting += 1
        try:
            return await asyncio.shield(shared.task)
        finally:
            shared.waiting -= 1
            if not shared.waiting and not shared.task.done():
                self._going.pop((key, kind), None)
                shared.task.cancel()

    async def _made(self, key: str, kind: str, make: Callable[[], Awaitable[Mapping[str, Any]]]) -> bytes:
        try:
            return self._store.put(key, kind, await make())
        finally:
            mine = self._going.get((key, kind))
            if mine is not None and mine.task is asyncio.current_task():
                del self._going[key, kind]
