"""`des fit --into`: the incidents of a history as the incidents of a provider or component in a scenario file."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from des.errors import DesError, Problem, ScenarioError
from des.faults.calibration import ServiceHistory
from des.faults.calibration.by_severity import severity_classes, unknown_severities
from des.scenario.loading import load_document
from des.scenario.resolution.plans import plans
from des.scenario.text.document import Document, document_of, scenario_text
from des.scenario.text.names import at, component_paths, dependencies, mapping
from des.scenario.text.places import Path as Keys
from des.scenario.text.places import path_text
from des.scenario.text.replaced_keys import with_keys_replaced
from des.scenario.text.strict_yaml import read_yaml
from des.scenario.text.units import read_share
from des.single_files import check_writable_file, write_over
from des.words import unknown

_REPLACED: Final = ("incidents", "availability", "episodes_per_year", "duration", "mttf", "mttr", "effect")
"""Keys that say how something fails. A recorded history takes the place of them all."""

_FAILS: Final = ("incidents", "availability", "mttf")
"""Of them, those that make something fail at all."""


@dataclass(frozen=True, slots=True)
class Target:
    """A scenario file with something in it that is to fail as recorded. `path` leads to its mapping."""

    file: Path
    name: str
    path: Keys
    text: str
    document: Document

    @property
    def replaced(self) -> tuple[str, ...]:
        """The keys that a history takes the place of."""
        return tuple(key for key in _REPLACED if key in mapping(at(self.document.content, self.path)))


def target(into: Path, name: str | None) -> Target:
    """The part of a scenario file that `name` means: a component, a provider or provider/model.

    Raises DesError without a name, for an unknown one, and for a file that cannot be changed.
    """
    check_writable_file(into)
    if into.suffix.lower() == ".toml":
        raise DesError(f"--into {into}: only a YAML file can be changed")
    text = scenario_text(into)
    document = document_of(text, into)
    load_document(document)
    paths = component_paths(document.content)
    if name is None:
        raise DesError(f"--into needs --as NAME, which says what failed: {', '.join(paths)}")
    if name not in paths:
        raise DesError(f"--as {unknown('component, provider or model', name, paths)}")
    return Target(into, name, paths[name], text, document)


def the_service(services: Sequence[ServiceHistory]) -> ServiceHistory:
    """The only service of a history. Raises DesError if there are several."""
    if len(services) != 1:
        names = ", ".join(service.name for service in services)
        raise DesError(f"--into takes one service of the {len(services)}: choose it by --service ({names})")
    return services[0]


def read_error_rates(texts: Sequence[str]) -> dict[str, str]:
    """`minor=5%,critical=100%` as texts by severity. Raises DesError."""
    rates: dict[str, str] = {}
    for part in (part for text in texts for part in text.split(",") if part.strip()):
        severity, equals, rate = (each.strip() for each in part.rpartition("="))
        try:
            if not equals or not severity:
                raise ValueError("write SEVERITY=SHARE, such as minor=5%")
            read_share(rate)
        except ValueError as error:
            raise DesError(f"--error-rate '{part.strip()}': {error}") from None
        rates[severity] = rate
    return rates


def put_into(
    place: Target,
    history: ServiceHistory,
    source: str,
    error_rates: Mapping[str, str],
    between: str | None = None,
    repair: str | None = None,
    *,
    dated: bool = True,
) -> tuple[str, ...]:
    """Writes the history's classes of incidents into the file, whole or not at all. Returns remarks.

    Raises DesError for a severity that the history lacks or a history without a class, ScenarioError if the file would
    not be valid with them, WriteError if it cannot be written.
    """
    for severity in unknown_severities(history, error_rates):
        raise DesError(f"--error-rate: {unknown('severity', severity, dict.fromkeys(history.severity))}")
    found = severity_classes(history, source, error_rates, between, repair, dated=dated)
    if not found.lines:
        raise DesError(f"--into: no rate can be estimated: {'; '.join(found.remarks)}")
    text = with_keys_replaced(place.text, place.document, place.path, _REPLACED, found.lines)
    changed = document_of(text, place.file)
    if changed.content != _expected(place, found.lines):
        message = "cannot be changed line by line: paste what des fit prints without --into"
        raise ScenarioError([Problem(message, path_text(place.path), str(place.file))])
    plans(load_document(changed))
    write_over(place.file.resolve(), text)
    return (*found.remarks, *_counted_twice(place))


def _counted_twice(place: Target) -> Iterator[str]:
    """A remark where what fails by this history fails with others as well, whose outages it may have too."""
    content = place.document.content
    paths = component_paths(content)
    above = list(_above(content, place.path))
    failing = [name for name in above if any(mapping(at(content, paths[name])).get(key) for key in _FAILS)]
    if failing:
        names = " and ".join(failing)
        yield (
            f"{place.name} fails with {names} too. If this history has the outages of {names} as well, they count "
            "twice: keep the other rows only (--where COLUMN=VALUE), or drop what it depends on"
        )


def _above(content: Mapping[str, Any], path: Keys) -> Iterator[str]:
    """The names of all that something fails with: what it depends on, its provider, and so on."""
    paths = component_paths(content)
    todo, seen = [path], {path}
    while todo:
        here = todo.pop(0)
        above = [name for _, name in dependencies(content, here)]
        above += [str(here[1])] if len(here) > 2 else []
        for name in above:
            if name in paths and paths[name] not in seen:
                seen.add(paths[name])
                todo.append(paths[name])
                yield name


def _expected(place: Target, lines: Sequence[str]) -> dict[str, Any]:
    """The content that the changed text must have."""
    below = mapping(at(place.document.content, place.path))
    kept = {key: value for key, value in below.items() if key not in _REPLACED}
    return _with(place.document.content, place.path, {**kept, **read_yaml("\n".join(lines))[0]})


def _with(content: Mapping[str, Any], path: Keys, value: dict[str, Any]) -> dict[str, Any]:
    key, *rest = path
    return {**content, str(key): _with(content[str(key)], tuple(rest), value) if rest else value}
