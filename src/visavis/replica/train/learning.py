"""Learning what this person's lips do: a small network, fitted by Adam (Kingma and Ba 2015) in a minute or two."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from visavis.replica.patches.hearing import Layer, LipNetwork

FASTEST = 2e-3
BATCH = 256
DROPOUT, NOISE, DECAY = 0.25, 0.3, 1e-4
HELD_OUT_EVERY, HELD_OUT_RUN = 10, 25
"""Every tenth second is kept apart to measure with."""

EMPHASIS = 5.0
"""How much more an error along the important direction counts."""

MOST_GAIN = 1.3
"""The mean of what may be is smaller than what is; it is enlarged again by at most this."""

Floats = NDArray[np.float32]


def fit(
    features: Floats,
    lips: Floats,
    important: Floats,
    hidden: tuple[int, ...],
    epochs: int,
    told: Callable[[float], None],
) -> tuple[LipNetwork, float]:
    """A network from features float32[N, F] to lips float32[N, K], and its correlation on held-out parts.

    `important` float32[K] is a direction among the lips whose error counts most, and whose correlation is measured.
    """
    held = (np.arange(len(lips)) // HELD_OUT_RUN) % HELD_OUT_EVERY == HELD_OUT_EVERY - 1
    if held.sum() < 2 * HELD_OUT_RUN:
        held[:] = False
    middle, spread = features[~held].mean(0), features[~held].std(0) + 0.05
    centre, size = lips[~held].mean(0), float(lips[~held].std(0).max()) + 1e-6
    wanted = ((lips - centre) / size).astype(np.float32)
    emphasis = np.eye(len(important), dtype=np.float32) + EMPHASIS * np.outer(important, important).astype(np.float32) / (
        important @ important
    )
    layers = _adam(((features - middle) / spread)[~held], wanted[~held], emphasis, hidden, epochs, told)
    weights, bias = layers[0]
    first = Layer(weights / spread[:, None], bias - (middle / spread) @ weights)
    rest = [Layer(weights, bias) for weights, bias in layers[1:-1]]
    weights, bias = layers[-1]
    network = LipNetwork((first, *rest, Layer(weights * size, bias * size + centre)))
    said, done = network(features[held]) @ important, lips[held] @ important
    if len(said) < 2 or said.std() < 1e-6 or done.std() < 1e-6:
        return network, 0.0
    likeness = float(np.corrcoef(said, done)[0, 1])
    # Where it is unsure the network says too little; so much is put back as does not add to the error of what it knows.
    gain = float(np.clip(done.std() / said.std(), 1.0, MOST_GAIN))
    last = network.layers[-1]
    enlarged = Layer(last.weights * gain, (last.bias - centre) * gain + centre)
    return LipNetwork((*network.layers[:-1], enlarged)), likeness


def _adam(
    inputs: Floats,
    wanted: Floats,
    emphasis: Floats,
    hidden: tuple[int, ...],
    epochs: int,
    told: Callable[[float], None],
) -> list[tuple[Floats, Floats]]:
    rng = np.random.default_rng(7)
    sizes = (inputs.shape[1], *hidden, wanted.shape[1])
    layers = [
        (np.asarray(rng.normal(0, np.sqrt(2 / n), (n, m)), np.float32), np.zeros(m, np.float32))
        for n, m in pairwise(sizes)
    ]
    layers[-1][0][:] *= 0.1
    parameters = [part for layer in layers for part in layer]
    first, second = [np.zeros_like(p) for p in parameters], [np.zeros_like(p) for p in parameters]
    batch = min(BATCH, len(inputs))
    steps, step = epochs * (len(inputs) // batch), 0
    for epoch in range(epochs):
        order = rng.permutation(len(inputs))
        for start in range(0, len(order) - batch + 1, batch):
            chosen = order[start : start + batch]
            noisy = inputs[chosen] + NOISE * rng.standard_normal((batch, inputs.shape[1]), np.float32)
            step += 1
            rate = FASTEST * (0.5 + 0.5 * np.cos(np.pi * step / steps))
            gradients = _gradients(layers, noisy, wanted[chosen], emphasis, rng)
            for i, (parameter, gradient) in enumerate(zip(parameters, gradients, strict=True)):
                first[i] += 0.1 * (gradient - first[i])
                second[i] += 0.001 * (gradient**2 - second[i])
                change = first[i] / (1 - 0.9**step) / (np.sqrt(second[i] / (1 - 0.999**step)) + 1e-8)
                np.subtract(parameter, np.float32(rate) * (change + DECAY * parameter), out=parameter)
        told((epoch + 1) / epochs)
    return layers


def _gradients(
    layers: list[tuple[Floats, Floats]], inputs: Floats, wanted: Floats, emphasis: Floats, rng: np.random.Generator
) -> list[Floats]:
    values = [inputs]
    for weights, bias in layers[:-1]:
        active = np.maximum(values[-1] @ weights + bias, 0)
        values.append(active * (rng.random(active.shape, np.float32) >= DROPOUT) / np.float32(1 - DROPOUT))
    weights, bias = layers[-1]
    back = 2 * (values[-1] @ weights + bias - wanted) @ emphasis / np.float32(len(wanted))
    gradients: list[Floats] = []
    for (weights, _), value in zip(reversed(layers), reversed(values), strict=True):
        gradients = [value.T @ back, back.sum(0), *gradients]
        back = (back @ weights.T) * (value > 0)
    return gradients
