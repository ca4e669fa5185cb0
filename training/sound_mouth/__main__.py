"""`python -m training.sound_mouth` makes the weights of `visavis.replica.sound_mouth` and says what they are worth."""

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.end_of_turn.sources import CACHE
from training.sound_mouth import voices
from training.sound_mouth.examples import Example, Recogniser, Sentence, as_somebody, heard, spoken
from training.sound_mouth.learning import STEPS_OF_FITTING, fit
from training.sound_mouth.lips import by_sound, opening
from training.sound_mouth.people import agreement, filmed
from training.sound_mouth.sentences import sentences
from visavis.replica import FRAME_S
from visavis.replica.motion import LEAD_S, SAMPLES, Articulation, articulate
from visavis.replica.sound_mouth import AHEAD, HOP, WEIGHTS, Ear
from visavis.replica.visemes import CLOSED

GRID = Path(__file__).resolve().parents[3] / "shared" / "data" / "grid_s1"

HELD_OUT = 60

Floats = NDArray[np.float32]


def _built_in(_: np.random.Generator) -> Iterator[Sentence]:
    return spoken(sentences(900, 2))


def _older(rng: np.random.Generator) -> Iterator[Sentence]:
    return voices.older(sentences(480, 77), rng)


def _kokoro(rng: np.random.Generator) -> Iterator[Sentence]:
    return voices.kokoro(sentences(141, 55), rng)


SOURCES: dict[str, tuple[Callable[[np.random.Generator], Iterator[Sentence]], int]] = {
    "built_in": (_built_in, 4),
    "older": (_older, 3),
    "kokoro": (_kokoro, 3),
    "recorded": (voices.recorded, 5),
}
"""Who speaks, and how many ways each sentence is heard."""


def main() -> None:
    """Make the sentences, fit, write, report."""
    parser = argparse.ArgumentParser(prog="python -m training.sound_mouth", description=__doc__)
    parser.add_argument("what", choices=["fetch", "fit", "report"], nargs="?", default="fit")
    parser.add_argument("--steps", type=int, default=STEPS_OF_FITTING, help="of fitting (default: %(default)s)")
    asked = parser.parse_args()
    if asked.what == "fetch":
        voices.fetch()
        return
    if asked.what == "fit":
        examples = [example for number, name in enumerate(SOURCES) for example in _examples(name, number)]
        minutes = sum(len(one.phonetic) for one in examples) * FRAME_S / 60
        print(f"{len(examples)} examples, {minutes:.0f} minutes", flush=True)
        fit(examples, asked.steps).save(WEIGHTS)
    rng = np.random.default_rng(2)
    kept = list(spoken(sentences(HELD_OUT, 1)))
    report("the voice itself", kept)
    report("as other voices", [as_somebody(sentence, rng) for sentence in kept])
    report_lips(kept)


def _examples(name: str, seed: int) -> list[Example]:
    """Of one source; kept, because making them takes from minutes to half an hour."""
    kept = CACHE / f"sound_mouth_{name}.npz"
    if not kept.is_file():
        rng, recogniser = np.random.default_rng(seed), Recogniser()
        speak, ways = SOURCES[name]
        made = []
        for number, sentence in enumerate(speak(rng)):
            made += heard(sentence, recogniser, rng, ways)
            if number % 50 == 49:
                print(f"{name}: {number + 1} sentences", flush=True)
        _keep(kept, made)
    with np.load(kept) as stored:
        ends = np.cumsum(stored["frames"])[:-1]
        spectra, phonetic = np.split(stored["spectra"], ends * 4), np.split(stored["phonetic"], ends)
        if "articulation" not in stored:
            return [Example(*one, None) for one in zip(spectra, phonetic, strict=True)]
        articulation = np.split(stored["articulation"], ends)
        return [Example(*one) for one in zip(spectra, phonetic, articulation, strict=True)]


def _keep(path: Path, examples: Sequence[Example]) -> None:
    arrays = {
        "frames": np.array([len(one.phonetic) for one in examples]),
        "spectra": np.concatenate([one.spectra for one in examples]),
        "phonetic": np.concatenate([one.phonetic for one in examples]),
    }
    if known := [one.articulation for one in examples if one.articulation is not None]:
        arrays["articulation"] = np.concatenate(known)
    CACHE.mkdir(parents=True, exist_ok=True)
    np.savez(path, **arrays)  # type: ignore[arg-type]


def report(title: str, said: Sequence[Sentence]) -> None:
    """Print how well the network follows the phonemes' own articulation."""
    found, wanted = [], []
    for sentence in said:
        pcm, ear = np.clip(sentence.sound, -32768, 32767).astype(np.int16), Ear()
        starts = range(0, len(pcm) - AHEAD * HOP, SAMPLES)
        found += [ear.next(pcm[start : start + AHEAD * HOP]).parameters for start in starts]
        middles = (np.arange(len(starts)) + 0.5) * FRAME_S
        wanted.append(articulate(sentence.phonemes, middles + LEAD_S))
    parameters, truth = np.stack(found), np.concatenate(wanted)
    print(f"\n{title}: correlation with the articulation by phonemes")
    for index, name in enumerate(("jaw", "spread", "round", "closed", "lip to teeth", "tongue")):
        print(f"  {name:14} {np.corrcoef(parameters[:, index], truth[:, index])[0, 1]:.3f}")
    contact, doubt = truth[:, CLOSED] > 0.9, truth[:, CLOSED] > 0.1
    for threshold in (0.3, 0.4, 0.5):
        closed = parameters[:, CLOSED] > threshold
        print(f"  closures over {threshold}: found {closed[contact].mean():.2f}, false {closed[~doubt].mean():.3f}")


def report_lips(kept: Sequence[Sentence]) -> None:
    """Print how a face's lips follow sound, beside those of one that knows the phonemes, and beside a person's."""
    likeness = []
    for sentence in kept:
        said = opening(by_sound(sentence.sound.astype(np.int16)))
        middles = (np.arange(len(said)) + 0.5) * FRAME_S
        known = [Articulation(p, 1.0) for p in articulate(sentence.phonemes, middles + LEAD_S)]
        likeness.append(np.corrcoef(said, opening(known))[0, 1])
    print(f"\nlips' opening against that by phonemes, correlation {np.mean(likeness):.3f}")
    if clips := list(filmed(GRID, 25)):
        for name, by_shift in agreement(clips, lambda sound: opening(by_sound(sound))).items():
            print(f"  a person's {name:12} at -3 to 3 frames:", *(f"{value:.2f}" for value in by_shift))


if __name__ == "__main__":
    main()
