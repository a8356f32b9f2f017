"""What bodies of POST /simulate cost: `python -m benchmarks.service_bodies`.

Prints a table in Markdown, for docs/service.md: the processor time of each body, answered once before in the same
process (imports), and whether the answer is quick. `DES_ENGINE=simpy` is what a worker has without the compiled engine.
"""

import time
from typing import Any, Final

from des.service.bodies import SimulateBody
from des.service.bounds import Bounds
from des.service.problems import ProblemError
from des.service.simulating import simulated

_LEGS: Final = (
    ("anthropic", "claude-sonnet-4-6"),
    ("openai", "gpt-5-mini"),
    ("google", "gemini-2.5-pro"),
    ("openai", "gpt-5"),
    ("google", "gemini-2.5-flash"),
    ("openai", "gpt-5-nano"),
    ("anthropic", "claude-haiku-4-5"),
    ("google", "gemini-3-flash-preview"),
)
_SHARED: Final = {"shared": [{"members": ["anthropic", "openai"], "fraction": 0.1}]}
_BUSY: Final = {"workload": {"rate": "30/min"}}
_LIMITED: Final = {"rate_limit": "60/min"}


def _body(legs: int, of_body: dict[str, Any] | None = None, **of_legs: Any) -> dict[str, Any]:
    chain = [{"provider": provider, "model": model, **of_legs} for provider, model in _LEGS[:legs]]
    return {"chain": chain, **(of_body or {})}


BODIES: Final = {
    "two legs": _body(2),
    "three legs": _body(3),
    "two legs, 3 retries, 2 rounds": _body(2, {"policy": {"rounds": 2}}, retries=3),
    "three legs, 2 retries, a shared cause": _body(3, _SHARED, retries=2),
    "eight legs": _body(8),
    "eight legs, a shared cause": _body(8, _SHARED),
    "eight legs, 10 retries, 5 rounds, a shared cause": _body(8, {**_SHARED, "policy": {"rounds": 5}}, retries=10),
    "three legs with limits of 60/min, 30 requests a minute": _body(3, _BUSY, **_LIMITED),
    "eight legs with limits of 60/min, 30 requests a minute, a shared cause": _body(
        8, {**_SHARED, **_BUSY}, **_LIMITED
    ),
}


def main() -> None:
    simulated(SimulateBody.model_validate(BODIES["two legs"]), Bounds())
    print("| body | processor time | |\n|---|---|---|")
    for name, body in BODIES.items():
        started = time.process_time()
        try:
            found = simulated(SimulateBody.model_validate({**body, "seed": 2}), Bounds())
            what = "quick" if any("a quick answer" in words for words in found["remarks"]) else "whole"
        except ProblemError as refused:
            what = f"refused: {refused.limit}"
        print(f"| {name} | {time.process_time() - started:.1f} s | {what} |", flush=True)


if __name__ == "__main__":
    main()
