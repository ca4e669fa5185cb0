"""`.voice` files: small, exact enough, and not believed when they come from strangers."""

import io
import json
import zipfile
from datetime import UTC, datetime

import numpy as np
import pytest

from visavis.errors import BadInputError
from visavis.layers.tts.hibari_network import HibariNetwork
from visavis.layers.tts.voice_file import AboutVoice, MannerOfVoice, Voice, base_weights, read_voice
from visavis.replica.consent import Consent, declared
from visavis.replica.voice.part import stock


@pytest.fixture(scope="module")
def voice() -> Voice:
    rng = np.random.default_rng(0)
    changed = ("m.head.bias", "m.dec.3.pw1.weight", "pn.dur.2.weight")
    weights = {
        name: value + rng.normal(0, 0.05, value.shape).astype(np.float32) if name in changed else value
        for name, value in base_weights().items()
    }
    consent = Consent(kind="declaration", by="Ines", text="Ines agreed.", recorded_at=datetime(2026, 11, 1, tzinfo=UTC))
    return Voice.trained(AboutVoice(name="Ines", consent=consent, manner=MannerOfVoice(pitch_semitones=1)), weights)


@pytest.fixture(scope="module")
def packed(voice: Voice) -> bytes:
    return voice.packed()


def rewritten(packed: bytes, **changes: object) -> bytes:
    """The file with other values in voice.json."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(packed)) as source, zipfile.ZipFile(out, "w") as target:
        target.writestr("voice.json", json.dumps(json.loads(source.read("voice.json")) | changes))
        target.writestr("weights.bin", source.read("weights.bin"))
    return out.getvalue()


def test_a_voice_is_read_as_it_was_written(voice: Voice, packed: bytes) -> None:
    read = read_voice(packed)
    assert read.about.name == "Ines" and read.about.consent == voice.about.consent
    assert read.about.manner.pitch_semitones == 1
    assert voice.weights and read.weights
    for name, value in read.weights.items():
        assert np.abs(value - voice.weights[name]).max() < 5e-3
    assert len(packed) < 2_000_000


def test_a_voice_with_other_weights_sounds_different(packed: bytes) -> None:
    read = read_voice(packed)
    said = "hˈɛlO ðˈɛɹ."
    usual, other = HibariNetwork().speak(said), HibariNetwork(weights=read.weights).speak(said)
    assert len(usual.samples) != len(other.samples) or not np.allclose(usual.samples, other.samples, atol=1e-3)


def test_weights_that_are_not_other_sound_the_same() -> None:
    said = "hˈɛlO ðˈɛɹ."
    assert np.allclose(HibariNetwork().speak(said).samples, HibariNetwork(weights=base_weights()).speak(said).samples)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"format": 2}, "format"),
        ({"base": "0" * 64}, "base"),
        ({"weights_sha256": "0" * 64}, "damaged"),
        ({"steps": {}}, "number of weights"),
        ({"manner": {"speed": 90}}, "manner.speed"),
        ({"steps": {"m.head.bias": float("inf")}}, "steps"),
        ({"consent": None}, "consent"),
    ],
)
def test_a_bad_file_is_refused_with_the_reason(packed: bytes, changes: dict[str, object], named: str) -> None:
    with pytest.raises(BadInputError, match=named):
        read_voice(rewritten(packed, **changes))


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"RIFF....WAVE"])
def test_what_is_no_voice_is_refused(data: bytes) -> None:
    with pytest.raises(BadInputError, match=r"visavis voice train"):
        read_voice(data)


def test_a_stock_voice_can_be_a_file_too() -> None:
    adam = read_voice(stock("adam").packed())
    assert adam.weights is None and adam.about.consent.kind == "synthetic"
    assert adam.about.manner.transpose < 0.7
    with pytest.raises(BadInputError, match="heart, nora, adam, leo"):
        stock("nobody")


def test_consent_is_part_of_every_voice() -> None:
    with pytest.raises(ValueError, match="consent"):
        AboutVoice(name="Ines")  # type: ignore[call-arg]
    assert AboutVoice(name="Ines", consent=declared("Ines")).consent.by == "Ines"
