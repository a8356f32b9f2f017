"""Loading a scenario: read, override, validate all arms, report all problems at once."""

import copy
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath
from typing import Any, Final

from pydantic import ValidationError

from des.errors import Problem, ScenarioError
from des.scenario.checks.client_consistency import client_findings, idle_findings
from des.scenario.checks.consistency import consistency_findings
from des.scenario.checks.idle import idle_settings
from des.scenario.checks.names import name_findings
from des.scenario.checks.unresolved import unresolved_findings
from des.scenario.files import class_digests, file_digests
from des.scenario.resolution.named_models import with_named_models
from des.scenario.resolution.presets import at_the_preset, with_presets
from des.scenario.schema.expectations import AS_MODELLED, Expectation, default_arm, read_expectation, split_name
from des.scenario.schema.own_classes import make_importable, own_kinds, with_full_names
from des.scenario.schema.scenario import Scenario
from des.scenario.shipped import nearest_shipped, scenario_file
from des.scenario.text.document import Document, plain, read_document
from des.scenario.text.locations import within_folder
from des.scenario.text.names import as_written, entry_names, is_named, mapping
from des.scenario.text.overrides import Assignment, Overlay, lay_over, with_assignments
from des.scenario.text.places import Path, path_text
from des.scenario.text.problems import Finding, findings_of, without_slips
from des.scenario.text.split_numbers import with_whole_numbers
from des.scenario.text.strict_yaml import LONE_SURROGATE, has_lone_surrogate
from des.words import unknown

_BUILT_IN_ARMS: Final[Mapping[str, Mapping[str, Any]]] = {AS_MODELLED: {}, "independent": {"shared": 0}}
"""Arms of every comparison: the scenario as written, and its independent twin with the same marginals."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One variant of a scenario, with its overrides applied."""

    name: str
    scenario: Scenario
    overlay: Overlay


@dataclass(frozen=True, slots=True)
class Loaded:
    """A valid scenario. `plans` reads the files it names and looks up prices."""

    scenario: Scenario
    document: Document
    path: FilePath | None
    arms: Mapping[str, Arm] = field(repr=False)
    built_in: frozenset[str] = frozenset()
    """Arms that the scenario does not write, but a comparison has."""

    def resolved(self) -> dict[str, Any]:
        """The scenario after `--set`, as plain data from which it can be loaded again."""
        return copy.deepcopy(self.document.content)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is written and does nothing: in no arm that has it, or in the arm that writes it."""
        return tuple(f"{each.path}: {each.message}" for each in self.idle)

    @property
    def idle(self) -> tuple[Problem, ...]:
        """The same with the places in the file."""
        idle = {name: _at_origins(arm) for name, arm in self.arms.items()}
        told: dict[Path, str] = {}
        for path, message in ((path, message) for found in idle.values() for path, message in found.items()):
            if path[0] == "arms":
                is_idle = path[1] not in self.built_in
            else:
                is_idle = all(path in idle[name] or _replaces(arm, path) for name, arm in self.arms.items())
            if is_idle:
                told.setdefault(path, message)
        return tuple(sorted((_problem_at(self.document, Finding(*each)) for each in told.items()), key=by_place))

    def files(self) -> dict[str, str]:
        """SHA-256 of each file that it reads, by its name as it writes it, and of the source of each class of a user,
        by module and class. Raises ScenarioError.
        """
        digests: dict[str, str] = {}
        problems: list[Problem] = []
        for arm in self.arms.values():
            found, findings = file_digests(arm.scenario, arm.overlay.content, self.document.folder)
            own, own_findings = class_digests(arm.overlay.content)
            digests |= found | own
            findings += own_findings
            problems += [problem_in_arm(self.document, arm.overlay, finding) for finding in findings]
        if problems:
            raise ScenarioError(list(dict.fromkeys(problems)))
        return digests

    def with_arms(self, names: Sequence[str] | None = None) -> "Loaded":
        """The scenario with the arms of a comparison: its own, and the built-in ones that it lacks.

        Built in are `as_modelled`, which then comes first, and `independent`, the twin with nothing in common. `names`
        selects arms, in this order. Expectations of other arms are dropped. Raises ScenarioError for unknown arms.
        """
        own = {name: mapping(override) for name, override in mapping(self.document.content.get("arms")).items()}
        known = {name: own.get(name, _BUILT_IN_ARMS.get(name, {})) for name in (*_BUILT_IN_ARMS, *own)}
        chosen = list(dict.fromkeys(known if names is None else names))
        problems = [Problem(unknown("arm", name, known), "arms") for name in chosen if name not in known]
        if not chosen:
            problems = [Problem(f"no arm is named; there are: {', '.join(known)}", "arms")]
        if problems:
            raise ScenarioError(problems)
        content = copy.deepcopy(self.document.content)
        content["arms"] = {name: copy.deepcopy(known[name]) for name in chosen}
        expect: dict[str, list[Any]] = {}
        for name, texts in mapping(content.pop("expect", None)).items():
            arm, metric = split_name(name, tuple(own))
            if arm in chosen:
                said_as = metric if arm == default_arm(tuple(chosen)) else f"{arm}.{metric}"
                expect.setdefault(said_as, []).extend(texts if isinstance(texts, list) else [texts])
        content |= {"expect": expect} if expect else {}
        return replace(
            _loaded(self.document.with_content(content, {}), self.path), built_in=frozenset({*chosen} - {*own})
        )

    def expectations(self) -> tuple[Expectation, ...]:
        """What the scenario expects of its arms."""
        arms = tuple(self.scenario.arms)
        return tuple(
            read_expectation(name, text, arms) for name, texts in self.scenario.expect.items() for text in texts
        )


def _replaces(arm: Arm, path: Path) -> bool:
    """Whether an arm has a value of its own in place of the one at a path."""
    origin = arm.overlay.origin(path)
    return origin is not None and origin[0] == "arms"


def _at_origins(arm: Arm) -> dict[Path, str]:
    """Remarks on idle settings of an arm, by the path in the document where each is written."""
    found = idle_settings(arm.scenario, arm.overlay.content)
    return {arm.overlay.origin(finding.path) or finding.path: finding.message for finding in found}


def load_scenario(path: str | os.PathLike[str], overrides: Sequence[str | Assignment] = ()) -> Loaded:
    """Reads a scenario file, or the shipped scenario of that name, with `path=value` overrides.

    Raises ScenarioError with all problems.
    """
    file = scenario_file(path)
    if not os.path.lexists(file) and (hint := nearest_shipped(file)):
        raise ScenarioError([Problem(f"no such file, and no shipped scenario of that name{hint}", file=str(file))])
    return _loaded(with_assignments(with_named_models(read_document(file)), overrides), file)


def load_scenario_content(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The content of a scenario file or of the shipped scenario of that name, unchecked. Raises ScenarioError."""
    return read_document(scenario_file(path)).content


def load_document(document: Document) -> Loaded:
    """A scenario from a document already read. Raises ScenarioError with all problems."""
    return _loaded(document, None)


def from_mapping(content: Mapping[str, Any], folder: str | os.PathLike[str] = ".") -> Loaded:
    """A scenario from plain data, as parsed from a file. Files it names are relative to `folder`."""
    said = plain(content)
    if broken := list(_lone_surrogates(said)):
        raise ScenarioError([Problem(LONE_SURROGATE, path_text(path)) for path in broken])
    return _loaded(Document(said, folder=FilePath(folder)), None)


def changed(loaded: Loaded, assignments: Sequence[str | Assignment]) -> Loaded:
    """The scenario with each `path=value` set. Raises ScenarioError with all problems."""
    return _loaded(with_assignments(loaded.document, assignments), loaded.path)


def _lone_surrogates(value: Any, path: Path = ()) -> Iterator[Path]:
    """Paths of texts with lone surrogates. For a key, it is the path of its mapping."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from [path] if has_lone_surrogate(key) else _lone_surrogates(each, (*path, key))
    elif isinstance(value, list):
        for position, each in enumerate(value):
            yield from _lone_surrogates(each, (*path, position))
    elif isinstance(value, str) and has_lone_surrogate(value):
        yield path


def _loaded(document: Document, path: FilePath | None) -> Loaded:
    with within_folder(document.folder):
        return _validated(document, path)


def _validated(document: Document, path: FilePath | None) -> Loaded:
    document = with_named_models(document)  # once more, since overrides may name models too
    if any(own_kinds(document.content)):
        document = replace(document, content=with_full_names(document.content))
        make_importable(document.folder)
    scenario, findings = validate(document.content)
    problems = [_problem_at(document, finding) for finding in findings]
    arms: dict[str, Arm] = {}
    overrides = mapping(document.content.get("arms")) or {AS_MODELLED: {}}
    for name, override in overrides.items():
        overlay = lay_over(document.content, name, mapping(override))
        if not overlay.findings and overlay.content == document.content:
            variant, arm_findings = scenario, findings  # the arm as modelled of a scenario without others
        else:
            variant, arm_findings = validate(overlay.content, entry_names(document.content))
        known = {finding.path for finding in findings}
        problems += [_problem_at(document, finding) for finding in overlay.findings]
        problems += [
            problem_in_arm(document, overlay, finding, arm=name)
            for finding in arm_findings
            if not _of_the_base(finding, overlay, known)
        ]
        if variant is not None:
            arms[name] = Arm(name, variant, overlay)
    if problems or scenario is None:
        told = {(problem.path, problem.line) for problem in problems}
        unresolved = [_problem_at(document, each) for each in unresolved_findings(document.content, document.folder)]
        problems += [problem for problem in unresolved if (problem.path, problem.line) not in told]
        raise ScenarioError(sorted(dict.fromkeys(problems), key=by_place))
    return Loaded(scenario, document, path, arms)


def by_place(problem: Problem) -> tuple[bool, int, int]:
    """Sort key: problems in the order of the file, those without a line first."""
    return problem.line is not None, problem.line or 0, problem.column or 0


def _of_the_base(finding: Finding, overlay: Overlay, known: set[Path]) -> bool:
    """Whether an arm's finding only repeats one of the scenario, or of a leg taken over from it."""
    origin = overlay.origin(finding.path) or finding.path
    return origin[:1] != ("arms",) and origin in known


def validate(content: Mapping[str, Any], known: Sequence[str] = ()) -> tuple[Scenario | None, list[Finding]]:
    """The typed scenario of a content, and findings: on single values, on names, and on contradictions.

    `known` are names of entries that its chain may lack, because an arm's budgets may name legs that it leaves out.
    """
    expanded, preset_findings = with_presets(content)
    said = _without_nulls(expanded)
    findings: list[Finding] = []
    scenario = None
    try:
        scenario = Scenario.model_validate(said)
    except ValidationError as error:
        findings += findings_of(error, said, Scenario)
    if said != content:
        findings += _empty_slips(content, findings)
    findings = with_whole_numbers(without_slips(findings), content)
    findings += [*preset_findings, *name_findings(said, known)]
    findings += [each for each in idle_findings(content) if not _wrong_within(each.path, findings)]
    if scenario is not None and not findings:
        found = [*consistency_findings(scenario), *client_findings(scenario)]
        findings += [replace(each, path=as_written(said, each.path)) for each in found]
    return (scenario if not findings else None), [at_the_preset(each, content, expanded) for each in findings]


def _wrong_within(path: Path, findings: list[Finding]) -> bool:
    return any(finding.path[: len(path)] == path for finding in findings)


def _empty_slips(content: Mapping[str, Any], known: list[Finding]) -> list[Finding]:
    """Findings on keys without a value, which `_without_nulls` drops: unknown keys, empty expectations."""
    found: list[Finding] = []
    try:
        Scenario.model_validate(content)
    except ValidationError as error:
        found += [each for each in findings_of(error, content, Scenario) if each.at_key and each not in known]
    for name, texts in mapping(content.get("expect")).items():
        if texts is None:
            metric, colon, comparison = name.partition(":")
            space = f"; YAML wants a space after the colon: {metric}: {comparison}" if colon else ""
            message = f'expected a comparison such as ">= 99.95%"; got nothing{space}'
            found.append(Finding(("expect", name), message))
    return found


def _without_nulls(value: Any, path: Path = ()) -> Any:
    """The content without empty values: an empty key is dropped, and an empty name becomes an empty mapping."""
    if isinstance(value, Mapping):
        named = is_named(path)
        return {
            str(key): {} if named and each is None else _without_nulls(each, (*path, str(key)))
            for key, each in value.items()
            if named or each is not None
        }
    if isinstance(value, list | tuple):
        return [_without_nulls(each, (*path, position)) for position, each in enumerate(value)]
    return value


def _problem_at(document: Document, finding: Finding) -> Problem:
    """The problem for a finding in the document itself."""
    place = document.place(finding.path, of_key=finding.at_key)
    return Problem(finding.message, path_text(finding.path), place.file, place.line, place.column)


def problem_in_arm(document: Document, overlay: Overlay, finding: Finding, arm: str | None = None) -> Problem:
    """The problem for a finding in the content of an arm. It stands at the arm's own line if the arm set the value.

    With `arm`, a finding that the arm only causes elsewhere stands at the arm and names the path.
    """
    origin = overlay.origin(finding.path)
    if origin is not None and (origin[0] == "arms" or arm is None):
        return _problem_at(document, Finding(origin, finding.message, finding.at_key))
    if arm is None or ("arms", arm) not in document.values:
        return _problem_at(document, finding)
    message = f"{path_text(finding.path)}: {finding.message}"
    return _problem_at(document, Finding(("arms", arm), message, at_key=True))
