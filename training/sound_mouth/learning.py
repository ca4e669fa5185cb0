"""Fitting the network: from spectra to what the recogniser's encoder says of them, and to articulation where known."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from training.sound_mouth.examples import Example
from training.sound_mouth.network import PHONETIC, SoundNetwork
from visavis.replica.sound_mouth import AHEAD, BANDS, CODE_ROWS, CODES, FAINTEST, STEPS
from visavis.replica.visemes import CLOSED, JAW, LABIODENTAL, PARAMETERS

STEPS_OF_FITTING = 6_000
BATCH, FRAMES = 16, 60
CUT_BATCH = 12
"""Single frames after which the sound is not known, as when chunks come late."""
FASTEST, WEIGHT_DECAY = 2e-3, 0.01
_SEEN = STEPS * (CODES - 1) + CODE_ROWS
"""Spectra that a frame is judged by."""

COUNTS = np.ones(PARAMETERS, np.float32)
COUNTS[[JAW, CLOSED, LABIODENTAL]] = 2, 2.5, 1.5
"""How much an error of each parameter counts."""
ARTICULATION_COUNTS = 4.0
"""How much articulation counts beside the encoder's numbers."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Directions:
    """The encoder's numbers in `PHONETIC` directions, the largest first and somewhat evened out."""

    middle: Floats
    across: Floats

    @classmethod
    def of(cls, told: Floats) -> "Directions":
        """The principal ones of float32[N, E]."""
        middle = told.mean(0)
        _, _, found = np.linalg.svd(told - middle, full_matrices=False)
        spread = ((told - middle) @ found[:PHONETIC].T).std(0)
        return cls(middle, (found[:PHONETIC].T / np.sqrt(spread * spread[0])).astype(np.float32))

    def __call__(self, told: Floats) -> Floats:
        """float32[T, PHONETIC]."""
        return np.asarray((told.astype(np.float32) - self.middle) @ self.across, np.float32)


def fit(examples: Sequence[Example], steps: int = STEPS_OF_FITTING, seed: int = 0) -> SoundNetwork:
    """AdamW (Loshchilov and Hutter 2019) on squared errors, with a rate that falls as a cosine."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    rng = np.random.default_rng(seed)
    long = [one for one in examples if len(one.phonetic) > FRAMES + AHEAD // STEPS]
    some = np.concatenate([one.phonetic[:: len(long) // 300 + 4] for one in long]).astype(np.float32)
    directions = Directions.of(some)
    targets = [_target(one, directions) for one in long]
    chances = np.array([len(one.phonetic) for one in long], float)
    chances /= chances.sum()
    network = SoundNetwork()
    optimiser = torch.optim.AdamW(network.parameters(), FASTEST, weight_decay=WEIGHT_DECAY)
    running = 0.0
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = FASTEST * (0.5 + 0.5 * np.cos(np.pi * step / steps)) * min(1.0, step / 200 + 0.01)
        chosen = rng.choice(len(long), BATCH, p=chances)
        loss = _loss(network, *_sequences([long[i] for i in chosen], [targets[i] for i in chosen], rng), rng)
        chosen = rng.choice(len(long), CUT_BATCH, p=chances)
        cut = _sequences([long[i] for i in chosen], [targets[i] for i in chosen], rng, 1)
        loss = loss + 0.1 * _loss(network, _cut(cut[0], rng), cut[1], rng)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        running += (float(loss.detach()) - running) / min(step + 1, 200)
        if step % 500 == 499:
            print(f"step {step + 1}: {running:.4f}", flush=True)
    return network.eval()


def _target(example: Example, directions: Directions) -> Floats:
    """float32[T, 6 + PHONETIC]; NaN where articulation is not known."""
    unknown = np.full((len(example.phonetic), PARAMETERS), np.nan, np.float32)
    return np.concatenate(
        [unknown if example.articulation is None else example.articulation, directions(example.phonetic)], 1
    ).astype(np.float32)


def _sequences(
    examples: Sequence[Example], targets: Sequence[Floats], rng: np.random.Generator, frames: int = FRAMES
) -> tuple[Floats, Floats]:
    """Spectra float32[B, rows, BANDS] around some frames of each, and what is to be said of those."""
    seen, wanted = [], []
    for example, target in zip(examples, targets, strict=True):
        start = int(rng.integers(0, len(target) - frames - AHEAD // STEPS))
        end = (start + frames - 1) * STEPS + AHEAD
        rows = example.spectra[max(end - _SEEN - (frames - 1) * STEPS, 0) : end].astype(np.float32)
        before = _SEEN + (frames - 1) * STEPS - len(rows)
        seen.append(np.concatenate([np.full((before, BANDS), FAINTEST, np.float32), rows]))
        wanted.append(target[start : start + frames])
    return np.stack(seen), np.stack(wanted)


def _cut(spectra: Floats, rng: np.random.Generator) -> Floats:
    for rows in spectra:
        known = len(rows) - AHEAD + int(rng.integers(STEPS, AHEAD))
        rows[known:] = rows[known - 1]
    return spectra


def _loss(network: SoundNetwork, spectra: Floats, wanted: Floats, rng: np.random.Generator) -> torch.Tensor:
    # Microphones differ in colour more than the augmented sound does.
    coloured = (rng.random((len(spectra), 1, 1)) < 0.5) * rng.normal(0, 0.15, (len(spectra), 1, BANDS))
    spectra = spectra + coloured.astype(np.float32) + rng.normal(0, 0.05, spectra.shape).astype(np.float32)
    said = network(torch.from_numpy(np.ascontiguousarray(spectra.transpose(0, 2, 1)))).transpose(1, 2)
    target = torch.from_numpy(wanted)
    phonetic = functional.mse_loss(said[..., PARAMETERS:], target[..., PARAMETERS:])
    done = target[..., :PARAMETERS]
    known = ~torch.isnan(done)
    error = torch.where(known, torch.sigmoid(said[..., :PARAMETERS]) - torch.nan_to_num(done), 0.0)
    return phonetic + ARTICULATION_COUNTS * (error**2 * torch.from_numpy(COUNTS)).sum() / known.sum().clamp(min=1)
