"""Providers and models with their list prices, each with its source and date.

A scenario may override any price and name models that are not here. List prices only: no discounts for volume, batch
or commitment.
"""

from des.catalogue.list_prices import (
    NAMED_MODELS,
    PRICE_FIELDS,
    PRICES_AT,
    CatalogueModel,
    token_priced_model,
    unit_priced_models,
)

__all__ = ["PRICES_AT", "PRICE_FIELDS", "CatalogueModel", "find_model", "model_names", "models", "provider_names"]


def provider_names() -> tuple[str, ...]:
    """Every provider with a listed model: those priced by the token first."""
    return tuple(dict.fromkeys([*NAMED_MODELS, *(model.provider for model in unit_priced_models())]))


def model_names(provider: str) -> tuple[str, ...]:
    """The listed models of a provider; none for an unknown one. `find_model` may know more of them."""
    by_unit = (model.model for model in unit_priced_models() if model.provider == provider)
    return (*NAMED_MODELS.get(provider, ()), *by_unit)


def find_model(provider: str, model: str) -> CatalogueModel | None:
    """The model of exactly this name, or None.

    Beyond the listed ones, all that the genai-prices package has of Anthropic, OpenAI and Google.
    """
    for listed in unit_priced_models():
        if (listed.provider, listed.model) == (provider, model):
            return listed
    return token_priced_model(provider, model)


def models() -> list[CatalogueModel]:
    """Every listed model, provider by provider."""
    found = (find_model(provider, model) for provider in provider_names() for model in model_names(provider))
    return [model for model in found if model is not None]
