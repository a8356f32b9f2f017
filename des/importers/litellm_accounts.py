"""Converts accounts of deployments to providers of a scenario: their names, models, limits and prices."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from des.catalogue import CatalogueModel, find_model, provider_names
from des.importers.litellm_deployments import Account, Deployment
from des.scenario.text.places import Path

TOKENS_PER_REQUEST: Final = {"tokens": 1400.0, "input_tokens": 1230.0, "output_tokens": 170.0}
"""Approximate means of the assumed token counts."""
_PER_MTOK: Final = 1e6
_HOST: Final = re.compile(r"(?:https?://)?([A-Za-z0-9-]+)(?:[.:/].*)?")
_FAMILIES: Final = {"gpt": "openai", "chatgpt": "openai", "claude": "anthropic", "gemini": "google"}
_MODEL_NAME: Final = re.compile(r"[^A-Za-z0-9._/@:+-]+")


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Providers of a scenario, the provider and model of each deployment, and comments on assumptions."""

    providers: dict[str, Any]
    places: dict[Deployment, tuple[str, str]]
    """Deployment -> (provider, model)."""
    comments: dict[Path, str]
    unpriced: list[Deployment]
    too_small: list[Deployment]
    """Deployments with a limit of fewer tokens a minute than one request uses."""


def endpoints(deployments: Sequence[Deployment]) -> Endpoints:
    """One provider per account, in order of appearance. Deployments of one model at one account share it."""
    names = _names(dict.fromkeys(deployment.account for deployment in deployments))
    found = Endpoints({}, {}, {}, [], [])
    for deployment in deployments:
        provider, model = names[deployment.account], _model_name(deployment.model)
        found.places[deployment] = (provider, model)
        models = found.providers.setdefault(provider, {"models": {}})["models"]
        if model not in models:
            models[model] = {}
            _price(found, deployment, ("providers", provider, "models", model), models[model])
        _limits(found, deployment, ("providers", provider, "models", model), models[model])
    return found


def _names(accounts: Iterable[Account]) -> dict[Account, str]:
    listed = list(accounts)
    names: dict[Account, str] = {}
    for account in listed:
        peers = [each for each in listed if each.provider == account.provider]
        name = _slug(account.provider) or "provider"
        if len(peers) > 1:
            told = _slug(account.region) or _slug(_host(account.address))
            name = f"{name}-{told}" if told and told != name else name
        taken = set(names.values())
        number = next(n for n in range(1, len(listed) + 1) if (name if n == 1 else f"{name}-{n}") not in taken)
        names[account] = name if number == 1 else f"{name}-{number}"
    return names


def _host(address: str) -> str:
    matched = _HOST.fullmatch(address)
    return matched.group(1) if matched and not address.startswith("os.environ") else ""


def _slug(text: str) -> str:
    if text.startswith("os.environ"):
        return ""
    return re.sub(r"[^a-z0-9_]+", "-", text.lower()).strip("-")


def _model_name(model: str) -> str:
    cleaned = _MODEL_NAME.sub("-", model).lstrip("-./:+")
    return cleaned or "model"


def _limits(found: Endpoints, deployment: Deployment, path: Path, model: dict[str, Any]) -> None:
    said = {
        "requests": deployment.rpm,
        "tokens": deployment.tpm,
        "input_tokens": deployment.itpm,
        "output_tokens": deployment.otpm,
    }
    limits = {metric: amount for metric, amount in said.items() if amount is not None}
    small = [metric for metric, amount in limits.items() if amount < TOKENS_PER_REQUEST.get(metric, 0.0)]
    if small:
        found.too_small.append(deployment)
    limits = {metric: amount for metric, amount in limits.items() if metric not in small}
    if not limits:
        return
    known = {
        metric: float(model["limits"][metric].partition("/")[0]) for metric in said if metric in model.get("limits", {})
    }
    merged = known | {metric: max(amount, known.get(metric, 0.0)) for metric, amount in limits.items()}
    model["limits"] = {metric: f"{_whole(merged[metric])}/min" for metric in said if metric in merged}
    if "requests" in merged:
        model["limits"]["burst"] = {"requests": max(_whole(merged["requests"]), 1)}
    found.comments[*path, "limits"] = "assumed: the provider limits to rpm and tpm, with a burst of one minute"


def _price(found: Endpoints, deployment: Deployment, path: Path, model: dict[str, Any]) -> None:
    if deployment.per_token is not None:
        per_input, per_output = deployment.per_token
        model["price"] = {"input_per_mtok": _per_mtok(per_input), "output_per_mtok": _per_mtok(per_output)}
        found.comments[*path, "price"] = "as the configuration says"
        return
    listed = _listed(deployment)
    if listed is None:
        model["price"] = {"per_request": 0}
        found.comments[*path, "price"] = "assumed: the catalogue has no price for it, so it costs nothing here"
        found.unpriced.append(deployment)
        return
    names = {
        "input_per_mtok": "input_per_token",
        "output_per_mtok": "output_per_token",
        "cached_input_per_mtok": "cached_input_per_token",
        "cache_write_per_mtok": "cache_write_per_token",
    }
    prices = {said: _per_mtok(listed.price_fields[field]) for said, field in names.items()}
    per_input = prices["input_per_mtok"]
    model["price"] = {  # cached input costs as much as other input by default
        said: price for said, price in prices.items() if price != per_input or "cache" not in said
    }
    found.comments[*path, "price"] = f"list price of {listed.provider}/{listed.model} ({listed.source}, {listed.date})"


def _whole(number: float) -> int | float:
    return int(number) if number.is_integer() else number


def _per_mtok(per_token: float) -> int | float:
    """USD per million tokens, without the rounding error of the product."""
    price = float(f"{per_token * _PER_MTOK:.12g}")
    return _whole(price)


def _listed(deployment: Deployment) -> CatalogueModel | None:
    """The catalogue's entry for a deployment's model or base model, with or without its date."""
    said = [name for name in (deployment.base_model, deployment.model) if name]
    for name in said:
        last = name.rpartition("/")[2]
        bare = last.removeprefix("us.").removeprefix("eu.").removeprefix("apac.").removeprefix("anthropic.")
        undated = re.sub(r"(?:-v\d+(?::\d+)?|@[\w-]+)$", "", bare)
        for candidate in dict.fromkeys((last, bare, undated, re.sub(r"-\d{8}$|-\d{4}-\d\d-\d\d$", "", undated))):
            family = next((known for start, known in _FAMILIES.items() if candidate.startswith(start)), None)
            for provider in dict.fromkeys((deployment.account.provider, family, *provider_names())):
                listed = find_model(provider, candidate) if provider else None
                if listed is not None and listed.unit is None and listed.price_fields["output_per_token"] > 0.0:
                    return listed
    return None
