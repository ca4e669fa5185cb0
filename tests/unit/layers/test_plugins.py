"""The template of a plugin, installed as a package is, speaks for a persona that names it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from visavis.api.runnable import runnable
from visavis.api.runnable import warnings as persona_warnings
from visavis.errors import EngineError
from visavis.layers import plugins
from visavis.layers.plugins import Plugin
from visavis.outbound import Outbound

TEMPLATE = Path(__file__).parents[3] / "examples" / "plugin"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What pip leaves behind."""
    plugins.installed.cache_clear()
    about = tmp_path / "visavis_beeping-0.1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: visavis-beeping\nVersion: 0.1.0\n")
    written = (TEMPLATE / "pyproject.toml").read_text().partition('entry-points."visavis.tts"]')[2].split('"')
    assert written[0].strip() == "beeping ="
    (about / "entry_points.txt").write_text(f"[visavis.tts]\nbeeping = {written[1]}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.syspath_prepend(str(TEMPLATE / "src"))
    yield
    plugins.installed.cache_clear()


@pytest.mark.usefixtures("installed")
async def test_the_template_speaks_for_a_persona_that_names_it():
    document = {
        "persona_name": "B",
        "system_prompt": "x",
        "layers": {"tts": {"tts_engine": "beeping", "pitch_hz": 660}},
    }
    assert persona_warnings(document) == []
    plugin = runnable(document).layers.tts.plugin
    assert plugin == Plugin(engine="beeping", options={"pitch_hz": 660})
    async with plugins.opened("tts", plugin, Outbound()) as voice:
        (speech,) = [piece async for piece in voice.stream("Hello there.")]
    assert [word.text for word in speech.words] == ["Hello", "there."]
    spectrum = np.abs(np.fft.rfft(speech.pcm[:4800].astype(float)))
    assert spectrum.argmax() * 10 == 660
    assert plugins.about(plugins.installed("tts")["beeping"])["licence"] == "Apache-2.0"


@pytest.mark.usefixtures("installed")
async def test_wrong_options_and_missing_engines_are_errors_for_people():
    with pytest.raises(EngineError, match="pitch_hz"):
        async with plugins.opened("tts", Plugin(engine="beeping", options={"pitch_hz": 1}), Outbound()):
            pass
    with pytest.raises(EngineError, match="not installed"):
        async with plugins.opened("stt", Plugin(engine="beeping"), Outbound()):
            pass
