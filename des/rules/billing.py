"""What a call is billed, in whole picodollars (1e-12 USD), so that sums are exact in any order."""

PICO = 1_000_000_000_000


def picodollars(usd: float) -> int:
    """A price rounded to whole picodollars."""
    return round(usd * PICO)


def flat_cost(mode: str, per_request: int, per_unit: int, units: float, done: float) -> int:
    """The part of a bill that counts calls and units.

    It is due for delivered output, so input alone costs nothing here. `done` is the share of the response that was
    made; only `partial` uses it.
    """
    if mode == "full":
        return per_request + round(per_unit * units)
    if mode == "partial":
        return int((per_request + per_unit * units) * done)
    return 0


def token_cost(
    mode: str,
    plain_tokens: int,
    cached_tokens: int,
    written_tokens: int,
    full_output_tokens: int,
    output_tokens: int,
    prices: tuple[int, int, int, int],
) -> int:
    """The part of a bill that counts tokens.

    `plain` input has the input price, `cached` input is read from a warm prompt cache, `written` input goes to a cold
    one. `prices` holds input, cached input, cache write and output per token. `full` bills all the output of an ok
    call, `partial` the output so far.
    """
    if mode == "none":
        return 0
    cost = plain_tokens * prices[0] + cached_tokens * prices[1] + written_tokens * prices[2]
    if mode == "full":
        return cost + full_output_tokens * prices[3]
    if mode == "partial":
        return cost + output_tokens * prices[3]
    return cost
