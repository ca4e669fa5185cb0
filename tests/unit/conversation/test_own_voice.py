import tracemalloc

import numpy as np
import pytest

from visavis.audio import LISTEN_RATE_HZ, PLAYOUT_RATE_HZ, Pcm, Samples
from visavis.conversation.own_voice import PACKET, OwnVoice
from visavis.errors import BadInputError
from visavis.layers.turn import VAD_FRAME

FRAME_S = VAD_FRAME / LISTEN_RATE_HZ


def babble(seconds: float, seed: int, pitch_hz: float) -> Samples:
    """Something like speech at 48 kHz: a gliding harmonic tone, a new vowel every 120 ms, a pause now and then."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * PLAYOUT_RATE_HZ)) / PLAYOUT_RATE_HZ
    steps = int(seconds / 0.12) + 2
    at = np.arange(steps) * 0.12
    pitch = np.interp(time, at, pitch_hz * rng.uniform(0.8, 1.25, steps))
    phase = 2 * np.pi * np.cumsum(pitch) / PLAYOUT_RATE_HZ
    loud = np.interp(time, at, rng.choice([0.0, 0.5, 1.0], steps, p=[0.15, 0.35, 0.5]))
    voice = np.zeros(len(time))
    formants = [np.interp(time, at, rng.uniform(low, high, steps)) for low, high in ((300, 800), (900, 2300))]
    for harmonic in range(1, 30):
        hz = harmonic * pitch
        voice += sum(np.exp(-(((hz - f) / 150) ** 2)) for f in formants) * np.sin(harmonic * phase)
    voice += 0.03 * rng.normal(0, 1, len(time))
    return np.asarray(0.1 * voice * loud, np.float32)


def room(sound: Samples, delay_ms: float, gain: float) -> Samples:
    """`sound` (48 kHz) delayed, softer, with a little reverberation, as the microphone gives it (16 kHz)."""
    rng = np.random.default_rng(9)
    tail = rng.normal(0, 0.02, 4800) * np.exp(-np.arange(4800) / 1200)
    tail[0] = 1
    size = 1 << (len(sound) + 4800).bit_length()
    reverberant = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(tail, size))[: len(sound)]
    shift = round(delay_ms * PLAYOUT_RATE_HZ / 1000)
    heard = gain * np.concatenate([np.zeros(shift), reverberant])[: len(sound)]
    spectrum = np.fft.rfft(heard)
    narrow = np.fft.irfft(spectrum[: len(spectrum) // 3 + 1], len(heard) // 3) / 3
    return np.asarray(narrow + rng.normal(0, 2e-4, len(narrow)), np.float32)


def pcm(sound: Samples) -> Pcm:
    return (np.clip(sound, -1, 1) * 32767).astype(np.int16)


def explained(guard: OwnVoice, played: Samples, heard: Samples) -> np.ndarray:
    """What the guard says of each frame of a call in which `played` was sent while `heard` came."""
    sent, values = pcm(played), []
    position = 0
    for start in range(0, len(heard) - VAD_FRAME + 1, VAD_FRAME):
        while position * LISTEN_RATE_HZ < (start + VAD_FRAME) * PLAYOUT_RATE_HZ and position + PACKET <= len(sent):
            guard.played(sent[position : position + PACKET])
            position += PACKET
        values.append(guard.explains(heard[start : start + VAD_FRAME]))
    return np.array(values)


def longest_run(frames: np.ndarray) -> int:
    """Length of the longest stretch of true values."""
    longest = run = 0
    for value in frames:
        run = run + 1 if value else 0
        longest = max(longest, run)
    return longest


@pytest.mark.parametrize("delay_ms", [40, 600])
def test_the_first_words_are_known_as_an_echo_at_any_delay(delay_ms: float):
    played = babble(6, seed=1, pitch_hz=190)
    values = explained(OwnVoice(), played, room(played, delay_ms, gain=0.3))
    assert longest_run(values[round(delay_ms / 1000 / FRAME_S) :] < 0.5) < 4


def test_an_echo_whose_delay_moves_is_still_known():
    played = babble(9, seed=2, pitch_hz=190)
    near, far = (room(played, delay_ms, gain=0.3) for delay_ms in (150, 210))
    moved = np.concatenate([near[: 4 * LISTEN_RATE_HZ], far[4 * LISTEN_RATE_HZ :]])
    assert longest_run(explained(OwnVoice(), played, moved)[8:] < 0.5) < 4


@pytest.mark.parametrize("louder_db", [0, 10])
def test_somebody_who_speaks_over_the_echo_is_noticed_soon(louder_db: float):
    played = babble(8, seed=3, pitch_hz=190)
    heard = room(played, 200, gain=0.3)
    begin = 5 * LISTEN_RATE_HZ
    person = room(babble(2, seed=4, pitch_hz=110), 0, gain=0.3 * 10 ** (louder_db / 20))
    heard[begin : begin + len(person)] += person
    during = explained(OwnVoice(), played, heard)[round(5 / FRAME_S) :][: round(2 / FRAME_S)]
    assert longest_run(during < 0.5) >= 4
    run_ends = next(end for end in range(4, len(during)) if (during[end - 4 : end] < 0.5).all())
    assert run_ends * FRAME_S < 0.6


@pytest.mark.parametrize("seed", [20, 25])
def test_somebody_with_headphones_is_noticed_at_once(seed: int):
    """Nothing of what was played has come back so far, so a loud voice is no echo."""
    played = babble(6, seed=1, pitch_hz=190)
    voice = np.concatenate([np.zeros(4 * PLAYOUT_RATE_HZ, np.float32), babble(2, seed=seed, pitch_hz=120)])
    values = explained(OwnVoice(), played, room(voice, 0, gain=1.0))
    heard = room(voice, 0, gain=1.0)[: len(values) * VAD_FRAME].reshape(-1, VAD_FRAME)
    onset = int(np.argmax(np.abs(heard).max(axis=1) > 0.02))
    assert (values[onset : onset + 3] < 0.5).all()


def test_another_voice_is_not_explained_by_what_was_played():
    played, person = babble(6, seed=5, pitch_hz=190), room(babble(6, seed=6, pitch_hz=110), 0, gain=0.3)
    assert np.mean(explained(OwnVoice(), played, person)[8:] < 0.5) > 0.6


def test_nothing_is_explained_when_nothing_was_played():
    guard, person = OwnVoice(), room(babble(3, seed=7, pitch_hz=110), 0, gain=0.5)
    assert not explained(guard, np.zeros(3 * PLAYOUT_RATE_HZ, np.float32), person).any()


def test_a_second_after_the_last_word_nothing_is_explained_any_more():
    spoken = babble(3, seed=8, pitch_hz=190)
    played = np.concatenate([spoken, np.zeros(3 * PLAYOUT_RATE_HZ, np.float32)])
    values = explained(OwnVoice(), played, room(played, 100, gain=0.3))
    assert not values[round(5 / FRAME_S) :].any()


def test_a_playout_that_stood_still_is_found_again():
    guard = OwnVoice()
    before, after = babble(3, seed=10, pitch_hz=190), babble(6, seed=11, pitch_hz=190)
    explained(guard, before, room(before, 150, gain=0.3))
    for _ in range(round(2 / FRAME_S)):  # two seconds in which only the microphone went on
        guard.explains(np.zeros(VAD_FRAME, np.float32))
    assert longest_run(explained(guard, after, room(after, 150, gain=0.3))[20:] < 0.5) < 4


def test_a_long_call_takes_no_more_memory():
    guard, played = OwnVoice(), babble(2, seed=12, pitch_hz=190)
    heard = room(played, 150, gain=0.3)
    explained(guard, played, heard)
    tracemalloc.start()
    try:
        explained(guard, played, heard)
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(5):
            explained(guard, played, heard)
        assert tracemalloc.get_traced_memory()[0] - before < 20_000
    finally:
        tracemalloc.stop()


def test_sound_of_another_length_is_refused():
    with pytest.raises(BadInputError, match=r"pcm: \(480,\)"):
        OwnVoice().played(np.zeros(480, np.int16))
    with pytest.raises(BadInputError, match=r"frame: \(320,\)"):
        OwnVoice().explains(np.zeros(320, np.float32))
