"""The defaults of a body that are the same for every provider, and where they come from."""

from collections.abc import Mapping
from typing import Final

from des.catalogue.assumed import LATENCY_SOURCE

HORIZON: Final = "1y"
RATE: Final = "5/d"
BUSY_RATE: Final = "2/min"
"""In place of RATE where requests depend on each other, so that windows of busy time can be sampled."""
TIMEOUT: Final = "30s"
OBJECTIVE: Final = "99.9%"
SOURCES: Final[Mapping[str, str]] = {
    "timeout": "assumed: half a minute, as much as an interactive user waits",
    "server_error": "assumed: two calls in a thousand fail at random, as des new writes it",
    "latency": LATENCY_SOURCE,
    "tokens": "median and 99th percentile of an hour of production conversations: AzureLLMInferenceTrace_conv of "
    "2023-11-16 (Azure public data set, CC-BY 4.0; Patel et al., ISCA 2024)",
    "rate": "assumed: so light that no request meets another",
    "busy_rate": "assumed: requests of this client depend on each other, so there are enough for it to remember some",
    "objective": "assumed: three nines a month",
}
