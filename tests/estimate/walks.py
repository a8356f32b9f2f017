"""A small run as the engine would hand it over: every request tries one leg after the other, one attempt each."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from des.vocabulary import ATTEMPT_KINDS, ATTEMPT_OUTCOMES, BY_INCIDENT, ERROR_TYPES, REQUEST_OUTCOMES

Block = dict[str, NDArray[Any]]
LEGS = ("anthropic/claude-sonnet-4-6", "openai/gpt-5-mini")
NAMES = {"requests": {"lost_to": ("cdn", "anthropic", "openai")}, "attempts": {"leg": LEGS}}
PRICE = (3_000_000_000, 1_000_000_000)  # picodollars of each leg's call, failed ones too
FAILED_S, SERVED_S = 0.5, 1.5


def run(served_by: list[int], *, probes: int = 0) -> tuple[Block, Block]:
    """Blocks of requests and attempts; request i arrives at i seconds and leg `served_by[i]` serves it, -1 none."""
    requests: list[dict[str, Any]] = []
    attempts: list[dict[str, Any]] = []
    for number, server in enumerate(served_by):
        now, cost = float(number), 0
        last = server if server >= 0 else len(LEGS) - 1
        for leg in range(last + 1):
            ok = leg == server
            end = now + (SERVED_S if ok else FAILED_S)
            attempts.append(
                {
                    "request_id": number,
                    "attempt": leg,
                    "kind": ATTEMPT_KINDS.index("call"),
                    "start_s": now,
                    "end_s": end,
                    "duration_s": end - now,
                    "outcome": ATTEMPT_OUTCOMES.index("ok" if ok else "rate_limited"),
                    "cause": -1 if ok else BY_INCIDENT,
                    "cost_picousd": PRICE[leg],
                }
            )
            now, cost = end, cost + PRICE[leg]
        served = server >= 0
        requests.append(
            {
                "request_id": number,
                "arrival_s": float(number),
                "end_s": now,
                "latency_s": now - number,
                "outcome": REQUEST_OUTCOMES.index("ok" if served else "failed"),
                "error_type": -1 if served else ERROR_TYPES.index("rate_limited"),
                "chain_position": server,
                "served_by": server,
                "attempts": last + 1,
                "cost_picousd": cost,
                "wasted_picousd": cost - (PRICE[server] if served else 0),
                "response_cache_hit": False,
                "quality": 0.5 + 0.25 * server if served else np.nan,
                "lost_to": -1 if served else 2,
            }
        )
    for number in range(probes):
        attempts.append(
            {
                "request_id": -1,
                "attempt": 0,
                "kind": ATTEMPT_KINDS.index("probe"),
                "start_s": number + 0.25,
                "end_s": number + 0.5,
                "duration_s": 0.25,
                "outcome": 0,
                "cause": -1,
                "cost_picousd": 5_000_000_000,
            }
        )
    requests.sort(key=lambda row: (row["end_s"], row["request_id"]))
    attempts.sort(key=lambda row: (row["end_s"], row["request_id"], row["attempt"]))
    return columns(requests), columns(attempts)


def columns(rows: list[dict[str, Any]]) -> Block:
    block = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    if "quality" in block:
        block["quality"] = block["quality"].astype(np.float32)
    return block


def cut(block: Block, size: int) -> list[Block]:
    rows = len(block["request_id"])
    return [{name: column[low : low + size] for name, column in block.items()} for low in range(0, rows, size)]
