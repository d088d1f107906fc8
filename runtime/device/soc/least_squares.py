"""A weighted polynomial through a few points, without numpy, which a board need not have."""

from __future__ import annotations

from collections.abc import Sequence


def fit_polynomial(
    x: Sequence[float], y: Sequence[float], weights: Sequence[float], degree: int
) -> tuple[float, ...] | None:
    """Return the coefficients, lowest power first, that minimise the sum of weight * error squared.

    Solves the normal equations; ``x`` is centred first, without which they lose half the digits.

    Returns:
        ``None`` where the points do not determine the polynomial.
    """
    middle = sum(w * a for w, a in zip(weights, x, strict=True)) / sum(weights)
    powers = [[(a - middle) ** n for n in range(degree + 1)] for a in x]
    rows = [
        [
            *(sum(w * p[i] * p[j] for w, p in zip(weights, powers, strict=True)) for j in range(degree + 1)),
            sum(w * p[i] * b for w, p, b in zip(weights, powers, y, strict=True)),
        ]
        for i in range(degree + 1)
    ]
    solved = _solve(rows)
    return None if solved is None else _shifted(solved, -middle)


def evaluate(coefficients: Sequence[float], x: float) -> float:
    """Return the polynomial's value at ``x``."""
    value = 0.0
    for coefficient in reversed(coefficients):
        value = value * x + coefficient
    return value


def _solve(rows: list[list[float]]) -> list[float] | None:
    """Return the solution of linear equations, the right side last in each row (Gauss-Jordan)."""
    for i in range(len(rows)):
        pivot = max(range(i, len(rows)), key=lambda row: abs(rows[row][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        if rows[i][i] == 0:
            return None
        rows[i] = [value / rows[i][i] for value in rows[i]]
        for row in range(len(rows)):
            if row != i:
                factor = rows[row][i]
                rows[row] = [a - factor * b for a, b in zip(rows[row], rows[i], strict=True)]
    return [row[-1] for row in rows]


def _shifted(coefficients: Sequence[float], by: float) -> tuple[float, ...]:
    """Return the coefficients of p(x + by), given those of p."""
    shifted = list(coefficients)
    for n in range(len(shifted) - 1):  # Horner's scheme, once for each power
        for i in range(len(shifted) - 2, n - 1, -1):
            shifted[i] += by * shifted[i + 1]
    return tuple(shifted)
