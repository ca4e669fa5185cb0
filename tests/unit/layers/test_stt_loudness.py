import numpy as np
import pytest

from tests import speech
from visavis.audio import LISTEN_RATE_HZ, Samples
from visavis.layers.stt.loudness import FRAME, active, levels, loud
from visavis.layers.stt.recording import FRAMES_PER_S, MARGIN, MAX_PIECE, MIN_PIECE, Recording

RANDOM = np.random.default_rng(1)


def silence(seconds: float, rms: float = 3e-4) -> Samples:
    return RANDOM.normal(0, rms, int(seconds * LISTEN_RATE_HZ)).astype(np.float32)


def clip(number: int) -> Samples:
    names = speech.grid_names() or pytest.skip("recorded speech is absent: ../shared/data/grid_s1")
    return speech.grid_clip(names[number])[0]


@pytest.mark.parametrize("rms", [0.0, 3e-4, 3e-2])
def test_silence_and_hiss_are_not_speech(rms: float) -> None:
    assert not active(levels(silence(3, rms))).any()


def test_hum_is_not_speech() -> None:
    hum = 0.1 * np.sin(2 * np.pi * 50 * np.arange(3 * LISTEN_RATE_HZ) / LISTEN_RATE_HZ)
    assert not active(levels(hum.astype(np.float32))).any()


def test_a_click_is_not_speech() -> None:
    sound = silence(2)
    sound[16_000:16_800] = 0.5
    assert not active(levels(sound)).any()


def test_a_short_word_after_long_silence_is_speech() -> None:
    name = speech.grid_names()[0] if speech.grid_names() else pytest.skip("recorded speech is absent")
    samples, _ = speech.grid_clip(name)
    _, start, end = speech.grid_words(name)[-1]
    word = samples[int(start * LISTEN_RATE_HZ) : int(end * LISTEN_RATE_HZ)]
    sound = np.concatenate([silence(15), word, silence(1)])
    spoken = np.flatnonzero(active(levels(sound))) * FRAME / LISTEN_RATE_HZ
    assert spoken.min() == pytest.approx(15, abs=0.15)
    assert spoken.max() == pytest.approx(15 + end - start, abs=0.15)


def test_a_murmur_far_below_the_speaker_is_not_their_speech() -> None:
    voice = clip(0)
    murmur = voice * 10 ** (-26 / 20)
    assert active(levels(voice)).any()
    assert not active(levels(murmur), usual=loud(levels(voice))).any()


def test_silence_around_speech_is_left_out_but_for_a_margin() -> None:
    recording = Recording()
    for piece in (silence(2), clip(0), silence(2)):
        recording.append(piece)
    heard = recording.speech()
    assert heard is not None
    spoken_s = len(clip(0)) / LISTEN_RATE_HZ
    assert len(heard.samples) / LISTEN_RATE_HZ <= spoken_s + 2 * MARGIN / FRAMES_PER_S
    assert 2 < heard.spoken_until / FRAMES_PER_S <= 2 + spoken_s + FRAME / LISTEN_RATE_HZ


def test_silence_added_later_moves_nothing() -> None:
    recording = Recording()
    recording.append(np.concatenate([clip(0), silence(0.5)]))
    before = recording.speech()
    recording.append(silence(1))
    after = recording.speech()
    assert before is not None
    assert after is not None
    assert after.spoken_until <= before.heard_until


def test_a_long_turn_is_cut_in_its_pauses_and_nothing_is_lost() -> None:
    recording = Recording()
    for number in range(4):
        recording.append(np.concatenate([clip(number), silence(0.8)]))
    pieces = []
    while (piece := recording.cut()) is not None:
        pieces.append(piece)
    rest = recording.speech()
    assert rest is not None
    assert pieces
    for piece in pieces:
        assert MIN_PIECE * FRAME <= len(piece.samples) <= (MAX_PIECE + 2 * MARGIN) * FRAME
    heard = sum(float(np.sum(piece.samples.astype(float) ** 2)) for piece in [*pieces, rest])
    said = sum(float(np.sum(clip(number).astype(float) ** 2)) for number in range(4))
    assert heard == pytest.approx(said, rel=0.02)


def test_speech_without_a_pause_is_cut_where_it_is_softest() -> None:
    syllables = np.abs(np.sin(2 * np.pi * 2 * np.arange(20 * LISTEN_RATE_HZ) / LISTEN_RATE_HZ)) * 0.3 + 0.05
    softest = slice(int(10.9 * LISTEN_RATE_HZ), int(11.1 * LISTEN_RATE_HZ))
    syllables[softest] = 0.01
    sound = (RANDOM.normal(0, 1, len(syllables)) * syllables).astype(np.float32)
    recording = Recording()
    recording.append(sound)
    piece = recording.cut()
    assert piece is not None
    rest = recording.speech()
    assert rest is not None
    assert rest.piece_start / FRAMES_PER_S == pytest.approx(11, abs=0.15)
    assert recording.cut() is None
