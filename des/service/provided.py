"""The providers of the equivalent scenario: how they fail, what they share, how fast their models answer."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from des.catalogue import assumed
from des.catalogue.failures import failure_figures
from des.catalogue.list_prices import CatalogueModel
from des.scenario.shared_outages import shared_outages
from des.scenario.text.units import read_share
from des.service.bodies import SimulateBody
from des.service.named import folded
from des.service.notes import Notes
from des.service.quantities import number_text, plain_number, rate_text, share_text, time_text
from des.service.sources import SOURCES
from des.words import unknown

_OF_MODELS: Final = frozenset({"first_token", "tokens_per_second", "latency", "price", "server_error"})
_TAIL_OF_LATENCY: Final = 4.0
"""The 99th percentile over the median, where only the median is said."""


class Providers:
    """Writes `providers` and `components`. `names` are (provider, model) of each leg, `listed` their list prices."""

    def __init__(
        self,
        body: SimulateBody,
        names: Sequence[tuple[str, str]],
        listed: Sequence[CatalogueModel | None],
        legs: Sequence[str],
        notes: Notes,
    ) -> None:
        self._body = body
        self._names = names
        self._listed = listed
        self._legs = legs
        self._notes = notes

    def written(self) -> dict[str, Any]:
        """`providers` of the scenario."""
        found: dict[str, Any] = {}
        for provider in dict.fromkeys(name for name, _ in self._names):
            numbers = [number for number, (name, _) in enumerate(self._names) if name == provider]
            self._notes.pointers[f"providers.{provider}"] = f"/chain/{numbers[0]}"
            entry: dict[str, Any] = self._failures(provider, numbers)
            limit = self._agreed(numbers, "rate_limit")
            if limit is not None:
                entry["limits"] = {"requests": rate_text(limit)}
            entry["models"] = {}
            for model in dict.fromkeys(name for of, name in self._names if of == provider):
                legs = [number for number in numbers if self._names[number][1] == model]
                self._notes.pointers[f"providers.{provider}.models.{model}"] = f"/chain/{legs[0]}"
                entry["models"][model] = self._model(legs)
            found[provider] = entry
        return found

    def _agreed(self, legs: list[int], field: str) -> Any:
        """What the legs of one provider, or of one model, say of it; a fault where they differ."""
        said = {number: getattr(self._body.chain[number], field) for number in legs}
        said = {number: value for number, value in said.items() if value is not None}
        first = next(iter(said.values()), None)
        for number, value in said.items():
            if value != first:
                what = (
                    "model"
                    if field in ("first_token", "tokens_per_second", "latency", "price", "server_error")
                    else "provider"
                )
                self._notes.fault(
                    f"/chain/{number}/{field}", f"differs from an earlier leg of the same {what}: it has one for all"
                )
        return first

    def _failures(self, provider: str, legs: list[int]) -> dict[str, Any]:
        known = failure_figures(provider)
        availability, episodes = self._agreed(legs, "availability"), self._agreed(legs, "episodes_per_year")
        at = f"/chain/{legs[0]}"
        if availability is None:
            text = share_text(known.availability)
            self._notes.assume(f"{at}/availability", "availability", provider, text, known.source, known.date)
            self._notes.comments["providers", provider, "availability"] = f"{known.source} ({known.date})"
        if episodes is None:
            text = number_text(known.episodes_per_year)
            self._notes.assume(f"{at}/episodes_per_year", "episodes_per_year", provider, text, known.source, known.date)
        if availability is None:
            availability = known.availability
        if availability >= 1.0:
            return {}
        count = known.episodes_per_year if episodes is None else episodes
        return {"availability": share_text(availability), "episodes_per_year": plain_number(count)}

    def _model(self, legs: list[int]) -> dict[str, Any]:
        said = {field: self._agreed(legs, field) for field in ("first_token", "tokens_per_second", "latency", "price")}
        errors = self._agreed(legs, "server_error")
        number = legs[0]
        listed, name = self._listed[number], self._legs[number]
        found: dict[str, Any] = {"latency": self._latency(number, said, listed)}
        if errors is None:
            self._notes.assume(
                f"/chain/{number}/server_error", "server_error", name, assumed.SERVER_ERROR, SOURCES["server_error"]
            )
            found["errors"] = {"server_error": assumed.SERVER_ERROR}
        elif errors > 0.0:
            found["errors"] = {"server_error": share_text(errors)}
        price = said["price"]
        if price is not None:
            written = price.model_dump(exclude_none=True)
            found["price"] = {key: plain_number(value) for key, value in written.items()}
        elif listed is not None:
            self._notes.assume(f"/chain/{number}/price", "price", name, "list price", listed.source, listed.date)
        return found

    def _latency(self, number: int, said: Mapping[str, Any], listed: CatalogueModel | None) -> Any:
        whole = said["latency"]
        streamed = said["first_token"], said["tokens_per_second"]
        if whole is not None:
            if any(each is not None for each in streamed):
                self._notes.fault(
                    f"/chain/{number}/latency", "is of a whole answer: leave out first_token and tokens_per_second"
                )
            return {"kind": "lognormal", "median": time_text(whole), "p99": time_text(_TAIL_OF_LATENCY * whole)}
        default = assumed.latency_of(self._names[number][1], None if listed is None else listed.unit)
        if listed is not None and listed.unit is not None:
            if any(each is not None for each in streamed):
                self._notes.fault(f"/chain/{number}/first_token", "this model answers in one piece: use latency")
            self._notes.assume(
                f"/chain/{number}/latency", "latency", self._legs[number], str(default["median"]), SOURCES["latency"]
            )
            return default
        at, name = f"/chain/{number}", self._legs[number]
        first = dict(default["first_token"])
        if streamed[0] is not None:
            first = {
                "kind": "lognormal",
                "median": time_text(streamed[0]),
                "p99": time_text(_TAIL_OF_LATENCY * streamed[0]),
            }
        else:
            self._notes.assume(f"{at}/first_token", "first_token", name, str(first["median"]), SOURCES["latency"])
        speed = default["tokens_per_second"] if streamed[1] is None else plain_number(streamed[1])
        if streamed[1] is None:
            self._notes.assume(f"{at}/tokens_per_second", "tokens_per_second", name, str(speed), SOURCES["latency"])
        return {"first_token": first, "tokens_per_second": speed}

    def shared(self, providers: dict[str, Any]) -> dict[str, Any]:
        """A component for each cause, on which its members come to depend."""
        found: dict[str, Any] = {}
        known = {folded(name): name for name in providers}
        for number, cause in enumerate(self._body.shared):
            at = f"/shared/{number}"
            members = [known.get(folded(member)) for member in cause.members]
            for place, (said, name) in enumerate(zip(cause.members, members, strict=True)):
                if name is None:
                    words = unknown("provider", said, providers)
                    self._notes.fault(f"{at}/members/{place}", f"{words}, of the chain")
                elif name in members[:place]:
                    self._notes.fault(f"{at}/members/{place}", "is named twice")
                elif "availability" not in providers[name]:
                    words = f"{name} is never down, so it has no outages to share"
                    self._notes.fault(f"{at}/members/{place}", words)
            name = cause.name.replace(" ", "_")
            if name in found or name in providers:
                self._notes.fault(f"{at}/name", "is taken: choose another name")
            if self._notes.faults or cause.fraction <= 0.0:
                continue
            self._notes.pointers[f"components.{name}"] = at
            entries = [providers[member or ""] for member in members]
            figures = [(read_share(each["availability"]), float(each["episodes_per_year"])) for each in entries]
            found[name] = {"incidents": [shared_outages(figures, cause.fraction)]}
            for member in members:
                providers[member or ""] = {
                    "depends_on": [*providers[member or ""].get("depends_on", []), name],
                    **{key: value for key, value in providers[member or ""].items() if key != "depends_on"},
                }
        return found
