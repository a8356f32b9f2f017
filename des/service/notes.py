"""What is noted while a body becomes a scenario: faults, defaults, comments, and which field each place comes from."""

from dataclasses import dataclass, field

from des.scenario.text.places import Path
from des.service.problems import Fault


@dataclass(frozen=True, slots=True)
class Assumed:
    """A default that was used, at the place of the body where one's own figure would go."""

    pointer: str
    field: str
    of: str
    value: str
    source: str
    date: str = ""


@dataclass(slots=True)
class Notes:
    """`comments` are those of the scenario file; `pointers` lead from places of the scenario to fields of the body."""

    faults: list[Fault] = field(default_factory=list)
    assumed: list[Assumed] = field(default_factory=list)
    comments: dict[Path, str] = field(default_factory=dict)
    pointers: dict[str, str] = field(default_factory=dict)

    def fault(self, pointer: str, detail: str) -> None:
        self.faults.append(Fault(pointer=pointer, detail=detail))

    def assume(self, pointer: str, field: str, of: str, value: str, source: str, date: str = "") -> None:
        self.assumed.append(Assumed(pointer, field, of, value, source, date))

    def at_body(self, path: str, message: str) -> Fault:
        """A fault of the scenario, at the field of the body from which its place comes."""
        while path:
            if path in self.pointers:
                return Fault(pointer=self.pointers[path], detail=message)
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return Fault(pointer="", detail=message)
