"""The template of a plugin, installed as a package is, speaks for a persona that names it."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from visavis.api.runnable import runnable
from visavis.api.runnable import warnings as persona_warnings
from visavis.errors import BadInputError, EngineError
from visavis.hosting.engines import SharedEngines
from visavis.hosting.faces import Faces
from visavis.hosting.plan import Plan
from visavis.layers import Layers, plugins
from visavis.layers.llm import Message
from visavis.layers.perception import Behaviour
from visavis.layers.plugins import Plugin
from visavis.layers.turn import EndOfTurn, UnreadPause
from visavis.outbound import Outbound
from visavis.transport import Picture

TEMPLATE = Path(__file__).parents[3] / "examples" / "plugin"

_REPEATING = """
class Repeating:
    shares_processor = False
    async def stream(self, messages, tools=()):
        yield messages[-1].content

def open_model(options):
    return Repeating()
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What pip leaves behind."""
    plugins.installed.cache_clear()
    about = tmp_path / "visavis_beeping-0.1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: visavis-beeping\nVersion: 0.1.0\n")
    points = tomllib.loads((TEMPLATE / "pyproject.toml").read_text())["project"]["entry-points"]
    points |= {"visavis.llm": {"repeating": "repeating:open_model"}}
    points |= {"visavis.realtime": {"humming": "repeating:open_model"}, "visavis.stt": {"broken": "nowhere:at_all"}}
    lines = []
    for group, those in points.items():
        lines += [f"[{group}]", *(f"{name} = {at}" for name, at in those.items())]
    (about / "entry_points.txt").write_text("\n".join(lines))
    (tmp_path / "repeating.py").write_text(_REPEATING)
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


@pytest.mark.usefixtures("installed")
async def test_language_model_and_voice_to_voice_model_of_a_package_are_used_by_a_persona_that_names_them():
    document = {"persona_name": "B", "system_prompt": "x", "layers": {"llm": {"llm_engine": "repeating"}}}
    assert persona_warnings(document) == []
    engines = SharedEngines(Layers(*(None,) * 5), Faces())  # type: ignore[arg-type]
    async with engines.layers(Plan(persona=runnable(document), replica_id="")) as layers:
        told = [Message("system", "x"), Message("user", "Polly?")]
        assert [piece async for piece in layers.language_model.stream(told)] == ["Polly?"]
    mode = {"pipeline_mode": "speech-to-speech", "layers": {"sts": {"sts_engine": "humming"}}}
    assert persona_warnings({**document, **mode}) == []
    persona = runnable({**document, **mode})
    assert persona.pipeline_mode == "speech-to-speech"
    async with engines.layers(Plan(persona=persona, replica_id="")) as layers:
        assert type(layers.voice_to_voice).__name__ == "Repeating"


@pytest.mark.usefixtures("installed")
async def test_detector_and_eyes_of_the_template_serve_a_persona_that_names_them():
    layers = {
        "conversational_flow": {"turn_detection_model": "radio", "turn_detector": {"last_word": "roger"}},
        "perception": {"perception_model": "light", "darkest": 100},
    }
    document = {"persona_name": "B", "system_prompt": "x", "layers": layers}
    assert persona_warnings(document) == []
    engines = SharedEngines(Layers(*(None,) * 5), Faces())  # type: ignore[arg-type]
    async with engines.layers(Plan(persona=runnable(document), replica_id="")) as found:
        assert await verdicts(found.end_of_turn, "Land on runway one, roger.") == [1.0]
        assert await verdicts(found.end_of_turn, "Land on runway one.") == [0.05]
        assert found.perception is not None
        eyes = found.perception.eyes()
        dim = await eyes.look(Lamp(80), 0.0)
        assert (dim.view, [one.phrase for one in dim.noticed]) == ("dark", [Behaviour.DARK.value])
        assert (await eyes.look(Lamp(200), 1.0)).view == "clear"


async def verdicts(judge: EndOfTurn, text: str) -> list[float]:
    async def words() -> str:
        return text

    return [one async for one in judge.probabilities(UnreadPause(np.zeros(1600, np.float32), 0.2, words()))]


class Lamp:
    """A picture of one brightness."""

    def __init__(self, level: int) -> None:
        self._level = level

    def look(self, longest_side: int) -> Picture:
        return Picture(np.full((8, 8, 3), self._level, np.uint8), (8, 8), 0.0)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("layers", "field", "right"),
    [
        ({"tts": {"tts_engine": "beeping", "pitch_hz": 5}}, "layers.tts.pitch_hz", "50"),
        ({"tts": {"tts_engine": "beeping", "pich_hz": 660}}, "layers.tts.pich_hz", "one of pitch_hz"),
        ({"perception": {"perception_model": "light", "darkest": "very"}}, "layers.perception.darkest", "number"),
        ({"stt": {"stt_engine": "broken"}}, "layers.stt", "can be loaded"),
        (
            {"conversational_flow": {"turn_detection_model": "radio", "turn_detector": {"last_word": ""}}},
            "layers.conversational_flow.turn_detector.last_word",
            "1 character",
        ),
    ],
)
def test_a_persona_with_options_that_a_plugin_does_not_take_is_refused_with_the_field(layers, field, right):
    with pytest.raises(BadInputError, match=right) as refused:
        runnable({"persona_name": "B", "system_prompt": "x", "layers": layers})
    assert str(refused.value).startswith(field)
