"""From a recording to a voice, in stages; what takes long leaves a file in the folder.

clean     the parts in which one person speaks clearly
prepare   what is said in them, and when each phoneme sounds  (voice-material.npz)
learn     the network is fitted to them                       (voice-fit.pt)
finish    the melody is moved to the person's own
"""

import json
import resource
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from visavis.audio import Samples
from visavis.layers.tts.hibari_network import HibariNetwork
from visavis.layers.tts.hibari_weights import Floats
from visavis.layers.tts.manner import Manner
from visavis.layers.tts.voice_file import AboutVoice, MannerOfVoice, Voice, base_weights
from visavis.replica.consent import Consent
from visavis.replica.train import Progress, Report
from visavis.replica.voice import material
from visavis.replica.voice.cleaning import clean, is_another
from visavis.replica.voice.material import Utterance
from visavis.replica.voice.preparing import prepare
from visavis.replica.voice.recording import band_of, read, spoken_part

MATERIAL, FIT, NOTE = "voice-material.npz", "voice-fit.pt", "voice.json"
VERSION = 1
"""Of the checkpoints: those of another version are made again."""

OTHER_VOICE = (
    "The voice of the recorded statement of consent is far from the voice that was learnt, in pitch or timbre; make "
    "sure that it is the same person's."
)

_STAGES = {
    "clean": ("Looking for clear speech", 0.0, 0.05),
    "prepare": ("Listening to what is said", 0.05, 0.15),
    "learn": ("Learning the voice", 0.15, 0.98),
    "finish": ("Finding its melody", 0.98, 1.0),
}
_CHECKED = 12
"""Sentences that the melody is measured on."""
_MOST_SEMITONES = 4.0


def train(
    source: Path,
    folder: Path,
    *,
    name: str,
    consent: Consent,
    report: Report,
    steps: int | None = None,
    statement: Path | None = None,
) -> tuple[Voice, tuple[str, ...]]:
    """See `visavis.replica.voice.train_voice`."""
    from visavis.replica.voice.fitting import fit

    began = time.process_time()
    folder.mkdir(parents=True, exist_ok=True)
    _claim(folder, source)
    utterances, warnings = _material(source, folder, report)
    if statement and is_another([one.samples for one in utterances], spoken_part(statement)):
        warnings += (OTHER_VOICE,)
    band_hz = band_of(_joined(utterances))
    learnt = fit(base_weights(), utterances, band_hz, folder / FIT, _told(report, "learn"), steps)
    manner = _own_melody(learnt, utterances)
    _told(report, "finish")(1.0)
    figures = {
        "speech_s": round(sum(one.seconds for one in utterances), 1),
        "band_hz": band_hz,
        "train_minutes": round((time.process_time() - began) / 60, 2),
        "memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    about = AboutVoice(name=name, consent=consent, manner=manner, figures=figures)
    return Voice.trained(about, learnt), warnings


def _claim(folder: Path, source: Path) -> None:
    """Remove what was kept of another recording."""
    state = source.stat()
    mine = {"version": VERSION, "bytes": state.st_size, "changed_ns": state.st_mtime_ns}
    note = folder / NOTE
    if not note.is_file() or json.loads(note.read_text()).get("source") != mine:
        for kept in (folder / MATERIAL, folder / FIT):
            kept.unlink(missing_ok=True)
        note.write_text(json.dumps({"source": mine, "warnings": []}))


def _material(source: Path, folder: Path, report: Report) -> tuple[list[Utterance], tuple[str, ...]]:
    kept, note = folder / MATERIAL, folder / NOTE
    known = json.loads(note.read_text())
    if not kept.is_file():
        recording = read(source)
        usable = clean(recording, _told(report, "clean"))
        material.save(kept, prepare(recording, usable, _told(report, "prepare")))
        known["warnings"] = usable.warnings
        note.write_text(json.dumps(known))
    return material.load(kept), tuple(known["warnings"])


def _told(report: Report, stage: str) -> Callable[[float], None]:
    text, start, end = _STAGES[stage]
    return lambda share: report(Progress(start + (end - start) * min(share, 1.0), text))


def _joined(utterances: Sequence[Utterance]) -> Samples:
    return np.concatenate([one.samples for one in utterances])


def _own_melody(learnt: Mapping[str, Floats], utterances: Sequence[Utterance]) -> MannerOfVoice:
    """How pitch must be moved and widened for its middle and spread to be the person's, and how fast they speak.

    The network learns each frame's pitch as the mean of what is likely, so its melody comes out flatter, and a voice
    far from the stock one's comes out on the stock one's side.
    """
    network = HibariNetwork(weights=learnt)
    chosen = sorted(utterances, key=lambda one: one.mismatch)[:_CHECKED]
    said, own, said_s, own_s = [], [], 0.0, 0.0
    for one in chosen:
        units, pitch = network.plan(one.tokens, Manner())
        said.append(pitch[pitch > 40])
        own.append(one.pitch[one.pitch > 0])
        # Silence at the ends belongs to nobody's pace.
        said_s += float(units[1:-1].sum())
        own_s += float(one.units[1:-1].sum())
    said_log, own_log = (np.log2(np.concatenate(part)) for part in (said, own))
    spread = _spread(own_log) / max(_spread(said_log), 1e-3)
    move = 12 * float(np.median(own_log) - np.median(said_log))
    return MannerOfVoice(
        speed=round(float(np.clip(said_s / max(own_s, 1e-3), 0.85, 1.18)), 3),
        pitch_semitones=round(float(np.clip(move, -_MOST_SEMITONES, _MOST_SEMITONES)), 2),
        pitch_range=round(float(np.clip(spread, 0.8, 1.4)), 2),
    )


def _spread(values: Floats) -> float:
    low, high = np.percentile(values, [15, 85])
    return float(high - low)
