"""`des import litellm`: a LiteLLM proxy configuration as a scenario that runs.

What a configuration cannot say (how fast and how often models answer, how much is asked of them, what fails) is assumed
in fields of its own, each under a comment.
"""

import copy
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any, Final

from des.catalogue.presets import preset
from des.errors import Problem, ScenarioError
from des.importers.accounts import TOKENS_PER_REQUEST, Endpoints, endpoints
from des.importers.deployments import Deployment, read_deployments
from des.importers.fallbacks import ANY, Groups, Hop, read_fallbacks, walk
from des.importers.litellm_policy import PRESET, enforces_limits, read_policy, setting
from des.importers.reading import Reading, read_configuration
from des.importers.yaml_text import commented, yaml_text
from des.scenario.checks.consistency import MOST_LEGS
from des.scenario.loading import by_place, load_document
from des.scenario.resolution.resolve import plans
from des.scenario.text.document import Document, Path
from des.scenario.text.names import at, mapping
from des.scenario.text.overrides import with_assignments
from des.words import unknown

MOST_HOPS: Final = 5
"""Fallbacks after which LiteLLM looks up no further ones."""
REQUESTS: Final = 100_000
"""About as many as a scenario imported has, so that it runs in seconds."""
HORIZONS: Final = {"7d": 10080, "2d": 2880, "1d": 1440, "12h": 720, "8h": 480, "4h": 240, "2h": 120, "1h": 60}
PER_MIN: Final = 30.0
"""Requests, where no limit tells how many are meant."""
WITHIN_GROUP: Final = {"retry_backoff": "none", "retry_after": "ignore"}
"""Of a hop that is one order of a group: no wait comes while any order has a healthy deployment."""
ANSWERS: Final[dict[str, Any]] = {
    "latency": {"first_token": {"kind": "lognormal", "median": "900ms", "p99": "4s"}, "tokens_per_second": 60},
    "errors": {"server_error": "0.2%"},
}
OPENAI_SDK: Final = frozenset({"openai", "azure", "azure_ai"})


@dataclass(frozen=True, slots=True)
class Imported:
    """A scenario's text, its content, and what of the configuration is not in it."""

    text: str
    content: dict[str, Any]
    remarks: tuple[Problem, ...]


def import_litellm(path: FilePath, *, model: str | None = None, assignments: Sequence[str] = ()) -> Imported:
    """The scenario of requests for `model`, a group or an alias; by default the first group with fallbacks.

    `assignments` (`path=value`) change fields of the scenario, which is validated as any other. Raises ScenarioError
    with everything that is wrong.
    """
    reading = read_configuration(path, "a LiteLLM configuration")
    deployments = read_deployments(reading)
    groups = Groups(deployments, _aliases(reading, {each.group for each in deployments}))
    fallbacks = read_fallbacks(reading, groups)
    policy = read_policy(reading)
    most = setting(reading, "max_fallbacks")
    enforced = enforces_limits(reading)
    reading.stop_if_wrong()
    entry = _entry(reading, groups, fallbacks, model)
    hops = walk(entry, groups, fallbacks, MOST_HOPS if most is None else most)
    _remark_unreached(reading, deployments, hops, entry)
    groups.remark_without_order(reading, (deployment.path for hop in hops for deployment in hop.deployments))
    if len(hops) - 1 > MOST_HOPS or most is not None:
        policy["fallback_depth"] = max(len(hops) - 1, 1)
    if all(len(hop.deployments) == 1 for hop in hops):
        policy.pop("routing", None)  # where there is nothing to route
    found = endpoints([deployment for hop in hops for deployment in hop.deployments])
    content, comments = _scenario(reading, entry, hops, found, policy)
    if enforced:
        content["budgets"] = _budgets(found)
    for deployment in found.unpriced:
        reading.remark((*deployment.path, "litellm_params", "model"), "no price in the catalogue: free of charge here")
    for deployment in found.places:
        if deployment.sdk_retries and deployment.account.provider not in OPENAI_SDK:
            reading.remark(
                (*deployment.path, "litellm_params", "max_retries"),
                f"not carried over: calls of {deployment.account.provider} do not go through OpenAI's SDK",
            )
    for deployment in found.too_small:
        reading.remark(deployment.path, "a limit of fewer tokens a minute than one request has: left out")
    reading.stop_if_wrong()
    _refuse_too_many(reading, hops)
    document = with_assignments(Document(content, file=f"{path}, imported"), assignments)
    plans(load_document(document))
    changed = document.content
    kept = {here: text for here, text in comments.items() if at(changed, here) == at(content, here)}
    text = "\n".join(commented(_header(path, entry))) + "\n" + yaml_text(changed, kept)
    return Imported(text, changed, tuple(sorted(reading.remarks, key=by_place)))


def _refuse_too_many(reading: Reading, hops: list[Hop]) -> None:
    deployments = sum(len(hop.deployments) for hop in hops)
    if deployments > MOST_LEGS:
        message = f"requests may reach {deployments} deployments, each a leg: at most {MOST_LEGS} legs are possible"
        reading.problem(("model_list",), message)
    reading.stop_if_wrong()


def _header(path: FilePath, entry: str) -> str:
    return (
        f"Imported from {path.name}, a LiteLLM proxy configuration: requests for {entry}, as LiteLLM {PRESET[8:]} "
        "treats them. What it cannot say is assumed, under comments that begin so: put what you measure there."
    )


def _aliases(reading: Reading, groups: set[str]) -> dict[str, str]:
    aliases: dict[str, str] = {}
    for alias, target in reading.section("router_settings", "model_group_alias").items():
        path: Path = ("router_settings", "model_group_alias", alias)
        name = mapping(target).get("model") if isinstance(target, dict) else target
        if not isinstance(name, str):
            reading.problem(path, "expected the name of a group")
        elif name not in groups:
            reading.problem(path, unknown("group", name, groups))
        else:
            aliases[alias] = name
    return aliases


def _entry(reading: Reading, groups: Groups, fallbacks: dict[str, list[str]], model: str | None) -> str:
    if model is not None:
        if not groups.hops(model):
            raise ScenarioError([Problem(unknown("model", model, groups.names()), file="--model")])
        return model
    with_fallbacks = (name for name in fallbacks if name != ANY and groups.hops(name))
    named = next(with_fallbacks, None) or next((name for name in groups.names() if ANY not in name), None)
    if named is None:
        reading.problem(("model_list",), "only wildcards are listed: say which model is asked for, with --model")
        reading.stop_if_wrong()
    return str(named)


def _remark_unreached(reading: Reading, deployments: list[Deployment], hops: list[Hop], entry: str) -> None:
    reached = {deployment.path for hop in hops for deployment in hop.deployments}
    rest: dict[str, Path] = {}
    for deployment in deployments:
        if deployment.path not in reached:
            rest.setdefault(deployment.group, deployment.path)
    for group, path in rest.items():
        reading.remark(
            path, f"group '{group}' is not reached by requests for '{entry}': left out (--model {group} imports it)"
        )


def _scenario(
    reading: Reading, entry: str, hops: list[Hop], found: Endpoints, policy: dict[str, Any]
) -> tuple[dict[str, Any], dict[Path, str]]:
    per_min = _rate_per_min(hops[0])
    horizon = next((name for name, minutes in HORIZONS.items() if per_min * minutes <= REQUESTS), "1h")
    names = [hop.name for hop in hops]
    comments = {**found.comments, **_assumptions(hops)}
    for provider, said in found.providers.items():
        own: dict[str, Any] = {}
        if len(hops) > 1 and provider == next(iter(found.providers)):
            own["incidents"] = [{"kind": "schedule", "windows": [{"start": "20min", "end": "40min"}]}]
            comments["providers", provider, "incidents"] = "assumed: an outage, so that fallbacks are seen"
        found.providers[provider] = {**own, **copy.deepcopy(ANSWERS), **said}
    content = {
        "title": f"LiteLLM: {', then '.join(names)}",
        "question": (
            f"What do requests for {entry} meet when its deployments fail: how many are lost, how long do they take, "
            "what do they cost?"
        ),
        "horizon": horizon,
        "seed": 1,
        "workload": {
            "arrivals": {"kind": "poisson", "rate": f"{per_min:g}/min"},
            "tokens": {
                "input": {"kind": "lognormal", "median": 1020, "p99": 4142},
                "output": {"kind": "lognormal", "median": 129, "p99": 601},
            },
        },
        "providers": found.providers,
        "chain": [_chain_entry(reading, hop, found, policy) for hop in hops],
        "policy": policy,
    }
    return content, comments


def _assumptions(hops: list[Hop]) -> dict[Path, str]:
    limited = any(deployment.rpm or deployment.tpm for deployment in hops[0].deployments)
    return {
        ("horizon",): "assumed: so long that a hundred thousand requests come at most, or an hour",
        ("workload", "arrivals"): "assumed: "
        + ("half of what the first group's rpm and tpm allow" if limited else "how much is asked"),
        ("workload", "tokens"): "assumed: an hour of production conversations (AzureLLMInferenceTrace_conv of "
        "2023-11-16, CC-BY 4.0)",
        ("providers",): "assumed of each: how long answers take, and the share of calls that fail at random",
    }


def _rate_per_min(hop: Hop) -> float:
    """Half the requests a minute that a hop's rpm and tpm allow."""
    allowed = sum(
        min(limit for limit in (each.rpm, each.tpm and each.tpm / TOKENS_PER_REQUEST["tokens"]) if limit)
        for each in hop.deployments
        if each.rpm or each.tpm
    )
    return float(f"{max(allowed / 2.0, 1.0):.2g}") if allowed else PER_MIN


def _chain_entry(reading: Reading, hop: Hop, found: Endpoints, policy: dict[str, Any]) -> dict[str, Any]:
    weights = _weights(hop, policy)
    legs = [_leg(each, found) | said for each, said in zip(hop.deployments, weights, strict=True)]
    for deployment, leg in zip(hop.deployments, legs, strict=True):
        if deployment.path in hop.stand_by:
            leg["tier"] = 2
    own = _own_retries(reading, hop)
    if hop.one_of_several:
        own |= WITHIN_GROUP
    if len(legs) > 1:
        taken = {*found.providers, *(f"{provider}/{model}" for provider, model in found.places.values())}
        return {"group": hop.name + "-group" * (hop.name in taken), "legs": legs, **own}
    cooldown = policy.get("cooldown", {})
    if hop.one_of_several and cooldown != "none" and "allowed_fails" not in cooldown:
        own["cooldown"] = _cooldown_within_group(cooldown)
    return {**legs[0], **own}


def _weights(hop: Hop, policy: dict[str, Any]) -> list[dict[str, Any]]:
    """What LiteLLM routes each deployment of a hop by: weights where any is given, else rpm, else tpm."""
    said: list[dict[str, float | None]] = [
        {"weight": each.weight, "rpm": each.rpm, "tpm": each.tpm} for each in hop.deployments
    ]
    kept: tuple[str, ...] = ()
    if len(said) > 1 and policy.get("routing") == "usage_based":
        kept = ("rpm", "tpm")
    elif len(said) > 1 and "routing" not in policy:
        kept = next(((key,) for key in ("weight", "rpm", "tpm") if any(each[key] for each in said)), ())
    if kept == ("weight",):
        said = [{**each, "weight": each["weight"] or 0.0} for each in said]
    return [{key: _plain(number) for key in kept if (number := each[key]) is not None} for each in said]


def _cooldown_within_group(said: dict[str, Any]) -> dict[str, Any]:
    """Of a deployment that is the only one of its order: its group has others, so that one 429 cools it."""
    whole: dict[str, Any] = preset(PRESET).policy["cooldown"] | said
    return {**whole, "also_on": [429, *whole["also_on"]]}


def _own_retries(reading: Reading, hop: Hop) -> dict[str, Any]:
    said = {deployment.retries for deployment in hop.deployments}
    if said == {None}:
        return {}
    if len(said) == 1:
        retries = said.pop()
        return {"retries": retries} if retries else {"retries": 0, "wait_after_last": False}
    for deployment in hop.deployments:
        if deployment.retries is not None:
            path = (*deployment.path, "litellm_params", "num_retries")
            reading.remark(path, "a group's deployments retry alike here: those of this one are the group's")
    return {}


def _leg(deployment: Deployment, found: Endpoints) -> dict[str, Any]:
    provider, model = found.places[deployment]
    leg: dict[str, Any] = {"provider": provider, "model": model}
    if deployment.timeout_s is not None:
        leg["timeout"] = f"{deployment.timeout_s:g}s"
    if deployment.concurrent is not None:
        leg["bulkhead"] = {"concurrent": deployment.concurrent, "queue": 100_000, "max_wait": "600s"}
    if deployment.sdk_retries and deployment.account.provider in OPENAI_SDK:
        leg["clients"] = [{"preset": "openai-python@3.54", "retries": deployment.sdk_retries}]
    return leg


def _budgets(found: Endpoints) -> dict[str, Any]:
    """What LiteLLM itself refuses, in clock minutes, when it enforces rpm and tpm."""
    budgets: dict[str, Any] = {}
    for provider, model in dict.fromkeys(found.places.values()):
        limits = dict(found.providers[provider]["models"][model].get("limits", {}))
        limits.pop("burst", None)  # a window takes what its rate allows
        if limits:
            name = f"{provider}-" + re.sub(r"[^A-Za-z0-9_.+-]+", "-", model)
            name += f"-{len(budgets)}" * (name in budgets)
            window = {"algorithm": {"fixed_window": "1min"}}
            budgets[name] = {**limits, **window, "legs": [f"{provider}/{model}"]}
    return budgets


def _plain(number: float) -> int | float:
    return int(number) if number.is_integer() else number
