"""`des.Scenario`: a scenario built in Python or read from a file, checked, and changed into others."""

import json
import os
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from des.scenario.loading import Loaded, changed, from_mapping, load_scenario
from des.scenario.schema.scenario import Scenario as Settings
from des.scenario.text.document import plain
from des.scenario.text.overrides import Assignment
from des.scenario.text.yaml_text import yaml_text


class Scenario:
    """A valid scenario, which never changes.

    Its parts are written as in a file, with texts such as `"2/min"` for what has a unit:

        des.Scenario(
            horizon="30d",
            workload={"arrivals": {"kind": "poisson", "rate": "2/min"}},
            providers={"anthropic": {"models": {"claude-sonnet-4-6": {"latency": "2s"}}}},
            chain=[{"provider": "anthropic", "timeout": "30s"}],
        )

    The keywords are the fields of a file (docs/scenario.md); None leaves one out. Recorded files that it names are
    relative to `folder`. It runs as the same file does: the same key, the same traces. Raises ScenarioError with every
    problem of every arm, each with its path.
    """

    __slots__ = ("_loaded",)

    def __init__(
        self,
        *,
        horizon: str,
        workload: Mapping[str, Any],
        providers: Mapping[str, Mapping[str, Any]],
        chain: Sequence[Mapping[str, Any]],
        title: str | None = None,
        question: str | None = None,
        description: str | None = None,
        start: str | date | None = None,
        seed: int | None = None,
        replications: int | None = None,
        start_state: str | None = None,
        drain: str | None = None,
        traces: str | Mapping[str, Any] | None = None,
        components: Mapping[str, Mapping[str, Any] | None] | None = None,
        common_cause: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
        surge: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
        shared: str | float | None = None,
        budgets: Mapping[str, Mapping[str, Any]] | None = None,
        policy: Mapping[str, Any] | None = None,
        arms: Mapping[str, Mapping[str, Any]] | None = None,
        objective: Mapping[str, Any] | None = None,
        value: Mapping[str, Any] | None = None,
        expect: Mapping[str, str | Sequence[str]] | None = None,
        optimise: Mapping[str, Any] | None = None,
        folder: str | os.PathLike[str] = ".",
    ) -> None:
        said = {
            "title": title,
            "question": question,
            "description": description,
            "horizon": horizon,
            "start": start,
            "seed": seed,
            "replications": replications,
            "start_state": start_state,
            "drain": drain,
            "traces": traces,
            "workload": workload,
            "components": components,
            "providers": providers,
            "common_cause": common_cause,
            "surge": surge,
            "shared": shared,
            "budgets": budgets,
            "chain": chain,
            "policy": policy,
            "arms": arms,
            "objective": objective,
            "value": value,
            "expect": expect,
            "optimise": optimise,
        }
        self._loaded = from_mapping({name: each for name, each in said.items() if each is not None}, folder)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Scenario":
        """The scenario of a YAML or TOML file. Raises ScenarioError with the line of each problem."""
        return cls._of(load_scenario(path))

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], folder: str | os.PathLike[str] = ".") -> "Scenario":
        """The scenario of a file's content, as `yaml.safe_load` or `to_dict` has it."""
        return cls._of(from_mapping(content, folder))

    @classmethod
    def _of(cls, loaded: Loaded) -> "Scenario":
        made = object.__new__(cls)
        made._loaded = loaded
        return made

    @property
    def loaded(self) -> Loaded:
        """The scenario as the rest of the program reads it."""
        return self._loaded

    @property
    def settings(self) -> Settings:
        """All settings, defaults included, in base units: `scenario.settings.policy.rounds`."""
        return self._loaded.scenario

    @property
    def title(self) -> str:
        return self._loaded.scenario.title

    @property
    def arms(self) -> tuple[str, ...]:
        """The names of its own arms, `as_modelled` alone if it has none."""
        return tuple(self._loaded.arms)

    @property
    def remarks(self) -> tuple[str, ...]:
        """Settings that do nothing in this scenario."""
        return self._loaded.remarks

    def with_(self, path: str | None = None, new: Any = None, /, **values: Any) -> "Scenario":
        """The scenario with some values changed, by path, as `--set` changes them.

        `with_("policy.rounds", 3)`, `with_(seed=7)`, `with_(**{"policy.rounds": 3, "chain[0].timeout": "10s"})`.
        Mappings replace the whole value; None restores the default. Raises ScenarioError.
        """
        said = values if path is None else {path: new, **values}
        assignments = [
            Assignment(f"{name}={json.dumps(plain(value), ensure_ascii=False)}", f"with_({name!r})")
            for name, value in said.items()
        ]
        return self._of(changed(self._loaded, assignments))

    def to_dict(self) -> dict[str, Any]:
        """Its fields as written, as plain data."""
        return self._loaded.resolved()

    def to_yaml(self) -> str:
        """Its fields as written, as the text of a file. Recorded files that it names stay relative to its folder."""
        return yaml_text(self._loaded.document.content, {})

    def _identity(self) -> tuple[str, Path]:
        folder = self._loaded.document.folder.absolute()
        return json.dumps(self._loaded.document.content, sort_keys=True, ensure_ascii=False), folder

    def __eq__(self, other: object) -> bool:
        """Whether both are written alike and name files in the same folder."""
        return self._identity() == other._identity() if isinstance(other, Scenario) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._identity())

    def __copy__(self) -> "Scenario":
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> "Scenario":
        return self

    def __repr__(self) -> str:
        return f"<Scenario {self.title!r}: chain of {len(self.settings.chain)}; arms {', '.join(self.arms)}>"

    def _repr_html_(self) -> str:
        from html import escape

        return f"<pre>{escape(self.to_yaml())}</pre>"
