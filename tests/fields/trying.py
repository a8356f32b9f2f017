"""A field set to a value at a place, and what that comes to."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from engine.traced import trace

from des.engine import names
from des.errors import ScenarioError
from des.scenario import Loaded, from_mapping, plans
from fields.base import GROUP_FIRST, LEG_FIRST
from fields.client_cases import CLIENT_CASES
from fields.entries import ABSENT, Case, Refused, Remarked
from fields.places import DESCRIBED, PLACES
from fields.routes import Route, filled
from fields.service_cases import SERVICE_CASES
from fields.worlds import INSTANCES, PLACE_WORLDS, WORLDS

CASES = {**SERVICE_CASES, **CLIENT_CASES}
FILES = {
    "arrivals.csv": "at,in,out,who\n" + "".join(f"{4 * n},{100 + n},{30 + n},{'xy'[n % 2]}\n" for n in range(10)),
    "others.csv": "at,in,began,ended,level\n"
    + "".join(f"{3 * n},{n},{20 * n + 2},{20 * n + 9},major\n" for n in range(3)),
    "incidents.csv": "began,ended,early,stopped,level,other,share\n"
    "5,15,3,17,major,minor,0.3\n25,35,22,37,minor,major,0.9\n",
}


def expected(route: Route, name: str) -> Case | Refused | Remarked | str:
    """What the table says of a field at a place: the entry for the longest place that fits, else for all places."""
    told = f"{route.definition}.{name}"
    if told in DESCRIBED:
        return DESCRIBED[told]
    places = {place: entry for key, entry in PLACES.items() if (place := _place_of(key, told)) and route.is_at(place)}
    entry = places[max(places, key=len)] if places else CASES[told]
    if isinstance(entry, Refused) and entry.value is ABSENT:
        usual = CASES[told]
        return replace(entry, value=usual.second, beside=usual.beside)
    return entry


def _place_of(key: str, told: str) -> str:
    subject, _, place = key.partition(" @ ")
    return place if subject in (told, "*") else ""


def content_with(route: Route, name: str, value: Any, case: Case | Remarked | Refused) -> dict[str, Any]:
    """A scenario in which a field has this value at a place, and all that the case says it needs."""
    content = copy.deepcopy(LEG_FIRST if route.definitions[:1] == ("Leg",) else GROUP_FIRST)
    for definition in route.definitions:
        _put_all(content, WORLDS.get(definition, {}))
    for place, world in PLACE_WORLDS.items():
        _put_all(content, world if route.is_at(place) else {})
    _put_all(content, getattr(case, "world", {}))
    content, here = filled(content, route, {**INSTANCES, **getattr(case, "above", {})})
    for key, each in {**getattr(case, "beside", {}), name: value}.items():
        if each is None or each is ABSENT:
            here.pop(key, None)
        else:
            here[key] = copy.deepcopy(each)
    return content


def _put_all(content: dict[str, Any], values: Mapping[str, Any]) -> None:
    for path, value in values.items():
        *above, last = path.split(".")
        here = content
        for part in above:
            here = here.setdefault(part, {})
        if value is None:
            here.pop(last, None)
        else:
            here[last] = copy.deepcopy(value)


@dataclass
class Tried:
    """Scenarios run in a folder with the files that they name, each only once."""

    folder: Path
    known: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, text in FILES.items():
            (self.folder / name).write_text(text, encoding="utf-8")

    def load(self, content: Mapping[str, Any]) -> Loaded:
        return from_mapping(content, self.folder)

    def seen(self, content: Mapping[str, Any]) -> object:
        """All that a run traces. Raises ScenarioError."""
        key = repr(content)
        if key not in self.known:
            plan = plans(self.load(content))["as_modelled"]
            traced = trace(plan)
            self.known[key] = (traced.digest(), repr(names(plan)), repr(traced.blocks["refusals"]))
        return self.known[key]

    def seen_or_refused(self, content: Mapping[str, Any]) -> object | None:
        """The same, and nothing where the scenario is refused."""
        try:
            return self.seen(content)
        except ScenarioError:
            return None

    def problem(self, content: Mapping[str, Any]) -> str:
        try:
            plans(self.load(content))
        except ScenarioError as error:
            return str(error)
        return ""
