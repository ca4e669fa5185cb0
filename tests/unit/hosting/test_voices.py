"""Which voice a call has: the persona's, else the replica's own, else the usual one."""

from pathlib import Path

import numpy as np
import pytest

from visavis.conversation.persona import Persona, PersonaLayers, Speaking
from visavis.errors import EngineError
from visavis.hosting.plan import Plan
from visavis.hosting.voices import Voices
from visavis.layers.tts.hibari import Hibari
from visavis.replica.bundle import add_parts
from visavis.replica.stock import bundle_path
from visavis.replica.voice.part import VOICE, put_into, stock
from visavis.replica.voice.pitch import pitch_of
from visavis.videos.making import make_speech


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A replica with a voice of its own."""
    path = tmp_path / "own.replica"
    path.write_bytes(bundle_path("mira").read_bytes())
    put_into(path, stock("leo"))
    return path


def plan(bundle: Path | None, voice: str | None = None) -> Plan:
    speaking = PersonaLayers(tts=Speaking(voice=voice))
    return Plan(persona=Persona(persona_name="P", system_prompt="p", layers=speaking), replica_id="r1", bundle=bundle)


async def test_a_replica_speaks_with_its_own_voice_which_is_loaded_once(own: Path) -> None:
    voices = Voices()
    found = await voices.voice(plan(own))
    assert isinstance(found, Hibari)
    assert found.manner == stock("leo").about.manner.manner()
    assert await voices.voice(plan(own)) is found


async def test_the_personas_voice_counts_more(own: Path) -> None:
    found = await Voices().voice(plan(own, "adam"))
    assert isinstance(found, Hibari)
    assert found.manner.transpose == stock("adam").about.manner.transpose


async def test_without_a_voice_of_its_own_the_usual_one_speaks() -> None:
    assert await Voices().voice(plan(bundle_path("mira"))) is None
    assert await Voices().voice(plan(None)) is None
    assert await Voices().voice(plan(None, "heart")) is None


async def test_a_damaged_voice_is_an_error_that_names_the_part(own: Path) -> None:
    add_parts(own, {VOICE: b"no voice"})
    with pytest.raises(EngineError, match=r"own\.voice"):
        await Voices().voice(plan(own))


async def test_speeches_are_said_in_the_replicas_voice(own: Path, tmp_path: Path) -> None:
    heights = []
    for bundle in (bundle_path("mira"), own):
        work = {"script": "Hello, this is the voice of the replica.", "bundle": str(bundle)}
        await make_speech(work, tmp_path, lambda share: None)
        pcm = np.frombuffer((tmp_path / "speech.wav").read_bytes()[44:], "<i2")[::2] / np.float32(32768)
        pitch = pitch_of(np.asarray(pcm, np.float32))
        heights.append(float(np.median(pitch[pitch > 0])))
    assert heights[1] < 0.8 * heights[0]
