"""Stored personas become what conversations run; templates are written for small models."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visavis.api.conversation_document import ConversationBody
from visavis.api.persona_document import PersonaBody, with_defaults
from visavis.api.runnable import merge, runnable, warnings
from visavis.api.system import templates
from visavis.errors import BadInputError

GUIDE = {"persona_name": "Ines", "system_prompt": "You are Ines."}
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=4)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize("persona_id", sorted(templates()))
def test_template_runs_and_is_short_enough_to_be_read_before_the_first_reply(persona_id):
    document = templates()[persona_id]
    persona = runnable(document)
    assert warnings({name: value for name, value in document.items() if value}) == []
    assert document["description"]
    assert bool(persona.greeting) == (persona.pipeline_mode == "full")
    assert len(persona.system_prompt) < 1_600
    assert len(persona.greeting) < 160
    # Nothing that is read and not said: lists, symbols, figures.
    assert not set("*#_<>{}|[]0123456789") & set(persona.system_prompt + persona.greeting)


def test_settings_reach_the_conversation():
    document = with_defaults(
        GUIDE
        | {
            "context": "Hall three is closed.",
            "greeting": "Hello.",
            "layers": {
                "conversational_flow": {"turn_taking_patience": "high", "wake_phrase": "hey ines", "new": 1},
                "stt": {"participant_pause_sensitivity": "low", "stt_engine": "tavus-auto"},
                "llm": {"base_url": "https://host/v1", "model": "m", "extra_body": {"temperature": 0}, "new": 1},
            },
        }
    )
    persona = runnable(document)
    assert (persona.context, persona.greeting) == ("Hall three is closed.", "Hello.")
    flow = persona.layers.conversational_flow
    assert (flow.turn_taking_patience, flow.wake_phrase) == ("high", "hey ines")
    assert persona.layers.stt.participant_pause_sensitivity == "low"
    assert persona.layers.llm and persona.layers.llm.extra_body == {"temperature": 0}


@pytest.mark.parametrize(("disabled", "vision"), [(None, True), (False, True), (True, False)])
def test_a_model_sees_when_it_can_and_may(disabled, vision):
    model = {"base_url": "https://host/v1", "model": "m", "vision": True, "disable_vision": disabled}
    persona = runnable(with_defaults(GUIDE | {"layers": {"llm": model}}))
    assert persona.layers.llm and persona.layers.llm.vision is vision


def test_hosted_models_without_an_address_mean_the_one_of_this_server():
    document = with_defaults(GUIDE | {"layers": {"llm": {"model": "tavus-gpt-oss"}}})
    assert runnable(document).layers.llm is None


def test_echo_persona_runs_without_a_prompt():
    assert runnable(with_defaults({"pipeline_mode": "echo"})).pipeline_mode == "echo"


@given(st.dictionaries(TEXT, JSON), st.dictionaries(TEXT, JSON))
def test_overrides_are_a_merge_patch(document, changes):
    merged = merge(document, changes)
    for name, value in changes.items():
        if value is None:
            assert name not in merged
        elif not isinstance(value, dict):
            assert merged[name] == value
    for name, value in document.items():
        if name not in changes:
            assert merged[name] == value
    assert merge(merged, changes) == merged


@given(st.dictionaries(TEXT, JSON, max_size=4))
def test_fields_that_nobody_knows_are_kept(extra):
    unknown = {
        name: value for name, value in extra.items() if name not in PersonaBody.model_fields and value is not None
    }
    assert PersonaBody.checked(GUIDE | unknown).given() == GUIDE | unknown
    assert ConversationBody.checked(unknown).given() == unknown


def test_voice_to_voice_model_becomes_the_middle():
    sts = {"sts_engine": "openai", "model": "gpt-realtime", "api_key": "secret", "voice": "marin"}
    persona = runnable({"persona_name": "Ines", "pipeline_mode": "speech-to-speech", "layers": {"sts": sts}})
    assert persona.pipeline_mode == "speech-to-speech" and persona.layers.sts is not None
    assert persona.layers.sts.base_url == "https://api.openai.com/v1" and persona.layers.sts.voice == "marin"
    assert persona.system_prompt == "You are Ines."


def test_speech_to_speech_without_a_model_runs_as_full_and_says_so():
    document = {"persona_name": "Ines", "pipeline_mode": "speech-to-speech", "layers": {"sts": {"sts_engine": "other"}}}
    assert runnable(document).pipeline_mode == "full"
    assert any(line.startswith("pipeline_mode: layers.sts names no model") for line in warnings(document))


@pytest.mark.parametrize(
    ("layer", "field"),
    [
        ({"sts_engine": "openai"}, "layers.sts.model"),
        ({"base_url": "ftp://x", "model": "m"}, "layers.sts.base_url"),
        ({"sts_engine": "openai", "model": "m", "speed": 7}, "layers.sts.speed"),
        ({"sts_engine": "openai", "model": "m", "turn_detection": "guess"}, "layers.sts.turn_detection"),
    ],
)
def test_wrong_voice_to_voice_layer_is_refused_with_its_field(layer, field):
    with pytest.raises(BadInputError) as raised:
        runnable({"persona_name": "Ines", "pipeline_mode": "speech-to-speech", "layers": {"sts": layer}})
    assert raised.value.field == field


@pytest.mark.parametrize("layer", ["stt", "tts", "sts", "llm"])
def test_no_layers_key_is_taken_along_to_another_address(layer):
    document = {"layers": {layer: {"base_url": "https://one.example/v1", "api_key": "secret"}}}
    merged = merge(document, {"layers": {layer: {"base_url": "https://two.example/v1"}}})
    assert "api_key" not in merged["layers"][layer]


def test_what_is_asked_of_eyes_and_ears_reaches_the_conversation_also_by_its_older_names():
    tool = {"type": "function", "function": {"name": "wave_seen", "description": "The user waves"}}
    queries = ["Is the user smiling?", "Is the user wearing a hat?"]
    perception = {"ambient_awareness_queries": queries, "perception_tools": [tool], "audio_tools": [tool]}
    document = {"persona_name": "A", "system_prompt": "p", "layers": {"perception": perception}}
    seeing = runnable(document).layers.perception
    assert seeing.visual_awareness_queries == tuple(queries)
    assert [one.name for one in (*seeing.visual_tools, *seeing.audio_tools)] == ["wave_seen", "wave_seen"]
    perception = {"visual_awareness_queries": queries}
    told = warnings({**document, "layers": {"perception": perception}})
    assert any("visual_awareness" in line and "hat" in line for line in told)
    assert not any("smiling" in line for line in told)
    wrong = {**document, "layers": {"perception": {"visual_tools": [{"name": "no name"}]}}}
    with pytest.raises(BadInputError, match=r"layers\.perception\.visual_tools\.0\.name"):
        runnable(wrong)
