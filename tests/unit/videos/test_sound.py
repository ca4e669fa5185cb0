"""Recordings of every allowed kind become speech; what is none is refused, and no file makes us open another."""

import wave

import av
import numpy as np
import pytest

from visavis.audio import PLAYOUT_RATE_HZ
from visavis.errors import BadInputError
from visavis.videos.files import write_sound
from visavis.videos.sound import recorded


def tone(seconds, hertz=220):
    times = np.arange(round(seconds * PLAYOUT_RATE_HZ)) / PLAYOUT_RATE_HZ
    return np.asarray(9000 * np.sin(2 * np.pi * hertz * times), np.int16)


def loudest_hz(pcm):
    return float(np.argmax(np.abs(np.fft.rfft(pcm))) * PLAYOUT_RATE_HZ / len(pcm))


@pytest.mark.parametrize("suffix", [".wav", ".mp3"])
def test_what_we_write_can_be_recorded_again(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    write_sound(path, tone(4))
    pcm = recorded(path).pcm
    assert abs(len(pcm) / PLAYOUT_RATE_HZ - 4) < 0.06
    assert abs(loudest_hz(pcm) - 220) < 1


def test_stereo_at_another_rate_is_mixed_and_resampled(tmp_path):
    path = tmp_path / "stereo.wav"
    times = np.arange(4 * 22_050) / 22_050
    left = np.asarray(9000 * np.sin(2 * np.pi * 330 * times), "<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(22_050)
        file.writeframes(np.stack([left, left], 1).tobytes())
    pcm = recorded(path).pcm
    assert abs(len(pcm) - 4 * PLAYOUT_RATE_HZ) < 0.01 * PLAYOUT_RATE_HZ
    assert abs(loudest_hz(pcm) - 330) < 1


@pytest.mark.parametrize("seconds", [2.9, 601])
def test_too_short_and_too_long_recordings_are_refused(tmp_path, seconds):
    path = tmp_path / "a.wav"
    write_sound(path, tone(seconds))
    with pytest.raises(BadInputError, match=r"audio_url.*3 s to 10 minutes"):
        recorded(path)


@pytest.mark.parametrize("content", [b"", b"not a recording at all", b"RIFF\xff\xff\xff\xffWAVEfmt "])
def test_what_is_no_recording_is_refused(tmp_path, content):
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with pytest.raises(BadInputError, match="audio_url"):
        recorded(path)


def test_video_without_sound_is_refused(tmp_path):
    path = tmp_path / "silent.webm"
    with av.open(path, "w") as container:
        stream = container.add_stream("libvpx-vp9", rate=25)
        stream.width = stream.height = 64
        for number in range(5):
            frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), "bgr24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(BadInputError, match="with sound"):
        recorded(path)


@pytest.mark.parametrize("playlist", ["#EXTM3U\n#EXTINF:4,\n{}\n#EXT-X-ENDLIST\n", "ffconcat version 1.0\nfile {}\n"])
def test_playlists_open_no_other_files(tmp_path, playlist):
    secret = tmp_path / "secret.wav"
    write_sound(secret, tone(4))
    path = tmp_path / "innocent.mp3"
    path.write_text(playlist.format(secret))
    with pytest.raises(BadInputError):
        recorded(path)
