"""A chain may name models instead of legs: `chain: [claude-sonnet-4-6, gpt-5-mini]`.

A model under `providers` is meant before one of the catalogue. What the scenario does not say of a model, or of its
provider, is the catalogue's assumption (`des/catalogue`), and said.
"""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from des.catalogue import assumed
from des.catalogue.failures import failure_figures
from des.catalogue.naming import named_model
from des.scenario.text.document import Document
from des.scenario.text.names import at, chain_legs, mapping, models_of
from des.scenario.text.places import path_text


def with_named_models(document: Document) -> Document:
    """The document with a leg for each model that its chain names, and remarks on what is assumed of it.

    A name that means no model stays as it is; one that several providers have lacks its provider.
    """
    named = [path for path, leg in chain_legs(document.content.get("chain")) if isinstance(leg, str)]
    if not named:
        return document
    content = copy.deepcopy(document.content)
    remarks = list(document.remarks)
    for within in named:
        path = ("chain", *within)
        leg = _leg(content, str(at(content, path)), path_text(path), remarks)
        if leg is not None:
            at(content, path[:-1])[path[-1]] = leg
    return replace(document, content=content, remarks=tuple(remarks))


def _leg(content: dict[str, Any], word: str, place: str, remarks: list[str]) -> dict[str, Any] | None:
    """The leg of a model, which is added to `providers` if it is missing there; None where there is no such model."""
    providers = mapping(content.get("providers"))
    having = [provider for provider in providers if word in models_of(content, provider)]
    if len(having) > 1:
        return {"model": word}
    if having:
        return {"provider": having[0], "model": word, **_name(content, word)}
    try:
        model = named_model(word)
    except LookupError:
        return None
    if remark := _add(content, model.provider, model.model, assumed.latency_of(model.model, model.unit)):
        remarks.append(f"{place}: {remark}")
    return {"provider": model.provider, "model": model.model, **_name(content, word)}


def _name(content: Mapping[str, Any], word: str) -> dict[str, str]:
    """The word as the leg's name, unless an earlier leg has it: the default name then tells them apart."""
    taken = [mapping(leg).get("name") for _, leg in chain_legs(content["chain"])]
    return {} if word in taken else {"name": word}


def _on_the_way(providers: object, provider: str) -> Iterator[object]:
    """What must be a mapping, or nothing yet, for a model to be added."""
    yield providers
    yield mapping(providers).get(provider)
    yield mapping(mapping(providers).get(provider)).get("models")


def _add(content: dict[str, Any], provider: str, model: str, latency: Mapping[str, Any]) -> str:
    """Adds a model to `providers`. Returns a remark on what is assumed of it; empty if nothing is."""
    known = content.get("providers")
    if any(each is not None and not isinstance(each, dict) for each in _on_the_way(known, provider)):
        return ""  # refused by itself
    content["providers"] = providers = dict(known or {})
    said = []
    if provider not in providers:
        failures = failure_figures(provider)
        providers[provider] = {
            "availability": failures.availability_text,
            "episodes_per_year": failures.episodes_per_year,
        }
        said.append(
            f"{provider} {failures.availability_text} available with {failures.episodes_per_year:g} outages a year"
        )
    providers[provider] = dict(mapping(providers[provider]))
    models = providers[provider]["models"] = dict(mapping(providers[provider].get("models")))
    if model in models:
        return ""
    models[model] = {}
    if "latency" not in providers[provider]:
        models[model]["latency"] = dict(latency)
        said.append(f"a typical latency of {model}")
    if not said:
        return ""
    return f"{model} of {provider} is not under providers; assumed, where nothing else is set: {' and '.join(said)}"
