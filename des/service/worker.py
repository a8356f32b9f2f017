"""A process of the service's own that works on one job after the other: lines of JSON in, lines of JSON out.

It ends with its standard input, so also where the service is killed. SIGUSR1 ends the job at hand, not the process.
"""

import json
import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any, Final

from des.service.bodies import EXAMPLE, SimulateBody
from des.service.bounds import Bounds
from des.service.problems import ProblemError

Job = Callable[[Mapping[str, Any], Bounds], dict[str, Any]]


class _GivenUpError(BaseException):
    """The client of the job at hand has gone."""


def _simulate(asked: Mapping[str, Any], bounds: Bounds) -> dict[str, Any]:
    from des.service.simulating import simulated

    return simulated(SimulateBody.model_validate(asked["body"]), bounds, asked.get("id"))


def _charts(asked: Mapping[str, Any], bounds: Bounds) -> dict[str, Any]:
    from des.scenario.text.strict_yaml import read_yaml
    from des.service.charts import charts_of

    content, _, _ = read_yaml(asked["scenario"])
    return charts_of(content, asked["answer"])


def _validate(asked: Mapping[str, Any], bounds: Bounds) -> dict[str, Any]:
    from des.service.written import described, planned, read_scenario

    content, loaded = read_scenario(asked["scenario"], bounds, asked.get("at", "/scenario"))
    kind = asked.get("kind", "run")
    if kind == "compare":
        loaded = loaded.with_arms()
    replications = loaded.scenario.replications if kind != "answer" else 0
    requests = planned(loaded, bounds, replications=replications, at=asked.get("at", "/scenario"))
    return {**described(loaded, requests), "content": content}


JOBS: Final[Mapping[str, Job]] = {"simulate": _simulate, "charts": _charts, "validate": _validate}


def warm_up(bounds: Bounds) -> None:
    """Import everything and fill the caches, before the first job and before anything can end it half-way."""
    from des.compiled.choice import LOADED_FOR, prepare
    from des.scenario import plans
    from des.service.equivalent import equivalent
    from des.service.simulating import simulated

    example = SimulateBody.model_validate(EXAMPLE)
    prepare(
        list(plans(equivalent(example, bounds).loaded).values()), LOADED_FOR
    )  # the compiled engine, if it is cached
    simulated(example, bounds)
    for name in ("des.service.charts", "des.service.written", "pandas"):
        __import__(name)
    try:
        __import__("altair")
    except ImportError:
        return  # the extra `report` is missing; charts say so


def work() -> None:
    """Jobs from standard input, answers on the former standard output."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # printed text must not get between the answers
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the service's to handle
    jobs: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(jobs,), daemon=True).start()
    bounds = Bounds(**json.loads(jobs.get()))
    warm_up(bounds)
    at_work = [False]

    def give_up(number: int, frame: FrameType | None) -> None:
        if at_work[0]:
            at_work[0] = False
            raise _GivenUpError

    if hasattr(signal, "SIGUSR1"):
        signal.signal(signal.SIGUSR1, give_up)
    _say(answers, {"ready": True})
    while True:
        asked = json.loads(jobs.get())
        try:
            at_work[0] = True
            found = answer_to(asked, bounds)
            at_work[0] = False
        except _GivenUpError:
            found = {"given_up": True}
        _say(answers, found)


def answer_to(asked: Mapping[str, Any], bounds: Bounds) -> dict[str, Any]:
    """What a job comes to: `done`, a `problem` of its body, or a `failure` of ours."""
    try:
        return {"done": JOBS[asked["job"]](asked, bounds)}
    except ProblemError as problem:
        return {
            "problem": {
                "status": problem.status,
                "detail": problem.detail,
                "faults": [fault.model_dump() for fault in problem.faults],
                "limit": problem.limit,
                "most": problem.most,
                "least": problem.least,
                "retry_after_s": problem.retry_after_s,
            }
        }
    except Exception:
        return {"failure": traceback.format_exc()}


def _say(answers: Any, found: Mapping[str, Any]) -> None:
    try:
        answers.write(json.dumps(found, ensure_ascii=False, separators=(",", ":")) + "\n")
        answers.flush()
    except BrokenPipeError:
        os._exit(1)


def _listen(jobs: "queue.SimpleQueue[str]") -> None:
    for line in sys.stdin:
        jobs.put(line)
    os._exit(0)


if __name__ == "__main__":
    work()
