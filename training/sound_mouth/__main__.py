"""`python -m training.sound_mouth` makes the weights of `visavis.replica.sound_mouth` and says what they are worth."""

import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.sound_mouth.examples import Sentence, as_somebody, pairs, spoken
from training.sound_mouth.lips import by_sound, opening
from training.sound_mouth.people import agreement, filmed
from training.sound_mouth.sentences import sentences
from visavis.audio import Pcm
from visavis.replica import FRAME_S
from visavis.replica.motion import LEAD_S, SAMPLES, Articulation, articulate, from_sound, loudness
from visavis.replica.sound_mouth import AHEAD, BANDS, PAST, WEIGHTS, Network
from visavis.replica.visemes import CLOSED, JAW, LABIODENTAL, PARAMETERS

CACHE = Path(os.environ.get("VISAVIS_TRAINING_CACHE", Path.home() / ".cache" / "visavis-training"))

GRID = Path(__file__).resolve().parents[3] / "shared" / "data" / "grid_s1"

SENTENCES, HELD_OUT = 1_200, 60
VOICES = 3
"""How many ways each sentence is heard in training."""

HIDDEN = (160, 64)
EPOCHS = 20
BATCH = 256
FASTEST = 1.5e-3
DROPOUT = 0.1
WEIGHT_DECAY = 1e-5

COUNTS = np.ones(PARAMETERS, np.float32)
COUNTS[[JAW, CLOSED, LABIODENTAL]] = 2, 2.5, 1.5
"""How much an error of each parameter counts."""

Floats = NDArray[np.float32]


def main() -> None:
    """Make the sentences, fit, write, report."""
    rng = np.random.default_rng(2)
    kept = list(spoken(sentences(HELD_OUT, 1)))
    network = fit(*_examples(rng), rng)
    weights = {f"w{i}": w.astype(np.float16) for i, (w, _) in enumerate(network.layers)}
    np.savez_compressed(WEIGHTS, **weights, **{f"b{i}": b for i, (_, b) in enumerate(network.layers)})
    report("the voice itself", network, [pairs(sentence) for sentence in kept])
    report("as other voices", network, [pairs(as_somebody(sentence, rng)) for sentence in kept])
    report_lips(kept)


def _examples(rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Evidence float16[N, ...] and articulation float32[N, 6]; kept, because it takes a quarter of an hour."""
    kept = CACHE / f"sound_mouth_{SENTENCES}x{VOICES}.npz"
    if not kept.is_file():
        parts = [
            pairs(sentence if voice == 0 else as_somebody(sentence, rng), rng)
            for sentence in spoken(sentences(SENTENCES, 2))
            for voice in range(VOICES)
        ]
        evidence = np.concatenate([seen.reshape(len(seen), -1).astype(np.float16) for seen, _ in parts])
        CACHE.mkdir(parents=True, exist_ok=True)
        np.savez(kept, evidence=evidence, targets=np.concatenate([done for _, done in parts]))
    with np.load(kept) as stored:
        return stored["evidence"], stored["targets"]


def fit(evidence: Floats, targets: Floats, rng: np.random.Generator) -> Network:
    """Adam (Kingma and Ba 2015) on the squared error of the parameters, with a rate that falls as a cosine."""
    middle, spread = (float(f(evidence[::50].astype(np.float32))) for f in (np.mean, np.std))
    sizes = [(PAST + AHEAD) * BANDS, *HIDDEN, PARAMETERS]
    layers = [
        (rng.normal(0, np.sqrt(2 / n), (n, m)).astype(np.float32), np.zeros(m, np.float32)) for n, m in pairwise(sizes)
    ]
    layers[-1][0][:] *= 0.1
    parameters = [part for layer in layers for part in layer]
    first, second = [np.zeros_like(p) for p in parameters], [np.zeros_like(p) for p in parameters]
    steps, step = EPOCHS * (len(targets) // BATCH), 0
    for epoch in range(EPOCHS):
        order, total = rng.permutation(len(targets)), 0.0
        for start in range(0, len(order) - BATCH + 1, BATCH):
            chosen = order[start : start + BATCH]
            seen = (evidence[chosen].astype(np.float32) - middle) / spread
            loss, gradients = _gradients(layers, seen, targets[chosen], rng)
            total += loss
            step += 1
            rate = FASTEST * (0.5 + 0.5 * np.cos(np.pi * step / steps))
            for i, (parameter, gradient) in enumerate(zip(parameters, gradients, strict=True)):
                first[i] += 0.1 * (gradient - first[i])
                second[i] += 0.001 * (gradient**2 - second[i])
                corrected = first[i] / (1 - 0.9**step), second[i] / (1 - 0.999**step)
                change = corrected[0] / (np.sqrt(corrected[1]) + 1e-8) + WEIGHT_DECAY * parameter
                np.subtract(parameter, rate * change, out=parameter)
        print(f"epoch {epoch + 1}: {total / (len(order) // BATCH):.5f}", flush=True)
    weights, bias = layers[0]
    layers[0] = (weights / spread, bias - middle / spread * weights.sum(0))
    return Network(layers)


def _gradients(
    layers: Sequence[tuple[Floats, Floats]], seen: Floats, wanted: Floats, rng: np.random.Generator
) -> tuple[float, list[Floats]]:
    values = [seen]
    for weights, bias in layers[:-1]:
        hidden = np.maximum(values[-1] @ weights + bias, 0)
        values.append(hidden * (rng.random(hidden.shape, np.float32) >= DROPOUT) / np.float32(1 - DROPOUT))
    weights, bias = layers[-1]
    said = 1 / (1 + np.exp(-(values[-1] @ weights + bias)))
    error = (said - wanted) * COUNTS
    back = 2 * error * said * (1 - said) / len(wanted)
    gradients: list[Floats] = []
    for (weights, _), value in zip(reversed(layers), reversed(values), strict=True):
        gradients = [value.T @ back, back.sum(0), *gradients]
        back = (back @ weights.T) * (value > 0)
    return float((error * (said - wanted)).mean()), gradients


def report(title: str, network: Network, heard: Sequence[tuple[Floats, Floats]]) -> None:
    """Print how well the network follows the phonemes' own articulation."""
    said = np.concatenate([[network(frame) for frame in evidence] for evidence, _ in heard])
    wanted = np.concatenate([done for _, done in heard])
    print(f"\n{title}: correlation with the articulation by phonemes")
    for index, name in enumerate(("jaw", "spread", "round", "closed", "lip to teeth", "tongue")):
        print(f"  {name:14} {np.corrcoef(said[:, index], wanted[:, index])[0, 1]:.3f}")
    contact, doubt = wanted[:, CLOSED] > 0.9, wanted[:, CLOSED] > 0.1
    for threshold in (0.3, 0.4, 0.5):
        found = said[:, CLOSED] > threshold
        print(f"  closures over {threshold}: found {found[contact].mean():.2f}, false {found[~doubt].mean():.3f}")


def report_lips(kept: Sequence[Sentence]) -> None:
    """Print how the lips of a face that follows sound move beside those of one that knows the phonemes, and a person's.

    The same for the simpler rule that the mouth followed before.
    """
    ways = {"network": lambda sound: opening(by_sound(sound)), "rule": _opening_by_rule}
    for title, way in ways.items():
        likeness = []
        for sentence in kept:
            said = way(sentence.sound.astype(np.int16))
            middles = (np.arange(len(said)) + 0.5) * FRAME_S
            known = [Articulation(p, 1.0) for p in articulate(sentence.phonemes, middles + LEAD_S)]
            likeness.append(np.corrcoef(said, opening(known))[0, 1])
        print(f"\n{title}: lips' opening against that by phonemes, correlation {np.mean(likeness):.3f}")
        if clips := list(filmed(GRID, 25)):
            for name, by_shift in agreement(clips, way).items():
                print(f"  a person's {name:12} at -3 to 3 frames:", *(f"{value:.2f}" for value in by_shift))


def _opening_by_rule(sound: Pcm) -> Floats:
    whole = sound[: len(sound) // SAMPLES * SAMPLES]
    count = len(whole) // SAMPLES
    return opening(Articulation(p, 1.0) for p in from_sound(whole, count, loudness(whole, count)))


if __name__ == "__main__":
    main()
