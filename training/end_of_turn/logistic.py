"""Logistic regression by Newton's method (Hastie, Tibshirani & Friedman, The Elements of Statistical Learning, 4.4)."""

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

_LEAST_SPREAD = 0.15
"""A sign that is rare in training may still be common in life, so its weight is not blown up."""


def fit(features: Matrix, labels: Matrix, importance: Matrix, expected: Matrix, trust: Matrix) -> tuple[Matrix, float]:
    """Weights float64[F] and bias for `features` float64[N, F], `labels` float64[N] of 0 and 1.

    `expected` float64[F] are the weights to be held without evidence to the contrary, and `trust` float64[F] says how
    firmly: the precision of a Gaussian prior on the weights of standardised features. The bias is free.
    """
    mean = np.average(features, axis=0, weights=importance)
    spread = np.maximum(np.sqrt(np.average((features - mean) ** 2, axis=0, weights=importance)), _LEAST_SPREAD)
    design = np.column_stack([(features - mean) / spread, np.ones(len(features))])
    prior = np.append(expected * spread, 0.0)
    precision = np.diag(np.append(trust, 1e-9))
    solution = prior.copy()
    for _ in range(50):
        predicted = probabilities(design, solution)
        gradient = design.T @ (importance * (predicted - labels)) + precision @ (solution - prior)
        curvature = (design * (importance * predicted * (1 - predicted))[:, None]).T @ design + precision
        step = np.linalg.solve(curvature, gradient)
        solution -= step
        if np.abs(step).max() < 1e-8:
            break
    weights = solution[:-1] / spread
    return weights, float(solution[-1] - weights @ mean)


def probabilities(design: Matrix, weights: Matrix) -> Matrix:
    """float64[N]."""
    result: Matrix = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
    return result
