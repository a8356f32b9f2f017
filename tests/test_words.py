"""Unknown words: the nearest known one, and what is asked or listed."""

import pytest

from des.words import did_you_mean, meant, nearest, unknown

PROVIDERS = ("anthropic", "openai", "google")


@pytest.mark.parametrize(
    ("word", "known", "expected"),
    [
        ("opnai", PROVIDERS, "openai"),
        ("OpenAI", PROVIDERS, "openai"),
        ("retry-on", ("retry_on", "retries"), "retry_on"),
        ("mistral", PROVIDERS, None),
        ("x", (), None),
        ("night", ("hours", "days", "weights"), None),
        ("eights", ("hours", "days", "weights"), "weights"),
    ],
)
def test_the_nearest_word_is_found_whatever_its_case_and_dashes(
    word: str, known: tuple[str, ...], expected: str | None
) -> None:
    assert nearest(word, known) == expected


def test_a_nearer_word_can_be_asked_for() -> None:
    assert nearest("cdn2", ["cdn"]) == "cdn"
    assert nearest("cdn_of_two", ["cdn"], 0.8) is None


def test_a_near_word_is_asked_for_and_few_words_are_listed_otherwise() -> None:
    assert unknown("provider", "opnai", PROVIDERS) == "unknown provider 'opnai'; did you mean 'openai'?"
    assert meant("mistral", PROVIDERS) == "; there are: anthropic, openai, google"
    assert meant("mistral", ["openai", "openai"]) == "; there is: openai"
    assert did_you_mean("mistral", PROVIDERS) == ""


def test_many_words_are_listed_only_where_that_is_asked_for() -> None:
    many = [f"column {letter}" for letter in "abcdefghijklmnopqrst"]
    assert meant("time", many) == ""
    assert meant("time", many, most_listed=20).startswith("; there are: column a, column b")
