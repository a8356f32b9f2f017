"""The same examples on every run; HYPOTHESIS_PROFILE=wide draws many more, and others each time."""

import os

from hypothesis import HealthCheck, Phase, settings

SLOW_TO_DRAW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]
WITHOUT_SHRINKING = [Phase.explicit, Phase.generate]
"""Whole scenarios take minutes to shrink; a failure is printed as it was found."""

settings.register_profile(
    "same",
    derandomize=True,
    deadline=None,
    max_examples=30,
    suppress_health_check=SLOW_TO_DRAW,
    phases=WITHOUT_SHRINKING,
)
settings.register_profile(
    "wide", deadline=None, max_examples=1000, suppress_health_check=SLOW_TO_DRAW, phases=WITHOUT_SHRINKING
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))
