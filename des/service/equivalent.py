"""The scenario that a body of POST /simulate stands for: the file whose answer it is, with every default's source."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from des.catalogue import assumed, model_names, provider_names
from des.catalogue.list_prices import CatalogueModel
from des.catalogue.presets import preset
from des.errors import ScenarioError
from des.estimate.availability import choose
from des.estimate.estimate import REQUEST_LEVEL
from des.scenario import Loaded, from_mapping, plans
from des.scenario.text.units import YEAR_S, read_rate
from des.scenario.text.yaml_text import yaml_text
from des.service.bodies import SimulateBody
from des.service.bounds import FIXED, Bounds
from des.service.effort import KEPT, Effort, effort_of
from des.service.named import named_in_catalogue
from des.service.notes import Assumed, Notes
from des.service.problems import Fault, ProblemError, beyond, invalid
from des.service.provided import Providers
from des.service.quantities import number_text, rate_text, share_text, time_text
from des.service.sources import BUSY_RATE, HORIZON, OBJECTIVE, RATE, SOURCES, TIMEOUT
from des.words import unknown

_QUESTION: Final = "How many requests does this chain answer, what does an answer cost, and what does each leg add?"
_ALL: Final = Effort()
ROUNDS: Final = 1
"""Of `des answer`, so that figures depend on nothing but the body."""
INDEPENDENT: Final = "independent"
FIRST_ALONE: Final = "first_alone"
CHEAPEST_FIRST: Final = "cheapest_first"
WITHOUT: Final = "without_leg_"
_COUNTED: Final = {"legs": "legs", "shared": "shared causes", "rounds": "rounds", "retries": "retries"}
_FULL_REPLICATIONS: Final = 10
_FULL_REQUESTS: Final = 1_000_000.0
"""Of all arms and replications of a run in full; beyond, it is an answer with more rounds."""
_COST_TOKENS: Final = (1020.0, 129.0)
_TAIL: Final = {"input": 4142 / 1020, "output": 601 / 129}
"""The 99th percentile of tokens over their median, of the same hour."""


@dataclass(frozen=True, slots=True)
class Equivalent:
    """`content` is the scenario as plain data, `text` as a file. `legs` are their names, `arms` say what each is for.

    `without` maps the arm that lacks a leg to its name. `left_out` are arms that would take too long; `quick` says that
    the others would too, were they answered with all the work of a round. `full` is how to run it in full.
    """

    content: dict[str, Any]
    text: str
    loaded: Loaded = field(repr=False)
    legs: tuple[str, ...]
    cheapest_first: tuple[str, ...]
    without: Mapping[str, str]
    left_out: Mapping[str, str]
    quick: bool
    assumed: tuple[Assumed, ...]
    full: Mapping[str, Any]


def equivalent(body: SimulateBody, bounds: Bounds, *, light: bool = False) -> Equivalent:
    """Raises ProblemError with every fault of the body, each with its place, or with the limit that it goes beyond.

    Where the body has no rate and requests depend on each other, there are more of them, unless they must be `light`.
    Where that would take too long, alternatives are left out, and the answer is a quick one.
    """
    if beyond_bounds(body, bounds):
        raise invalid(faults_of_names(body, bounds))
    found = _made(body, RATE)
    every = plans(found.loaded)
    choices = {arm: choose(plan) for arm, plan in every.items() if arm in KEPT}
    depends = any(choice.estimator == REQUEST_LEVEL for choice in choices.values())
    rate = BUSY_RATE if depends and body.workload.rate is None and not light else RATE
    effort = effort_of(every, choices)
    return found if rate == RATE and not effort.quick else _made(body, rate, effort)


def _made(body: SimulateBody, usual_rate: str, effort: Effort = _ALL) -> Equivalent:
    made = _Writer(body, usual_rate, effort.left_out)
    made.write()
    if made.notes.faults:
        raise invalid(made.notes.faults)
    try:
        loaded = from_mapping(made.content)
    except ScenarioError as error:
        raise invalid([made.notes.at_body(problem.path, problem.message) for problem in error.problems]) from None
    return Equivalent(
        content=made.content,
        text=yaml_text(made.content, made.notes.comments),
        loaded=loaded,
        legs=tuple(made.legs),
        cheapest_first=tuple(made.cheapest_first),
        without=made.without,
        left_out=made.left_out,
        quick=effort.quick,
        assumed=tuple(made.notes.assumed),
        full=made.full(),
    )


def faults_of_names(body: SimulateBody, bounds: Bounds) -> list[Fault]:
    """Every fault of a body of the right shape: bounds it goes beyond, names that are not known, contradictions."""
    shared = [
        cause.model_copy(update={"members": cause.members[: bounds.legs]}) for cause in body.shared[: bounds.shared]
    ]
    within = body.model_copy(update={"chain": body.chain[: bounds.legs], "shared": shared})
    found = beyond_bounds(body, bounds)
    try:
        _made(within, RATE)
    except ProblemError as problem:
        found.extend(problem.faults)
    return found


def beyond_bounds(body: SimulateBody, bounds: Bounds) -> list[Fault]:
    """A fault for each bound that the body goes beyond."""
    counts = [
        ("legs", len(body.chain), "/chain"),
        ("shared", len(body.shared), "/shared"),
        ("rounds", body.policy.rounds, "/policy/rounds"),
    ]
    counts += [("retries", leg.retries, f"/chain/{number}/retries") for number, leg in enumerate(body.chain)]
    counts += [("legs", len(cause.members), f"/shared/{at}/members") for at, cause in enumerate(body.shared)]
    found = []
    for name, many, where in counts:
        most = getattr(bounds, name)
        if many is not None and many > most:
            words = "members, as many as legs" if where.endswith("/members") else _COUNTED[name]
            found.append(beyond(name, most, f"at most {most} {words}; got {many:,}", where))
    rate, most_rate = body.workload.rate, FIXED["requests_per_s"]
    if rate is not None and rate > most_rate:
        said = f"at most {most_rate:g} requests/s; got {rate:g}/s"
        found.append(beyond("requests_per_s", most_rate, said, "/workload/rate"))
    return found


def _with_own_price(words: str, what: str) -> str:
    return f"{words}{' With' if words.endswith('?') else '; with'} a price of your own, any {what} is accepted"


class _Writer:
    """The scenario in the making."""

    def __init__(self, body: SimulateBody, usual_rate: str, left_out: frozenset[str]) -> None:
        self.body = body
        self._usual_rate = usual_rate
        self._left_out = left_out
        self.left_out: dict[str, str] = {}
        self.content: dict[str, Any] = {}
        self.notes = Notes()
        self.legs: list[str] = []
        self.cheapest_first: list[str] = []
        self.without: dict[str, str] = {}
        self._listed: list[CatalogueModel | None] = []
        self._names: list[tuple[str, str]] = []

    def write(self) -> None:
        self._name_legs()
        title = ", then ".join(model for _, model in self._names)
        self.content |= {
            "title": title,
            "question": _QUESTION,
            "horizon": HORIZON,
            "replications": self._replications(),
            "seed": self.body.seed,
        }
        self.content["workload"] = self._workload()
        writer = Providers(self.body, self._names, self._listed, self.legs, self.notes)
        providers = writer.written()
        if components := writer.shared(providers):
            self.content["components"] = components
            self.notes.comments["components",] = (
                "What providers share. Its outages are among those that availability and episodes_per_year count."
            )
        self.content["providers"] = providers
        self.content["chain"] = self._chain()
        if policy := self._policy():
            self.content["policy"] = policy
        self.content["arms"] = self._arms()
        self._aims()

    def full(self) -> dict[str, Any]:
        """How to run it in full: every request of the horizon where that is possible, else more rounds."""
        requests = self._rate() * YEAR_S * self._replications() * len(self.content["arms"])
        return {"kind": "compare"} if requests <= _FULL_REQUESTS else {"kind": "answer", "rounds": 3}

    def _rate(self) -> float:
        said = self.body.workload.rate
        return read_rate(self._usual_rate) if said is None else said

    def _replications(self) -> int:
        return _FULL_REPLICATIONS if self._rate() * YEAR_S <= 5_000.0 else 1

    def _name_legs(self) -> None:
        for number, leg in enumerate(self.body.chain):
            provider = leg.provider.strip().lower()
            listed = None
            if provider in provider_names():
                listed = named_in_catalogue(provider, leg.model)
                if listed is None and leg.price is None:
                    words = unknown("model", leg.model, model_names(provider))
                    self.notes.fault(f"/chain/{number}/model", _with_own_price(words, "model"))
            elif leg.price is None:
                words = unknown("provider", leg.provider, provider_names())
                self.notes.fault(f"/chain/{number}/provider", _with_own_price(words, "provider"))
            else:
                provider = leg.provider.strip()
            model = leg.model if listed is None else listed.model
            self._listed.append(listed)
            self._names.append((provider, model))
            name, repeat = f"{provider}/{model}", 2
            while name in self.legs:
                name, repeat = f"{provider}/{model}#{repeat}", repeat + 1
            self.legs.append(name)

    def _workload(self) -> dict[str, Any]:
        said = self.body.workload
        rate = self._usual_rate if said.rate is None else rate_text(said.rate)
        self.notes.pointers |= {"workload": "/workload", "workload.arrivals": "/workload/rate"}
        if said.rate is None:
            source = SOURCES["rate" if rate == RATE else "busy_rate"]
            self.notes.assume("/workload/rate", "rate", "workload", rate, source)
            self.notes.comments["workload", "arrivals"] = f"{source.capitalize()}."
        found: dict[str, Any] = {"arrivals": {"kind": "poisson", "rate": rate}}
        if any(listed is None or listed.unit is None for listed in self._listed):
            tokens: dict[str, Any] = {}
            for part, own, default in (
                ("input", said.input_tokens, assumed.INPUT_TOKENS),
                ("output", said.output_tokens, assumed.OUTPUT_TOKENS),
            ):
                if own is None:
                    self.notes.assume(
                        f"/workload/{part}_tokens",
                        f"{part}_tokens",
                        "workload",
                        str(default["median"]),
                        SOURCES["tokens"],
                    )
                    tokens[part] = dict(default)
                else:
                    tail = max(own + 1, round(own * _TAIL[part]))
                    tokens[part] = {"kind": "lognormal", "median": own, "p99": tail}
            self.notes.comments["workload", "tokens"] = f"{SOURCES['tokens'][0].upper()}{SOURCES['tokens'][1:]}."
            found["tokens"] = tokens
        if any(listed is not None and listed.unit is not None for listed in self._listed):
            found["units"] = 1
        return found

    def _chain(self) -> list[dict[str, Any]]:
        found = []
        with_preset = self.body.policy.preset is not None
        for number, leg in enumerate(self.body.chain):
            self.notes.pointers[f"chain[{number}]"] = f"/chain/{number}"
            for name in ("timeout", "retries"):
                self.notes.pointers[f"chain[{number}].{name}"] = f"/chain/{number}/{name}"
            provider, model = self._names[number]
            entry: dict[str, Any] = {"provider": provider, "model": model}
            if leg.timeout is not None:
                entry["timeout"] = time_text(leg.timeout)
            elif not with_preset:
                entry["timeout"] = TIMEOUT
                self.notes.assume(f"/chain/{number}/timeout", "timeout", self.legs[number], TIMEOUT, SOURCES["timeout"])
            if leg.retries is not None:
                entry["retries"] = leg.retries
            found.append(entry)
        return found

    def _policy(self) -> dict[str, Any]:
        said = self.body.policy
        found: dict[str, Any] = {}
        self.notes.pointers["policy"] = "/policy"
        if said.preset is not None:
            try:
                found["preset"] = preset(said.preset).full_name
            except LookupError as error:
                self.notes.fault("/policy/preset", str(error.args[0]))
        if said.rounds is not None:
            found["rounds"] = said.rounds
        if said.backoff is not None:
            base = said.backoff
            found["backoff"] = (
                {"kind": "none"}
                if base <= 0.0
                else {
                    "kind": "exponential",
                    "base": time_text(base),
                    "factor": 2,
                    "cap": time_text(max(8.0, base)),
                    "jitter": "full",
                }
            )
        if said.deadline is not None:
            found["deadline"] = time_text(said.deadline)
        for name in ("rounds", "backoff", "deadline"):
            self.notes.pointers[f"policy.{name}"] = f"/policy/{name}"
        return found

    def _arms(self) -> dict[str, Any]:
        found: dict[str, Any] = {"as_modelled": {}}
        if "components" in self.content:
            found[INDEPENDENT] = {"shared": 0}
        self.cheapest_first = [self.legs[number] for number in sorted(range(len(self.legs)), key=self._usual_cost)]
        if len(self.legs) > 1:
            found[FIRST_ALONE] = {"chain": [self.legs[0]]}
            if self.cheapest_first != self.legs and CHEAPEST_FIRST not in self._left_out:
                found[CHEAPEST_FIRST] = {"chain": self.cheapest_first}
            elif self.cheapest_first != self.legs:
                self.left_out[CHEAPEST_FIRST] = "the cheapest leg first"
        if len(self.legs) > 2:
            for number in range(1, len(self.legs)):
                arm = f"{WITHOUT}{number + 1}"
                if arm in self._left_out:
                    self.left_out[arm] = f"without {self.legs[number]}"
                    continue
                found[arm] = {"chain": [leg for leg in self.legs if leg != self.legs[number]]}
                self.without[arm] = self.legs[number]
        elif len(self.legs) == 2:
            self.without[FIRST_ALONE] = self.legs[1]
        return found

    def _usual_cost(self, number: int) -> float:
        """USD of an answer of median size, by the list price or one's own."""
        said, own = self.body.workload, self.body.chain[number].price
        tokens = (said.input_tokens or _COST_TOKENS[0], said.output_tokens or _COST_TOKENS[1])
        if own is not None:
            by_token = own.input_per_mtok * tokens[0] + own.output_per_mtok * tokens[1]
            return by_token * 1e-6 + (own.per_request or 0.0) + (own.per_unit or 0.0)
        listed = self._listed[number]
        if listed is None:
            return math.inf
        price = listed.price_fields
        by_token = price["input_per_token"] * tokens[0] + price["output_per_token"] * tokens[1]
        return by_token + price["per_request"] + price["per_unit"]

    def _aims(self) -> None:
        objective, value = self.body.objective, self.body.value
        if objective is None:
            self.content["objective"] = {"availability": OBJECTIVE, "per": "month"}
            self.notes.assume("/objective/availability", "objective", "month", OBJECTIVE, SOURCES["objective"])
        else:
            self.content["objective"] = {"availability": share_text(objective.availability), "per": objective.per}
        self.notes.pointers["objective"] = "/objective"
        if value is not None and (value.lost_request > 0.0 or value.downtime_per_hour > 0.0):
            priced: dict[str, Any] = {}
            if value.lost_request > 0.0:
                priced["lost_request"] = f"${number_text(value.lost_request)}"
            if value.downtime_per_hour > 0.0:
                priced["downtime"] = f"${number_text(value.downtime_per_hour)}/h"
            self.content["value"] = priced
        self.notes.pointers["value"] = "/value"


def arms_of(found: Equivalent) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each arm with its chain."""
    for arm, change in found.content["arms"].items():
        yield arm, tuple(change.get("chain", found.legs))
