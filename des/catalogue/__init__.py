"""Providers and models with their list prices, each with its source and date.

A scenario may override any price and use models that are not listed. Discounts for volume, batch or commitment are not
included.

The package is also the public function: `des.catalogue()` is `des.catalogue.models`.
"""

import sys
from types import ModuleType

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
    """Every provider with a listed model; those with prices per token come first."""
    return tuple(dict.fromkeys([*NAMED_MODELS, *(model.provider for model in unit_priced_models())]))


def model_names(provider: str) -> tuple[str, ...]:
    """The listed models of a provider; empty for an unknown one. `find_model` may find further models."""
    by_unit = (model.model for model in unit_priced_models() if model.provider == provider)
    return (*NAMED_MODELS.get(provider, ()), *by_unit)


def find_model(provider: str, model: str) -> CatalogueModel | None:
    """The model with exactly this name, or None.

    Besides listed models, it finds all models of Anthropic, OpenAI and Google in the genai-prices package.
    """
    for listed in unit_priced_models():
        if (listed.provider, listed.model) == (provider, model):
            return listed
    return token_priced_model(provider, model)


def models() -> list[CatalogueModel]:
    """Every listed model, provider by provider."""
    found = (find_model(provider, model) for provider in provider_names() for model in model_names(provider))
    return [model for model in found if model is not None]


class _Callable(ModuleType):
    def __call__(self) -> list[CatalogueModel]:
        """As `models`."""
        return models()


sys.modules[__name__].__class__ = _Callable
