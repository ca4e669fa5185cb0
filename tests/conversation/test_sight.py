"""What a conversation does with what it sees, on simulated time; the eyes follow a script."""

import asyncio
import base64
import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np

from tests.conversation.simulation import CountingFace, SimulatedCall, World, silence, simulate, speech, world
from tests.voices import laughter
from visavis.conversation.clock import LoopClock
from visavis.conversation.conversation import Conversation
from visavis.conversation.looking import look
from visavis.conversation.observations import Observations
from visavis.conversation.persona import Perceiving
from visavis.layers.llm import Function, ToolRequest
from visavis.layers.perception import Behaviour, Face, Noticed, Observed, Scene, Vision
from visavis.replica import Frame
from visavis.transport import Picture, Sight, SightKind

FACE = Face(0.3, 0, 0, 0, looking=True, eyes_closed=False, smile=0, brows_up=0, frown=0, mouth_open=0, speaking=None)


class Camera:
    def look(self, longest_side: int) -> Picture | None:
        return None


class CameraCall(SimulatedCall):
    camera: Sight | None = Camera()
    assigned: tuple[str | None, str | None] | None = None

    def sight(self, kind: SightKind) -> Sight | None:
        return self.camera if kind == "camera" else None

    def assign(self, camera: str | None, screen: str | None) -> None:
        self.assigned = camera, screen
        self.camera = Camera() if camera else None


@dataclass
class ScriptedEyes:
    """Sees what happens at given times."""

    happens: dict[float, Behaviour] = field(default_factory=dict)
    face: Face | None = FACE
    rate_hz: float = 8.0
    budget: float = 0.15
    fails: bool = False
    vision: Vision | None = None
    people: int = 1

    def eyes(self) -> "ScriptedEyes":
        return self

    async def look(self, sight: Sight, now: float) -> Scene:
        if self.fails:
            raise RuntimeError("eyes broke")
        due = [at for at in self.happens if at <= now]
        noticed = tuple(Noticed(self.happens.pop(at), now) for at in due)
        return Scene(now, people=self.people if self.face else 0, face=self.face, noticed=noticed)


def seeing(
    said: list[str],
    replies: list[Any],
    eyes: ScriptedEyes,
    greeting: str = "",
    perceiving: dict[str, Any] | None = None,
    **flow: Any,
) -> World:
    made = world(said, replies, greeting, **flow)
    layers = dataclasses.replace(made.conversation._layers, perception=eyes)
    persona, replica, clock = made.conversation.persona, made.conversation.replica, made.conversation._clock
    if perceiving:
        wanted = persona.layers.model_copy(update={"perception": Perceiving.model_validate(perceiving)})
        persona = persona.model_copy(update={"layers": wanted})
    conversation = Conversation("ctest", persona, replica, layers, clock)
    return dataclasses.replace(made, call=CameraCall(), conversation=conversation)


def said_by_user(here: World) -> list[str]:
    return [
        event["properties"]["speech"]
        for event in here.call.said("conversation.utterance")
        if event["properties"]["role"] == "user"
    ]


def test_a_nod_after_a_question_is_a_yes() -> None:
    async def run() -> None:
        eyes = ScriptedEyes({2.5: Behaviour.NODDED})
        here = seeing([], ["Good to hear."], eyes, greeting="Are you well?")
        await here.run_for(6)
        assert said_by_user(here) == ["(nods) Yes."]
        assert here.model.asked[0][-1].content.startswith("(nods) Yes.")

    simulate(run)


def test_a_nod_without_a_question_is_no_turn_but_is_told_at_the_next_one() -> None:
    async def run() -> None:
        eyes = ScriptedEyes({2.5: Behaviour.NODDED})
        here = seeing(["I like that"], ["So do I."], eyes, greeting="This is a fact.")
        here.call.speak(silence(4), speech(1.0), silence(1))
        await here.run_for(8)
        assert said_by_user(here) == ["I like that"]
        assert here.model.asked[-1][-1].content == "I like that (Camera: the caller nodded.)"

    simulate(run)


def test_a_nod_that_goes_with_a_spoken_yes_is_one_answer() -> None:
    async def run() -> None:
        eyes = ScriptedEyes({2.6: Behaviour.NODDED})
        here = seeing(["Yes I am"], ["Good to hear."], eyes, greeting="Are you well?")
        here.call.speak(silence(2.7), speech(1.0), silence(1))
        await here.run_for(7)
        assert said_by_user(here) == ["Yes I am"]

    simulate(run)


def test_an_open_palm_stops_the_replica() -> None:
    async def run() -> None:
        eyes = ScriptedEyes({2.0: Behaviour.OPEN_PALM})
        here = seeing([], [], eyes, greeting="one two three four five six seven eight nine ten eleven twelve")
        await here.run_for(6)
        assert max(here.call.sounding()) < 2.4

    simulate(run)


def test_a_smile_is_mirrored_within_a_second() -> None:
    async def run() -> None:
        eyes = ScriptedEyes()
        here = seeing([], [], eyes)
        task = asyncio.create_task(here.run_for(4))
        await asyncio.sleep(1)
        eyes.face = dataclasses.replace(FACE, smile=0.8)
        await asyncio.sleep(0.9)
        face = here.conversation.replica
        assert isinstance(face, CountingFace)
        assert face.rapport.smile == 0.8
        await task

    simulate(run)


def test_the_page_is_told_what_is_seen_and_that_nothing_is_when_the_camera_goes_off() -> None:
    async def run() -> None:
        here = seeing([], [], ScriptedEyes())
        here.call.type("conversation.media", camera_mid="1", screen_mid=None)
        task = asyncio.create_task(here.run_for(4))
        await asyncio.sleep(2)
        here.call.type("conversation.media", camera_mid=None, screen_mid=None)
        await task
        assert isinstance(here.call, CameraCall)
        assert here.call.assigned == (None, None)
        told = [event["properties"] for event in here.call.said("conversation.seeing")]
        assert told == [{"camera": "clear", "people": 1}, {"camera": "off", "people": 0}]

    simulate(run)


def test_nobody_is_spoken_to_when_nobody_is_there() -> None:
    async def run() -> None:
        here = seeing([], ["Are you still there?"], ScriptedEyes(face=None), greeting="Hello", idle_engagement="eager")
        await here.run_for(25)
        assert not here.model.asked

    simulate(run)


def test_eyes_that_fail_leave_the_conversation_as_it_was() -> None:
    async def run() -> None:
        here = seeing(["hello there friend"], ["Hi."], ScriptedEyes(fails=True))
        here.call.speak(silence(1), speech(1.0), silence(1))
        await here.run_for(6)
        assert said_by_user(here) == ["hello there friend"]
        assert here.call.said("conversation.replica.started_speaking")

    simulate(run)


def test_a_question_about_what_is_seen_is_answered_from_what_is_seen() -> None:
    async def run() -> None:
        eyes = ScriptedEyes(face=dataclasses.replace(FACE, smile=0.9, looking=False))
        here = seeing(["can you see me and my shirt"], ["Yes."], eyes)
        here.call.speak(silence(1), speech(1.2), silence(1))
        await here.run_for(6)
        note = here.model.asked[-1][-1].content
        assert "I see you, looking away, smiling." in note
        assert "cannot make out" in note

    simulate(run)


class Pixels:
    """A camera that always shows the same."""

    def look(self, longest_side: int) -> Picture | None:
        return Picture(np.full((60, 80, 3), 200, np.uint8), (80, 60), 0.0)


class Describer:
    """A vision model that says what it was asked, and uses every tool."""

    def __init__(self) -> None:
        self.pictures: list[Frame] = []

    async def answer(self, question: str, picture: Frame) -> str:
        return f"{question} {picture.shape}"

    async def observe(
        self, picture: Frame, questions: Sequence[str], tools: Sequence[Function], prompt: str
    ) -> Observed:
        self.pictures.append(picture)
        answers = tuple(f"answer {number}." for number, _ in enumerate(questions, 1))
        return Observed(answers, tuple(ToolRequest("1", tool.name, '{"what": "that"}') for tool in tools))


def looked(call: CameraCall, eyes: ScriptedEyes) -> str:
    async def run() -> str:
        return await look("What is this?", call, eyes, Observations(LoopClock()))

    told: str = simulate(run)
    return told


def test_look_answers_from_the_vision_model_and_else_says_what_the_eyes_know() -> None:
    call = CameraCall()
    call.camera = Pixels()
    assert looked(call, ScriptedEyes(vision=Describer())) == "What is this? (60, 80, 3)"
    assert looked(call, ScriptedEyes()).startswith("Seen: I see nothing")
    call.camera = None
    assert looked(call, ScriptedEyes(vision=Describer())) == "The caller's camera is off, so nothing can be seen."


def test_the_model_may_look_and_speaks_of_what_it_saw() -> None:
    async def run() -> None:
        replies = [[("look", '{"question": "What is in my hand?"}')], "That is a mug."]
        here = seeing([], replies, ScriptedEyes(), system_tools=["look"])
        here.call.type("conversation.respond", text="What is in my hand?")
        await here.run_for(6)
        assert here.model.offered[0] == ["look"]
        assert here.model.asked[1][-1].content.startswith("Seen:")
        assert "That is a mug." in here.call.said("conversation.utterance")[-1]["properties"]["speech"]

    simulate(run)


def test_what_was_seen_is_summed_up_and_questions_about_it_go_to_the_language_model() -> None:
    async def run() -> None:
        eyes = ScriptedEyes({2.5: Behaviour.NODDED, 4.0: Behaviour.SMILED, 5.0: Behaviour.SMILED})
        here = seeing([], ["They nodded."], eyes, greeting="This is a fact.")
        assert await here.conversation.perception_analysis() == ""
        await here.run_for(8)
        summary = await here.conversation.perception_analysis()
        assert "- Nodded: 1 time." in summary
        assert "- Smiled: 2 times." in summary
        assert "In view 100 %" in summary
        assert not here.model.asked
        layers = here.conversation.persona.layers
        perception = Perceiving(perception_analysis_queries=("Did they agree?",))
        layers = layers.model_copy(update={"perception": perception})
        here.conversation.persona = here.conversation.persona.model_copy(update={"layers": layers})
        assert (await here.conversation.perception_analysis()).endswith("- Did they agree? They nodded.")
        assert "Nodded: 1 time" in here.model.asked[-1][-1].content

    simulate(run)


CUP_TOOL = {
    "type": "function",
    "function": {
        "name": "thumb_seen",
        "description": "Called when the user gives a thumbs up",
        "parameters": {"type": "object", "properties": {"what": {"type": "string"}}, "required": ["what"]},
    },
}


def called(here: World) -> list[dict[str, Any]]:
    return [event["properties"] for event in here.call.said("conversation.perception_tool_call")]


def test_what_is_seen_calls_the_tool_that_is_meant_for_it_once_and_shows_the_picture() -> None:
    async def run() -> None:
        eyes = ScriptedEyes({2.0: Behaviour.THUMB_UP, 4.0: Behaviour.THUMB_UP, 5.0: Behaviour.SMILED})
        here = seeing([], [], eyes, perceiving={"visual_tools": [CUP_TOOL]})
        assert isinstance(here.call, CameraCall)
        here.call.camera = Pixels()
        await here.run_for(8)
        (call,) = called(here)
        assert (call["modality"], call["name"]) == ("vision", "thumb_seen")
        assert json.loads(call["arguments"]) == {"what": "gave a thumbs-up"}
        (frame,) = call["frames"]
        assert frame["mime_type"] == "image/jpeg"
        shown = cv2.imdecode(np.frombuffer(base64.b64decode(frame["data"]), np.uint8), cv2.IMREAD_COLOR)
        assert shown is not None
        assert shown.shape == (60, 80, 3)

    simulate(run)


def test_with_a_vision_model_questions_and_tools_go_to_it_when_the_picture_has_changed() -> None:
    async def run() -> None:
        model = Describer()
        perceiving = {"visual_tools": [CUP_TOOL], "visual_awareness_queries": ["Is there a map?"]}
        eyes = ScriptedEyes({2.0: Behaviour.THUMB_UP}, vision=model)
        here = seeing(["I like that", "and that"], ["So do I.", "Yes."], eyes, perceiving=perceiving)
        assert isinstance(here.call, CameraCall)
        here.call.camera = Pixels()
        here.call.speak(silence(4), speech(1.0), silence(5), speech(1.0), silence(1))
        await here.run_for(20)
        assert len(model.pictures) == 1
        assert [json.loads(call["arguments"]) for call in called(here)] == [{"what": "that"}]
        notes = [event["properties"].get("user_visual_analysis") for event in here.call.said("conversation.utterance")]
        assert notes[0] == "(Camera: the caller gave a thumbs-up. Is there a map? answer 1.)"
        assert [note for note in notes[1:] if note] == []

    simulate(run)


def test_questions_that_are_always_open_are_answered_by_the_sensors_when_the_answer_changes() -> None:
    async def run() -> None:
        eyes = ScriptedEyes()
        queries = ["Is the user alone?", "Is the user wearing a hat?"]
        here = seeing(["one", "two"], ["One.", "Two."], eyes, perceiving={"visual_awareness_queries": queries})
        here.call.speak(silence(2), speech(1.0), silence(5), speech(1.0), silence(1))
        await here.run_for(12)
        asked = [messages[-1].content for messages in here.model.asked]
        assert asked[0] == "one (Camera: Is the user alone? one person is in view.)"
        assert asked[-1] == "two"

    simulate(run)


def test_an_analysis_says_what_no_sensor_could_tell_without_asking_the_language_model() -> None:
    async def run() -> None:
        perceiving = {"perception_analysis_queries": ["What was the user wearing?"]}
        here = seeing([], [], ScriptedEyes(), perceiving=perceiving)
        await here.run_for(3)
        summary = await here.conversation.perception_analysis()
        assert summary.endswith("- What was the user wearing? No sensor here can tell that.")
        assert not here.model.asked

    simulate(run)


def test_a_laugh_is_told_with_the_words_and_calls_an_audio_tool() -> None:
    async def run() -> None:
        tool = {"name": "laughed", "description": "The user laughs", "parameters": {"type": "object"}}
        here = seeing(["that is funny"], ["It is."], ScriptedEyes(), perceiving={"audio_tools": [tool]})
        here.call.speak(silence(1), laughter(220, 5.0), silence(0.3), speech(1.0), silence(1))
        await here.run_for(7)
        (call,) = called(here)
        assert (call["modality"], call["name"], call["arguments"]) == ("audio", "laughed", "{}")
        assert "frames" not in call
        said = here.call.said("conversation.utterance")[0]["properties"]
        assert said["user_audio_analysis"] == "(Voice: the caller laughed.)"
        assert here.model.asked[-1][-1].content == "that is funny (Voice: the caller laughed.)"

    simulate(run)


def test_lips_that_move_without_a_sound_yet_hold_the_floor() -> None:
    async def run(moves: bool) -> list[str]:
        eyes = ScriptedEyes()
        here = seeing(["I went there", "I went there with my sister"], ["Nice."], eyes)
        here.call.speak(silence(1), speech(1.2), silence(1.0), speech(1.0), silence(1))
        task = asyncio.create_task(here.run_for(9))
        await asyncio.sleep(2.4)
        eyes.face = dataclasses.replace(FACE, mouth_moves=moves)
        await asyncio.sleep(0.8)
        eyes.face = FACE
        await task
        return said_by_user(here)

    assert simulate(lambda: run(False))[0] == "I went there"
    assert len(simulate(lambda: run(True))) == 1


def test_words_to_somebody_beside_the_person_are_not_answered() -> None:
    async def run() -> None:
        eyes = ScriptedEyes(face=dataclasses.replace(FACE, looking=False))
        eyes.people = 2
        here = seeing(["where did you put it", "and now to you"], ["Hello."], eyes)
        here.call.speak(silence(1), speech(1.5), silence(3), speech(1.5), silence(1))
        task = asyncio.create_task(here.run_for(12))
        await asyncio.sleep(4.5)
        assert here.call.said("conversation.replica.started_speaking") == []
        eyes.face = FACE
        await task
        assert said_by_user(here) == ["where did you put it", "and now to you"]
        last = here.model.asked[-1][-1].content
        assert last.startswith("[The caller said to somebody else: where did you put it] and now to you")
        assert len(here.call.said("conversation.replica.started_speaking")) == 1

    simulate(run)


def test_somebody_who_is_alone_is_answered_even_when_they_look_away() -> None:
    async def run() -> None:
        eyes = ScriptedEyes(face=dataclasses.replace(FACE, looking=False, speaking=False))
        here = seeing(["hello there"], ["Hello."], eyes)
        here.call.speak(silence(1), speech(1.5), silence(2))
        await here.run_for(7)
        assert here.call.said("conversation.replica.started_speaking")

    simulate(run)
