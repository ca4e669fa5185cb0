"""Similarity transforms and smooth warps."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_LINEAR = np.float32(0.01)
"""Keeps the linear part of a warp's equations as large as the rest."""


def fit_similarity(source: Floats, target: Floats) -> Floats:
    """Rotation, scale and shift that bring points nearest to others in the least squares sense.

    `source` float32[P, 2], `target` float32[..., P, 2]; gives float32[..., 2, 3].
    """
    middle, goal = source.mean(-2), target.mean(-2)
    own, other = source - middle, target - goal[..., None, :]
    size = (own**2).sum()
    along = (own * other).sum((-2, -1)) / size
    across = (own[..., 0] * other[..., 1] - own[..., 1] * other[..., 0]).sum(-1) / size
    linear = np.stack([np.stack([along, -across], -1), np.stack([across, along], -1)], -2)
    shift = goal - np.einsum("...ij,j->...i", linear, middle)
    return np.asarray(np.concatenate([linear, shift[..., None]], -1), np.float32)


def moved(points: Floats, transform: Floats) -> Floats:
    """Points float32[..., P, 2] after transforms float32[..., 2, 3]."""
    linear = np.swapaxes(transform[..., :2], -1, -2)
    return np.asarray(points @ linear + transform[..., None, :, 2], np.float32)


def inverse(transform: Floats) -> Floats:
    """The transforms back, float32[..., 2, 3]."""
    linear = np.linalg.inv(transform[..., :2])
    shift = -np.einsum("...ij,...j->...i", linear, transform[..., 2])
    return np.asarray(np.concatenate([linear, shift[..., None]], -1), np.float32)


def smoothed(values: Floats, taps: tuple[float, ...]) -> Floats:
    """Values float32[T, ...] smoothed over time; ends are repeated."""
    reach = len(taps) // 2
    padded = np.concatenate([np.repeat(values[:1], reach, 0), values, np.repeat(values[-1:], reach, 0)])
    total = sum(taps)
    parts = [tap / total * padded[shift : shift + len(values)] for shift, tap in enumerate(taps)]
    return np.asarray(np.sum(parts, axis=0), np.float32)


class SmoothWarp:
    """Displacements between scattered points: the smoothest field that meets them, made for one grid of places.

    Radial basis functions with the kernel r (the biharmonic spline of three dimensions, which grows slowly enough to
    do no harm between far points), and a little slack, because landmarks of closed lips lie upon each other.
    """

    def __init__(self, places: Floats, slack: float = 1.0) -> None:
        """`places` float32[M, 2]: where the field is wanted. `slack` in pixels."""
        self._places = places
        self._slack = slack

    def __call__(self, points: Floats, displacements: Floats) -> Floats:
        """float32[M, 2] for displacements float32[P, 2] at points float32[P, 2]."""
        count = len(points)
        linear = np.concatenate([points * _LINEAR, np.ones((count, 1), np.float32)], 1)
        system = np.zeros((count + 3, count + 3), np.float32)
        system[:count, :count] = _distances(points, points)
        # The kernel is conditionally negative definite: slack is taken off the diagonal.
        system[np.arange(count), np.arange(count)] = -self._slack
        system[:count, count:], system[count:, :count] = linear, linear.T
        values = np.concatenate([displacements, np.zeros((3, 2), np.float32)])
        weights = np.linalg.solve(system, values).astype(np.float32)
        far = _distances(self._places, points) @ weights[:count]
        return np.asarray(far + self._places @ (weights[count:-1] * _LINEAR) + weights[-1], np.float32)


def _distances(these: Floats, those: Floats) -> Floats:
    square = (these**2).sum(1)[:, None] + (those**2).sum(1) - 2 * these @ those.T
    return np.asarray(np.sqrt(np.maximum(square, 0)), np.float32)
