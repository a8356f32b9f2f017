"""A fixed 64-bit mix of numbers: fingerprints of rows, and samples by number.

It is part of what a sampled trace promises, so it never changes. Any room may import this module.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def spread(numbers: NDArray[Any]) -> NDArray[np.uint64]:
    """Each number as 64 bits that look random (SplitMix64's finaliser; Steele, Lea and Flood 2014).

    Different numbers have different results.
    """
    mixed = numbers.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
