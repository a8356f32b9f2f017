"""What an endpoint bills for a call, by its outcome and what was made of the response."""

from typing import TYPE_CHECKING

from des.engine.caches import WarmPrefix
from des.engine.kinds import Kinds
from des.rules.billing import flat_cost, picodollars, token_cost
from des.scenario.plan import Endpoint

if TYPE_CHECKING:
    from des.engine.request import Request


class Tariff:
    """Prices in picodollars and the billing table of an endpoint, with the prompt cache of one leg."""

    __slots__ = ("_counts_calls", "_per_request", "_per_unit", "_prefix", "_token_prices", "broken_stream", "modes")

    def __init__(self, endpoint: Endpoint, kinds: Kinds, prefix: WarmPrefix | None) -> None:
        price = endpoint.price
        self._token_prices = (
            picodollars(price.input_per_token),
            picodollars(price.cached_input_per_token),
            picodollars(price.cache_write_per_token),
            picodollars(price.output_per_token),
        )
        self._per_request, self._per_unit = picodollars(price.per_request), picodollars(price.per_unit)
        self._counts_calls = bool(self._per_request or self._per_unit)
        self._prefix = prefix
        self.modes = [endpoint.billing[name] for name in kinds.names]
        self.broken_stream = endpoint.billing["broken_stream"]

    def bill(self, request: "Request", mode: str, is_warm: bool, output: int, done: float) -> tuple[int, int]:
        """(input tokens read from the prompt cache, picodollars) of a call that found the cache warm, or not.

        `output` and `done` are the tokens and the share of the response made by its end.
        """
        plain, cached, written = request.input_tokens, 0, 0
        if self._prefix is not None:
            if is_warm:
                cached = self._prefix.tokens(plain)
            else:
                written = self._prefix.tokens(plain)
            plain -= cached + written
        cost = token_cost(mode, plain, cached, written, request.output_tokens, output, self._token_prices)
        if self._counts_calls:
            cost += flat_cost(mode, self._per_request, self._per_unit, request.units, done)
        return cached, cost
