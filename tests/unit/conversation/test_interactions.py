"""The interactions protocol, field by field, as its schemas and examples have it."""

import base64

import pytest

from visavis.conversation import interactions
from visavis.conversation.interactions import parse_interaction
from visavis.errors import BadInputError
from visavis.replica import Emotion

PCM = base64.b64encode(b"\x01\x00\xff\x7f").decode()


def parsed(event_type: str, **properties):
    return parse_interaction(
        {
            "message_type": "conversation",
            "event_type": f"conversation.{event_type}",
            "conversation_id": "your-conversation-id",
            "properties": properties,
        }
    )


def test_echo_of_text_is_done_unless_told_otherwise():
    piece = parsed("echo", modality="text", text="Hello from an external echo.").properties
    assert (piece.modality, piece.text, piece.done, piece.inference_id) == (
        "text",
        "Hello from an external echo.",
        True,
        None,
    )
    assert not parsed("echo", text="Hello", inference_id="u1", done=False).properties.done


def test_echo_of_sound_is_16_khz_and_goes_on_unless_told_otherwise():
    piece = parsed("echo", modality="audio", audio=PCM).properties
    assert (piece.audio, piece.sample_rate, piece.done, piece.inference_id) == (
        b"\x01\x00\xff\x7f",
        16_000,
        False,
        None,
    )
    piece = parsed("echo", modality="audio", audio=PCM, sample_rate=24_000, inference_id="u1", done=True).properties
    assert (piece.sample_rate, piece.done, piece.inference_id) == (24_000, True, "u1")


def test_echo_without_modality_is_what_it_contains():
    assert parsed("echo", audio=PCM).properties.modality == "audio"
    assert parsed("echo", text="Hello").properties.modality == "text"


@pytest.mark.parametrize("modality", ["text", "audio"])
def test_echo_may_close_an_utterance_without_saying_more(modality):
    assert parsed("echo", modality=modality, inference_id="u1", done=True).properties.done


def test_other_interactions_are_understood():
    assert parsed("respond", text="as if").properties.text == "as if"
    assert isinstance(parse_interaction({"event_type": "conversation.interrupt"}), interactions.Interrupt)
    assert parsed("overwrite_llm_context", context="[]").properties.context == "[]"
    appended = parsed("append_llm_context", context="It rains.", job_status="completed").properties
    assert (appended.context, appended.job_status) == ("It rains.", "completed")
    assert parsed("set_emotion", emotion="happiness").properties.emotion is Emotion.HAPPINESS
    result = parsed("tool_result", tool_call_id="call_1", name="get_weather", output="72F", status="success").properties
    assert (result.tool_call_id, result.name, result.output, result.status) == (
        "call_1",
        "get_weather",
        "72F",
        "success",
    )
    assert parsed("tool_result", tool_call_id="call_1", output={"degrees": 72}).properties.output == {"degrees": 72}


@pytest.mark.parametrize("level", ["superlow", "verylow", "low", "medium", "high", "auto"])
@pytest.mark.parametrize("field", ["participant_pause_sensitivity", "participant_interrupt_sensitivity"])
def test_sensitivity_has_six_levels(field, level):
    assert getattr(parsed("sensitivity", **{field: level}).properties, field) == level


@pytest.mark.parametrize("emotion", "neutral happiness sadness anger fear surprise disgust contempt".split())
def test_there_are_eight_emotions(emotion):
    assert parsed("set_emotion", emotion=emotion).properties.emotion == emotion


@pytest.mark.parametrize(
    ("event_type", "properties", "field", "expected"),
    [
        ("fly", {}, "event_type", "one of conversation.respond, conversation.echo"),
        ("realtime_api", {}, "event_type", "one of conversation.respond"),
        ("respond", {}, "properties.text", "a value"),
        ("respond", {"text": "x" * 5000}, "properties.text", "at most 4000 characters"),
        ("echo", {}, "properties.text", "text that is not empty"),
        ("echo", {"modality": "smell", "text": "x"}, "properties.modality", "'text' or 'audio'"),
        ("echo", {"modality": "audio"}, "properties.audio", "audio that is not empty"),
        ("echo", {"audio": "not base64!"}, "properties.audio", "base64 text of raw 16-bit"),
        ("echo", {"audio": 5}, "properties.audio", "base64 text of raw 16-bit"),
        ("echo", {"audio": base64.b64encode(b"odd").decode()}, "properties.audio", "an even number of bytes"),
        ("echo", {"audio": base64.b64encode(b"RIFF....WAVE").decode()}, "properties.audio", "without the header"),
        ("echo", {"audio": "A" * 2_000_000}, "properties.audio", "at most 786432 bytes"),
        ("echo", {"audio": PCM, "sample_rate": 4_000}, "properties.sample_rate", "8000"),
        ("echo", {"audio": PCM, "sample_rate": 96_000}, "properties.sample_rate", "48000"),
        ("echo", {"text": "x", "inference_id": 5}, "properties.inference_id", "string"),
        ("echo", {"text": "x", "done": "perhaps"}, "properties.done", "boolean"),
        ("sensitivity", {"participant_pause_sensitivity": "huge"}, "properties.participant_pause_sensitivity", "auto"),
        ("set_emotion", {"emotion": "hunger"}, "properties.emotion", "'happiness'"),
        ("tool_result", {"output": "x"}, "properties.tool_call_id", "a value"),
        ("tool_result", {"tool_call_id": "c", "status": "odd"}, "properties.status", "'success' or 'error'"),
    ],
)
def test_unusable_message_is_refused_by_field_value_and_what_would_be_right(event_type, properties, field, expected):
    with pytest.raises(BadInputError) as caught:
        parsed(event_type, **properties)
    assert caught.value.field == field
    assert expected in caught.value.expected
    assert len(caught.value.value) <= 80
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("properties", [None, 5, [], "text"])
def test_properties_that_are_no_object_are_refused(properties):
    with pytest.raises(BadInputError) as caught:
        parse_interaction({"event_type": "conversation.respond", "properties": properties})
    assert caught.value.field == "properties"
