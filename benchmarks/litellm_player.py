"""Plays scripted outcomes to the real LiteLLM Router over loopback: the half of `real_litellm.py` that needs litellm.

Run by the interpreter that has litellm, it reads cases from standard input as JSON and writes what each request did to
standard output. It imports nothing of this project.
"""

import asyncio
import importlib
import json
import logging
import os
import socket
import sys
import time
from collections.abc import Mapping
from typing import Any

AT_ONCE = 4
"""Cases played side by side."""
LONGEST_S = 120.0
"""After which a case is given up."""
_MINUTE_S = 60.0
_CLOSE = -1


class Scripted:
    """An OpenAI-like server on 127.0.0.1 whose answers depend on the deployment and the time since its case began."""

    def __init__(self) -> None:
        self.port = 0
        self.cases: dict[str, Mapping[str, Any]] = {}
        self.began_s: dict[str, float] = {}
        self.calls: dict[str, list[tuple[int, str, int]]] = {}

    async def serve(self) -> asyncio.Server:
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = next(
                int(line.partition(":")[2]) for line in head.splitlines() if line.lower().startswith("content-length:")
            )
            body = json.loads(await reader.readexactly(length))
            case, deployment = head.split(" ", 2)[1].strip("/").split("/")[:2]
            request = int(body["messages"][0]["content"].split()[-1])
            said = self._said(case, deployment)
            status = said.get("status", 200)
            self.calls[case].append((request, deployment, status))
            await asyncio.sleep(said.get("latency", 0.1))
            if status != _CLOSE:
                writer.write(_response(status, said.get("retry_after")))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, StopIteration):
            pass
        finally:
            writer.close()

    def _said(self, case: str, deployment: str) -> Mapping[str, Any]:
        now_s = time.monotonic() - self.began_s[case]
        for start_s, end_s, said in self.cases[case]["answers"].get(deployment, ()):
            if start_s <= now_s < end_s:
                return dict(said)
        return {}


def _response(status: int, retry_after: object) -> bytes:
    if status == 200:
        message = {"role": "assistant", "content": "yes"}
        content: dict[str, Any] = {
            "id": "1",
            "object": "chat.completion",
            "created": 1,
            "model": "m",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
        }
    else:
        content = {"error": {"message": "scripted", "type": "scripted", "code": str(status)}}
    body = json.dumps(content).encode()
    extra = "" if retry_after is None else f"retry-after: {retry_after}\r\n"
    return (
        f"HTTP/1.1 {status} Scripted\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
        f"{extra}connection: close\r\n\r\n"
    ).encode() + body


def _refusing_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def _models(case: Mapping[str, Any], port: int) -> list[dict[str, Any]]:
    models = []
    for group, deployments in case["groups"].items():
        for deployment in deployments:
            refuses = deployment.get("refuses", False)
            params = {key: value for key, value in deployment.items() if key not in ("name", "refuses")}
            models.append(
                {
                    "model_name": group,
                    "litellm_params": {
                        "model": f"openai/{deployment['name']}",
                        "api_key": "none",
                        "api_base": f"http://127.0.0.1:{_refusing_port() if refuses else port}"
                        f"/{case['name']}/{deployment['name']}",
                        **params,
                    },
                }
            )
    return models


async def _play(router_class: Any, server: Scripted, case: Mapping[str, Any]) -> list[dict[str, Any]]:
    router = router_class(model_list=_models(case, server.port), fallbacks=case.get("fallbacks", []), **case["router"])
    first = next(iter(case["groups"]))
    if case.get("within_minute"):  # counters of clock minutes
        left_s = _MINUTE_S - time.time() % _MINUTE_S
        if left_s < case["within_minute"]:
            await asyncio.sleep(left_s + 0.2)
    name = case["name"]
    server.cases[name], server.calls[name], server.began_s[name] = case, [], time.monotonic()

    async def request(number: int, at_s: float) -> dict[str, Any]:
        await asyncio.sleep(max(0.0, server.began_s[name] + at_s - time.monotonic()))
        began_s = time.monotonic()
        try:
            await router.acompletion(model=first, messages=[{"role": "user", "content": f"request {number}"}])
            served = True
        except Exception:
            served = False
        return {"served": served, "latency_s": round(time.monotonic() - began_s, 3)}

    ended = await asyncio.gather(*(request(number, at_s) for number, at_s in enumerate(case["at"])))
    return [
        {**each, "calls": [[leg, status] for of, leg, status in server.calls[name] if of == number]}
        for number, each in enumerate(ended)
    ]


async def _all(cases: list[dict[str, Any]]) -> dict[str, Any]:
    litellm: Any = importlib.import_module("litellm")
    litellm.suppress_debug_info = True
    server = Scripted()
    listening = await server.serve()
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(case: dict[str, Any]) -> Any:
        async with gate:
            return await asyncio.wait_for(_play(litellm.Router, server, case), LONGEST_S)

    warm = {"name": "warm", "groups": {"g": [{"name": "a"}]}, "router": {}, "answers": {}, "at": [0.0]}
    await one(warm)
    played = await asyncio.gather(*(one(case) for case in cases), return_exceptions=True)
    listening.close()
    return {
        case["name"]: {"error": repr(result)} if isinstance(result, BaseException) else result
        for case, result in zip(cases, played, strict=True)
    }


def main() -> None:
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # nothing is fetched from the network
    os.environ.setdefault("LITELLM_MAX_CALLBACKS", "100000")  # each Router adds some, for good
    logging.disable(logging.CRITICAL)
    results = asyncio.run(_all(json.load(sys.stdin)))
    version = importlib.import_module("importlib.metadata").version("litellm")
    json.dump({"version": version, "results": results}, sys.stdout)


if __name__ == "__main__":
    main()
