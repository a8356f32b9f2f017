"""Which model of the catalogue a client means, however it joins the parts of the name."""

from des.catalogue import find_model, model_names
from des.catalogue.list_prices import CatalogueModel


def named_in_catalogue(provider: str, model: str) -> CatalogueModel | None:
    """The model of that name, whether its parts are joined by dots, dashes or spaces, in any case."""
    exact = find_model(provider, model)
    if exact is not None:
        return exact
    for name in model_names(provider):
        if folded(name) == folded(model):
            return find_model(provider, name)
    parts = folded(model).split("-")
    for place in range(len(parts) - 1, 0, -1):  # models that the price table alone has: gemini-2-5-x
        joined = "-".join(parts[:place]) + "." + "-".join(parts[place:])
        if parts[place - 1].isdigit() and parts[place].isdigit() and (found := find_model(provider, joined)):
            return found
    return None


def folded(name: str) -> str:
    """The same for `Gemini 2.5-pro` and `gemini-2-5-pro`."""
    return name.strip().lower().replace(".", "-").replace("_", "-").replace(" ", "-")
