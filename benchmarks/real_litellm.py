"""Plays scripted outcomes to the real LiteLLM Router, over loopback, and to the preset; prints where they differ.

Run by hand, with an interpreter that has litellm, which is no dependency of this project:

    python -m venv /tmp/litellm && /tmp/litellm/bin/pip install litellm==1.110.2
    python -m benchmarks.real_litellm /tmp/litellm/bin/python --keep tests/presets/litellm_measured.json

`--keep` writes what the Router did into the expected values of the tests, for its version.
"""

import argparse
import json
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.litellm_cases import ALWAYS_S, CASES
from des.engine import simulate
from des.engine.records import Call
from des.importers import import_litellm
from des.scenario import from_mapping, plans

PLAYER = Path(__file__).with_name("litellm_player.py")
LONGEST_S = 900.0
SLACK_S = 0.35
"""What the Router's own work may add to a call, and to what is between two."""
_JITTER_S = 0.75
_OUTCOMES = {429: "rate_limited", 529: "overloaded", -1: "connection_error"}


def played_by_the_router(python: str) -> dict[str, Any]:
    """What the Router of an interpreter's litellm does, by case, and its `version`."""
    run = subprocess.run(
        [python, str(PLAYER)],
        input=json.dumps(CASES),
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=True,
    )
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def played_by_the_preset(case: Mapping[str, Any], preset: str = "litellm@1.109") -> list[dict[str, Any]]:
    """What the preset does, in the same form: for each request its calls, whether it was served, and its latency."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "arrivals.csv"
        file.write_text("time\n" + "".join(f"{at_s}\n" for at_s in case["at"]))
        scenario = _imported(case, Path(folder)) if case.get("imported") else _scenario(case, preset)
        scenario |= {
            "horizon": f"{max(case['at']) + 100.0}s",
            "seed": 5,
            "start_state": "up",
            "workload": {"arrivals": {"kind": "replay", "file": str(file), "columns": {"time": "time"}}},
        }
        plan = plans(from_mapping(scenario))["as_modelled"]
    sink = _Sink()
    simulate(plan, 0, sink)
    requests = sink.whole("requests")
    attempts = sink.whole("attempts")
    endpoints = [plan.endpoints[leg.endpoint] for leg in plan.chain]
    legs = [each.model if case.get("imported") else each.provider for each in endpoints]
    found = []
    for number in range(len(case["at"])):
        row = int(np.flatnonzero(requests["request_id"] == number)[0])
        own = np.flatnonzero(attempts["request_id"] == number)
        own = own[np.argsort(attempts["attempt"][own])]
        found.append(
            {
                "served": int(requests["outcome"][row]) == 0,
                "latency_s": float(requests["end_s"][row] - requests["arrival_s"][row]),
                "calls": [legs[int(attempts["leg"][place])] for place in own],
            }
        )
    return found


class _Sink:
    """Keeps every block that it is given."""

    def __init__(self) -> None:
        self._blocks: dict[str, list[Mapping[str, Any]]] = {}

    def __getattr__(self, table: str) -> Any:
        return self._blocks.setdefault(table, []).append

    def whole(self, table: str) -> dict[str, Any]:
        blocks = self._blocks.get(table, [])
        return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]} if blocks else _EMPTY


_EMPTY = dict.fromkeys(Call._fields, np.zeros(0, dtype=np.int64))


def _providers(case: Mapping[str, Any]) -> dict[str, Any]:
    deployments = [each for group in case["groups"].values() for each in group]
    return {each["name"]: _provider(case, each) for each in deployments}


def _provider(case: Mapping[str, Any], deployment: Mapping[str, Any]) -> dict[str, Any]:
    model: dict[str, Any] = {"price": {"per_request": 0}, "latency": "100ms"}
    answers = case["answers"].get(deployment["name"], [])
    if deployment.get("refuses"):
        return {"models": {"m": {**model, "errors": {"connection_error": {"rate": "100%", "latency": "1ms"}}}}}
    slow = [said["latency"] for _, end_s, said in answers if "status" not in said and end_s >= ALWAYS_S]
    if slow:
        model["latency"] = f"{slow[0]}s"
    incidents = []
    for start_s, end_s, said in answers:
        if "status" in said:
            status = said["status"]
            effect: dict[str, Any] = {
                "kind": "schedule",
                "outcome": _OUTCOMES.get(status, "server_error" if status >= 500 else "client_error"),
                "error_latency": f"{said.get('latency', 0.1)}s",
                "windows": [{"start": f"{start_s}s", "end": f"{min(end_s, 1e4)}s"}],
            }
            if status > 0:
                effect["status"] = status
            if "retry_after" in said:
                effect["retry_after"] = f"{said['retry_after']}s"
            incidents.append(effect)
    return {"models": {"m": model}, **({"incidents": incidents} if incidents else {})}


def _scenario(case: Mapping[str, Any], preset: str) -> dict[str, Any]:
    chain: list[dict[str, Any]] = []
    for group, deployments in case["groups"].items():
        legs = [
            {"provider": each["name"], **{key: each[key] for key in ("weight", "rpm") if key in each}}
            for each in deployments
        ]
        said = case.get("legs", {})
        legs = [{**leg, **said.get(leg["provider"], {})} for leg in legs]
        chain.append(legs[0] if len(legs) == 1 else {"group": group, "legs": legs})
    return {
        "providers": _providers(case),
        "chain": chain,
        "policy": {"preset": preset, **case.get("policy", {})},
    }


def _imported(case: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The scenario that `des import litellm` makes of the case's configuration, with the case's answers in it."""
    models = [
        {
            "model_name": group,
            "litellm_params": {
                "model": f"openai/{each['name']}",
                "api_key": each["name"],
                **{key: value for key, value in each.items() if key != "name"},
            },
        }
        for group, deployments in case["groups"].items()
        for each in deployments
    ]
    config = folder / "config.yaml"
    router = {**case["router"], "fallbacks": case.get("fallbacks", [])}
    config.write_text(json.dumps({"model_list": models, "router_settings": router}))
    content = dict(import_litellm(config, model=next(iter(case["groups"]))).content)
    own = _providers(case)
    content["providers"] = {
        name: {**own[model], "models": {model: own[model]["models"]["m"]}}
        for name, provider in content["providers"].items()
        for model in provider["models"]
    }
    return content


def difference(case: Mapping[str, Any], real: list[dict[str, Any]], ours: list[dict[str, Any]]) -> str:
    """How the preset differs from the Router in a case; nothing where it does not."""
    if case.get("counts"):
        served = [sum(each["served"] for each in found) for found in (real, ours)]
        spare = case.get("refused_anyhow", 0)
        return "" if 0 <= served[1] - served[0] <= spare else f"served {served[0]} there, {served[1]} here"
    for number, (one, other) in enumerate(zip(real, ours, strict=True)):
        calls = [leg for leg, _ in one["calls"]], list(other["calls"])
        if case.get("refused"):
            calls = calls[0], [leg for leg in calls[1] if leg != next(iter(_providers(case)))]
        if case.get("anyhow"):
            calls = _in_any_order(case, calls[0]), _in_any_order(case, calls[1])
        if calls[0] != calls[1] or one["served"] != other["served"]:
            return f"request {number}: {_told(calls[0], one)} there, {_told(calls[1], other)} here"
        waits = len(other["calls"]) + 1
        if not -_JITTER_S * waits <= one["latency_s"] - other["latency_s"] <= (_JITTER_S + SLACK_S) * waits:
            return f"request {number}: {one['latency_s']:.2f} s there, {other['latency_s']:.2f} s here"
    return ""


def _in_any_order(case: Mapping[str, Any], calls: list[str]) -> list[str]:
    """The calls without telling deployments of one group apart."""
    groups = {each["name"]: group for group, deployments in case["groups"].items() for each in deployments}
    return [groups[leg] for leg in calls]


def _told(calls: list[str], request: Mapping[str, Any]) -> str:
    return f"{' '.join(calls) or 'no call'}, {'served' if request['served'] else 'lost'}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("python", help="an interpreter that has litellm")
    parser.add_argument("--keep", type=Path, help="a file of expected values to write the Router's into")
    options = parser.parse_args()
    played = played_by_the_router(options.python)
    print(f"litellm {played['version']}")
    differing = 0
    for case in CASES:
        real = played["results"][case["name"]]
        told = difference(case, real, played_by_the_preset(case)) if isinstance(real, list) else str(real)
        differing += bool(told)
        print(f"{case['name']:42} {told or 'alike'}")
    print(f"{len(CASES) - differing} of {len(CASES)} cases alike")
    if options.keep is not None:
        kept = json.loads(options.keep.read_text()) if options.keep.exists() else {}
        kept[played["version"]] = played["results"]
        options.keep.write_text(_as_text(kept))


def _as_text(kept: Mapping[str, Any]) -> str:
    """A line a case."""
    versions = []
    for version, results in kept.items():
        lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(result)}" for name, result in results.items())
        versions.append(f" {json.dumps(version)}: {{\n{lines}\n }}")
    return "{\n" + ",\n".join(versions) + "\n}\n"


if __name__ == "__main__":
    main()
