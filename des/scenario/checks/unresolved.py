"""Faults that come to light when a valid scenario is resolved, told beside others that keep it from being valid.

Prices are looked up and recorded files read once all is valid. Where something is not, the content tells already which
models have no price and which files are missing.
"""

import os
from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import Any

from des.catalogue import find_model, model_names, provider_names
from des.scenario.text.locations import located
from des.scenario.text.names import Content, items, mapping, models_of
from des.scenario.text.places import Path
from des.scenario.text.problems import Finding
from des.words import nearest


def unresolved_findings(content: Content, folder: FilePath) -> Iterator[Finding]:
    """Models without a price and recorded files that are missing. The content may be wrong in other ways."""
    for provider, said in mapping(content.get("providers")).items():
        listed = mapping(said).get("catalogue", provider)
        for name, model in models_of(content, provider).items():
            here: Path = ("providers", provider, "models", name)
            if isinstance(listed, str) and "price" not in mapping(model) and find_model(listed, name) is None:
                yield Finding((*here, "price"), no_price(listed, name))
    for path, file in _files(content):
        try:
            missing = not os.path.lexists(located(file, folder))
        except ValueError as error:
            yield Finding(path, str(error))
            continue
        if missing:
            yield Finding(path, f"{located(file, folder)}: no such file")


def _files(content: Content) -> Iterator[tuple[Path, str]]:
    """(path, name) of each recorded file."""
    arrivals = mapping(mapping(content.get("workload")).get("arrivals"))
    if isinstance(file := arrivals.get("file"), str):
        yield ("workload", "arrivals", "file"), file
    for path, failing in _failing(content):
        incidents = failing.get("incidents")
        for position, each in enumerate(items(incidents)):
            if isinstance(file := mapping(each).get("file"), str):
                yield (*path, "incidents", position, "file"), file


def _failing(content: Content) -> Iterator[tuple[Path, Any]]:
    for name, component in mapping(content.get("components")).items():
        yield ("components", name), mapping(component)
    for name, provider in mapping(content.get("providers")).items():
        yield ("providers", name), mapping(provider)
        for model, said in models_of(content, name).items():
            yield ("providers", name, "models", model), mapping(said)


def no_price(listed: str, model: str) -> str:
    """What is said of a model that has a price neither in the scenario nor in the catalogue."""
    remedy = "write price: {input_per_mtok: 3, output_per_mtok: 15}, or {per_request: 0} if it is free"
    if listed not in provider_names():
        near = nearest(listed, provider_names())
        hint = f" (did you mean catalogue: {near}?)" if near else ""
        return f"is required, since the catalogue has no provider '{listed}'{hint}: {remedy}"
    near = nearest(model, model_names(listed))
    hint = f" (did you mean '{near}'?)" if near else ""
    return f"is required, since the catalogue has no model '{model}' of {listed}{hint}: {remedy}"
