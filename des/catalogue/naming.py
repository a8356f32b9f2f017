"""Which model of the catalogue a name means."""

from collections.abc import Sequence
from typing import Final

from des.catalogue import find_model
from des.catalogue.list_prices import (
    NAMED_MODELS,
    CatalogueModel,
    further_models,
    token_priced_model,
    unit_priced_models,
)
from des.words import unknown


def named_model(name: str) -> CatalogueModel:
    """The model that `name` means: `model` where one provider alone has it, or `provider/model`.

    A listed model comes before those that only the price table has, such as another provider's resale of it.

    Raises LookupError, whose message has the nearest name, or the providers to choose from.
    """
    found = _of_that_name(name)
    if not found:
        provider, _, model = name.partition("/")
        one = find_model(provider, model)
        found = [] if one is None else [one]
    if not found:
        raise LookupError(f"{_unknown(name)} (des catalogue lists them)")
    if len(found) > 1:
        choices = " or ".join(f"{each.provider}/{each.model}" for each in found)
        raise LookupError(f"model '{name}' has several providers: write {choices}")
    return found[0]


def any_named_model(name: str) -> tuple[CatalogueModel, ...]:
    """The models that `name` means, of all that are known: one of each provider that has it.

    Raises LookupError, whose message has the nearest names.
    """
    try:
        return (named_model(name),)
    except LookupError:
        if found := tuple(_of_that_name(name)):
            return found
    everything = [*listed_names(), *(each.model for each in further_models())]
    having = [each for each in dict.fromkeys(everything) if name.casefold() in each.casefold()]
    if len(having) > 1:
        more = f" and {len(having) - _MOST_LISTED} more" if len(having) > _MOST_LISTED else ""
        raise LookupError(f"no model is named '{name}' alone: {', '.join(having[:_MOST_LISTED])}{more}")
    raise LookupError(_unknown(name, having or everything))


_MOST_LISTED: Final = 20


def listed_names() -> tuple[str, ...]:
    """The names of all listed models, for suggestions and completion. Reads no price."""
    by_token = (model for models in NAMED_MODELS.values() for model in models)
    return (*by_token, *(each.model for each in unit_priced_models()))


def _unknown(name: str, known: Sequence[str] = ()) -> str:
    """With the models that have the word in their name, or else the nearest one; by default of the listed ones."""
    having = [each for each in known or listed_names() if name.casefold() in each.casefold()]
    if len(having) == 1:
        return f"unknown model '{name}'; did you mean '{having[0]}'?"
    return unknown("model", name, having or known or listed_names())


def _of_that_name(name: str) -> list[CatalogueModel]:
    naming = [provider for provider, models in NAMED_MODELS.items() if name in models]
    by_unit = [each for each in unit_priced_models() if each.model == name]
    asked = naming if naming or by_unit else NAMED_MODELS
    by_token = (token_priced_model(provider, name) for provider in asked)
    return [*(each for each in by_token if each is not None), *by_unit]
