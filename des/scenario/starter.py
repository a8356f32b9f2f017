"""A scenario to start from: a commented text for the models, the client and the kind of question of its author."""

import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from des.catalogue import assumed
from des.catalogue.failures import failure_figures
from des.catalogue.list_prices import CatalogueModel
from des.catalogue.naming import named_model
from des.catalogue.presets import preset
from des.errors import DesError
from des.scenario.own_figures import OwnFigures, own_figures
from des.scenario.shared_outages import shared_outages
from des.scenario.text.units import read_share
from des.words import unknown

SCHEMA_FILE: Final = "des.schema.json"
MODELS: Final = ("claude-sonnet-4-6", "gpt-5-mini")
"""The chain of a scenario whose author names no models."""
QUESTIONS: Final = {
    "nines": "How many nines does this chain have, what does each fallback add, and what do shared outages take back?",
    "cost": "What does an answer cost, what do the fallbacks add to the bill, and what does a lost request cost?",
    "limits": "Does the fallback's rate limit hold when the whole workload falls over to it?",
    "outage": "What do users notice of an outage of twenty minutes, if the primary fails and if it hangs?",
}
_DEFAULT_QUESTION: Final = "nines"
_FAILING: Final = ("nines", "cost")
"""Questions whose providers have outages at random."""
_SHARED_CAUSE: Final = "shared_cause"
_WIDTH: Final = 116
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")


@dataclass(frozen=True, slots=True)
class _Start:
    models: tuple[CatalogueModel, ...]
    client: str | None
    question: str
    own: OwnFigures

    @property
    def providers(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(model.provider for model in self.models))

    @property
    def legs(self) -> tuple[str, ...]:
        """The names by which arms select legs."""
        return tuple(_text(f"{model.provider}/{model.model}") for model in self.models)

    @property
    def fails(self) -> bool:
        """Whether providers have outages at random; the other questions have one at a fixed time."""
        return self.question in _FAILING

    @property
    def by_token(self) -> bool:
        return any(model.unit is None for model in self.models)


def starter(
    models: Sequence[str] = MODELS,
    client: str | None = None,
    question: str | None = None,
    *,
    rate: str | None = None,
    limit: Sequence[str] = (),
    shared: str | None = None,
    objective: str | None = None,
    lost_request: str | None = None,
) -> str:
    """A valid scenario with a chain of these models, `client` as its policy, and arms for one of QUESTIONS.

    Models are named as in `named_model`, clients as presets are. Figures are those of `own_figures`; what is not given
    is a placeholder. Raises DesError with everything that is unknown or wrong.
    """
    found, problems = _models(models)
    policy, unknown_client = _client(client)
    asked = question or _DEFAULT_QUESTION
    problems += unknown_client
    if asked not in QUESTIONS:
        problems.append(f"--question {unknown('question', asked, QUESTIONS)}")
    elif asked not in _FAILING:
        at_random = f"belongs to --question {' or '.join(_FAILING)}: {asked} has one outage, at a fixed time"
        problems += [f"--shared {at_random}"] if shared is not None else []
        problems += [f"--objective {at_random}"] if objective is not None else []
    own, wrong = own_figures(
        tuple(dict.fromkeys(model.provider for model in found)),
        rate=rate,
        limit=limit,
        shared=shared,
        objective=objective,
        lost_request=lost_request,
    )
    problems += wrong
    if problems:
        raise DesError("\n".join(problems))
    return "\n".join([*_lines(_Start(found, policy, asked, own)), ""])


def _models(names: Sequence[str]) -> tuple[tuple[CatalogueModel, ...], list[str]]:
    found: list[CatalogueModel] = []
    problems = [] if names else ["--models: name at least one model"]
    for name in names:
        try:
            model = named_model(name)
        except LookupError as error:
            problems.append(f"--models {error.args[0]}")
            continue
        if model in found:
            problems.append(f"--models '{name}' is named twice: write the second leg into the file")
        found.append(model)
    return tuple(found), problems


def _client(name: str | None) -> tuple[str | None, list[str]]:
    if name is None:
        return None, []
    try:
        return preset(name).full_name, []
    except LookupError as error:
        return None, [f"--client {error.args[0]}"]


def _lines(start: _Start) -> Iterator[str]:
    yield f"# yaml-language-server: $schema=./{SCHEMA_FILE}"
    yield f'title: "{", then ".join(model.model for model in start.models)}"'
    yield f"question: {QUESTIONS[start.question]}"
    yield ""
    yield "# What is marked as assumed is a placeholder: enter your own figures. `des validate FILE` checks the file,"
    yield "# `des explain FILE` foresees faults, `des answer FILE` answers the question within a minute."
    yield from _time(start)
    yield ""
    yield from _workload(start)
    yield ""
    yield from _shared_cause(start)
    yield from _providers(start)
    yield ""
    yield "chain:  # tried in this order"
    timeout = "" if start.client else ", timeout: 30s"
    for model in start.models:
        yield f"  - {{provider: {_text(model.provider)}, model: {_text(model.model)}{timeout}}}"
    yield ""
    yield from _policy(start.client)
    yield ""
    yield "arms:  # variants with the same requests, incidents and draws"
    yield "  as_modelled: {}"
    yield from _ARMS[start.question](start)
    yield from _aims(start)


def _time(start: _Start) -> Iterator[str]:
    horizon, replications = _TIMES[start.question]
    yield f"horizon: {start.own.horizon(horizon)}"
    yield f"replications: {replications}"
    yield "seed: 7"


_TIMES: Final = {"nines": ("10y", 10), "cost": ("30d", 4), "limits": ("2h", 3), "outage": ("6h", 3)}
_RATES: Final = {"nines": "5/d", "cost": "10/h", "limits": "120/min", "outage": "10/min"}


def _workload(start: _Start) -> Iterator[str]:
    yield "workload:"
    rate = start.own.rate
    yield f"  arrivals: {{kind: poisson, rate: {rate or _RATES[start.question]}}}{'' if rate else '  # assumed'}"
    if start.by_token:
        yield "  tokens:"
        yield "    # Median and 99th percentile of an hour of production conversations: AzureLLMInferenceTrace_conv of"
        yield "    # 2023-11-16 (Azure public data set, CC-BY 4.0; Patel et al., ISCA 2024). Enter yours."
        yield f"    input: {_flow(assumed.INPUT_TOKENS)}"
        yield f"    output: {_flow(assumed.OUTPUT_TOKENS)}"
    if units := sorted({model.unit for model in start.models if model.unit is not None}):
        yield f"  units: 1  # assumed; a unit is what the price counts: {', '.join(units)}"


def _providers(start: _Start) -> Iterator[str]:
    yield "# Prices: list prices of the catalogue. A price of your own goes beside latency:"
    yield "#   price: {input_per_mtok: 3, output_per_mtok: 15}"
    if start.question != "limits" and not {*start.providers} <= {*start.own.limits}:
        yield "# Your rate limit goes beside models:"
        yield "#   limits: {requests: 4000/min}"
    if start.fails:
        yield from _sources(start)
    yield "providers:"
    for provider in start.providers:
        yield f"  {_text(provider)}:"
        if start.own.shared is not None:
            yield f"    depends_on: [{_SHARED_CAUSE}]"
        yield from _failures(start, provider, first=provider == start.providers[0])
        if provider in start.own.limits:
            yield f"    limits: {{requests: {start.own.limits[provider]}}}"
        elif start.question == "limits":
            yield "    limits: {requests: 180/min}  # assumed; your account's page has yours"
        yield "    models:"
        for model in start.models:
            if model.provider == provider:
                yield f"      {_text(model.model)}:"
                yield f"        latency: {_flow(assumed.latency_of(model.model, model.unit))}  # assumed"
                yield f"        errors: {{server_error: {assumed.SERVER_ERROR}}}  # assumed"


def _shared_cause(start: _Start) -> Iterator[str]:
    """The component that has the shared outages, of which availability and outages a year leave each provider fewer."""
    if start.own.shared is None:
        return
    figures = {name: failure_figures(name) for name in start.providers}
    fewest = min(figures, key=lambda name: figures[name].episodes_per_year)
    members = [(each.availability, each.episodes_per_year) for each in figures.values()]
    yield "components:"
    yield f"  {_SHARED_CAUSE}:  # {start.own.shared} of the outages of {fewest}, the fewest; they hit all at once"
    yield f"    incidents: [{_flow(shared_outages(members, read_share(start.own.shared)))}]"
    yield ""


def _sources(start: _Start) -> Iterator[str]:
    """Where the failures of providers come from, above all of them: `des fit --into` leaves no stale line in one."""
    yield "# Availability and outages a year count outages of shared causes too. Your own history replaces them:"
    yield f"#   des fit HISTORY --into FILE --as {_text(start.providers[0])}"
    sourced = [name for name in start.providers if not failure_figures(name).assumed]
    if sourced:
        yield "# The catalogue's figures come from these sources:"
    for provider in sourced:
        figures = failure_figures(provider)
        yield from _comment(f"{provider}: {figures.source} ({figures.date})")


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent="#   ", subsequent_indent="#     ", break_on_hyphens=False)


def _failures(start: _Start, provider: str, *, first: bool) -> Iterator[str]:
    if start.fails:
        figures = failure_figures(provider)
        says = "assumed" if figures.assumed else f"source above, {figures.date}"
        shared = "all its outages, those of shared causes among them"
        yield f"    availability: {figures.availability_text}  # {says}; {shared}"
        yield f"    episodes_per_year: {figures.episodes_per_year:g}  # {says}"
    elif first:
        yield "    incidents:"
        yield f"      - {{{_DRILL}}}"


_DRILL: Final = "kind: schedule, windows: [{start: 30min, duration: 20min}], error_rate: 100%"


def _policy(client: str | None) -> Iterator[str]:
    if client is not None:
        yield f"policy: {{preset: {client}}}  # its fields, source and date: des catalogue --presets"
        return
    yield "policy:"
    yield "  retries: 1"
    yield "  rounds: 2  # passes over the chain"
    yield "  backoff: {kind: exponential, base: 500ms, factor: 2, cap: 8s, jitter: full}"
    yield "  deadline: 120s"


def _without_fallback(start: _Start) -> Iterator[str]:
    if len(start.legs) > 1:
        yield f"  without_fallback: {{chain: [{start.legs[0]}]}}"


def _nines(start: _Start) -> Iterator[str]:
    yield from _without_fallback(start)
    for many in range(2, len(start.legs)):
        yield f"  first_{many}: {{chain: [{', '.join(start.legs[:many])}]}}"
    if start.own.shared is not None:
        yield "  nothing_shared: {shared: 0}  # each provider fails as often, and none with another"
    elif len(start.providers) > 1:
        outages = "kind: poisson, rate: 1/y, duration: {kind: lognormal, median: 2h, p95: 8h}"
        yield "  shared_outages:  # something that all providers depend on, such as a cloud or a CDN"
        yield "    # Or a share of the outages that they have anyway:"
        yield "    #   des new --shared 10%"
        yield "    components:"
        yield "      shared_cloud:  # assumed"
        yield f"        incidents: [{{{outages}}}]"
        yield "    providers:"
        for provider in start.providers:
            yield f"      {_text(provider)}: {{depends_on: [shared_cloud]}}"


def _cost(start: _Start) -> Iterator[str]:
    yield from _without_fallback(start)
    if len(start.legs) > 1:
        yield f"  other_way_round: {{chain: [{', '.join(reversed(start.legs))}]}}"


def _limits(start: _Start) -> Iterator[str]:
    yield f"  twice_the_load: {{workload.arrivals.rate: {start.own.doubled_rate(_RATES[start.question])}}}"
    yield f"  no_outage: {{providers.{_text(start.providers[0])}.incidents: []}}"


def _outage(start: _Start) -> Iterator[str]:
    yield "  # Calls that hang fail only by a timeout."
    yield f"  hangs: {{providers.{_text(start.providers[0])}.incidents.0.hang: 100%}}"
    yield from _without_fallback(start)


_ARMS: Final = {"nines": _nines, "cost": _cost, "limits": _limits, "outage": _outage}


def _aims(start: _Start) -> Iterator[str]:
    own, is_nines, is_cost = start.own, start.question == "nines", start.question == "cost"
    if own.objective or own.lost_request or is_nines or is_cost:
        yield ""
    if own.objective:
        yield f"objective: {{availability: {own.objective}, per: month}}  # des answer gives the chance of meeting it"
    elif is_nines:
        yield "objective: {availability: 99.9%, per: month}  # assumed; des answer gives the chance of meeting it"
    if own.lost_request:
        yield f"value: {{lost_request: {own.lost_request}}}  # what a request without an answer costs"
    elif is_cost:
        yield "value: {lost_request: $0.10}  # assumed: what a request without an answer costs you"
    elif is_nines:
        yield "# With a price of failing, des answer says which fallback pays:"
        yield "#   value: {lost_request: $0.10}"


def _text(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else f'"{name}"'


def _flow(content: Any) -> str:
    if isinstance(content, dict):
        return f"{{{', '.join(f'{key}: {_flow(value)}' for key, value in content.items())}}}"
    return str(content)
