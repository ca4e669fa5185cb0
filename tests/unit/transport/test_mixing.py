"""Voices on their way to the conversation and to the others."""

import numpy as np

from visavis.audio import Samples
from visavis.transport.mixing import WAITING, Upsampler, Voice, added, mixed


def piece(level: float) -> Samples:
    return np.full(320, level, np.float32)


def test_voice_flows_once_two_pieces_are_there_and_in_order():
    voice = Voice()
    voice.put(piece(0.1))
    assert voice.take() is None
    voice.put(piece(0.2))
    assert [float(taken[0]) for _ in range(2) if (taken := voice.take()) is not None] == [
        np.float32(0.1),
        np.float32(0.2),
    ]
    assert voice.take() is None


def test_silence_is_no_piece():
    voice = Voice()
    for _ in range(2):
        voice.put(piece(0.0))
    assert voice.take() is None


def test_burst_loses_its_oldest_pieces_and_what_waits_too_long_is_made_up_for():
    voice = Voice()
    for number in range(WAITING + 5):
        voice.put(piece(0.1 + number / 100))
    taken = voice.take()
    assert taken is not None and np.isclose(taken[0], 0.15)
    for _ in range(1_000):
        voice.put(piece(0.5))
        voice.take()
    waiting = 0
    while voice.take() is not None:
        waiting += 1
    assert waiting <= 2


def test_sum_of_voices_stays_in_range():
    assert np.allclose(mixed([piece(0.25), None, piece(0.5)]), 0.75)
    assert np.max(mixed([piece(0.7), piece(0.7)])) == 1
    assert not mixed([None, None]).any()


def test_voices_are_added_to_the_replicas_sound():
    pcm = np.full(960, 1_000, np.int16)
    assert added(pcm, [None]) is pcm
    louder = added(pcm, [np.full(960, 0.5, np.float32), None])
    assert louder.dtype == np.int16 and abs(int(louder[0]) - 17_383) < 2
    assert added(np.full(960, 30_000, np.int16), [np.ones(960, np.float32)])[0] == 32_767


def test_upsampled_tone_is_the_same_tone():
    upsampler = Upsampler()
    tone = (0.5 * np.sin(2 * np.pi * 1_000 * np.arange(3_200) / 16_000)).astype(np.float32)
    pieces = [upsampler(tone[start : start + 320]) for start in range(0, len(tone), 320)]
    heard = np.concatenate([part for part in pieces if part is not None])
    wanted = 0.5 * np.sin(2 * np.pi * 1_000 * (np.arange(len(heard)) - 47) / 48_000)
    assert np.max(np.abs(heard - wanted)[200:]) < 0.001
    assert upsampler(None) is not None and upsampler(None) is None
