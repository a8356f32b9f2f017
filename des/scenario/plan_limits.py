"""What stands before a provider's answer: rate limits, and how many calls it serves at once."""

from dataclasses import dataclass

from des.distributions import Constant, Distribution


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One limit of one metric, shared by every endpoint, or (a budget) every leg, that names its index.

    `metric` is requests, input_tokens, output_tokens, tokens (of both kinds) or concurrency, whose algorithm is
    `concurrency` too. A limit of another metric grants `rate_per_s` by its algorithm:

    - token_bucket: refilled continuously, at most `burst` at once;
    - fixed_window, sliding_log: at most `burst` (the rate times the window) in `window_s`, in clock windows counted
      from the start of the run, or in any window;
    - acceleration: in each clock window of `window_s` at most `growth` times what was admitted in the one before, and
      always `burst`, the floor of `rate_per_s`.

    `counted` says when a call is: at `dispatch` with what it will use, at dispatch by an `estimate` of
    `estimated_output` tokens that its end corrects, or after `success` alone, so that a limit is overshot.
    """

    index: int
    name: str  # "anthropic" (account), "anthropic/claude-sonnet-4-6" (model), "shared" (budget); metric: "x tokens"
    metric: str = "requests"
    algorithm: str = "token_bucket"
    rate_per_s: float = 0.0  # 0 of concurrency
    burst: float = 1.0  # the bucket's size, the most in a window, the most at once
    window_s: float | None = None
    growth: float | None = None
    counted: str = "dispatch"
    estimated_output: int | None = None
    counts_refused: bool = False  # whether a call refused by it, or by another limit, counts
    counts_failed: bool = True
    counts_cached: bool = True  # whether input that the provider's prompt cache holds counts
    sends_retry_after: bool = True
    refusal_latency: Distribution = Constant(0.05)

    @property
    def requests_per_s(self) -> float:
        return self.rate_per_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """So many calls served at once, first come, first served; beyond `queue` waiting ones, 529.

    Shared by every endpoint that names its index.
    """

    index: int
    name: str  # as of a limit
    concurrent: int
    queue: int = 0
    refusal_latency: Distribution = Constant(0.05)
