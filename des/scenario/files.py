"""Files that a scenario names: relative to it, with `${NAME}` for environment variables."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any

from des.scenario.schema.incidents import IncidentFile
from des.scenario.schema.own_classes import own_kinds, source_digest
from des.scenario.schema.providers import ComponentSpec
from des.scenario.schema.scenario import Scenario
from des.scenario.schema.workload import ArrivalFile
from des.scenario.text.locations import located
from des.scenario.text.places import Path
from des.scenario.text.problems import Finding
from des.single_files import check_regular


def components_of(scenario: Scenario) -> Iterator[tuple[str, Path, ComponentSpec]]:
    """(name, path, spec) of everything that can fail, in the order of the plan: components, providers, models."""
    for name, component in scenario.components.items():
        yield name, ("components", name), component
    for name, provider in scenario.providers.items():
        yield name, ("providers", name), provider
    for name, provider in scenario.providers.items():
        for model_name, model in provider.models.items():
            yield f"{name}/{model_name}", ("providers", name, "models", model_name), model


def _named_files(scenario: Scenario, content: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """(path in the scenario, text) of each file it names."""
    yield from _measured_files(content, ())
    if isinstance(scenario.workload.arrivals, ArrivalFile):
        yield ("workload", "arrivals", "file"), scenario.workload.arrivals.file
    for _, path, component in components_of(scenario):
        for position, incident in enumerate(component.incidents):
            if isinstance(incident, IncidentFile):
                yield (*path, "incidents", position, "file"), incident.file


def _measured_files(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """The files of distributions, anywhere in a content."""
    if isinstance(value, Mapping):
        if value.get("kind") == "empirical" and isinstance(value.get("file"), str):
            yield (*path, "file"), value["file"]
        for key, each in value.items():
            yield from _measured_files(each, (*path, key))
    elif isinstance(value, list):
        for position, each in enumerate(value):
            yield from _measured_files(each, (*path, position))


def file_digests(
    scenario: Scenario, content: Mapping[str, Any], folder: FilePath
) -> tuple[dict[str, str], list[Finding]]:
    """SHA-256 of each file by its name in the scenario, and findings for files that cannot be read."""
    digests: dict[str, str] = {}
    findings: list[Finding] = []
    for path, text in _named_files(scenario, content):
        if text in digests:
            continue
        try:
            file = located(text, folder)
            check_regular(file)
            with file.open("rb") as stream:
                digests[text] = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as error:
            findings.append(Finding(path, f"{located(text, folder)}: {(error.strerror or str(error)).lower()}"))
        except ValueError as error:
            findings.append(Finding(path, str(error)))
    return digests, findings


def class_digests(content: Mapping[str, Any]) -> tuple[dict[str, str], list[Finding]]:
    """SHA-256 of the source of each class of a user by its name, and findings for sources that cannot be read."""
    digests: dict[str, str] = {}
    findings: list[Finding] = []
    for kind in sorted({*own_kinds(content)}):
        try:
            digests[kind] = source_digest(kind)
        except (OSError, ValueError) as error:
            findings.append(Finding((), str(error)))
    return digests, findings
