"""The pool of worker processes: clients that go free their work, jobs are bounded in time, lost processes return."""

import asyncio
from typing import Any

import pytest

from des.service.answer_store import AnswerStore
from des.service.bodies import EXAMPLE, SimulateBody
from des.service.bounds import Bounds
from des.service.problems import ProblemError
from des.service.simulations import Simulations
from des.service.workers import Workers

HEAVY = {
    "chain": [
        {"provider": "anthropic", "model": "claude-sonnet-4-6", "rate_limit": "300/min"},
        {"provider": "openai", "model": "gpt-5-mini", "rate_limit": "300/min"},
    ],
    "workload": {"rate": "10/s"},
}
"""Some ten seconds of work."""


def test_a_real_pool_frees_ends_and_restarts(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("des.service.workers._GIVING_UP_S", 120.0)
    asyncio.run(_pool(tmp_path))


async def _pool(folder: Any) -> None:
    bounds = Bounds(simulations=1, queued_simulations=1, simulation_s=120.0, queue_s=120.0)
    workers = Workers(bounds)
    simulations = Simulations(AnswerStore(folder, 1e6), workers, bounds)
    heavy, light = SimulateBody.model_validate(HEAVY), SimulateBody.model_validate(EXAMPLE)
    try:
        await workers.start()
        process = workers._every[0]._process
        assert process is not None

        # Two clients ask the same; the work goes on while one of them waits, and is freed when both have gone.
        one, two = (asyncio.create_task(simulations.answer(heavy)) for _ in range(2))
        while not workers.at_work:
            await asyncio.sleep(0.01)
        one.cancel()
        await asyncio.sleep(0.05)
        assert workers.at_work == 1
        two.cancel()
        await asyncio.gather(one, two, return_exceptions=True)
        answer = await simulations.answer(light)
        assert b"sentence" in answer
        assert workers._every[0]._process is process, "the process was freed, not ended"

        # Beyond what may wait, clients are told to come again.
        first = asyncio.create_task(simulations.answer(heavy))
        while not workers.at_work:
            await asyncio.sleep(0.01)
        second = asyncio.create_task(simulations.answer(heavy.model_copy(update={"seed": 1})))
        while not workers.waiting:
            await asyncio.sleep(0.01)
        with pytest.raises(ProblemError) as refused:
            await simulations.answer(heavy.model_copy(update={"seed": 2}))
        assert (refused.value.status, refused.value.limit) == (503, "queued_simulations")
        assert refused.value.retry_after_s
        second.cancel()
        while workers.waiting:
            await asyncio.sleep(0.01)
        object.__setattr__(bounds, "queue_s", 0.05)
        with pytest.raises(ProblemError) as waited:
            await simulations.answer(heavy.model_copy(update={"seed": 3}))
        assert (waited.value.status, waited.value.limit) == (503, "queue_s")
        object.__setattr__(bounds, "queue_s", 120.0)

        # A process that is lost is replaced.
        process.kill()
        lost = (await asyncio.gather(first, second, return_exceptions=True))[0]
        assert "lost" in str(lost)
        assert b"valid" in str(await workers.run("validate", scenario=_scenario())).encode()

        # A job that takes too long is given up, and the process is free again.
        object.__setattr__(bounds, "simulation_s", 0.05)
        with pytest.raises(ProblemError) as late:
            await workers.run("simulate", body=HEAVY, id="x")
        assert late.value.limit == "simulation_s"
        object.__setattr__(bounds, "simulation_s", 120.0)
        assert (await workers.run("validate", scenario=_scenario()))["valid"]
    finally:
        await workers.stop()


def _scenario() -> str:
    from des.service.bodies import SCENARIO_EXAMPLE

    return SCENARIO_EXAMPLE
