"""The outage strip: its bins, and what is in them."""

import numpy as np
import pytest

from des.report.series.outages import DOWN, Spell, merged, outages
from des.report.series.strip import FALLBACK, LOST, OUTCOMES, PRIMARY, bin_edges, most_lost, strip, worst
from des.traces import Run

HORIZON_S = 12 * 3600.0
OUTAGE = (3600.0, 5400.0)
ENDPOINTS = ("first/a", "second/b")


def test_each_request_is_in_the_bin_of_its_arrival_by_what_became_of_it(ran: Run) -> None:
    found = strip(ran, "primary_only", 1, HORIZON_S, ENDPOINTS[:1], 400)
    requests = ran.requests
    requests = requests[(requests["arm"] == "primary_only") & (requests["replication"] == 1)]
    assert found.counts.sum() == len(requests)
    ok = requests["outcome"] == "ok"
    for name, rows in (
        (PRIMARY, requests[ok & (requests["chain_position"] == 0)]),
        (FALLBACK, requests[ok & (requests["chain_position"] > 0)]),
        (LOST, requests[~ok]),
    ):
        expected = np.histogram(rows["arrival_s"], found.edges_s)[0]
        assert found.counts[OUTCOMES.index(name)].tolist() == expected.tolist()
    assert found.worst == OUTAGE


def test_the_outage_is_a_spell_of_the_component_and_of_its_endpoint(ran: Run) -> None:
    found = outages(ran, "as_modelled", 0, HORIZON_S, ENDPOINTS)
    assert [(spell.entity, spell.start_s, spell.end_s) for spell in found.endpoints] == [("first/a", *OUTAGE)]
    assert [(spell.entity, spell.state) for spell in found.components] == [("first", DOWN)]
    assert outages(ran, "as_modelled", 0, HORIZON_S, ("second/b",)).components == ()


def test_spells_of_limits_cover_every_bin_in_which_they_refused(ran: Run) -> None:
    found = strip(ran, "as_modelled", 0, HORIZON_S, ENDPOINTS, 400)
    rows = ran.transitions
    rows = rows[(rows["arm"] == "as_modelled") & (rows["replication"] == 0) & (rows["kind"] == "limit")]
    (entity,) = rows["entity"].unique()
    spells = [spell for spell in found.states if spell.entity == entity]
    begun = rows.loc[rows["to"] == "refusing", "time_s"].to_numpy()
    assert len(begun) > 3
    assert all(any(spell.start_s <= time <= spell.end_s for spell in spells) for time in begun)
    assert all(spell.state == "refusing" for spell in spells)
    edges = set(found.edges_s.tolist())
    assert all({spell.start_s, spell.end_s} <= edges for spell in spells)
    lengths_s = sum(spell.end_s - spell.start_s for spell in spells)
    assert lengths_s < HORIZON_S / 2  # limits refuse in the outage and little else


def test_bins_are_finer_around_outages_and_end_with_the_run() -> None:
    edges_s = bin_edges(HORIZON_S, [OUTAGE], 200, requests=100_000)
    assert edges_s[0] == 0.0
    assert edges_s[-1] == HORIZON_S
    assert set(OUTAGE) <= set(edges_s.tolist())
    assert len(edges_s) <= 204
    widths = np.diff(edges_s)
    inside = (edges_s[:-1] >= OUTAGE[0]) & (edges_s[1:] <= OUTAGE[1])
    assert np.median(widths[inside]) < np.median(widths[~inside]) / 3


def test_few_requests_make_few_bins() -> None:
    assert len(bin_edges(HORIZON_S, [OUTAGE], 4000, requests=600)) < len(bin_edges(HORIZON_S, [OUTAGE], 4000, 10**6))


def test_the_worst_is_where_most_was_lost_and_nothing_where_none_was() -> None:
    edges_s = np.array([0.0, 1.0, 2.0, 3.0])
    counts = np.zeros((len(OUTCOMES), 3), np.int64)
    assert worst(edges_s, counts, [(0.0, 1.0)]) is None
    counts[OUTCOMES.index(LOST)] = [0, 0, 5]
    assert worst(edges_s, counts, [(0.0, 1.0)]) == (2.0, 3.0)
    counts[OUTCOMES.index(LOST)] = [1, 0, 0]
    assert worst(edges_s, counts, [(0.0, 1.0), (1.0, 2.0)]) == (0.0, 1.0)


def test_the_replication_that_lost_most_is_chosen(ran: Run) -> None:
    requests = ran.requests[ran.requests["arm"] == "primary_only"]
    lost = requests[requests["outcome"] != "ok"].groupby("replication").size()
    assert most_lost(ran, "primary_only", [0, 1]) == lost.idxmax()


def test_touching_spans_are_one() -> None:
    assert merged([(3.0, 4.0), (0.0, 1.0), (1.0, 2.0)]) == [(0.0, 2.0), (3.0, 4.0)]


@pytest.mark.parametrize("room", [3, 10])
def test_thinning_joins_the_closest_and_keeps_the_ends(room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from des.report.page.sections import outages as section

    monkeypatch.setattr(section, "_MOST_SPELLS", room)
    starts = (0.0, 10.0, 12.0, 50.0, 51.5)
    spells = [Spell("limit", "refusing", start, start + 1.0) for start in starts]
    found = section.thinned(spells)
    assert len(found) == min(room, len(spells))
    assert (found[0].start_s, found[-1].end_s) == (0.0, 52.5)
    if room == 3:
        assert [(spell.start_s, spell.end_s) for spell in found] == [(0.0, 1.0), (10.0, 13.0), (50.0, 52.5)]
