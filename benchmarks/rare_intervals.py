"""How often two 95 % intervals of a weighted sum of Poisson counts cover its mean: the careful one, and its mid-P kin.

    python -m benchmarks.rare_intervals [--studies 4000]

Fay and Feuer's interval (1997) is the one of rare shares in windows. The mid-P gamma interval (Fay and Kim 2017) has
the quantiles of an equal mixture of the two gamma distributions at its ends. Means of the count go from one half to
200, weights are equal or lognormal with sigmas up to 2, and counts are as frequent in all strata or rarer where they
weigh more.
"""

import argparse
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammainc, gammaincinv

Floats = NDArray[np.float64]

TOTALS = (0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0, 50.0, 200.0)
SIGMAS = (0.0, 0.5, 1.0, 2.0)
STRATA = (1, 5, 20)
_TAIL = 0.025
_HALVINGS = 50


def gammas(sums: Floats, variances: Floats, heaviest: float) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
    """(shape, scale) of the gamma distributions of the lower and of the upper end; the lower is 0 for a sum of 0."""
    some = np.where(sums > 0.0, sums, 1.0)
    spread = np.where(sums > 0.0, variances, 1.0)
    more, wider = sums + heaviest, variances + heaviest**2
    return (some**2 / spread, spread / some), (more**2 / wider, wider / more)


def fay_feuer(sums: Floats, variances: Floats, heaviest: float) -> tuple[Floats, Floats]:
    (shape, scale), (above, wide) = gammas(sums, variances, heaviest)
    low = np.where(sums > 0.0, scale * gammaincinv(shape, _TAIL), 0.0)
    return low, wide * gammaincinv(above, 1.0 - _TAIL)


def mid_p(sums: Floats, variances: Floats, heaviest: float) -> tuple[Floats, Floats]:
    (shape, scale), (above, wide) = gammas(sums, variances, heaviest)

    def quantile(share: float) -> Floats:
        low, high = np.zeros_like(sums), wide * gammaincinv(above, 1.0 - 1e-6)
        for _ in range(_HALVINGS):
            middle = (low + high) / 2.0
            lower = np.where(sums > 0.0, gammainc(shape, middle / scale), 1.0)
            below = (lower + gammainc(above, middle / wide)) / 2.0 < share
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        found: Floats = (low + high) / 2.0
        return found

    return quantile(_TAIL), quantile(1.0 - _TAIL)


def coverage(sigma: float, strata: int, total: float, rare: bool, studies: int) -> tuple[float, float]:
    """The shares of the studies whose intervals contain the mean: of Fay and Feuer, and of mid-P."""
    rng = np.random.default_rng((1, strata, round(1_000.0 * sigma), round(1_000.0 * total), rare))
    weights = np.exp(sigma * rng.standard_normal(strata))
    weights /= weights.mean()
    means = total / weights / (1.0 / weights).sum() if rare else np.full(strata, total / strata)
    counts = rng.poisson(means, (studies, strata)).astype(np.float64)
    sums, variances, mean = counts @ weights, counts @ weights**2, float(means @ weights)
    found = []
    for interval in (fay_feuer, mid_p):
        low, high = interval(sums, variances, float(weights.max()))
        found.append(float(np.mean((low <= mean) & (mean <= high))))
    return found[0], found[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=4_000)
    studies = parser.parse_args().studies
    cases = [
        (sigma, strata, total, rare)
        for sigma, strata, total, rare in product(SIGMAS, STRATA, TOTALS, (False, True))
        if not (rare and sigma == 0.0) and not (strata == 1 and (rare or sigma))
    ]
    found = np.array([coverage(*case, studies) for case in cases])
    small = np.array([total < 20.0 for _, _, total, _ in cases])
    print(f"{len(cases)} cases of {studies:,} studies")
    print("| interval | mean count | cases | least | mean | most | under 93 % | 94 to 97 % |")
    print("|---|---|---|---|---|---|---|---|")
    for name, column in (("Fay and Feuer", found[:, 0]), ("mid-P gamma", found[:, 1])):
        for words, of in (("under 20", column[small]), ("20 and more", column[~small])):
            ends = " | ".join(f"{100.0 * value:.1f} %" for value in (of.min(), of.mean(), of.max()))
            under, right = int((of < 0.93).sum()), int(((of >= 0.94) & (of <= 0.97)).sum())
            print(f"| {name} | {words} | {len(of)} | {ends} | {under} | {right} |")


if __name__ == "__main__":
    main()
