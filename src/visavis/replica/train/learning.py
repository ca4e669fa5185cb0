"""Learning what this person's lips do: a small network, fitted by Adam (Kingma and Ba 2015) in a minute or two."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from visavis.replica.patches.hearing import Layer, LipNetwork

FASTEST = 2e-3
BATCH = 256
DROPOUT, NOISE, DECAY = 0.25, 1.2, 1e-4
HELD_OUT_EVERY, HELD_OUT_RUN = 10, 25
"""Every tenth second is kept apart to measure with."""

EMPHASIS = 15.0
"""How much more an error along the important direction counts."""

MEMBERS = 3
"""Networks whose mean is taken: what each imagines differs, what they know is the same."""

MOST_GAIN = 1.7
"""The mean of what may be is smaller than what is; it is enlarged again by at most this."""

Floats = NDArray[np.float32]


def fit(
    features: Floats,
    lips: Floats,
    important: Floats,
    hidden: int,
    epochs: int,
    told: Callable[[float], None],
    members: int = MEMBERS,
) -> tuple[LipNetwork, float]:
    """A network from features float32[N, F] to lips float32[N, K], and its correlation on held-out parts.

    `important` float32[K] is a direction among the lips whose error counts most, and whose correlation is measured.
    The network is the mean of `members` with one hidden layer each, which is a network with one hidden layer again.
    Each is kept from another part of the video, so together they know all of it.
    """
    middle, spread = features.mean(0), features.std(0) + 0.05
    centre, size = lips.mean(0), float(lips.std(0).max()) + 1e-6
    inputs, wanted = (features - middle) / spread, ((lips - centre) / size).astype(np.float32)
    along = np.outer(important, important) / (important @ important)
    emphasis = (np.eye(len(important)) + EMPHASIS * along).astype(np.float32)
    parts = np.arange(len(lips)) // HELD_OUT_RUN % HELD_OUT_EVERY
    fitted, likenesses, gains = [], [], []
    for member in range(members):
        held = parts == HELD_OUT_EVERY - 1 - member
        ((first, bias), (second, offset)) = _adam(
            inputs[~held],
            wanted[~held],
            emphasis,
            (hidden,),
            epochs,
            np.random.default_rng(member),
            lambda share, member=member: told((member + share) / members),  # type: ignore[misc]
        )
        said = (np.maximum(inputs[held] @ first + bias, 0) @ second + offset) @ important
        done = wanted[held] @ important
        if len(said) > HELD_OUT_RUN and said.std() > 1e-6 and done.std() > 1e-6:
            likenesses.append(float(np.corrcoef(said, done)[0, 1]))
            gains.append(float(done.std() / said.std()))
        fitted.append((first, bias, second, offset))
    firsts, biases, seconds, offsets = zip(*fitted, strict=True)
    # Where it is unsure the network says too little; so much is put back as the lips really move.
    gain = float(np.clip(np.mean(gains), 1.0, MOST_GAIN)) if gains else 1.0
    first = np.concatenate(firsts, 1)
    below = Layer(
        np.asarray(first / spread[:, None], np.float32),
        np.asarray(np.concatenate(biases) - (middle / spread) @ first, np.float32),
    )
    above = Layer(
        np.asarray(np.concatenate(seconds) * (gain * size / members), np.float32),
        np.asarray(np.mean(offsets, axis=0) * gain * size + centre, np.float32),
    )
    return LipNetwork((below, above)), float(np.mean(likenesses)) if likenesses else 0.0


def _adam(
    inputs: Floats,
    wanted: Floats,
    emphasis: Floats,
    hidden: tuple[int, ...],
    epochs: int,
    rng: np.random.Generator,
    told: Callable[[float], None],
) -> list[tuple[Floats, Floats]]:
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
        kept = rng.random(active.shape, np.float32) >= DROPOUT
        values.append(np.asarray(active * kept / np.float32(1 - DROPOUT), np.float32))
    weights, bias = layers[-1]
    back = 2 * (values[-1] @ weights + bias - wanted) @ emphasis / np.float32(len(wanted))
    gradients: list[Floats] = []
    for (weights, _), value in zip(reversed(layers), reversed(values), strict=True):
        gradients = [np.asarray(value.T @ back, np.float32), np.asarray(back.sum(0), np.float32), *gradients]
        back = (back @ weights.T) * (value > 0)
    return gradients
