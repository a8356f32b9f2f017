"""Sums of products and least squares, to the same bits on every processor.

The libraries behind NumPy's matrix products and `numpy.linalg` choose their kernels, and with them the order of their
sums, by the processor. Here products are taken element by element and summed by NumPy's own pairwise sums.
"""

import math
from dataclasses import dataclass

import numpy as np

from des.distributions import FloatArray

_NEGLIGIBLE = 1e-12
"""A column of which less than this share is left beside the columns before it depends on them."""


def weighted_sum(weights: FloatArray, values: FloatArray) -> float:
    """The sum of products of two vectors of one length."""
    return float((weights * values).sum())


def weighted_sums(rows: FloatArray, values: FloatArray) -> FloatArray:
    """The sum of products of each row, shape (rows, columns), with a vector of shape (columns,)."""
    found: FloatArray = (rows * values).sum(axis=1)
    return found


@dataclass(frozen=True, slots=True)
class LeastSquares:
    """A linear regression on columns, the first of which are ones."""

    intercept: float
    residual: FloatArray
    """Of each value, shape (values,)."""
    unit_variance: float
    """The intercept's variance if the values have the variance 1."""


def least_squares(columns: list[FloatArray], values: FloatArray) -> LeastSquares | None:
    """The regression of `values` on a constant and `columns`, each of shape (values,); None if they are dependent.

    By modified Gram and Schmidt with a second pass, which is as good as reflections (Giraud, Langou and Rozloznik
    2005).
    """
    bases: list[FloatArray] = []
    triangle: list[list[float]] = []  # by column: its coordinates in the bases up to its own
    for column in [np.ones(len(values)), *columns]:
        left, coordinates, before = column.copy(), [0.0] * len(bases), _norm(column)
        for _ in range(2):
            for place, base in enumerate(bases):
                along = weighted_sum(base, left)
                coordinates[place] += along
                left -= along * base
        length = _norm(left)
        if not length > _NEGLIGIBLE * before:
            return None
        bases.append(left / length)
        triangle.append([*coordinates, length])
    residual, target = values.copy(), [0.0] * len(bases)
    for _ in range(2):
        for place, base in enumerate(bases):
            along = weighted_sum(base, residual)
            target[place] += along
            residual -= along * base
    first = _first_row_of_inverse(triangle)
    return LeastSquares(
        math.fsum(weight * value for weight, value in zip(first, target, strict=True)),
        residual,
        math.fsum(weight * weight for weight in first),
    )


def _norm(values: FloatArray) -> float:
    return math.sqrt(weighted_sum(values, values))


def _first_row_of_inverse(triangle: list[list[float]]) -> list[float]:
    """Of an upper triangular matrix, which is given by columns."""
    row: list[float] = []
    for place, column in enumerate(triangle):
        known = 1.0 if place == 0 else 0.0
        known -= math.fsum(weight * entry for weight, entry in zip(row, column[:-1], strict=True))
        row.append(known / column[-1])
    return row
