"""The acceleration limit: a window may have so many times what the one before it had, and never less than a floor."""


def allowance(before: float, growth: float, floor: float) -> float:
    """The most of a window (calls or tokens): max(floor, growth x before).

    `before` is what was admitted in the whole window before this one (0 after an idle one), `floor` counts per window
    too. Anthropic's API answers 429 to sharp increases of use (its "acceleration limits") without saying how sharp.
    """
    return max(floor, growth * before)
