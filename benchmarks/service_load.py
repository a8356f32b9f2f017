"""Many clients at once: `python -m benchmarks.service_load [--clients 200] [--seconds 60] [--fresh 0.02]`.

Each client posts to /simulate, one request after the other over one connection: mostly bodies that were answered
before, and a share of `fresh` ones, which take a worker. Whoever is told to come again (429, 503) waits as long as
Retry-After says. Before that, one client asks `--alone` bodies that were never answered, one after the other. Prints a
table in Markdown, for docs/service.md: the times of answers, the answers by status, and the memory of the service while
it goes on. At the end clients leave in the middle of their requests, and their work must be freed.
"""

import argparse
import asyncio
import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

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


async def alone(service: Service, count: int) -> list[float]:
    """Seconds of so many fresh bodies, of one client, once the workers have started."""
    reader, writer = await asyncio.open_connection(service.host, service.port)
    await asked(reader, writer, body(89_999_999))
    found = []
    for number in range(count):
        started_s = time.monotonic()
        status, _, content = await asked(reader, writer, body(90_000_000 + number))
        assert status == 200, content
        found.append(time.monotonic() - started_s)
    writer.close()
    return found


def told(seconds: list[float]) -> str:
    if not seconds:
        return "none"
    p50, p95, p99 = (float(each) for each in np.quantile(seconds, [0.5, 0.95, 0.99]))
    return f"{len(seconds):,}: p50 {p50:.2f} s, p95 {p95:.2f} s, p99 {p99:.2f} s"


def rows(
    found: Found, single_s: list[float], used_s: float, freed_s: float, failures: int
) -> Iterator[tuple[str, str]]:
    """What is measured, and what it came to."""
    refused = {status: many for status, many in sorted(found.statuses.items()) if status != 200}
    own, others = zip(*found.memory_mb, strict=True)
    yield "fresh bodies of one client", told(single_s)
    yield "answers", f"{found.statuses[200]:,}"
    yield "told to come again", ", ".join(f"{many:,} times {status}" for status, many in refused.items()) or "none"
    yield "of them without `Retry-After`", f"{found.without_retry_after:,}"
    yield "connections that broke", ", ".join(f"{many} {name}" for name, many in found.broken.items()) or "none"
    yield "known bodies", told(found.known_s)
    yield "fresh bodies", told(found.fresh_s)
    yield "processor time of the service for a request", f"{1000.0 * used_s / max(1, found.statuses.total()):.1f} ms"
    yield "memory of the service, first and last", f"{own[0]:.0f} MB, {own[-1]:.0f} MB"
    yield "memory of its workers, first and last", f"{others[0]:.0f} MB, {others[-1]:.0f} MB"
    yield f"{_LEAVING} clients that left in the middle: all work freed after", f"{freed_s:.2f} s"
    yield "failures in the log", f"{failures}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--fresh", type=float, default=0.02)
    parser.add_argument("--alone", type=int, default=50)
    parser.add_argument("--workers", default="2")
    options = parser.parse_args()
    with served("--workers", options.workers) as service:
        single_s = asyncio.run(alone(service, options.alone))
        before = service.metrics()
        found = asyncio.run(load(service, options.clients, options.seconds, options.fresh))
        used_s = service.metrics()["process_cpu_seconds_total"] - before["process_cpu_seconds_total"]
        freed_s = asyncio.run(leave(service))
        title = f"{options.clients} clients for {options.seconds:g} s, {options.fresh:.0%} of their bodies fresh"
        print(f"| {title} | load average {os.getloadavg()[0]:.0f} |\n|---|---|")
        for what, came in rows(found, single_s, used_s, freed_s, len(service.failures())):
            print(f"| {what} | {came} |")


if __name__ == "__main__":
    main()
