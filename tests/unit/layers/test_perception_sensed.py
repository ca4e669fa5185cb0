"""What the sensors can tell about a question, and which tools they call; no networks."""

import pytest

from visavis.layers.perception import Behaviour, Face, Noticed, Scene
from visavis.layers.perception.sensed import Sensed, answer, arguments, can_tell, is_meant_for

FACE = Face(
    0.3, 0, 0, 0, looking=False, eyes_closed=False, smile=0.8, brows_up=0, frown=0, mouth_open=0, speaking=False,
    expression="a smile", expression_certainty=0.9,
)  # fmt: skip
SCENE = Scene(5.0, people=1, face=FACE, things=("cup",))
CUP = Noticed(Behaviour.HELD_UP, 4.0, thing="a cup")


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("Is the user alone?", "one person is in view"),
        ("Is the user holding a mug?", "cup is in view; lately they held up a cup"),
        ("Is there a banana?", "no banana is in view"),
        ("Is the user looking at the screen?", "look away"),
        ("What does the user's face express?", "shows a smile"),
        ("Is the user happy?", "what they feel is not inferred"),
        ("Is the mouth of the user moving?", "mouth is still"),
        ("Is the picture too dark?", "the picture is clear"),
    ],
)
def test_a_question_is_answered_from_what_is_measured(question: str, told: str) -> None:
    assert told in (answer(question, Sensed(SCENE, [CUP])) or "")


@pytest.mark.parametrize(
    "question", ["Is the user wearing a bright hat?", "What colour is the shirt?", "Which document is it?", "Why?"]
)
def test_what_no_sensor_sees_is_not_answered(question: str) -> None:
    assert answer(question, Sensed(SCENE, [CUP])) is None
    assert not can_tell(question)


def test_without_a_picture_only_what_was_heard_is_known() -> None:
    laughed = Sensed(None, [Noticed(Behaviour.LAUGHED, 4.0)])
    assert answer("Did the user laugh?", laughed) == "lately they laughed"
    assert answer("Is the user alone?", laughed) is None


@pytest.mark.parametrize(
    ("described", "behaviour", "meant"),
    [
        ("called when the user gives a thumbs up", Behaviour.THUMB_UP, True),
        ("called when the user gives a thumbs up", Behaviour.NODDED, False),
        ("notify if someone else enters", Behaviour.COMPANY, True),
        ("the user raises their voice", Behaviour.LOUD, True),
        ("notify when a bright outfit is shown", Behaviour.SMILED, False),
        ("the user waves goodbye", Behaviour.WAVED, True),
    ],
)
def test_a_tool_is_meant_for_what_its_description_names(described: str, behaviour: Behaviour, meant: bool) -> None:
    assert is_meant_for(described, Noticed(behaviour, 0.0)) is meant


def test_a_tool_for_one_thing_is_not_called_for_another() -> None:
    assert is_meant_for("the user holds up a cup", CUP)
    assert not is_meant_for("the user holds up a banana", CUP)
    assert is_meant_for("the user holds up any object", CUP)
    assert not is_meant_for("notify_if_id_card_shown: an id card or another object", CUP)


def test_arguments_are_filled_from_what_was_seen_or_the_tool_is_left_alone() -> None:
    schema = {
        "type": "object",
        "properties": {
            "object": {"type": "string"},
            "what": {"type": "string"},
            "people": {"type": "integer"},
            "confidence": {"type": "number"},
            "seen": {"type": "boolean"},
            "gesture": {"type": "string", "enum": ["wave", "held_up"]},
            "price": {"type": "number"},
        },
        "required": ["object"],
    }
    assert arguments(schema, CUP, 2) == {
        "object": "a cup", "what": "held up a cup", "people": 2, "confidence": 1.0, "seen": True, "gesture": "held_up"
    }  # fmt: skip
    assert arguments({**schema, "required": ["price"]}, CUP, 2) is None
