"""Probability distributions of positive quantities, in canonical parameters, with their draws and their figures.

A run calls transcendental functions only while it draws. Only a Generator's own methods are used: they call the C
library element by element, while NumPy's vectorised `exp` and `log` choose an instruction set by processor and differ
in the last bit between machines. SciPy's frozen distributions would be enough for the figures, but they draw through
NumPy's ufuncs, and creating one takes longer than the draws of most runs. So the classes are our own, and SciPy's
special functions are imported where a figure needs them. So is NumPy, where something is drawn or worked out with
arrays.

To add a distribution, write a class in one of the files beside this one, in the unit of its values, name it here, and
write its form in the scenario's schema.
"""

from des.distributions.bounded import Constant, Empirical, Uniform
from des.distributions.distribution import TAIL, Distribution, FloatArray, sample, sample_residual
from des.distributions.exponential import Exponential, Gamma, Weibull
from des.distributions.heavy_tailed import Lognormal, Pareto

__all__ = [
    "TAIL",
    "Constant",
    "Distribution",
    "Empirical",
    "Exponential",
    "FloatArray",
    "Gamma",
    "Lognormal",
    "Pareto",
    "Uniform",
    "Weibull",
    "sample",
    "sample_residual",
]
