"""Fallbacks and orders of a LiteLLM configuration become the chain and its tiers."""

from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.importers.configurations import (
    chain,
    configuration,
    deployment,
    imported,
    remarks,
)


def test_fallbacks_are_followed_each_group_once(tmp_path: Path) -> None:
    text = configuration(
        *(deployment(name, f"openai/{name}") for name in "abcd"),
        router_settings="{fallbacks: [{a: [b, c]}, {b: [d, a]}, {d: [c]}]}",
    )
    assert chain(imported(tmp_path, text)) == ["openai/a", "openai/b", "openai/d", "openai/c"]


def test_fallbacks_of_the_router_prevail_over_the_librarys(tmp_path: Path) -> None:
    text = configuration(
        *(deployment(name, f"openai/{name}") for name in "abc"),
        router_settings="{fallbacks: [{a: [b]}]}",
        litellm_settings="{fallbacks: [{a: [c]}]}",
    )
    assert chain(imported(tmp_path, text)) == ["openai/a", "openai/b"]


def test_the_list_of_the_router_replaces_the_whole_one_of_the_library(tmp_path: Path) -> None:
    text = configuration(
        *(deployment(name, f"openai/{name}") for name in "abc"),
        router_settings="{fallbacks: [{a: [b]}]}",
        litellm_settings="{fallbacks: [{b: [c]}]}",
    )
    found = imported(tmp_path, text)
    assert chain(found) == ["openai/a", "openai/b"]
    assert "6 litellm_settings.fallbacks: not carried over: the list of router_settings.fallbacks replaces it" in (
        remarks(found)
    )


def test_an_empty_list_of_the_router_replaces_nothing(tmp_path: Path) -> None:
    text = configuration(
        *(deployment(name, f"openai/{name}") for name in "ab"),
        router_settings="{fallbacks: []}",
        litellm_settings="{fallbacks: [{a: [b]}]}",
    )
    assert chain(imported(tmp_path, text)) == ["openai/a", "openai/b"]


def test_default_fallbacks_prevail_over_the_star_of_fallbacks(tmp_path: Path) -> None:
    text = configuration(
        *(deployment(name, f"openai/{name}") for name in "abc"),
        litellm_settings="{default_fallbacks: [c], fallbacks: [{'*': [b]}]}",
    )
    found = imported(tmp_path, text)
    assert chain(found) == ["openai/a", "openai/c"]
    assert any("replaces the '*' of fallbacks" in each for each in remarks(found))


def test_default_fallbacks_serve_groups_without_their_own(tmp_path: Path) -> None:
    text = configuration(
        *(deployment(name, f"openai/{name}") for name in "abc"),
        litellm_settings="{default_fallbacks: [c], fallbacks: [{a: [b]}]}",
    )
    assert chain(imported(tmp_path, text)) == ["openai/a", "openai/b", "openai/c"]


def test_no_fallbacks_of_fallbacks_are_looked_up_beyond_the_fifth(tmp_path: Path) -> None:
    names = "abcdefgh"
    links = ", ".join(f"{{{one}: [{other}]}}" for one, other in pairwise(names))
    text = configuration(
        *(deployment(name, f"openai/{name}") for name in names), router_settings=f"{{fallbacks: [{links}]}}"
    )
    assert chain(imported(tmp_path, text)) == [f"openai/{name}" for name in "abcdef"]


def test_a_long_list_of_fallbacks_is_tried_to_its_end(tmp_path: Path) -> None:
    text = configuration(
        *(deployment(name, f"openai/{name}") for name in "abcdefgh"),
        router_settings="{fallbacks: [{a: [b, c, d, e, f, g, h]}]}",
    )
    found = imported(tmp_path, text)
    assert len(chain(found)) == 8
    assert "fallback_depth" not in found.content["policy"]


def test_orders_of_a_group_come_before_its_fallbacks(tmp_path: Path) -> None:
    text = configuration(
        deployment("a", "openai/gpt-5", order=2),
        deployment("a", "azure/gpt-5", order=1),
        deployment("b", "anthropic/claude-sonnet-4-5"),
        router_settings="{fallbacks: [{a: [b]}]}",
    )
    assert chain(imported(tmp_path, text)) == ["azure/gpt-5", "openai/gpt-5", "anthropic/claude-sonnet-4-5"]


def tiers(entry: dict[str, Any]) -> list[tuple[str, int]]:
    return [(f"{leg['provider']}/{leg['model']}", leg.get("tier", 1)) for leg in entry["legs"]]


def test_deployments_without_order_stand_by_for_the_ordered_ones(tmp_path: Path) -> None:
    text = configuration(deployment("a", "openai/gpt-5"), deployment("a", "azure/gpt-5", order=1))
    found = imported(tmp_path, text)
    (entry,) = found.content["chain"]
    assert tiers(entry) == [("azure/gpt-5", 1), ("openai/gpt-5", 2)]
    assert entry.keys() == {"group", "legs"}
    assert remarks(found) == []


def test_deployments_without_order_stand_by_for_those_of_the_last_order(tmp_path: Path) -> None:
    text = configuration(
        deployment("a", "openai/gpt-5"),
        deployment("a", "azure/gpt-5", order=2),
        deployment("a", "azure_ai/gpt-5", order=1),
        deployment("a", "openai/gpt-5-mini"),
        deployment("b", "anthropic/claude-sonnet-4-5"),
        router_settings="{fallbacks: [{a: [b]}]}",
    )
    found = imported(tmp_path, text)
    assert chain(found) == ["azure_ai/gpt-5", "a order 2", "anthropic/claude-sonnet-4-5"]
    assert tiers(found.content["chain"][1]) == [("azure/gpt-5", 1), ("openai/gpt-5", 2), ("openai/gpt-5-mini", 2)]
    said = [each for each in remarks(found) if "has no order, but others of 'a' have" in each]
    assert [each.partition(":")[0] for each in said] == ["2 model_list[0]", "5 model_list[3]"]


def test_no_order_at_all_is_no_matter(tmp_path: Path) -> None:
    found = imported(tmp_path, configuration(deployment("a", "openai/gpt-5"), deployment("a", "azure/gpt-5")))
    assert (chain(found), remarks(found)) == (["a"], [])


def test_a_deployment_alone_in_its_order_is_treated_as_one_of_its_group(tmp_path: Path) -> None:
    text = configuration(
        deployment("a", "openai/gpt-5", order=2),
        deployment("a", "azure/gpt-5", order=1),
        router_settings="{cooldown_time: 30}",
    )
    for leg in imported(tmp_path, text).content["chain"]:
        assert (leg["retry_backoff"], leg["retry_after"]) == ("none", "ignore")
        assert leg["cooldown"]["one_of_several"] is True
        assert leg["cooldown"]["share"] == "50%"
        assert leg["cooldown"]["for"] == "30s"


def test_allowed_fails_spares_fallbacks_without_fallbacks_of_their_own(tmp_path: Path) -> None:
    text = configuration(
        *(deployment(name, f"openai/{name}") for name in "abc"),
        router_settings="{allowed_fails: 1, fallbacks: [{a: [b]}, {b: [c]}]}",
    )
    first, second, third = imported(tmp_path, text).content["chain"]
    assert second["cooldown"]["spares_fallbacks"] is False
    assert "cooldown" not in first
    assert "cooldown" not in third
