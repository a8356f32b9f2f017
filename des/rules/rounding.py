"""What rounding may take from a sum of floats, or from a time: nobody is refused for that."""

from typing import Final

SLACK: Final = 1e-9
"""So much may a number of calls or tokens lack, or a share of it, and be whole all the same."""

WHOLE: Final = 1.0 - SLACK
"""What counts as a whole token: a client that waits just as long as it was told must not miss it by rounding."""

TICK_S: Final = 1e-6
"""What comes this soon has come: as of `WHOLE`, but on the clock, for amounts and rates of any size."""
