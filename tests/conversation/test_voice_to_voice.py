"""A conversation whose middle is a voice-to-voice model, on simulated time; the model follows a script."""

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest

from tests.conversation.simulation import SimulatedCall, World, silence, simulate, speech, world
from visavis.audio import Samples
from visavis.conversation.clock import LoopClock
from visavis.conversation.conversation import Conversation
from visavis.conversation.persona import Persona
from visavis.conversation.voice_turns import LOST, UNREACHABLE
from visavis.errors import EngineError
from visavis.layers import realtime
from visavis.layers.llm import ToolRequest
from visavis.layers.realtime import Part
from visavis.layers.tools import Tool, ToolError

RATE_HZ = 24_000


def hum(seconds: float) -> np.ndarray:
    return (3000 * np.cos(2 * np.pi * 200 / RATE_HZ * np.arange(round(seconds * RATE_HZ)))).astype(np.int16)


class ScriptedSession:
    """Keeps what it is told, with the time; does what the test says."""

    def __init__(self, part: Part) -> None:
        self.parts = [part]
        self.told: list[tuple[float, str, tuple[Any, ...]]] = []
        self.heard: list[Samples] = []
        self.answering = False
        self._events: asyncio.Queue[realtime.Event | EngineError] = asyncio.Queue()

    def does(self, *events: realtime.Event | EngineError) -> None:
        for event in events:
            self._events.put_nowait(event)

    def speaks(self, item_id: str, text: str, seconds: float, *, chunk_s: float = 0.2, ends: bool = True) -> None:
        """Say `text`, all of it at once, as models do that are faster than speech."""
        self.does(realtime.ReplyBegan(f"r{item_id}"), realtime.Words(item_id, text))
        sound = hum(seconds)
        size = round(chunk_s * RATE_HZ)
        self.does(*(realtime.Sound(item_id, sound[at : at + size], RATE_HZ) for at in range(0, len(sound), size)))
        if ends:
            self.does(realtime.Said(item_id), realtime.ReplyEnded(f"r{item_id}"))

    async def events(self) -> AsyncIterator[realtime.Event]:
        while True:
            event = await self._events.get()
            if isinstance(event, EngineError):
                raise event
            yield event

    def hear(self, samples: Samples) -> None:
        self.heard.append(samples)

    def describe(self, part: Part) -> None:
        self.parts.append(part)

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name not in ("say", "answer", "note", "tell_results", "go_on", "cancel", "truncate"):
            raise AttributeError(name)
        return lambda *given: self.told.append((asyncio.get_running_loop().time(), name, given))

    def calls(self, name: str) -> list[tuple[Any, ...]]:
        return [given for _, called, given in self.told if called == name]


class ScriptedSpeaker:
    name, answer_timeout_s = "scripted", 3.0

    def __init__(self) -> None:
        self.sessions: list[ScriptedSession] = []
        self.refusals: list[EngineError] = []

    @asynccontextmanager
    async def connect(self, part: Part) -> AsyncIterator[ScriptedSession]:
        if self.refusals:
            raise self.refusals.pop(0)
        self.sessions.append(ScriptedSession(part))
        self.sessions[-1].does(realtime.Ready())
        yield self.sessions[-1]

    @property
    def session(self) -> ScriptedSession:
        return self.sessions[-1]


Step = tuple[float, Callable[[ScriptedSpeaker, SimulatedCall], Any]]


def play(
    *steps: Step,
    until: float,
    spoken: Sequence[Samples] = (),
    speaker: ScriptedSpeaker | None = None,
    **settings: Any,
) -> tuple[ScriptedSpeaker, World]:
    """A call in which the person says `spoken` and each step is done at its time."""
    model = speaker or ScriptedSpeaker()

    async def work() -> World:
        here = world([], [], **settings)
        here.conversation = _voice_to_voice(here.conversation, model)
        if spoken:
            here.call.speak(*spoken)

        async def script() -> None:
            for at, step in steps:
                await asyncio.sleep(at - asyncio.get_running_loop().time())
                step(model, here.call)

        scripted = asyncio.create_task(script())
        await here.run_for(until)
        await scripted
        return here

    return model, simulate(work)


def _voice_to_voice(conversation: Conversation, model: ScriptedSpeaker) -> Conversation:
    """The same conversation with `model` as its middle."""
    sts = {"base_url": "http://127.0.0.1:9/v1", "model": "m"}
    persona = conversation.persona.model_dump()
    persona |= {"pipeline_mode": "speech-to-speech", "layers": persona["layers"] | {"sts": sts}}
    layers = dataclasses.replace(conversation._layers, voice_to_voice=model)
    return Conversation("ctest", Persona.model_validate(persona), conversation.replica, layers, LoopClock())


def utterances(call: SimulatedCall) -> list[tuple[str, str, Any]]:
    found = [event["properties"] for event in call.said("conversation.utterance")]
    return [(one["role"], one["speech"], one.get("interrupted")) for one in found]


def heard_turn(session: ScriptedSession, text: str) -> None:
    session.does(realtime.SpeechEnded(), realtime.PersonSaid("p1", text, final=True))


def test_answer_is_played_with_a_mouth_within_one_frame_of_its_first_sound():
    def answer(model: ScriptedSpeaker, call: SimulatedCall) -> None:
        heard_turn(model.session, "How are you?")
        model.session.speaks("a1", "I am fine, thank you for asking.", 2.0)

    _, here = play((2.01, answer), until=6, spoken=[silence(1), speech(0.8)])
    sounding = here.call.sounding()
    assert 2.01 <= sounding[0] <= 2.01 + 0.06
    assert next(at for at, _, open_ in here.call.frames if open_) == sounding[0]
    assert 1.95 < sounding[-1] - sounding[0] < 2.1
    assert utterances(here.call) == [
        ("user", "How are you?", None),
        ("replica", "I am fine, thank you for asking.", None),
    ]
    (latency,) = here.call.said("conversation.latency")
    stages = latency["properties"]["stages"]
    assert stages["sent"] - stages["first_sound"] <= 60
    assert latency["properties"]["utterance_to_utterance_ms"] > 0


def test_model_hears_all_that_the_person_says_and_captions_follow_it():
    def speak(model: ScriptedSpeaker, call: SimulatedCall) -> None:
        model.session.does(realtime.PersonSaid("p1", "What ", final=False))
        model.session.does(realtime.PersonSaid("p1", "time", final=False))
        model.session.does(realtime.PersonSaid("p1", "What time is it?", final=True))

    model, here = play((2.0, speak), until=3, spoken=[silence(1), speech(0.8)])
    heard = np.concatenate(model.session.heard)
    assert (np.abs(heard) > 0.1).sum() == round(0.8 * 16_000)
    shown = [event["properties"]["speech"] for event in here.call.said("conversation.utterance.streaming")]
    assert shown == ["What", "What time", "What time is it?"]
    assert here.call.said("conversation.user.started_speaking")[0]["_at"] < 1.2


def test_interruption_silences_before_the_model_says_so_and_tells_it_what_was_heard():
    words = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"

    def stop(model: ScriptedSpeaker, call: SimulatedCall) -> None:
        model.session.does(realtime.SpeechBegan())

    model, here = play(
        (1.0, lambda model, call: model.session.speaks("a1", words, 6.0)),
        (3.6, stop),
        until=6,
        spoken=[silence(3.0), speech(1.5)],
    )
    assert here.call.sounding()[-1] <= 3.0 + 0.2
    ((item_id, heard_ms),) = model.session.calls("truncate")
    assert item_id == "a1" and 2000 <= heard_ms <= 2200
    ((_, heard, interrupted),) = utterances(here.call)
    assert interrupted and 5 <= len(heard.split()) <= 7
    outcomes = [event["properties"]["outcome"] for event in here.call.said("conversation.overlap")]
    assert outcomes == ["began", "interruption"]


def test_sound_that_comes_after_an_interruption_is_not_heard():
    def late(model: ScriptedSpeaker, call: SimulatedCall) -> None:
        model.session.does(realtime.Sound("a1", hum(1.0), RATE_HZ), realtime.ReplyEnded("ra1"))

    model, here = play(
        (1.0, lambda model, call: model.session.speaks("a1", "A long story", 3.0, ends=False)),
        (2.0, lambda model, call: call.type("conversation.interrupt")),
        (2.5, late),
        (3.0, lambda model, call: model.session.speaks("a2", "Yes?", 0.4)),
        until=5,
    )
    assert not [at for at in here.call.sounding() if 2.08 < at < 3.0]
    assert [at for at in here.call.sounding() if at > 3.0]
    assert len(model.session.calls("cancel")) == 1
    assert [text for _, text, _ in utterances(here.call)][-1] == "Yes?"


def test_what_the_model_takes_for_no_speech_only_makes_the_replica_pause():
    model, here = play(
        (1.0, lambda model, call: model.session.speaks("a1", "A story", 4.0)),
        until=8,
        spoken=[silence(2.0), speech(0.3)],
    )
    sounding = here.call.sounding()
    assert not [at for at in sounding if 2.3 < at < 3.0]
    assert [at for at in sounding if at > 3.3]
    assert not model.session.calls("truncate")
    assert [e["properties"]["outcome"] for e in here.call.said("conversation.overlap")] == ["began", "noise"]
    assert utterances(here.call) == [("replica", "A story", None)]


def test_answers_follow_one_another_and_what_was_not_begun_counts_as_unheard():
    model, here = play(
        (1.0, lambda model, call: model.session.speaks("a1", "First.", 1.0)),
        (1.1, lambda model, call: model.session.speaks("a2", "Second.", 1.0)),
        (1.2, lambda model, call: model.session.speaks("a3", "Third.", 1.0)),
        (2.6, lambda model, call: model.session.does(realtime.SpeechBegan())),
        until=4,
    )
    assert next(text for _, text, _ in utterances(here.call)) == "First."
    assert dict(model.session.calls("truncate")).keys() == {"a2", "a3"}
    assert ("a3", 0) in model.session.calls("truncate")


def test_greeting_is_said_by_the_model_and_the_part_holds_prompt_and_tools():
    tools = [{"type": "function", "function": {"name": "book", "description": "Book."}}]
    model, _ = play(until=2, greeting="Hello, I am here.", persona_tools=tools, system_tools=["current_time"])
    assert model.session.calls("say") == [("Hello, I am here.",)]
    part = model.session.parts[0]
    assert part.instructions.startswith("You are a test.")
    assert {function.name for function in part.functions} == {"book", "current_time"}


def tool(run: Callable[[Any], Awaitable[str]], **settings: Any) -> Tool:
    schema = {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]}
    return Tool("weather", "Tell the weather.", schema, run, **settings)


def wants_weather(model: ScriptedSpeaker, call: SimulatedCall, arguments: Any = '{"place": "Rome"}') -> None:
    request = ToolRequest("call1", "weather", arguments)
    model.session.does(realtime.ReplyBegan("r0"), realtime.ReplyEnded("r0", (request,)))


def test_tool_is_done_and_the_model_answers_from_its_result():
    async def run(arguments: Any) -> str:
        return json.dumps({"sky": "clear", **arguments})

    model, here = play((1.0, wants_weather), until=3, tools=[tool(run)])
    assert model.session.calls("tell_results") == [([("call1", '{"sky": "clear", "place": "Rome"}')],)]
    assert len(model.session.calls("go_on")) == 1
    (outcome,) = here.call.said("conversation.tool_outcome")
    assert outcome["properties"]["status"] == "success"


def test_slow_tool_is_bridged_by_a_filler_in_the_models_voice():
    async def run(arguments: Any) -> str:
        await asyncio.sleep(2.0)
        return "Sunny."

    model, _ = play((1.0, wants_weather), until=5, tools=[tool(run)])
    ((said_at, _, _),) = [one for one in model.session.told if one[1] == "say"]
    assert 1.69 < said_at < 1.8
    assert next(at for at, name, _ in model.session.told if name == "go_on") > 2.9


@pytest.mark.parametrize("arguments", ["not JSON", "{}"])
def test_failing_tool_and_wrong_arguments_are_told_to_the_model(arguments: str):
    async def run(arguments: Any) -> str:
        raise ToolError("the station is closed")

    model, _ = play((1.0, lambda model, call: wants_weather(model, call, arguments)), until=3, tools=[tool(run)])
    (((call_id, text),),) = model.session.calls("tell_results")[0]
    assert call_id == "call1" and "failed" in text
    assert len(model.session.calls("go_on")) == 1


def test_result_that_speaks_for_itself_is_said_word_for_word():
    async def run(arguments: Any) -> str:
        return '{"speech": "It is sunny in Rome."}'

    model, _ = play((1.0, wants_weather), until=3, tools=[tool(run, on_resolve="response_in_result")])
    assert model.session.calls("say") == [("It is sunny in Rome.",)]


def test_call_ends_after_the_goodbye_that_follows_the_tool():
    def hang_up(model: ScriptedSpeaker, call: SimulatedCall) -> None:
        request = ToolRequest("call1", "end_call", "{}")
        model.session.does(realtime.ReplyBegan("r0"), realtime.ReplyEnded("r0", (request,)))
        model.session.answering = True

    def goodbye(model: ScriptedSpeaker, call: SimulatedCall) -> None:
        model.session.speaks("a1", "Goodbye!", 1.0)

    def complete(model: ScriptedSpeaker, call: SimulatedCall) -> None:
        model.session.answering = False

    _, here = play((1.0, hang_up), (2.0, goodbye), (2.1, complete), until=7, system_tools=["end_call"])
    (ended,) = here.call.said("conversation.end_requested")
    assert 3.0 <= ended["_at"] <= 3.6
    assert utterances(here.call) == [("replica", "Goodbye!", None)]


def test_typed_words_and_context_reach_the_model():
    model, here = play(
        (1.0, lambda model, call: call.type("conversation.respond", text="What is new?")),
        (2.0, lambda model, call: call.type("conversation.append_llm_context", context="It rains.")),
        until=3,
    )
    assert model.session.calls("answer") == [("What is new?",)]
    assert model.session.parts[-1].instructions.endswith("It rains.")
    assert utterances(here.call) == [("user", "What is new?", None)]


def test_lost_connection_is_told_and_the_next_one_knows_what_was_said():
    def lose(model: ScriptedSpeaker, call: SimulatedCall) -> None:
        heard_turn(model.session, "My name is Ada.")
        model.session.does(EngineError("voice-to-voice model", "it has hung up"))

    model, here = play(
        (1.0, lose),
        (4.5, lambda model, call: model.session.speaks("a1", "Hello Ada.", 1.0)),
        until=7,
    )
    _, second = model.sessions
    assert next((one.role, one.content) for one in second.parts[0].past) == ("user", "My name is Ada.")
    assert [text for role, text, _ in utterances(here.call) if role == "replica"] == [LOST, "Hello Ada."]
    assert len(here.call.said("conversation.error")) == 1


def test_connection_lost_in_silence_comes_back_without_a_word():
    model, here = play(
        (1.0, lambda model, call: model.session.does(EngineError("voice-to-voice model", "it has hung up"))), until=4
    )
    assert len(model.sessions) == 2
    assert not here.call.said("conversation.error") and not here.call.sounding()


def test_refused_key_is_said_once_and_not_tried_again():
    speaker = ScriptedSpeaker()
    speaker.refusals = [realtime.RefusedError("voice-to-voice model", "m at x refused the API key")]
    model, here = play(until=20, speaker=speaker)
    assert not model.sessions
    assert utterances(here.call) == [("replica", UNREACHABLE, None)]


def test_model_that_never_answers_does_not_keep_the_floor():
    def again(model: ScriptedSpeaker, call: SimulatedCall) -> None:
        heard_turn(model.session, "Hello?")
        model.session.speaks("a1", "Here I am.", 0.6)

    _, here = play((1.0, lambda model, call: heard_turn(model.session, "Hello?")), (8.0, again), until=11)
    (error,) = here.call.said("conversation.error")
    assert 4.0 <= error["_at"] <= 4.5
    assert [text for role, text, _ in utterances(here.call) if role == "replica"] == [UNREACHABLE, "Here I am."]


def test_answer_that_breaks_off_leaves_the_floor_to_the_person():
    _, here = play(
        (1.0, lambda model, call: model.session.speaks("a1", "This will never", 1.0, ends=False)),
        until=20,
    )
    (stopped,) = here.call.said("conversation.replica.stopped_speaking")
    assert stopped["_at"] < 18


def test_pause_in_the_middle_of_an_answer_does_not_end_it():
    _, here = play(
        (1.0, lambda model, call: model.session.speaks("a1", "Well, ", 0.6, ends=False)),
        (8.0, lambda model, call: model.session.speaks("a1", "that is so.", 0.8)),
        until=11,
    )
    assert [at for at in here.call.sounding() if at > 8.0]
    assert utterances(here.call) == [("replica", "Well, that is so.", None)]


def test_speech_is_kept_from_the_model_while_a_greeting_may_not_be_interrupted():
    model, here = play(
        (0.5, lambda model, call: model.session.speaks("a1", "Please listen to this first.", 3.0)),
        until=5,
        spoken=[silence(2.0), speech(0.5)],
        greeting="Please listen to this first.",
        greeting_interruptible=False,
    )
    assert not np.concatenate(model.session.heard).any()
    assert here.call.sounding()[-1] > 3.4


@pytest.mark.parametrize("mode", ["full", "speech-to-speech"])
def test_persona_that_speaks_with_a_model_needs_one(mode: str):
    fields = {"persona_name": "A", "system_prompt": "B", "pipeline_mode": mode}
    if mode == "full":
        assert Persona.model_validate(fields).layers.sts is None
    else:
        with pytest.raises(ValueError, match="sts is needed"):
            Persona.model_validate(fields)
