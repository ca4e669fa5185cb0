import numpy as np
import pytest

from tests import speech
from visavis import models
from visavis.audio import LISTEN_RATE_HZ, Samples
from visavis.errors import BadInputError
from visavis.layers.turn import VAD_FRAME
from visavis.layers.turn.silero import Silero, SileroStream

pytestmark = pytest.mark.models
FRAME_S = VAD_FRAME / LISTEN_RATE_HZ


@pytest.fixture(scope="module")
def network() -> Silero:
    try:
        return Silero()
    except models.ModelMissingError as missing:
        pytest.skip(str(missing))


def probabilities(stream: SileroStream, samples: Samples) -> np.ndarray:
    ends = range(VAD_FRAME, len(samples) + 1, VAD_FRAME)
    return np.array([stream.probability(samples[end - VAD_FRAME : end]) for end in ends])


def test_speech_is_found_where_it_is(network: Silero) -> None:
    names = speech.grid_names()[::20]
    if not names:
        pytest.skip("recorded speech is absent: ../shared/data/grid_s1")
    starts, ends = [], []
    for name in names:
        padding = np.zeros(LISTEN_RATE_HZ // 2, np.float32)
        samples = np.concatenate([padding, speech.grid_clip(name)[0], padding])
        voiced = np.flatnonzero(probabilities(network.listen(), samples) > 0.5)
        words = speech.grid_words(name)
        starts.append(voiced[0] * FRAME_S - 0.5 - words[0][1])
        ends.append((voiced[-1] + 1) * FRAME_S - 0.5 - words[-1][2])
    assert abs(np.median(starts)) < 0.2
    assert abs(np.median(ends)) < 0.1
    assert np.max(np.abs(ends)) < 0.25


@pytest.mark.parametrize("rms", [0.0, 3e-4, 1e-2])
def test_silence_and_hiss_are_not_speech(network: Silero, rms: float) -> None:
    noise = np.random.default_rng(1).normal(0, rms, 3 * LISTEN_RATE_HZ).astype(np.float32)
    assert probabilities(network.listen(), noise).max() < 0.5


def test_streams_do_not_disturb_each_other_and_forget_on_reset(network: Silero) -> None:
    samples, _ = speech.grid_clip("lgbm3s")
    alone = probabilities(network.listen(), samples)
    one, other = network.listen(), network.listen()
    mixed = []
    for end in range(VAD_FRAME, len(samples) + 1, VAD_FRAME):
        mixed.append(one.probability(samples[end - VAD_FRAME : end]))
        other.probability(-samples[end - VAD_FRAME : end][::-1])
    assert mixed == alone.tolist()
    other.reset()
    assert probabilities(other, samples).tolist() == alone.tolist()


def test_a_frame_of_another_length_is_refused(network: Silero) -> None:
    with pytest.raises(BadInputError, match=r"frame: \(480,\)"):
        network.listen().probability(np.zeros(480, np.float32))
