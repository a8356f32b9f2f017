"""Bodies that nobody would write: `python -m benchmarks.service_fuzz [--bodies 10000] [--examples 30] [--seed 1]`.

First schemathesis (extra `bench`) goes over the whole OpenAPI document of a running service: no answer may be a 5xx but
a stated 503, no status or type of content undocumented, no body of an answer against its schema. Then bodies are made
of good ones by changing them at random, and sent to every endpoint that takes one: none may be answered with 500. Both
must leave the log without failures.
"""

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from benchmarks.service_process import Service, served
from des.scenario.text.strict_yaml import read_yaml
from des.service.bodies import EXAMPLE, EXAMPLE_SHARED, SCENARIO_EXAMPLE

_AT_ONCE: Final = 8
_CHECKS: Final = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
    "response_headers_conformance,unsupported_method"
)
_ODD: Final[tuple[Any, ...]] = (
    None,
    True,
    0,
    -1,
    1,
    2**63,
    10**400,
    1e308,
    -0.0,
    1e-320,
    0.5,
    100,
    "",
    " ",
    "0",
    "1e999",
    "99.9%",
    "30s",
    "-5s",
    "0/s",
    "1/0s",
    "5/d",
    "nan",
    "${HOME}",
    "../../etc/passwd",
    "\u0000",
    "\u202e",
    "é" * 300,
    "x" * 5_000,
    "anthropic",
    "openai/gpt-5-mini",
    [],
    {},
    [[]],
    {"": {}},
    {"file": "/etc/passwd"},
    {"kind": "my_package:Class"},
    {"kind": "replay"},
    {"__class__": "x"},
)
_KEYS: Final = ("", "file", "chain", "kind")
_CHARACTERS: Final = '{}[]",:0123456789.eE+-% \\/uabcdefnulltrue\n\t\u00e9\u0000'


def changed(value: Any, chance: random.Random, others: list[Any]) -> Any:
    """A copy with some of its parts replaced, removed, repeated or renamed."""
    if chance.random() < 0.3:
        return value
    roll = chance.random()
    if roll < 0.08:
        return chance.choice(_ODD)
    if roll < 0.11:
        return chance.choice(others)
    if isinstance(value, dict):
        found: dict[str, Any] = {}
        for key, each in value.items():
            if chance.random() < 0.05:
                continue
            name = (
                key if chance.random() > 0.04 else chance.choice(["", key.upper(), f"{key}s", "file", "chain", "kind"])
            )
            found[name] = changed(each, chance, others)
        if chance.random() < 0.06:
            found[chance.choice(["seed", "value", "shared", "x", "policy", "${A}", "arms"])] = chance.choice(_ODD)
        return found
    if isinstance(value, list):
        copies = [changed(each, chance, others) for each in value if chance.random() > 0.05]
        return copies * chance.choice([1, 1, 1, 1, 2, 9]) if len(copies) < 20 else copies
    if isinstance(value, int | float) and not isinstance(value, bool) and chance.random() < 0.3:
        return value * chance.choice([0, -1, 1e-9, 1e9, 1.5])
    if isinstance(value, str) and chance.random() < 0.2:
        at = chance.randrange(len(value) + 1)
        return value[:at] + chance.choice(_CHARACTERS) + value[at + chance.randrange(3) :]
    return value


def parts(value: Any) -> Iterator[Any]:
    yield value
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in inside:
        yield from parts(each)


def bodies(count: int, seed: int) -> Iterator[tuple[str, str, bytes]]:
    """Path, type and content of `count` bodies, the same for a seed."""
    chance = random.Random(seed)
    rich = {
        **EXAMPLE_SHARED,
        "policy": {"preset": "openai-python", "rounds": 2, "deadline": "60s", "backoff": "500ms"},
        "workload": {"rate": "2/min", "input_tokens": 500, "output_tokens": 100},
        "objective": {"availability": "99.9%", "per": "month"},
        "seed": 3,
    }
    scenario, _, _ = read_yaml(SCENARIO_EXAMPLE)
    good = {
        "/simulate": [EXAMPLE, EXAMPLE_SHARED, rich],
        "/scenarios/validate": [{"scenario": scenario}, {"scenario": SCENARIO_EXAMPLE}],
        "/runs": [{"scenario": scenario, "kind": "answer", "rounds": 1}],
    }
    others = [each for of in good.values() for body in of for each in parts(body)]
    for _ in range(count):
        path = chance.choices(["/simulate", "/scenarios/validate", "/runs"], [0.6, 0.35, 0.05])[0]
        content = json.dumps(changed(chance.choice(good[path]), chance, others)).encode()
        kind = "application/json"
        roll = chance.random()
        if roll < 0.1:  # bytes of the text itself
            text = bytearray(content)
            for _ in range(chance.randrange(1, 6)):
                text[chance.randrange(len(text))] = chance.randrange(256)
            content = bytes(text)
        elif roll < 0.15 and path != "/simulate":
            kind = "application/yaml"
            content = SCENARIO_EXAMPLE.replace("99.5%", str(chance.choice(_ODD))[:5_000], 1).encode("utf-8", "replace")
        elif roll < 0.17:
            kind = chance.choice(["", "text/plain", "application/json; charset=utf-16", "application/xml"])
        yield path, kind, content


async def sent(service: Service, count: int, seed: int) -> tuple[Counter[tuple[str, int]], list[bytes]]:
    """Answers by path and status, and the bodies that were answered with 500 or with nothing."""
    statuses: Counter[tuple[str, int]] = Counter()
    failed: list[bytes] = []
    waiting = iter(bodies(count, seed))

    async def client() -> None:
        for path, kind, content in waiting:
            status, location = await _posted(service, path, kind, content)
            statuses[path, status] += 1
            if status in (0, 500):
                failed.append(content)
            if location:
                status, _ = await _request(service, f"DELETE {location} HTTP/1.1\r\n", b"")
                statuses["DELETE /runs", status] += 1
                if status in (0, 500):
                    failed.append(f"DELETE {location}".encode())

    await asyncio.gather(*(client() for _ in range(_AT_ONCE)))
    return statuses, failed


async def _posted(service: Service, path: str, kind: str, content: bytes) -> tuple[int, str]:
    head = f"POST {path} HTTP/1.1\r\n" + (f"Content-Type: {kind}\r\n" if kind else "")
    while True:
        status, headers = await _request(service, head, content)
        if status not in (429, 503):
            return status, headers.get("location", "")
        await asyncio.sleep(float(headers["retry-after"]))


async def _request(service: Service, head: str, content: bytes) -> tuple[int, dict[str, str]]:
    """Status and headers; 0 where the connection ended without an answer."""
    reader, writer = await asyncio.open_connection(service.host, service.port)
    try:
        rest = f"Host: 127.0.0.1\r\nConnection: close\r\nContent-Length: {len(content)}\r\n\r\n"
        writer.write(head.encode() + rest.encode() + content)
        await writer.drain()
        lines = (await reader.read()).partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
        return (int(lines[0].split()[1]) if lines[0] else 0), headers
    except OSError:
        return 0, {}
    finally:
        writer.close()


def schemathesis(service: Service, examples: int, seed: int) -> int:
    """The exit code of schemathesis over the whole document."""
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{service.address}/openapi.json", "--checks", _CHECKS]
    command += ["--max-examples", str(examples), "--seed", str(seed), "--request-timeout", "90", "--no-color"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.run(command, check=False, cwd=service.log.parent, env=environment).returncode


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--bodies", type=int, default=10_000)
    parser.add_argument("--examples", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with served("--workers", "2") as service:
        code = schemathesis(service, options.examples, options.seed) if options.examples else 0
        by_rules = len(service.failures())
        print(f"schemathesis ended with code {code}; failures in the log: {by_rules}", flush=True)
        statuses, failed = asyncio.run(sent(service, options.bodies, options.seed))
        every = sorted({status for _, status in statuses})
        print(f"| path | {' | '.join(map(str, every))} |\n|---|{'---|' * len(every)}")
        for path in sorted({path for path, _ in statuses}):
            print(f"| {path} | {' | '.join(f'{statuses[path, status]:,}' for status in every)} |")
        for content in failed[:5]:
            print(f"answered with 500 or not at all: {content[:2_000]!r}")
        for line in service.failures()[:5]:
            print(line)
        print(f"{sum(statuses.values()):,} requests, {len(failed)} failures, {len(service.failures())} in the log")
    sys.exit(1 if code or failed else 0)


if __name__ == "__main__":
    main()
