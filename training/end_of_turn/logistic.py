"""Logistic regression by Newton's method (Hastie, Tibshirani & Friedman, The Elements of Statistical Learning, 4.4)."""

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


def fit(features: Matrix, labels: Matrix, importance: Matrix, ridge: float) -> tuple[Matrix, float]:
    """Weights float64[F] and bias for `features` float64[N, F], `labels` float64[N] of 0 and 1.

    `ridge` is the squared penalty on the weights of standardised features; the bias is free. Features that do not vary
    get weight 0.
    """
    mean = np.average(features, axis=0, weights=importance)
    spread = np.sqrt(np.average((features - mean) ** 2, axis=0, weights=importance))
    varies = spread > 1e-6
    scaled = np.where(varies, (features - mean) / np.where(varies, spread, 1.0), 0.0)
    design = np.column_stack([scaled, np.ones(len(scaled))])
    penalty = np.diag([ridge] * features.shape[1] + [1e-9])
    solution = np.zeros(design.shape[1])
    for _ in range(50):
        predicted = probabilities(design, solution)
        gradient = design.T @ (importance * (predicted - labels)) + penalty @ solution
        curvature = (design * (importance * predicted * (1 - predicted))[:, None]).T @ design + penalty
        step = np.linalg.solve(curvature, gradient)
        solution -= step
        if np.abs(step).max() < 1e-8:
            break
    weights = np.where(varies, solution[:-1] / np.where(varies, spread, 1.0), 0.0)
    return weights, float(solution[-1] - weights @ mean)


def probabilities(design: Matrix, weights: Matrix) -> Matrix:
    """float64[N]."""
    result: Matrix = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
    return result
