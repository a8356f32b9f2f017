"""Many clients at once: `python -m benchmarks.service_load [--clients 200] [--seconds 60] [--fresh 0.02]`.

Each client posts to /simulate, one request after the other over one connection: mostly bodies that were answered
before, and a share of `fresh` ones, which take a worker. Whoever is told to come again (429, 503) waits as long as
Retry-After says. Prints the answers by status, their times, and the memory of the service while it goes on. At the end
clients leave in the middle of their requests, and their work must be freed.
"""

import argparse
import asyncio
import json
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from benchmarks.service_process import Service, served

_KNOWN: Final = 20
_LEAVING: Final = 50
_FREED_WITHIN_S: Final = 10.0


@dataclass(slots=True)
class Found:
    """Statuses, and seconds of answers with 200."""

    statuses: Counter[int] = field(default_factory=Counter)
    without_retry_after: int = 0
    broken: Counter[str] = field(default_factory=Counter)
    known_s: list[float] = field(default_factory=list)
    fresh_s: list[float] = field(default_factory=list)
    memory_mb: list[tuple[float, float]] = field(default_factory=list)


def body(seed: int) -> bytes:
    """The default chain; every seed is another body."""
    legs = [("anthropic", "claude-sonnet-4-6"), ("openai", "gpt-5-mini")]
    chain = [{"provider": provider, "model": model, "timeout": 30} for provider, model in legs]
    return json.dumps({"chain": chain, "seed": seed}).encode()


def request(content: bytes) -> bytes:
    head = "POST /simulate HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content


async def asked(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, content: bytes
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the answer."""
    writer.write(request(content))
    await writer.drain()
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
    return int(head[0].split()[1]), headers, await reader.readexactly(int(headers.get("content-length", 0)))


async def client(number: int, service: Service, until_s: float, fresh: float, found: Found) -> None:
    random = np.random.default_rng(number)
    sent = 0
    reader, writer = await asyncio.open_connection(service.host, service.port)
    try:
        while time.monotonic() < until_s:
            is_fresh = random.random() < fresh
            sent += 1
            seed = 1_000 + number * 100_000 + sent if is_fresh else int(random.integers(_KNOWN))
            started_s = time.monotonic()
            status, headers, content = await asked(reader, writer, body(seed))
            found.statuses[status] += 1
            if status == 200:
                assert b'"sentence"' in content
                (found.fresh_s if is_fresh else found.known_s).append(time.monotonic() - started_s)
            elif "retry-after" in headers:
                await asyncio.sleep(min(float(headers["retry-after"]), max(0.0, until_s - time.monotonic())))
            else:
                found.without_retry_after += 1
    except (OSError, EOFError, ValueError) as error:
        found.broken[type(error).__name__] += 1
    finally:
        writer.close()


async def watch(service: Service, until_s: float, found: Found) -> None:
    while time.monotonic() < until_s:
        found.memory_mb.append(service.memory_mb())
        await asyncio.sleep(5.0)


async def load(service: Service, clients: int, seconds: float, fresh: float) -> Found:
    found = Found()
    reader, writer = await asyncio.open_connection(service.host, service.port)
    for seed in range(_KNOWN):
        await asked(reader, writer, body(seed))
    writer.close()
    until_s = time.monotonic() + seconds
    every = [client(number, service, until_s, fresh, found) for number in range(clients)]
    await asyncio.gather(watch(service, until_s, found), *every)
    return found


async def leave(service: Service) -> float:
    """Seconds until nothing is at work for clients that have gone."""
    while _busy(service):
        await asyncio.sleep(0.2)
    writers = []
    for number in range(_LEAVING):
        _, writer = await asyncio.open_connection(service.host, service.port)
        writer.write(request(body(50_000_000 + number)))
        await writer.drain()
        writers.append(writer)
    await asyncio.sleep(0.5)
    assert _busy(service), "no work was begun for them"
    for writer in writers:
        writer.close()
    started_s = time.monotonic()
    while _busy(service) and time.monotonic() - started_s < _FREED_WITHIN_S:
        await asyncio.sleep(0.05)
    return time.monotonic() - started_s


def _busy(service: Service) -> float:
    metrics = service.metrics()
    return metrics["des_simulations_at_work"] + metrics["des_simulations_waiting"]


def told(seconds: list[float]) -> str:
    if not seconds:
        return "none"
    quantiles: Any = np.quantile(seconds, [0.5, 0.95, 0.99])
    return f"{len(seconds):,}: p50 {quantiles[0]:.3f} s, p95 {quantiles[1]:.3f} s, p99 {quantiles[2]:.3f} s"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--fresh", type=float, default=0.02)
    parser.add_argument("--workers", default="2")
    options = parser.parse_args()
    with served("--workers", options.workers) as service:
        before = service.metrics()
        found = asyncio.run(load(service, options.clients, options.seconds, options.fresh))
        print(f"{options.clients} clients for {options.seconds:g} s, {options.fresh:.0%} of their bodies fresh")
        print(f"statuses: {dict(sorted(found.statuses.items()))}; without Retry-After: {found.without_retry_after}")
        print(f"broken connections: {dict(found.broken)}")
        used_s = service.metrics()["process_cpu_seconds_total"] - before["process_cpu_seconds_total"]
        each_ms = 1000.0 * used_s / max(1, found.statuses.total())
        print(f"processor time of the service itself: {each_ms:.2f} ms a request")
        print(f"known bodies, {told(found.known_s)}")
        print(f"fresh bodies, {told(found.fresh_s)}")
        own, others = zip(*found.memory_mb, strict=True)
        print(f"memory of the service, MB every 5 s: {', '.join(f'{each:.0f}' for each in own)}")
        print(f"memory of its workers, MB every 5 s: {', '.join(f'{each:.0f}' for each in others)}")
        print(f"{_LEAVING} clients left in the middle: all work freed after {asyncio.run(leave(service)):.2f} s")
        print(f"failures in the log: {len(service.failures())}")


if __name__ == "__main__":
    main()
