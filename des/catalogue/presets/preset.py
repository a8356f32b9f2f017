"""A client in the catalogue: its policy, and where and when its defaults were read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Preset:
    """The client policy of a named version of an SDK, a gateway or a resilience library.

    `policy` holds fields of a scenario's `policy:` as plain values (text, numbers, lists, mappings). Its `timeout` is
    that of one attempt, its `deadline` that of the whole request. `source` is the package or repository with the files
    read, or the documentation; `date` (ISO) is the day it was read. `not_modelled` says what the policy leaves out or
    assumes, one sentence each.
    """

    name: str
    version: str
    kind: Literal["sdk", "gateway", "resilience"]
    title: str
    policy: Mapping[str, Any]
    source: str
    date: str
    not_modelled: tuple[str, ...] = ()

    @property
    def full_name(self) -> str:
        """`openai-python@3.54`, as a scenario writes it."""
        return f"{self.name}@{self.version}"
