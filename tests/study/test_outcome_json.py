"""What a replication found is the same after it has been written and read: figures, types and order."""

import json
from pathlib import Path

import numpy as np
import pytest

from des.estimate.sums import LogHistogram
from des.scenario import from_mapping, plans
from des.study.outcome_json import outcome_text, read_outcome
from des.study.replication import Outcome, Part, Replicator
from study.small_scenario import small


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Of a scenario with an incident, a limit, cascades and traces."""
    return Replicator(dict(plans(from_mapping(small()))), tmp_path_factory.mktemp("traces"), "{}")(
        Part("as_modelled", 0), None
    )


def test_an_outcome_comes_back_as_it_was(outcome: Outcome) -> None:
    again = read_outcome(outcome_text(outcome))
    assert again.observed.metrics == outcome.observed.metrics
    assert list(again.observed.metrics) == list(outcome.observed.metrics)
    assert again.observed.losses == outcome.observed.losses
    assert again.spells == outcome.spells
    assert again.written == outcome.written
    assert again.cascade == outcome.cascade
    assert outcome.cascade is not None
    assert outcome.cascade.recoveries


def test_numbers_keep_their_type_and_their_last_bit(outcome: Outcome) -> None:
    again = read_outcome(outcome_text(outcome))
    before, after = (json.dumps(each.observed.metrics) for each in (outcome, again))
    assert before == after
    assert [type(each) for each in again.observed.metrics.values()] == [
        type(each) for each in outcome.observed.metrics.values()
    ]


def test_a_second_writing_is_the_same_text(outcome: Outcome) -> None:
    text = outcome_text(outcome)
    assert outcome_text(read_outcome(text)) == text


def test_latencies_keep_every_quantile_and_can_be_merged(outcome: Outcome) -> None:
    again = read_outcome(outcome_text(outcome)).observed.latency
    shares = [number / 200 for number in range(201)]
    assert [again.quantile(share) for share in shares] == [outcome.observed.latency.quantile(share) for share in shares]
    other = LogHistogram()
    other.add(np.array([0.0, 2.5, 1e-3]))
    for histogram in (again, outcome.observed.latency):
        histogram.merge(other)
    assert again.as_json() == outcome.observed.latency.as_json()


def test_a_histogram_without_values_has_none_afterwards() -> None:
    empty = LogHistogram.from_json(json.loads(json.dumps(LogHistogram().as_json(), allow_nan=False)))
    assert (empty.count, empty.quantile(0.5)) == (0, None)
    empty.add(np.array([3.0]))
    assert empty.quantile(0.5) == 3.0


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"losses": 3}', "null"])
def test_what_is_no_outcome_is_refused(text: str) -> None:
    with pytest.raises((ValueError, TypeError, LookupError, AttributeError)):
        read_outcome(text)


def test_no_trace_needs_no_folder() -> None:
    bare = Replicator(dict(plans(from_mapping(small(horizon="1h")))), None, "{}")(Part("as_modelled", 0), None)
    assert read_outcome(outcome_text(bare)).written == ()
    assert not Path("requests").exists()
