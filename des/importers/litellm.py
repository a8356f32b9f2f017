"""`des import litellm`: a LiteLLM proxy configuration as a scenario that runs.

A configuration does not say how fast models answer, how many requests arrive, or what fails. The scenario assumes
these, each in a separate field under a comment.
"""

import copy
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any, Final

from des.catalogue.presets import preset
from des.errors import Problem, ScenarioError
from des.importers.configuration import Configuration, read_configuration
from des.importers.litellm_accounts import TOKENS_PER_REQUEST, Endpoints, endpoints
from des.importers.litellm_deployments import Deployment, read_deployments
from des.importers.litellm_fallbacks import ANY, Groups, Hop, read_fallbacks, walk
from des.importers.litellm_policy import PRESET, enforces_limits, read_policy, setting
from des.scenario import plans
from des.scenario.checks.consistency import MOST_LEGS
from des.scenario.loading import by_place, load_document
from des.scenario.text.document import Document
from des.scenario.text.names import at, mapping
from des.scenario.text.overrides import with_assignments
from des.scenario.text.places import Path
from des.scenario.text.yaml_text import commented, yaml_text
from des.words import unknown

_MOST_HOPS: Final = 5
"""LiteLLM follows at most this number of fallbacks."""
_REQUESTS: Final = 100_000
"""The most requests of an imported scenario, so that it runs in seconds."""
_HORIZONS: Final = {"7d": 10080, "2d": 2880, "1d": 1440, "12h": 720, "8h": 480, "4h": 240, "2h": 120, "1h": 60}
_PER_MIN: Final = 30.0
"""The request rate if no limit suggests one."""
_WITHIN_GROUP: Final = {"retry_backoff": "none", "retry_after": "ignore"}
"""Settings of a hop that is one order of a group. LiteLLM does not wait while any order has a healthy deployment."""
_OF_THE_SHARE: Final = ("share", "minimum", "all_failed", "window", "counted_only", "on", "also_on")
"""Fields of a cooldown that allowed_fails replaces."""
_ANSWERS: Final[dict[str, Any]] = {
    "latency": {"first_token": {"kind": "lognormal", "median": "900ms", "p99": "4s"}, "tokens_per_second": 60},
    "errors": {"server_error": "0.2%"},
}


@dataclass(frozen=True, slots=True)
class Imported:
    """A scenario as text and as plain data. `remarks` list the parts of the configuration that it leaves out."""

    text: str
    content: dict[str, Any]
    remarks: tuple[Problem, ...]


def import_litellm(path: FilePath, *, model: str | None = None, assignments: Sequence[str] = ()) -> Imported:
    """The scenario of requests for `model`, a group or an alias; by default the first group with fallbacks.

    `assignments` (`path=value`) change fields of the scenario, which is then validated. Raises ScenarioError with all
    problems.
    """
    config = read_configuration(path, "a LiteLLM configuration", "model_list")
    deployments = read_deployments(config)
    groups = Groups(deployments, _aliases(config, {each.group for each in deployments}))
    fallbacks = read_fallbacks(config, groups)
    policy = read_policy(config)
    most = setting(config, "max_fallbacks")
    enforced = enforces_limits(config)
    config.stop_if_wrong()
    entry = _entry(config, groups, fallbacks, model)
    hops = walk(entry, groups, fallbacks, _MOST_HOPS if most is None else most)
    _remark_unreached(config, deployments, hops, entry)
    groups.remark_without_order(config, (deployment.path for hop in hops for deployment in hop.deployments))
    if all(len(hop.deployments) == 1 for hop in hops):
        policy.pop("routing", None)  # without a group there is nothing to route
    found = endpoints([deployment for hop in hops for deployment in hop.deployments])
    content, comments = _scenario(config, entry, hops, found, policy)
    if enforced:
        content["budgets"] = _budgets(found)
    for deployment in found.unpriced:
        config.remark((*deployment.path, "litellm_params", "model"), "no price in the catalogue: it costs nothing here")
    for deployment in found.too_small:
        config.remark(deployment.path, "left out: a limit of fewer tokens a minute than one request uses")
    config.stop_if_wrong()
    _refuse_too_many(config, hops)
    document = with_assignments(Document(content, file=f"{path}, imported"), assignments)
    plans(load_document(document))
    changed = document.content
    kept = {here: text for here, text in comments.items() if at(changed, here) == at(content, here)}
    text = "\n".join(commented(_header(path, entry))) + "\n" + yaml_text(changed, kept)
    return Imported(text, changed, tuple(sorted(config.remarks, key=by_place)))


def _refuse_too_many(config: Configuration, hops: list[Hop]) -> None:
    deployments = sum(len(hop.deployments) for hop in hops)
    if deployments > MOST_LEGS:
        message = f"requests may reach {deployments} deployments, each a leg: at most {MOST_LEGS} legs are possible"
        config.problem(("model_list",), message)
    config.stop_if_wrong()


def _header(path: FilePath, entry: str) -> str:
    return (
        f"Imported from {path.name}, a LiteLLM proxy configuration: requests for {entry}, as LiteLLM {PRESET[8:]} "
        "treats them. Comments that begin with 'assumed' mark what it does not say: replace these by your own figures."
    )


def _aliases(config: Configuration, groups: set[str]) -> dict[str, str]:
    aliases: dict[str, str] = {}
    for alias, target in config.section("router_settings", "model_group_alias").items():
        path: Path = ("router_settings", "model_group_alias", alias)
        name = mapping(target).get("model") if isinstance(target, dict) else target
        if isinstance(name, list):
            config.remark(path, "not carried over: a list of groups; name a single group for the alias")
            continue
        if not isinstance(name, str):
            config.problem(path, "expected the name of a group")
        elif name not in groups:
            config.problem(path, unknown("group", name, groups))
        else:
            aliases[alias] = name
    return aliases


def _entry(config: Configuration, groups: Groups, fallbacks: dict[str, list[str]], model: str | None) -> str:
    if model is not None:
        if not groups.hops(model):
            raise ScenarioError([Problem(unknown("model", model, groups.names()), file="--model")])
        return model
    with_fallbacks = (name for name in fallbacks if name != ANY and groups.hops(name))
    named = next(with_fallbacks, None) or next((name for name in groups.names() if ANY not in name), None)
    if named is None:
        config.problem(("model_list",), "only wildcards are listed: name the requested model with --model")
        config.stop_if_wrong()
    return str(named)


def _remark_unreached(config: Configuration, deployments: list[Deployment], hops: list[Hop], entry: str) -> None:
    reached = {deployment.path for hop in hops for deployment in hop.deployments}
    rest: dict[str, Path] = {}
    for deployment in deployments:
        if deployment.path not in reached:
            rest.setdefault(deployment.group, deployment.path)
    for group, path in rest.items():
        config.remark(
            path, f"group '{group}' is not reached by requests for '{entry}': left out (--model {group} imports it)"
        )


def _scenario(
    config: Configuration, entry: str, hops: list[Hop], found: Endpoints, policy: dict[str, Any]
) -> tuple[dict[str, Any], dict[Path, str]]:
    per_min = _rate_per_min(hops[0])
    horizon = next((name for name, minutes in _HORIZONS.items() if per_min * minutes <= _REQUESTS), "1h")
    names = [hop.name for hop in hops]
    comments = {**found.comments, **_assumptions(hops)}
    for provider, said in found.providers.items():
        own: dict[str, Any] = {}
        if len(hops) > 1 and provider == next(iter(found.providers)):
            own["incidents"] = [{"kind": "schedule", "windows": [{"start": "20min", "end": "40min"}]}]
            comments["providers", provider, "incidents"] = "assumed: an outage, to show the fallbacks"
        found.providers[provider] = {**own, **copy.deepcopy(_ANSWERS), **said}
    content = {
        "title": f"LiteLLM: {', then '.join(names)}",
        "question": (
            f"What happens to requests for {entry} when its deployments fail: how many are lost, how long do "
            "they take, and what do they cost?"
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
        "chain": [_chain_entry(config, hop, found, policy, is_first=hop is hops[0]) for hop in hops],
        "policy": policy,
    }
    return content, comments


def _assumptions(hops: list[Hop]) -> dict[Path, str]:
    limited = any(deployment.rpm or deployment.tpm for deployment in hops[0].deployments)
    return {
        ("horizon",): "assumed: long enough for up to 100,000 requests, and at least one hour",
        ("workload", "arrivals"): "assumed: "
        + ("half of what the first group's rpm and tpm allow" if limited else "the request rate"),
        ("workload", "tokens"): "assumed: an hour of production conversations (AzureLLMInferenceTrace_conv of "
        "2023-11-16, CC-BY 4.0)",
        ("providers",): "assumed of each: the latency, and the share of calls that fail at random",
    }


def _rate_per_min(hop: Hop) -> float:
    """Half the requests a minute that a hop's rpm and tpm allow."""
    allowed = sum(
        min(limit for limit in (each.rpm, each.tpm and each.tpm / TOKENS_PER_REQUEST["tokens"]) if limit)
        for each in hop.deployments
        if each.rpm or each.tpm
    )
    return float(f"{max(allowed / 2.0, 1.0):.2g}") if allowed else _PER_MIN


def _chain_entry(
    config: Configuration, hop: Hop, found: Endpoints, policy: dict[str, Any], *, is_first: bool
) -> dict[str, Any]:
    weights = _weights(hop, policy)
    legs = [_leg(each, found) | said for each, said in zip(hop.deployments, weights, strict=True)]
    for deployment, leg in zip(hop.deployments, legs, strict=True):
        if deployment.path in hop.stand_by:
            leg["tier"] = 2
    own = _own_retries(config, hop)
    if hop.one_of_several:
        own |= _WITHIN_GROUP
    if len(legs) > 1:
        taken = {*found.providers, *(f"{provider}/{model}" for provider, model in found.places.values())}
        return {"group": hop.name + "-group" * (hop.name in taken), "legs": legs, **own}
    said = policy.get("cooldown", {})
    if said != "none" and hop.one_of_several:
        own["cooldown"] = _cooldown_of_one_leg(said, one_of_several=True)
    elif said != "none" and "allowed_fails" in said and hop.has_fallbacks and not is_first:
        own["cooldown"] = _cooldown_of_one_leg(said, spares_fallbacks=False)
    return {**legs[0], **own}


def _weights(hop: Hop, policy: dict[str, Any]) -> list[dict[str, Any]]:
    """The routing weights of each deployment of a hop: `weight` where any is given, else rpm, else tpm."""
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


def _cooldown_of_one_leg(said: dict[str, Any], **own: bool) -> dict[str, Any]:
    """The policy's cooldown with other settings for a leg outside groups.

    The only deployment of an order cools like one of its group. A fallback that has its own fallbacks cools too.
    """
    whole: dict[str, Any] = {**preset(PRESET).policy["cooldown"], **said, **own}
    without = _OF_THE_SHARE if "allowed_fails" in said else ()
    return {field: value for field, value in whole.items() if field not in without}


def _own_retries(config: Configuration, hop: Hop) -> dict[str, Any]:
    said = {deployment.retries for deployment in hop.deployments}
    if said == {None}:
        return {}
    if len(said) == 1:
        retries = said.pop()
        return {"retries": retries}
    for deployment in hop.deployments:
        if deployment.retries is not None:
            path = (*deployment.path, "litellm_params", "num_retries")
            config.remark(
                path, "all deployments of a group have the same retries here: the group has those of this one"
            )
    return {}


def _leg(deployment: Deployment, found: Endpoints) -> dict[str, Any]:
    provider, model = found.places[deployment]
    leg: dict[str, Any] = {"provider": provider, "model": model}
    if deployment.timeout_s is not None:
        leg["timeout"] = f"{deployment.timeout_s:g}s"
    if deployment.concurrent is not None:
        leg["bulkhead"] = {"concurrent": deployment.concurrent, "refuses_as": "rate_limited"}
    return leg


def _budgets(found: Endpoints) -> dict[str, Any]:
    """Budgets for requests that LiteLLM itself refuses when it enforces rpm and tpm, counted by clock minutes."""
    budgets: dict[str, Any] = {}
    for provider, model in dict.fromkeys(found.places.values()):
        limits = dict(found.providers[provider]["models"][model].get("limits", {}))
        limits.pop("burst", None)  # a window admits what its rate allows
        if limits:
            name = f"{provider}-" + re.sub(r"[^A-Za-z0-9_.+-]+", "-", model)
            name += f"-{len(budgets)}" * (name in budgets)
            window = {"algorithm": {"fixed_window": "1min"}}
            budgets[name] = {**limits, **window, "legs": [f"{provider}/{model}"]}
    return budgets


def _plain(number: float) -> int | float:
    return int(number) if number.is_integer() else number
