"""Presets by name and version, and what each must say of itself."""

from datetime import date

import pytest

from des.catalogue.presets import Preset, names, preset, presets


def test_names_are_unique_and_carry_their_version() -> None:
    assert len(set(names())) == len(presets())
    assert all(preset(name).full_name == name for name in names())


def test_a_bare_name_is_its_newest_version() -> None:
    assert preset("litellm").full_name == "litellm@1.110"


@pytest.mark.parametrize("name", names())
def test_each_names_a_source_and_the_day_it_was_read(name: str) -> None:
    found = preset(name)
    assert found.source
    assert found.title
    assert date.fromisoformat(found.date) >= date(2026, 1, 1)
    assert all(sentence.endswith(".") for sentence in found.not_modelled)


@pytest.mark.parametrize("name", names())
def test_policies_are_plain_values(name: str) -> None:
    assert _is_plain(preset(name).policy)


def test_a_policy_that_is_changed_leaves_the_catalogue_alone() -> None:
    policy = preset("litellm").policy
    policy["retry_on"].append("changed")
    policy["backoff"]["base"] = "changed"
    assert preset("litellm").policy["retry_on"][-1] == "connection_error"
    assert preset("litellm").policy["backoff"]["base"] == "500ms"


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ("litelm", "did you mean 'litellm@1.110'?"),
        ("openai-pyton@3.54", "did you mean 'openai-python@3.54'?"),
        ("litellm@1.80", "unknown version of preset 'litellm@1.80'; known: litellm@1.109"),
        ("", "des catalogue --presets"),
        ("litellm@", "known: litellm@1.109"),
        ("no such thing at all", "des catalogue --presets"),
    ],
)
def test_an_unknown_name_is_told_the_nearest(wrong: str, hint: str) -> None:
    with pytest.raises(LookupError) as raised:
        preset(wrong)
    assert hint in str(raised.value)


def test_every_kind_is_listed() -> None:
    assert {each.kind for each in presets()} == {"sdk", "gateway", "resilience"}
    assert all(isinstance(each, Preset) for each in presets())


def _is_plain(value: object) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(each) for key, each in value.items())
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, str | int | float)
