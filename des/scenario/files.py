"""Files that a scenario names: relative to it, with `${NAME}` for environment variables."""

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any, Final

from des.scenario.schema.incidents import IncidentFile
from des.scenario.schema.own_classes import own_kinds, source_digest
from des.scenario.schema.providers import ComponentSpec
from des.scenario.schema.scenario import Scenario
from des.scenario.schema.workload import ArrivalFile
from des.scenario.text.places import Path
from des.scenario.text.problems import Finding
from des.single_files import check_regular

_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}/?")


def located(text: str, folder: FilePath) -> FilePath:
    """The file that a scenario in `folder` means; raises ValueError if a variable or a user is unknown."""

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        folder_name = os.environ.get(name)
        if not folder_name:
            rest = text[match.end() :]
            raise ValueError(
                f"environment variable {name} is not set: it must name the folder with {rest or 'the file'}"
            )
        return folder_name.rstrip("/") + "/" if match.group().endswith("/") else folder_name

    path = _VARIABLE.sub(value, text)
    if "${" in path:
        raise ValueError(f"'{text}' has a ${{...}} that does not name an environment variable")
    try:
        return folder / FilePath(path).expanduser()
    except RuntimeError:
        raise ValueError(f"'{text}': there is no user {path.partition('/')[0]}") from None


def components_of(scenario: Scenario) -> Iterator[tuple[str, Path, ComponentSpec]]:
    """(name, path, spec) of everything that can fail, in the order of the plan: components, providers, models."""
    for name, component in scenario.components.items():
        yield name, ("components", name), component
    for name, provider in scenario.providers.items():
        yield name, ("providers", name), provider
    for name, provider in scenario.providers.items():
        for model_name, model in provider.models.items():
            yield f"{name}/{model_name}", ("providers", name, "models", model_name), model


def _named_files(scenario: Scenario) -> Iterator[tuple[Path, str]]:
    """(path in the scenario, text) of each file it names."""
    if isinstance(scenario.workload.arrivals, ArrivalFile):
        yield ("workload", "arrivals", "file"), scenario.workload.arrivals.file
    for _, path, component in components_of(scenario):
        for position, incident in enumerate(component.incidents):
            if isinstance(incident, IncidentFile):
                yield (*path, "incidents", position, "file"), incident.file


def file_digests(scenario: Scenario, folder: FilePath) -> tuple[dict[str, str], list[Finding]]:
    """SHA-256 of each file by its name in the scenario, and findings for files that cannot be read."""
    digests: dict[str, str] = {}
    findings: list[Finding] = []
    for path, text in _named_files(scenario):
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
