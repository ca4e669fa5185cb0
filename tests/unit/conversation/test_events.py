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
