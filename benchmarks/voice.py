"""How close cloned voices come to the people, how well they are understood, how fast they are, what the mark survives.

The voices of real people are learnt from recordings in packages, as far as they are installed, and kept: Debian's
asterisk-core-sounds-en-g722 (a woman, 16 kHz), GRID's talker 1 (a man, in the test data), and every recording in the
folder VISAVIS_TEST_VOICES, named as the person. A tenth of the speech is held out and never learnt from.

cosine_1, cosine_2      mean similarity of twelve synthetic sentences to the held-out speech, by two ways of telling
                        speakers apart (`voice_speakers`); their ceilings are that of the held-out utterances themselves
variance                how much the mel bands of the speech vary, beside the real speech: below 1 is duller than life
wer                     words that the built-in recogniser gets wrong, percent
rtf, first_sound_ms     processor time for a second of speech, and for the first sentence of twelve words, one thread
mark_...                by how far the watermark stands out after Opus at 24 kbit/s, a telephone's 8 kHz, and noise

Without torch, or with QUICK, nobody is learnt: the stock voices and those that were kept are measured.
"""

import asyncio
import math
import os
import re
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np

from benchmarks.report import QUICK, figures, table
from benchmarks.voice_speakers import Ge2e, Statistics, similarity
from visavis import models
from visavis.audio import LISTEN_RATE_HZ, Samples
from visavis.layers.stt.moonshine_networks import MoonshineBase
from visavis.layers.tts import watermark
from visavis.layers.tts.hibari import Hibari
from visavis.layers.tts.stock_voices import STOCK_VOICES
from visavis.layers.tts.voice_file import Voice, open_voice
from visavis.replica.consent import declared
from visavis.replica.voice import can_train, train_voice
from visavis.replica.voice.pitch import pitch_of
from visavis.replica.voice.recording import read
from visavis.replica.voice.spectra import RATE_HZ, WINDOW, magnitudes, mel_filters

DATA = Path(os.environ.get("VISAVIS_TEST_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
CACHE = Path(os.environ.get("VISAVIS_BENCHMARK_CACHE", Path.home() / ".cache" / "visavis-benchmarks")) / "voice"
ASTERISK = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
LEARNT_S, HELD_S = 300.0, 40.0
STEPS = int(os.environ["VISAVIS_BENCHMARK_STEPS"]) if "VISAVIS_BENCHMARK_STEPS" in os.environ else None

SENTENCES = (
    "Good morning, and thank you for calling; how may I help you today?",
    "The early train was late again, so we walked along the river instead.",
    "Please choose a time that suits you, and I will put it in the calendar.",
    "Could you tell me whether the museum is open this afternoon?",
    "I am sorry to hear that; let us see what we can do about it together.",
    "Would you rather have coffee, or should I boil some water for tea?",
    "A sudden storm shook the branches and frightened the young horses.",
    "You will find the entrance on the left, right behind the old church.",
    "There is a huge difference between hearing words and understanding them.",
    "Is there anything else that you would like to know about our offer?",
    "His father was a baker, and his mother taught mathematics.",
    "Goodbye for now, take good care of yourself, and see you again soon.",
)


def main() -> None:
    """Print the tables and the figures."""
    people = {name: material for name, files in _people().items() if (material := _kept_material(name, files))}
    voices: dict[str, Voice | str] = {name: found for name in people if (found := _learnt(name))}
    voices |= {stock.name: stock.name for stock in STOCK_VOICES}
    recogniser = MoonshineBase(models.path("moonshine-base-en"))
    measured = {name: _measured(voice, people.get(name), recogniser) for name, voice in voices.items()}
    rows = [
        [figure, *("" if math.isnan(one[figure]) else f"{one[figure]:.3f}" for one in measured.values())]
        for figure in next(iter(measured.values()))
    ]
    table("Voices", ["", *measured], rows)
    cloned = [measured[name] for name in people if name in measured]
    marks = _marks()
    table("Watermark: how far it stands out (found from 5 on)", ["", "score"], list(marks.items()))
    names = ("cosine_1", "cosine_1_ceiling", "cosine_2", "cosine_2_ceiling", "variance", "train_minutes")
    worst = {name: float(np.mean([one[name] for one in cloned])) if cloned else float("nan") for name in names}
    everybody = list(measured.values())
    figures(
        {
            **worst,
            "people": len(cloned),
            "wer": float(np.mean([one["wer"] for one in everybody])),
            "rtf": float(np.median([one["rtf"] for one in everybody])),
            "first_sound_ms": float(np.median([one["first_sound_ms"] for one in everybody])),
            **{f"mark_{name.replace(' ', '_')}": score for name, score in marks.items()},
        }
    )


def _people() -> dict[str, list[Path]]:
    """Recordings of each person."""
    found: dict[str, list[Path]] = {}
    if ASTERISK.is_dir():
        found["allison"] = sorted(path for path in ASTERISK.glob("*.g722") if 12_800 < path.stat().st_size < 64_000)
    if (DATA / "grid_s1").is_dir():
        found["grid_s1"] = sorted((DATA / "grid_s1").glob("*.mpg"))
    more = os.environ.get("VISAVIS_TEST_VOICES")
    return found | {path.stem: [path] for path in sorted(Path(more).iterdir()) if path.is_file()} if more else found


def _kept_material(name: str, files: Sequence[Path]) -> tuple[Path, Path] | None:
    """One recording to learn from and one that is held out."""
    folder = CACHE / name
    learnt, held = folder / "learnt.wav", folder / "held.wav"
    if not held.exists():
        folder.mkdir(parents=True, exist_ok=True)
        order = np.random.default_rng(0).permutation(len(files))
        sounds = [_decoded(files[number]) for number in order] if len(files) > 1 else _cut(_decoded(files[0]))
        total = sum(map(len, sounds)) / RATE_HZ
        held_s = min(HELD_S, max(total / 10, 6.0))
        ends = np.cumsum([len(one) / RATE_HZ for one in sounds])
        first = int(np.searchsorted(ends, held_s)) + 1
        last = int(np.searchsorted(ends, held_s + LEARNT_S)) + 1
        _write(learnt, sounds[first:last])
        _write(held, sounds[:first])
    return learnt, held


def _learnt(name: str) -> Voice | None:
    path = CACHE / name / "own.voice"
    if not path.exists():
        if QUICK or not can_train():
            return None
        voice, _ = train_voice(
            CACHE / name / "learnt.wav",
            CACHE / name / "unfinished",
            name=name,
            consent=declared(name),
            report=lambda progress: print(f"\r{name} {progress.share:.0%} {progress.stage}", end="", flush=True),
            steps=STEPS,
        )
        print()
        voice.write(path)
    return open_voice(path)


def _measured(voice: Voice | str, person: tuple[Path, Path] | None, recogniser: MoonshineBase) -> dict[str, float]:
    speaker = Hibari(voice=voice)
    asyncio.run(speaker.warm_up())
    wrong = words = 0
    said, busy_s = [], 0.0
    began = time.process_time()
    asyncio.run(_first(speaker, SENTENCES[0]))
    first_s = time.process_time() - began
    for sentence in SENTENCES:
        began = time.process_time()
        said.append(asyncio.run(_said(speaker, sentence)))
        busy_s += time.process_time() - began
        heard = recogniser.transcribe(_listened(said[-1]), threading.Event()).text
        wrong += _errors(_words(sentence), _words(heard))
        words += len(_words(sentence))
    found = dict.fromkeys(("cosine_1", "cosine_1_ceiling", "cosine_2", "cosine_2_ceiling", "variance"), float("nan"))
    if person and isinstance(voice, Voice):
        found |= _closeness(said, _cut(_decoded(person[1])))
    pitch = np.concatenate([pitch_of(one) for one in said])
    made = voice.about.figures if isinstance(voice, Voice) else {}
    return found | {
        "pitch_hz": float(np.median(pitch[pitch > 0])),
        "wer": 100 * wrong / words,
        "rtf": busy_s / (sum(map(len, said)) / RATE_HZ),
        "first_sound_ms": 1000 * first_s,
        "train_minutes": made.get("train_minutes", float("nan")),
    }


def _closeness(said: Sequence[Samples], held: Sequence[Samples]) -> dict[str, float]:
    made, real = [_listened(one) for one in said], [_listened(one) for one in held]
    found = {"variance": _variance(said) / _variance(held)}
    others = [_listened(_decoded(path)) for path in sorted((DATA / "grid_others").glob("*.mpg"))]
    others += [_listened(asyncio.run(_said(Hibari(voice=one.name), SENTENCES[0]))) for one in STOCK_VOICES]
    found["cosine_2"], found["cosine_2_ceiling"] = similarity(Statistics([*others, *real]), made, real)
    if can_train():
        encoder = Ge2e(models.path("speaker-encoder") / "pretrained.pt")
        found["cosine_1"], found["cosine_1_ceiling"] = similarity(encoder, made, real)
    return found


def _variance(sounds: Sequence[Samples]) -> float:
    """Mean standard deviation over time of 40 log mel bands up to 7 kHz, where somebody speaks."""
    filters = mel_filters(WINDOW, 40, 7_000.0)
    spreads = []
    for sound in sounds:
        bands = np.log(magnitudes(sound) ** 2 @ filters.T + 1e-6)
        loud = bands.mean(axis=1) > np.percentile(bands.mean(axis=1), 30)
        spreads.append(bands[loud].std(axis=0).mean())
    return float(np.mean(spreads))


def _marks() -> dict[str, float]:
    speech = asyncio.run(_said(Hibari(), " ".join(SENTENCES[:4])))
    clean = asyncio.run(_said(Hibari(watermark=False), " ".join(SENTENCES[:4])))
    noise = np.random.default_rng(0).normal(0, float(np.std(speech)) / 10, len(speech))
    changed = {
        "no mark": clean,
        "as it is": speech,
        "first 5 s": speech[: 5 * RATE_HZ],
        "opus 24k": _through(speech, "-c:a", "libopus", "-b:a", "24k", "-f", "ogg"),
        "8 kHz": _through(speech, "-ar", "8000", "-f", "wav"),
        "noise 20 dB": (speech + noise).astype(np.float32),
    }
    change = 10 * np.log10(np.mean(np.square(clean)) / np.mean(np.square(speech - clean)))
    return {name: watermark.detect(sound).score for name, sound in changed.items()} | {"below speech dB": float(change)}


def _through(sound: Samples, *codec: str) -> Samples:
    """The sound after an encoder of FFmpeg's."""
    raw = ["-f", "f32le", "-ar", str(RATE_HZ), "-ac", "1"]
    coded = subprocess.run(
        ["ffmpeg", "-v", "error", *raw, "-i", "-", *codec, "-"], input=sound.tobytes(), capture_output=True, check=True
    )
    decoded = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", "-", *raw, "-"], input=coded.stdout, capture_output=True, check=True
    )
    return np.frombuffer(decoded.stdout, np.float32)


async def _said(speaker: Hibari, text: str) -> Samples:
    return np.concatenate([piece.pcm[::2] async for piece in speaker.stream(text)]).astype(np.float32) / 32768


async def _first(speaker: Hibari, text: str) -> None:
    stream = speaker.stream(text)
    await anext(stream)
    await stream.aclose()


def _decoded(path: Path) -> Samples:
    if path.suffix == ".wav":
        return read(path).samples
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
    pieces = []
    with av.open(str(path), format="g722" if path.suffix == ".g722" else None) as container:
        for frame in container.decode(audio=0):
            pieces += [piece.to_ndarray()[0] for piece in resampler.resample(frame)]
    return np.concatenate(pieces).astype(np.float32) / 32768


def _cut(sound: Samples) -> list[Samples]:
    """Stretches of about four seconds, parted where it is softest."""
    parts, at = [], 0
    while len(sound) - at > 6 * RATE_HZ:
        zone = sound[at + 3 * RATE_HZ : at + 5 * RATE_HZ]
        level = np.convolve(np.square(zone), np.ones(2400), "same")
        end = at + 3 * RATE_HZ + int(np.argmin(level))
        parts.append(sound[at:end])
        at = end
    return [*parts, sound[at:]]


def _write(path: Path, sounds: Sequence[Samples]) -> None:
    gap = np.zeros(RATE_HZ * 2 // 5, np.float32)
    joined = np.concatenate([part for sound in sounds for part in (sound, gap)])
    subprocess.run(
        ["ffmpeg", "-v", "error", "-y", "-f", "f32le", "-ar", str(RATE_HZ), "-ac", "1", "-i", "-", str(path)],
        input=joined.tobytes(),
        check=True,
    )


def _listened(sound: Samples) -> Samples:
    places = np.arange(len(sound) * LISTEN_RATE_HZ // RATE_HZ) * (RATE_HZ / LISTEN_RATE_HZ)
    spectrum = np.fft.rfft(sound)
    spectrum[int(len(spectrum) * 7_800 / (RATE_HZ / 2)) :] = 0
    return np.interp(places, np.arange(len(sound)), np.fft.irfft(spectrum, len(sound))).astype(np.float32)


def _words(text: str) -> list[str]:
    plain = text.lower().replace("let's", "let us").replace("i'm", "i am").replace("you'll", "you will")
    return re.sub(r"[^a-z0-9' ]", " ", plain.replace("-", " ")).split()


def _errors(wanted: Sequence[str], heard: Sequence[str]) -> int:
    """Words to change, add or leave out (Levenshtein)."""
    row = list(range(len(heard) + 1))
    for i, word in enumerate(wanted, 1):
        previous, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (word != other))
    return row[-1]


if __name__ == "__main__":
    main()
