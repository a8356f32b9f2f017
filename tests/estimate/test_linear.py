"""Least squares by our own sums, against LAPACK's."""

import numpy as np
import pytest

from des.estimate.linear import least_squares, weighted_sum, weighted_sums


@pytest.mark.parametrize("controls", [1, 2, 5])
def test_least_squares_are_those_of_lapack(controls: int) -> None:
    rng = np.random.default_rng(controls)
    columns = [rng.exponential(1.0, 40) for _ in range(controls)]
    columns[0] += 1e3  # nearly the constant's direction
    values = rng.normal(5.0, 2.0, 40) + 3.0 * columns[-1]
    design = np.column_stack([np.ones(40), *columns])
    solution = np.linalg.lstsq(design, values, rcond=None)[0]
    found = least_squares(columns, values)
    assert found is not None
    assert found.intercept == pytest.approx(solution[0], rel=1e-8)
    assert found.residual == pytest.approx(values - design @ solution, abs=1e-9)
    assert found.unit_variance == pytest.approx(np.linalg.inv(design.T @ design)[0, 0], rel=1e-7)


def test_dependent_columns_have_no_regression() -> None:
    column = np.arange(10.0)
    assert least_squares([column, 2.0 * column + 1.0], np.arange(10.0) ** 2) is None
    assert least_squares([np.ones(10)], np.arange(10.0)) is None


def test_weighted_sums_are_matrix_products() -> None:
    rng = np.random.default_rng(1)
    rows, values = rng.normal(size=(3, 200)), rng.normal(size=200)
    assert weighted_sums(rows, values) == pytest.approx(rows @ values)
    assert weighted_sum(rows[0], values) == pytest.approx(rows[0] @ values)
