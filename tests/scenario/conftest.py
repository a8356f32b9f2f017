"""Whole scenarios that the tests of the scenario language start from, and a way to load changed ones."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from des.errors import ScenarioError
from des.scenario import Loaded, load_scenario, plans

TWO_PROVIDERS = """\
title: Two peers behind one CDN
question: How many nines does Anthropic, then OpenAI, have?
horizon: 30d
seed: 7
workload:
  arrivals: {kind: poisson, rate: 2/min}
  tokens:
    input: {kind: lognormal, median: 1020, p99: 4142}
    output: {kind: lognormal, median: 129, p99: 601}
components:
  cdn:
    incidents:
      - {kind: poisson, rate: 1.2/y, duration: {kind: exponential, mean: 1h}}
providers:
  anthropic:
    depends_on: [{cdn: 80%}]
    availability: 99.5%
    episodes_per_year: 10
    limits: {requests: 4000/min, burst: 50}
    tags: {region: eu}
    models:
      claude-sonnet-4-6:
        latency: {first_token: 900ms, tokens_per_second: 60}
        errors: {server_error: 0.2%}
  openai:
    depends_on: [cdn]
    models:
      gpt-5-mini: {latency: {kind: lognormal, median: 1.4s, p99: 9s}}
chain:
  - {provider: anthropic, timeout: 30s, retries: 1}
  - {provider: openai, model: gpt-5-mini, timeout: {first_token: 10s, total: 60s}}
policy:
  rounds: 2
  backoff: {kind: exponential, base: 500ms, cap: 8s, jitter: full}
  deadline: 120s
arms:
  as_modelled: {}
  primary_only: {chain: [anthropic]}
expect:
  availability: ">= 99.95%"
  primary_only.latency_s_p95: "< 1.5s"
"""

IMAGES = """\
title = "Three image providers"
horizon = "1d"

[workload.arrivals]
kind = "poisson"
rate = "1/s"

[policy]
rounds = 3
billing = "per_attempt"

[providers.one.models.image]
latency = "4s"
errors = { server_error = "3%" }
price = { per_request = 0.04 }

[providers.two.models.image]
latency = "4s"
errors = { server_error = { rate = 0.06, latency = "1s" } }
price = { per_unit = 0.03 }

[[chain]]
provider = "one"

[[chain]]
provider = "two"
retries = 1
"""


@pytest.fixture
def two_providers() -> str:
    return TWO_PROVIDERS


@pytest.fixture
def images() -> str:
    return IMAGES


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Loaded]:
    """Loads a text as the file `s.yaml` (or another name) of the working directory."""
    monkeypatch.chdir(tmp_path)

    def from_text(text: str, overrides: Sequence[str] = (), name: str = "s.yaml") -> Loaded:
        Path(name).write_text(text, encoding="utf-8")
        return load_scenario(name, overrides)

    return from_text


@pytest.fixture
def problems(load: Callable[..., Loaded]) -> Callable[..., list[str]]:
    """The problems of a text, loaded and resolved, one line each."""

    def of_text(text: str, overrides: Sequence[str] = (), name: str = "s.yaml") -> list[str]:
        try:
            plans(load(text, overrides, name))
        except ScenarioError as error:
            return str(error).splitlines()
        return []

    return of_text
