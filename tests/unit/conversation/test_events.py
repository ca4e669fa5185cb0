import pytest

from visavis.conversation import events, interactions
from visavis.errors import BadInputError


class StoppedClock:
    def now(self) -> float:
        return 1.0

    def unix(self) -> float:
        return 1700000000.5

    async def sleep_until(self, when: float) -> None:
        raise NotImplementedError


def test_utterance_equals_the_protocol():
    stream = events.EventStream("c1", StoppedClock())
    heard = []
    with stream.heard_by(heard.append):
        stream.emit(events.Utterance(role="user", speech="hello"))
        stream.emit(events.Utterance(role="replica", speech="hi", interrupted=True), "i1")
    stream.emit(events.UserStartedSpeaking())
    assert heard == [
        {
            "message_type": "conversation",
            "event_type": "conversation.utterance",
            "conversation_id": "c1",
            "timestamp": 1700000000.5,
            "seq": 1,
            "turn_idx": 0,
            "properties": {"role": "user", "speech": "hello"},
        },
        {
            "message_type": "conversation",
            "event_type": "conversation.utterance",
            "conversation_id": "c1",
            "timestamp": 1700000000.5,
            "seq": 2,
            "turn_idx": 0,
            "inference_id": "i1",
            "properties": {"role": "replica", "speech": "hi", "interrupted": True},
        },
    ]


def test_unknown_duration_is_sent_as_null():
    assert events.ReplicaStartedSpeaking().properties() == {"duration": None, "interrupted": False}


def test_interactions_of_the_protocol_are_understood():
    parsed = interactions.parse_interaction(
        {
            "message_type": "conversation",
            "event_type": "conversation.echo",
            "conversation_id": "c1",
            "properties": {"modality": "text", "text": "Say exactly this", "done": True},
        }
    )
    assert isinstance(parsed, interactions.Echo)
    assert parsed.properties.text == "Say exactly this"


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ({}, "event_type"),
        ({"event_type": "conversation.fly"}, "event_type"),
        ({"event_type": 5}, "event_type"),
        ({"event_type": "conversation.respond"}, "properties"),
        ({"event_type": "conversation.respond", "properties": {"text": 5}}, "properties.text"),
        ({"event_type": "conversation.respond", "properties": {"text": "x" * 5000}}, "properties.text"),
        ({"event_type": "conversation.echo", "properties": {"modality": "smell", "text": "x"}}, "properties.modality"),
    ],
)
def test_unusable_interactions_name_the_field(message, field):
    with pytest.raises(BadInputError) as caught:
        interactions.parse_interaction(message)
    assert caught.value.field == field
    assert len(str(caught.value)) < 400


SCHEMAS = {
    "conversation.utterance": {"role", "speech", "user_audio_analysis?", "user_visual_analysis?", "interrupted?"},
    "conversation.utterance.streaming": {"role", "speech", "content_index", "final", "is_interrupted?"},
    "conversation.perception_analysis": {"analysis"},
    "conversation.perception_tool_call": {"modality", "name", "arguments", "frames?"},
    "conversation.tool_call": {"name", "arguments", "tool_call_id?"},
    "conversation.user.started_speaking": set(),
    "conversation.user.stopped_speaking": set(),
    "conversation.replica.started_speaking": {"duration", "interrupted"},
    "conversation.replica.stopped_speaking": {"duration", "interrupted"},
    "conversation.started_speaking": {"role", "interrupted?", "duration?"},
    "conversation.stopped_speaking": {"role", "interrupted?", "duration?"},
    "system.replica_joined": {"replica_id?"},
    "system.pal_joined": {"face_id?"},
    "system.replica_present": {"replica_id?"},
    "system.pal_present": {"face_id?"},
    "conversation.joined": set(),
    "conversation.left": set(),
}
"""Appendix B of the reference, server to client: the properties of every event; "?" if they may be absent."""

EXAMPLES = [
    events.Utterance(
        role="replica", speech="Full.", user_audio_analysis="calm", user_visual_analysis="smiles", interrupted=True
    ),
    events.Utterance(role="user", speech="Hello."),
    events.UtteranceStreaming(role="replica", speech="So far.", content_index=3, final=False, is_interrupted=True),
    events.UtteranceStreaming(role="user", speech="So far.", content_index=3, final=True),
    events.PerceptionAnalysis(analysis="A summary."),
    events.PerceptionToolCall(
        modality="audio", name="describe_scene", arguments='{"detail":"high"}', frames=({"uri": "https://e/f"},)
    ),
    events.PerceptionToolCall(modality="vision", name="describe_scene", arguments={"detail": "high"}),
    events.ToolCall(name="get_weather", arguments='{"location":"NYC"}', tool_call_id="call_abc123"),
    events.ToolCall(name="get_weather", arguments="{}"),
    events.UserStartedSpeaking(),
    events.UserStoppedSpeaking(),
    events.ReplicaStartedSpeaking(),
    events.ReplicaStoppedSpeaking(duration=4.512, interrupted=False),
    events.StartedSpeaking(role="replica"),
    events.StoppedSpeaking(role="replica", interrupted=False, duration=2.341),
    events.StoppedSpeaking(role="user"),
    events.ReplicaJoined(replica_id="rmira"),
    events.PalJoined(face_id="rmira"),
    events.ReplicaPresent(replica_id="rmira"),
    events.PalPresent(face_id="rmira"),
    events.ReplicaJoined(),
    events.Joined(),
    events.Left(),
]


def test_examples_cover_every_event_of_the_protocol():
    assert {example.event_type for example in EXAMPLES} == set(SCHEMAS)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.event_type)
def test_event_has_the_fields_of_its_schema_and_no_others(example):
    stream, heard = events.EventStream("c1", StoppedClock()), []
    with stream.heard_by(heard.append):
        stream.emit(example, "i1")
    (message,) = heard
    schema = SCHEMAS[message["event_type"]]
    required = {name for name in schema if not name.endswith("?")}
    properties = set(message.get("properties", {}))
    assert required <= properties <= {name.rstrip("?") for name in schema}
    assert message["message_type"] == message["event_type"].split(".")[0]
    assert set(message) - {"properties"} == {
        "message_type",
        "event_type",
        "conversation_id",
        "timestamp",
        "seq",
        "turn_idx",
        "inference_id",
    }
